package checkers

import (
	"fmt"
	"sort"

	"github.com/fusedos/stramash/model/spec"
)

// registerMonitor decides about registers in which every value is written once,
// and the initial one never again; it declines others. What reads a value and
// the write of it then stand side by side in every order, and so does a
// read-modify-write with the value that it found and the one that it left: a
// chain of values that read-modify-writes replaced by each other is one block.
// A block must precede another if an operation of it returned before one of the
// other was called. The events are linearizable if each block is ordered in
// itself, and no two must precede each other (P. Gibbons and E. Korach, "Testing
// shared memories", SIAM Journal on Computing 26(4), 1997, extended to blocks).
type registerMonitor struct {
	initial uint64

	ops    []operation
	values table[uint64]
	cells  []cell // of each value; the first is the initial one's
	blocks []block
	first  wrong // what was found first
	sorted []int // blocks in the order of their first returns
	latest []int // of the blocks up to each of sorted: the one with the last call
}

// cell is what happened to a value. Operations are -1 where there is none.
type cell struct {
	writer int // what wrote it
	source int // the cell of the value that its writer read, -1 if that does not matter
	next   int // the read-modify-write that read it
	first  int // the first read of it to return
	last   int // the last read of it to be called
	block  int // the block that it belongs to, -1 if there is none
}

// block is values that must follow each other directly.
type block struct {
	first, last int // the first operation to return and the last to be called, -1 if it is the initial write
	from, to    int // when these were
	value       uint64
}

// initially is the writer of the initial value.
const initially = -2

func (m *registerMonitor) run(ops []operation, events []event) (result, wrong) {
	m.ops, m.first = ops, wrong{}
	m.values.reset()
	m.cells, m.blocks = m.cells[:0], m.blocks[:0]
	m.cells[m.cell(m.initial)].writer = initially
	for _, e := range events {
		if !m.read(e) {
			return declined, wrong{}
		}
	}
	if m.first.reason == "" {
		m.link()
	}
	for v := 0; v < len(m.cells) && m.first.reason == ""; v++ {
		m.chain(v)
	}
	if m.first.reason == "" {
		m.order(events)
	}
	if m.first.reason != "" {
		return unexplained, m.first
	}
	return explained, wrong{}
}

// cell is the number of the cell of a value.
func (m *registerMonitor) cell(value uint64) int {
	n, fresh := m.values.find(value)
	if fresh {
		m.cells = append(m.cells, cell{-1, -1, -1, -1, -1, -1})
	}
	return n
}

// read takes an event into account, and reports whether all values are written
// once so far.
func (m *registerMonitor) read(e event) bool {
	op := &m.ops[e.op]
	if e.isReturn {
		if c := &m.cells[op.slot]; c.writer != e.op && c.first < 0 {
			c.first = e.op
		}
		return true
	}
	switch effectOn(op) {
	case contradiction:
		op.slot = 0
		m.wrong(e.op, "which contradicts itself")
	case plainRead:
		op.slot = m.cell(op.ret.Val)
		m.cells[op.slot].last = e.op
	case plainWrite:
		return m.write(e.op, op.call.Arg)
	case swap:
		return m.write(e.op, op.call.Arg) && m.found(e.op, op.ret.Val)
	case exchange:
		return m.write(e.op, op.call.Arg2) && m.found(e.op, op.call.Arg)
	}
	return true
}

// registerEffect is what an operation does to a register.
type registerEffect uint8

const (
	noEffect      registerEffect = iota // it never returned, and changes nothing
	plainRead                           // it reads what it answers
	plainWrite                          // it writes Arg; what it found does not matter
	swap                                // it reads what it answers and writes Arg, another value
	exchange                            // it reads Arg and writes Arg2, another value
	contradiction                       // its answer is wrong whatever the register held
)

func effectOn(op *operation) registerEffect {
	open, c := op.retAt < 0, op.call
	switch {
	case c.Op == spec.RegisterWrite, c.Op == spec.RegisterSwap && open:
		return plainWrite
	case c.Op == spec.RegisterSwap && c.Arg != op.ret.Val:
		return swap
	case c.Op != spec.RegisterCAS:
		if open {
			return noEffect
		}
		return plainRead
	case !open && op.ret.OK != (op.ret.Val == c.Arg):
		return contradiction
	case c.Arg != c.Arg2 && (op.ret.OK || open):
		return exchange
	case open:
		return noEffect
	}
	return plainRead
}

// write notes that operation n writes value, if it takes effect.
func (m *registerMonitor) write(n int, value uint64) bool {
	v := m.cell(value)
	if m.cells[v].writer != -1 {
		return false
	}
	m.cells[v].writer, m.ops[n].slot = n, v
	return true
}

// found notes that operation n, a write, finds value.
func (m *registerMonitor) found(n int, value uint64) bool {
	source := m.cell(value)
	m.cells[m.ops[n].slot].source = source
	if m.ops[n].retAt >= 0 { // else link decides whether it takes effect
		m.replace(source, n, n)
	}
	return true
}

