package suite

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// queueing are the programs that hand items or tasks from thread to thread.
func queueing() []row {
	return []row{
		{"queue-reserve", "producers look for room in a ring, and then take a place",
			"bounded queues that check and reserve in two steps", 3, 60, queueReserve},
		{"queue-wrap", "a place of a ring is taken again before its producer has filled it",
			"Vyukov's bounded queue without its sequence numbers", 2, 31, queueWrap},
		{"mailbox", "a consumer says that it has taken an item, and then takes it",
			"producer and consumer over one flag", 2, 8, mailbox},
		{"chase-lev", "the owner of a deque takes the last task without compare-and-swap",
			"Chase and Lev, SPAA 2005, pop of the last element", 2, 45, chaseLev},
		{"the-deque", "a thief looks at the tail before it claims the head",
			"the THE protocol of Cilk-5 (PLDI 1998); SCTBench wsq", 2, 29, theDeque},
	}
}

func queueReserve(m *machine.Machine, fixed bool) fuzz.Program {
	const places, producers = 2, 3
	head, tail, ring, own := words(m, "head", 1), words(m, "tail", 1), words(m, "ring", places), words(m, "pad", producers)
	return fuzz.Program{
		Threads: each(m, producers, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 4*self)
			for {
				i := get(t, tail)
				if i-get(t, head) >= places {
					return // full
				}
				if !fixed {
					i = add(t, tail, 1)
				} else if !cas(t, tail, i, i+1) {
					continue
				}
				put(t, at(ring, int(i%places)), uint64(self+1))
				return
			}
		}),
		After: func() error { return fuzz.Want(m.Peek64(tail)-m.Peek64(head), places) },
	}
}

// queueWrap has a ring of two places, each with a word that says how it stands:
// 0 for empty and 1 for full or, mended, the turn that it is good for.
func queueWrap(m *machine.Machine, fixed bool) fuzz.Program {
	const places = 2
	tail, state, ring, own := words(m, "tail", 1), words(m, "state", places), words(m, "ring", places), words(m, "pad", 2)
	if fixed {
		m.Poke64(at(state, 1), 1)
	}
	accepted := 0
	enqueue := func(t *machine.Thread, v uint64) {
		for {
			i := get(t, tail)
			place := int(i % places)
			empty, full := uint64(0), uint64(1)
			if fixed {
				empty, full = i, i+1
			}
			if s := get(t, at(state, place)); s != empty {
				if get(t, tail) != i {
					continue // somebody has taken the place
				}
				return // the ring is full
			}
			if cas(t, tail, i, i+1) {
				put(t, at(ring, place), v)
				put(t, at(state, place), full)
				accepted++
				return
			}
		}
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			enqueue(t, 1)
			pad(t, own, 8)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 8)
			enqueue(t, 2)
			enqueue(t, 3)
			pad(t, at(own, 1), 8)
		}),
		After: func() error {
			if accepted > places {
				return fmt.Errorf("%d items were put in %d places", accepted, places)
			}
			return nil
		},
	}
}

func mailbox(m *machine.Machine, fixed bool) fuzz.Program {
	const items = 4
	full, box := words(m, "full", 1), words(m, "box", 1)
	wrong := uint64(0) // the first item that did not arrive
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			for i := range uint64(items) {
				t.Await(machine.Until(full, 0))
				put(t, box, i+1)
				put(t, full, 1)
			}
		}, func(t *machine.Thread) {
			for i := range uint64(items) {
				t.Await(machine.Until(full, 1))
				if !fixed {
					put(t, full, 0)
				}
				v := get(t, box)
				if fixed {
					put(t, full, 0)
				}
				if v != i+1 && wrong == 0 {
					wrong = i + 1
				}
			}
		}),
		After: func() error { return fuzz.Want(wrong, 0) },
	}
}

// tasks counts how often each task was taken.
type tasks [8]int

func (k *tasks) check() error {
	for i, n := range k {
		if n > 1 {
			return fmt.Errorf("task %d was taken %d times", i, n)
		}
	}
	return nil
}

func chaseLev(m *machine.Machine, fixed bool) fuzz.Program {
	top, bottom, own := words(m, "top", 1), words(m, "bottom", 1), words(m, "pad", 2)
	m.Poke64(top, 1)
	m.Poke64(bottom, 3) // tasks 1 and 2
	var taken tasks
	pop := func(t *machine.Thread) {
		b := get(t, bottom) - 1
		put(t, bottom, b)
		first := get(t, top)
		switch {
		case first < b:
			taken[b]++
		case first > b:
			put(t, bottom, b+1)
		case !fixed:
			put(t, top, first+1)
			put(t, bottom, b+1)
			taken[b]++
		default:
			if cas(t, top, first, first+1) {
				taken[b]++
			}
			put(t, bottom, b+1)
		}
	}
	steal := func(t *machine.Thread) {
		first := get(t, top)
		if first < get(t, bottom) && cas(t, top, first, first+1) {
			taken[first]++
		}
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 6)
			pop(t)
			pad(t, own, 6)
			pop(t)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 12)
			steal(t)
			pad(t, at(own, 1), 6)
			steal(t)
		}),
		After: func() error { return taken.check() },
	}
}

func theDeque(m *machine.Machine, fixed bool) fuzz.Program {
	head, tail, mutex, own := words(m, "head", 1), words(m, "tail", 1), words(m, "lock", 1), words(m, "pad", 2)
	m.Poke64(head, 1)
	m.Poke64(tail, 4) // tasks 1 to 3
	var taken tasks
	pop := func(t *machine.Thread) {
		last := get(t, tail) - 1
		put(t, tail, last)
		if get(t, head) > last {
			put(t, tail, last+1)
			lock(t, mutex)
			put(t, tail, last)
			if get(t, head) > last {
				put(t, tail, last+1)
				unlock(t, mutex)
				return
			}
			unlock(t, mutex)
		}
		taken[last]++
	}
	steal := func(t *machine.Thread) {
		lock(t, mutex)
		first := get(t, head)
		if fixed {
			put(t, head, first+1) // claim it before looking
		}
		switch got := first < get(t, tail); {
		case got:
			taken[first]++
			if !fixed {
				put(t, head, first+1)
			}
		case fixed:
			put(t, head, first)
		}
		unlock(t, mutex)
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			for range 2 {
				pad(t, own, 6)
				pop(t)
			}
		}, func(t *machine.Thread) {
			for range 2 {
				pad(t, at(own, 1), 6)
				steal(t)
			}
		}),
		After: func() error { return taken.check() },
	}
}
