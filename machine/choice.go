package machine

import (
	"fmt"
	"math/bits"
)

// ChoiceKind says what a question is about.
type ChoiceKind uint8

// The kinds of choice. A [Chooser] that does not know a kind answers with the plain
// option.
const (
	// Move asks which agent makes the next step. Option k is agent k of the
	// machine; Choice.Agent and Choice.Op describe it.
	Move ChoiceKind = iota + 1
	// Spurious asks whether a store-exclusive whose reservation stands
	// fails all the same: 0 no, 1 yes.
	Spurious
	// Workload asks what a program shall try: 0 to n-1, where 0 is the
	// simplest.
	Workload
	// Poll asks whether a thread that seems to spin goes on all the same: 0
	// no, it rests until what it looks at changes; 1 yes, for a while.
	Poll
	// Read asks which write a load reads: the k-th newest one, of those that it
	// may. 0 is the newest. See MemoryOrder.
	Read
	// Hold asks whether a store is held back: 0 no, it takes effect at once; 1
	// yes, and it drains at some later moment.
	Hold
	// Drain asks which of the stores that a CPU holds back takes effect: the
	// k-th oldest one. 0 is the oldest.
	Drain
	// Evict asks whether a translation that an access finds in the TLB has gone: 0 no,
	// 1 yes, and the tables are walked. See MMU.
	//
	// On a storage of messages it asks the same of a copy of a line that an access finds in
	// its cache: 1, it has been evicted, and is fetched again.
	Evict
	// Deliver asks which message arrives next at a cache, of those that can: the k-th, in
	// the order in which lines were first accessed, and of a line in the order of the
	// protocol's channels. Behind them stand the events that happen by themselves, such as
	// the eviction of an L3. See Platform.Storage.
	Deliver
)

// choiceKinds bounds the kinds, of which zero is none.
const choiceKinds = 12

var choiceNames = [...]string{"", "move", "spurious", "workload", "poll", "read", "hold", "drain", "evict", "deliver"}

// String returns the kind's name, in lower case.
func (k ChoiceKind) String() string {
	if int(k) < len(choiceNames) {
		return choiceNames[k]
	}
	return fmt.Sprintf("choice %d", uint8(k))
}

// Set is a set of options of one question, each a small number.
type Set uint64

// Only is the set of one option, from 0 to 63.
func Only(option int) Set { return 1 << uint(option) }

// Has says whether the set holds the option.
func (s Set) Has(option int) bool { return s>>uint(option)&1 != 0 }

// Len counts the options.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// First is the smallest option. The set must not be empty.
func (s Set) First() int { return bits.TrailingZeros64(uint64(s)) }

// Nth is the n-th smallest option, counted from 0. The set must have more
// than n.
func (s Set) Nth(n int) int {
	if s < 256 {
		return int(nthBit[s][n&7])
	}
	for base := 0; ; base += 8 {
		low := uint8(s >> base)
		if have := bits.OnesCount8(low); n >= have {
			n -= have
			continue
		}
		return base + int(nthBit[low][n&7])
	}
}

// nthBit has the places of the bits of every byte: a search without branches
// for the machines that have few agents.
var nthBit = func() (table [256][8]uint8) {
	for b := range table {
		n := 0
		for i := range 8 {
			if b>>i&1 != 0 {
				table[b][n] = uint8(i)
				n++
			}
		}
	}
	return table
}()

// after is the option behind k, in a circle; k may be -1.
func (s Set) after(k int) int {
	if later := s &^ (Only(k)<<1 - 1); k >= 0 && later != 0 {
		return later.First()
	}
	return s.First()
}

// Rest is the set without its smallest option.
func (s Set) Rest() Set { return s & (s - 1) }

// ContextName is the name of a context, stable between runs: the hash of its
// path. The context is a thread or one activation of a handler: something
// that takes decisions in an order of its own.
type ContextName uint64

// NameOf is the name of the context with the given path. Paths read: s, the
// set-up; t0, the first thread; t0.2, the third thread that t0 spawned; i1,
// the idle context of CPU 1; b1, its store buffer; m1, its MMU; c1, its cache, and c, what no CPU has to itself; t0@5v33, the handler of vector 33 that interrupted t0
// at its event 5 (t0@5+1v33 if another one had interrupted it there before).
func NameOf(path string) ContextName {
	h := uint64(len(path))
	for i := range len(path) {
		h = mix(h, uint64(path[i]))
	}
	return ContextName(h)
}

// Agent is the stable name of something that can make a step: a CPU, an
// interrupt line of a CPU, its store buffer, or its TLB.
type Agent uint32

