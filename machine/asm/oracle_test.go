package asm

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// The machine reaches nothing that is not allowed. What it does not reach is listed
// in testdata/unreached.txt.
func TestOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("herd's tests take about ten seconds: they run without -short")
	}
	dir := oracle(t)
	var b strings.Builder
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		tests, states, missed, short := 0, 0, 0, 0
		var list strings.Builder
		for _, e := range expectations(t, filepath.Join(dir, set+".expected.jsonl")) {
			test, p := load(t, filepath.Join(dir, set, e.File))
			got, _ := statesOf(t, Reach, test, p)
			if extra := minus(got, e.States); len(extra) > 0 {
				t.Errorf("%s/%s: %q are not allowed", set, e.File, extra)
			}
			tests++
			states += len(e.States)
			if n := len(minus(e.States, got)); n > 0 {
				short++
				missed += n
				fmt.Fprintf(&list, "%s/%s %d of %d\n", set, e.File, n, len(e.States))
			}
		}
		fmt.Fprintf(&b, "%s: %d tests, %d states, of which %d are not reached, in %d tests:\n%s", set, tests, states, missed, short, list.String())
	}
	golden(t, "unreached.txt", b.String())
}
