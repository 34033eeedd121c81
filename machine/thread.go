package machine

import "fmt"

// Handle names a thread in simulated memory. Zero names none.
type Handle uint64

// Thread is a thread of execution on the simulated machine: what kernel code
// knows as current. All that a program does to the machine, it does through
// these methods; each access to memory is a scheduling point, at which other
// CPUs may move and interrupts may land. A Thread is used by its own body
// only, and during the run only.
type Thread struct {
	m      *Machine
	cpu    *cpu  // where it runs; nil while it is switched out
	port   *port // its way to memory
	wentAt int64 // when it last left a CPU, in a timed run
	ctx    *context
	co     coroutine

	body     func(*Thread)
	handle   Handle
	daemon   bool // an idle context: the run does not wait for it
	done     bool
	masked   bool // interrupts are disabled
	wait     *waiting
	asleep   Cond // what it waits for while it does not run
	sleeping bool

	// For recognising a spin: the last load, and how often it was the same.
	spinLoc PA // of its word; anywhere if the last access was none
	spinVal uint64
	spins   int
	resting bool
	restOn  PA // the word whose change ends the rest

	exclusive bool // a LoadExclusive has no StoreExclusive yet
	present   bool // the last translation that failed found the page, which must not be written
	unwound   int  // operations that were refused because the run is over
}

func (m *Machine) newThread() *Thread {
	t := &Thread{m: m}
	t.co.dead = true
	m.threads = append(m.threads, t)
	t.handle = Handle(len(m.threads))
	return t
}

// addThread takes a thread of the pool for a body.
func (m *Machine) addThread(x *context, body func(*Thread)) *Thread {
	i := len(m.cpus) + m.used
	if i == len(m.threads) {
		m.newThread()
	}
	t := m.threads[i]
	m.used++
	m.live++
	t.start(nil, x, body)
	return t
}

// start makes the thread ready for a new life.
func (t *Thread) start(c *cpu, x *context, body func(*Thread)) {
	t.cpu, t.ctx, t.body = c, x, body
	if c != nil {
		t.port = &c.port
	}
	t.done, t.masked, t.wait, t.sleeping = false, false, nil, false
	t.resting, t.spins, t.spinLoc = false, 0, anywhere
	t.exclusive, t.unwound, t.wentAt = false, 0, 0
}

// exit ends the thread's life: its CPU becomes idle.
func (t *Thread) exit() {
	m := t.m
	if m.phase == unwinding {
		return
	}
	x, c := t.ctx, t.cpu
	m.flush(x, m.steps)
	t.done, t.cpu = true, nil
	if t.daemon {
		m.over(Panicked, fmt.Sprintf("the idle context of CPU %d returned: an idle body must loop for ever", c.id), nil)
		return
	}
	m.live--
	if m.live == 0 {
		if m.order != nil || m.tlbs != 0 || m.fabric != nil {
			m.settle(x)
		}
		if f := m.fabric; f != nil {
			if why := f.unsettled(); why != "" {
				m.over(Incoherent, why, nil)
				return
			}
		}
		m.over(Finished, "", nil)
		return
	}
	c.install(c.idle)
	if c.idle.wait == nil {
		// As with SwitchTo, it goes on at once, up to its next operation.
		c.idle.follows(x)
		m.target = c.idle
		return
	}
	if m.phase == priming {
		if u := m.nextToPrime(); u != nil {
			m.target = u
			return
		}
		m.begin()
		x = m.setup
	}
	m.route(x)
}

// CPU is the number of the CPU that the thread runs on.
func (t *Thread) CPU() int { return t.cpu.id }

// Node is the number of the node that the thread runs on.
func (t *Thread) Node() int { return t.cpu.node }

// ISA is the instruction set of the CPU that the thread runs on. It changes
// when the thread migrates.
func (t *Thread) ISA() ISA { return t.cpu.isa }

// Machine is the machine that the thread runs on.
func (t *Thread) Machine() *Machine { return t.m }

// Handle is the thread's own handle.
func (t *Thread) Handle() Handle { return t.handle }

// access finds the location of an operation that was announced. A fault is
// handled, and the operation announced anew.
func (t *Thread) access(op announced) access {
	waited := false
	for {
		a, ok := t.locate(op.op())
		switch o, f := t.m.order, t.m.fabric; {
		case !ok:
			t.fault(op.op())
			t.ready(op)
		case o != nil && o.mustWait(t.cpu, op.op(), a): // not known before it was translated
			t.restForBuffer(op, a)
		case f != nil && !f.granted(t, op.op(), a, waited):
			t.restForLine(op, a)
			waited = true
		default:
			if o != nil {
				o.meets(t, op.op())
			}
			return a
		}
	}
}

