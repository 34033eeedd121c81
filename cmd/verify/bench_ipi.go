package main

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/machine"
)

// ipiResult is the latency of an interrupt from one CPU to another.
type ipiResult struct {
	Type    string `json:"type"` // result
	From    int    `json:"from"`
	To      int    `json:"to"`
	FromISA string `json:"from_isa"`
	ToISA   string `json:"to_isa"`
	Cycles  uint64 `json:"cycles"` // from the instruction before it is sent to the handler's first
}

// benchIPI measures interrupts between all pairs of CPUs, as Figures 5 and 6 of the
// paper do: the receiver rests, and takes the time in its handler.
func benchIPI(b *bench) ([]figure, error) {
	p := b.platforms[0]
	p.Nodes = slices.Clone(p.Nodes)
	for i := range p.Nodes {
		p.Nodes[i].CPUs = int(b.ipiCPUs)
	}
	m, err := machine.New(p)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	latency, isas := make([][]float64, m.CPUs()), []string(nil)
	var same, cross []float64
	for from := range m.CPUs() {
		isas = append(isas, m.ISA(from).Name)
		for to := range m.CPUs() {
			cycles, err := interruptLatency(m, from, to)
			if err != nil {
				return nil, err
			}
			latency[from] = append(latency[from], float64(cycles))
			if m.NodeOf(from) == m.NodeOf(to) {
				same = append(same, float64(cycles))
			} else {
				cross = append(cross, float64(cycles))
			}
			b.result(ipiResult{"result", from, to, m.ISA(from).Name, m.ISA(to).Name, cycles},
				fmt.Sprintf("CPU %2d (%s) to CPU %2d (%s): %s cycles", from, m.ISA(from).Name, to, m.ISA(to).Name, grouped(cycles)))
		}
	}
	if err := saveHeat(b, isas, latency); err != nil {
		return nil, err
	}
	return []figure{
		{"ipi_node_cycles", mean(same), "mean within a node; Figures 5 and 6: about 2,000 (2 µs)"},
		{"ipi_cross_cycles", mean(cross), "mean between nodes of different instruction sets"},
	}, nil
}

// interruptLatency is how long an interrupt takes that one CPU sends another one.
func interruptLatency(m *machine.Machine, from, to int) (uint64, error) {
	const vector = machine.VectorIPI
	var sent, landed uint64
	m.Begin(machine.Earliest{}, machine.Limits{})
	m.Handle(to, vector, func(t *machine.Thread, _ *machine.Frame) { landed = clockOf(t) })
	receiver := func(t *machine.Thread) {
		t.DisableInterrupts()
		t.WaitForInterrupt()
	}
	sender := func(t *machine.Thread) {
		if from == to {
			t.DisableInterrupts()
		}
		t.Compute(1000) // the receiver rests by then
		sent = clockOf(t)
		t.SendIPI(to, vector)
		if from == to {
			t.WaitForInterrupt()
		}
	}
	starts := []machine.Start{{CPU: from, Body: sender}}
	if from != to {
		starts = append(starts, machine.Start{CPU: to, Body: receiver})
	}
	res := m.Run(starts...)
	if res.Outcome != machine.Finished {
		return 0, fmt.Errorf("from CPU %d to CPU %d: %s: %s", from, to, res.Outcome, res.Detail)
	}
	return landed - sent, checkCounters(m)
}

// clockOf is the time of a thread's CPU, in cycles.
func clockOf(t *machine.Thread) uint64 {
	c := t.Machine().RunCounters(t.CPU())
	return c.Runtime + c.Waited
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}
