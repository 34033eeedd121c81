package targets

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// order is a target for two locks that kernels hold at once. Both are of one
// class, and so ordered by address; threads of different kernels name them in
// different orders.
func order() fuzz.Target {
	return fuzz.Target{
		Name: "locks/order", Doc: "two kernels take two locks without deadlock", Platform: platform(),
		Judges: onLocks(),
		Setup: func(m *machine.Machine) fuzz.Program {
			const class = 1
			early := guard(m, locks.NewTicket(m, locks.Home{Name: "early lock", Class: class}, 0))
			late := guard(m, locks.NewQSpinlock(m, locks.Home{Name: "late lock", Class: class, Node: 1}, locks.NewQNodes(m)))
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, self, _ int) {
					if t.Choose("back-off", 2) == 0 {
						takePair(t, early, late, self)
					} else {
						backOff(t, early, late)
					}
				}),
				After: func() error { return checkAll(m, early, late) },
			}
		},
	}
}

// takePair counts under both locks, named in an order that differs by thread.
func takePair(t *machine.Thread, a, b *guarded, self int) {
	if self%2 == 1 {
		a, b = b, a
	}
	locks.AcquirePair(t, a.lock, b.lock)
	a.count(t)
	b.count(t)
	locks.ReleasePair(t, a.lock, b.lock)
}

// backOff holds the later lock when it finds that it needs the earlier one.
func backOff(t *machine.Thread, early, late *guarded) {
	late.lock.Acquire(t)
	late.count(t)
	if !locks.AcquireEarlier(t, early.lock, late.lock) {
		late.look(t) // it may be another's by now
	}
	early.count(t)
	late.count(t)
	locks.ReleasePair(t, early.lock, late.lock)
}
