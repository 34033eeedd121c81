package workload_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// alone makes a pair of nodes with memory for a kernel, and begins a run that one
// thread can have for as long as it likes.
func alone(tb testing.TB, memory uint64) *machine.Machine {
	tb.Helper()
	p := machine.Pair()
	for i := range p.Nodes {
		p.Nodes[i].Memory = memory + 1<<20&^4095
		p.Nodes[i].Memory &^= 4095
	}
	m, err := machine.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Close)
	m.Begin(machine.Natural{}, machine.Limits{Steps: 1 << 60, Spins: 1 << 40})
	return m
}

func TestKernelsVerify(t *testing.T) {
	for _, k := range workload.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			m := alone(t, k.Memory(workload.S))
			body, result := k.Program(m, workload.S, workload.Options{})
			if result.Verified {
				t.Fatal("verified before it has run")
			}
			run := m.Run(machine.Start{CPU: 0, Body: body})
			if run.Outcome != machine.Finished || !result.Verified {
				t.Errorf("%v %s: %+v", run.Outcome, run.Detail, *result)
			}
			t.Logf("%d steps, guessed %q: %+v", run.Steps, run.Guessed, *result)
		})
	}
}
