package suite

import (
	"errors"
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// counting are the programs that read, compute and write in several accesses.
func counting() []row {
	return []row{
		{"lost-update", "two threads count in two accesses, amid much private work",
			"textbook; the padded form is facts/explore.md 1f", 2, 4, lostUpdate},
		{"bitshift-4", "two threads shift their bits into a word; one word of 70 is wrong",
			"the motivating example of SURW (Zhao et al., ASPLOS 2025)", 2, 70, bitshift(4, 4, 0b01010101)},
		{"bitshift-6", "two threads shift their bits into a word; one word of 924 is wrong",
			"the motivating example of SURW (Zhao et al., ASPLOS 2025)", 2, 924, bitshift(6, 6, 0b010101010101)},
		{"bitshift-skew", "two threads shift few bits and many into a word; one word of 1001 is wrong",
			"the motivating example of SURW (Zhao et al., ASPLOS 2025), less even", 2, 1001, bitshift(4, 10, 0b01001001000100)},
		{"ping-pong", "two threads that add by turns must not reach the sum together",
			"the alternating bench programs of SCTBench (fib_bench)", 2, 20, pingPong},
		{"relay", "three threads take turns on a baton; it must not come to the end",
			"made for searches that bound preemptions", 3, 60, relay},
		{"account", "three threads look at a balance and then withdraw",
			"SCTBench account_bad: check, then act", 3, 36, account},
		{"twostage", "an update of two values under two locks is seen half done",
			"SCTBench twostage", 3, 2020, twostage},
		{"reorder-5", "four threads set two values, and one sees the first without the second",
			"SCTBench reorder", 5, 12096, reorder},
		{"window-3", "a thread opens a short window, in which another opens one, in which a third must land",
			"the depth-3 window of facts/explore.md 1f", 3, 5, window(3)},
		{"window-4", "a chain of short windows, in the last of which a fourth thread must land",
			"the depth-3 window of facts/explore.md 1f, one deeper", 4, 7, window(4)},
		{"torn-128", "a 128-bit value is read in two halves",
			"torn 16-byte accesses where there is no CMPXCHG16B", 2, 13, torn},
		{"seqlock-once", "a reader of a sequence lock does not look at the sequence again",
			"Linux seqlock.h: read_seqretry left out", 2, 13, seqlockOnce},
		{"seqlock-wrap", "the 4-bit sequence of a lock comes around while a reader is inside",
			"Linux seqlock.h, with a counter too narrow", 2, 1221, seqlockWrap},
		{"exclusive-ignored", "a store-exclusive fails and nobody looks",
			"Arm ARM B2.9: the status of STXR must be tested", 2, 3, exclusiveIgnored},
	}
}

func lostUpdate(m *machine.Machine, fixed bool) fuzz.Program {
	const pads = 20
	x, own := words(m, "counter", 1), words(m, "pad", 2)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			pad(t, at(own, self), pads)
			if fixed {
				add(t, x, 1)
			} else {
				bump(t, x)
			}
			pad(t, at(own, self), pads)
		}),
		After: func() error { return fuzz.Want(m.Peek64(x), 2) },
	}
}

// bitshift has the first thread shift ones into a word, and the second one zeros.
// A bit is one access, which answers its place; the first one is the lowest.
// Mended, the second thread waits for the first.
func bitshift(ones, zeros int, wrong uint64) func(*machine.Machine, bool) fuzz.Program {
	return func(m *machine.Machine, fixed bool) fuzz.Program {
		shifts := words(m, "shifts", 1)
		word := uint64(0)
		return fuzz.Program{
			Threads: threads(m, func(t *machine.Thread) {
				for range ones {
					word |= 1 << add(t, shifts, 1)
				}
			}, func(t *machine.Thread) {
				if fixed {
					t.Await(machine.Until(shifts, uint64(ones)))
				}
				for range zeros {
					add(t, shifts, 1)
				}
			}),
			After: func() error {
				if word == wrong {
					return fmt.Errorf("the word is %b", word)
				}
				return nil
			},
		}
	}
}

// pingPong has each thread add to a sum when it is its turn, and otherwise pass.
func pingPong(m *machine.Machine, fixed bool) fuzz.Program {
	const tries = 3
	sum := words(m, "sum", 1)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			for range tries {
				v := get(t, sum)
				if int(v%2) == self && !(fixed && v >= 2*tries-1) {
					put(t, sum, v+1)
				}
			}
		}),
		After: func() error {
			if m.Peek64(sum) == 2*tries {
				return errors.New("no try was in vain")
			}
			return nil
		},
	}
}

// relay has each thread pass the baton on, if it is the thread's turn just then.
func relay(m *machine.Machine, fixed bool) fuzz.Program {
	const runners, passes = 3, 8
	baton := words(m, "baton", 1)
	end := uint64(passes)
	if fixed {
		end--
	}
	return fuzz.Program{
		Threads: each(m, runners, func(t *machine.Thread, self int) {
			for k := uint64(self); k < end; k += runners {
				cas(t, baton, k, k+1)
			}
		}),
		After: func() error {
			if m.Peek64(baton) == passes {
				return errors.New("the baton has come to the end")
			}
			return nil
		},
	}
}

func account(m *machine.Machine, fixed bool) fuzz.Program {
	deposit, amount := uint64(100), uint64(40)
	balance, own := words(m, "balance", 1), words(m, "pad", 3)
	m.Poke64(balance, deposit)
	return fuzz.Program{
		Threads: each(m, 3, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 5*self)
			for {
				v := get(t, balance)
				if v < amount {
					return
				}
				if !fixed {
					add(t, balance, -amount)
					return
				}
				if cas(t, balance, v, v-amount) {
					return
				}
			}
		}),
		After: func() error { return fuzz.Want(m.Peek64(balance), deposit-2*amount) },
	}
}

