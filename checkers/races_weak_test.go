package checkers_test

import (
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// weakly holds every store back, and has every load read the oldest write that it may.
type weakly struct{}

func (weakly) Choose(c *machine.Choice) int {
	switch c.Kind {
	case machine.Hold:
		return 1
	case machine.Read:
		last := 0
		for o := c.Options; o != 0; o = o.Rest() {
			last = o.First()
		}
		return last
	}
	return int(c.Plain)
}

// TestRacesUnderWeakOrders: a store is an access when it is executed, and passes on
// what its thread did before it, whenever it takes effect; a read acquires what the
// write passed on that it reads.
func TestRacesUnderWeakOrders(t *testing.T) {
	arms := machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 2}}, Order: machine.Native}
	for name, c := range map[string]struct {
		first, second func(t *th, x, flag at)
		race          bool
	}{
		"a store held back races": {
			func(t *th, x, _ at) { t.Store64(x, 1) },
			func(t *th, x, _ at) { t.Load64(x) }, true,
		},
		"a release held back passes on what was before it": {
			func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, false,
		},
		"and not what came after it": {
			func(t *th, x, f at) { t.Store(f, w64, 1, machine.Release); t.Store64(x, 1) },
			func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, true,
		},
		"a relaxed store held back behind a fence passes on": {
			func(t *th, x, f at) {
				t.Store64(x, 1)
				t.Fence(machine.StoreFence)
				t.Store(f, w64, 1, machine.Relaxed)
			},
			func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, false,
		},
		"a stale read acquires nothing from newer writes": {
			func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release); t.Fence(machine.FullFence) },
			func(t *th, x, f at) {
				if t.Load(f, w64, machine.Acquire) == 0 {
					t.Load64(x)
				}
			}, true,
		},
	} {
		m, err := machine.New(arms)
		if err != nil {
			t.Fatal(err)
		}
		var d checkers.Races
		m.SetTracer(d.Observe)
		for range 2 { // the second run finds what the first one has left
			m.Begin(weakly{}, machine.Limits{})
			d.Begin()
			x, flag := m.Alloc(64), m.Alloc(64)
			m.Run(machine.Start{CPU: 0, Body: func(t *th) { c.first(t, x, flag) }},
				machine.Start{CPU: 1, Body: func(t *th) { c.second(t, x, flag) }})
		}
		if got := d.Fault(m) != nil; got != c.race {
			t.Errorf("%s: race %t, want %t", name, got, c.race)
		}
		m.Close()
	}
}
