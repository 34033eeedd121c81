package machine

import "fmt"

// Limits bound one run.
type Limits struct {
	// Steps is the number of steps that the chooser decides. After it the
	// engine is fair: agents take turns, in time slices that grow.
	Steps int
	// FairSteps is the number of fair steps after which a run that has not
	// finished is a progress violation.
	FairSteps int
	// Interrupts is the number of spontaneous interrupts (timers and
	// devices, not those that a CPU sends) that may land while the program
	// could have gone on without.
	Interrupts int
	// Spurious is the number of store-exclusives that may fail for no
	// reason of the program's.
	Spurious int
	// Evictions is, on a storage of messages, the number of times that copies and lines are
	// evicted; and the number of times that a translation may go from the TLB of each
	// CPU though nothing has replaced or invalidated it.
	Evictions int
	// Polls is the number of times that a thread which seems to spin may go
	// on all the same.
	Polls int
	// Spins is how often a thread must repeat a load, with the same answer, to
	// be taken for one that spins. So is one that loads when memory has not
	// changed for 64 times as many steps.
	Spins int
}

// DefaultLimits are enough for programs of a few hundred steps: 4000 steps and 16000 fair
// ones, 3 interrupts, 2 spurious failures, 1 eviction of each CPU, 4 polls, 4 spins.
func DefaultLimits() Limits {
	return Limits{Steps: 4000, FairSteps: 16000, Interrupts: 3, Spurious: 2, Evictions: 1, Polls: 4, Spins: 4}
}

// WithDefaults is the limits that are in force where these are asked for: what is
// zero takes its default, and a negative count means none at all.
func (l Limits) WithDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, want *int }{
		{&l.Steps, &d.Steps}, {&l.FairSteps, &d.FairSteps},
		{&l.Interrupts, &d.Interrupts}, {&l.Spurious, &d.Spurious}, {&l.Evictions, &d.Evictions}, {&l.Polls, &d.Polls}, {&l.Spins, &d.Spins},
	} {
		if *f.have == 0 {
			*f.have = *f.want
		}
		*f.have = max(*f.have, 0)
	}
	l.Spins = max(l.Spins, 2)
	l.FairSteps = min(l.FairSteps, 1<<40)
	return l
}

type phase uint8

const (
	settingUp   phase = iota // no thread has run yet
	priming                  // threads run up to their first operations
	adversarial              // the chooser decides
	fair                     // agents take turns
	unwinding                // the run is over; threads are being ended
)

// agent is one slot of the questions who moves.
type agent struct {
	name   Agent
	cpu    *cpu
	line   *line       // if it is one
	buffer *buffer     // if it is one
	mmu    *mmu        // if it is one's TLB
	cache  *cacheAgent // if it is one
}

// Machine is a simulated machine. One goroutine uses it at a time. It is made
// once and then runs many programs: each run is Begin, the set-up (Alloc,
// Poke64, Handle, Spawn …), and Run.
type Machine struct {
	// What every operation touches.
	chooser Chooser
	phase   phase
	enabled Set // agents that can make a step
	reserve Set // agents that move only if no other can: spinners, exhausted timers
	bound   int // steps from which on announce takes its slow path
	steps   int
	hash    uint64
	calm    int // steps after which memory counts as not changing
	alert   int // not 0 if a write may concern a wait, a spinner or a reservation
	mem     memory
	bare    bool    // nothing is attached: no order, storage, translator, closed memory, and time is no matter
	order   *weak   // nil for sequential consistency
	fabric  *fabric // nil for flat storage
	timing  *timing // nil if nothing is accounted
	tracer  func(*Event)
	told    func(*Record)
	target  *Thread // whose coroutine shall run next
	choice  Choice
	nagents int
	agents  [MaxAgents]agent

	platform   Platform
	granule    uint64
	cpus       []*cpu
	limits     Limits
	asked      Limits    // as Begin was given them
	threads    []*Thread // by handle-1; coroutines are kept between runs
	used       int       // threads of this run
	prime      int       // threads already primed
	live       int       // threads that must finish
	bodies     int       // coroutines with a body in progress
	contexts   []*context
	nctx       int
	setup      *context
	exceptions []exception
	history    History
	histHash   uint64
	interrupts int
	translates bool
	driven     bool // see Drive
	heapUsed   bool
	devices    []*attached
	spurious   int
	tlbs       Set // agents that are TLBs
	polls      int
	polling    int // looks that a thread has left to go on alone with
	turn       int // fair phase: whose turn, and the rest of the slice
	slice      int
	round      int
	fairEnd    int
	turnedFair bool
	guessed    string // see Result.Guessed
	badAnswer  string // of the chooser
	outcome    Outcome
	detail     string
	stack      []Site
	starts     []Start // for Starts
	pins       []Pin
	workload   []WorkloadAnswer
	labels     []label
	monitors   []monitor
	objects    map[VA]recorded
	event      Event
	closed     bool
}