func twostage(m *machine.Machine, fixed bool) fuzz.Program {
	one, two, data, own := words(m, "lock 1", 1), words(m, "lock 2", 1), words(m, "data", 2), words(m, "pad", 3)
	torn := false
	update := func(t *machine.Thread) {
		lock(t, one)
		bump(t, data)
		if !fixed {
			unlock(t, one)
		}
		lock(t, two)
		put(t, at(data, 1), get(t, data))
		unlock(t, two)
		if fixed {
			unlock(t, one)
		}
	}
	look := func(t *machine.Thread) {
		pad(t, own, 10)
		lock(t, one)
		a := get(t, data)
		lock(t, two)
		torn = get(t, at(data, 1)) < a
		unlock(t, two)
		unlock(t, one)
	}
	return fuzz.Program{
		Threads: threads(m, update, look, update),
		After:   func() error { return fuzz.Want(torn, false) },
	}
}

func reorder(m *machine.Machine, fixed bool) fuzz.Program {
	a, b := words(m, "a", 1), words(m, "b", 1)
	torn := false
	set := func(t *machine.Thread) {
		if fixed {
			put(t, b, 1) // in the order that the reader relies on
		}
		put(t, a, 1)
		if !fixed {
			put(t, b, 1)
		}
	}
	look := func(t *machine.Thread) { torn = get(t, a) != 0 && get(t, b) == 0 }
	return fuzz.Program{
		Threads: threads(m, set, set, set, set, look),
		After:   func() error { return fuzz.Want(torn, false) },
	}
}

// window has a chain of threads. Each opens a window for a moment if the one
// before it has one open just then; the last one must find none. Mended, only the
// first one opens any.
func window(n int) func(*machine.Machine, bool) fuzz.Program {
	const pads, open, closed = 10, 1, 2
	return func(m *machine.Machine, fixed bool) fuzz.Program {
		windows, own := words(m, "window", n-1), words(m, "pad", n)
		landed := false
		return fuzz.Program{
			Threads: each(m, n, func(t *machine.Thread, self int) {
				pad(t, at(own, self), pads)
				switch {
				case self > 0 && get(t, at(windows, self-1)) != open:
				case self == n-1:
					landed = true
				case !fixed || self == 0:
					put(t, at(windows, self), open)
					put(t, at(windows, self), closed)
				}
			}),
			After: func() error { return fuzz.Want(landed, false) },
		}
	}
}

func torn(m *machine.Machine, fixed bool) fuzz.Program {
	value, mutex, own := words(m, "value", 2), words(m, "lock", 1), words(m, "pad", 2)
	low, high := uint64(0), uint64(0)
	both := func(t *machine.Thread, access func()) {
		if fixed {
			lock(t, mutex)
		}
		access()
		if fixed {
			unlock(t, mutex)
		}
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			for i := range uint64(3) {
				pad(t, own, 6)
				both(t, func() {
					put(t, value, i+1)
					put(t, at(value, 1), i+1)
				})
			}
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 6)
			both(t, func() { low, high = get(t, value), get(t, at(value, 1)) })
		}),
		After: func() error { return fuzz.Want(low, high) },
	}
}

// sequenced is data of two words under a sequence lock.
type sequenced struct {
	seq, data machine.VA
	mask      uint64 // of the sequence
}

func (s sequenced) write(t *machine.Thread, v uint64) {
	n := get(t, s.seq)
	put(t, s.seq, (n+1)&s.mask)
	put(t, s.data, v)
	put(t, at(s.data, 1), v)
	put(t, s.seq, (n+2)&s.mask)
}

// read is one try of a reader; again is whether it looks at the sequence again.
func (s sequenced) read(t *machine.Thread, again bool) (a, b uint64, ok bool) {
	even := machine.Cond{Addr: s.seq, Mask: 1, Order: machine.Acquire}
	n := t.Await(even)
	a, b = get(t, s.data), get(t, at(s.data, 1))
	return a, b, !again || get(t, s.seq) == n
}

func seqlockOnce(m *machine.Machine, fixed bool) fuzz.Program {
	s := sequenced{words(m, "sequence", 1), words(m, "data", 2), ^uint64(0)}
	a, b, ok := uint64(0), uint64(0), false
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			s.write(t, 1)
			s.write(t, 2)
		}, func(t *machine.Thread) {
			a, b, ok = s.read(t, fixed)
		}),
		After: func() error { return fuzz.Want(ok && a != b, false) },
	}
}

func seqlockWrap(m *machine.Machine, fixed bool) fuzz.Program {
	const writes = 8 // which make 16 steps of the sequence
	mask := uint64(2*writes - 1)
	if fixed {
		mask = ^uint64(0)
	}
	s := sequenced{words(m, "sequence", 1), words(m, "data", 2), mask}
	own := words(m, "pad", 1)
	a, b, ok := uint64(0), uint64(0), false
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			for i := range uint64(writes) {
				s.write(t, i+1)
			}
		}, func(t *machine.Thread) {
			a, b, ok = s.read(t, true)
			pad(t, own, 10)
		}),
		After: func() error { return fuzz.Want(ok && a != b, false) },
	}
}

func exclusiveIgnored(m *machine.Machine, fixed bool) fuzz.Program {
	x, own := m.Alloc(64), words(m, "pad", 2)
	m.Label(x, 8, "counter")
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 5)
			add(t, x, 1)
			pad(t, own, 5)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 10)
			for {
				v := t.LoadExclusive(x, machine.Size64, machine.Acquire)
				if t.StoreExclusive(x, machine.Size64, v+1, machine.Release) || !fixed {
					return
				}
			}
		}),
		After: func() error { return fuzz.Want(m.Peek64(x), 2) },
	}
}
