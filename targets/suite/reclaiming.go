package suite

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// reclaiming are the programs that free what others still use. Freed objects
// are poisoned; who reads poison has read freed memory.
func reclaiming() []row {
	return []row{
		{"refcount", "a reference is taken after the last one was given up",
			"Linux kref_get, where kref_get_unless_zero is due", 2, 6, refcount},
		{"hazard", "a reader announces a pointer and does not read it again",
			"hazard pointers (M. Michael, PODC 2002) without validation", 2, 7, hazard},
		{"rcu-early", "a writer waits for readers before it unpublishes, not after",
			"Linux RCU: synchronize_rcu before list_del_rcu", 3, 81, rcuEarly},
		{"srcu-one-flip", "readers are counted in two epochs, and a grace period waits for one only",
			"Linux SRCU, which flips twice: Documentation/RCU", 2, 9, srcuOneFlip},
	}
}

const poison = ^uint64(0)

func refcount(m *machine.Machine, fixed bool) fuzz.Program {
	table, count, data, own := words(m, "table", 1), words(m, "count", 1), words(m, "data", 1), words(m, "pad", 2)
	m.Poke64(table, 1)
	m.Poke64(count, 1)
	freed := false
	release := func(t *machine.Thread) {
		if add(t, count, ^uint64(0)) == 1 {
			put(t, data, poison)
		}
	}
	acquire := func(t *machine.Thread) bool {
		if !fixed {
			add(t, count, 1)
			return true
		}
		for {
			v := get(t, count)
			if v == 0 || cas(t, count, v, v+1) {
				return v != 0
			}
		}
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 10)
			put(t, table, 0)
			release(t)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 10)
			if get(t, table) != 0 && acquire(t) {
				freed = get(t, data) == poison
				release(t)
			}
		}),
		After: func() error { return fuzz.Want(freed, false) },
	}
}

func hazard(m *machine.Machine, fixed bool) fuzz.Program {
	pointer, hazards, data, own := words(m, "pointer", 1), words(m, "hazard", 1), words(m, "data", 3), words(m, "pad", 2)
	m.Poke64(pointer, 1)
	freed := false
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			for {
				p := get(t, pointer)
				put(t, hazards, p)
				if !fixed || get(t, pointer) == p {
					freed = get(t, at(data, int(p))) == poison
					put(t, hazards, 0)
					return
				}
			}
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 8)
			old := swap(t, pointer, 2)
			if get(t, hazards) != old {
				put(t, at(data, int(old)), poison)
			}
		}),
		After: func() error { return fuzz.Want(freed, false) },
	}
}

func rcuEarly(m *machine.Machine, fixed bool) fuzz.Program {
	pointer, readers, data, own := words(m, "pointer", 1), words(m, "reader", 2), words(m, "data", 3), words(m, "pad", 3)
	m.Poke64(pointer, 1)
	freed := false
	read := func(self int) func(*machine.Thread) {
		return func(t *machine.Thread) {
			for range 2 {
				pad(t, at(own, self), 5)
				put(t, at(readers, self), 1)
				if get(t, at(data, int(get(t, pointer)))) == poison {
					freed = true
				}
				put(t, at(readers, self), 0)
			}
		}
	}
	write := func(t *machine.Thread) {
		pad(t, at(own, 2), 10)
		if fixed {
			put(t, pointer, 2)
		}
		t.Await(machine.Until(readers, 0))
		t.Await(machine.Until(at(readers, 1), 0))
		if !fixed {
			put(t, pointer, 2)
		}
		put(t, at(data, 1), poison)
	}
	return fuzz.Program{
		Threads: threads(m, read(0), read(1), write),
		After:   func() error { return fuzz.Want(freed, false) },
	}
}

// srcuOneFlip needs a reader to read the epoch before one grace period, count
// itself in after it, and be inside through the next one.
func srcuOneFlip(m *machine.Machine, fixed bool) fuzz.Program {
	const updates = 2
	pointer, epoch, readers := words(m, "pointer", 1), words(m, "epoch", 1), words(m, "readers", 2)
	data, own := words(m, "data", updates+1), words(m, "pad", 1)
	freed := false
	flip := func(t *machine.Thread) {
		e := get(t, epoch)
		put(t, epoch, e^1)
		t.Await(machine.Until(at(readers, int(e)), 0))
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 4)
			e := int(get(t, epoch))
			add(t, at(readers, e), 1)
			freed = get(t, at(data, int(get(t, pointer)))) == poison
			add(t, at(readers, e), ^uint64(0))
		}, func(t *machine.Thread) {
			for i := range uint64(updates) {
				put(t, pointer, i+1)
				flip(t)
				if fixed {
					flip(t)
				}
				put(t, at(data, int(i)), poison)
			}
		}),
		After: func() error { return fuzz.Want(freed, false) },
	}
}
