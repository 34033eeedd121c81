package main

import (
	"os"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// testTargets are small targets, each with one fault or none.
func testTargets() []fuzz.Target {
	all := []fuzz.Target{good()}
	if os.Getenv("WITH_BROKEN") != "" {
		all = append(all, broken(), unsure(), loose())
	}
	if os.Getenv("WITH_SEVERAL") != "" {
		all = append(all, several())
	}
	if os.Getenv("WITH_ENDLESS") != "" {
		all = append(all, endless())
	}
	return all
}

// counting is a target whose threads count under a lock.
func counting(name string, lock, unlock func(t *machine.Thread, lock machine.VA)) fuzz.Target {
	return fuzz.Target{
		Name: name, Doc: "two threads count under a lock", Platform: machine.Pair(),
		Setup: func(m *machine.Machine) fuzz.Program {
			at, counter := m.Alloc(8), m.Alloc(8)
			m.Label(at, 8, "lock")
			m.Label(counter, 8, "counter")
			rounds := 1 + m.Choose("rounds", 3)
			return fuzz.Program{
				Threads: fuzz.Each(m, func(t *machine.Thread) {
					for range rounds {
						lock(t, at)
						t.Store64(counter, t.Load64(counter)+1)
						unlock(t, at)
					}
				}),
				After: func() error { return fuzz.Want(m.Peek64(counter), uint64(2*rounds)) },
			}
		},
	}
}

func give(t *machine.Thread, lock machine.VA) { t.Store(lock, machine.Size64, 0, machine.Release) }

func good() fuzz.Target {
	return counting("test/good", func(t *machine.Thread, lock machine.VA) {
		for t.Swap(lock, machine.Size64, 1, machine.Acquire) != 0 {
			t.Await(machine.Until(lock, 0))
		}
	}, give)
}

// broken looks at the lock and takes it in two steps, which shows by the count. With LONGER set its
// threads take one more step, as after a change of the source.
func broken() fuzz.Target {
	t := counting("test/broken", func(t *machine.Thread, lock machine.VA) {
		if os.Getenv("LONGER") != "" {
			t.Fence(machine.FullFence)
		}
		t.Await(machine.Until(lock, 0))
		t.Store(lock, machine.Size64, 1, machine.Relaxed)
	}, give)
	t.IntendedRaces = true
	return t
}

// several has three faults, of which one shows in one run of a thousand.
func several() fuzz.Target {
	t := broken()
	t.Name = "test/several"
	inner := t.Setup
	t.Setup = func(m *machine.Machine) fuzz.Program {
		a, b := m.Choose("a", 64), m.Choose("b", 16)
		p := inner(m)
		after := p.After
		p.After = func() error {
			uncommon(a)
			rare(a, b)
			return after()
		}
		return p
	}
	return t
}

func uncommon(a int) {
	if a == 62 {
		panic("uncommon")
	}
}

func rare(a, b int) {
	if a == 63 && b == 15 {
		panic("rare")
	}
}

// undecided is a judge that never comes to a conclusion.
type undecided struct{}

func (undecided) Name() string { return "undecided" }

func (undecided) Check(machine.History) checkers.Verdict {
	return checkers.Verdict{Unknown: "it is Monday"}
}

// unsure has a judge that gives up.
func unsure() fuzz.Target {
	t := counting("test/unsure", func(t *machine.Thread, lock machine.VA) {
		for t.Swap(lock, machine.Size64, 1, machine.Acquire) != 0 {
			t.Await(machine.Until(lock, 0))
		}
		t.Note(machine.NoteAcquired, lock, uint64(lock), 0)
	}, func(t *machine.Thread, lock machine.VA) {
		t.Note(machine.NoteRelease, lock, uint64(lock), 0)
		give(t, lock)
	})
	t.Judges = []checkers.Judge{undecided{}}
	return t
}

// loose depends on how many runs there were before: it is not deterministic.
func loose() fuzz.Target {
	runs := uint64(0)
	return fuzz.Target{
		Name: "test/loose", Doc: "keeps state from run to run", Platform: machine.Pair(),
		Setup: func(m *machine.Machine) fuzz.Program {
			at := m.Alloc(8)
			runs++
			v := runs
			return fuzz.Program{Threads: fuzz.Each(m, func(t *machine.Thread) { t.Store(at, machine.Size64, v, machine.Relaxed) })}
		},
	}
}

// endless computes without an operation.
func endless() fuzz.Target {
	return fuzz.Target{
		Name: "test/endless", Doc: "never comes back", Platform: machine.Pair(),
		Setup: func(m *machine.Machine) fuzz.Program {
			at := m.Alloc(8)
			return fuzz.Program{Threads: fuzz.Each(m, func(t *machine.Thread) {
				for n := t.Load64(at); ; n++ {
					if n == 1<<62 {
						return
					}
				}
			})}
		},
	}
}
