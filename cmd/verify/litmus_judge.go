package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/axiomatic"
	"github.com/fusedos/stramash/model/memory/explore"
)

// engine is a way to compute the final states of a test.
type engine struct {
	name, doc string
	run       memory.Engine
}

// What a final state takes in memory, with its spelling: about so many bytes, and
// so many for each of its values. States may take a quarter of the budget.
const (
	stateBytes = 64
	valueBytes = 32
	stateShare = 4
)

// collected are the final states that an engine has found. The engine adds to
// them while another goroutine may give up waiting for it.
type collected struct {
	memory.Outcome
	engine string
	states []litmus.State
	err    error

	mu     sync.Mutex
	room   int64 // bytes that are left
	full   bool
	closed bool // nobody waits for more
}

// add is what the engine calls for each state.
func (c *collected) add(s litmus.State) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.full {
		return false
	}
	if c.room -= stateBytes + valueBytes*int64(len(s)); c.room < 0 {
		c.full = true
		return false
	}
	c.states = append(c.states, slices.Clone(s))
	return true
}

// collect runs an engine until it ends or the context does.
func collect(ctx context.Context, e engine, p *litmus.Program, b memory.Budget) *collected {
	c := &collected{engine: e.name, room: b.Entries * entryBytes / stateShare}
	done := make(chan struct{})
	go func() {
		o, err := safely(e, p, b, c.add)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.closed {
			c.Outcome, c.err = o, err
			close(done)
		}
	}()
	select {
	case <-done:
		if c.full {
			c.Complete, c.Why = false, "the final states fill the memory budget"
		}
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closed, c.Why = true, "interrupted"
	}
	return c
}

// safely makes a panic of the engine a fault of the tool, so that other tests go on.
func safely(e engine, p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (o memory.Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault{fmt.Errorf("engine %s panicked: %v", e.name, r)}
		}
	}()
	return e.run(p, b, found)
}

// tested is what came of a test.
type tested struct {
	litmusFile
	test        *litmus.Test
	by          []*collected // an engine each
	states      []litmus.State
	spelled     []string // the states, sorted
	why         string   // not all of them are known, if that is so
	cut         bool     // loops were cut short
	disagree    bool
	expected    bool // states were expected
	missing     []string
	extra       []string
	*onMachine  // what the simulated machine showed, if it was asked
	explanation *axiomatic.Explanation
	err         error
}

// judge computes the states of a test in a file. It is nil if the user wants the
// command to end.
func (l *litmusRun) judge(f litmusFile) *tested {
	if l.ctx.Err() != nil {
		return nil
	}
	j := &tested{litmusFile: f}
	j.err = l.fill(j)
	return j
}

func (l *litmusRun) fill(j *tested) error {
	text, err := j.read()
	if err != nil {
		return err
	}
	if j.test, err = litmus.Parse(text); err != nil {
		return err
	}
	if err := l.compute(j); err != nil {
		return err
	}
	if err := l.run(j); err != nil {
		return err
	}
	if want, ok := l.expected.of(j.litmusFile); ok {
		j.expected = true
		j.missing, j.extra = differ(j.spelled, want)
		if j.why != "" {
			j.missing = nil // they may yet come
		}
	}
	return nil
}

// compute has the engines find the states of the test.
func (l *litmusRun) compute(j *tested) error {
	p, err := j.test.Program(l.unroll)
	if err != nil {
		return err
	}
	for _, e := range l.engines {
		c := collect(l.ctx, e, p, l.budget)
		if c.err != nil {
			return c.err
		}
		j.by = append(j.by, c)
	}
	j.combine()
	return nil
}

// spell writes states in the order in which a list of them is printed.
func spell(t *litmus.Test, states []litmus.State) []string {
	out := []string{}
	for _, s := range states {
		out = append(out, t.Format(s))
	}
	slices.Sort(out)
	return slices.Compact(out) // an untyped location is spelled as 32 bits of what it holds
}

// combine takes the states of all engines together. Those that found all that
// there are must have found each of them.
func (j *tested) combine() {
	known := map[string]bool{}
	for _, c := range j.by {
		j.cut = j.cut || c.Cut
		if !c.Complete && j.why == "" {
			j.why = c.engine + ": " + c.Why
		}
		for _, s := range c.states {
			if text := j.test.Format(s); !known[text] {
				known[text] = true
				j.states = append(j.states, s)
			}
		}
	}
	j.spelled = spell(j.test, j.states)
	j.disagree = slices.ContainsFunc(j.by, func(c *collected) bool {
		return c.Complete && len(spell(j.test, c.states)) != len(j.spelled)
	})
}

// status is the exit status that the test calls for.
func (j *tested) status() status {
	switch {
	case j.err != nil:
		return statusOf(j.err)
	case j.disagree:
		return statusFault
	case j.onMachine != nil && len(j.Outside) > 0:
		return statusFault
	case len(j.missing)+len(j.extra) > 0:
		return statusViolation
	case j.why != "":
		return statusInconclusive
	}
	return statusOK
}

// problem is the error in a line: the file, the line where that is known, and
// what is wrong.
func (j *tested) problem() string {
	text := strings.Join(strings.Fields(j.err.Error()), " ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		return j.path + ":" + rest
	}
	if strings.Contains(text, j.path) {
		return text
	}
	return j.path + ": " + text
}

// engines are the ways to compute the final states of a test.
func engines() []engine {
	return []engine{
		{"axiomatic", "candidate executions, of which the axioms of x86-TSO and Armv8 leave those that are allowed", axiomatic.Run},
		{"explore", "promise-first exploration of a machine with views", explore.Run},
	}
}
