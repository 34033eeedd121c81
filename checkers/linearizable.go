package checkers

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

const (
	ruleLinearizable = "linearizability"

	// DefaultBudget is how many times [Linearizable] calls Spec.Step for one
	// history: a few tenths of a second at most.
	DefaultBudget = 1 << 18

	// A violation in more operations than this is not confirmed by porcupine,
	// which keeps one bit of every operation for every step.
	maxConfirmOps = 2048
	// confirmBudget is the work that porcupine may do, see confirm.
	confirmBudget = 1 << 16

	// maxShownStates is the number of states that a message names.
	maxShownStates = 3
)

// Linearizable returns a judge that checks that the operations on each object
// could have taken effect one at a time, each at some moment between its call
// and its return, with the answers that s allows (M. Herlihy and J. Wing,
// "Linearizability", TOPLAS 12(3), 1990). It judges the given objects, or all
// objects in the history if none are given: then all must be of kind s. An
// operation that never returned may have taken effect or not. A client may have
// operations in progress on several objects, but only one on each.
//
// A violation shows at the earliest return that no order explains. It is
// reported only after porcupine has confirmed it; where that would take too
// long, the message says that it is unconfirmed. Where the two disagree, one of
// them is wrong, and the verdict is unknown. So it is when the search takes more
// than [DefaultBudget] steps, or more than 64 operations on an object overlap.
//
// The rules of its violations are "linearizability" and "malformed history".
// It panics if s lacks Step or Completions.
func Linearizable[S comparable](s spec.Spec[S], objects ...machine.VA) Judge {
	return LinearizableWithin(DefaultBudget, s, objects...)
}

// LinearizableWithin is [Linearizable] with a budget of its own: the number of
// times that it may call s.Step for one history.
func LinearizableWithin[S comparable](budget int, s spec.Spec[S], objects ...machine.VA) Judge {
	if s.Step == nil || s.Completions == nil {
		panic("checkers: specification " + s.Name + " lacks Step or Completions")
	}
	j := &linearizable[S]{
		spec: s, objects: slices.Clone(objects), budget: budget, model: Porcupine(s),
	}
	j.scratch.New = func() any { return &search[S]{frontier: frontier[S]{spec: s}} }
	return j
}

type linearizable[S comparable] struct {
	spec    spec.Spec[S]
	objects []machine.VA
	budget  int
	model   porcupine.Model
	scratch sync.Pool // of *search[S], which hold nothing from one check to the next
}

// search is the working memory of one check.
type search[S comparable] struct {
	operations
	frontier frontier[S]
}

func (j *linearizable[S]) Name() string { return "linearizable/" + j.spec.Name }

// Describe makes the judge a [Describer].
func (j *linearizable[S]) Describe(object machine.VA, c spec.Call, r *spec.Ret) (string, bool) {
	if len(j.objects) > 0 && !slices.Contains(j.objects, object) {
		return "", false
	}
	if _, known := j.spec.Signature(c.Op); !known {
		return "", false
	}
	if r == nil {
		return j.spec.DescribeCall(c), true
	}
	return j.spec.DescribeOp(c, *r), true
}

func (j *linearizable[S]) Check(h machine.History) Verdict {
	s := j.scratch.Get().(*search[S])
	defer func() {
		s.frontier.release()
		j.scratch.Put(s)
	}()
	v := s.read(h, j.objects)
	if v == nil {
		v = j.unknownOp(h, s)
	}
	if v != nil {
		v.Judge = j.Name()
		return Verdict{Violation: v}
	}
	s.gather()
	s.frontier.budget = j.budget
	var verdict Verdict
	for first, rest := s.split(s.events); len(first) > 0; first, rest = s.split(rest) {
		verdict = worse(verdict, j.object(h, s, first))
	}
	return verdict
}

// worse returns the verdict that says more: the earlier violation, or else the
// first reason to know nothing.
func worse(a, b Verdict) Verdict {
	switch {
	case b.Violation != nil && (a.Violation == nil || b.Violation.At < a.Violation.At):
		return b
	case a.Violation == nil && a.Unknown == "":
		return b
	}
	return a
}

// unknownOp finds a call of an operation that the specification does not have.
func (j *linearizable[S]) unknownOp(h machine.History, s *search[S]) *Violation {
	for _, e := range s.events {
		op := &s.ops[e.op]
		if _, known := j.spec.Signature(op.call.Op); !known {
			return &Violation{
				Rule: ruleMalformed, Object: op.object, At: op.callAt,
				Message: fmt.Sprintf("%s called operation %d, which a %s does not have",
					who(h[op.callAt]), op.call.Op, j.spec.Name),
			}
		}
	}
	return nil
}

// object judges the events of one object.
func (j *linearizable[S]) object(h machine.History, s *search[S], events []event) Verdict {
	r, at := s.frontier.run(s.ops, events)
	switch r {
	case explained:
		return Verdict{}
	case outOfBudget:
		return unknown("%s: no order found within %d steps", j.Name(), j.budget)
	case tooManyAtOnce:
		return unknown("%s: more than %d operations overlap", j.Name(), maxOverlap)
	}
	ok, decided := false, false
	if exported := s.export(events); len(exported) <= maxConfirmOps {
		ok, decided = confirm(j.model, exported, confirmBudget)
	}
	if ok {
		return unknown("%s: our checker finds no order and porcupine does (records up to %d)",
			j.Name(), s.ops[events[at].op].retAt)
	}
	return found(j.explain(h, s, events[at].op, decided))
}

// explain words the violation that shows when operation n returns.
func (j *linearizable[S]) explain(h machine.History, s *search[S], n int, confirmed bool) Violation {
	op := &s.ops[n]
	message := fmt.Sprintf("%s got %s, which no order of the operations explains: the %s could only be %s",
		who(h[op.retAt]), j.spec.DescribeOp(op.call, op.ret), j.spec.Name, s.frontier.describe())
	if !confirmed {
		message += " (too long for porcupine to confirm)"
	}
	return Violation{
		Judge: j.Name(), Rule: ruleLinearizable, Object: op.object, At: op.retAt, Message: message,
	}
}

// describe names the states in which the last operation was tried.
func (f *frontier[S]) describe() string {
	var shown []string
	more := false
	for _, c := range f.visited {
		switch text := f.spec.DescribeState(c.state); {
		case slices.Contains(shown, text):
		case len(shown) == maxShownStates:
			more = true
		default:
			shown = append(shown, text)
		}
	}
	if more {
		shown = append(shown, "one of some more")
	}
	return strings.Join(shown, ", or ")
}
