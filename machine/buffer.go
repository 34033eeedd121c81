package machine

import "github.com/fusedos/stramash/machine/order"

// op is what the buffer is about to do: its oldest store takes effect, unless the
// chooser says otherwise.
func (b *buffer) op() Op {
	op := b.stores[0].op.op()
	op.Kind = OpDrain
	return op
}

// RulesOf are the rules by which a CPU's accesses are ordered, under a weak memory order.
func (m *Machine) RulesOf(cpu int) order.Rules {
	if m.order == nil {
		return order.X86
	}
	return m.order.system.Rules(cpu)
}

// HasBuffer says whether a CPU may hold stores back.
func (m *Machine) HasBuffer(cpu int) bool { return m.order != nil && m.order.buffers[cpu] != nil }

// refresh puts the buffer among those that can move.
func (w *weak) refresh(b *buffer) {
	w.m.set(b.bit, w.ready(b) != 0, false)
}

// ready are the stores of a buffer that can take effect now.
func (w *weak) ready(b *buffer) (ready Set) {
	f := w.m.fabric
	for i := range b.stores {
		if w.system.Ready(b.cpu.id, i) && (f == nil || f.has(b.cpu, b.stores[i].at, true)) {
			ready |= Only(i)
		}
	}
	return ready
}

// drain is a step of a store buffer.
func (m *Machine) drain(b *buffer) {
	x := b.ctx
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
	ready := m.order.ready(b)
	i := ready.First()
	if m.order.free() {
		i = m.chooseOf(x, b.cpu, Drain, ready)
	}
	m.order.takesEffect(b, i)
}

// meets accounts that x has to do with the buffer: with what it holds back, or with
// that it holds nothing back.
func (b *buffer) meets(x *context) {
	x.hash = mix(x.hash, b.hash)
	b.hash = x.hash
}

// meets is buffer.meets, if it makes a difference to the operation.
func (w *weak) meets(t *Thread, op Op) {
	if b := w.buffers[t.cpu.id]; b != nil && concerns(op) {
		b.meets(t.ctx)
	}
}

// concerns says whether it makes a difference to an operation what its CPU's buffer
// holds back, but for stores to the word that a load reads.
func concerns(op Op) bool {
	switch op.Kind {
	case OpWalk, OpMark:
		return false
	case OpFence:
		return drains(Fence(op.Addr))
	case OpLoad, OpAwait, OpTimeout:
		return op.Order == Acquire
	}
	return op.Kind.Reads() || op.Kind.Writes() || op.Kind == OpDevice
}

// drains says whether a fence waits for stores to take effect.
func drains(f Fence) bool { return f == FullFence || f == StoreFence || f == SyncFence }

// ready is announce for an operation that may have to wait for the CPU's buffer.
func (t *Thread) ready(op announced) {
	if o := t.m.order; o != nil && t.m.phase != settingUp && t.m.phase != unwinding {
		if at := o.place(t, op.op()); o.mustWait(t.cpu, op.op(), at) {
			t.restForBuffer(op, at)
			return
		}
	}
	t.announce(op)
}

// place is where an operation accesses memory, if that is known before it does.
func (w *weak) place(t *Thread, op Op) (at access) {
	if b := w.buffers[t.cpu.id]; b != nil && len(b.stores) > 0 && op.Kind != OpFence && op.Kind != OpDevice && t.cpu.translate == nil &&
		(t.cpu.mmu == nil || !t.cpu.mmu.covers(op.Addr)) {
		at = w.m.mem.at(PA(op.Addr), op.Size)
	}
	return at
}

// restForBuffer announces op, which can only be executed when the CPU's buffer has
// drained as far as it must.
func (t *Thread) restForBuffer(op announced, at access) {
	w := &t.ctx.stall
	w.t, w.at, w.blocked, w.fetches = t, append(w.at[:0], at), op.op(), false
	t.rest(w, op.op())
}

// stallLate has an operation that was announced, and could have been executed, wait
// for what a handler has held back or posted since.
func (t *Thread) stallLate(op announced) {
	k := op.kind()
	waits := k == OpFence || k == OpDevice || (k.Reads() || k.Writes()) && k != OpAwait && k != OpWalk && k != OpMark
	if t.wait != nil || !waits || t.m.phase == unwinding {
		return
	}
	at := access{}
	if o := t.m.order; o != nil {
		at = o.place(t, op.op())
	}
	if !t.mustWait(op.op(), at) {
		return
	}
	x := t.ctx
	x.stall.t, x.stall.at, x.stall.blocked, x.stall.fetches = t, append(x.stall.at[:0], at), op.op(), false
	x.late, t.wait = true, &x.stall
	t.m.alert++
	t.m.watch()
}

// mustWait says whether an operation has to wait for its CPU's buffer to drain.
func (w *weak) mustWait(c *cpu, op Op, at access) bool {
	held := w.system.Held(c.id)
	switch {
	case len(held) == 0:
		return false
	case op.Kind == OpFence:
		return drains(Fence(op.Addr))
	case op.Kind == OpDevice:
		return true
	case op.Kind == OpStore:
		return len(held) == maxHeld
	}
	a := order.Access{Word: -1}
	if at.loc != nil {
		a.Word = at.loc.word - 1
	}
	orderAs(&a, op)
	return w.system.MustWait(c.id, &a, at.mask(), op.Kind != OpLoad && op.Kind != OpAwait)
}

// takesEffect has the i-th store of a buffer take effect.
func (w *weak) takesEffect(b *buffer, i int) {
	m, x, s := w.m, b.ctx, b.stores[i]
	b.stores = append(b.stores[:i], b.stores[i+1:]...)
	op := s.op
	op.code = op.code&^0xff | uint64(OpDrain)
	old := m.stored(b.cpu, s.at)
	b.meets(x)
	w.chain(x, op, s.value)
	msg := w.system.Append(b.cpu.id, i)
	m.keep(b.cpu, s.at, s.value)
	w.refresh(b)
	b.cpu.refresh() // its thread may have waited for this
	if b.cpu.mmu != nil {
		b.cpu.mmu.refresh()
	}
	m.hashWrite(x, op, s.at.loc, s.value)
	if m.timing != nil {
		m.timing.access(b.cpu, s.at.pa, true)
	}
	if old != s.value {
		m.calm = m.steps + m.calmSteps()
	}
	if m.alert != 0 {
		m.wrote(b.cpu, s.at, old != s.value)
		m.passGranule(x, b.cpu, s.at)
	}
	if m.tracer != nil && m.phase != unwinding {
		m.event = Event{
			Step: m.steps, CPU: b.cpu.id, Thread: s.thread, Client: x.num, Index: max(x.index, 1) - 1, Name: x.name, OK: true,
			Op: op.op(), PA: s.at.pa, Read: old, Wrote: s.value, Write: msg.ID,
		}
		m.tracer(&m.event)
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
func (t *Thread) Read() Dep { return t.ctx.said.read }

// Address says that the address of the thread's next access depends on d.
func (t *Thread) Address(d Dep) { t.ctx.said.addr = max(t.ctx.said.addr, d) }

// Data says that the value that the thread's next access writes depends on d. It
// matters to loads that read it from the store buffer.
func (t *Thread) Data(d Dep) { t.ctx.said.data = max(t.ctx.said.data, d) }

// Branch says that what follows is executed because of a value that depends on d.
// It matters to loads behind an InstFence.
func (t *Thread) Branch(d Dep) {
	if o := t.m.order; o != nil {
		o.system.Branch(t.cpu.id, order.TS(d))
	}
}
