package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/asm"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// litmusRuns is how many runs -method fuzz makes of a test.
const litmusRuns = 10_000

// onMachine is what the simulated machine showed of a test.
type onMachine struct {
	Runs    int      `json:"runs,omitempty"` // of -method fuzz
	Allowed int      `json:"allowed_count"`  // final states
	Seen    []string `json:"-"`              // they are the line's states
	Unseen  []string `json:"unseen"`         // allowed
	Outside []string `json:"outside"`        // seen, though not allowed; see litmusFlags.flat

	// Of a storage of messages: the weak states among those seen, and among those that as
	// many runs on flat memory show. Weak is what as many runs under sc do not show.
	Weak     *int `json:"weak_count,omitempty"`
	WeakFlat *int `json:"weak_flat_count,omitempty"`
}

// onMachine is the simulated machine as an engine, which explores all of its runs or
// makes some, or nil if it is not asked for.
func (o *litmusFlags) onMachine() (*engine, error) {
	order, err := machine.ParseMemoryOrder(*o.order)
	switch {
	case *o.method != "fuzz" && *o.method != "native":
		if o.isSet("runs") || o.isSet("order") || o.isSet("storage") {
			return nil, fmt.Errorf("-runs, -order and -storage say how the machine runs tests: give -method fuzz or native as well")
		}
		return nil, nil
	case err != nil:
		return nil, err
	case *o.method == "native" && *o.storage != "":
		return nil, fmt.Errorf("-storage is for -method fuzz: not all runs on a storage of messages can be made")
	case *o.method == "native":
		return &engine{name: *o.method, run: asm.Explorer(order)}, nil
	}
	var storage *protocol.Protocol
	if *o.storage != "" {
		if storage, err = readProtocol(*o.storage); err != nil {
			return nil, fmt.Errorf("-storage: %w", err)
		}
	}
	sample := func(p *litmus.Program, _ memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
		out, err := asm.Sample(p, order, storage, int(o.runs.n), o.seed.n, found)
		return memory.Outcome{Complete: true, Cut: out.Cut > 0, Explored: int64(out.Runs)}, err
	}
	return &engine{name: *o.method, run: sample}, nil
}

// flat is the simulated machine as an engine that makes all runs on flat memory, if that
// allows what the architectures do not: under TSO, AArch64 CPUs obey x86-TSO, which does not
// keep a load-acquire behind a store-release. It is nil for all runs, which are no other.
func (o *litmusFlags) flat() *engine {
	if *o.method != "fuzz" || *o.order != machine.TSO.String() {
		return nil
	}
	return &engine{name: "native", run: asm.Explorer(machine.TSO)}
}

// beside counts the weak states that a test has shown, and those that as many runs on flat
// memory show.
func (o *litmusFlags) beside(j *tested, p *litmus.Program, m *onMachine) error {
	order, err := machine.ParseMemoryOrder(*o.order)
	if err != nil {
		return err
	}
	sample := func(order machine.MemoryOrder) ([]string, error) {
		var seen []litmus.State
		_, err := asm.Sample(p, order, nil, int(o.runs.n), o.seed.n, func(s litmus.State) bool {
			seen = append(seen, slices.Clone(s))
			return true
		})
		return spell(j.test, seen), err
	}
	strong, err := sample(machine.SC)
	if err != nil {
		return err
	}
	flat, err := sample(order)
	if err != nil {
		return err
	}
	weak, _ := differ(strong, m.Seen)
	weakFlat, _ := differ(strong, flat)
	a, b := len(weak), len(weakFlat)
	m.Weak, m.WeakFlat = &a, &b
	return nil
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
	c := collect(l.ctx, *l.machine, p, l.budget)
	if c.err != nil {
		return c.err
	}
	m := &onMachine{Allowed: len(j.spelled), Seen: spell(j.test, c.states), Unseen: []string{}, Outside: []string{}}
	if l.method == "fuzz" {
		m.Runs = int(c.Explored)
	}
	if l.beside != nil && c.Complete {
		if err := l.beside(j, p, m); err != nil {
			return err
		}
	}
	unseen, outside := differ(m.Seen, j.spelled)
	if len(outside) > 0 && l.flat != nil {
		all := collect(l.ctx, *l.flat, p, l.budget)
		if all.err != nil {
			return all.err
		}
		outside, _ = differ(spell(j.test, all.states), outside)
		if len(outside) > 0 && !all.Complete && j.why == "" {
			j.why = all.engine + ": " + all.Why
		}
	}
	if m.Unseen = append(m.Unseen, unseen...); j.why == "" {
		m.Outside = append(m.Outside, outside...)
	}
	if !c.Complete && j.why == "" {
		j.why = c.engine + ": " + c.Why
	}
	j.onMachine, j.states = m, c.states
	return nil
}

// shown are the states that the output lists.
func (j *tested) shown() []string {
	if j.onMachine != nil {
		return j.Seen
	}
	return j.spelled
}

// text says in lines what the machine showed; all says that it made all the runs
// that were asked for.
func (m *onMachine) text(path string, all bool) string {
	var b strings.Builder
	how := "some runs of the machine"
	if m.Runs > 0 {
		how = counted(m.Runs, "run")
	} else if all {
		how = "all runs of the machine"
	}
	fmt.Fprintf(&b, "Machine: %d of %s seen in %s\n", m.Allowed-len(m.Unseen), counted(m.Allowed, "allowed state"), how)
	if m.Weak != nil {
		fmt.Fprintf(&b, "Storage: %s, %d of as many runs on flat memory\n", counted(*m.Weak, "weak state"), *m.WeakFlat)
	}
	for _, s := range m.Unseen {
		fmt.Fprintf(&b, "unseen  %s\n", s)
	}
	for _, s := range m.Outside {
		fmt.Fprintf(&b, "OUTSIDE %s  the machine breaks its memory model in %s\n", s, path)
	}
	return b.String()
}
