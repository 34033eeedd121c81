package explore_test

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/explore"
)

// Which barrier stops store buffering. A DSB of ST does, as nothing after it runs
// before the writes are done; a DMB of ST orders writes alone, and one of NSH does
// not reach the other CPU (DSB-ob and bob of herd 7.58's aarch64hwreqs.cat, and its
// aarch64fences.cat).
func TestBarriersAgainstStoreBuffering(t *testing.T) {
	for _, b := range []struct{ barrier, obs string }{
		{"DMB SY", "Never"}, {"DSB SY", "Never"}, {"DSB ST", "Never"}, {"DSB ISHST", "Never"}, {"DSB OSHST", "Never"},
		{"DMB ST", "Sometimes"}, {"DMB LD", "Sometimes"}, {"DSB LD", "Sometimes"}, {"DMB NSH", "Sometimes"},
		{"DSB NSH", "Sometimes"}, {"DSB NSHST", "Sometimes"}, {"ISB", "Sometimes"},
	} {
		c, err := generate.ParseCycle("a:DMB.SYdWR Fre DMB.SYdWR Fre")
		if err != nil {
			t.Fatal(err)
		}
		test, err := c.Test()
		if err != nil {
			t.Fatal(err)
		}
		if test, err = litmus.Parse([]byte(strings.ReplaceAll(test.String(), "DMB SY", b.barrier))); err != nil {
			t.Fatal(err)
		}
		p, err := test.Program(1)
		if err != nil {
			t.Fatal(err)
		}
		var states []litmus.State
		if _, err := explore.Run(p, memory.Budget{}, func(s litmus.State) bool {
			states = append(states, append(litmus.State(nil), s...))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if v := test.Judge(states); v.Obs != b.obs {
			t.Errorf("SB with %s: %s, not %s", b.barrier, v.Obs, b.obs)
		}
	}
}
