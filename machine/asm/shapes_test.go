package asm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory"
)

var orders = []machine.MemoryOrder{machine.SC, machine.TSO, machine.Native}

// golden compares with a file of testdata, or with STRAMASH_UPDATE writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if os.Getenv("STRAMASH_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (STRAMASH_UPDATE=1 writes it anew); it would be\n%s", file, got)
	}
}

// shapes are the cycles of testdata/cycles.txt, a line each.
func shapes(t *testing.T) (out []string) {
	text, err := os.ReadFile("testdata/cycles.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

func shape(t *testing.T, cycle string) (*litmus.Test, *litmus.Program) {
	t.Helper()
	c, err := generate.ParseCycle(cycle)
	if err != nil {
		t.Fatalf("%s: %v", cycle, err)
	}
	test, err := c.Test()
	if err != nil {
		t.Fatalf("%s: %v", cycle, err)
	}
	return parse(t, []byte(test.String()))
}

// What the machine can do with the classic shapes, by each order: whether the cycle
// is seen, and how many states there are.
func TestShapes(t *testing.T) {
	var b strings.Builder
	for _, cycle := range shapes(t) {
		test, p := shape(t, cycle)
		fmt.Fprintf(&b, "%-52s", cycle)
		for _, o := range orders {
			var states []litmus.State
			if _, err := Explorer(o)(p, memory.Budget{}, func(s litmus.State) bool {
				states = append(states, slices.Clone(s))
				return true
			}); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %s %-9s %2d", o, test.Judge(states).Obs, len(states))
		}
		b.WriteByte('\n')
	}
	golden(t, "shapes.txt", b.String())
}

// Random runs find what the search finds, of small programs.
func TestSampleFindsWhatTheSearchFinds(t *testing.T) {
	for _, cycle := range shapes(t) {
		test, p := shape(t, cycle)
		checkSample(t, cycle, test, p)
	}
	for file := range texts {
		test, p := text(t, file)
		checkSample(t, file, test, p)
	}
}

func checkSample(t *testing.T, name string, test *litmus.Test, p *litmus.Program) {
	for _, o := range orders {
		all, _ := statesOf(t, Explorer(o), test, p)
		var got []string
		if _, err := Sample(p, o, nil, 3000, 1, func(s litmus.State) bool {
			got = append(got, test.Format(s))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if extra := minus(got, all); len(extra) > 0 {
			t.Errorf("%s, %s: %q are sampled, not found by the search", name, o, extra)
		}
		if missing := minus(all, got); len(missing) > 0 {
			t.Errorf("%s, %s: %q are not sampled", name, o, missing)
		}
	}
}

// small are random programs that a search of all interleavings has done with soon.
var small = generate.Config{Threads: 3, Instructions: 3}

// All that random programs do on the machine is among what the search finds.
func TestSampledRandomPrograms(t *testing.T) {
	for seed := range uint64(150) {
		test := generate.Random(seed, small)
		p, err := test.Program(2)
		if err != nil {
			t.Fatal(err)
		}
		all, _ := statesOf(t, Reach, test, p)
		if _, err := Sample(p, machine.Native, nil, 500, seed, func(s litmus.State) bool {
			if f := test.Format(s); !slices.Contains(all, f) {
				t.Errorf("random %d: %s is sampled, not found by the search", seed, f)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// A load-exclusive ends the reservation of the one before, also if it reads what is
// no longer the newest write, and so makes none of its own.
func TestStaleLoadExclusiveEndsTheReservation(t *testing.T) {
	_, p := parse(t, []byte(`AArch64 twice
{ 0:X1=x; 0:X3=y; 1:X3=y; }
 P0            | P1          ;
 LDXR W0,[X1]  | MOV W0,#1   ;
 LDXR W2,[X3]  | STR W0,[X3] ;
 MOV W4,#2     |             ;
 STXR W5,W4,[X1] |           ;
exists (0:X5=0)
`))
	b, err := NewBench(p, machine.Native, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := &random{state: 1}
	for range 2000 {
		c.begin()
		s, _, err := b.Run(c)
		if err != nil {
			t.Fatal(err)
		}
		if s[0] == 0 {
			t.Fatal("the store-exclusive has succeeded")
		}
	}
}
