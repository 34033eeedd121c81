package checkers

import "github.com/fusedos/stramash/model/spec"

// setMonitor decides about one value of a set; see byReturn for how.
type setMonitor struct {
	ops []operation
	// Insertions and removals that change the set and have not taken effect.
	// In each array, 1 stands for what concerns the value's presence, 0 for
	// its absence.
	changes [2]byReturn
	state   int
	last    [2]int // when the value was last known to be absent, and present
}

func (m *setMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.state, m.last = ops, 0, [2]int{-1, -1}
	m.changes[0], m.changes[1] = m.changes[0][:0], m.changes[1][:0]
	for i, e := range events {
		switch op := &ops[e.op]; {
		case op.call.Arg != ops[events[0].op].call.Arg:
			return declined, wrong{} // it is more than one value
		case !e.isReturn:
			op.done = false
			if to, changes := setEffect(op); changes {
				m.changes[to].push(ops, e.op)
			}
		case !m.end(&events[i]):
			reason := "but the value was not in the set"
			if m.state == 1 {
				reason = "but the value was in the set"
			}
			return unexplained, wrong{e.op, reason}
		}
	}
	return explained, wrong{}
}

// setEffect says whether an operation may change the set, and whether the
// value is in it when it has taken effect (1) or not (0).
func setEffect(op *operation) (after int, changes bool) {
	open := op.retAt < 0
	switch op.call.Op {
	case spec.SetInsert:
		return 1, op.ret.OK || open
	case spec.SetRemove:
		return 0, op.ret.OK || open
	}
	if op.ret.OK {
		return 1, false
	}
	return 0, false
}

// end makes the operation that returns take effect, and reports whether it can.
func (m *setMonitor) end(e *event) bool {
	op := &m.ops[e.op]
	m.last[m.state] = op.retAt
	to, changes := setEffect(op)
	if !changes {
		return m.last[to] > op.callAt || m.change(to, op.retAt)
	}
	if op.done {
		return true
	}
	if m.state == to && !m.change(1-to, op.retAt) {
		return false
	}
	op.done = true
	m.state, m.last[to] = to, op.retAt
	return true
}

// change makes another operation turn the state into to, if one can.
func (m *setMonitor) change(to, now int) bool {
	n := m.changes[to].first(m.ops)
	if n < 0 {
		return false
	}
	m.ops[n].done = true
	m.state, m.last[to] = to, now
	return true
}
