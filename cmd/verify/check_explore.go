package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/model/transition"
)

// explore visits every state of a protocol, and prints what it finds.
func (c *checkRun) explore(name string, s *protocol.System) (checkLine, error) {
	var used *protocol.Coverage
	if *c.cover {
		used = &protocol.Coverage{}
	}
	e := &exploration{c: c, name: name, system: s, model: s.Model(used)}
	l, err := e.run()
	if err != nil {
		return l, err
	}
	if used != nil {
		c.printCoverage(rulesUsed(name, s, used.Used()))
	}
	e.print(l)
	return l, nil
}

// exploration is the check of one protocol.
type exploration struct {
	c      *checkRun
	name   string
	system *protocol.System
	model  *transition.Model
	result transition.Result
}

// errLimit is why the context of a check has ended, if the user did not end it.
var errLimit = errors.New("limit")

// context ends when the user ends the command, or the limit of time is used up.
func (c *checkRun) context() (context.Context, context.CancelFunc) {
	if c.limit > 0 {
		return context.WithTimeoutCause(c.a.ctx, time.Duration(c.limit), errLimit)
	}
	return context.WithCancel(c.a.ctx)
}

// options are those of the flags.
func (e *exploration) options() transition.Options {
	c := e.c
	o := transition.Options{
		Workers: int(c.workers.n), Symmetry: *c.symmetry, Fingerprints: *c.fingerprints,
		Quiescence: *c.quiescence, Progress: *c.progress,
		MaxStates: transition.Unlimited, MaxBytes: int64(c.memory.n) << 20,
	}
	if c.isSet("max-states") {
		o.MaxStates = int64(c.states.n)
	}
	return o
}

// run explores the states, and, where there are few of them and nobody has said else, the
// whole graph.
func (e *exploration) run() (checkLine, error) {
	c := e.c
	ctx, cancel := c.context()
	defer cancel()
	l := e.line()
	forgetPeak()
	o := e.options()
	cpu, began, err := e.pass(ctx, o)
	if err != nil {
		return l, err
	}
	l.CPUSeconds, l.Seconds = cpu, began
	few := e.result.Verdict == transition.Holds && e.result.States <= graphStates && !o.Fingerprints
	quiescence := few && !c.isSet("quiescence")
	progress := few && !c.isSet("progress") && !o.Symmetry
	safe := e.result
	l.Complete = safe.Verdict == transition.Holds
	if quiescence || progress {
		e.model = e.system.Model(nil)
		o.Quiescence, o.Progress = o.Quiescence || quiescence, o.Progress || progress
		if l.GraphCPUSeconds, _, err = e.pass(ctx, o); err != nil {
			return l, err
		}
	}
	l.PeakMB = megabytes(peakMemory())
	if l.Complete && e.result.Verdict == transition.Inconclusive {
		// All states are known, and only the graph of them is not: say so.
		safe.Verdict, safe.Reason = transition.Inconclusive, e.result.Reason
		e.result = safe
	}
	l.fill(e, context.Cause(ctx))
	return l, nil
}

// pass explores once, and answers how long processors and a clock took for it.
func (e *exploration) pass(ctx context.Context, o transition.Options) (cpu, wall float64, err error) {
	line := e.c.a.newProgress()
	o.Report = func(l transition.Progress) { line.level(e.name, l) }
	before, began := cpuTime(), time.Now()
	e.result, err = transition.Check(ctx, e.model, o)
	cpu, wall = (cpuTime() - before).Seconds(), seconds(began)
	line.clear()
	return cpu, wall, err
}

// level tells how far an exploration is.
func (p *progress) level(what string, l transition.Progress) {
	if !p.due() {
		return
	}
	took := time.Since(p.began)
	p.draw(fmt.Sprintf("%s: level %d, %s states, %s a second, %d MB, %v", what, l.Level, grouped(uint64(l.States)),
		grouped(uint64(float64(l.States)/max(took.Seconds(), 1e-3))), peakMemory()>>20, took.Round(time.Second)))
}

func megabytes(n uint64) float64 { return float64(n>>10) / 1024 }
