package checkers

import (
	"fmt"

	"github.com/fusedos/stramash/model/spec"
)

// rwlockMonitor decides about reader-writer locks; see byReturn for how. It
// declines upgrades and downgrades.
type rwlockMonitor struct {
	ops     []operation
	readers byReturn // acquisitions that have not taken effect
	writers byReturn

	written bool
	writer  int // the client that writes
	leaving int // the writer's unlock in progress, or -1

	clients table[int]
	holds   []reading // of each client
	reads   int       // how many holds for reading there are
	parting int       // how many of them have an unlock in progress
	cleared int       // when all those unlocks last took effect

	wasWritten int // when the lock was last known to be written
	wasHeld    int // when it was last known to be held at all
}

// reading is how often a client held the lock for reading at a time.
type reading struct{ n, since int }

func (m *rwlockMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.readers, m.writers = ops, m.readers[:0], m.writers[:0]
	m.written, m.leaving = false, -1
	m.clients.reset()
	m.holds, m.reads, m.parting, m.cleared = m.holds[:0], 0, 0, -1
	m.wasWritten, m.wasHeld = -1, -1
	for _, e := range events {
		switch {
		case ops[e.op].call.Op >= spec.RWLockUpgrade:
			return declined, wrong{}
		case !e.isReturn:
			m.begin(e.op)
			continue
		}
		switch reason, sure := m.end(e.op); {
		case !sure:
			return declined, wrong{}
		case reason != "":
			return unexplained, wrong{e.op, reason}
		}
	}
	return explained, wrong{}
}

// held is how often the client of an operation holds the lock for reading.
func (m *rwlockMonitor) held(op *operation) *int {
	n, fresh := m.clients.find(op.call.Client)
	if fresh {
		m.holds = append(m.holds, reading{})
	}
	h := &m.holds[n]
	if h.since < m.cleared {
		*h = reading{since: m.cleared}
	}
	return &h.n
}

// begin takes a call into account. The client's own operations have all taken
// effect, so if it does not hold now what it gives up, it never can.
func (m *rwlockMonitor) begin(n int) {
	op := &m.ops[n]
	op.done = false
	switch op.call.Op {
	case spec.RWLockUnlock:
		if m.written && m.writer == op.call.Client {
			m.leaving = n
		}
	case spec.RWLockRUnlock:
		if op.stray = *m.held(op) == 0; !op.stray {
			m.parting++
		}
	case spec.RWLockRLock, spec.RWLockTryRLock:
		if op.ret.OK || op.retAt < 0 {
			m.readers.push(m.ops, n)
		}
	default:
		if op.ret.OK || op.retAt < 0 {
			m.writers.push(m.ops, n)
		}
	}
}

// end makes operation n, which returns, take effect, or says why it can't. It
// is not sure where operations that never return could explain a failure in
// different ways.
func (m *rwlockMonitor) end(n int) (reason string, sure bool) {
	op := &m.ops[n]
	m.look(op.retAt)
	switch op.call.Op {
	case spec.RWLockUnlock:
		return m.endUnlock(n), true
	case spec.RWLockRUnlock:
		return m.endRUnlock(op), true
	case spec.RWLockTryRLock:
		if !op.ret.OK {
			return m.failRead(op), true
		}
	case spec.RWLockTryLock:
		if !op.ret.OK {
			return m.failWrite(op)
		}
	}
	if op.done {
		return "", true
	}
	return m.take(n, op.retAt), true
}

// look notes how the lock is held.
func (m *rwlockMonitor) look(now int) {
	if m.written {
		m.wasWritten = now
	}
	if m.written || m.reads > 0 {
		m.wasHeld = now
	}
}

func (m *rwlockMonitor) endUnlock(n int) (reason string) {
	switch {
	case m.ops[n].done:
	case m.leaving != n:
		return "but it did not write"
	default:
		m.freeWriter()
	}
	return ""
}

func (m *rwlockMonitor) endRUnlock(op *operation) (reason string) {
	switch {
	case op.stray:
		return "but it did not read"
	case m.cleared < op.callAt:
		*m.held(op)--
		m.reads--
		m.parting--
	}
	return ""
}

// freeWriter makes the writer's unlock in progress take effect.
func (m *rwlockMonitor) freeWriter() {
	m.ops[m.leaving].done = true
	m.leaving, m.written = -1, false
}

// freeReaders makes the unlocks in progress of all readers take effect.
func (m *rwlockMonitor) freeReaders(now int) {
	m.reads, m.parting, m.cleared = 0, 0, now
}

// take makes acquisition n take effect, after what must go before it.
func (m *rwlockMonitor) take(n, now int) (reason string) {
	op := &m.ops[n]
	reads := op.call.Op == spec.RWLockRLock || op.call.Op == spec.RWLockTryRLock
	if m.written && m.leaving < 0 {
		return fmt.Sprintf("but client %d wrote", m.writer)
	}
	if m.written {
		m.freeWriter()
	}
	if m.reads > 0 && !reads {
		if m.parting < m.reads {
			return fmt.Sprintf("but the lock was held for reading %d times", m.reads-m.parting)
		}
		m.freeReaders(now)
	}
	op.done = true
	if reads {
		*m.held(op)++
		m.reads++
	} else {
		m.written, m.writer = true, op.call.Client
	}
	m.look(now)
	return ""
}

// failRead explains why an attempt to read failed.
func (m *rwlockMonitor) failRead(op *operation) (reason string) {
	if m.wasWritten > op.callAt {
		return ""
	}
	if n := m.writers.first(m.ops); n >= 0 {
		return m.take(n, op.retAt)
	}
	return "but nobody could write meanwhile"
}

// failWrite explains why an attempt to write failed.
func (m *rwlockMonitor) failWrite(op *operation) (reason string, sure bool) {
	if m.wasHeld > op.callAt {
		return "", true
	}
	r, w := m.readers.first(m.ops), m.writers.first(m.ops)
	n := r
	switch {
	case r < 0 && w < 0:
		return "but nobody could hold the lock meanwhile", true
	case r < 0:
		n = w
	case w >= 0 && m.ops[r].end() == noEnd && m.ops[w].end() == noEnd:
		// A reader lets other readers in, a writer explains failures to read.
		return "", false
	case w >= 0 && m.ops[w].end() < m.ops[r].end():
		n = w
	}
	return m.take(n, op.retAt), true
}
