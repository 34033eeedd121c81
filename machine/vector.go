package machine

import (
	"fmt"

	"github.com/fusedos/stramash/machine/order"
)

// Vector is the number under which a handler is registered.
type Vector uint8

// The vectors. Interrupts are those from FirstInterrupt up.
const (
	VectorFault    Vector = 0 // an access could not be translated, or there is no memory
	VectorSyscall  Vector = 1
	FirstInterrupt Vector = 32
	VectorTimer    Vector = 32
	VectorIPI      Vector = 33
	maxVectors            = 64
)

// Frame is what a handler is told, and what it answers.
type Frame struct {
	Vector Vector
	Addr   VA   // of a fault: where
	Write  bool // of a fault: whether it was a write
	// Present: of a fault: an MMU has found the page, but must not write to it.
	Present bool
	Nr      uint64    // of a system call
	Args    [6]uint64 // of a system call
	Ret     uint64    // what the system call answers
}

// Handler handles a vector. It runs on the thread that it interrupts, in a
// context of its own, and may switch to another thread; the interrupted thread
// goes on when it returns, and tries a faulting access again. Interrupts are
// disabled in the handler of an interrupt.
type Handler func(t *Thread, f *Frame)

// Translator maps a virtual address for one access. It may access memory
// through t, but not wait. It answers false for a fault.
type Translator func(t *Thread, va VA, write bool) (PA, bool)

// line is an interrupt line of a CPU.
type line struct {
	cpu    *cpu
	vector Vector
	slot   int
	bit    Set
	sent   bool     // by a CPU, and not delivered yet
	raised int      // by a device or the timer, and not delivered yet
	hash   uint64   // of what was sent and delivered
	cause  uint64   // the hash at the last delivery
	seen   order.TS // what had taken effect when it was sent
	due    int64    // in a timed run: when what was sent lands
	timer  int64    // and when what was raised does
}

func (l *line) pending() bool { return l.sent || l.raised > 0 }

// Handle registers a handler with a CPU, in the set-up. A vector from
// FirstInterrupt up gets an interrupt line.
func (m *Machine) Handle(cpu int, v Vector, h Handler) {
	m.mustBeSettingUp("Handle")
	m.mustBeCPU(cpu)
	c := m.cpus[cpu]
	if v >= maxVectors || c.handlers[v] != nil {
		panic(fmt.Sprintf("machine: Handle of vector %d on CPU %d: taken already, or not below %d", v, cpu, maxVectors))
	}
	c.handlers[v], c.handled = h, true
	if v < FirstInterrupt {
		return
	}
	l := &line{cpu: c, vector: v, slot: m.nagents}
	l.bit = m.addAgent(agent{name: LineAgent(cpu, v), cpu: c, line: l})
	c.lines = append(c.lines, l)
}

// addAgent gives an agent a slot of the questions who moves, in the set-up.
func (m *Machine) addAgent(a agent) Set {
	if m.nagents == MaxAgents {
		panic(fmt.Sprintf("machine: more than %d CPUs, store buffers, TLBs and interrupt lines, with the caches of a storage", MaxAgents))
	}
	m.agents[m.nagents] = a
	m.nagents++
	return Only(m.nagents - 1)
}

func (m *Machine) mustBeCPU(cpu int) {
	if cpu < 0 || cpu >= len(m.cpus) {
		panic(fmt.Sprintf("machine: CPU %d of %d", cpu, len(m.cpus)))
	}
}

// op is what the line does when it is chosen.
func (l *line) op() Op { return Op{Kind: OpDeliver, Addr: interruptAddr(l.cpu.id, l.vector)} }

func interruptAddr(cpu int, v Vector) VA { return VA(cpu)<<8 | VA(v) }

// HandleAll registers one handler with every CPU.
func (m *Machine) HandleAll(v Vector, h Handler) {
	for cpu := range m.cpus {
		m.Handle(cpu, v, h)
	}
}

// SetTranslator has f translate the CPU's accesses, in the set-up. Without
// one, virtual addresses are physical.
func (m *Machine) SetTranslator(cpu int, f Translator) {
	m.mustBeSettingUp("SetTranslator")
	m.mustBeCPU(cpu)
	if m.cpus[cpu].mmu != nil {
		panic(fmt.Sprintf("machine: SetTranslator of CPU %d: it has an MMU already", cpu))
	}
	m.cpus[cpu].translate = f
	m.translates = m.translates || f != nil
}

// Idle makes body the idle context of a CPU, in the set-up. It must loop for
// ever; the run does not wait for it.
func (m *Machine) Idle(cpu int, body func(*Thread)) {
	m.mustBeSettingUp("Idle")
	m.mustBeCPU(cpu)
	c := m.cpus[cpu]
	if c.idle.ctx != nil {
		panic(fmt.Sprintf("machine: Idle of CPU %d: it has an idle body already", cpu))
	}
	p := idlePaths[cpu]
	c.idle.start(c, m.newContext(p.path, p.name, nil), body)
}

