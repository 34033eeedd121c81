package asm

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// oracle is the folder with the tests of which herd7 has told the final states.
func oracle(t testing.TB) string {
	for _, dir := range []string{
		os.Getenv("STRAMASH_LITMUS"), "../../../shared/litmus", "../../../../shared/litmus",
	} {
		if _, err := os.Stat(filepath.Join(dir, "mixed.expected.jsonl")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("the folder shared/litmus is not there (set STRAMASH_LITMUS): the machine is not compared with herd7")
	return ""
}

// expectation is a line of a file of the oracle.
type expectation struct {
	File   string
	States []string
}

func expectations(t testing.TB, file string) []expectation {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []expectation
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e expectation
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return out
}

func parse(t testing.TB, text []byte) (*litmus.Test, *litmus.Program) {
	t.Helper()
	test, err := litmus.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(2)
	if err != nil {
		t.Fatal(err)
	}
	return test, p
}

func load(t testing.TB, file string) (*litmus.Test, *litmus.Program) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

// statesOf are the final states that an engine finds, sorted.
func statesOf(t testing.TB, e memory.Engine, test *litmus.Test, p *litmus.Program) ([]string, memory.Outcome) {
	var states []string
	o, err := e(p, memory.Budget{}, func(s litmus.State) bool {
		states = append(states, test.Format(s))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(states)
	return states, o
}

// minus are the elements of a that are not in b.
func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func TestOracle(t *testing.T) {
	dir := oracle(t)
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		var steps, explored int64
		states, missed, short := 0, 0, 0
		for _, e := range expectations(t, filepath.Join(dir, set+".expected.jsonl")) {
			test, p := load(t, filepath.Join(dir, set, e.File))
			got, o := statesOf(t, Explorer(machine.Native), test, p)
			steps, explored = steps+o.Steps, explored+o.Explored
			if extra := minus(got, e.States); len(extra) > 0 {
				t.Errorf("%s/%s: %q are not allowed", set, e.File, extra)
			}
			miss := minus(e.States, got)
			states += len(e.States)
			missed += len(miss)
			if len(miss) > 0 {
				short++
				if os.Getenv("V") != "" {
					t.Logf("%s/%s: %d %q", set, e.File, len(miss), miss[0])
				}
			}
			if os.Getenv("V") != "" && o.Explored > 100000 {
				t.Logf("BIG %s/%s: %d states %d steps", set, e.File, o.Explored, o.Steps)
			}
		}
		t.Logf("%s: %d of %d states reached, %d tests fall short; %d steps, %d states explored", set, states-missed, states, short, steps, explored)
	}
}
