package generate

import (
	"slices"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/interleave"
)

// The outcome that a test asks for is one that sequential consistency does not
// have, or the test would ask nothing. Where a location has three writes or more,
// the condition leaves the order of the first ones open, and may have it.
func TestOutcomesAreNotSequentiallyConsistent(t *testing.T) {
	checked, weak := 0, 0
	for _, shape := range Shapes() {
		cycles, err := Generate(Spec{Shapes: []string{shape}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for c := range cycles {
			if n++; n > 1500 {
				break
			}
			if n%29 != 0 && n > 20 {
				continue
			}
			test, err := c.Test()
			if err != nil {
				t.Fatal(err)
			}
			states := states(t, test)
			if len(states) == 0 {
				t.Fatalf("no state of\n%s", test)
			}
			checked++
			if test.Judge(states).Obs == "Never" {
				continue
			}
			if weak++; !c.crowded() {
				t.Errorf("%s: is sequentially consistent\n%s", c, test)
			}
		}
	}
	if checked < 1500 || weak > checked/50 {
		t.Errorf("%d cycles checked, of which %d have a condition that is too weak", checked, weak)
	}
}

// crowded says whether a location has three writes or more.
func (c *Cycle) crowded() bool {
	writes := map[int]int{}
	for _, n := range c.nodes {
		writes[n.loc] += int(b2i(n.dir == 'W'))
	}
	for _, n := range writes {
		if n > 2 {
			return true
		}
	}
	return false
}

// states finds the final states under sequential consistency.
func states(t *testing.T, test *litmus.Test) (all []litmus.State) {
	p, err := test.Program(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := interleave.SC(p, memory.Budget{}, func(s litmus.State) bool {
		all = append(all, slices.Clone(s))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
