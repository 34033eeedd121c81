package checkers

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/spec"
)

// stackMonitor decides about stacks on which every value is pushed once; it
// declines others. A value was on the stack for sure from the return of its push
// to the call of its pop. It can have been the lowest of all if its push and its
// pop each have a moment at which no other value was there for sure. If so, the
// others decide: the events are linearizable if they are so without it. If none
// of some values can have been the lowest, they are not (K. Lee and U. Mathur,
// "Efficient decision procedures for linearizability", arXiv 2410.04581, 2024).
// A pop that found the stack empty needs a moment at which no value was there for
// sure; then what is around that moment can move away from it, so that is enough.
//
// A pop that never returned is taken not to have happened. If the events are not
// linearizable then, the monitor declines, as it may have taken a value.
type stackMonitor struct {
	ops    []operation
	values table[uint64]
	cells  []stacked
	counts []int32 // of each place behind an event: how many values are there for sure
	cover  cover
	twice  int   // a pop of a value that another one popped, or -1
	ready  []int // values that can have been the lowest and are not removed yet
	open   bool  // a pop never returned
}

// stacked is what happened to a value. Operations are -1 where there is none.
type stacked struct {
	push, pop         int
	pushFrom, pushTo  int  // places of the call and the return, the latter behind all if there is none
	popFrom, popTo    int  // the same
	needPush, needPop bool // the operation still needs a moment
}

func (m *stackMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.open, m.twice = ops, false, -1
	m.values.reset()
	m.cells = m.cells[:0]
	for at, e := range events {
		if !m.read(e, at, len(events)) {
			return declined, wrong{}
		}
	}
	if m.twice >= 0 {
		return unexplained, wrong{m.twice, "but the value was popped twice"}
	}
	for v := range m.cells {
		if w := m.fresh(v); w.reason != "" {
			return unexplained, w
		}
	}
	w := m.place(events)
	if w.reason == "" {
		w = m.peel()
	}
	switch {
	case w.reason == "":
		return explained, wrong{}
	case m.open:
		return declined, wrong{}
	}
	return unexplained, w
}

// read takes the event at a place into account, and reports whether all values
// are pushed once so far.
func (m *stackMonitor) read(e event, at, end int) bool {
	op := &m.ops[e.op]
	switch push := op.call.Op == spec.StackPush; {
	case push && e.isReturn:
		m.cells[op.slot].pushTo = at
	case push:
		op.slot = m.cell(op.call.Arg)
		c := &m.cells[op.slot]
		if c.push >= 0 {
			return false
		}
		c.push, c.pushFrom, c.pushTo = e.op, at, end
	case op.retAt < 0:
		m.open = true
	case !op.ret.OK:
		if !e.isReturn {
			op.slot = at
		}
	case e.isReturn:
		m.cells[op.slot].popTo = at
	default:
		op.slot = m.cell(op.ret.Val)
		c := &m.cells[op.slot]
		if c.pop >= 0 {
			m.twice = later(m.ops, e.op, c.pop)
		}
		c.pop, c.popFrom = e.op, at
	}
	return true
}

func (m *stackMonitor) cell(value uint64) int {
	n, fresh := m.values.find(value)
	if fresh {
		m.cells = append(m.cells, stacked{push: -1, pop: -1})
	}
	return n
}

// fresh finds a value that was popped before it was pushed.
func (m *stackMonitor) fresh(v int) wrong {
	c := &m.cells[v]
	switch {
	case c.pop < 0:
	case c.push < 0:
		return wrong{c.pop, "but nobody pushed it"}
	case c.popTo < c.pushFrom:
		return wrong{c.pop, "but it was not pushed yet"}
	}
	return wrong{}
}

// sure is where a value is on the stack for sure, from a place to before
// another one.
func (c *stacked) sure(end int) (from, to int) {
	if c.pop < 0 {
		return c.pushTo, end
	}
	return c.pushTo, max(c.pushTo, c.popFrom)
}

// place counts the values that are on the stack for sure, and finds a pop that
// found the stack empty although there always was one.
func (m *stackMonitor) place(events []event) wrong {
	m.counts = resized(m.counts, len(events)+1)
	clear(m.counts)
	for v := range m.cells {
		from, to := m.cells[v].sure(len(events))
		m.counts[from]++
		m.counts[to]--
	}
	var n int32
	empty := -1
	for at, e := range events {
		if op := &m.ops[e.op]; e.isReturn && op.call.Op == spec.StackPop && !op.ret.OK && empty < op.slot {
			return wrong{e.op, "but at every moment of the call there was a value on the stack"}
		}
		n += m.counts[at]
		if m.counts[at] = n; n == 0 {
			empty = at
		}
	}
	m.counts = m.counts[:len(events)]
	return wrong{}
}

// peel removes values that can have been the lowest until none is left.
func (m *stackMonitor) peel() wrong {
	end := len(m.counts)
	m.cover.reset(m.counts)
	m.ready = m.ready[:0]
	left := 0
	for v := range m.cells {
		c := &m.cells[v]
		if c.needPop = c.pop >= 0; c.needPop {
			m.cover.put(2*v+1, c.popFrom, c.popTo)
		} else if m.ops[c.push].retAt < 0 {
			continue // nobody knows that it took effect
		}
		c.needPush = true
		m.cover.put(2*v, c.pushFrom, c.pushTo)
		left++
	}
	m.cover.uncovered(m.meet)
	for i := 0; i < len(m.ready); i++ {
		left--
		if from, to := m.cells[m.ready[i]].sure(end); from < to {
			m.cover.add(from, to, -1)
			m.cover.uncovered(m.meet)
		}
	}
	if left > 0 {
		return m.stuck()
	}
	return wrong{}
}

// meet notes that an operation has a moment in which it can be that of the
// lowest value: item 2v is the push of value v, 2v+1 its pop.
func (m *stackMonitor) meet(item int) {
	v := item / 2
	c := &m.cells[v]
	switch {
	case item%2 == 0 && c.needPush:
		c.needPush = false
	case item%2 == 1 && c.needPop:
		c.needPop = false
	default:
		return
	}
	if !c.needPush && !c.needPop {
		m.ready = append(m.ready, v)
	}
}

// stuck words that none of the values left can have been the lowest. One of them
// at least was popped, or the first to be pushed could have been. It shows at the
// first of the pops that have no moment for that, or else at the first pop.
func (m *stackMonitor) stuck() wrong {
	shows, count := -1, 0
	var names []string
	for v := range m.cells {
		c := &m.cells[v]
		if !c.needPush && !c.needPop {
			continue
		}
		if c.pop >= 0 && (shows < 0 || m.sooner(c, &m.cells[shows])) {
			shows = v
		}
		if count++; len(names) < maxShownStates {
			names = append(names, fmt.Sprint(m.values.keys[v]))
		}
	}
	text := strings.Join(names, ", ")
	if count > len(names) {
		text += fmt.Sprintf(" and %d more", count-len(names))
	}
	return wrong{m.cells[shows].pop, fmt.Sprintf("but of the values %s none can have been the lowest on the stack: "+
		"another one was there whenever it was pushed or popped", text)}
}

// sooner reports whether a violation shows at the pop of a rather than of b.
func (m *stackMonitor) sooner(a, b *stacked) bool {
	if a.needPop != b.needPop {
		return a.needPop
	}
	return a.popTo < b.popTo
}
