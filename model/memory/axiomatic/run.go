package axiomatic

import (
	"encoding/binary"
	"fmt"

	"github.com/fusedos/stramash/model/litmus"
)

// maxEvents bounds the events of a thread, by the bits of Deps.
const maxEvents = 64

// value is what a register holds, and what that depends on: the reads that it was
// computed from, and with pick also those that selected it.
type value struct {
	v        uint64
	on, pick uint64
	depth    int // see candidate
}

// computed is a value that is computed from others.
func computed(v uint64, from ...value) value {
	out := value{v: v}
	for _, f := range from {
		out.on |= f.on
		out.pick |= f.pick
		out.depth = max(out.depth, f.depth)
	}
	return out
}

// local is what a thread's newest write to a location was made of: reads of it
// depend on that, be they of this write or not.
type local struct {
	written  bool
	last     uint64 // the value
	moved    bool   // the thread has read or written what is not the initial value
	on, pick uint64
}

// run is one way in which a thread can go: its events, and what it leaves.
type run struct {
	events []Event
	order  relation // lob
	seen   []uint64 // values of the thread's observables
	shapes []int32  // of each location: the number of what it does there
	at     [][]int  // of each location: its events there
	err    error    // it ends here because it does what is not supported
}

// walker finds the runs of a thread, with every read reading each of the values
// that the location could ever hold.
type walker struct {
	p      *litmus.Program
	thread int
	values [][]candidate // of each location
	meter  *meter
	cut    bool
	found  func(regs *[litmus.NumRegs]value, err error)

	events []Event
	may    []map[uint64]int // of each location: what the thread may write, and its depth
	depth  int              // the greatest that makes sense
	blind  bool             // reads also what can't be, to say why
}

// state is where a walk is.
type state struct {
	pc        int
	regs      [litmus.NumRegs]value
	locals    []local
	ctrl      uint64 // reads that branches so far depended on
	pick      uint64
	exclusive int // the event that opened the monitor, or -1
	events    int
}

// walk finds all runs. One that does what is not supported ends there.
func (w *walker) walk() {
	th := &w.p.Threads[w.thread]
	s := state{exclusive: -1, locals: make([]local, len(w.p.Locations))}
	for r, v := range th.Init {
		s.regs[r] = value{v: v}
	}
	w.events = w.events[:0]
	w.from(s)
}

// from goes on from a state, which it may change.
func (w *walker) from(s state) {
	code := w.p.Threads[w.thread].Code
	for s.pc < len(code) {
		if !w.meter.step() {
			return
		}
		op := &code[s.pc]
		s.pc++
		switch op.Kind {
		case litmus.OpNop:
		case litmus.OpCut:
			w.cut = true
			return
		case litmus.OpALU:
			s.alu(op)
		case litmus.OpSelect:
			s.sel(op)
		case litmus.OpBranch:
			s.pc = op.Target
		case litmus.OpBranchIf:
			s.branch(op, op.Cond.Holds(s.regs[litmus.Flags].v), s.regs[litmus.Flags])
		case litmus.OpBranchZero:
			a := s.get(op.A)
			s.branch(op, (litmus.FnMove.Apply(op.Width, 0, a.v) == 0) != op.Not, a)
		case litmus.OpFence:
			if !w.add(&s, op, Event{Kind: Fence, Fence: op.Fence}) {
				return
			}
		default:
			w.access(s, op)
			return
		}
	}
	w.end(&s, nil)
}

// end is the end of a run.
func (w *walker) end(s *state, err error) {
	w.events = w.events[:s.events]
	w.found(&s.regs, err)
}

func (s *state) get(o litmus.Operand) value {
	if o.Reg == litmus.NoReg || o.Reg == litmus.Zero {
		return value{v: o.Imm}
	}
	return s.regs[o.Reg]
}

func (s *state) set(r litmus.Reg, v value) {
	if r != litmus.NoReg && r != litmus.Zero {
		s.regs[r] = v
	}
}

func (s *state) alu(op *litmus.Op) {
	a, b := s.get(op.A), s.get(op.B)
	r := computed(op.Fn.Apply(op.Width, a.v, b.v), a, b)
	if op.SetFlags {
		s.regs[litmus.Flags] = computed(op.Fn.FlagsOf(op.Width, a.v, b.v), a, b)
	}
	s.set(op.Dst, r)
}

// sel is CSEL: its result depends on what was selected, and is picked by the flags.
func (s *state) sel(op *litmus.Op) {
	flags, r := s.regs[litmus.Flags], s.get(op.B)
	if op.Cond.Holds(flags.v) {
		r = s.get(op.A)
	}
	r.v = litmus.FnMove.Apply(op.Width, 0, r.v)
	r.pick |= flags.pick
	s.set(op.Dst, r)
}

func (s *state) branch(op *litmus.Op, taken bool, on value) {
	s.ctrl |= on.on
	s.pick |= on.pick
	if taken {
		s.pc = op.Target
	}
}

