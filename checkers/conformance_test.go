package checkers_test

import (
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// TestConformance: what the machine does is allowed, also where stores are held back
// and reads are stale; the same run with one read changed, or with a store that takes
// effect too late, is not.
func TestConformance(t *testing.T) {
	arms := machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 2}}, Order: machine.Native}
	m, err := machine.New(arms)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for name, c := range map[string]struct {
		change func(e *machine.Event)
		axiom  string
	}{
		"as it was": {func(*machine.Event) {}, ""},
		"a read goes back": {func(e *machine.Event) {
			if e.Op.Kind == machine.OpLoad && e.Op.Order == machine.Acquire {
				e.From = 0 // it has read the thread's own write before
			}
		}, "internal"},
		"an update is not atomic": {func(e *machine.Event) {
			if e.Op.Kind == machine.OpAdd && e.CPU == 1 {
				e.From = 0
			}
		}, "atomic"},
		"an acquire comes too early": {func(e *machine.Event) {
			if e.CPU == 1 && e.Op.Kind == machine.OpLoad && e.Op.Order == machine.Relaxed {
				e.From = 0
			}
		}, "external"},
	} {
		var seen checkers.Conformance
		m.SetTracer(func(e *machine.Event) {
			c.change(e)
			seen.Observe(e)
		})
		m.Begin(weakly{}, machine.Limits{})
		x, flag, n := m.Alloc(64), m.Alloc(64), m.Alloc(64)
		seen.Begin(m)
		m.Run(machine.Start{CPU: 0, Body: func(t *th) {
			t.Store(x, w64, 1, machine.Relaxed)
			t.FetchAdd(n, w64, 1, machine.Plain)
			t.Load(n, w64, machine.Acquire)
			t.Fence(machine.FullFence)
			t.Store(flag, w64, 1, machine.Release)
		}}, machine.Start{CPU: 1, Body: func(t *th) {
			t.Await(machine.Until(flag, 1))
			t.Load(x, w64, machine.Relaxed)
			t.FetchAdd(n, w64, 1, machine.Plain)
		}})
		got := ""
		if cycle := seen.Check(); cycle != nil {
			got = cycle.Axiom
		}
		if got != c.axiom {
			t.Errorf("%s: axiom %q, want %q", name, got, c.axiom)
		}
	}
}
