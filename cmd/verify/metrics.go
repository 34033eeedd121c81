package main

import (
	"fmt"
	"math"

	"github.com/fusedos/stramash/fuzz"
)

// metrics are what a run of a target costs on the simulated machine, on
// average: the same figures on every host.
type metrics struct {
	StepsPerRun    float64 `json:"steps_per_run"`
	Loads          float64 `json:"loads_per_run"`
	Stores         float64 `json:"stores_per_run"`
	Atomics        float64 `json:"atomics_per_run"`
	Transfers      float64 `json:"transfers_per_run"`       // of lines within a node
	CrossTransfers float64 `json:"cross_transfers_per_run"` // of lines between nodes
	Invalidations  float64 `json:"invalidations_per_run"`
}

// metricsHead is the head of the columns that row fills.
const metricsHead = "steps/run\tloads/run\tstores/run\tatomics/run\ttransfers/run within nodes\ttransfers/run between nodes"

// row is the metrics as cells of a table.
func (m *metrics) row() string {
	if m == nil {
		return "-\t-\t-\t-\t-\t-"
	}
	return fmt.Sprintf("%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f",
		m.StepsPerRun, m.Loads, m.Stores, m.Atomics, m.Transfers, m.CrossTransfers)
}

// measure finds the metrics of an outcome's target.
func (o *outcome) measure() error {
	m, err := fuzz.Measure(o.target, nil)
	if err != nil {
		return err
	}
	perRun := func(n uint64) float64 { return math.Round(100*float64(n)/float64(max(m.Runs, 1))) / 100 }
	o.metrics = &metrics{
		StepsPerRun: perRun(m.Steps), Loads: perRun(m.Loads), Stores: perRun(m.Stores), Atomics: perRun(m.Atomics),
		Transfers: perRun(m.Transfers), CrossTransfers: perRun(m.CrossTransfers),
		Invalidations: perRun(m.Invalidations),
	}
	return nil
}