// replace notes that operation n replaces the value of a cell, as operation by
// shows, which returned.
func (m *registerMonitor) replace(source, n, by int) {
	c := &m.cells[source]
	if c.next >= 0 {
		m.wrong(later(m.ops, by, c.next), fmt.Sprintf("but two operations found and replaced %d", m.values.keys[source]))
	}
	c.next = n
}

// wrong notes the first thing that is wrong.
func (m *registerMonitor) wrong(n int, reason string) {
	if m.first.reason == "" {
		m.first = wrong{n, reason}
	}
}

// link makes the read-modify-writes that never returned take effect that wrote
// what others found.
func (m *registerMonitor) link() {
	for v := range m.cells {
		by := m.user(v)
		for at := v; by >= 0; {
			c := &m.cells[at]
			if c.source < 0 || m.ops[c.writer].retAt >= 0 || m.cells[c.source].next == c.writer {
				break
			}
			m.replace(c.source, c.writer, by)
			at = c.source
		}
	}
}

// user is an operation that returned and found the value of a cell, or -1.
func (m *registerMonitor) user(v int) int {
	c := &m.cells[v]
	if c.first < 0 && c.next >= 0 && m.ops[c.next].retAt >= 0 {
		return c.next
	}
	return c.first
}

// chain makes a block of what begins with the value of a cell, unless that
// continues another one.
func (m *registerMonitor) chain(v int) {
	c := &m.cells[v]
	switch {
	case c.writer == -1, c.source >= 0:
		return // there is no write, or what it found comes first
	case c.writer >= 0 && m.ops[c.writer].retAt < 0 && c.first < 0 && c.next < 0:
		return // nobody knows that it took effect
	}
	b := block{first: -1, last: -1, from: -1, to: -1, value: m.values.keys[v]}
	if c.writer >= 0 {
		b = m.alone(c.writer)
	}
	for at := v; ; {
		c = &m.cells[at]
		c.block = len(m.blocks)
		if c.first >= 0 {
			m.follow(&b, c.first, c.last)
		}
		if c.next < 0 {
			break
		}
		m.follow(&b, c.next, c.next)
		at = m.ops[c.next].slot
	}
	m.blocks = append(m.blocks, b)
}

// alone is the block of one write.
func (m *registerMonitor) alone(n int) block {
	op := &m.ops[n]
	return block{first: n, last: n, from: op.end(), to: op.callAt, value: op.call.Arg}
}

// follow puts operations behind a block: first is the one of them that returns
// first, last the one that is called last.
func (m *registerMonitor) follow(b *block, first, last int) {
	end := m.ops[first].end()
	if end < b.to {
		m.misplaced(first, b.last)
	}
	if end < b.from {
		b.first, b.from = first, end
	}
	if m.ops[last].callAt > b.to {
		b.last, b.to = last, m.ops[last].callAt
	}
}

// misplaced words that operation n was called after operation early, which must
// follow it, returned.
func (m *registerMonitor) misplaced(early, n int) {
	switch op := &m.ops[n]; {
	case op.retAt < 0:
		m.wrong(early, "but what it found was written only later")
	case effectOn(op) == plainRead:
		m.wrong(n, "but the value was replaced before it was called")
	default:
		m.wrong(n, "but what it wrote was found before it was called")
	}
}

// order finds two blocks that must each precede the other.
func (m *registerMonitor) order(events []event) {
	m.sorted, m.latest = m.sorted[:0], m.latest[:0]
	m.add(m.cells[0].block)
	for _, e := range events {
		if !e.isReturn {
			continue
		}
		n := m.cells[m.ops[e.op].slot].block
		if n < 0 {
			m.wrong(e.op, "but what it found was never written")
			return
		}
		if m.blocks[n].first == e.op {
			m.add(n)
		}
	}
}

// add takes the block with the next first return into account. Blocks a and b
// must each precede the other if a.from < b.to and b.from < a.to.
func (m *registerMonitor) add(n int) {
	b, before := &m.blocks[n], len(m.sorted)
	if b.to < b.from { // else all blocks that are there begin before it ends
		before = sort.Search(before, func(i int) bool { return m.blocks[m.sorted[i]].from >= b.to })
	}
	if before > 0 {
		if a := &m.blocks[m.latest[before-1]]; a.to > b.from {
			m.conflict(a, b)
		}
	}
	top := n
	if k := len(m.latest); k > 0 && m.blocks[m.latest[k-1]].to > b.to {
		top = m.latest[k-1]
	}
	m.sorted, m.latest = append(m.sorted, n), append(m.latest, top)
}

func (m *registerMonitor) conflict(a, b *block) {
	n := later(m.ops, b.first, a.last)
	if b.last >= 0 {
		n = later(m.ops, n, b.last)
	}
	m.wrong(n, fmt.Sprintf("but of the values %d and %d each would have to replace the other", a.value, b.value))
}