// IdleHandle is the handle of a CPU's idle context.
func (m *Machine) IdleHandle(cpu int) Handle { return m.cpus[cpu].idle.handle }

// Raise has a device interrupt a CPU once, at any moment of the run or never.
// The vector must have a handler.
func (m *Machine) Raise(cpu int, v Vector) {
	m.mustBeSettingUp("Raise")
	l := m.lineOf(cpu, v)
	l.raised++
	l.timer = never
}

func (m *Machine) lineOf(cpu int, v Vector) *line {
	if cpu >= 0 && cpu < len(m.cpus) {
		for _, l := range m.cpus[cpu].lines {
			if l.vector == v {
				return l
			}
		}
	}
	panic(fmt.Sprintf("interrupt %d of CPU %d has no handler: register one with Machine.Handle", v, cpu))
}

// SendIPI raises an interrupt on a CPU, the sender's own included. One that is
// sent again before it has landed lands once.
func (t *Thread) SendIPI(cpu int, v Vector) {
	l := t.m.lineOf(cpu, v)
	op := Op{Kind: OpSend, Addr: interruptAddr(cpu, v)}
	t.announce(op.pack())
	if h := t.m.timing; h != nil {
		h.send(t.cpu, l.cpu)
	}
	t.raise(l, 0)
	t.local(op, true)
	l.hash = t.ctx.hash
}

// raise has a line interrupt its CPU; in a timed run, after some time.
func (t *Thread) raise(l *line, after int64) {
	if !l.sent {
		l.due = t.port.clock() + after
	}
	l.sent = true
	if o := t.m.order; o != nil {
		l.seen = o.system.Now
		t.ctx.hash = mix(t.ctx.hash, o.appended)
	}
	l.cpu.refresh()
	t.ctx.hash = mix(t.ctx.hash, l.hash)
}

// ArmTimer has the timer of the thread's CPU fire once, at some later moment.
// It is no operation: no other CPU moves before it.
func (t *Thread) ArmTimer() { t.ArmTimerIn(0) }

// ArmTimerIn is ArmTimer; in a timed run, the timer fires after so many cycles, up to
// 2^40. A timer that is armed already is armed anew.
func (t *Thread) ArmTimerIn(cycles uint64) {
	l := t.m.lineOf(t.cpu.id, VectorTimer)
	l.raised = max(l.raised, 1)
	l.timer = t.port.clock() + 1000*int64(min(cycles, maxCycles))
	l.cpu.refresh()
}

// DisableInterrupts masks the CPU's interrupts and answers whether they were
// enabled, for RestoreInterrupts. The state belongs to the thread: it goes
// with it when the CPU switches.
func (t *Thread) DisableInterrupts() (enabled bool) {
	enabled = !t.masked
	if enabled {
		t.aboutToMask()
	}
	t.maskInterrupts(true)
	return enabled
}

// EnableInterrupts unmasks the CPU's interrupts.
func (t *Thread) EnableInterrupts() { t.maskInterrupts(false) }

// RestoreInterrupts takes what DisableInterrupts answered.
func (t *Thread) RestoreInterrupts(enabled bool) {
	if !enabled && !t.masked {
		t.aboutToMask()
	}
	t.maskInterrupts(!enabled)
}

// aboutToMask is the last moment at which an interrupt lands.
func (t *Thread) aboutToMask() {
	if t.m.phase != unwinding && len(t.cpu.lines) > 0 {
		op := Op{Kind: OpMask}
		t.announce(op.pack())
		t.local(op, true)
	}
}

// InterruptsDisabled says whether the CPU's interrupts are masked.
func (t *Thread) InterruptsDisabled() bool { return t.masked }

func (t *Thread) maskInterrupts(masked bool) {
	if t.m.phase == unwinding {
		return
	}
	t.masked = masked
	if len(t.cpu.lines) > 0 {
		t.cpu.refreshLines()
	}
}

// InInterrupt says whether the thread executes an interrupt handler.
func (t *Thread) InInterrupt() bool { return t.ctx.irq }

// WaitForInterrupt rests with interrupts enabled until the CPU has taken one:
// STI and HLT, or WFI. The race-free way to sleep is to disable interrupts,
// check that there is nothing to do, and call it: then none is taken between the
// check and the rest. Called with interrupts enabled, it can miss the one that
// it should have waited for.
func (t *Thread) WaitForInterrupt() {
	masked := t.masked
	x, op := t.context(), Op{Kind: OpHalt}
	if !masked {
		t.announce(op.pack()) // what is taken here does not end the rest
		t.local(op, true)
	}
	t.masked = false
	if t.cpu.taking != nil {
		// An idle context begins when an interrupt has fired in it: it
		// has been chosen already.
		t.cpu.op = op.pack()
		t.settle(op.pack(), t.cpu.id)
		t.m.steps++
		x.index++
		t.m.settleContext(x)
	} else {
		t.rest(forInterrupt, op)
	}
	t.local(op, true)
	t.sleeping = false
	t.maskInterrupts(masked)
}

