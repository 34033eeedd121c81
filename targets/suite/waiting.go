package suite

import (
	"math/bits"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// waiting are the programs whose threads sleep and are woken.
func waiting() []row {
	return []row{
		{"futex-2", "two threads use a mutex on a futex that compares before it enqueues",
			"Drepper, Futexes Are Tricky; facts/explore.md 1f", 2, 1874, futexMutex(2, 2)},
		{"futex-3", "three threads use a mutex on a futex that compares before it enqueues",
			"Drepper, Futexes Are Tricky; facts/explore.md 1f", 3, 0, futexMutex(3, 2)},
		{"handoff-timeout", "who gives up waiting for a lock may have been given it",
			"Linux futex and rt_mutex: the wake-up that a timed-out waiter takes along", 3, 1359, handoffTimeout},
		{"condvar-gap", "a waiter gives up the mutex and then enqueues; the signal falls in between",
			"textbook; SCTBench lost-signal programs", 2, 8, condvarGap},
		{"condvar-if", "a woken consumer does not look again, and another one was faster",
			"Birrell's rule to wait in a loop", 3, 5574, condvarIf},
		{"condvar-stolen", "who waits again takes the wake-up of one who has waited longer",
			"glibc bug 25847, the stolen signal, made small", 3, 223250, condvarStolen},
		{"barrier-reuse", "a fast thread is in the next phase before a slow one has seen the end of this",
			"textbook; a counter without a generation", 3, 66, barrierReuse},
		{"token-ring", "a station that has waited long enough makes a second token",
			"the token loss of IEEE 802.5 rings; SCTBench token_ring", 3, 110, tokenRing},
	}
}

// queue is a set of sleeping threads under a lock: who is in it has its bit set,
// and sleeps until its flag is.
type queue struct{ lock, set, flags machine.VA }

func newQueue(m *machine.Machine, n int) queue {
	return queue{words(m, "queue lock", 1), words(m, "sleepers", 1), words(m, "woken", n)}
}

// enqueue enters the set, under the queue's lock or one that does as well.
func (q queue) enqueue(t *machine.Thread, self int) { put(t, q.set, get(t, q.set)|1<<self) }

// sleep rests until somebody wakes the thread.
func (q queue) sleep(t *machine.Thread, self int) {
	t.Await(machine.Until(at(q.flags, self), 1))
	put(t, at(q.flags, self), 0)
}

// wake wakes the thread with the lowest number, if any, under the queue's lock.
func (q queue) wake(t *machine.Thread) bool {
	s := get(t, q.set)
	if s == 0 {
		return false
	}
	put(t, q.set, s&(s-1))
	put(t, at(q.flags, bits.TrailingZeros64(s)), 1)
	return true
}

// futex is a word that threads sleep on.
type futex struct {
	queue
	word machine.VA
	// late is the bug: wait compares the word before it takes the queue's lock.
	late bool
}

// wait sleeps if the word is v.
func (f futex) wait(t *machine.Thread, self int, v uint64) {
	if f.late && get(t, f.word) != v {
		return
	}
	lock(t, f.lock)
	if !f.late && get(t, f.word) != v {
		unlock(t, f.lock)
		return
	}
	f.enqueue(t, self)
	unlock(t, f.lock)
	f.sleep(t, self)
}

// futexMutex has n threads use Drepper's second mutex: 0 is free, 1 held, 2 held
// with sleepers.
func futexMutex(n, rounds int) func(*machine.Machine, bool) fuzz.Program {
	return func(m *machine.Machine, fixed bool) fuzz.Program {
		f := futex{newQueue(m, n), words(m, "mutex", 1), !fixed}
		in := newInside(m)
		acquire := func(t *machine.Thread, self int) {
			if cas(t, f.word, 0, 1) {
				return
			}
			for swap(t, f.word, 2) != 0 {
				f.wait(t, self, 2)
			}
		}
		release := func(t *machine.Thread) {
			if swap(t, f.word, 0) == 2 {
				lock(t, f.lock)
				f.wake(t)
				unlock(t, f.lock)
			}
		}
		return fuzz.Program{
			Threads: each(m, n, func(t *machine.Thread, self int) {
				for range rounds {
					acquire(t, self)
					in.visit(t)
					release(t)
				}
			}),
			After: func() error { return in.check(m) },
		}
	}
}

// handoffTimeout has a lock that is handed to a sleeper, of whom one may give up.
func handoffTimeout(m *machine.Machine, fixed bool) fuzz.Program {
	q := newQueue(m, 3)
	held, own := words(m, "held", 1), words(m, "pad", 1)
	m.Poke64(held, 1) // by thread 0
	in := newInside(m)
	release := func(t *machine.Thread) {
		lock(t, q.lock)
		if !q.wake(t) {
			put(t, held, 0)
		}
		unlock(t, q.lock)
	}
	// enter takes the lock if it is free, and enters the queue if not.
	enter := func(t *machine.Thread, self int) (got bool) {
		lock(t, q.lock)
		if got = get(t, held) == 0; got {
			put(t, held, 1)
		} else {
			q.enqueue(t, self)
		}
		unlock(t, q.lock)
		return got
	}
	// giveUp leaves the queue, and answers whether the thread was in it.
	giveUp := func(t *machine.Thread, self int) bool {
		lock(t, q.lock)
		s := get(t, q.set)
		put(t, q.set, s&^(1<<self))
		unlock(t, q.lock)
		return s>>self&1 != 0
	}
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			in.visit(t)
			release(t)
		}, func(t *machine.Thread) {
			if !enter(t, 1) {
				_, _, ok := t.AwaitTimeout(machine.Until(at(q.flags, 1), 1))
				if !ok && (giveUp(t, 1) || !fixed) {
					return
				}
			}
			in.visit(t)
			release(t)
		}, func(t *machine.Thread) {
			if !enter(t, 2) {
				q.sleep(t, 2)
			}
			in.visit(t)
			release(t)
		}),
		After: func() error { return in.check(m) },
	}
}

