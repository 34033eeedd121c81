package checkers

import (
	"math"

	"github.com/fusedos/stramash/model/spec"
)

// monitor decides whether the events of one object, or of one part of it, are
// linearizable, by what is known about objects of its kind: in time that grows
// little faster than the number of events, however many operations overlap.
// An operation that never returned may have taken effect or not.
//
// A monitor is exact or declines: it answers explained, unexplained or declined.
type monitor interface {
	// run decides about events. Every operation that returned has an answer
	// that its signature allows. If the events are unexplained, the wrong says
	// where that shows.
	run(ops []operation, events []event) (result, wrong)
}

// wrong is an operation that gives a violation away when it returns.
type wrong struct {
	op     int
	reason string // continues "client 1 got Dequeue() = 7, …"
}

// shortHistory is the number of events of a register up to which the frontier is
// faster than the monitor.
const shortHistory = 64

// newMonitor returns a monitor for specifications of a kind that start from
// initial, or nil if there is none.
func newMonitor(kind spec.Kind, initial any) monitor {
	switch kind {
	case spec.MutexKind, spec.WeakMutexKind:
		return &mutexMonitor{initial: initial.(spec.MutexState), weak: kind == spec.WeakMutexKind}
	case spec.SemaphoreKind:
		return &semaphoreMonitor{initial: initial.(uint64)}
	case spec.RegisterKind:
		return &registerMonitor{initial: initial.(uint64)}
	}
	switch {
	case kind == spec.RWLockKind && initial == spec.RWLockState{}:
		return &rwlockMonitor{}
	case initial != spec.List(""):
		return nil
	case kind == spec.SetKind:
		return &setMonitor{}
	case kind == spec.QueueKind:
		return &queueMonitor{}
	case kind == spec.StackKind:
		return &stackMonitor{}
	}
	return nil
}

// noEnd is the time of a return that there is none of.
const noEnd = math.MaxInt

// end is when the operation returned, or noEnd.
func (o *operation) end() int {
	if o.retAt < 0 {
		return noEnd
	}
	return o.retAt
}

// later is the one of two operations that returned later; a did return.
func later(ops []operation, a, b int) int {
	if ops[b].retAt > ops[a].retAt {
		return b
	}
	return a
}

// byReturn is a heap of operations that have not taken effect, the first to
// return on top.
//
// The monitors of locks, semaphores and sets decide as they read, with a single
// order in hand. In it an operation takes effect at the last moment: when it
// returns, or when one that returns needs its effect. Whatever could have
// happened before that can still happen then. Where several operations would
// do, it is the one that returns first: the others have the same effect, and
// can wait for longer. So no other order explains more than this one.
type byReturn []int

// push adds operation n, which has not taken effect.
func (b *byReturn) push(ops []operation, n int) {
	b.trim(ops)
	h := append(*b, n)
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if ops[h[up]].end() <= ops[h[i]].end() {
			break
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
	*b = h
}

// first answers the operation on top, or -1.
func (b *byReturn) first(ops []operation) int {
	b.trim(ops)
	if len(*b) == 0 {
		return -1
	}
	return (*b)[0]
}

// trim drops operations from the top that have taken effect.
func (b *byReturn) trim(ops []operation) {
	for len(*b) > 0 && ops[(*b)[0]].done {
		h := *b
		last := len(h) - 1
		h[0], h = h[last], h[:last]
		for i := 0; ; {
			least := i
			for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
				if ops[h[child]].end() < ops[h[least]].end() {
					least = child
				}
			}
			if least == i {
				break
			}
			h[least], h[i] = h[i], h[least]
			i = least
		}
		*b = h
	}
}