// locate translates the address of an access and finds its location.
func (t *Thread) locate(op Op) (a access, ok bool) {
	if s := op.Size; s == 0 || s > Size64 || s&(s-1) != 0 {
		panic(fmt.Sprintf("%s of %d bytes at %s: use 1, 2, 4 or 8", op.Kind, s, t.m.NameAddr(op.Addr)))
	}
	if op.Addr&VA(op.Size-1) != 0 {
		panic(fmt.Sprintf("misaligned %s of %d bytes at %s", op.Kind, op.Size, t.m.NameAddr(op.Addr)))
	}
	a.pa, a.size, ok = PA(op.Addr), op.Size, true
	if tr := t.cpu.translate; tr != nil {
		x, was := t.ctx, t.ctx.said // of the access, and not of the translator's own
		x.said = said{}
		a.pa, ok = tr(t, op.Addr, op.Kind.Writes())
		x.said = was
		if ok && a.pa&PA(op.Size-1) != 0 {
			panic(fmt.Sprintf("the translator of CPU %d maps %#x to %#x, which is not aligned alike", t.cpu.id, uint64(op.Addr), uint64(a.pa)))
		}
	}
	if u := t.cpu.mmu; u != nil && u.covers(op.Addr) {
		a.pa, ok = t.throughTLB(op)
	}
	if ok && !(t.m.mem.closed && t.m.mem.forbids(t.cpu.node, a.pa)) {
		a.val, a.loc = t.m.mem.word(a.pa)
	}
	return a, a.loc != nil
}

// stored is what the storage holds: the newest write. Of a CPU it is what its cache
// holds, which must be the same.
func (m *Machine) stored(c *cpu, a access) uint64 {
	if f := m.fabric; f != nil && c != nil {
		f.read(c, a)
	}
	return a.read()
}

// keep has the storage hold v.
func (m *Machine) keep(c *cpu, a access, v uint64) {
	a.write(v)
	if f := m.fabric; f != nil {
		f.write(c, a)
	}
}

// hashRead accounts that t read v.
func (t *Thread) hashRead(op announced, w *location, v uint64) {
	m, x := t.m, t.ctx
	h := mix(x.hash^op.hash(), w.writer)
	x.hash = h
	w.reads += h
	m.hash = mix(m.hash^v, h)
}

// hashWrite accounts that x wrote v.
func (m *Machine) hashWrite(x *context, op announced, w *location, v uint64) {
	h := mix(x.hash^op.hash(), w.writer+w.reads*readsFactor)
	x.hash = h
	w.writer, w.reads = h, 0
	m.hash = mix(m.hash^v, h)
}

// readsFactor keeps the sum of reads apart from the hash of the write.
const readsFactor = 0x9e6c63d0676a9a99

// didRead accounts a load or a failed update: v was read, nothing changed.
func (t *Thread) didRead(op announced, a access, v uint64) {
	t.hashRead(op, a.loc, v)
	t.repeats(a.pa&^7, v)
	if h := t.m.timing; h != nil {
		h.access(t.cpu, a.pa, false)
	}
}

// didWrite accounts a store or an update: old was there, v was written.
func (t *Thread) didWrite(op announced, a access, old, v uint64) {
	m := t.m
	m.hashWrite(t.ctx, op, a.loc, v)
	if m.timing != nil {
		m.timing.access(t.cpu, a.pa, true)
	}
	t.changes(a, old, v)
}

// changes tells spinners, waits and monitors of a write by t.
func (t *Thread) changes(a access, old, v uint64) {
	m := t.m
	if old != v {
		m.calm = m.steps + m.calmSteps()
		t.spinLoc = anywhere
	} else {
		t.repeats(a.pa&^7, v)
	}
	if m.alert != 0 {
		m.wrote(t.cpu, a, old != v)
		m.passGranule(t.ctx, t.cpu, a)
	}
}

// Load reads s bytes at a, which must be aligned to s.
func (t *Thread) Load(a VA, s Size, o Order) uint64 {
	op := announced{uint64(OpLoad) | uint64(s)<<8 | uint64(o)<<16, a}
	if s == Size64 {
		return t.load64(op)
	}
	t.ready(op)
	return t.load(op)
}

