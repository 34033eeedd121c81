package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/asm"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// litmusRuns is how many runs -method fuzz makes of a test.
const litmusRuns = 10_000

// machineRun runs a program on the simulated machine, and answers how many runs that
// were. Those of native are all that there are.
type machineRun func(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (runs int, err error)

// onMachine is what the simulated machine showed of a test.
type onMachine struct {
	Runs    int      `json:"runs,omitempty"` // of -method fuzz
	Allowed int      `json:"allowed_count"`  // final states
	Seen    []string `json:"-"`              // they are the line's states
	Unseen  []string `json:"unseen"`         // allowed
	Outside []string `json:"outside"`        // seen, though not allowed
}

// onMachine is how the machine is to run tests, or nil if it is not.
func (o *litmusFlags) onMachine() (machineRun, error) {
	order, err := machine.ParseMemoryOrder(*o.order)
	switch {
	case *o.method != "fuzz" && *o.method != "native":
		if o.isSet("runs") || o.isSet("order") {
			return nil, fmt.Errorf("-runs and -order say how the machine runs tests: give -method fuzz or native as well")
		}
		return nil, nil
	case err != nil:
		return nil, err
	case *o.method == "native":
		return func(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (int, error) {
			out, err := asm.Explorer(order)(p, b, found)
			if err == nil && !out.Complete {
				err = fmt.Errorf("not all runs of the machine were explored: %s; raise -steps or -memory", out.Why)
			}
			return 0, err
		}, nil
	}
	return func(p *litmus.Program, _ memory.Budget, found func(litmus.State) bool) (int, error) {
		out, err := asm.Sample(p, order, int(o.runs.n), o.seed.n, found)
		return out.Runs, err
	}, nil
}

// run runs a test on the machine, if that is asked for, and compares what it shows
// with what is allowed.
func (l *litmusRun) run(j *tested) error {
	if l.explain != nil {
		return l.explainTest(j)
	}
	if l.machine == nil {
		return nil
	}
	p, err := j.test.Program(l.unroll)
	if err != nil {
		return err
	}
	m := &onMachine{Allowed: len(j.spelled), Seen: []string{}, Unseen: []string{}, Outside: []string{}}
	var states []litmus.State
	m.Runs, err = l.machine(p, l.budget, func(s litmus.State) bool {
		states = append(states, slices.Clone(s))
		return l.ctx.Err() == nil
	})
	if err != nil {
		return err
	}
	m.Seen = spell(j.test, states)
	unseen, outside := differ(m.Seen, j.spelled)
	if m.Unseen = append(m.Unseen, unseen...); j.why == "" {
		m.Outside = append(m.Outside, outside...)
	}
	j.onMachine, j.states = m, states
	return nil
}

// text says what the machine showed, in lines.
func (m *onMachine) text(path string) string {
	var b strings.Builder
	how := "in all runs of the machine"
	if m.Runs > 0 {
		how = "in " + counted(m.Runs, "run")
	}
	fmt.Fprintf(&b, "Machine: %d of %s seen %s\n", m.Allowed-len(m.Unseen), counted(m.Allowed, "allowed state"), how)
	for _, s := range m.Unseen {
		fmt.Fprintf(&b, "unseen  %s\n", s)
	}
	for _, s := range m.Outside {
		fmt.Fprintf(&b, "OUTSIDE %s  the machine breaks its memory model in %s\n", s, path)
	}
	return b.String()
}
