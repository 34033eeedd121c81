package machine

import "fmt"

// invalidation is one that a CPU has posted to another one's MMU, or its own.
type invalidation struct {
	va     VA // noPage for all
	by     *cpu
	thread Handle
	at     int64 // when it was posted, in a timed run
}

// maxPending is how many invalidations may wait at one MMU.
const maxPending = 1 << 16

// AllPages is the address of an operation that invalidates all pages.
const AllPages = noPage

// InvalidatePage has the TLB of the thread's CPU forget the page of an address. On
// x86-64 it is INVLPG, which is done when it returns, and serialises. On AArch64 it is
// TLBI VAE1, which is done when a SyncFence of the same CPU is, or earlier.
func (t *Thread) InvalidatePage(va VA) { t.invalidate(OpInvalidate, va) }

// InvalidateAll is InvalidatePage for all pages: MOV to CR3 of what is in it; TLBI
// VMALLE1.
func (t *Thread) InvalidateAll() { t.invalidate(OpInvalidate, AllPages) }

// BroadcastPage has the TLBs of all CPUs of the thread's node forget the page of an
// address: TLBI VAE1IS of AArch64. Each is done at a moment of its own; all are when a
// SyncFence of the same CPU is. It does not wait for the CPU's earlier stores, which a
// SyncFence before it does. Other nodes are no part of the domain, and x86-64 has no
// such instruction.
func (t *Thread) BroadcastPage(va VA) { t.invalidate(OpBroadcast, va) }

// BroadcastAll is BroadcastPage for all pages: TLBI VMALLE1IS.
func (t *Thread) BroadcastAll() { t.invalidate(OpBroadcast, AllPages) }

func (t *Thread) invalidate(k OpKind, va VA) {
	op := Op{Kind: k, Addr: va}
	t.announce(op.pack())
	m, c := t.m, t.cpu
	u := m.mustHaveMMU(c)
	switch {
	case k == OpInvalidate && !c.isa.TLBI:
		u.change(t.ctx)
		u.forget(va)
		t.serialise()
	case k == OpInvalidate:
		t.post(u, va)
	case !c.isa.TLBI:
		panic(fmt.Sprintf("broadcast of an invalidation on %s, which has none: send an interrupt", c.isa.Name))
	default:
		for _, d := range m.cpus {
			if d.node == c.node && d.mmu != nil {
				t.post(d.mmu, va)
			}
		}
	}
	t.local(op, true)
}

// forget takes a page out of the TLB. Walks in progress and awaits, which have made
// their translations before, begin anew.
func (u *mmu) forget(va VA) {
	u.drop(va)
	u.epoch++
	u.cpu.refresh()
}

// post leaves an invalidation for an MMU to do.
func (t *Thread) post(u *mmu, va VA) {
	if len(u.pending) == maxPending {
		t.m.abort(Panicked, "%d invalidations wait at CPU %d: a SyncFence awaits them", maxPending, u.cpu.id)
	}
	u.queue.changed(t.ctx)
	u.pending = append(u.pending, invalidation{va, t.cpu, t.handle, t.port.clock()})
	t.cpu.posted++
	u.refresh()
}

// addAgent makes the MMU an agent, which completes invalidations.
func (u *mmu) addAgent() {
	m, c := u.cpu.m, u.cpu
	p := tlbPaths[c.id]
	u.ctx = m.newContext(p.path, p.name, nil)
	u.bit = m.addAgent(agent{name: TLBAgent(c.id), cpu: c, mmu: u})
	m.tlbs |= u.bit
}

// refresh puts the MMU among the agents that can move. An invalidation is not done
// before the stores that went through the TLB have taken effect.
func (u *mmu) refresh() {
	if u.bit != 0 {
		u.cpu.m.set(u.bit, len(u.pending) > 0 && !u.holdsStore(), false)
	}
}

// holdsStore says whether the store buffer has a store whose address was translated.
func (u *mmu) holdsStore() bool {
	o := u.cpu.m.order
	if o == nil || o.buffers[u.cpu.id] == nil {
		return false
	}
	for _, s := range o.buffers[u.cpu.id].stores {
		if s.op.addr >= u.From && s.op.addr < u.To {
			return true
		}
	}
	return false
}

