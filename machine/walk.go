package machine

// walk is a walk of page tables for one address.
type walk struct {
	u       *mmu
	va      VA
	level   int
	table   PA
	write   bool // the access writes
	may     bool // writes, by all levels so far
	present bool // of a fault: a page is there, and may not be written
}

// walked is what comes of an entry.
type walked uint8

const (
	walkOn    walked = iota // to the next level
	walkDone                // the TLB has the translation
	walkFault               //
	walkAgain               // an invalidation, or an interrupt, came in between
)

func (u *mmu) begin(va VA, write bool) walk {
	return walk{u: u, va: va, table: u.root, write: write, may: true}
}

// slot is the address of the entry that comes next.
func (w *walk) slot() (PA, bool) {
	off, ok := w.u.Format.Slot(w.level, w.va)
	return w.table + PA(off), ok
}

// allows says whether an entry lets the walk go on.
func (w *walk) allows(e PageEntry) bool {
	return e.Present && (!e.Leaf || !w.write || w.may && e.Write)
}

// marked is an entry as the walk must leave it.
func (w *walk) marked(entry uint64) uint64 {
	e := w.u.Format.Decode(w.level, entry)
	if !w.allows(e) {
		return entry
	}
	return w.u.Format.Mark(w.level, entry, w.write && e.Leaf)
}

// take goes through an entry, which is marked.
func (w *walk) take(entry uint64) walked {
	e := w.u.Format.Decode(w.level, entry)
	if !w.allows(e) {
		w.present = e.Present
		w.u.tlb.counts.Faults++
		return walkFault
	}
	w.may = w.may && e.Write
	if e.Leaf {
		w.u.fill(w.va, e, w.may)
		return walkDone
	}
	w.level, w.table = w.level+1, e.Addr
	return walkOn
}

// throughTLB is where the access of an operation that was announced goes, through the TLB.
// A miss has the walker read the tables, each entry in a step of its own, of which the
// first is that of the operation; then it is announced anew, and looked up anew. In a
// timed run the walk is part of the operation. It answers false for a fault.
func (t *Thread) throughTLB(op Op) (pa PA, ok bool) {
	write, fresh := op.Kind.Writes(), false
	t.present = false
	for {
		u := t.cpu.mmu
		if u == nil || !u.covers(op.Addr) { // it may have migrated meanwhile
			return PA(op.Addr), true
		}
		u.lookedUp(t.ctx)
		e := u.tlb.find(op.Addr)
		if e != nil && !fresh && t.evicts() {
			u.change(t.ctx)
			u.drop(op.Addr)
			e = nil
		}
		switch {
		case e == nil:
		case !write || e.write && e.dirty:
			if !fresh {
				u.tlb.counts.Hits++
			}
			return e.use(op.Addr), true
		case !e.write:
			u.tlb.counts.Faults++
			u.change(t.ctx)
			u.denied(op.Addr)
			t.present = true
			t.local(Op{Kind: OpTranslate, Size: op.Size, Addr: op.Addr}, false)
			return 0, false
		} // a write through a clean entry walks
		u.tlb.counts.Misses++
		u.tlb.counts.Walks++
		switch t.walk(u, op.Addr, write) {
		case walkFault:
			return 0, false
		case walkDone:
			if fresh = t.m.isTimed(); fresh {
				continue
			}
			epoch := u.epoch
			t.announce(op.pack())
			fresh = t.cpu.mmu == u && u.epoch == epoch
		case walkAgain:
			fresh = false
		}
	}
}

// denied is told that an entry did not let a write through. x86-64 forgets it
// (Intel's SDM, volume 3, 4.10.4.1), AArch64 does not.
func (u *mmu) denied(va VA) {
	if !u.cpu.isa.TLBI {
		u.drop(va)
	}
}

// evicts asks whether the translation that an access has found in the TLB is gone.
func (t *Thread) evicts() bool {
	m, u := t.m, t.cpu.mmu
	if m.phase != adversarial || u.evictions >= m.limits.Evictions {
		return false
	}
	if m.choose(t.ctx, t.cpu, Evict, 2) == 0 {
		return false
	}
	u.evictions++
	return true
}