const (
	lineAgent   Agent = 1 << 16
	bufferAgent Agent = 1 << 17
	tlbAgent    Agent = 1 << 18
	cacheAgents Agent = 1 << 19
)

// CPUAgent names a CPU.
func CPUAgent(cpu int) Agent { return Agent(cpu) }

// LineAgent names the interrupt line of a vector of a CPU.
func LineAgent(cpu int, v Vector) Agent { return lineAgent | Agent(cpu)<<8 | Agent(v) }

// BufferAgent names the store buffer of a CPU.
func BufferAgent(cpu int) Agent { return bufferAgent | Agent(cpu) }

// TLBAgent names the TLB of a CPU, which does invalidations that were posted to it.
func TLBAgent(cpu int) Agent { return tlbAgent | Agent(cpu) }

// CacheAgent names the cache of a CPU, on a storage of messages: what arrives there.
func CacheAgent(cpu int) Agent { return cacheAgents | Agent(cpu) }

// HomeAgent names all controllers of a storage of messages that no CPU has to itself.
const HomeAgent = cacheAgents | 0xff

// IsCache says whether the agent is a cache, or HomeAgent.
func (a Agent) IsCache() bool { return a&cacheAgents != 0 }

// IsTLB says whether the agent is a TLB.
func (a Agent) IsTLB() bool { return a&tlbAgent != 0 }

// IsBuffer says whether the agent is a store buffer.
func (a Agent) IsBuffer() bool { return a&bufferAgent != 0 }

// IsLine says whether the agent is an interrupt line.
func (a Agent) IsLine() bool { return a&lineAgent != 0 }

// CPU is the CPU that the agent is or belongs to; of HomeAgent, 0.
func (a Agent) CPU() int {
	if a == HomeAgent {
		return 0
	}
	if a.IsLine() {
		return int(a >> 8 & 0xff)
	}
	return int(a &^ (bufferAgent | tlbAgent | cacheAgents))
}

// String returns cpu1, cpu1/v33 for a line, cpu1/buffer, cpu1/tlb, cpu1/cache, or home.
func (a Agent) String() string {
	if a == HomeAgent {
		return "home"
	}
	if a.IsCache() {
		return fmt.Sprintf("cpu%d/cache", a.CPU())
	}
	if a.IsBuffer() {
		return fmt.Sprintf("cpu%d/buffer", a.CPU())
	}
	if a.IsTLB() {
		return fmt.Sprintf("cpu%d/tlb", a.CPU())
	}
	if a.IsLine() {
		return fmt.Sprintf("cpu%d/v%d", a.CPU(), a&0xff)
	}
	return fmt.Sprintf("cpu%d", uint32(a))
}

// Choice is one question. It is valid during the call that asks it.
type Choice struct {
	Kind    ChoiceKind
	Plain   uint8 // the option that the natural run takes
	Current int8  // of a Move: the asker's own option, -1 if it cannot go on
	CPU     uint8 // that asks; not of a Move, nor in the set-up
	Visit   uint16
	Index   uint32 // events of the context so far
	Context ContextName
	Options Set // at least two

	m *Machine
}

// Agent names the agent that is option k of a Move.
func (c *Choice) Agent(k int) Agent { return c.m.agents[k].name }

// Op is what option k of a Move has announced.
func (c *Choice) Op(k int) Op {
	switch a := &c.m.agents[k]; {
	case a.line != nil:
		return a.line.op()
	case a.buffer != nil:
		return a.buffer.op()
	case a.mmu != nil:
		return a.mmu.op()
	case a.cache != nil:
		return Op{Kind: OpMessage}
	default:
		return a.cpu.op.op()
	}
}

// Place is where option k of a Move stands: the context that would go on, and
// how many events it has made. A line has no place of its own: its name is that
// of its agent, and its event 0.
func (c *Choice) Place(k int) (ContextName, uint32) {
	a := &c.m.agents[k]
	if a.line != nil {
		return ContextName(a.name), 0
	}
	if a.buffer != nil {
		return a.buffer.ctx.name, a.buffer.ctx.index
	}
	if a.mmu != nil {
		return a.mmu.ctx.name, a.mmu.ctx.index
	}
	if a.cache != nil {
		return a.cache.ctx.name, a.cache.ctx.index
	}
	if x := a.cpu.cur.ctx; x != nil {
		return x.name, x.index
	}
	return idlePaths[a.cpu.id].name, 0
}

// Step is how many steps the run has made.
func (c *Choice) Step() int { return c.m.steps }

