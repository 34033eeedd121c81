package asm

import (
	"path/filepath"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/explore"
)

// texts are tests that are no cycles, each with what the machine must do with its
// condition.
var texts = map[string]string{
	"full-fence-of-failed-cas":   "Never",
	"own-write-by-address":       "Never",
	"address-of-exclusive-isb":   "Never",
	"address-of-exclusive-read":  "Never",
	"load-passes-release-update": "Sometimes",
	"failed-cmpxchg-is-locked":   "Never",
	"own-write-by-data":          "Never",
	"own-update-by-data":         "Never",
	"three-stores-backwards":     "Sometimes",
	"branch-on-flags-isb":        "Never",
	"rcpc-passes-release":        "Sometimes",
	"own-write-is-no-order":      "Sometimes",
	"acquire-passes-own-update":  "Sometimes",
}

func text(t *testing.T, file string) (*litmus.Test, *litmus.Program) {
	t.Helper()
	return load(t, filepath.Join("testdata", file+".litmus"))
}

func TestTexts(t *testing.T) {
	for file, obs := range texts {
		test, p := text(t, file)
		got, _ := statesOf(t, Reach, test, p)
		allowed, _ := statesOf(t, explore.Run, test, p)
		if extra := minus(got, allowed); len(extra) > 0 {
			t.Errorf("%s: reaches %q, which is not allowed", file, extra)
		}
		var states []litmus.State
		if _, err := Reach(p, memory.Budget{}, func(s litmus.State) bool {
			states = append(states, append(litmus.State(nil), s...))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if v := test.Judge(states); v.Obs != obs {
			t.Errorf("%s: %s, not %s", file, v.Obs, obs)
		}
	}
}
