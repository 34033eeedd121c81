package fuzz

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// counting is a target of threads that add to a counter under a lock.
func counting(name string, acquire, release func(t *machine.Thread, lock machine.VA)) Target {
	return Target{
		Name:     name,
		Platform: machine.Pairs(2),
		Setup: func(m *machine.Machine) Program {
			lock, counter := m.Alloc(8), m.Alloc(64)
			m.Label(lock, 8, "lock")
			m.Label(counter, 8, "counter")
			threads := 2 + m.Choose("threads", 3)
			rounds := 1 + m.Choose("rounds", 2)
			body := func(t *machine.Thread) {
				for range rounds {
					acquire(t, lock)
					t.Store64(counter, t.Load64(counter)+1)
					release(t, lock)
				}
			}
			return Program{
				Threads: Some(m, threads, body),
				After:   func() error { return Want(m.Peek64(counter), uint64(threads*rounds)) },
			}
		},
	}
}

func unlock(t *machine.Thread, lock machine.VA) { t.Store(lock, machine.Size64, 0, machine.Release) }

// correct is a spin lock.
func correct() Target {
	return counting("correct", func(t *machine.Thread, lock machine.VA) {
		for {
			if _, ok := t.CompareAndSwap(lock, machine.Size64, 0, 1, machine.Acquire); ok {
				return
			}
			t.Await(machine.Until(lock, 0))
		}
	}, unlock)
}

// checkThenAct is a lock that two can take at once. It shows by the count.
func checkThenAct() Target {
	t := counting("check-then-act", func(t *machine.Thread, lock machine.VA) {
		t.Await(machine.Until(lock, 0))
		t.Store(lock, machine.Size64, 1, machine.Relaxed)
	}, unlock)
	t.IntendedRaces = true
	return t
}

// interrupted increments a counter in a thread and in a device's handler,
// which must not meet.
func interrupted() Target {
	return Target{
		Name:     "interrupted",
		Platform: machine.Pair(),
		Setup: func(m *machine.Machine) Program {
			counter := m.Alloc(8)
			add := func(t *machine.Thread) { t.Store64(counter, t.Load64(counter)+1) }
			taken := m.Alloc(8)
			const device = machine.FirstInterrupt + 8
			m.Handle(0, device, func(t *machine.Thread, _ *machine.Frame) {
				add(t)
				t.Store64(taken, 1)
			})
			m.Raise(0, device)
			return Program{
				Threads: Each(m, func(t *machine.Thread) {
					if t.CPU() == 0 {
						add(t)
					}
				}),
				After: func() error { return Want(m.Peek64(counter), 1+m.Peek64(taken)) },
			}
		},
	}
}

// impatient takes a single failure of a store-exclusive for contention.
func impatient() Target {
	return Target{
		Name:     "impatient",
		Platform: machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64LLSC, CPUs: 1}}},
		Setup: func(m *machine.Machine) Program {
			word := m.Alloc(8)
			return Program{
				Threads: Each(m, func(t *machine.Thread) {
					v := t.LoadExclusive(word, machine.Size64, machine.Plain)
					t.StoreExclusive(word, machine.Size64, v+1, machine.Plain)
				}),
				After: func() error { return Want(m.Peek64(word), 1) },
			}
		},
	}
}

func deadlocking() Target {
	return Target{
		Name:     "deadlocking",
		Platform: machine.Pair(),
		Setup: func(m *machine.Machine) Program {
			locks := []machine.VA{m.Alloc(8), m.Alloc(8)}
			take := func(t *machine.Thread, lock machine.VA) {
				for t.Swap(lock, machine.Size64, 1, machine.Acquire) != 0 {
					t.Await(machine.Until(lock, 0))
				}
			}
			return Program{Threads: Each(m, func(t *machine.Thread) {
				first, second := locks[t.CPU()], locks[1-t.CPU()]
				take(t, first)
				take(t, second)
				unlock(t, second)
				unlock(t, first)
			})}
		},
	}
}

// broken are targets with a violation that some run shows, and its signature's
// beginning.
func broken() map[string]Target {
	return map[string]Target{
		"final state":       checkThenAct(),
		"progress/deadlock": deadlocking(),
		"final state ":      interrupted(),
		"final state  ":     impatient(),
	}
}

func mustHunt(t testing.TB, target Target, o Options) Summary {
	t.Helper()
	s, err := Hunt(target, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustFind(t testing.TB, target Target, o Options) *Finding {
	t.Helper()
	s := mustHunt(t, target, o)
	if s.Finding == nil {
		t.Fatalf("%s: no violation in %d runs of %s", target.Name, s.Runs, s.Strategy)
	}
	return s.Finding
}
