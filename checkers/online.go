package checkers

import (
	"math/bits"
	"slices"

	"github.com/fusedos/stramash/machine"
)

// Online is a judge that can watch a run, so that the run can end where it goes
// wrong.
type Online interface {
	Judge
	// Watch returns a session that has seen nothing.
	Watch() Session
}

// Session watches one run. It is for one goroutine.
type Session interface {
	// Record takes the next record of the run into account and answers the
	// violation if the records up to it hold one that those before it did not,
	// or nil. After a violation it has nothing more to say. It may miss a
	// violation where the judge's verdict would take too long, so a run that
	// went to its end is judged by Check still.
	Record(r machine.Record) *Violation
	// Reset forgets the run: the next record is the first of another one.
	Reset()
}

// Watch makes the judge [Online]. A session finds a violation by the frontier, at
// the exact return that no order of the operations explains, as far as their
// answers are known by then.
func (j *linearizable[S]) Watch() Session {
	w := &watching[S]{judge: j}
	w.Reset()
	return w
}

// watching is a session of linearizable.
type watching[S comparable] struct {
	judge *linearizable[S]
	operations
	history machine.History
	watches []*watch[S] // of each part, and behind them those that earlier runs needed
	budget  int         // calls of Spec.Step that are left
	over    bool        // there is nothing more to say
}

func (w *watching[S]) Reset() {
	w.forget()
	w.parts.reset()
	w.history, w.budget, w.over = w.history[:0], w.judge.budget, false
}

func (w *watching[S]) Record(r machine.Record) *Violation {
	if w.over {
		return nil
	}
	w.history = append(w.history, r)
	if !wanted(w.judge.objects, r.Object) {
		return nil
	}
	seen, found := len(w.events), explained
	if w.record(&r, len(w.history)-1) != "" {
		found = unexplained
	} else if len(w.events) > seen {
		found = w.follow(w.events[seen])
	}
	if found == explained {
		return nil
	}
	w.over = true
	if found != unexplained {
		return nil
	}
	return w.judge.Check(w.history).Violation
}

// follow takes an event into account.
func (w *watching[S]) follow(e event) result {
	if !e.isReturn {
		if r := w.assign(&w.ops[e.op]); r != explained {
			return r
		}
	}
	watch := w.watches[w.ops[e.op].part]
	watch.frontier.budget = w.budget
	r := watch.take(w.ops, e)
	w.budget = watch.frontier.budget
	return r
}

// assign finds the part that a call concerns.
func (w *watching[S]) assign(op *operation) result {
	s := &w.judge.spec
	if _, known := s.Signature(op.call.Op); !known {
		return unexplained
	}
	p := part{object: op.object}
	if s.Key != nil {
		key, ok := s.Key(op.call)
		if !ok {
			return declined // it concerns all parts
		}
		p.key = key
	}
	n, fresh := w.parts.find(p)
	if n == len(w.watches) {
		w.watches = append(w.watches, &watch[S]{frontier: frontier[S]{spec: *s}})
	}
	if fresh {
		w.watches[n].reset()
	}
	op.part = n
	return explained
}

// watch is a frontier that learns answers late. When an operation returns, what
// is known about the time since its call changes: so it goes back to the call
// and over the events since then once more.
type watch[S comparable] struct {
	frontier frontier[S]
	events   []event
	marks    []earlier[S] // of the operations in progress, in the order of their calls
}

// earlier is the frontier before an operation was called.
type earlier[S comparable] struct {
	op, at                int // the call stands at this place in the events
	slots                 [maxOverlap]int
	used, known, constant uint64
	configs               []configuration[S]
}

func (w *watch[S]) reset() {
	w.events = w.events[:0]
	w.frontier.width = narrow
	w.rewind()
}

// rewind goes back to the beginning.
func (w *watch[S]) rewind() {
	w.marks = w.marks[:0]
	w.frontier.start()
}

// take takes an event into account.
func (w *watch[S]) take(ops []operation, e event) result {
	w.frontier.ops = ops
	at := len(w.events)
	w.events = append(w.events, e)
	if e.isReturn {
		i := slices.IndexFunc(w.marks, func(m earlier[S]) bool { return m.op == e.op })
		at = w.restore(i)
	}
	for ; at < len(w.events); at++ {
		e := w.events[at]
		if !e.isReturn && ops[e.op].retAt < 0 {
			w.mark(e.op, at)
		}
		switch r := w.frontier.take(e); {
		case r == unexplained && w.frontier.cut:
			w.frontier.width *= widening
			w.rewind()
			at = -1
		case r != explained:
			return r
		}
	}
	return explained
}

// mark notes where the call of an operation stands. It reuses the memory of
// marks that are no more.
func (w *watch[S]) mark(op, at int) {
	n := len(w.marks)
	w.marks = slices.Grow(w.marks, 1)[:n+1]
	f, m := &w.frontier, &w.marks[n]
	m.op, m.at, m.used, m.known, m.constant = op, at, f.used, f.known, f.constant
	copy(m.slots[:], f.slots[:bits.Len64(f.used)])
	m.configs = append(m.configs[:0], f.configs...)
}

// restore goes back to before the call of mark i, whose place it answers.
func (w *watch[S]) restore(i int) (at int) {
	f, m := &w.frontier, &w.marks[i]
	f.used, f.known, f.constant = m.used, m.known, m.constant
	copy(f.slots[:], m.slots[:bits.Len64(m.used)])
	f.configs = append(f.configs[:0], m.configs...)
	w.marks = w.marks[:i]
	return m.at
}