func condvarGap(m *machine.Machine, fixed bool) fuzz.Program {
	mutex, ready, own := words(m, "mutex", 1), words(m, "ready", 1), words(m, "pad", 2)
	q := newQueue(m, 1)
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 10)
			lock(t, mutex)
			for get(t, ready) == 0 {
				if fixed {
					q.enqueue(t, 0)
				}
				unlock(t, mutex)
				if !fixed {
					q.enqueue(t, 0)
				}
				q.sleep(t, 0)
				lock(t, mutex)
			}
			unlock(t, mutex)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 10)
			lock(t, mutex)
			put(t, ready, 1)
			q.wake(t)
			unlock(t, mutex)
		}),
	}
}

func condvarIf(m *machine.Machine, fixed bool) fuzz.Program {
	mutex, items, own := words(m, "mutex", 1), words(m, "items", 1), words(m, "pad", 3)
	q := newQueue(m, 3)
	empty := false
	consume := func(self int) func(*machine.Thread) {
		return func(t *machine.Thread) {
			pad(t, at(own, self), 5*self)
			lock(t, mutex)
			for get(t, items) == 0 {
				q.enqueue(t, self)
				unlock(t, mutex)
				q.sleep(t, self)
				lock(t, mutex)
				if !fixed {
					break
				}
			}
			n := get(t, items)
			if n == 0 {
				empty = true
			}
			put(t, items, n-1)
			unlock(t, mutex)
		}
	}
	return fuzz.Program{
		Threads: threads(m, consume(0), consume(1), func(t *machine.Thread) {
			for range 2 {
				lock(t, mutex)
				bump(t, items)
				q.wake(t)
				unlock(t, mutex)
				pad(t, at(own, 2), 5)
			}
		}),
		After: func() error { return fuzz.Want(empty, false) },
	}
}

