// Package order holds the memory orders of the machine: which write a load may
// read, and when a store takes effect, on x86-64 and on AArch64 CPUs that share one
// memory. It is a state machine without choices of its own: its user asks which
// answers there are, and says which one it takes.
//
// Memory is the list of all writes, its messages, in the order in which they took
// effect; the place of a message in it is its timestamp. A CPU has views, each the
// timestamp up to which it is known to have seen memory: a load may read any
// message of its word that no later one hides which the CPU must have seen
// (K. Cho et al., "Revamping hardware persistency models", PLDI 2021, for x86;
// C. Pulte et al., "Promising-ARM/RISC-V", PLDI 2019, for Arm, both without
// promises).
//
// On x86-64 a store takes effect at once. That other CPUs' writes may be read late
// is what a store buffer shows. On AArch64 a store may be held back, and then takes
// effect after later stores of its CPU: at any moment, unless an earlier one to the
// same word is held back, or it is a release and any earlier one is. So loads pass
// loads, stores pass stores, and loads pass stores. What is out of reach is that a
// store takes effect before an earlier load of its CPU has read, which is load
// buffering, or before the write of an earlier read-modify-write or store-exclusive,
// which is made at once. The states that are reached are always among those that the
// architectures allow: of herd's 2,794 litmus tests, 98.9 %, and nothing else. Package
// machine/asm measures and checks that.
//
// The unit is the aligned word of 8 bytes: two writes to different bytes of one
// word are in one order for all, which is stronger than hardware has to be.
package order

// TS is a timestamp: how many messages took effect up to and with this one. Zero
// is before all of them, when memory had its initial values.
type TS = uint32

// Rules are those of an architecture.
type Rules uint8

// The architectures.
const (
	X86 Rules = iota // x86-TSO
	Arm              // Armv8
)

// Message is a write that has taken effect.
type Message struct {
	At    TS
	ID    uint32 // of the store; see Store.ID
	Value uint64 // of the whole word
}

// Store is a store that is held back.
type Store struct {
	ID      uint32 // for the user: which one it is
	Word    int32
	Mask    uint64 // of the bits that it writes
	Value   uint64 // within Mask
	Release bool
	from    TS // what its address and value depend on
}

// Access says how a load or an update accesses its word.
type Access struct {
	Word      int32
	Acquire   bool // LDAR, LDAXR, and updates that acquire
	AcquirePC bool // LDAPR
	Release   bool // of an update
	Exclusive bool // LDXR and STXR, which make a pair
	NoReturn  bool // an update that answers nothing, as STADD: DMB LD does not order it
	Addr      TS   // what the address depends on
	Data      TS   // what the value written depends on
}

// word is the messages of a word, oldest first, and what each CPU knows of it.
type word struct {
	messages []Message
	cpus     []known
}

// known is what a CPU knows of a word.
type known struct {
	coherent TS // it must not read anything older
	// The CPU's own last write, if it is the newest that it has seen: a load that
	// reads it is not ordered behind it, but behind what it was made of.
	own    TS
	order  TS // for what is ordered behind the load
	dep    TS // for what depends on its value, in addition
	update TS // of a read-modify-write, its read, behind which an acquiring load is ordered
}

// cpu is the state of a CPU.
type cpu struct {
	rules   Rules
	read    TS // every later load reads no older than this
	seen    TS // all loads so far, for a fence
	silent  TS // the same of updates that answer nothing
	wrote   TS // all own writes so far
	control TS // what branches and addresses so far depended on
	release TS // own last release
	link    TS // the last load-exclusive, for the store-exclusive
	held    []Store
}

// System is a memory with the CPUs that share it.
type System struct {
	Now   TS // the messages so far
	words []word
	cpus  []cpu
}

// New makes a system of CPUs without words.
func New(rules ...Rules) *System {
	s := &System{}
	for _, r := range rules {
		s.cpus = append(s.cpus, cpu{rules: r})
	}
	return s
}

// Reset forgets everything but the CPUs' rules.
func (s *System) Reset() {
	s.Now, s.words = 0, s.words[:0]
	for i := range s.cpus {
		c := &s.cpus[i]
		*c = cpu{rules: c.rules, held: c.held[:0]}
	}
}

// AddWord adds a word with its initial value, and answers its number.
func (s *System) AddWord(initial uint64) int32 {
	n := len(s.words)
	if n < cap(s.words) {
		s.words = s.words[:n+1]
	} else {
		s.words = append(s.words, word{})
	}
	w := &s.words[n]
	w.messages = append(w.messages[:0], Message{Value: initial})
	if w.cpus == nil {
		w.cpus = make([]known, len(s.cpus))
	} else {
		clear(w.cpus)
	}
	return int32(n)
}

