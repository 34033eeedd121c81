package locks_test

import (
	"testing"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

func TestRWLockSequentially(t *testing.T) {
	for _, isa := range isas {
		t.Run(isa.Name, func(t *testing.T) {
			alone(t, isa, func(m *machine.Machine) func(*machine.Thread) {
				l := locks.NewRWLock(m, locks.Home{})
				return func(th *machine.Thread) {
					want := func(what string, got, want bool) {
						if got != want {
							t.Errorf("%s: got %t, want %t", what, got, want)
						}
					}
					read := l.Reader()
					read.Acquire(th)
					want("second reader", read.TryAcquire(th), true)
					want("writer beside readers", l.TryAcquire(th), false)
					want("upgrade beside a reader", l.Upgrade(th), false)
					read.Release(th)
					want("upgrade of the only reader", l.Upgrade(th), true)
					want("reader beside a writer", read.TryAcquire(th), false)
					l.Downgrade(th)
					want("reader beside a downgraded writer", read.TryAcquire(th), true)
					read.Release(th)
					read.Release(th)
					want("writer of a free lock", l.TryAcquire(th), true)
					l.Release(th)
				}
			})
		})
	}
}

func TestRWLockExclusion(t *testing.T) {
	m := newMachine(t, kernels())
	together := 0
	for seed := range uint64(2000) {
		m.Begin(&random{seed}, machine.Limits{})
		l, readers := locks.NewRWLock(m, locks.Home{}), 0
		s := section{counter: m.Alloc(8)}
		read := func(th *machine.Thread) {
			readers++
			together = max(together, readers)
			before := th.Load64(s.counter)
			if th.Load64(s.counter) != before || s.inside != 0 {
				panic("a writer came between two reads")
			}
			readers--
		}
		body := func(th *machine.Thread) {
			switch th.Choose("op", 4) {
			case 0:
				l.Acquire(th)
				s.run(th)
				l.Release(th)
			case 1:
				l.AcquireRead(th)
				read(th)
				l.ReleaseRead(th)
			case 2:
				l.AcquireRead(th)
				if l.Upgrade(th) {
					s.run(th)
					l.Release(th)
				} else {
					read(th)
					l.ReleaseRead(th)
				}
			case 3:
				l.Acquire(th)
				s.run(th)
				l.Downgrade(th)
				read(th)
				l.ReleaseRead(th)
			}
		}
		finish(t, m, seed, machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 2, Body: body}, machine.Start{CPU: 4, Body: body})
		if got := m.Peek64(l.Addr()); got != 0 {
			t.Fatalf("seed %d: word is %#x in the end, want 0", seed, got)
		}
	}
	if together < 2 {
		t.Error("readers never shared the lock")
	}
}

func TestSeqLockSequentially(t *testing.T) {
	for _, isa := range isas {
		alone(t, isa, func(m *machine.Machine) func(*machine.Thread) {
			l := locks.NewSeqLock(m, locks.Home{}, 3)
			return func(th *machine.Thread) {
				l.Write(th, 1, 2, 3)
				got := make([]uint64, l.Words())
				l.Read(th, got)
				if got[0] != 1 || got[1] != 2 || got[2] != 3 {
					t.Errorf("%s: read %d, want 1 2 3", isa.Name, got)
				}
				sequence := l.ReadBegin(th)
				l.Write(th, 4, 5, 6)
				if !l.ReadRetry(th, sequence) {
					t.Errorf("%s: a reader did not notice a writer", isa.Name)
				}
			}
		})
	}
}

func TestSeqLockSnapshots(t *testing.T) {
	m := newMachine(t, kernels())
	for seed := range uint64(2000) {
		m.Begin(&random{seed}, machine.Limits{})
		l := locks.NewSeqLock(m, locks.Home{}, 2)
		write := func(th *machine.Thread) {
			v := uint64(th.CPU() + 1)
			l.Write(th, v, v)
		}
		read := func(th *machine.Thread) {
			got := make([]uint64, 2)
			l.Read(th, got)
			if got[0] != got[1] {
				panic("torn read")
			}
		}
		finish(t, m, seed, machine.Start{CPU: 0, Body: write}, machine.Start{CPU: 3, Body: write},
			machine.Start{CPU: 1, Body: read}, machine.Start{CPU: 2, Body: read})
		if got := m.Peek64(l.Addr()) >> 32; got != 4 {
			t.Fatalf("seed %d: sequence is %d after two writes, want 4", seed, got)
		}
	}
}