// answer is the stable name of option k.
func (m *Machine) answer(kind ChoiceKind, k int) uint32 {
	if kind == Move {
		return uint32(m.agents[k].name)
	}
	return uint32(k)
}

// Find is the option whose stable name is answer (of a Move an [Agent], else
// the option itself), or -1 if the question does not have it.
func (c *Choice) Find(answer uint32) int {
	for s := c.Options; s != 0; s = s.Rest() {
		if k := s.First(); c.m.answer(c.Kind, k) == answer {
			return k
		}
	}
	return -1
}

// Chooser answers every question of a run: it is all the nondeterminism that
// there is. It must return one of the question's options.
type Chooser interface {
	Choose(*Choice) int
}

// Natural always takes the plain option.
type Natural struct{}

// Choose returns the plain option.
func (Natural) Choose(c *Choice) int { return int(c.Plain) }

// Class sorts exceptions by what they mean to a reader.
type Class uint8

// The classes of exception.
const (
	// Preemption: another CPU moves though the current one could have gone on.
	Preemption Class = iota + 1
	// Handover: another agent moves than the one whose turn it would have
	// been after the current one had to stop.
	Handover
	// Interrupt: an interrupt line fires.
	Interrupt
	// SpuriousFailure: a store-exclusive fails for no reason of the program's.
	SpuriousFailure
	// WorkloadChoice: the program tries something else than the simplest.
	WorkloadChoice
	// StaleRead: a load reads another write than the newest.
	StaleRead
	// HeldStore: a store is held back.
	HeldStore
	// DrainedStore: a store that was held back takes effect, or another one than
	// the oldest.
	DrainedStore
	// Eviction: a translation has gone from a TLB.
	Eviction
	// Invalidation: a TLB does one that was posted to it.
	Invalidation
	// Message: one arrives, or another one than the first that could.
	Message
	// OtherChoice: a kind of choice that has no class of its own.
	OtherChoice
)

var classNames = [...]string{
	"", "preemption", "handover", "interrupt", "spurious failure", "workload choice",
	"stale read", "held store", "drained store", "eviction", "invalidation", "message", "choice",
}

// String returns the class's name, in lower case.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Exception is a choice that was not the plain one, with the place where it
// was made. A schedule is a list of them. Removing one leaves the places of
// the others as they are, because a place counts only its own context's events.
type Exception struct {
	Context string // path; see NameOf
	Index   uint32 // events that the context had made
	Visit   uint16 // questions of this kind that it had asked since
	Kind    ChoiceKind
	Class   Class  // for reading; not part of the place
	Answer  uint32 // stable name: of a Move an Agent, else the option
}

// String describes the exception on one line.
func (e Exception) String() string {
	what := fmt.Sprint(e.Answer)
	if e.Kind == Move {
		what = Agent(e.Answer).String()
	}
	at := fmt.Sprintf("%s@%d", e.Context, e.Index)
	if e.Visit > 0 {
		at += fmt.Sprintf("+%d", e.Visit)
	}
	return fmt.Sprintf("%s: %s %s (%s)", at, e.Kind, what, e.Class)
}

// exception is an Exception as the engine records it.
type exception struct {
	context int32
	index   uint32
	visit   uint16
	kind    ChoiceKind
	pick    uint8
	current int8 // Choice.Current
}

// class sorts an exception of the last run.
func (m *Machine) class(e exception) Class {
	switch {
	case e.kind == Spurious:
		return SpuriousFailure
	case e.kind == Workload:
		return WorkloadChoice
	case e.kind == Read:
		return StaleRead
	case e.kind == Hold:
		return HeldStore
	case e.kind == Drain || e.kind == Move && m.agents[e.pick].buffer != nil:
		return DrainedStore
	case e.kind == Evict:
		return Eviction
	case e.kind == Move && m.agents[e.pick].mmu != nil:
		return Invalidation
	case e.kind == Deliver || e.kind == Move && m.agents[e.pick].cache != nil:
		return Message
	case e.kind != Move:
		return OtherChoice
	case m.agents[e.pick].line != nil:
		return Interrupt
	case e.current < 0:
		return Handover
	}
	return Preemption
}

// Exceptions is the schedule of the last run.
func (m *Machine) Exceptions() []Exception {
	out := make([]Exception, len(m.exceptions))
	for i, e := range m.exceptions {
		out[i] = Exception{
			Context: m.contexts[e.context].path, Index: e.index, Visit: e.visit,
			Kind: e.kind, Class: m.class(e), Answer: m.answer(e.kind, int(e.pick)),
		}
	}
	return out
}
