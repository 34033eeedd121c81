package explore

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

func program(t testing.TB, text string, unroll int) *litmus.Program {
	test, err := litmus.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	p, err := test.Program(unroll)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// counters has n threads that each add 1 to x.
func counters(n int) string {
	b := &strings.Builder{}
	b.WriteString("AArch64 counters\n{")
	for t := range n {
		fmt.Fprintf(b, " %d:X1=x; %d:X0=1;", t, t)
	}
	b.WriteString(" }\n")
	for t := range n {
		fmt.Fprintf(b, "P%d %s", t, map[bool]string{true: ";\n", false: "| "}[t == n-1])
	}
	for t := range n {
		fmt.Fprintf(b, "LDADD W0,W2,[X1] %s", map[bool]string{true: ";\n", false: "| "}[t == n-1])
	}
	b.WriteString("locations [")
	for t := range n {
		fmt.Fprintf(b, "%d:X2; ", t)
	}
	b.WriteString("x;]\nexists (x=0)\n")
	return b.String()
}

// Whatever the budget, the engine keeps it, says so, and has told a part of the
// states by then, in the same order as without.
func TestBudget(t *testing.T) {
	p := program(t, counters(4), 1)
	run := func(b memory.Budget) (states []string, o memory.Outcome) {
		o, err := Run(p, b, func(s litmus.State) bool { states = append(states, fmt.Sprint(s)); return true })
		if err != nil {
			t.Fatal(err)
		}
		return states, o
	}
	all, whole := run(memory.Budget{})
	if len(all) != 24 || !whole.Complete || whole.Why != "" {
		t.Fatalf("%d states, %+v", len(all), whole)
	}
	for n := int64(1); n < whole.Steps; n += 7 {
		for _, b := range []memory.Budget{{Steps: n}, {Entries: n}} {
			some, o := run(b)
			if !slices.Equal(some, all[:len(some)]) {
				t.Fatalf("%+v: other states, or in another order", b)
			}
			if b.Steps > 0 && (o.Complete || o.Steps > n+1 || !strings.Contains(o.Why, "steps")) {
				t.Fatalf("%+v: %+v", b, o)
			}
			if o.Complete != (len(some) == len(all) && o.Why == "") || !o.Complete && o.Why == "" {
				t.Fatalf("%+v: %+v", b, o)
			}
		}
	}
	if _, o := run(memory.Budget{Steps: whole.Steps}); !o.Complete {
		t.Errorf("a budget of what it takes does not suffice: %+v", o)
	}
}

func TestCallerEnds(t *testing.T) {
	n := 0
	o, err := Run(program(t, counters(3), 1), memory.Budget{}, func(litmus.State) bool { n++; return n < 2 })
	if err != nil || n != 2 || o.Complete || o.Why == "" {
		t.Errorf("%d states, %+v, %v", n, o, err)
	}
}

// A wild address is an error if some execution accesses it, and only then.
func TestUnreachable(t *testing.T) {
	const text = "AArch64 wild\n{ 0:X1=x; 0:X5=1; 1:X1=x; }\nP0 | P1 ;\n" +
		"STR W5,[X1] | LDR W0,[X1] ;\n | CMP W0,#%d ;\n | B.NE L ;\n | LDR W2,[X3] ;\n | L: ;\nexists (x=1)\n"
	for seen, wrong := range map[int]bool{1: true, 2: false} {
		p := program(t, fmt.Sprintf(text, seen), 1)
		_, err := Run(p, memory.Budget{}, func(litmus.State) bool { return true })
		if (err != nil) != wrong {
			t.Errorf("if %d is read: error %v", seen, err)
		}
		if wrong && (err == nil || !strings.Contains(err.Error(), "line 7")) {
			t.Errorf("error %v does not name the line", err)
		}
	}
}

// A loop that is cut short is said to be, and its states are left out.
func TestCut(t *testing.T) {
	const text = "AArch64 spin\n{ 0:X1=x; 0:X5=1; 1:X1=x; }\nP0 | P1 ;\n" +
		"STR W5,[X1] | L: ;\n | LDR W0,[X1] ;\n | CBZ W0,L ;\nlocations [1:X0;]\nexists (x=1)\n"
	var states []uint64
	o, err := Run(program(t, text, 3), memory.Budget{}, func(s litmus.State) bool { states = append(states, s[0]); return true })
	if err != nil || !o.Cut || !slices.Equal(states, []uint64{1}) {
		t.Errorf("states %v, %+v, %v", states, o, err)
	}
}

func BenchmarkCounters6(b *testing.B) {
	p := program(b, counters(6), 1)
	for b.Loop() {
		n := 0
		if _, err := Run(p, memory.Budget{}, func(litmus.State) bool { n++; return true }); err != nil || n != 720 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkOracle(b *testing.B) {
	dir := oracle(b)
	var all []*litmus.Program
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		for _, e := range expectations(b, filepath.Join(dir, set+".expected.jsonl")) {
			_, p := parse(b, filepath.Join(dir, set, e.File))
			all = append(all, p)
		}
	}
	for b.Loop() {
		for _, p := range all {
			if _, err := Run(p, memory.Budget{}, func(litmus.State) bool { return true }); err != nil {
				b.Fatal(err)
			}
		}
	}
}