// condvar is a condition variable. The broken kind counts wake-ups, for whoever
// takes them first; the mended one wakes threads.
type condvar struct {
	queue
	mutex, tokens, waiters machine.VA
	counts                 bool
}

// wait gives up the mutex, sleeps until woken, and takes the mutex again.
func (c condvar) wait(t *machine.Thread, self int) {
	if !c.counts {
		c.enqueue(t, self)
		unlock(t, c.mutex)
		c.sleep(t, self)
		lock(t, c.mutex)
		return
	}
	put(t, c.waiters, get(t, c.waiters)+1)
	unlock(t, c.mutex)
	for {
		if v := t.Await(machine.While(c.tokens, 0)); cas(t, c.tokens, v, v-1) {
			break
		}
	}
	lock(t, c.mutex)
	put(t, c.waiters, get(t, c.waiters)-1)
}

// signal wakes up to n threads; the mutex is held.
func (c condvar) signal(t *machine.Thread, n uint64) {
	if c.counts {
		add(t, c.tokens, min(n, get(t, c.waiters)))
		return
	}
	for n > 0 && c.wake(t) {
		n--
	}
}

// condvarStolen wakes one thread that waits for the first of two phases, and
// one that waits for the second and is woken for the first, too.
func condvarStolen(m *machine.Machine, fixed bool) fuzz.Program {
	c := condvar{newQueue(m, 3), words(m, "mutex", 1), words(m, "tokens", 1), words(m, "waiters", 1), !fixed}
	phase := words(m, "phase", 1)
	until := func(self int, wanted uint64) func(*machine.Thread) {
		return func(t *machine.Thread) {
			lock(t, c.mutex)
			for get(t, phase) < wanted {
				c.wait(t, self)
			}
			unlock(t, c.mutex)
		}
	}
	return fuzz.Program{
		Threads: threads(m, until(0, 1), func(t *machine.Thread) {
			for i, wake := range []uint64{2, 1} { // all there may be, then one
				lock(t, c.mutex)
				put(t, phase, uint64(i+1))
				c.signal(t, wake)
				unlock(t, c.mutex)
			}
		}, until(2, 2)),
	}
}

func barrierReuse(m *machine.Machine, fixed bool) fuzz.Program {
	const n, phases = 3, 2
	count, generation, own := words(m, "count", 1), words(m, "generation", 1), words(m, "pad", n)
	return fuzz.Program{
		Threads: each(m, n, func(t *machine.Thread, self int) {
			for phase := range uint64(phases) {
				pad(t, at(own, self), 5)
				if add(t, count, 1) == n-1 {
					put(t, count, 0)
					put(t, generation, phase+1)
				} else if fixed {
					t.Await(machine.Until(generation, phase+1))
				} else {
					t.Await(machine.Until(count, 0))
				}
			}
		}),
	}
}

// tokenRing has the first station wait with a time-out. It makes a new token if
// the ring has been still, for the counter is as it left it, although the token
// may be on its way; mended, it then waits on.
func tokenRing(m *machine.Machine, fixed bool) fuzz.Program {
	const stations, rounds = 3, 2
	token, own := words(m, "token", 1), words(m, "pad", stations)
	in := newInside(m)
	return fuzz.Program{
		Threads: each(m, stations, func(t *machine.Thread, self int) {
			for round := range rounds {
				mine := machine.Until(token, uint64(self))
				if self > 0 || round == 0 {
					t.Await(mine)
				} else if _, _, ok := t.AwaitTimeout(mine); !ok {
					if fixed || get(t, in.counter) > 1 {
						t.Await(mine)
					} else {
						put(t, token, 0)
					}
				}
				in.visit(t)
				put(t, token, uint64(self+1)%stations)
				pad(t, at(own, self), 10)
			}
		}),
		After: func() error { return in.check(m) },
	}
}
