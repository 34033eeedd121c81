package axiomatic

import "github.com/fusedos/stramash/model/litmus"

// Kind is what an event does.
type Kind uint8

// The kinds of events.
const (
	Read Kind = iota
	Write
	Fence
)

// Event is one access to memory, or a fence. A read-modify-write of one instruction
// is two, a read with a write directly behind it.
type Event struct {
	Thread    int
	ISA       litmus.ISA
	Kind      Kind
	Loc       int
	Value     uint64
	Acquire   bool // of a read: LDAR, and the A of an update
	AcquirePC bool // LDAPR
	Release   bool // of a write
	NoRet     bool // of a read: its result goes nowhere, as STADD's
	// Locked: of x86-64, it is part of a locked instruction.
	Locked bool
	Fence  litmus.FenceKind
	// Pair is, of the write of a read-modify-write (or of a store-exclusive that
	// succeeded), how many events of its thread its read is before it; else 0.
	Pair int
	// One says that the pair is one instruction.
	One  bool
	Line int    // of the test, or what the user numbers events by
	Text string // the instruction
	Deps
}

// Deps is what an event depends on, as sets of earlier reads of its thread: bit k
// is the thread's event k. Only threads of up to 64 events have any. Pick
// dependencies go through what merely selects a value: the condition of CSEL, the
// comparison of CAS.
type Deps struct {
	Addr, Data, Ctrl             uint64
	PickAddr, PickData, PickCtrl uint64
	Pick                         uint64 // through registers or memory, in whatever way
}

// Initial is the write that a read reads which comes before all others.
const Initial = -1

// Execution is a candidate execution: what every thread did, which write every
// read reads, and in which order the writes to each location take effect.
type Execution struct {
	Names  []string // of the locations
	Events []Event  // by thread, in program order
	From   []int    // of each read: the write, or Initial
	Order  [][]int  // of each location: its writes, oldest first, without the initial one
}

// thread is the events of one thread with the sets and relations that the axioms
// are made of. Numbers are those of the thread's own events.
type thread struct {
	events []Event

	reads, writes, accesses  set
	acquire, acquirePC       set // reads
	release                  set // writes
	silent                   set // reads that are NoRet
	locked                   set
	full, loads, stores      set // fences
	storesAll, isb, anyFence set

	po, sameLoc relation // program order, and the part of it within one location
	readsNext   relation // from a write to the reads that come next to its location
	rmw         relation // from the read to the write
	amo         relation // the same of one instruction
	addr, data, ctrl,
	pickAddr, pickData, pickCtrl, pick relation
}

func newThread(events []Event) *thread {
	n := len(events)
	x := &thread{events: events}
	w := max((n+63)/64, 1)
	sets := []*set{
		&x.reads, &x.writes, &x.accesses, &x.acquire, &x.acquirePC, &x.release, &x.silent, &x.locked,
		&x.full, &x.loads, &x.stores, &x.storesAll, &x.isb, &x.anyFence,
	}
	words := make([]uint64, w*len(sets))
	for i, s := range sets {
		*s = words[i*w : (i+1)*w]
	}
	for i := range events {
		x.classify(i, &events[i])
	}
	x.order()
	return x
}

// classify puts an event into its sets.
func (x *thread) classify(i int, e *Event) {
	put := func(s set, yes bool) {
		if yes {
			s.add(i)
		}
	}
	r, w, f := e.Kind == Read, e.Kind == Write, e.Kind == Fence
	put(x.reads, r)
	put(x.writes, w)
	put(x.accesses, r || w)
	put(x.acquire, r && e.Acquire)
	put(x.acquirePC, r && e.AcquirePC)
	put(x.release, w && e.Release)
	put(x.silent, r && e.NoRet)
	put(x.locked, e.Locked)
	put(x.anyFence, f)
	put(x.full, f && e.Fence == litmus.FenceFull)
	put(x.loads, f && e.Fence == litmus.FenceLoad)
	put(x.stores, f && (e.Fence == litmus.FenceStore || e.Fence == litmus.FenceStoreAny))
	put(x.storesAll, f && e.Fence == litmus.FenceStoreAny)
	put(x.isb, f && e.Fence == litmus.FenceISB)
}

// order fills in the relations.
func (x *thread) order() {
	n := len(x.events)
	all := []*relation{
		&x.po, &x.sameLoc, &x.readsNext, &x.rmw, &x.amo,
		&x.addr, &x.data, &x.ctrl, &x.pickAddr, &x.pickData, &x.pickCtrl, &x.pick,
	}
	one := newRelation(n)
	words := make([]uint64, len(one.bits)*len(all))
	for i, r := range all {
		*r = relation{n, one.w, words[i*len(one.bits) : (i+1)*len(one.bits)]}
	}
	for j := range x.events {
		b := &x.events[j]
		if b.Pair > 0 {
			x.rmw.add(j-b.Pair, j)
			if b.One {
				x.amo.add(j-b.Pair, j)
			}
		}
		x.depends(j, b)
	}
	for i := range x.events {
		x.after(i)
	}
}

// after relates event i to those behind it.
func (x *thread) after(i int) {
	a := &x.events[i]
	hidden := a.Kind != Write // from the reads behind: a write came between
	for j := i + 1; j < len(x.events); j++ {
		b := &x.events[j]
		if b.Pair > 0 && b.One && j-b.Pair == i {
			continue // the same instruction
		}
		x.po.add(i, j)
		if a.Kind == Fence || b.Kind == Fence || a.Loc != b.Loc {
			continue
		}
		x.sameLoc.add(i, j)
		if !hidden && b.Kind == Read {
			x.readsNext.add(i, j)
		}
		hidden = hidden || b.Kind == Write
	}
}

// depends relates what event j depends on to it.
func (x *thread) depends(j int, e *Event) {
	for _, d := range []struct {
		on uint64
		r  relation
	}{
		{e.Addr, x.addr}, {e.Data, x.data}, {e.Ctrl, x.ctrl},
		{e.PickAddr, x.pickAddr}, {e.PickData, x.pickData}, {e.PickCtrl, x.pickCtrl}, {e.Pick, x.pick},
	} {
		for i := 0; d.on>>i != 0; i++ {
			if d.on>>i&1 != 0 {
				d.r.add(i, j)
			}
		}
	}
}

// across relates events of one set to those of another one if a fence stands between.
func (x *thread) across(before, fences, after set) relation {
	out := newRelation(len(x.events))
	next := -1 // the nearest fence behind i
	for i := len(x.events) - 1; i >= 0; i-- {
		if next >= 0 && before.has(i) {
			row, in := out.row(i), x.po.row(next)
			for k := range row {
				row[k] = in[k] & after[k]
			}
		}
		if fences.has(i) {
			next = i
		}
	}
	return out
}
