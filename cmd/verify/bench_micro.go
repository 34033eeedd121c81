package main

import (
	"fmt"
	"slices"
	"strings"

	plots "github.com/fusedos/stramash/cmd/verify/internal/figure"
	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// microResult is what a microbenchmark came to.
type microResult struct {
	Type   string  `json:"type"` // result
	What   string  `json:"what"`
	Model  string  `json:"model"`
	Bytes  uint64  `json:"bytes,omitempty"` // of the array
	Cycles float64 `json:"cycles"`          // of one load, one turn, or 8 bytes
}

// chaseSizes are the powers of two from 16 KB to 32 MB, and an eighth less and more
// than the size of each cache, between which the latency changes.
func chaseSizes(n coherence.Node) []uint64 {
	var out []uint64
	for size := uint64(16 << 10); size <= 32<<20; size *= 2 {
		out = append(out, size)
	}
	for _, c := range []coherence.Cache{n.L1D, n.L2, n.L3} {
		if eighth := c.Size / 8 &^ 63; eighth > 0 && c.Size <= 32<<20 {
			out = append(out, c.Size-eighth, c.Size+eighth)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// benchMicro measures latencies on simulated platforms: of a pointer chase through
// arrays of several sizes, and of cache lines that two nodes hand to each other. The
// figures are of simulated time, and the same on every host.
func benchMicro(b *bench) ([]figure, error) {
	var lines []plots.Line
	var out []figure
	for i, p := range b.platforms {
		m, err := machine.New(p)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		u := &micro{b, m, string(b.models[i]), nil}
		line := plots.Line{Name: u.model}
		for _, size := range chaseSizes(p.Hardware.Nodes[0]) {
			line.X = append(line.X, float64(size))
			line.Y = append(line.Y, u.chase(size))
		}
		turn, word := u.pingPong(), u.produce()
		if u.err != nil {
			return nil, u.err
		}
		if b.stop() {
			break // what is finished is kept
		}
		lines = append(lines, line)
		snake := strings.ReplaceAll(u.model, "-", "_")
		out = append(out,
			figure{snake + "_turn_cycles", turn, "of a line that two nodes write in turns"},
			figure{snake + "_word_cycles", word, "of 8 bytes that one node writes and another one reads"})
	}
	if b.plots == "" || len(lines) == 0 {
		return out, nil
	}
	return out, plots.Lines{
		Title: "Latency of a load", XLabel: "size of the array", YLabel: "cycles", Lines: lines, BytesX: true,
	}.Save(b.plots, "micro")
}

// micro is the state of experiment micro on one platform.
type micro struct {
	b     *bench
	m     *machine.Machine
	model string
	err   error
}

// run makes a run, and answers the simulated time of a CPU between start and stop.
func (u *micro) run(what string, bytes uint64, units int, program func(o workload.Options) []machine.Start) float64 {
	if u.err != nil || u.b.stop() {
		return 0
	}
	u.b.progress("micro", what+" on "+u.model)
	u.m.Begin(machine.Earliest{Stop: u.b.stop}, machine.Limits{})
	var began, ended uint64
	o := workload.Options{
		Alloc:   u.m.AllocShared,
		Started: func(t *machine.Thread) { began = clockOf(t) },
		Stopped: func(t *machine.Thread) { ended = clockOf(t) },
	}
	res := u.m.Run(program(o)...)
	if res.Outcome != machine.Finished {
		if res.Outcome != machine.Stopped {
			u.err = fmt.Errorf("%s: %s: %s", what, res.Outcome, res.Detail)
		}
		return 0
	}
	if u.err = checkCounters(u.m); u.err != nil {
		return 0
	}
	cycles := float64(ended-began) / float64(units)
	u.b.result(microResult{"result", what, u.model, bytes, cycles},
		fmt.Sprintf("%-18s %-12s %11s bytes %9.1f cycles", what, u.model, grouped(bytes), cycles))
	return cycles
}

// chase is the latency of a load in an array of a size.
func (u *micro) chase(size uint64) float64 {
	const loads = 200_000
	return u.run("chase", size, loads, func(o workload.Options) []machine.Start {
		return []machine.Start{{CPU: 0, Body: workload.Chase{Range: size, Count: loads}.Program(u.m, o)}}
	})
}

// pingPong is the time of one of two turns of a round.
func (u *micro) pingPong() float64 {
	const rounds = 5_000
	return u.run("ping-pong", 64, 2*rounds, func(o workload.Options) []machine.Start {
		bodies, _ := workload.PingPong{Rounds: rounds}.Program(u.m, o)
		return []machine.Start{{CPU: 0, Body: bodies[0]}, {CPU: u.m.CPUs() - 1, Body: bodies[1]}}
	})
}

// produce is the time of 8 bytes from one node to another one.
func (u *micro) produce() float64 {
	p := workload.ProducerConsumer{Buffer: 64 << 10, Rounds: 20}
	return u.run("producer-consumer", p.Buffer, p.Rounds*int(p.Buffer/8), func(o workload.Options) []machine.Start {
		bodies, _ := p.Program(u.m, o)
		return []machine.Start{{CPU: 0, Body: bodies[0]}, {CPU: u.m.CPUs() - 1, Body: bodies[1]}}
	})
}
