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
// "Linearizability", TOPLAS 12(3), 1990). Under a weak memory order, where a CPU may
// read what is out of date, see ordered. It judges the given objects, or all
// objects in the history if none are given: then all must be of kind s. An
// operation that never returned may have taken effect or not. A client may have
// operations in progress on several objects, but only one on each.
//
// Each object is judged by itself, and so is each part of one that s.Key names.
// Verdict.By says by what: a "monitor", an algorithm for the kind of object that
// s.Kind names, which takes 100,000 operations in its stride; where there is
// none for it, or it declines, the "frontier" of all states that are possible,
// whose time grows quickly with the number of operations that overlap; and where
// that gives up, "porcupine", the checker of A. Athalye, if it takes no more than
// some 65,000 steps. Where several did, By joins them as in "monitor and frontier".
//
// A violation of up to 2,048 operations shows at the earliest return that no
// order explains, whoever found it. It is reported only after porcupine has
// confirmed it; where that would take too long, the message says that it is
// unconfirmed, and where the monitor alone has found it, it shows at a return
// that breaks a rule which the message names. Where two ways to decide disagree,
// one of them is wrong, and the verdict is unknown. So it is where all have given
// up: the frontier does after [DefaultBudget] steps, or when more than 64
// operations overlap.
//
// The rules of its violations are "linearizability" and "malformed history".
// It panics if s lacks Step or Completions.
func Linearizable[S comparable](s spec.Spec[S], objects ...machine.VA) Judge {
	return LinearizableWithin(DefaultBudget, s, objects...)
}

// LinearizableWithin is [Linearizable] with a budget of its own: the number of
// times that it may call s.Step for one history.
func LinearizableWithin[S comparable](budget int, s spec.Spec[S], objects ...machine.VA) Judge {
	return newLinearizable(useMonitor|useFrontier|usePorcupine, budget, s, objects)
}

// LinearizableBy is [LinearizableWithin] restricted to one way to decide:
// "monitor", whose verdict is unknown where it declines, or "frontier"; porcupine
// confirms nothing. It is for comparing them, and panics if there is no such way.
func LinearizableBy[S comparable](way string, budget int, s spec.Spec[S], objects ...machine.VA) Judge {
	switch {
	case way == byFrontier:
		return newLinearizable(useFrontier, budget, s, objects)
	case way == byMonitor && newMonitor(s.Kind, s.Initial) != nil:
		return newLinearizable(useMonitor, budget, s, objects)
	}
	panic("checkers: there is no " + way + " for specification " + s.Name)
}

// ways is a set of ways to decide.
type ways uint8

const (
	useMonitor ways = 1 << iota
	useFrontier
	usePorcupine
)

func newLinearizable[S comparable](use ways, budget int, s spec.Spec[S], objects []machine.VA) Judge {
	if s.Step == nil || s.Completions == nil {
		panic("checkers: specification " + s.Name + " lacks Step or Completions")
	}
	j := &linearizable[S]{use: use, spec: s, objects: slices.Clone(objects), budget: budget, model: Porcupine(s)}
	j.scratch.New = func() any {
		out := &search[S]{frontier: frontier[S]{spec: s}}
		if use&useMonitor != 0 {
			out.monitor = newMonitor(s.Kind, s.Initial)
		}
		return out
	}
	return j
}

type linearizable[S comparable] struct {
	use     ways
	spec    spec.Spec[S]
	objects []machine.VA
	budget  int
	model   porcupine.Model
	scratch sync.Pool // of *search[S], which hold nothing from one check to the next
}

// search is the working memory of one check.
type search[S comparable] struct {
	operations
	monitor  monitor // nil if there is none for the specification
	odd      bool    // an operation answered what its signature does not allow
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
	s.split(j.spec.Key)
	s.frontier.budget = j.budget
	var verdict Verdict
	start := 0
	for _, end := range s.ends {
		verdict = worse(verdict, j.part(h, s, s.events[start:end]))
		start = end
	}
	return verdict
}

// Who gave a verdict.
const (
	byMonitor   = "monitor"
	byFrontier  = "frontier"
	byPorcupine = "porcupine"
	byOrders    = "order of knowledge"
)

// worse returns the verdict that says more: the earlier violation, or else the
// first reason to know nothing.
func worse(a, b Verdict) Verdict {
	switch {
	case b.Violation != nil && (a.Violation == nil || b.Violation.At < a.Violation.At):
		return b
	case a.Violation != nil || a.Unknown != "":
		return a
	case b.Unknown == "" && strings.Contains(a.By, b.By):
		b.By = a.By
	case b.Unknown == "" && a.By != "":
		b.By = a.By + " and " + b.By
	}
	return b
}

// unknownOp finds a call of an operation that the specification does not have,
// and notes the operations with answers that their signatures rule out.
func (j *linearizable[S]) unknownOp(h machine.History, s *search[S]) *Violation {
	s.odd = false
	for i := range s.ops {
		op := &s.ops[i]
		if n := int(op.call.Op) - 1; n >= 0 && n < len(j.spec.Ops) {
			op.odd = op.retAt >= 0 && !allowed(&j.spec.Ops[n], op.ret)
			s.odd = s.odd || op.odd
		} else {
			return &Violation{
				Rule: ruleMalformed, Object: op.object, At: op.callAt,
				Message: fmt.Sprintf("%s called operation %d, which a %s does not have",
					who(h[op.callAt]), op.call.Op, j.spec.Name),
			}
		}
	}
	return nil
}