// Rules are those of a CPU.
func (s *System) Rules(cpu int) Rules { return s.cpus[cpu].rules }

// least is the view that a load's choice must respect, beside that of all loads.
func (c *cpu) least(a *Access) TS {
	v := a.Addr
	if a.Acquire {
		v = max(v, c.release)
	}
	return v
}

// Readable counts the messages that a load may read: the newest of its word, and
// so many less one before it. It is at least 1.
func (s *System) Readable(cpu int, a *Access) int {
	w := &s.words[a.Word]
	c := &s.cpus[cpu]
	floor := max(w.cpus[cpu].coherent, c.read)
	if c.rules == Arm {
		floor = max(floor, c.least(a))
	}
	last := len(w.messages) - 1
	n := 1
	for n <= last && w.messages[last-n+1].At > floor {
		n++
	}
	return n
}

// Newest is the message of a word that is k before the newest one.
func (s *System) Newest(word int32, k int) *Message {
	m := s.words[word].messages
	return &m[len(m)-1-k]
}

// Load reads the message that is k before the newest one, k being less than
// Readable. It answers it, and what depends on its value.
func (s *System) Load(cpu int, a *Access, k int) (m *Message, dep TS) {
	w := &s.words[a.Word]
	c := &s.cpus[cpu]
	m = &w.messages[len(w.messages)-1-k]
	of := &w.cpus[cpu]
	if c.rules == X86 {
		if m.At != of.coherent {
			c.read = max(c.read, m.At)
		}
		return m, 0
	}
	pre, at := c.least(a), m.At
	dep = 0
	if at == of.own && at > 0 {
		dep, at = of.dep, of.order
		if a.Acquire || a.AcquirePC {
			at = max(at, of.update)
		}
	}
	post := max(pre, at)
	of.coherent = max(of.coherent, post)
	c.hasRead(a, post)
	dep = max(post, dep)
	if a.Exclusive {
		c.link = dep
	}
	return m, dep
}

// hasRead accounts a load.
func (c *cpu) hasRead(a *Access, post TS) {
	if a.NoReturn {
		c.silent = max(c.silent, post)
	} else {
		c.seen = max(c.seen, post)
	}
	c.control = max(c.control, a.Addr)
	if a.Acquire || a.AcquirePC {
		c.read = max(c.read, post)
	}
}

// Forward has a load read the own store that is held back, to the same word; see
// Held. It answers what depends on its value.
func (s *System) Forward(cpu int, a *Access, held *Store) (dep TS) {
	c := &s.cpus[cpu]
	post := max(c.least(a), held.from)
	c.hasRead(a, post)
	return post
}

// Held are the stores of a CPU that are held back, in program order. They are valid
// until the CPU's next operation.
func (s *System) Held(cpu int) []Store { return s.cpus[cpu].held }

// Store holds a store of an AArch64 CPU back. Addr and data are what its address
// and its value depend on. It is for Append to have it take effect.
func (s *System) Store(cpu int, st Store, addr, data TS) {
	c := &s.cpus[cpu]
	c.control = max(c.control, addr)
	st.from = max(addr, data)
	c.held = append(c.held, st)
}

// Ready says whether the i-th store of those held back may take effect now.
func (s *System) Ready(cpu, i int) bool {
	held := s.cpus[cpu].held
	if held[i].Release {
		return i == 0
	}
	for j := range i {
		if held[j].Word == held[i].Word {
			return false
		}
	}
	return true
}

// MustWait says whether an access by an AArch64 CPU has to wait until some of the
// stores that are held back have taken effect. Mask is of the bits that it accesses;
// atomic is one that does more than load. A plain store never has to.
func (s *System) MustWait(cpu int, a *Access, mask uint64, atomic bool) bool {
	last := ^uint64(0) // what the youngest store to the word writes
	for i := range s.cpus[cpu].held {
		st := &s.cpus[cpu].held[i]
		if a.Release || a.Acquire && st.Release || st.Word == a.Word && (atomic || a.Exclusive) {
			return true
		}
		if st.Word == a.Word {
			last = st.Mask
		}
	}
	// A load takes the value of the youngest store, or waits if that is not all of it.
	return last&mask != mask
}

