package machine

import "fmt"

// update executes a single-instruction read-modify-write.
func (t *Thread) update(op Op, arg, cmp uint64) (old uint64, ok bool) {
	if !t.cpu.isa.RMW {
		panic(fmt.Sprintf("%s instruction on %s, which has none: use LoadExclusive and StoreExclusive", op.Kind, t.cpu.isa.Name))
	}
	ann := op.pack()
	t.ready(ann)
	at := t.access(ann)
	if o := t.m.order; o != nil {
		old = o.readToUpdate(t, ann, at, cmp)
	} else {
		old = t.m.stored(t.cpu, at)
	}
	v := old
	ok = true
	switch op.Kind {
	case OpCAS:
		if ok = old == cmp&op.Size.mask(); ok {
			v = arg
		}
	case OpSwap:
		v = arg
	case OpAdd:
		v = old + arg
	case OpAnd:
		v = old & arg
	case OpOr, OpTestSet:
		v = old | arg
	case OpXor:
		v = old ^ arg
	}
	v &= op.Size.mask()
	if ok {
		t.write(ann, at, v)
		t.didWrite(ann, at, old, v)
	} else {
		t.dependsNoMore()
		t.didRead(ann, at, old)
	}
	if t.m.tracer != nil {
		t.trace(op, at.pa, old, v, ok)
	}
	return old, ok
}

// write is the writing part of an update or a store-exclusive.
func (t *Thread) write(op announced, a access, v uint64) {
	if o := t.m.order; o != nil {
		o.update(t, op, a, v)
	} else {
		t.m.keep(t.cpu, a, v)
	}
}

// CompareAndSwap writes v if memory holds old: LOCK CMPXCHG on x86-64, CAS on
// AArch64. It answers what memory held, and whether v was written.
func (t *Thread) CompareAndSwap(a VA, s Size, old, v uint64, o Order) (seen uint64, ok bool) {
	return t.update(Op{OpCAS, s, o, a}, v, old)
}

// Swap writes v and answers the old value: XCHG; SWP.
func (t *Thread) Swap(a VA, s Size, v uint64, o Order) uint64 {
	old, _ := t.update(Op{OpSwap, s, o, a}, v, 0)
	return old
}

// FetchAdd adds v, modulo the size, and answers the old value: LOCK XADD;
// LDADD.
func (t *Thread) FetchAdd(a VA, s Size, v uint64, o Order) uint64 {
	old, _ := t.update(Op{OpAdd, s, o, a}, v, 0)
	return old
}

// AtomicAnd keeps the bits of v: LOCK AND; STCLR with the complement. It is what
// both ISAs have in one instruction, which is why it answers nothing.
func (t *Thread) AtomicAnd(a VA, s Size, v uint64, o Order) {
	t.NoResult()
	t.FetchAnd(a, s, v, o)
}

// AtomicOr sets the bits of v: LOCK OR; STSET.
func (t *Thread) AtomicOr(a VA, s Size, v uint64, o Order) {
	t.NoResult()
	t.FetchOr(a, s, v, o)
}

// FetchAnd keeps the bits of v, and answers the old value: LDCLR with the
// complement. LOCK AND of x86-64 gives no more of it than what the flags tell of
// the new value: a program for x86-64 must use no more.
func (t *Thread) FetchAnd(a VA, s Size, v uint64, o Order) uint64 {
	old, _ := t.update(Op{OpAnd, s, o, a}, v, 0)
	return old
}

// FetchOr sets the bits of v, and answers the old value: LDSET; LOCK OR, as with
// FetchAnd.
func (t *Thread) FetchOr(a VA, s Size, v uint64, o Order) uint64 {
	old, _ := t.update(Op{OpOr, s, o, a}, v, 0)
	return old
}

// FetchXor flips the bits of v, and answers the old value: LDEOR; LOCK XOR, as with
// FetchAnd.
func (t *Thread) FetchXor(a VA, s Size, v uint64, o Order) uint64 {
	old, _ := t.update(Op{OpXor, s, o, a}, v, 0)
	return old
}

