package suite

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// excluding are the programs whose locks do not exclude, or do so for ever.
func excluding() []row {
	return []row{
		{"philosophers-3", "three threads each hold one lock and want the next one's",
			"E. W. Dijkstra, EWD-310; SCTBench phase", 3, 49, philosophers(3)},
		{"philosophers-5", "five threads each hold one lock and want the next one's",
			"E. W. Dijkstra, EWD-310", 5, 961, philosophers(5)},
		{"triple-lock", "of three locks, one thread takes the last and the first in the wrong order",
			"Linux double_lock_balance, without the order by address", 2, 7, tripleLock},
		{"dekker", "each of two threads looks at the other's flag before it raises its own",
			"Dekker's algorithm, two accesses swapped", 2, 154, dekker},
		{"peterson", "Peterson's algorithm gives the turn away before it raises the flag",
			"Peterson's algorithm, two stores swapped", 2, 254, peterson},
		{"bakery", "a bakery lock does not say that a number is being chosen",
			"L. Lamport, CACM 17, 1974, without its array choosing", 3, 2448, bakery},
		{"rwlock-gap", "a reader looks for a writer, and then counts itself in",
			"reader-writer locks that check and count in two steps", 3, 132, rwlockGap},
		{"ticket-wrap", "the 2-bit tickets of a lock come around with five threads",
			"Linux's old x86 ticket locks: 8-bit tickets, up to 255 CPUs", 5, 25200, ticketWrap},
		{"semaphore", "a semaphore lets in one too many",
			"textbook; an off-by-one", 3, 1374, semaphore},
		{"double-checked", "the flag that says initialised is set before the fields",
			"Schmidt's double-checked locking; the order of two stores", 3, 156, doubleChecked},
	}
}

// inside counts in a critical section, in two accesses.
type inside struct {
	counter machine.VA
	visits  uint64
}

func newInside(m *machine.Machine) *inside { return &inside{counter: words(m, "counter", 1)} }

func (c *inside) visit(t *machine.Thread) {
	bump(t, c.counter)
	c.visits++
}

func (c *inside) check(m *machine.Machine) error { return fuzz.Want(m.Peek64(c.counter), c.visits) }

func philosophers(n int) func(*machine.Machine, bool) fuzz.Program {
	return func(m *machine.Machine, fixed bool) fuzz.Program {
		forks, own := words(m, "fork", n), words(m, "pad", n)
		return fuzz.Program{
			Threads: each(m, n, func(t *machine.Thread, self int) {
				left, right := self, (self+1)%n
				if fixed {
					left, right = min(left, right), max(left, right)
				}
				pad(t, at(own, self), 2)
				lock(t, at(forks, left))
				lock(t, at(forks, right))
				unlock(t, at(forks, right))
				unlock(t, at(forks, left))
			}),
		}
	}
}

func tripleLock(m *machine.Machine, fixed bool) fuzz.Program {
	locks, own := words(m, "lock", 3), words(m, "pad", 2)
	one := func(t *machine.Thread) {
		pad(t, own, 10)
		for i := range 3 {
			lock(t, at(locks, i))
		}
		for i := range 3 {
			unlock(t, at(locks, i))
		}
		pad(t, own, 10)
	}
	other := func(t *machine.Thread) {
		first, last := 2, 0
		if fixed {
			first, last = last, first
		}
		pad(t, at(own, 1), 15)
		lock(t, at(locks, first))
		lock(t, at(locks, last))
		unlock(t, at(locks, last))
		unlock(t, at(locks, first))
		pad(t, at(own, 1), 15)
	}
	return fuzz.Program{Threads: threads(m, one, other)}
}

func dekker(m *machine.Machine, fixed bool) fuzz.Program {
	flags := words(m, "flag", 2)
	in := newInside(m)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			mine, other := at(flags, self), at(flags, 1-self)
			for range 2 {
				if fixed {
					put(t, mine, 1)
				}
				if get(t, other) == 0 {
					put(t, mine, 1)
					in.visit(t)
				}
				put(t, mine, 0)
			}
		}),
		After: func() error { return in.check(m) },
	}
}

func peterson(m *machine.Machine, fixed bool) fuzz.Program {
	flags, turn, own := words(m, "flag", 2), words(m, "turn", 1), words(m, "pad", 2)
	in := newInside(m)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			mine, other := at(flags, self), at(flags, 1-self)
			for range 2 {
				pad(t, at(own, self), 5)
				if fixed {
					put(t, mine, 1)
				}
				put(t, turn, uint64(1-self))
				if !fixed {
					put(t, mine, 1)
				}
				t.AwaitAny(machine.Until(other, 0), machine.Until(turn, uint64(self)))
				in.visit(t)
				put(t, mine, 0)
			}
		}),
		After: func() error { return in.check(m) },
	}
}

