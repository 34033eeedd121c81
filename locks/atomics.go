package locks

import "github.com/fusedos/stramash/machine"

// The read-modify-writes of this file use what the thread's CPU has: a single
// instruction, or a loop of load-exclusive and store-exclusive. Both kinds meet
// in one coherence order, so CPUs with and without one can share a word. A loop
// of exclusives ends, as far as the architecture promises it, because it makes
// no other access (Arm ARM, B2.9.5).

// halves splits the order of a read-modify-write between its two accesses: the
// load acquires, the store releases (LDAXR and STLXR of Linux's
// arch/arm64/include/asm/atomic_ll_sc.h). With one of them left out, whatever its
// user pairs with is unordered on a CPU without single-instruction atomics.
func halves(o machine.Order) (load, store machine.Order) {
	if o == machine.Acquire || o == machine.AcqRel {
		load = machine.Acquire
	}
	if o == machine.Release || o == machine.AcqRel {
		store = machine.Release
	}
	return load, store
}

// compareAndSwap writes v if memory holds old. It answers what memory held, and
// whether v was written; it does not fail for any other reason.
func compareAndSwap(t *machine.Thread, a machine.VA, s machine.Size, old, v uint64, o machine.Order) (seen uint64, ok bool) {
	if t.ISA().RMW {
		return t.CompareAndSwap(a, s, old, v, o)
	}
	ld, st := halves(o)
	for {
		seen = t.LoadExclusive(a, s, ld)
		if seen != old {
			return seen, false
		}
		if t.StoreExclusive(a, s, v, st) {
			return seen, true
		}
	}
}

// swap writes v and answers the old value.
func swap(t *machine.Thread, a machine.VA, s machine.Size, v uint64, o machine.Order) uint64 {
	if t.ISA().RMW {
		return t.Swap(a, s, v, o)
	}
	ld, st := halves(o)
	for {
		old := t.LoadExclusive(a, s, ld)
		if t.StoreExclusive(a, s, v, st) {
			return old
		}
	}
}

// fetchAdd adds v, modulo the size, and answers the old value.
func fetchAdd(t *machine.Thread, a machine.VA, s machine.Size, v uint64, o machine.Order) uint64 {
	if t.ISA().RMW {
		return t.FetchAdd(a, s, v, o)
	}
	ld, st := halves(o)
	for {
		old := t.LoadExclusive(a, s, ld)
		if t.StoreExclusive(a, s, old+v, st) {
			return old
		}
	}
}

// fetchOr sets bits and answers the old value. x86-64 has no instruction for it,
// so there it is a loop of compare-and-swaps, as Linux's arch_atomic_fetch_or is;
// each turn of the loop means that somebody else's update succeeded.
func fetchOr(t *machine.Thread, a machine.VA, s machine.Size, bits uint64, o machine.Order) uint64 {
	if t.ISA().RMW {
		old := t.Load(a, s, machine.Relaxed)
		for {
			seen, ok := t.CompareAndSwap(a, s, old, old|bits, o)
			if ok {
				return old
			}
			old = seen
		}
	}
	ld, st := halves(o)
	for {
		old := t.LoadExclusive(a, s, ld)
		if t.StoreExclusive(a, s, old|bits, st) {
			return old
		}
	}
}
