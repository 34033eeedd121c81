package locks

import "github.com/fusedos/stramash/machine"

// TAS is a test-and-test-and-set lock: one word that is taken with a
// compare-and-swap, and watched with loads while somebody holds it
// (L. Rudolph and Z. Segall, "Dynamic decentralized cache schemes for MIMD
// parallel processors", ISCA 1984). It is not fair.
//
// Memory: u32 held at 0: 1 while somebody holds the lock, else 0.
type TAS struct{ place }

// NewTAS makes a free lock, in the set-up.
func NewTAS(m *machine.Machine, h Home) *TAS {
	return &TAS{h.settle(m, 4, "tas")}
}

// Acquire waits until the lock is free and takes it.
func (l *TAS) Acquire(t *machine.Thread) {
	l.acquiring(t, 0)
	for {
		// Plain: what this load sees is checked by the swap, which acquires.
		until(t, l.at, machine.Size32, allBits, 0, machine.Plain)
		if l.take(t) {
			break
		}
	}
	l.acquired(t, 0)
}

// TryAcquire takes the lock if it is free, and answers whether it did.
func (l *TAS) TryAcquire(t *machine.Thread) bool {
	if t.Load(l.at, machine.Size32, machine.Relaxed) != 0 || !l.take(t) {
		return false
	}
	l.acquired(t, machine.TryLock)
	return true
}

// take acquires what the last Release released: else the critical section begins
// before the one before it has ended.
func (l *TAS) take(t *machine.Thread) bool {
	_, ok := compareAndSwap(t, l.at, machine.Size32, 0, 1, machine.Acquire)
	return ok
}

// Release gives the lock up. The store releases, for take: else the next critical
// section begins before this one has ended.
func (l *TAS) Release(t *machine.Thread) {
	l.releasing(t, 0)
	t.Store(l.at, machine.Size32, 0, machine.Release)
}
