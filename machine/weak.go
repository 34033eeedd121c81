package machine

import "github.com/fusedos/stramash/machine/order"

// weak is a memory order that is not sequentially consistent: package
// machine/order, with its freedom put as questions to the chooser. In the fair
// phase there is none: loads read the newest write, and stores take effect at once.
type weak struct {
	m        *Machine
	system   *order.System
	buffers  []*buffer // of each CPU; nil if it holds nothing back
	bits     Set       // of their agents
	appended uint64    // hash of the writes that took effect, in their order
	writes   uint32    // stores so far

	// Of the last access, for its event.
	write, from uint32
	stale       int
	held        bool
	silent      bool // it answers nothing
}

// buffer is the store buffer of a CPU, an agent that drains it.
type buffer struct {
	cpu    *cpu
	bit    Set
	ctx    *context
	stores []heldStore // beside those of order.System.Held
	hash   uint64      // of what was done to it
}

type heldStore struct {
	op     announced
	at     access
	value  uint64
	thread Handle
}

// maxHeld is how many stores a buffer holds. The next one waits.
const maxHeld = 32

// maxReadable is how many writes a load may choose from: what a Set can hold.
const maxReadable = 64

func newWeak(m *Machine, o MemoryOrder) *weak {
	w := &weak{m: m}
	var rules []order.Rules
	for _, c := range m.cpus {
		r := c.isa.Rules
		if o == TSO {
			r = order.X86
		}
		rules = append(rules, r)
		var b *buffer
		if r == order.Arm {
			b = &buffer{cpu: c}
		}
		w.buffers = append(w.buffers, b)
	}
	w.system = order.New(rules...)
	return w
}

// begin starts a new run, when the CPUs are the machine's only agents.
func (w *weak) begin() {
	m := w.m
	w.system.Reset()
	w.bits, w.appended, w.writes = 0, 0, 0
	w.write, w.from, w.stale, w.held, w.silent = 0, 0, 0, false, false
	for i, b := range w.buffers {
		if b == nil {
			continue
		}
		p := bufferPaths[i]
		b.ctx, b.stores, b.hash = m.newContext(p.path, p.name, nil), b.stores[:0], 0
		b.bit = m.addAgent(agent{name: BufferAgent(i), cpu: b.cpu, buffer: b})
		w.bits |= b.bit
	}
}

// free says whether the order asks questions.
func (w *weak) free() bool { return w.m.phase == adversarial }

// wordOf is the number of the word of an access.
func (w *weak) wordOf(a access) int32 {
	if a.loc.word == 0 {
		whole := access{a.val, a.loc, a.pa &^ 7, Size64}
		a.loc.word = w.system.AddWord(w.m.stored(nil, whole)) + 1
	}
	return a.loc.word - 1
}

// part is what a message has of an access.
func (a access) part(v uint64) uint64 { return v >> (a.pa % 8 * 8) & a.size.mask() }

// describe is an access as package order knows it.
func (w *weak) describe(t *Thread, op Op, at access) order.Access {
	a := order.Access{Word: w.wordOf(at), NoReturn: t.ctx.said.silent, Addr: order.TS(t.ctx.said.addr), Data: order.TS(t.ctx.said.data)}
	orderAs(&a, op)
	return a
}

// orderAs has an access be ordered as an operation.
func orderAs(a *order.Access, op Op) {
	a.Acquire = op.Order == Acquire || op.Order == AcqRel
	a.AcquirePC = op.Order == AcquirePC
	a.Release = op.Order == Release || op.Order == AcqRel
	a.Exclusive = op.Kind == OpLoadEx || op.Kind == OpStoreEx
}

// dependsNoMore ends an access: nothing has been said about the next one yet.
func (t *Thread) dependsNoMore() { t.ctx.said = said{read: t.ctx.said.read} }

// load is what a load reads.
func (w *weak) load(t *Thread, op announced, at access) uint64 {
	a := w.describe(t, op.op(), at)
	if held := w.system.HeldTo(t.cpu.id, a.Word); held != nil {
		return w.forward(t, &a, at, held)
	}
	k := 0
	if n := w.system.Readable(t.cpu.id, &a); n > 1 && w.free() {
		k = w.m.choose(t.ctx, t.cpu, Read, min(n, maxReadable))
	}
	return w.take(t, &a, at, k)
}

// take reads the k-th newest write.
func (w *weak) take(t *Thread, a *order.Access, at access, k int) uint64 {
	msg, dep := w.system.Load(t.cpu.id, a, k)
	w.from, w.stale, w.silent = msg.ID, k, a.NoReturn
	t.ctx.said.read = Dep(dep)
	if k > 0 {
		t.ctx.hash = mix(t.ctx.hash, uint64(k))
	}
	t.dependsNoMore()
	return at.part(msg.Value)
}

