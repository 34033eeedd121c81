package asm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// Tests that are no cycles, each with what the machine must do with its condition.
func TestTexts(t *testing.T) {
	for file, obs := range map[string]string{
		"full-fence-of-failed-cas":  "Never",
		"own-write-by-address":      "Never",
		"rcpc-passes-release":       "Sometimes",
		"own-write-is-no-order":     "Sometimes",
		"acquire-passes-own-update": "Sometimes",
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file+".litmus"))
		if err != nil {
			t.Fatal(err)
		}
		test, p := parse(t, text)
		checkReach(t, file, test, p)
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
