package mylock

import (
	"testing"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// Lock is a spin lock that looks before it leaps, and leaps too late.
type Lock struct{ word machine.VA }

func (l Lock) Acquire(t *machine.Thread) {
	t.Await(machine.Until(l.word, 0))
	t.Store(l.word, machine.Size64, 1, machine.Relaxed)
}

func (l Lock) Release(t *machine.Thread) { t.Store(l.word, machine.Size64, 0, machine.Release) }

func TestMyLock(t *testing.T) {
	fuzz.Check(t, fuzz.Target{
		Name:     "mylock",
		Platform: machine.Pair(), // one x86-64 CPU beside one AArch64 CPU
		Setup: func(m *machine.Machine) fuzz.Program {
			lock, counter := Lock{m.Alloc(64)}, m.Alloc(8)
			m.Label(lock.word, 8, "lock")
			m.Label(counter, 8, "counter")
			body := func(t *machine.Thread) {
				lock.Acquire(t)
				t.Store64(counter, t.Load64(counter)+1)
				lock.Release(t)
			}
			return fuzz.Program{
				Threads: fuzz.Each(m, body),
				After:   func() error { return fuzz.Want(m.Peek64(counter), 2) },
			}
		},
	})
}
