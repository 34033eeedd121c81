package workload_test

import (
	"flag"
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
		p.Nodes[i].Memory = (memory + 1<<20) &^ 4095
	}
	m, err := machine.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Close)
	m.Begin(machine.Natural{}, machine.Limits{Steps: 1 << 60, Spins: 1 << 40})
	return m
}

var className = flag.String("class", "S", "the class of TestKernelsVerify: S, W (a minute) or A (ten)")

func TestKernelsVerify(t *testing.T) {
	class, err := workload.ParseClass(*className)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range workload.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			m := alone(t, k.Memory(class))
			body, result := k.Program(m, class, workload.Options{})
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