// deliver fires a line: the CPU enters the handler when it next moves.
func (m *Machine) deliver(l *line) {
	m.steps++
	at := l.next()
	if l.sent && (!m.isTimed() || l.due == at) {
		l.sent = false
	} else {
		l.raised--
		m.countInterrupt()
	}
	l.hash = mix(l.hash, l.op().pack().hash())
	l.cause = l.hash
	l.cpu.taking = l
	if m.isTimed() && at < never {
		l.cpu.port.wait(at)
	}
	l.cpu.op = Op{Kind: OpVector, Addr: VA(l.vector)}.pack()
	m.hash = mix(m.hash, l.op().pack().hash())
	l.cpu.refresh()
	if m.tracer != nil {
		m.traceDeliver(l)
	}
}

// countInterrupt counts a spontaneous interrupt, if it is not what the program
// waits for.
func (m *Machine) countInterrupt() {
	if m.enabled&m.cpuSet() == 0 {
		return
	}
	if m.interrupts++; m.interrupts == m.limits.Interrupts {
		m.refreshAll()
	}
}

// takeInterrupt enters the handler of the interrupt that fired. A spin begins
// anew behind it.
func (t *Thread) takeInterrupt() {
	l := t.cpu.taking
	t.cpu.taking = nil
	if t.wait == forInterrupt {
		t.wait = nil
	}
	t.getUp()
	if o := t.m.order; o != nil {
		o.system.Sees(t.cpu.id, l.seen)
	}
	t.enter(l.vector, Frame{Vector: l.vector}, l.cause)
	t.getUp()
	t.cpu.refresh()
}

// enter runs a handler on t, and answers its frame. cause is the hash of what
// it comes after, beside t's own events.
func (t *Thread) enter(v Vector, f Frame, cause uint64) *Frame {
	m, outer := t.m, t.ctx
	path := outer.handlerPath(v)
	x := m.newContext(path, NameOf(path), outer)
	irq := v >= FirstInterrupt
	x.irq, x.frame = irq || outer.irq, f
	x.hash = mix(mix(outer.hash, x.hash), cause)
	wait, masked := t.wait, t.masked
	t.ctx, t.wait, t.masked = x, nil, masked || irq
	t.cpu.clearReservation()
	if u := t.cpu.mmu; u != nil {
		u.epoch++ // what was interrupted translates anew
	}
	t.cpu.refresh()
	t.synchronise()
	t.local(Op{Kind: OpVector, Addr: VA(v)}, true)
	t.cpu.handlers[v](t, &x.frame)
	m.flush(x, m.steps)
	t.synchronise()
	t.local(Op{Kind: OpVectorReturn, Addr: VA(v)}, true)
	outer.hash = mix(outer.hash, x.hash)
	t.ctx, t.wait, t.masked = outer, wait, masked
	if wait != nil {
		m.watch()
	}
	t.cpu.clearReservation()
	t.cpu.refresh()
	return &x.frame
}

// fault enters the fault handler, or ends the run if there is none.
func (t *Thread) fault(op Op) {
	if t.cpu.handlers[VectorFault] == nil {
		t.m.abort(Panicked, "%s of %d bytes at %s: %s, and no fault handler", op.Kind, op.Size, t.m.NameAddr(op.Addr), t.whyFault(op))
	}
	t.enter(VectorFault, Frame{Vector: VectorFault, Addr: op.Addr, Write: op.Kind.Writes(), Present: t.present}, 0)
}

// whyFault says what is wrong with an access.
func (t *Thread) whyFault(op Op) string {
	u := t.cpu.mmu
	switch r := t.m.mem.regionOf(PA(op.Addr)); {
	case u != nil && u.covers(op.Addr) && t.present:
		return "the page may not be written"
	case u != nil && u.covers(op.Addr):
		return "the tables map no page there"
	case r != nil && r.closed && r.home != t.cpu.node:
		return fmt.Sprintf("it is node %d's own memory (AllocShared gives what all nodes reach)", r.home)
	}
	return "no memory there"
}

// Syscall enters the system-call handler of the CPU and answers its Ret. It
// panics if there is none.
func (t *Thread) Syscall(nr uint64, args ...uint64) uint64 {
	if t.m.phase == unwinding {
		t.refuse()
	}
	if t.cpu.handlers[VectorSyscall] == nil {
		panic(fmt.Sprintf("system call %d on CPU %d, which has no handler for VectorSyscall", nr, t.cpu.id))
	}
	f := Frame{Vector: VectorSyscall, Nr: nr}
	copy(f.Args[:], args)
	return t.enter(VectorSyscall, f, 0).Ret
}