func bakery(m *machine.Machine, fixed bool) fuzz.Program {
	const n = 3
	numbers, choosing := words(m, "number", n), words(m, "choosing", n)
	in := newInside(m)
	// first is whether thread i with number v goes before thread j with number w.
	first := func(v uint64, i int, w uint64, j int) bool { return v < w || v == w && i < j }
	return fuzz.Program{
		Threads: each(m, n, func(t *machine.Thread, self int) {
			if fixed {
				put(t, at(choosing, self), 1)
			}
			mine := uint64(0)
			for j := range n {
				mine = max(mine, get(t, at(numbers, j)))
			}
			mine++
			put(t, at(numbers, self), mine)
			if fixed {
				put(t, at(choosing, self), 0)
			}
			for j := range n {
				if j == self {
					continue
				}
				if fixed {
					t.Await(machine.Until(at(choosing, j), 0))
				}
				for v := get(t, at(numbers, j)); v != 0 && first(v, j, mine, self); {
					v = t.Await(machine.While(at(numbers, j), v))
				}
			}
			in.visit(t)
			put(t, at(numbers, self), 0)
		}),
		After: func() error { return in.check(m) },
	}
}

func rwlockGap(m *machine.Machine, fixed bool) fuzz.Program {
	writer, readers, data := words(m, "writer", 1), words(m, "readers", 1), words(m, "data", 2)
	own := words(m, "pad", 3)
	torn := false
	read := func(self int) func(*machine.Thread) {
		return func(t *machine.Thread) {
			pad(t, at(own, self), 4)
			for {
				t.Await(machine.Until(writer, 0))
				add(t, readers, 1)
				if !fixed || get(t, writer) == 0 {
					break
				}
				add(t, readers, ^uint64(0))
			}
			if get(t, data) != get(t, at(data, 1)) {
				torn = true
			}
			add(t, readers, ^uint64(0))
		}
	}
	write := func(t *machine.Thread) {
		pad(t, own, 8)
		lock(t, writer)
		t.Await(machine.Until(readers, 0))
		bump(t, data)
		bump(t, at(data, 1))
		unlock(t, writer)
	}
	return fuzz.Program{
		Threads: threads(m, write, read(1), read(2)),
		After:   func() error { return fuzz.Want(torn, false) },
	}
}

func ticketWrap(m *machine.Machine, fixed bool) fuzz.Program {
	const n = 5
	mask := uint64(3)
	if fixed {
		mask = 7
	}
	next, owner, own := words(m, "next", 1), words(m, "owner", 1), words(m, "pad", n)
	in := newInside(m)
	return fuzz.Program{
		Threads: each(m, n, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 3)
			mine := add(t, next, 1) & mask
			t.Await(machine.Until(owner, mine))
			in.visit(t)
			put(t, owner, (mine+1)&mask)
		}),
		After: func() error { return in.check(m) },
	}
}

func semaphore(m *machine.Machine, fixed bool) fuzz.Program {
	const n, permits = 3, 2
	count, grants := words(m, "count", 1), words(m, "grants", 1)
	buffers, own := words(m, "buffer", permits), words(m, "pad", n)
	m.Poke64(count, permits)
	without := 0 // threads that found no buffer
	use := func(t *machine.Thread) {
		for i := range permits {
			if cas(t, at(buffers, i), 0, 1) {
				put(t, at(buffers, i), 0)
				return
			}
		}
		without++
	}
	return fuzz.Program{
		Threads: each(m, n, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 4*self)
			if left := int64(add(t, count, ^uint64(0))); left < 0 || left == 0 && fixed {
				for {
					v := t.Await(machine.While(grants, 0))
					if cas(t, grants, v, v-1) {
						break
					}
				}
			}
			use(t)
			if int64(add(t, count, 1)) < 0 {
				add(t, grants, 1)
			}
		}),
		After: func() error { return fuzz.Want(without, 0) },
	}
}

func doubleChecked(m *machine.Machine, fixed bool) fuzz.Program {
	mutex, ready, fields := words(m, "lock", 1), words(m, "ready", 1), words(m, "field", 2)
	early := false
	return fuzz.Program{
		Threads: each(m, 3, func(t *machine.Thread, self int) {
			if get(t, ready) == 0 {
				lock(t, mutex)
				if get(t, ready) == 0 {
					if !fixed {
						put(t, ready, 1)
					}
					put(t, fields, 1)
					put(t, at(fields, 1), 1)
					put(t, ready, 1)
				}
				unlock(t, mutex)
			}
			if get(t, fields) == 0 || get(t, at(fields, 1)) == 0 {
				early = true
			}
		}),
		After: func() error { return fuzz.Want(early, false) },
	}
}