// op is what the MMU is about to do.
func (u *mmu) op() Op { return Op{Kind: OpInvalidated, Addr: u.pending[0].va} }

// complete is a step of an MMU: it does the oldest of the invalidations that wait.
func (m *Machine) complete(u *mmu) {
	x, op, p := u.ctx, u.op(), u.pending[0]
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
	u.pending = append(u.pending[:0], u.pending[1:]...)
	p.by.posted--
	u.queue.changed(x)
	u.change(x)
	if o := m.order; o != nil && o.buffers[u.cpu.id] != nil {
		o.buffers[u.cpu.id].meets(x)
	}
	x.hash = mix(x.hash, op.pack().hash())
	m.hash = mix(m.hash, x.hash)
	u.forget(p.va)
	u.refresh()
	p.by.refresh() // it may have waited for this
	if m.tracer != nil && m.phase != unwinding {
		m.event = Event{
			Step: m.steps, CPU: u.cpu.id, Thread: p.thread, Client: x.num, Index: max(x.index, 1) - 1, Name: x.name, OK: true, Op: op,
		}
		m.tracer(&m.event)
	}
}

// settle has store buffers and TLBs do what is left, when the last thread has ended.
func (m *Machine) settle(x *context) {
	last, free := m.tlbs, false
	if o := m.order; o != nil {
		last, free = last|o.bits, o.free()
	}
	if f := m.fabric; f != nil {
		last |= f.bits
		f.end()
	}
	for {
		left := m.enabled & last
		if left == 0 {
			return
		}
		pick := left.First()
		if left.Rest() != 0 && free {
			q := &m.choice
			q.Kind, q.Options, q.Plain, q.Current = Move, left, uint8(pick), -1
			pick = m.put(x)
		}
		m.acts(&m.agents[pick])
	}
}

// awaitsTLBs says whether an operation has to wait for invalidations of its CPU's.
func (c *cpu) awaitsTLBs(op Op) bool {
	return c.posted > 0 && op.Kind == OpFence && op.Addr == VA(SyncFence)
}

// mustWait says whether an operation that is blocked still has to wait.
func (t *Thread) mustWait(op Op, at access) bool {
	if o := t.m.order; o != nil && o.mustWait(t.cpu, op, at) {
		return true
	}
	return t.cpu.awaitsTLBs(op)
}

// sync accounts that the CPU's invalidations are done, behind a SyncFence.
func (t *Thread) sync() {
	if t.cpu.mmu == nil || !t.cpu.isa.TLBI {
		return
	}
	for _, d := range t.m.cpus {
		if d.node == t.cpu.node && d.mmu != nil {
			h := mix(t.ctx.hash^looked, d.mmu.queue.writer)
			t.ctx.hash = h
			d.mmu.queue.reads += h
		}
	}
}

// UsesTLB says whether an event has to do with what its CPU's TLB holds.
func (m *Machine) UsesTLB(e *Event) bool {
	u := m.cpus[e.CPU].mmu
	if u == nil {
		return false
	}
	switch k := e.Op.Kind; k {
	case OpWalk, OpMark, OpRoot, OpInvalidated, OpTranslate:
		return true
	case OpInvalidate:
		return !m.cpus[e.CPU].isa.TLBI
	default:
		return (k.Reads() || k.Writes() || k == OpTimeout) && k != OpDrain && e.Op.Addr >= u.From && e.Op.Addr < u.To
	}
}

// TLBsOf appends the CPUs to whose MMUs an event has posted invalidations, or for
// which it has waited, and the one that has done one.
func (m *Machine) TLBsOf(e *Event, cpus []int) []int {
	switch k := e.Op.Kind; {
	case k == OpInvalidated || k == OpInvalidate && m.cpus[e.CPU].isa.TLBI:
		return append(cpus, e.CPU)
	case k == OpBroadcast || k == OpFence && e.Op.Addr == VA(SyncFence) && m.cpus[e.CPU].isa.TLBI && m.cpus[e.CPU].mmu != nil:
		for _, d := range m.cpus {
			if d.node == m.cpus[e.CPU].node && d.mmu != nil {
				cpus = append(cpus, d.id)
			}
		}
	}
	return cpus
}