// New makes a machine. It fails if the platform is not valid.
func New(p Platform) (*Machine, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m := &Machine{platform: p, granule: p.Granule, limits: DefaultLimits()}
	if m.granule == 0 {
		m.granule = 64
	}
	m.choice.m, m.objects = m, map[VA]recorded{}
	regions, err := p.layout()
	if err != nil {
		return nil, err
	}
	m.mem.regions = regions
	for _, r := range regions {
		m.mem.closed = m.mem.closed || r.closed
	}
	for i, n := range p.Nodes {
		for range n.CPUs {
			m.addCPU(i, n.ISA)
		}
	}
	if p.Hardware != nil {
		if m.timing, err = newTiming(m, p.Hardware); err != nil {
			return nil, err
		}
	}
	if p.Order != SC {
		m.order = newWeak(m, p.Order)
	}
	if p.Storage != nil {
		if m.fabric, err = newFabric(m, p); err != nil {
			return nil, err
		}
	}
	m.Begin(Natural{}, Limits{})
	return m, nil
}

// Begin starts a new run: it forgets the last one. The chooser answers all
// questions from here on, the set-up's among them. Limits that are zero take
// their defaults.
func (m *Machine) Begin(c Chooser, l Limits) {
	if m.closed {
		panic("machine: Begin after Close")
	}
	if p, ok := c.(*Earliest); ok {
		c = *p
	}
	earliest, timed := c.(Earliest)
	m.mem.reset(timed && m.order == nil)
	m.chooser = c
	if timed {
		l = unlimited
	}
	if l != m.asked {
		m.asked, m.limits = l, l.WithDefaults()
	}
	m.phase, m.bound, m.steps, m.hash, m.calm, m.alert = settingUp, 0, 0, 1, m.calmSteps(), 0
	m.enabled, m.reserve = 0, 0
	m.used, m.prime, m.live, m.nctx = 0, len(m.cpus), 0, 0
	m.exceptions, m.history, m.histHash = m.exceptions[:0], m.history[:0], 1
	m.interrupts, m.spurious, m.polls, m.polling, m.translates, m.heapUsed = 0, 0, 0, 0, false, false
	m.turn, m.slice, m.round, m.fairEnd, m.turnedFair, m.guessed = 0, 0, 1, 0, false, ""
	m.badAnswer, m.tlbs = "", 0
	m.outcome, m.detail, m.stack = Finished, "", nil
	m.workload, m.labels, m.monitors = m.workload[:0], m.labels[:0], m.monitors[:0]
	clear(m.objects)
	m.devices = m.devices[:0]
	m.setup = m.newContext(setupPath, setupName, nil)
	m.nagents = len(m.cpus)
	for _, c := range m.cpus {
		c.reset()
	}
	if m.order != nil {
		m.order.begin()
	}
	if m.fabric != nil {
		if timed {
			panic("machine: a timed run on a storage of messages, which tells no time: leave Platform.Storage nil")
		}
		m.fabric.begin()
	}
	if m.timing != nil {
		m.timing.begin(timed, earliest.Stop)
	} else if timed {
		panic("machine: a timed run on a platform without Hardware: set Platform.Hardware")
	}
}

// TraceHash is the hash of the run so far: of one that the set-up has cut short.
func (m *Machine) TraceHash() uint64 { return m.hash }

// Platform is what the machine was made of.
func (m *Machine) Platform() Platform { return m.platform }

// CPUs counts the machine's CPUs, numbered from 0 through all nodes.
func (m *Machine) CPUs() int { return len(m.cpus) }

// ISA is the instruction set of a CPU.
func (m *Machine) ISA(cpu int) ISA { return m.cpus[cpu].isa }

// NodeOf is the number of the node that a CPU belongs to.
func (m *Machine) NodeOf(cpu int) int { return m.cpus[cpu].node }

// Nodes counts the machine's nodes.
func (m *Machine) Nodes() int { return len(m.platform.Nodes) }

// SetTracer has f called for every event of the next runs; nil ends it. A
// tracer changes nothing in the run. The event is valid
// during the call, which is made on the stack of the thread that caused it.
func (m *Machine) SetTracer(f func(*Event)) { m.tracer = f }

// SetRecorder has f called for every record of the next runs' histories, when
// it is appended; nil ends it. The record is valid during the call.
func (m *Machine) SetRecorder(f func(*Record)) { m.told = f }

// History is what has been recorded so far. It is valid until the next record.
func (m *Machine) History() History { return m.history }

// Stop ends the run from within a tracer or a recorder, which have seen enough:
// its outcome is Stopped. It does not return.
func (m *Machine) Stop(why string) { m.abort(Stopped, "%s", why) }

