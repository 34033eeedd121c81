// Package locks_test holds the litmus tests that explain the mutants which no hunt
// catches; see survivors.txt.
package locks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/axiomatic"
	"github.com/fusedos/stramash/model/memory/explore"
)

// engines are those that must agree with what the comments of the tests claim.
var engines = map[string]memory.Engine{"axiomatic": axiomatic.Run, "explore": explore.Run}

// Each test says in its comment whether its outcome is forbidden or allowed.
func TestClaims(t *testing.T) {
	files, err := filepath.Glob("*.litmus")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	survivors, err := os.ReadFile("survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		test, err := litmus.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want, ok := map[bool]string{true: "Never", false: "Sometimes"}[strings.Contains(string(text), "(* Forbidden: ")], true
		if want == "Sometimes" {
			ok = strings.Contains(string(text), "(* Allowed: ")
		}
		if !ok || test.Name+".litmus" != file {
			t.Errorf("%s claims nothing, or has another name: %s", file, test.Name)
		}
		for name, engine := range engines {
			if got := observe(t, test, engine); got != want {
				t.Errorf("%s: %s finds the outcome %s, want %s", file, name, got, want)
			}
		}
	}
	for line := range strings.Lines(string(survivors)) {
		if i := strings.LastIndex(line, ": "); !strings.HasPrefix(line, "#") {
			if _, err := os.Stat(strings.TrimSpace(line[i+2:])); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
		}
	}
}

// observe is how often the test's outcome is among the final states.
func observe(t *testing.T, test *litmus.Test, engine memory.Engine) string {
	program, err := test.Program(2)
	if err != nil {
		t.Fatal(err)
	}
	var states []litmus.State
	o, err := engine(program, memory.Budget{}, func(s litmus.State) bool {
		states = append(states, append(litmus.State{}, s...))
		return true
	})
	if err != nil || !o.Complete {
		t.Fatalf("%s: %v, complete: %v", test.Name, err, o.Complete)
	}
	return string(test.Judge(states).Obs)
}
