package fuzz

import "github.com/fusedos/stramash/machine"

// Metrics is what a target's runs cost on the machine, added up over a fixed
// set of random runs: the same figures on every host.
type Metrics struct {
	Runs  uint64
	Steps uint64 // operations on the machine
	machine.Counts
}

// metricRuns is how many runs Measure makes.
const metricRuns = 64

// Measure finds out what a target costs. It fails if the target can't run.
func Measure(t Target, pins []machine.Pin) (Metrics, error) {
	r, err := newRunner(t, pins, nil)
	if err != nil {
		return Metrics{}, err
	}
	defer r.close()
	meter := machine.NewMeter(t.Platform)
	r.machine.SetCost(meter)
	out := Metrics{Runs: metricRuns}
	walk := &randomWalk{}
	for run := range uint64(metricRuns) {
		walk.Start(Plan{Run: run})
		out.Steps += uint64(r.run(walk).Steps)
		out.Counts.Add(meter.Counts)
	}
	return out, nil
}