// Abandon ends the run from within a chooser, a tracer or a recorder, as Stop
// does, but at little cost: nothing is kept of where that was. It does not return.
func (m *Machine) Abandon() {
	m.over(Stopped, "", nil)
	panic(unwind{})
}

// Steps counts the steps of the run so far, with the one in progress.
func (m *Machine) Steps() int { return m.steps }

// Agents counts the agents of the run: option k of a Move is less.
func (m *Machine) Agents() int { return m.nagents }

// AgentName names the agent that is option k of a Move.
func (m *Machine) AgentName(k int) Agent { return m.agents[k].name }

// Prefix is the fingerprint of the run so far; see Result.Fingerprint.
func (m *Machine) Prefix() uint64 { return m.fingerprint() }

// Live counts the threads that have not finished, without idle contexts.
func (m *Machine) Live() int { return m.live }

// CutOff is, of a run that has ended, the agents that could have gone on if it had
// not: idle contexts and handlers in progress, and interrupts that have not landed.
func (m *Machine) CutOff() (out Set) {
	for k := range m.nagents {
		switch a := &m.agents[k]; {
		case a.line != nil:
			if a.line.pending() {
				out |= Only(k)
			}
		case a.buffer != nil || a.mmu != nil || a.cache != nil:
			out |= m.enabled & Only(k)
		case !a.cpu.cur.done && m.enabled.Has(k):
			out |= Only(k)
		}
	}
	return out
}

// Stalled says whether a CPU's current thread waits for the CPU's store buffer or for
// invalidations of TLBs.
func (m *Machine) Stalled(cpu int) bool {
	w := m.cpus[cpu].cur.wait
	return w != nil && w.blocked.Kind != OpNone
}

// Announced is what a CPU is about to do.
func (m *Machine) Announced(cpu int) Op { return m.cpus[cpu].op.op() }

// Capped says whether no more spontaneous interrupts can land.
func (m *Machine) Capped() bool { return m.interrupts >= m.limits.Interrupts }

// Limits are those of the run, with defaults in place of what was zero.
func (m *Machine) Limits() Limits { return m.limits }

// Spent tells apart how much of its Limits on interrupts, spurious failures and
// polls the run has used. Evictions are in the fingerprint of the run so far.
func (m *Machine) Spent() uint64 {
	return uint64(m.interrupts)<<40 | uint64(m.spurious)<<20 | uint64(m.polls)
}

// Awaited appends to words where a CPU's current thread awaits a condition that
// does not hold, if it does.
func (m *Machine) Awaited(cpu int, words []PA) []PA {
	t := m.cpus[cpu].cur
	if t.wait == nil || t.wait == forInterrupt || t.wait.times || t.wait.blocked.Kind != OpNone {
		return words
	}
	for _, a := range t.wait.at {
		words = append(words, a.pa&^7)
	}
	return words
}

// Peek64 reads 8 bytes without being part of the run. The address must be
// aligned and in memory.
func (m *Machine) Peek64(a VA) uint64 { return *m.peek(a) }

// Poke64 writes 8 bytes without being part of the run, in the set-up.
func (m *Machine) Poke64(a VA, v uint64) {
	m.mustBeSettingUp("Poke64")
	*m.peek(a) = v
}

func (m *Machine) peek(a VA) *uint64 {
	w, _ := m.mem.word(PA(a))
	if w == nil || a%8 != 0 {
		panic(fmt.Sprintf("machine: peek or poke at %#x: not an aligned address in memory", uint64(a)))
	}
	return w
}

type label struct {
	at   VA
	size uint64
	name string
}

// Label names size bytes at an address, for the people who read reports.
func (m *Machine) Label(at VA, size uint64, name string) {
	m.labels = append(m.labels, label{at, size, name})
}

// NameAddr is the name of an address: its label with the offset, the block of
// the heap with the offset, or hex.
func (m *Machine) NameAddr(a VA) string {
	if name, ok := m.LabelOf(a); ok {
		return name
	}
	if name, ok := m.nameInHeap(a); ok {
		return name
	}
	return fmt.Sprintf("%#x", uint64(a))
}

// LabelOf is the label of an address with the offset, if it has one.
func (m *Machine) LabelOf(a VA) (name string, ok bool) {
	for i := len(m.labels) - 1; i >= 0; i-- {
		l := m.labels[i]
		if off := uint64(a - l.at); off == 0 {
			return l.name, true
		} else if off < l.size {
			return fmt.Sprintf("%s+%d", l.name, off), true
		}
	}
	return "", false
}

func (m *Machine) mustBeSettingUp(what string) {
	if m.phase != settingUp {
		panic("machine: " + what + " during the run: it belongs to the set-up")
	}
}

// Close ends the machine's coroutines. The machine can't be used after it.
func (m *Machine) Close() {
	if m.closed {
		return
	}
	m.closed = true
	for _, t := range m.threads {
		t.co.close()
	}
}
