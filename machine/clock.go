package machine

import (
	"fmt"
	"math"

	"github.com/fusedos/stramash/coherence"
)

// Earliest is the chooser of a timed run: it always has the CPU with the earliest
// clock move, so that the run is the one that the platform's [Hardware] would make.
// Plain accesses that stay within a CPU's caches then take a short way, and nothing
// is recorded of them but counters.
//
// Steps of a timed run are instructions, and its TraceHash is that of the counters
// of all CPUs. [Limits] do not apply to it.
type Earliest struct {
	// Skew is for how many cycles, up to 2^40, a CPU may be ahead of the others before
	// they move: the larger, the fewer changes of thread.
	Skew uint64
	// Stop, if not nil, is asked now and then, at times that depend on the run
	// only; true ends the run as Stopped.
	Stop func() bool
}

// alone is how long a CPU goes on without asking, if no other can.
const alone = 1 << 22 * 1000

const (
	// never is the time of what happens only if nothing else can.
	never = math.MaxInt64 / 4
	// maxCycles bounds what a call can add to a clock: a quarter of an hour.
	maxCycles = 1 << 40
)

// Choose picks the agent with the earliest time.
func (e Earliest) Choose(q *Choice) int {
	if q.Kind != Move {
		return int(q.Plain)
	}
	m, cur := q.m, int(q.Current)
	best, first, due := -1, int64(math.MaxInt64), int64(never)
	for s := q.Options; s != 0; s = s.Rest() {
		k := s.First()
		a := &m.agents[k]
		if k == cur && a.line == nil {
			continue
		}
		at := a.time()
		if a.line != nil && a.cpu.id == cur {
			due = min(due, at)
			if at <= a.cpu.port.clock() {
				return k
			}
		}
		if at < first || at == first && a.line != nil && m.agents[best].line == nil {
			best, first = k, at
		}
	}
	if cur < 0 {
		return best
	}
	p := &m.cpus[cur].port
	limit := min(first, never) + 1000*int64(min(e.Skew, maxCycles))
	if limit = min(limit, due-1); best < 0 || p.clock() <= limit {
		p.until(min(limit, p.clock()+alone))
		return cur
	}
	return best
}

// time is when an agent moves in a timed run.
func (a *agent) time() int64 {
	now := a.cpu.port.clock()
	switch {
	case a.line != nil:
		return max(now, a.line.next())
	case a.mmu != nil:
		return a.mmu.pending[0].at
	case a.buffer == nil && a.cpu.op.kind() == OpTimeout:
		return never
	}
	return now
}

// next is when an interrupt of a line lands, of those that have been raised.
func (l *line) next() int64 {
	switch {
	case !l.sent:
		return l.timer
	case l.raised == 0:
		return l.due
	}
	return min(l.due, l.timer)
}

// isTimed says whether the run is a timed one.
func (m *Machine) isTimed() bool { return m.timing != nil && m.timing.timed }

// mayGoOn says whether a CPU may go on without asking the engine.
func (m *Machine) mayGoOn(c *cpu) bool {
	p := &c.port
	if p.left >= 0 {
		return true
	}
	if m.phase != adversarial || c.taking != nil || m.enabled != c.bit && !m.driven {
		return false
	}
	m.mayStop()
	p.until(p.clock() + alone)
	return true
}

// askStop is after how many accesses on the long way Earliest.Stop is asked.
const askStop = 1 << 14

// mayStop ends the run if its user wants that.
func (m *Machine) mayStop() {
	if m.phase == unwinding {
		return
	}
	if stop := m.timing.stop; stop != nil && stop() {
		m.abort(Stopped, "stopped by its user")
	}
}

// cut has the engine decide before any CPU goes on.
func (m *Machine) cut() {
	for _, c := range m.cpus {
		c.port.cut()
	}
}

// Compute lets the thread execute n instructions, up to 2^40, that touch no memory. It
// is no operation: no other CPU moves in between.
func (t *Thread) Compute(n uint64) {
	if n > maxCycles {
		panic(fmt.Sprintf("Compute of %d instructions: use up to %d at a time", n, uint64(maxCycles)))
	}
	if h := t.m.timing; h != nil {
		h.compute(t.cpu, n)
	}
}

// compute accounts n instructions.
func (h *timing) compute(c *cpu, n uint64) {
	p := &c.port
	p.insts += n
	p.spend(int64(n) * p.milliCPI)
	if h.Code > 0 {
		h.fetch(c, n)
	}
}

