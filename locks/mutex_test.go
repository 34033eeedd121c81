package locks_test

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

func TestSequentialUse(t *testing.T) {
	for _, isa := range isas {
		for _, test := range mutexes {
			t.Run(isa.Name+"/"+test.name, func(t *testing.T) {
				alone(t, isa, func(m *machine.Machine) func(*machine.Thread) {
					l := test.make(m)
					return func(th *machine.Thread) {
						for range 3 {
							l.Acquire(th)
							if l.TryAcquire(th) {
								t.Error("a held lock was acquired")
							}
							l.Release(th)
							if !l.TryAcquire(th) {
								t.Error("a free lock was not acquired")
							}
							l.Release(th)
						}
					}
				})
			})
		}
	}
}

func TestExclusion(t *testing.T) {
	const runs = 2000
	for _, test := range mutexes {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, kernels())
			for seed := range uint64(runs) {
				m.Begin(&random{seed}, machine.Limits{})
				contend(t, m, seed, test.make(m))
			}
		})
	}
}

// contend has three or four threads in different kernels use a lock.
func contend(t *testing.T, m *machine.Machine, seed uint64, l locks.Lock) {
	s := section{counter: m.Alloc(8)}
	body := func(th *machine.Thread) {
		for range 2 {
			if th.Choose("try", 2) == 0 {
				l.Acquire(th)
			} else if !l.TryAcquire(th) {
				continue
			}
			s.run(th)
			l.Release(th)
		}
	}
	var threads []machine.Start
	for _, cpu := range []int{0, 2, 3, 1}[:3+m.Choose("threads", 2)] {
		threads = append(threads, machine.Start{CPU: cpu, Body: body})
	}
	finish(t, m, seed, threads...)
	if got := m.Peek64(s.counter); got != s.entered {
		t.Fatalf("seed %d: counter is %d after %d critical sections", seed, got, s.entered)
	}
}

func TestTicketWraps(t *testing.T) {
	for _, first := range []uint16{0, 0x7fff, 0xfffe, 0xffff} {
		t.Run(fmt.Sprintf("from %#x", first), func(t *testing.T) {
			var l *locks.Ticket
			m := alone(t, machine.X86, func(m *machine.Machine) func(*machine.Thread) {
				l = locks.NewTicket(m, locks.Home{}, first)
				return func(th *machine.Thread) {
					for range 3 {
						l.Acquire(th)
						l.Release(th)
					}
				}
			})
			want := uint64(first + 3)
			if got := m.Peek64(l.Addr()); got != want<<16|want {
				t.Errorf("word is %#x, want both halves %#x", got, want)
			}
		})
	}
}

func TestInterruptSafeForms(t *testing.T) {
	alone(t, machine.AArch64, func(m *machine.Machine) func(*machine.Thread) {
		l := locks.NewTAS(m, locks.Home{})
		return func(th *machine.Thread) {
			outer := locks.AcquireIRQSave(th, l)
			if !outer || !th.InterruptsDisabled() {
				t.Error("AcquireIRQSave must disable interrupts and say that they were enabled")
			}
			if _, ok := locks.TryAcquireIRQSave(th, l); ok || !th.InterruptsDisabled() {
				t.Error("a failed try must leave interrupts as they were: disabled")
			}
			locks.ReleaseIRQRestore(th, l, outer)
			if th.InterruptsDisabled() {
				t.Error("ReleaseIRQRestore must enable interrupts")
			}
			inner, ok := locks.TryAcquireIRQSave(th, l)
			if !inner || !ok || !th.InterruptsDisabled() {
				t.Error("TryAcquireIRQSave must acquire and disable interrupts")
			}
			if _, ok := locks.TryAcquireIRQSave(th, l); ok {
				t.Error("the lock was acquired twice")
			}
			locks.ReleaseIRQRestore(th, l, inner)
			if _, ok := locks.TryAcquireIRQSave(th, l); !ok {
				t.Error("the lock is not free")
			}
		}
	})
}

// A client of each lock is recorded as the judges expect it.
func TestNotes(t *testing.T) {
	const class = 7
	m := newMachine(t, machine.Pair())
	m.Begin(machine.Natural{}, machine.Limits{})
	l := locks.NewRWLock(m, locks.Home{Class: class})
	r := finish(t, m, 0, machine.Start{Body: func(th *machine.Thread) {
		l.Acquire(th)
		l.Downgrade(th)
		l.Upgrade(th)
		l.Release(th)
	}})
	const shared, try = machine.SharedLock, machine.TryLock
	want := []struct {
		kind  machine.NoteKind
		flags machine.LockFlags
	}{
		{machine.NoteAcquire, 0}, {machine.NoteAcquired, 0},
		{machine.NoteRelease, 0}, {machine.NoteAcquired, shared | try},
		{machine.NoteRelease, shared}, {machine.NoteAcquired, try},
		{machine.NoteRelease, 0},
	}
	if len(r.History) != len(want) {
		t.Fatalf("%d records, want %d: %+v", len(r.History), len(want), r.History)
	}
	for i, w := range want {
		h := r.History[i]
		if h.Note != w.kind || h.Arg2 != w.flags || h.Arg != class || h.Object != l.Addr() {
			t.Errorf("record %d: %+v, want note %d with flags %d", i, h, w.kind, w.flags)
		}
	}
}

func TestHomeWithoutClassIsAClassOfItsOwn(t *testing.T) {
	m := newMachine(t, machine.Pair())
	m.Begin(machine.Natural{}, machine.Limits{})
	a, b := locks.NewTAS(m, locks.Home{}), locks.NewTAS(m, locks.Home{Node: 1, Name: "b"})
	if got := m.NameAddr(b.Addr()); got != "b" {
		t.Errorf("second lock is labelled %q, want b", got)
	}
	r := finish(t, m, 0, machine.Start{Body: func(th *machine.Thread) {
		locks.AcquirePair(th, b, a)
		locks.ReleasePair(th, b, a)
	}})
	if first, second := r.History[1], r.History[3]; first.Object != a.Addr() || second.Object != b.Addr() || first.Arg == second.Arg {
		t.Errorf("pair was acquired as %+v, %+v: want the lower address first, in different classes", first, second)
	}
}

func TestAcquireEarlier(t *testing.T) {
	m := newMachine(t, machine.Pair())
	kept := 0
	for seed := range uint64(300) {
		m.Begin(&random{seed}, machine.Limits{})
		a, b := locks.NewTAS(m, locks.Home{}), locks.NewTAS(m, locks.Home{})
		s := section{counter: m.Alloc(8)}
		finish(t, m, seed, machine.Start{CPU: 0, Body: func(th *machine.Thread) {
			locks.AcquirePair(th, a, b)
			s.run(th)
			locks.ReleasePair(th, a, b)
		}}, machine.Start{CPU: 1, Body: func(th *machine.Thread) {
			b.Acquire(th)
			if locks.AcquireEarlier(th, a, b) {
				kept++
			}
			s.run(th)
			locks.ReleasePair(th, a, b)
		}})
	}
	if kept == 0 || kept == 300 {
		t.Errorf("the held lock was kept in %d of 300 runs; want some, not all", kept)
	}
}