// walk has the walker read the tables for an address.
func (t *Thread) walk(u *mmu, va VA, write bool) walked {
	w, epoch := u.begin(va, write), u.epoch
	goesOn := func(op Op) bool {
		if t.m.isTimed() {
			return true
		}
		t.announce(op.pack())
		if t.cpu.mmu != u || u.epoch != epoch {
			return false
		}
		u.lookedUp(t.ctx)
		return true
	}
	t.present = false
	for {
		at, ok := w.slot()
		op := Op{Kind: OpWalk, Size: Size64, Addr: VA(at)}
		if ok && w.level > 0 && !goesOn(op) {
			return walkAgain
		}
		var a access
		if ok && !(t.m.mem.closed && t.m.mem.forbids(t.cpu.node, at)) {
			a = t.m.mem.at(at, Size64)
		}
		if a.loc == nil {
			u.tlb.counts.Faults++
			return walkFault
		}
		if !t.fetches(op, a, goesOn) {
			return walkAgain
		}
		entry := t.readEntry(op, a)
		if w.marked(entry) != entry {
			if op.Kind = OpMark; !goesOn(op) || !t.fetches(op, a, goesOn) {
				return walkAgain
			}
			entry = t.markEntry(op, a, &w)
		}
		switch r := w.take(entry); r {
		case walkDone:
			u.change(t.ctx)
			return r
		case walkFault:
			t.present = w.present
			return r
		}
	}
}

// fetches waits until the cache has the line of an entry. It answers false if the walk
// does not go on.
func (t *Thread) fetches(op Op, a access, goesOn func(Op) bool) bool {
	f := t.m.fabric
	for waited := false; f != nil && !f.granted(t, op, a, waited); waited = true {
		t.restForLine(op.pack(), a)
		if !goesOn(op) {
			return false
		}
	}
	return true
}

// readEntry is the walker's read of an entry. It reads the newest write: what the
// CPU's store buffer holds is not seen, and is not waited for.
func (t *Thread) readEntry(op Op, a access) uint64 {
	m := t.m
	v := m.stored(t.cpu, a)
	t.hashRead(op.pack(), a.loc, v)
	if h := m.timing; h != nil {
		h.touch(t.cpu, a.pa, false)
	}
	if m.tracer != nil {
		t.trace(op, a.pa, v, 0, true)
	}
	return v
}

// markEntry is the walker's atomic update of an entry, which may have changed since
// it was read: if it does not let the access through any more, it stays as it is. It
// answers the entry.
func (t *Thread) markEntry(op Op, a access, w *walk) uint64 {
	m := t.m
	old := m.stored(t.cpu, a)
	v := w.marked(old)
	ok := v != old
	if h := m.timing; h != nil {
		h.touch(t.cpu, a.pa, true)
	}
	if !ok {
		t.hashRead(op.pack(), a.loc, old)
	} else {
		if o := m.order; o != nil {
			o.mark(t, op.pack(), a, v)
		} else {
			m.keep(t.cpu, a, v)
		}
		m.hashWrite(t.ctx, op.pack(), a.loc, v)
		t.changes(a, old, v)
	}
	if m.tracer != nil {
		t.trace(op, a.pa, old, v, ok)
	}
	return v
}

// lookedUp accounts that x has looked at the TLB.
func (u *mmu) lookedUp(x *context) {
	h := mix(x.hash^looked, u.state.writer)
	x.hash = h
	u.state.reads += h
}

// change accounts that x changes the TLB or the root.
func (u *mmu) change(x *context) { u.state.changed(x) }

// changed accounts that x changes what a location stands for in the hashes.
func (w *location) changed(x *context) {
	h := mix(x.hash^changed, w.writer+w.reads*readsFactor)
	x.hash = h
	w.writer, w.reads = h, 0
}

// looked and changed stand in the hash of a context for what it does to a TLB.
const looked, changed = 0x71f5, 0x71f6

// SetRoot sets the root of the page tables of the thread's CPU: the physical address
// of the first level's table, or zero to have addresses be physical. On x86-64 it is
// MOV to CR3, which empties the TLB and serialises; on AArch64 MSR TTBR0_EL1 with the
// ISB behind it, which leaves the TLB as it is, for there are no ASIDs here.
func (t *Thread) SetRoot(root PA) {
	op := Op{Kind: OpRoot, Addr: VA(root)}
	t.announce(op.pack())
	u := t.m.mustHaveMMU(t.cpu)
	u.change(t.ctx)
	u.root = root
	u.epoch++
	if t.m.isTimed() {
		t.port.forget()
	}
	if !t.cpu.isa.TLBI {
		u.drop(noPage)
		t.serialise()
	} else {
		t.synchronise()
	}
	t.local(op, true)
	t.cpu.refresh()
}

// serialise is what a serialising instruction of x86-64 does to the order of accesses.
func (t *Thread) serialise() {
	if o := t.m.order; o != nil {
		o.meets(t, Op{Kind: OpFence, Addr: VA(FullFence)})
		o.fence(t, FullFence)
	}
}
