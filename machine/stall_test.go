package machine_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// TestFenceBehindHandler: a fence that was announced before an interrupt also waits for
// what the handler holds back.
func TestFenceBehindHandler(t *testing.T) {
	m := newMachine(t, machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 1}}, Order: machine.Native})
	held, waited, stores := 0, 0, 0
	m.SetTracer(func(e *machine.Event) {
		switch {
		case e.Held:
			held++
			stores++
		case e.Op.Kind == machine.OpDrain:
			held--
		case e.Op.Kind == machine.OpFence:
			waited += stores
			if held != 0 {
				t.Errorf("a full fence is done, and %d stores are held back", held)
			}
		}
	})
	for seed := range uint64(200) {
		m.Begin(newRandom(seed), machine.Limits{Interrupts: 2})
		x := m.Alloc(64)
		const vector = machine.FirstInterrupt + 8
		m.HandleAll(vector, func(t *machine.Thread, _ *machine.Frame) { t.Store64(x, 1) })
		m.Raise(0, vector)
		held, stores = 0, 0
		r := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
			t.Load64(x + 8)
			t.Fence(machine.FullFence)
		}})
		if r.Outcome != machine.Finished {
			t.Fatalf("seed %d: %v: %s", seed, r.Outcome, r.Detail)
		}
	}
	if waited == 0 {
		t.Error("no handler has held a store back before a fence")
	}
}
