package explore

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// oracle is the folder with the tests of which herd7 has told the final states.
func oracle(t testing.TB) string {
	for _, dir := range []string{
		os.Getenv("STRAMASH_LITMUS"), "../../../../shared/litmus", "../../../../../shared/litmus",
	} {
		if _, err := os.Stat(filepath.Join(dir, "mixed.expected.jsonl")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("the folder shared/litmus is not there (set STRAMASH_LITMUS): the engine is not compared with herd7")
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

func parse(t testing.TB, file string) (*litmus.Test, *litmus.Program) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	test, err := litmus.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	p, err := test.Program(2)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return test, p
}

// statesOf are the final states of a program, sorted.
func statesOf(t testing.TB, test *litmus.Test, p *litmus.Program) ([]string, memory.Outcome) {
	var states []string
	o, err := Run(p, memory.Budget{}, func(s litmus.State) bool {
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

// compare runs the tests of a folder against what is expected of them.
func compare(t *testing.T, dir, expected string) {
	var steps, memories int64
	bad := 0
	for _, e := range expectations(t, expected) {
		test, p := parse(t, filepath.Join(dir, e.File))
		got, o := statesOf(t, test, p)
		slices.Sort(e.States)
		if !slices.Equal(got, e.States) || !o.Complete {
			bad++
			t.Errorf("%s/%s: %+v\n extra %q\n missing %q", dir, e.File, o, minus(got, e.States), minus(e.States, got))
		}
		steps += o.Steps
		memories += o.Explored
	}
	t.Logf("%d steps, %d memories, %d differ", steps, memories, bad)
}

// What herd7 says of 2,794 tests.
func TestOracle(t *testing.T) {
	dir := oracle(t)
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		t.Run(set, func(t *testing.T) { compare(t, filepath.Join(dir, set), filepath.Join(dir, set+".expected.jsonl")) })
	}
}

// Random programs, reduced, each of which a machine with one rule changed gets
// wrong: the name of the file says which.
func TestRandom(t *testing.T) { compare(t, "testdata", "testdata/expected.jsonl") }

// The scaling tests blow up enumerations of executions; here they are cheap.
func TestScale(t *testing.T) {
	dir := filepath.Join(oracle(t), "scale")
	want := map[string]int{
		"CTR3": 6, "CTR4": 24, "CTR5": 120, "WR3": 24, "WR4": 200, "MPN2": 36, "MPN3": 216,
		"SB5": 32, "SB6": 64, "SB7": 128, "LB5": 32, "LB6": 64, "W5": 32, "W6": 64,
	}
	for name, n := range want {
		t.Run(name, func(t *testing.T) {
			test, p := parse(t, filepath.Join(dir, name+".litmus"))
			got, o := statesOf(t, test, p)
			if len(got) != n || !o.Complete {
				t.Errorf("%d states, want %d: %+v", len(got), n, o)
			}
			t.Logf("%d states, %+v", len(got), o)
		})
	}
}