// load64 is an 8-byte load. The ordinary one, when nothing is attached to the
// machine and the word is near the last one, has all calls resolved: it is the
// most frequent operation of all.
func (t *Thread) load64(op announced) uint64 {
	m := t.m
	if !m.bare {
		t.ready(op)
		return t.load(op)
	}
	t.announce(op)
	x := t.ctx
	if op.addr&7 != 0 || m.steps > m.calm {
		return t.load(op)
	}
	word, w := m.mem.near(PA(op.addr))
	if w == nil {
		return t.load(op)
	}
	v := *word
	h := mix(x.hash^op.hash(), w.writer) // as in hashRead
	x.hash = h
	w.reads += h
	m.hash = mix(m.hash^v, h)
	if t.spinLoc == PA(op.addr) && t.spinVal == v {
		t.lookForSpin(PA(op.addr))
	} else {
		t.spinLoc, t.spinVal, t.spins = PA(op.addr), v, 1
	}
	if m.timing != nil {
		m.timing.access(t.cpu, PA(op.addr), false)
	}
	if m.tracer != nil {
		t.trace(op.op(), PA(op.addr), v, 0, true)
	}
	return v
}

func (t *Thread) load(op announced) uint64 {
	at := t.access(op)
	v := uint64(0)
	if o := t.m.order; o != nil {
		v = o.load(t, op, at)
	} else {
		v = t.m.stored(t.cpu, at)
	}
	t.didRead(op, at, v)
	if t.m.tracer != nil {
		t.trace(op.op(), at.pa, v, 0, true)
	}
	return v
}

// Store writes the low s bytes of v at a, which must be aligned to s.
func (t *Thread) Store(a VA, s Size, v uint64, o Order) {
	op := announced{uint64(OpStore) | uint64(s)<<8 | uint64(o)<<16, a}
	if s == Size64 {
		t.store64(op, v)
		return
	}
	t.ready(op)
	t.store(op, v)
}

// store64 is an 8-byte store; see load64.
func (t *Thread) store64(op announced, v uint64) {
	m := t.m
	if !m.bare {
		t.ready(op)
		t.store(op, v)
		return
	}
	t.announce(op)
	x := t.ctx
	if op.addr&7 != 0 || m.alert != 0 {
		t.store(op, v)
		return
	}
	word, w := m.mem.near(PA(op.addr))
	if w == nil {
		t.store(op, v)
		return
	}
	old := *word
	if old == v {
		t.repeats(PA(op.addr), v)
	} else {
		m.calm = m.steps + m.calmSteps()
		t.spinLoc = anywhere
	}
	*word = v
	h := mix(x.hash^op.hash(), w.writer+w.reads*readsFactor) // as in hashWrite
	x.hash = h
	w.writer, w.reads = h, 0
	m.hash = mix(m.hash^v, h)
	if m.timing != nil {
		m.timing.access(t.cpu, PA(op.addr), true)
	}
	if m.tracer != nil {
		t.trace(op.op(), PA(op.addr), old, v, true)
	}
}

func (t *Thread) store(op announced, v uint64) {
	at := t.access(op)
	v &= at.size.mask()
	old, now := t.m.stored(t.cpu, at), true
	if o := t.m.order; o != nil {
		now = o.store(t, op, at, v)
	} else {
		t.m.keep(t.cpu, at, v)
	}
	if now {
		t.didWrite(op, at, old, v)
	}
	if t.m.tracer != nil {
		t.trace(op.op(), at.pa, old, v, now)
	}
}

// Fence orders the thread's accesses before it with those behind it.
func (t *Thread) Fence(f Fence) {
	op := Op{Kind: OpFence, Addr: VA(f)}
	if t.cpu != nil && t.cpu.awaitsTLBs(op) && t.m.phase != unwinding {
		t.restForBuffer(op.pack(), access{})
	} else {
		t.ready(op.pack())
	}
	if o := t.m.order; o != nil {
		o.meets(t, op)
		o.fence(t, f)
	}
	if f == SyncFence {
		t.sync()
	}
	t.local(op, true)
}

// account accounts an event that touches no memory.
func (t *Thread) account(op Op) {
	t.ctx.hash = mix(t.ctx.hash, op.pack().hash())
	t.m.hash = mix(t.m.hash, t.ctx.hash)
}

// local is account, and tells the tracer.
func (t *Thread) local(op Op, ok bool) {
	t.account(op)
	if h := t.m.timing; h != nil {
		h.compute(t.cpu, 1)
	}
	if t.m.tracer != nil {
		t.trace(op, 0, 0, 0, ok)
	}
}

// follows accounts that what t does next happens after the last event of x.
func (t *Thread) follows(x *context) {
	y := t.context()
	y.hash = mix(y.hash, x.hash)
}

// context is where t is. An idle context gets it when it is first needed.
func (t *Thread) context() *context {
	if t.ctx == nil {
		p := idlePaths[t.cpu.id]
		t.ctx = t.m.newContext(p.path, p.name, nil)
	}
	return t.ctx
}

// Choose asks what the program shall try next: 0 to n-1, at most 64 values.
// It stands for a parameter of the workload, of which 0 must be the simplest;
// name is for reports.
func (t *Thread) Choose(name string, n int) int {
	return t.m.chooseWorkload(t.ctx, t.cpu, name, n)
}