// HeldTo is the youngest of the stores that a CPU holds back that is to a word, or
// nil. It is valid until the CPU's next operation.
func (s *System) HeldTo(cpu int, word int32) *Store {
	held := s.cpus[cpu].held
	for i := len(held) - 1; i >= 0; i-- {
		if held[i].Word == word {
			return &held[i]
		}
	}
	return nil
}

// Append has the i-th store of those held back take effect.
func (s *System) Append(cpu, i int) Message {
	c := &s.cpus[cpu]
	st := c.held[i]
	c.held = append(c.held[:i], c.held[i+1:]...)
	return s.Write(cpu, &st, &Access{Word: st.Word, Release: st.Release, Data: st.from})
}

// Write has a store take effect at once: one of an x86-64 CPU, or a
// store-exclusive that succeeds.
func (s *System) Write(cpu int, st *Store, a *Access) Message {
	w := &s.words[st.Word]
	c, of := &s.cpus[cpu], &w.cpus[cpu]
	s.Now++
	newest := w.messages[len(w.messages)-1].Value
	m := Message{s.Now, st.ID, newest&^st.Mask | st.Value}
	w.messages = append(w.messages, m)
	from := max(a.Addr, a.Data)
	*of = known{coherent: m.At, own: m.At, order: from}
	if a.Exclusive {
		of.update = c.link
	}
	c.wrote = m.At
	if c.rules == Arm {
		c.control = max(c.control, a.Addr)
		if a.Release {
			c.release = m.At
		}
	}
	return m
}

// WriteBeside has a write take effect that no CPU has made: a table walker's. It
// orders nothing but the writes of its word.
func (s *System) WriteBeside(st *Store) Message {
	w := &s.words[st.Word]
	s.Now++
	newest := w.messages[len(w.messages)-1].Value
	m := Message{s.Now, st.ID, newest&^st.Mask | st.Value}
	w.messages = append(w.messages, m)
	return m
}

// Update has a read-modify-write of one instruction write, which has read the
// newest message before with Load, whose dep is read. What it writes is computed from
// that if it computes, but not that of SWP and CAS. For one that fails there is nothing
// more to do than the Load, but on x86-64 see LockedLoad.
func (s *System) Update(cpu int, st *Store, a *Access, read TS, computes bool) Message {
	m := s.Write(cpu, st, a)
	c := &s.cpus[cpu]
	switch {
	case c.rules == X86:
		c.read = m.At
	case a.Acquire && a.Release:
		c.read = max(c.read, m.At)
	}
	of := &s.words[st.Word].cpus[cpu]
	of.update = read
	if computes {
		of.dep = max(of.dep, read)
	}
	return m
}

// LockedLoad comes before the Load of a locked compare-and-exchange of x86-64 that
// fails: it orders what was written before it. (The architecture manual has it write
// the old value back; herd's model of it reads.)
func (s *System) LockedLoad(cpu int) {
	if c := &s.cpus[cpu]; c.rules == X86 {
		c.read = max(c.read, c.wrote)
	}
}

// FullFence is MFENCE, or DMB SY: of AArch64, nothing must be held back.
func (s *System) FullFence(cpu int) {
	c := &s.cpus[cpu]
	c.read = max(c.read, c.wrote)
	if c.rules == Arm {
		c.read = max(c.read, c.seen, c.silent)
	}
}

// LoadFence is DMB LD; LFENCE orders no more than x86-64 does without.
func (s *System) LoadFence(cpu int) {
	if c := &s.cpus[cpu]; c.rules == Arm {
		c.read = max(c.read, c.seen)
	}
}

// InstFence is ISB: loads behind it come after what branches and addresses before
// it depended on.
func (s *System) InstFence(cpu int) {
	if c := &s.cpus[cpu]; c.rules == Arm {
		c.read = max(c.read, c.control)
	}
}

// Branch accounts that what follows is executed because of a value that depends on
// dep.
func (s *System) Branch(cpu int, dep TS) {
	c := &s.cpus[cpu]
	c.control = max(c.control, dep)
}

// View is what a CPU knows: up to which message all later loads must read at least;
// or, if newest, the newest message that it has read or written, which is the last
// one of all if a store is held back.
func (s *System) View(cpu int, newest bool) TS {
	switch c := &s.cpus[cpu]; {
	case !newest:
		return c.read
	case len(c.held) > 0:
		return ^TS(0)
	default:
		return max(c.read, c.wrote, c.seen, c.silent)
	}
}

// Sees has all later loads of a CPU read no older than what took effect up to at.
func (s *System) Sees(cpu int, at TS) {
	c := &s.cpus[cpu]
	c.read = max(c.read, at)
}
