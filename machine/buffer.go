package machine

import "github.com/fusedos/stramash/machine/order"

// op is what the buffer is about to do: its oldest store takes effect, unless the
// chooser says otherwise.
func (b *buffer) op() Op {
	op := b.stores[0].op.op()
	op.Kind = OpDrain
	return op
}

// refresh puts the buffer among those that can move.
func (w *weak) refresh(b *buffer) { w.m.set(b.bit, len(b.stores) > 0, false) }

// drain is a step of a store buffer.
func (m *Machine) drain(b *buffer) {
	x := b.ctx
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
	ready := Set(0)
	for i := range b.stores {
		if m.order.system.Ready(b.cpu.id, i) {
			ready |= Only(i)
		}
	}
	i := ready.First()
	if m.order.free() {
		i = m.chooseOf(x, b.cpu, Drain, ready)
	}
	m.order.takesEffect(x, b, i)
}

// drainFor has those stores take effect that are wanted, with those that must
// before them. It is part of an operation of t, that waits for it: what else could
// have happened meanwhile can happen before the operation as well.
func (w *weak) drainFor(t *Thread, b *buffer, wanted func(*order.Store) bool) {
	for {
		i := w.next(b.cpu.id, wanted)
		if i < 0 {
			return
		}
		w.takesEffect(t.ctx, b, i)
	}
}

// next is the first store that can take effect of those that must for a wanted one
// to do so; -1 if none is wanted.
func (w *weak) next(cpu int, wanted func(*order.Store) bool) int {
	held := w.system.Held(cpu)
	for i := range held {
		if !wanted(&held[i]) {
			continue
		}
		for j := range i { // the first in its way
			if held[i].Release || held[j].Word == held[i].Word {
				return j
			}
		}
		return i
	}
	return -1
}

// takesEffect has the i-th store of a buffer take effect, in a step of x.
func (w *weak) takesEffect(x *context, b *buffer, i int) {
	m, s := w.m, b.stores[i]
	b.stores = append(b.stores[:i], b.stores[i+1:]...)
	op := s.op
	op.code = op.code&^0xff | uint64(OpDrain)
	old := m.stored(b.cpu, s.at)
	x.hash = mix(x.hash, s.hash)
	w.chain(x, op, s.value)
	msg := w.system.Append(b.cpu.id, i)
	m.keep(b.cpu, s.at, s.value)
	w.refresh(b)
	m.hashWrite(x, op, s.at.loc, s.value)
	if old != s.value {
		m.calm = m.steps + m.calmSteps()
	}
	if m.alert != 0 {
		m.wrote(b.cpu, s.at, old != s.value)
		m.passGranule(x, b.cpu, s.at)
	}
	if m.cost != nil {
		m.cost.Access(b.cpu.id, op.op(), s.at.pa)
	}
	if m.tracer != nil && m.phase != unwinding {
		m.event = Event{
			Step: m.steps, CPU: b.cpu.id, Thread: s.thread, Client: x.num, Index: max(x.index, 1) - 1, Name: x.name, OK: true,
			Op: op.op(), PA: s.at.pa, Read: old, Wrote: s.value, Write: msg.ID,
		}
		m.tracer(&m.event)
	}
}

// settle drains all buffers, when the last thread has ended.
func (w *weak) settle(x *context) {
	m := w.m
	for {
		left := m.enabled & w.bits
		if left == 0 {
			return
		}
		pick := left.First()
		if left.Rest() != 0 && w.free() {
			q := &m.choice
			q.Kind, q.Options, q.Plain, q.Current = Move, left, uint8(pick), -1
			pick = m.put(x)
		}
		m.drain(m.agents[pick].buffer)
	}
}

// Dep is what a value depends on: the reads that it was computed from. Zero is
// nothing. Under an order that makes no use of it every Dep is zero.
//
// Go code has no registers in which the machine could see dependencies; where an
// AArch64 program relies on one (an address that was read and is then followed, a
// branch before an ISB), its Go form says so. Dependencies into stores need not be
// said: no store takes effect before an earlier load.
type Dep uint32

// Join is what depends on both.
func (d Dep) Join(e Dep) Dep { return max(d, e) }

// Read is what the value of the thread's last load, Await, or update depends on.
func (t *Thread) Read() Dep {
	if o := t.m.order; o != nil {
		return Dep(o.read)
	}
	return 0
}

// Address says that the address of the thread's next access depends on d.
func (t *Thread) Address(d Dep) { t.ctx.addr = max(t.ctx.addr, d) }

// Data says that the value that the thread's next access writes depends on d. It
// matters to loads that read it from the store buffer.
func (t *Thread) Data(d Dep) { t.ctx.data = max(t.ctx.data, d) }

// Branch says that what follows is executed because of a value that depends on d.
// It matters to loads behind an InstFence.
func (t *Thread) Branch(d Dep) {
	if o := t.m.order; o != nil {
		o.system.Branch(t.cpu.id, order.TS(d))
	}
}
