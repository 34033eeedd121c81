package fuzz

import "github.com/fusedos/stramash/machine"

// Metrics is what a target's runs cost on the machine, added up over all its CPUs
// and a fixed set of random runs: the same figures on every host.
type Metrics struct {
	Runs  uint64
	Steps uint64 // operations on the machine
	machine.Counters
}

// metricRuns is how many runs Measure makes.
const metricRuns = 64

// Measure finds out what a target costs, on the hardware of its platform or, if that
// has none, the paper's. It fails if the target can't run.
func Measure(t Target, pins []machine.Pin) (Metrics, error) {
	if t.Platform.Hardware == nil {
		t.Platform.Hardware = machine.PaperHardware(t.Platform)
	}
	r, err := newRunner(t, pins, nil)
	if err != nil {
		return Metrics{}, err
	}
	defer r.close()
	out := Metrics{Runs: metricRuns}
	walk := &randomWalk{}
	for run := range uint64(metricRuns) {
		walk.Start(Plan{Run: run})
		out.Steps += uint64(r.run(walk).Steps)
		for cpu := range r.machine.CPUs() {
			out.Counters.Add(r.machine.Counters(cpu))
		}
	}
	return out, nil
}
