package main

import (
	"fmt"
	"math"

	"github.com/fusedos/stramash/fuzz"
)

// metrics are what a run of a target costs on the simulated machine, on
// average: the same figures on every host.
type metrics struct {
	StepsPerRun  float64 `json:"steps_per_run"`
	Instructions float64 `json:"instructions_per_run"`
	Cycles       float64 `json:"cycles_per_run"` // of all CPUs
	Accesses     float64 `json:"accesses_per_run"`
	L1Hits       float64 `json:"l1_hits_per_run"`
	L2Hits       float64 `json:"l2_hits_per_run"`
	L3Hits       float64 `json:"l3_hits_per_run"`
	Memory       float64 `json:"memory_hits_per_run"` // local and remote
	Transfers    float64 `json:"transfers_per_run"`   // lines that came from another node's caches
	NodeSnoops   float64 `json:"node_snoops_per_run"` // between CPUs of a node
	Snoops       float64 `json:"snoops_per_run"`      // between nodes
	IPIs         float64 `json:"ipis_per_run"`
}

// metricsHead is the head of the columns that row fills.
const metricsHead = "steps/run\tcycles/run\tL1 hits/run\tL3 hits/run\tsnoops/run in nodes\tbetween nodes\tIPIs/run"

// row is the metrics as cells of a table.
func (m *metrics) row() string {
	if m == nil {
		return "-\t-\t-\t-\t-\t-\t-"
	}
	return fmt.Sprintf("%.1f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f",
		m.StepsPerRun, m.Cycles, m.L1Hits, m.L3Hits, m.NodeSnoops, m.Snoops, m.IPIs)
}

// measure finds the metrics of an outcome's target.
func (o *outcome) measure() error {
	m, err := fuzz.Measure(o.target, nil)
	if err != nil {
		return err
	}
	perRun := func(n uint64) float64 { return math.Round(100*float64(n)/float64(max(m.Runs, 1))) / 100 }
	o.metrics = &metrics{
		StepsPerRun: perRun(m.Steps), Instructions: perRun(m.Instructions), Cycles: perRun(m.Runtime),
		Accesses: perRun(m.L1DAccesses), L1Hits: perRun(m.L1DHits), L2Hits: perRun(m.L2Hits), L3Hits: perRun(m.L3Hits),
		Memory: perRun(m.LocalHits + m.RemoteHits), Transfers: perRun(m.Transfers), NodeSnoops: perRun(m.CoreSnoops),
		Snoops: perRun(m.SnoopData + m.SnoopInvalidate + m.BackInvalidate), IPIs: perRun(m.IPIs + m.NodeIPIs),
	}
	return nil
}