// access accounts an instruction that accesses memory, on the long way.
func (h *timing) access(c *cpu, pa PA, write bool) {
	p := &c.port
	p.insts++
	d := p.milliCPI
	if h.timed {
		d += 1000 * h.inCaches(c.id, pa, write)
	} else {
		h.note(c, pa, write)
	}
	p.left -= d
	p.other += d
	if h.Code > 0 {
		h.fetch(c, 1)
	}
	if p.quick {
		p.displace(pa)
	}
	if h.long++; h.long%askStop == 0 {
		c.m.mayStop()
	}
}

// touch accounts an access to memory that is no instruction.
func (h *timing) touch(c *cpu, pa PA, write bool) {
	if !h.timed {
		h.note(c, pa, write)
		return
	}
	c.port.spend(1000 * h.inCaches(c.id, pa, write))
	if c.port.quick {
		c.port.displace(pa)
	}
}

// note leaves an access of a run that explores for later: nothing depends there on what
// it costs, and the caches make it when somebody asks for times or counters, or when
// too many have been noted.
func (h *timing) note(c *cpu, pa PA, write bool) {
	e := uint64(pa)<<8 | uint64(c.id)<<1
	if write {
		e |= 1
	}
	h.noted = append(h.noted, e)
	if len(h.noted) == maxNoted {
		h.catchUp()
	}
}

// catchUp has the caches make the accesses that have been noted.
func (h *timing) catchUp() {
	for _, e := range h.noted {
		id := int(e >> 1 & 127) // fewer CPUs than that: coherence.MaxCores
		h.ports[id].spend(1000 * h.inCaches(id, PA(e>>8), e&1 != 0))
	}
	h.noted = h.noted[:0]
}

// inCaches has the caches make an access, and answers its cycles.
func (h *timing) inCaches(cpu int, pa PA, write bool) int64 {
	if write {
		return int64(h.caches.Store(cpu, uint64(pa)))
	}
	cycles, _ := h.caches.Load(cpu, uint64(pa))
	return int64(cycles)
}

// fetch accounts the fetches of n instructions.
func (h *timing) fetch(c *cpu, n uint64) {
	p := &c.port
	h.catchUp() // they meet in the lower caches
	for range n {
		p.spend(1000 * int64(h.caches.Fetch(c.id, coherence.Limit-uint64(c.node+1)*maxCode+p.pc)))
		if p.pc += 4; p.pc == h.Code {
			p.pc = 0
		}
	}
}

// send accounts an interrupt that a CPU sends.
func (h *timing) send(c, to *cpu) {
	cost, kind := h.NodeIPI, 0
	if c.node != to.node {
		cost, kind = h.IPI, 1
	}
	c.port.sends[kind]++
	c.port.spend(1000 * int64(cost))
}

// MoveTo has the thread go on, on another CPU, which must be idle: a migration
// without a kernel, that costs nothing. It is there for timed runs only.
func (t *Thread) MoveTo(cpu int) {
	m := t.m
	m.mustBeCPU(cpu)
	if m.phase != adversarial {
		op := Op{Kind: OpSwitch, Addr: VA(t.handle)}
		t.announce(op.pack())
		t.local(op, true)
	}
	c, d := t.cpu, m.cpus[cpu]
	switch {
	case c == d:
		return
	case !m.isTimed():
		panic("MoveTo outside of a timed run: use Machine.Begin with Earliest")
	case d.cur != d.idle || d.idle.wait != forInterrupt || t.ctx.parent != nil:
		panic("MoveTo a CPU that is not idle, or from within a handler")
	}
	now := c.port.clock()
	c.install(c.idle)
	c.op = announced{code: uint64(OpHalt)}
	d.install(t)
	d.port.wait(now)
}

// Drive runs one body that has a thread on each CPU, by their numbers, in place of
// Run: a source of traffic, which decides itself which CPU accesses memory next, and
// whose clocks do not matter. The run must be a timed one; the threads can load and
// store 4 or 8 bytes, and compute.
func (m *Machine) Drive(body func(ts []*Thread)) Result {
	m.mustBeSettingUp("Drive")
	if !m.isTimed() || m.order != nil || m.tracer != nil || m.timing.Code > 0 {
		panic("machine: Drive of a run that is not timed, or that is traced, fetches, or has a memory order: use Begin with Earliest")
	}
	var ts []*Thread
	for i := range m.cpus {
		m.install(i, Start{CPU: i, Body: func(*Thread) {}})
		ts = append(ts, m.cpus[i].cur)
	}
	m.phase, m.bound, m.driven = adversarial, 0, true
	m.timing.choose(m)
	m.drive(body, ts)
	m.over(Finished, "", nil)
	m.driven = false
	return m.result()
}

// drive runs the body up to its end, or to that of the run.
func (m *Machine) drive(body func(ts []*Thread), ts []*Thread) {
	defer func() {
		if p := recover(); p != nil && p != (unwind{}) {
			m.driven = false
			panic(p)
		}
	}()
	body(ts)
}