// allowed reports whether an operation may ever give an answer.
func allowed(s *spec.Signature, r spec.Ret) bool {
	return (r.OK || s.Failure != "") &&
		(r.Val == 0 || s.Value == spec.ValueAlways || s.Value == spec.ValueIfOK && r.OK)
}

// ask asks the monitor about one part.
func (s *search[S]) ask(events []event) (result, wrong) {
	if s.monitor == nil {
		return declined, wrong{}
	}
	if s.odd {
		for _, e := range events {
			if s.ops[e.op].odd && e.isReturn {
				return unexplained, wrong{e.op, "which it never may answer"}
			}
		}
	}
	return s.monitor.run(s.ops, events)
}

// part judges the events of one object, or of one part of it.
func (j *linearizable[S]) part(h machine.History, s *search[S], events []event) Verdict {
	f, m, at, w := declined, declined, 0, wrong{}
	searches := j.use&useFrontier != 0
	if searches && j.spec.Kind == spec.RegisterKind && len(events) <= shortHistory {
		f, at = s.frontier.run(s.ops, events)
	}
	if f != explained && f != unexplained {
		m, w = s.ask(events)
	}
	// Even where the monitor finds a violation, the frontier knows the return at
	// which it shows, if that does not take too long.
	if f == declined && searches && (m == declined || m == unexplained && len(events) <= 2*maxConfirmOps) {
		f, at = s.frontier.run(s.ops, events)
	}
	if f == unexplained || m == unexplained && f != explained {
		switch j.reorder(s.ops, events) {
		case explained:
			return Verdict{By: byOrders}
		case outOfBudget:
			return unknown("%s: no order found within %d steps", j.Name(), j.budget)
		}
	}
	switch {
	case f == unexplained:
		return j.refute(h, s, events[:at+1], m)
	case f == explained && m == unexplained:
		return unknown("%s: the monitor finds no order and the frontier does (records up to %d)",
			j.Name(), s.ops[w.op].retAt)
	case f == explained:
		return Verdict{By: byFrontier}
	case m == explained:
		return Verdict{By: byMonitor}
	case m == unexplained:
		return j.monitored(h, s, w)
	case f != declined && j.use&usePorcupine != 0 && len(events) <= 2*maxConfirmOps:
		if ok, decided := confirm(j.model, s.export(events), min(j.budget, confirmBudget)); decided {
			return j.reference(h, s, events, ok)
		}
	}
	switch f {
	case outOfBudget:
		return unknown("%s: no order found within %d steps", j.Name(), j.budget)
	case tooManyAtOnce:
		return unknown("%s: more than %d operations overlap", j.Name(), maxOverlap)
	}
	return unknown("%s: the monitor declines", j.Name())
}

// refute reports that the frontier finds no order of events, the last of which
// shows it, if porcupine agrees. The monitor has declined or agrees.
func (j *linearizable[S]) refute(h machine.History, s *search[S], events []event, monitored result) Verdict {
	ok, decided := false, true
	if j.use&usePorcupine != 0 {
		exported := s.export(events)
		if decided = len(exported) <= maxConfirmOps; decided {
			ok, decided = confirm(j.model, exported, confirmBudget)
		}
	}
	n := events[len(events)-1].op
	if ok {
		return unknown("%s: our checker finds no order and porcupine does (records up to %d)",
			j.Name(), s.ops[n].retAt)
	}
	v := found(j.explain(h, s, n, decided))
	v.By = byFrontier
	if monitored == unexplained {
		v.By = byMonitor
	}
	return v
}

// reference is the verdict of porcupine, which names no return. The violation
// shows at the last one.
func (j *linearizable[S]) reference(h machine.History, s *search[S], events []event, ok bool) Verdict {
	if ok {
		return Verdict{By: byPorcupine}
	}
	last := events[0].op
	for _, e := range events {
		if e.isReturn {
			last = e.op
		}
	}
	op := &s.ops[last]
	v := found(Violation{
		Judge: j.Name(), Rule: ruleLinearizable, Object: op.object, At: max(op.retAt, op.callAt),
		Message: fmt.Sprintf("no order of the operations up to where %s got %s explains their answers",
			who(h[op.callAt]), j.spec.DescribeOp(op.call, op.ret)),
	})
	v.By = byPorcupine
	return v
}

// monitored is the violation that the monitor found.
func (j *linearizable[S]) monitored(h machine.History, s *search[S], w wrong) Verdict {
	op := &s.ops[w.op]
	v := found(Violation{
		Judge: j.Name(), Rule: ruleLinearizable, Object: op.object, At: op.retAt,
		Message: fmt.Sprintf("%s got %s, %s"+unconfirmed, who(h[op.retAt]), j.spec.DescribeOp(op.call, op.ret), w.reason),
	})
	v.By = byMonitor
	return v
}

// unconfirmed ends the message of a violation that porcupine did not confirm.
const unconfirmed = " (too long for porcupine to confirm)"

// explain words the violation that shows when operation n returns.
func (j *linearizable[S]) explain(h machine.History, s *search[S], n int, confirmed bool) Violation {
	op := &s.ops[n]
	message := fmt.Sprintf("%s got %s, which no order of the operations explains: the %s could only be %s",
		who(h[op.retAt]), j.spec.DescribeOp(op.call, op.ret), j.spec.Name, s.frontier.describe())
	if !confirmed {
		message += unconfirmed
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
