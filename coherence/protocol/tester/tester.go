// Package tester has processors load, store and evict at random on a coherence protocol,
// and judges what they see. It is made in the manner of the random tester of gem5's Ruby
// memory system, which goes back to D. Wood, G. Gibson and R. Katz, "Verifying a
// multiprocessor cache controller using random test-case generation", IEEE Design & Test
// 7(4), 1990.
//
// A line holds several words, which different processors use at a time: the line is shared
// falsely. Each word is stored to by one processor, and then loaded by others, which must
// see what was stored: while it is stored to nobody loads it, so that there is one right
// answer. Copies are evicted at any time, and messages arrive in any order that their
// channels allow.
//
// A test is made of rounds. Each begins with an initial line, draws which processors take
// part and how frequent each class of steps is, and ends when the line has come to rest and
// everybody has loaded once more. Measured on the bugs of the corpus, it does not help to
// prefer rules, or pairs of them, that were seldom used before (as M. Elver and
// V. Nagarajan, "McVerSi", HPCA 2016, do with whole programs), nor to make some rules slow:
// most bugs took more operations.
package tester

import (
	"context"
	"errors"
	"fmt"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/model/transition"
)

// Options say how to test.
type Options struct {
	Operations uint64 // of processors: at least so many, unless there is a violation
	Seed       uint64
	// LoadsOnly judges by what loads return, and by what can't happen in a protocol, but not
	// by the copies that caches hold.
	LoadsOnly bool
}

// Result is what came of a test. It depends on the system and the options only.
type Result struct {
	Violation  *protocol.Violation // nil if there is none
	Operations uint64              // of processors: loads, stores and evictions
	Messages   uint64              // that have arrived
	Rounds     uint64
	Used       []uint64 // how often each of System.Rules was used

	// Of the round with the violation:
	Steps []string          // all that has happened
	Line  []transition.Part // how the line was then
}

// minValues is how many values a system must have: a store makes a new one.
const minValues = 64

// Run tests a system that has one address and at least 64 values. The error says that it
// can't, or is that of the context.
func Run(ctx context.Context, s *protocol.System, o Options) (Result, error) {
	switch {
	case o.Operations == 0:
		return Result{}, errors.New("a test of no operations tests nothing: ask for at least one")
	case s.Addresses != 1 || s.Values < minValues:
		return Result{}, fmt.Errorf("protocol %s: the random tester needs a system of 1 address and %d or more values, not of %d and %d",
			s.Protocol.Name, minValues, s.Addresses, s.Values)
	case s.Processors() == 0:
		return Result{}, fmt.Errorf("protocol %s has no processors: no kind has a rule for load", s.Protocol.Name)
	}
	t := &test{s: s, o: o, rules: s.Rules()}
	t.Used = make([]uint64, len(t.rules))
	for t.Operations < o.Operations {
		if err := ctx.Err(); err != nil {
			return t.Result, err
		}
		v := t.round(nil)
		t.Rounds++
		if v == nil {
			continue
		}
		t.Violation = v
		t.recount()
		break
	}
	return t.Result, nil
}

// test is a test at work.
type test struct {
	s     *protocol.System
	o     Options
	rules []protocol.Rule
	Result
}

// recount runs the last round again, and notes its steps.
func (t *test) recount() {
	again := &test{s: t.s, o: t.o, rules: t.rules}
	again.Used, again.Rounds = make([]uint64, len(t.rules)), t.Rounds-1
	again.round(&t.Steps)
	t.Line = again.Line
}