// add appends an event. It answers false if there is no room, which ends the run.
func (w *walker) add(s *state, op *litmus.Op, e Event) bool {
	if s.events == maxEvents {
		w.end(s, fmt.Errorf("line %d: thread %d has more than %d accesses and fences: make it shorter, or unroll its loops less", op.Line, w.thread, maxEvents))
		return false
	}
	e.Thread, e.ISA, e.Line, e.Text = w.thread, w.p.Threads[w.thread].ISA, op.Line, op.Text
	e.Ctrl, e.PickCtrl = s.ctrl, s.pick
	w.events = append(w.events[:s.events], e)
	s.events++
	return true
}

// address is the location that op accesses, and what its address depends on.
func (w *walker) address(s *state, op *litmus.Op) (loc int, addr value, err error) {
	addr = value{v: op.Addr.Offset}
	for _, r := range []litmus.Reg{op.Addr.Base, op.Addr.Index} {
		if r != litmus.NoReg && r != litmus.Zero {
			addr = computed(addr.v+s.regs[r].v, addr, s.regs[r])
		}
	}
	loc, err = w.p.Locate(op, addr.v)
	return loc, addr, err
}

// access goes on with an access to memory, in all ways in which it can go.
func (w *walker) access(s state, op *litmus.Op) {
	loc, addr, err := w.address(&s, op)
	if err != nil {
		w.end(&s, err)
		return
	}
	switch op.Kind {
	case litmus.OpStore:
		if w.write(&s, op, loc, addr, s.get(op.A), Event{}) {
			w.from(s)
		}
		return
	case litmus.OpStoreEx:
		w.storeExclusive(s, op, loc, addr)
		return
	}
	for _, v := range w.values[loc] {
		if !w.blind && !w.plausible(&s.locals[loc], v) {
			continue
		}
		next := s
		next.locals = append([]local(nil), s.locals...)
		next.locals[loc].moved = next.locals[loc].moved || v.writers != initially
		w.reads(next, op, loc, addr, v)
	}
}

// plausible says whether a read may read a value, as far as its own thread's accesses to
// the location tell: the initial value is gone when a newer one has been seen, and
// what nobody else writes is what the thread itself wrote last.
func (w *walker) plausible(l *local, v candidate) bool {
	switch own := uint64(1) << w.thread; {
	case v.writers == initially:
		return !l.moved
	case v.writers == own:
		return l.written && l.last == v.value
	}
	return true
}

// reads goes on with an access that has read v.
func (w *walker) reads(s state, op *litmus.Op, loc int, addr value, v candidate) {
	e := Event{
		Kind: Read, Loc: loc, Value: v.value, Acquire: op.Acquire, AcquirePC: op.AcquirePC, NoRet: op.NoRet,
		Locked: op.Kind == litmus.OpUpdate || op.Kind == litmus.OpCAS,
		Deps:   Deps{Addr: addr.on, PickAddr: addr.pick, Pick: addr.pick | s.locals[loc].pick},
	}
	if !w.add(&s, op, e) {
		return
	}
	self := uint64(1) << (s.events - 1)
	got := value{v.value, self | addr.on | s.locals[loc].on, self | addr.pick | s.locals[loc].pick, v.depth}
	switch op.Kind {
	case litmus.OpLoadEx:
		s.exclusive = s.events - 1
		fallthrough
	case litmus.OpLoad:
		s.set(op.Dst, got)
		w.from(s)
	case litmus.OpUpdate:
		w.update(s, op, loc, addr, got)
	default:
		w.cas(s, op, loc, addr, got)
	}
}

// update writes what a read-modify-write computes. That depends on the read, unless it
// only exchanges.
func (w *walker) update(s state, op *litmus.Op, loc int, addr, old value) {
	a := s.get(op.A)
	data := a
	data.v = op.Fn.Apply(op.Width, old.v, a.v)
	inner := value{}
	if op.Fn != litmus.FnMove {
		inner = old
		data.depth = max(data.depth, old.depth)
	}
	s.set(op.Dst, old)
	if w.writeInner(&s, op, loc, addr, data, inner) {
		w.from(s)
	}
}

// cas goes on with a compare-and-swap that has read old. On AArch64 one that
// succeeds may take its result from the register that it compares with, which has the
// same value, and one that fails may write back what it has read, which is picked by
// the read and does not depend on it (AArch64Sem.ml and event.ml of herd 7.58; later
// ones have it depend).
func (w *walker) cas(s state, op *litmus.Op, loc int, addr, old value) {
	want := s.get(op.B)
	arm := w.p.Threads[w.thread].ISA == litmus.AArch64
	if litmus.FnMove.Apply(op.Width, 0, want.v) != old.v {
		fails := s
		fails.set(op.Dst, old)
		if arm {
			back := fails
			back.locals = append([]local(nil), s.locals...)
			inner := value{pick: want.pick | old.pick}
			if w.writeInner(&back, op, loc, addr, value{v: old.v, pick: want.pick, depth: old.depth}, inner) {
				w.from(back)
			}
		}
		w.from(fails)
		return
	}
	results := []value{old}
	if arm {
		results = append(results, value{old.v, want.on, want.pick | old.pick, min(old.depth, want.depth)})
	}
	for _, result := range results {
		next := s
		next.locals = append([]local(nil), s.locals...)
		data := s.get(op.A)
		next.set(op.Dst, result)
		data.v = litmus.FnMove.Apply(op.Width, 0, data.v)
		data.pick |= want.pick
		if w.writeInner(&next, op, loc, addr, data, value{pick: want.pick | old.pick}) {
			w.from(next)
		}
	}
}

