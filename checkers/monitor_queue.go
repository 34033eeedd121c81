package checkers

import (
	"fmt"

	"github.com/fusedos/stramash/model/spec"
)

// queueMonitor decides about first-in, first-out queues in which every value is
// enqueued once; it declines others. Such events are linearizable unless they
// hold one of four patterns: a value is dequeued that nobody enqueued before; or
// twice; or one value overtakes another; or a dequeue finds the queue empty that
// never can have been (T. Henzinger, A. Sezgin and V. Vafeiadis, "Aspect-oriented
// linearizability proofs", CONCUR 2013).
//
// A dequeue that never returned may have taken a value that nobody else did. It
// must have where that value would have been overtaken otherwise; the monitor
// gives each such value one of these dequeues. It declines where that leaves a
// dequeue that found the queue empty unexplained, as giving them out in another
// way might explain it.
type queueMonitor struct {
	ops    []operation
	events []event
	values table[uint64]
	cells  []queued
	twice  int   // a dequeue of a value that another one dequeued, or -1
	open   []int // dequeues that never returned, in the order of their calls
	urgent []due // values that those must have taken, the last due first
}

// queued is what happened to a value; operations are -1 where there is none.
type queued struct{ enqueue, dequeue int }

// due says when a value must have been dequeued: by the call of its dequeue
// before operation by, which dequeued one that was enqueued later, returned.
type due struct{ cell, by int }

func (m *queueMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.events, m.twice = ops, events, -1
	m.values.reset()
	m.cells, m.open, m.urgent = m.cells[:0], m.open[:0], m.urgent[:0]
	for _, e := range events {
		if !e.isReturn && !m.read(e.op) {
			return declined, wrong{}
		}
	}
	if m.twice >= 0 {
		return unexplained, wrong{m.twice, "but the value was dequeued twice"}
	}
	for v := range m.cells {
		if w := m.fresh(v); w.reason != "" {
			return unexplained, w
		}
	}
	if w := m.order(); w.reason != "" {
		return unexplained, w
	}
	if w := m.assign(); w.reason != "" {
		return unexplained, w
	}
	if w := m.empty(); w.reason != "" {
		if len(m.open) > 0 {
			return declined, wrong{}
		}
		return unexplained, w
	}
	return explained, wrong{}
}

// read takes a call into account, and reports whether all values are enqueued
// once so far.
func (m *queueMonitor) read(n int) bool {
	op := &m.ops[n]
	switch {
	case op.call.Op == spec.QueueEnqueue:
		op.slot = m.cell(op.call.Arg)
		c := &m.cells[op.slot]
		if c.enqueue >= 0 {
			return false
		}
		c.enqueue = n
	case op.retAt < 0:
		m.open = append(m.open, n)
	case op.ret.OK:
		op.slot = m.cell(op.ret.Val)
		c := &m.cells[op.slot]
		if c.dequeue >= 0 {
			m.twice = later(m.ops, n, c.dequeue)
		}
		c.dequeue = n
	}
	return true
}

func (m *queueMonitor) cell(value uint64) int {
	n, fresh := m.values.find(value)
	if fresh {
		m.cells = append(m.cells, queued{-1, -1})
	}
	return n
}

// fresh finds a value that was dequeued before it was enqueued.
func (m *queueMonitor) fresh(v int) wrong {
	c := m.cells[v]
	switch {
	case c.dequeue < 0:
	case c.enqueue < 0:
		return wrong{c.dequeue, "but nobody enqueued it"}
	case m.ops[c.dequeue].retAt < m.ops[c.enqueue].callAt:
		return wrong{c.dequeue, "but it was not enqueued yet"}
	}
	return wrong{}
}

// order finds a value that another one overtook, and fills m.urgent. It reads
// the events backwards, with the first to return of the dequeues of all values
// whose enqueue was called later.
func (m *queueMonitor) order() (w wrong) {
	by := -1
	for i := len(m.events) - 1; i >= 0; i-- {
		e := m.events[i]
		if m.ops[e.op].call.Op != spec.QueueEnqueue {
			continue
		}
		v := m.ops[e.op].slot
		d := m.cells[v].dequeue
		switch {
		case !e.isReturn:
			if d >= 0 && (by < 0 || m.ops[d].retAt < m.ops[by].retAt) {
				by = d
			}
		case by < 0:
		case d < 0:
			m.urgent = append(m.urgent, due{v, by})
		case m.ops[d].callAt > m.ops[by].retAt:
			w = m.overtaken(due{v, by})
		}
	}
	return w
}

func (m *queueMonitor) overtaken(d due) wrong {
	return wrong{d.by, fmt.Sprintf("but %d was enqueued before it and not dequeued yet", m.values.keys[d.cell])}
}

// assign gives the urgent values dequeues that never returned, the first due
// the first called.
func (m *queueMonitor) assign() wrong {
	for i := range m.urgent {
		d := m.urgent[len(m.urgent)-1-i]
		if i >= len(m.open) || m.ops[m.open[i]].callAt > m.ops[d.by].retAt {
			return m.overtaken(d)
		}
		m.cells[d.cell].dequeue = m.open[i]
	}
	return wrong{}
}

// empty finds a dequeue that found the queue empty although it never can have
// been: at every moment there was a value whose enqueue had returned and whose
// dequeue had not been called.
func (m *queueMonitor) empty() wrong {
	full := -1  // there is such a value up to here
	clear := -1 // when there last was none
	for _, e := range m.events {
		op := &m.ops[e.op]
		now := op.callAt
		if e.isReturn {
			now = op.retAt
		}
		if full < now {
			clear = now
		}
		switch {
		case !e.isReturn:
		case op.call.Op == spec.QueueEnqueue:
			until := noEnd
			if d := m.cells[op.slot].dequeue; d >= 0 {
				until = m.ops[d].callAt
			}
			full = max(full, until)
		case !op.ret.OK && clear <= op.callAt:
			return wrong{e.op, "but at every moment of the call there was a value in the queue"}
		}
	}
	return wrong{}
}