// forward reads the CPU's own store that is held back.
func (w *weak) forward(t *Thread, a *order.Access, at access, s *order.Store) uint64 {
	v := at.part(s.Value)
	w.from, w.stale, w.silent = s.ID, 0, a.NoReturn
	t.ctx.said.read = Dep(w.system.Forward(t.cpu.id, a, s))
	t.ctx.hash = mix(t.ctx.hash, forwarded)
	t.dependsNoMore()
	return v
}

// forwarded stands in the hash of a context for a read of its CPU's own store; other
// reads have their distance to the newest write there.
const forwarded = ^uint64(0)

// mask is the bits of its word that an access has.
func (a access) mask() uint64 { return a.size.mask() << (a.pa % 8 * 8) }

// store executes a store. It answers whether it took effect at once.
func (w *weak) store(t *Thread, op announced, at access, v uint64) (now bool) {
	a := w.describe(t, op.op(), at)
	w.writes++
	w.write = w.writes
	s := order.Store{ID: w.write, Word: a.Word, Mask: at.mask(), Value: v << (at.pa % 8 * 8), Release: a.Release}
	c, b := t.cpu.id, w.buffers[t.cpu.id]
	if b == nil {
		w.chain(t.ctx, op, v)
		w.system.Write(c, &s, &a)
		w.m.keep(t.cpu, at, v)
		t.dependsNoMore()
		return true
	}
	w.system.Store(c, s, a.Addr, a.Data)
	t.dependsNoMore()
	last := len(b.stores)
	f := w.m.fabric
	if w.system.Ready(c, last) && (f == nil || f.has(t.cpu, at, true)) && (!w.free() || w.m.choose(t.ctx, t.cpu, Hold, 2) == 0) {
		w.chain(t.ctx, op, v)
		w.system.Append(c, last)
		w.m.keep(t.cpu, at, v)
		return true
	}
	t.account(op.op())
	w.m.hash = mix(w.m.hash, v)
	b.hash = t.ctx.hash
	b.stores = append(b.stores, heldStore{op, at, v, t.handle})
	w.held = true
	if f != nil {
		f.ask(t.cpu, f.line(at.pa), true)
	}
	w.refresh(b)
	if b.cpu.mmu != nil {
		b.cpu.mmu.refresh()
	}
	return false
}

// chain accounts that a write takes effect: all of them are in one order, on which
// depends what can be read.
func (w *weak) chain(x *context, op announced, v uint64) {
	x.hash = mix(x.hash, w.appended)
	w.appended = mix(x.hash, op.hash()^v)
}

// readToUpdate is what an update reads. One that compares, and then fails, may
// read any write that a load may.
func (w *weak) readToUpdate(t *Thread, op announced, at access, cmp uint64) uint64 {
	a := w.describe(t, op.op(), at)
	k, c := 0, t.cpu.id
	if op.kind() == OpCAS {
		w.system.LockedLoad(c)
		options := Only(0)
		for i := range min(w.system.Readable(c, &a), maxReadable) {
			if at.part(w.system.Newest(a.Word, i).Value) != cmp&at.size.mask() {
				options |= Only(i)
			}
		}
		if w.free() {
			k = w.m.chooseOf(t.ctx, t.cpu, Read, options)
		}
	}
	was := t.ctx.said
	v := w.take(t, &a, at, k)
	was.read = t.ctx.said.read
	t.ctx.said = was // of what it may write, too
	return v
}

// update writes at once, after readToUpdate or the load of the reservation.
func (w *weak) update(t *Thread, op announced, at access, v uint64) {
	a := w.describe(t, op.op(), at)
	w.writes++
	w.write = w.writes
	s := order.Store{ID: w.write, Word: a.Word, Mask: at.mask(), Value: v << (at.pa % 8 * 8), Release: a.Release}
	w.chain(t.ctx, op, v)
	switch op.kind() {
	case OpStoreEx:
		w.system.Write(t.cpu.id, &s, &a)
	default:
		w.system.Update(t.cpu.id, &s, &a, order.TS(t.ctx.said.read), op.kind() != OpSwap && op.kind() != OpCAS)
	}
	w.m.keep(t.cpu, at, v)
	t.dependsNoMore()
}

// mark writes for a table walker: no CPU has made the write, and none is ordered by it.
func (w *weak) mark(t *Thread, op announced, at access, v uint64) {
	w.writes++
	w.write = w.writes
	w.chain(t.ctx, op, v)
	w.system.WriteBeside(&order.Store{ID: w.write, Word: w.wordOf(at), Mask: at.mask(), Value: v << (at.pa % 8 * 8)})
	w.m.keep(t.cpu, at, v)
}

// fence executes a fence.
func (w *weak) fence(t *Thread, f Fence) {
	c := t.cpu.id
	switch f {
	case FullFence, SyncFence:
		w.system.FullFence(c)
	case LoadFence:
		w.system.LoadFence(c)
	case InstFence:
		w.system.InstFence(c)
	}
}

// synchronise accounts that t enters or leaves a handler, which no later load
// goes ahead of if it depends on a branch.
func (t *Thread) synchronise() {
	if o := t.m.order; o != nil {
		o.system.InstFence(t.cpu.id)
	}
}