// writeInner is the write of an instruction that has just read. Inner is what within the
// instruction it depends on.
func (w *walker) writeInner(s *state, op *litmus.Op, loc int, addr, data, inner value) bool {
	e := Event{Pair: 1, One: true, Locked: true}
	if !w.write(s, op, loc, addr, data, e) {
		return false
	}
	w.events[s.events-1].Pick |= inner.pick
	s.locals[loc].on |= inner.on
	s.locals[loc].pick |= inner.pick
	return true
}

// write appends a write.
func (w *walker) write(s *state, op *litmus.Op, loc int, addr, data value, e Event) bool {
	e.Kind, e.Loc, e.Release = Write, loc, op.Release
	e.Value = litmus.FnMove.Apply(op.Width, 0, data.v)
	e.Deps = Deps{Addr: addr.on, Data: data.on, PickAddr: addr.pick, PickData: data.pick, Pick: addr.pick | data.pick}
	depth := 0
	if data.on != 0 || data.depth > 0 || computes(op) {
		depth = data.depth + 1
	}
	w.mayWrite(loc, e.Value, depth)
	s.locals[loc] = local{true, e.Value, true, addr.on | data.on, addr.pick | data.pick}
	return w.add(s, op, e)
}

// computes says whether an update writes what it computes from its own read.
func computes(op *litmus.Op) bool { return op.Kind == litmus.OpUpdate && op.Fn != litmus.FnMove }

// mayWrite notes that a write of a value was met, which comes from a value of a depth.
func (w *walker) mayWrite(loc int, v uint64, depth int) {
	if known, ok := w.may[loc][v]; depth <= w.depth && (!ok || depth < known) {
		w.may[loc][v] = depth
	}
}

// storeExclusive fails, or writes if the thread has the monitor of this location.
// Its status depends on nothing.
func (w *walker) storeExclusive(s state, op *litmus.Op, loc int, addr value) {
	fails := s
	fails.locals = append([]local(nil), s.locals...)
	fails.exclusive = -1
	fails.set(op.Dst, value{v: 1})
	w.from(fails)
	if s.exclusive < 0 || w.events[s.exclusive].Loc != loc {
		return
	}
	e := Event{Pair: s.events - s.exclusive}
	data := s.get(op.A)
	s.exclusive = -1
	s.set(op.Dst, value{})
	if w.write(&s, op, loc, addr, data, e) {
		w.from(s)
	}
}

// key identifies what a run does and leaves, for runs that can't be told apart.
func (r *run) key() string {
	b := make([]byte, 0, 32*len(r.events))
	for i := range r.events {
		e := &r.events[i]
		flags := uint64(e.Kind) | uint64(e.Loc)<<8 | uint64(e.Pair)<<40
		if e.One {
			flags |= 1 << 32
		}
		b = binary.LittleEndian.AppendUint64(b, flags)
		b = binary.LittleEndian.AppendUint64(b, e.Value)
	}
	for _, w := range r.order.bits {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, v := range r.seen {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return string(b)
}

// candidate is a value that a location can hold.
type candidate struct {
	value   uint64
	writers uint64 // the threads that may write it; bit 63 is the initial write
	// depth is how many writes, one after the other, the value has come through that
	// wrote what they had computed from reads. As no value of an allowed execution
	// depends on itself, it is no more than there are such writes.
	depth int
}

const initially = uint64(1) << 63

// computingWrites counts the writes of what depends on reads.
func computingWrites(p *litmus.Program) (n int) {
	for t := range p.Threads {
		var read [256]bool // registers that depend on reads
		tainted := func(o litmus.Operand) bool { return o.Reg != litmus.NoReg && read[o.Reg] }
		code := p.Threads[t].Code
		for i := range code {
			op := &code[i]
			switch op.Kind {
			case litmus.OpLoad, litmus.OpLoadEx, litmus.OpCAS, litmus.OpUpdate:
				read[op.Dst] = true
			case litmus.OpALU, litmus.OpSelect:
				read[op.Dst] = read[op.Dst] || tainted(op.A) || tainted(op.B)
			}
			switch op.Kind {
			case litmus.OpUpdate:
				n += one(computes(op) || tainted(op.A))
			case litmus.OpStore, litmus.OpStoreEx, litmus.OpCAS:
				n += one(tainted(op.A))
			}
		}
	}
	return n
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
