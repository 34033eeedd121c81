package checkers

import (
	"math/bits"
	"slices"

	"github.com/fusedos/stramash/model/spec"
)

// semaphoreMonitor decides about semaphores. As the monitors that byReturn
// describes it makes operations take effect at the last moment, and of several
// the one that returns first. Where an attempt has yet to fail, though, there is
// a choice whenever a unit is added: to have all units taken before that, so that
// it could fail, or not. So there is a set of orders in hand.
//
// It declines if more than 64 operations overlap, or too many orders differ.
type semaphoreMonitor struct {
	initial uint64

	ops    []operation
	slots  [maxOverlap]int // the operation in each slot
	used   uint64
	takers uint64 // acquisitions
	givers uint64 // releases
	tries  uint64 // attempts that fail
	orders []configuration[uint64]
	next   []configuration[uint64]
}

// maxOrders is how many orders the monitor has in hand.
const maxOrders = 256

func (m *semaphoreMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.used, m.takers, m.givers, m.tries = ops, 0, 0, 0, 0
	m.orders = append(m.orders[:0], configuration[uint64]{state: m.initial})
	for _, e := range events {
		switch {
		case !e.isReturn && m.used == ^uint64(0):
			return declined, wrong{}
		case !e.isReturn:
			m.begin(e.op)
			continue
		}
		m.end(&ops[e.op])
		switch {
		case len(m.orders) > maxOrders:
			return declined, wrong{}
		case len(m.orders) > 0:
		case ops[e.op].ret.OK:
			return unexplained, wrong{e.op, "but there can't have been a unit left"}
		default:
			return unexplained, wrong{e.op, "but there was a unit all the while"}
		}
	}
	return explained, wrong{}
}

func (m *semaphoreMonitor) begin(n int) {
	op := &m.ops[n]
	op.slot = bits.TrailingZeros64(^m.used)
	m.slots[op.slot] = n
	bit := uint64(1) << op.slot
	m.used |= bit
	switch {
	case op.call.Op == spec.SemaphoreV:
		m.givers |= bit
	case op.ret.OK || op.retAt < 0:
		m.takers |= bit
	default:
		m.tries |= bit
	}
}

// end makes the operation that returns take effect in every order.
func (m *semaphoreMonitor) end(op *operation) {
	bit := uint64(1) << op.slot
	m.next = m.next[:0]
	for _, c := range m.orders {
		c = m.fail(c)
		switch {
		case c.done&bit != 0:
			m.keep(c, bit)
		case m.givers&bit != 0:
			if drained, ok := m.drain(c); ok && m.tries&^c.done != 0 {
				drained.state++
				m.keep(drained, bit)
			}
			c.state++
			m.keep(c, bit)
		case m.tries&bit != 0:
			if c, ok := m.drain(c); ok {
				m.keep(c, bit)
			}
		case c.state > 0:
			c.state--
			m.keep(m.fail(c), bit)
		default:
			if giver := m.first(m.givers &^ c.done); giver != 0 {
				c.done |= giver
				m.keep(c, bit)
			}
		}
	}
	m.orders, m.next = m.next, m.orders
	m.used &^= bit
	m.takers &^= bit
	m.givers &^= bit
	m.tries &^= bit
}

// fail makes all attempts that fail take effect if there is no unit.
func (m *semaphoreMonitor) fail(c configuration[uint64]) configuration[uint64] {
	if c.state == 0 {
		c.done |= m.tries
	}
	return c
}

// drain makes acquisitions in progress take all units.
func (m *semaphoreMonitor) drain(c configuration[uint64]) (configuration[uint64], bool) {
	for ; c.state > 0; c.state-- {
		taker := m.first(m.takers &^ c.done)
		if taker == 0 {
			return c, false
		}
		c.done |= taker
	}
	return m.fail(c), true
}

// first is the one of some slots whose operation returns first, or zero.
func (m *semaphoreMonitor) first(among uint64) (bit uint64) {
	end := 0
	for rest := among; rest != 0; rest &= rest - 1 {
		slot := bits.TrailingZeros64(rest)
		if this := m.ops[m.slots[slot]].end(); bit == 0 || this < end {
			bit, end = 1<<slot, this
		}
	}
	return bit
}

// keep adds an order, in which the operation of a slot is over.
func (m *semaphoreMonitor) keep(c configuration[uint64], bit uint64) {
	c.done &^= bit
	if !slices.Contains(m.next, c) {
		m.next = append(m.next, c)
	}
}