// NoResult says that the result of the thread's next access, an update, goes
// nowhere: STADD, or SWP to XZR. On AArch64, a LoadFence does not order it.
func (t *Thread) NoResult() { t.ctx.said.silent = true }

// TestAndSetBit sets a bit, counted from 0, and answers whether it was set
// before: LOCK BTS; LDSET.
func (t *Thread) TestAndSetBit(a VA, s Size, bit uint, o Order) bool {
	if bit >= 8*uint(s) {
		panic(fmt.Sprintf("test-and-set of bit %d of %d bytes at %s", bit, s, t.m.NameAddr(a)))
	}
	v := uint64(1) << bit
	old, _ := t.update(Op{OpTestSet, s, o, a}, v, 0)
	return old&v != 0
}

// LoadExclusive reads, and opens a reservation of the address's granule:
// LDXR, or LDAXR with Acquire. Any write to the granule by another CPU ends
// the reservation, be it of the same value, as do entering and leaving a handler
// and a switch of threads (Arm ARM, B2.9).
func (t *Thread) LoadExclusive(a VA, s Size, o Order) uint64 {
	if !t.cpu.isa.Exclusives {
		t.noExclusives(OpLoadEx)
	}
	op := Op{OpLoadEx, s, o, a}
	ann := op.pack()
	t.ready(ann)
	at := t.access(ann)
	v, newest := t.m.stored(t.cpu, at), true
	if o := t.m.order; o != nil {
		v = o.load(t, ann, at)
		newest = o.stale == 0 // a write that is newer has ended the reservation
	}
	t.exclusive = true
	t.cpu.clearReservation()
	if t.cpu.isa.Exclusives && newest { // it may have migrated
		t.cpu.reserve(at)
	}
	t.didRead(ann, at, v)
	t.watchGranule(at)
	if t.m.tracer != nil {
		t.trace(op, at.pa, v, 0, true)
	}
	return v
}

// refused stands in the hash of a context for a StoreExclusive that failed: nobody may
// have read the word since its last write, and then a success would look the same.
const refused = 0x9e3779b97f4a7c15

// StoreExclusive writes if the reservation still stands, and answers whether
// it did: STXR, or STLXR with Release. It ends the reservation. It may fail
// though the reservation stands; whether it does is a choice. It fails if the
// address or the size is not that of the LoadExclusive, where hardware may do
// either, and if the thread has migrated since.
func (t *Thread) StoreExclusive(a VA, s Size, v uint64, o Order) bool {
	if !t.cpu.isa.Exclusives && !t.exclusive {
		t.noExclusives(OpStoreEx)
	}
	op := Op{OpStoreEx, s, o, a}
	ann := op.pack()
	t.ready(ann)
	at := t.access(ann)
	c := t.cpu
	ok := c.reservation && c.reserved == at && !t.failsSpuriously()
	c.clearReservation()
	t.exclusive = false
	old := t.m.stored(c, at)
	v &= s.mask()
	if ok {
		t.write(ann, at, v)
		t.didWrite(ann, at, old, v)
	} else {
		t.dependsNoMore()
		t.ctx.hash = mix(t.ctx.hash, refused)
		t.hashRead(ann, at.loc, 0) // where the writes of others stand decides whether it fails
	}
	t.watchGranule(at)
	if t.m.tracer != nil {
		t.trace(op, at.pa, old, v, ok)
	}
	return ok
}

func (t *Thread) noExclusives(k OpKind) {
	panic(fmt.Sprintf("%s instruction on %s, which has none: use CompareAndSwap, Swap or FetchAdd", k, t.cpu.isa.Name))
}

func (t *Thread) failsSpuriously() bool {
	m := t.m
	if m.phase != adversarial || m.spurious >= m.limits.Spurious {
		return false
	}
	if m.choose(t.ctx, t.cpu, Spurious, 2) == 0 {
		return false
	}
	m.spurious++
	return true
}
