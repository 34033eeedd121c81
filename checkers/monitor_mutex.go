package checkers

import (
	"fmt"

	"github.com/fusedos/stramash/model/spec"
)

// mutexMonitor decides about mutexes; see byReturn for how.
type mutexMonitor struct {
	initial spec.MutexState
	weak    bool // a try-lock may fail without cause

	ops     []operation
	waiting byReturn // acquisitions that have not taken effect
	state   spec.MutexState
	leaving int // the holder's unlock in progress, or -1
	held    int // when the lock was last known to be held
}

func (m *mutexMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.waiting = ops, m.waiting[:0]
	m.state, m.leaving, m.held = m.initial, -1, -1
	for _, e := range events {
		if !e.isReturn {
			m.begin(e.op)
		} else if reason := m.end(e.op); reason != "" {
			return unexplained, wrong{e.op, reason}
		}
	}
	return explained, wrong{}
}

func (m *mutexMonitor) begin(n int) {
	op := &m.ops[n]
	op.done = false
	switch {
	case op.call.Op == spec.MutexUnlock:
		// Its own operations have all taken effect, so who does not hold the
		// lock now never can.
		if m.state.Held && m.state.Holder == op.call.Client {
			m.leaving = n
		}
	case op.ret.OK || op.retAt < 0:
		m.waiting.push(m.ops, n)
	}
}

// end makes operation n, which returns, take effect, or says why it can't.
func (m *mutexMonitor) end(n int) (reason string) {
	op := &m.ops[n]
	if m.state.Held {
		m.held = op.retAt
	}
	switch {
	case op.done:
	case op.call.Op == spec.MutexUnlock:
		if m.leaving != n {
			return "but it did not hold the mutex"
		}
		m.free()
	case op.ret.OK:
		if m.state.Held && m.leaving < 0 {
			return fmt.Sprintf("but client %d held the mutex", m.state.Holder)
		}
		m.free()
		m.take(n, op.retAt)
	case !m.weak && m.held < op.callAt:
		if n = m.waiting.first(m.ops); n < 0 {
			return "but nobody could hold the mutex meanwhile"
		}
		m.take(n, op.retAt)
	}
	return ""
}

// free makes the unlock in progress take effect, if there is one.
func (m *mutexMonitor) free() {
	if m.leaving >= 0 {
		m.ops[m.leaving].done = true
		m.leaving, m.state = -1, spec.MutexState{}
	}
}

// take makes acquisition n take effect.
func (m *mutexMonitor) take(n, now int) {
	op := &m.ops[n]
	op.done = true
	m.state, m.held = spec.MutexState{Held: true, Holder: op.call.Client}, now
}
