// Package litmus_test holds litmus tests for x86-64, for AArch64 and for both in
// one machine, with their final states as the engines find them, so that a clone
// without herd's tests still tests the models. The tests are made by
// model/litmus/generate; go test ./corpus/litmus -write makes them again.
package litmus_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/axiomatic"
	"github.com/fusedos/stramash/model/memory/explore"
)

// engines are those that must find the expected states.
var engines = []struct {
	name string
	run  memory.Engine
}{
	{"explore", explore.Run},
	{"axiomatic", axiomatic.Run},
}

var write = flag.Bool("write", false, "write the tests and their final states anew")

// folder is a folder of tests.
type folder struct {
	name   string
	isas   []litmus.ISA
	cycles int // how many of each shape
}

var folders = []folder{
	{"x86_64", []litmus.ISA{litmus.X86_64}, 2},
	{"aarch64", []litmus.ISA{litmus.AArch64}, 3},
	{"mixed", []litmus.ISA{litmus.X86_64, litmus.AArch64}, 4},
}

// slow is the seed of a test that takes the axiomatic engine seconds: four
// read-modify-writes of one location, three of which compute, so that it tries many
// values.
const slow = 2082

// tests are the tests of a folder, by the names of their files.
func (f folder) tests(t *testing.T) map[string]*litmus.Test {
	all := map[string]*litmus.Test{}
	for i, shape := range generate.Shapes() {
		spec := generate.Spec{Shapes: []string{shape}, ISAs: f.isas, Links: []string{"Pod**", "Pos**"}}
		made := 0
		for k := uint64(0); made < f.cycles && k < 50; k++ {
			c, err := generate.Draw(uint64(1000*i)+k, spec)
			if err != nil {
				t.Fatal(err)
			}
			if c == nil || len(f.isas) > 1 && !mixed(c) || all[c.Name()+".litmus"] != nil {
				continue
			}
			test, err := c.Test()
			if err != nil {
				t.Fatalf("%s: %v", c, err)
			}
			all[c.Name()+".litmus"] = test
			made++
			spec.Links = nil // the first one has program order alone
		}
	}
	if len(f.isas) > 1 {
		for seed := range uint64(30) {
			test := generate.Random(seed, generate.Config{Threads: 3, Instructions: 3})
			all[test.Name+".litmus"] = test
		}
		return all
	}
	// Those of one ISA together have every instruction: first those that add many.
	seen := map[string]bool{}
	for least := 6; least > 0; least-- {
		for seed := range uint64(3000) {
			test := generate.Random(seed, generate.Config{Threads: 3, Instructions: 3, ISAs: f.isas})
			fresh := map[string]bool{}
			if len(test.Locations) > 9 || seed == slow {
				continue // too many states for a file
			}
			for _, i := range instructions(test) {
				fresh[i] = !seen[i]
			}
			maps.DeleteFunc(fresh, func(_ string, is bool) bool { return !is })
			if len(fresh) >= least {
				maps.Copy(seen, fresh)
				all[test.Name+".litmus"] = test
			}
		}
	}
	return all
}

// mixed says whether a cycle has threads of both ISAs.
func mixed(c *generate.Cycle) bool {
	return strings.Contains(c.String(), "x:") && strings.Contains(c.String(), "a:")
}

// instructions are the names of the instructions of a test.
func instructions(test *litmus.Test) (out []string) {
	for _, c := range test.Threads {
		for _, cell := range c.Cells {
			name, rest, _ := strings.Cut(cell.Text, " ")
			if name == "lock" || name == "DMB" || name == "DSB" {
				rest, _, _ = strings.Cut(rest, " ")
				name += " " + rest
			}
			if !strings.HasSuffix(name, ":") {
				out = append(out, name)
			}
		}
	}
	return out
}

// expected is a line of NAME.expected.jsonl, in the form of the oracle's.
type expected struct {
	File    string   `json:"file"`
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Cond    string   `json:"cond"`
	Verdict string   `json:"verdict"`
	Obs     string   `json:"obs"`
	NStates int      `json:"nstates"`
	States  []string `json:"states"`
}

// run is the line that an engine gives for a test.
func run(t *testing.T, engine memory.Engine, file string, test *litmus.Test) expected {
	t.Helper()
	program, err := test.Program(2)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var states []litmus.State
	var spelled []string
	outcome, err := engine(program, memory.Budget{}, func(s litmus.State) bool {
		states = append(states, slices.Clone(s))
		spelled = append(spelled, test.Format(s))
		return true
	})
	if err != nil || !outcome.Complete {
		t.Fatalf("%s: %v, complete: %v", file, err, outcome.Complete)
	}
	slices.Sort(spelled)
	v := test.Judge(states)
	cond := test.String()
	cond = strings.TrimSpace(cond[strings.LastIndex(cond, "exists"):])
	return expected{file, test.Name, "exists", cond, v.Verdict, v.Obs, len(spelled), spelled}
}

// The files are what the generator makes, and all engines find the states that the
// expected files list.
func TestCorpus(t *testing.T) {
	total := 0
	for _, f := range folders {
		t.Run(f.name, func(t *testing.T) {
			tests := f.tests(t)
			total += len(tests)
			if *write {
				f.write(t, tests)
			}
			f.compare(t, tests)
		})
	}
	if total < 300 || total > 500 {
		t.Errorf("%d tests, not 300 to 500", total)
	}
}

// names are the files of tests in order.
func names(tests map[string]*litmus.Test) []string {
	var out []string
	for file := range tests {
		out = append(out, file)
	}
	slices.Sort(out)
	return out
}

// write writes the folder and its expected states, by the first engine: compare
// then tells whether the others agree.
func (f folder) write(t *testing.T, tests map[string]*litmus.Test) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	if err := os.RemoveAll(f.name); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(f.name, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range names(tests) {
		line := run(t, engines[0].run, file, tests[file])
		if err := enc.Encode(line); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.name, file), []byte(tests[file].String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(f.name+".expected.jsonl", lines.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// compare compares the folder with the tests, and all engines with its states.
func (f folder) compare(t *testing.T, tests map[string]*litmus.Test) {
	files, err := os.ReadDir(f.name)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range files {
		if tests[e.Name()] == nil {
			t.Errorf("%s is not made by the generator; go test ./corpus/litmus -write removes it", e.Name())
		}
	}
	lines, err := os.ReadFile(f.name + ".expected.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		var e expected
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatal(err)
		}
		want[e.File] = fmt.Sprint(e)
	}
	if len(want) != len(tests) {
		t.Errorf("%d lines of expected states, and %d tests", len(want), len(tests))
	}
	for _, file := range names(tests) {
		text, err := os.ReadFile(filepath.Join(f.name, file))
		if err != nil || string(text) != tests[file].String() {
			t.Errorf("%s is not what the generator makes (%v); go test ./corpus/litmus -write writes it", file, err)
			continue
		}
		test, err := litmus.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, e := range engines {
			if got := fmt.Sprint(run(t, e.run, file, test)); got != want[file] {
				t.Errorf("%s: %s finds\n%s, not\n%s", file, e.name, got, want[file])
			}
		}
	}
}
