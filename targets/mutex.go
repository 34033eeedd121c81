package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// mutex is a target for a lock that excludes: threads enter critical sections,
// waiting for the lock or only trying it, as chosen for each round.
func mutex(name, doc string, lock func(*machine.Machine) locks.Ordered) fuzz.Target {
	return fuzz.Target{
		Name: name, Doc: doc, Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.Mutex())),
		Setup: func(m *machine.Machine) fuzz.Program {
			g := guard(m, lock(m))
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, _, _ int) { g.visit(t, t.Choose("try", 2) == 1) }),
				After:   func() error { return g.check(m) },
			}
		},
	}
}

// visit counts in a critical section; it may only try to enter.
func (g *guarded) visit(t *machine.Thread, try bool) {
	if try && !g.tryEnter(t) {
		return
	}
	if !try {
		g.enter(t)
	}
	g.count(t)
	g.leave(t)
}

// deviceVector is the interrupt of the device in locks/irq.
const deviceVector = machine.FirstInterrupt + 8

// irq is a target for locks that interrupt handlers take: one lock is shared by
// threads and handlers, another one belongs to threads and is held with
// interrupts enabled. Lock order: thread lock < shared lock.
func irq() fuzz.Target {
	const threadClass, sharedClass = 1, 2
	return fuzz.Target{
		Name: "locks/irq", Doc: "interrupt-safe forms keep handlers out of critical sections", Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.Mutex())),
		Setup: func(m *machine.Machine) fuzz.Program {
			nodes := locks.NewQNodes(m)
			outer := guard(m, locks.NewQSpinlock(m, locks.Home{Name: "thread lock", Class: threadClass}, nodes))
			shared := guard(m, locks.NewQSpinlock(m, locks.Home{Name: "shared lock", Class: sharedClass, Node: 1}, nodes))
			m.HandleAll(deviceVector, func(t *machine.Thread, _ *machine.Frame) { shared.countSafely(t) })
			for _, cpu := range spread(m, 1+m.Choose("interrupts", 3)) {
				m.Raise(cpu, deviceVector)
			}
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, _, _ int) {
					outer.countBoth(t, shared, t.Choose("locks", 3))
				}),
				After: func() error { return checkAll(m, outer, shared) },
			}
		},
	}
}

// countSafely counts in a critical section with interrupts disabled.
func (g *guarded) countSafely(t *machine.Thread) {
	t.Call(g.lock.Addr(), spec.MutexLock)
	enabled := locks.AcquireIRQSave(t, g.lock)
	t.Return(g.lock.Addr(), 0, true)
	g.countAndLeave(t, enabled)
}

// trySafely is countSafely for a try.
func (g *guarded) trySafely(t *machine.Thread) {
	t.Call(g.lock.Addr(), spec.MutexTryLock)
	enabled, ok := locks.TryAcquireIRQSave(t, g.lock)
	t.Return(g.lock.Addr(), 0, ok)
	if ok {
		g.countAndLeave(t, enabled)
	}
}

func (g *guarded) countAndLeave(t *machine.Thread, enabled bool) {
	g.count(t)
	t.Call(g.lock.Addr(), spec.MutexUnlock)
	locks.ReleaseIRQRestore(t, g.lock, enabled)
	t.Return(g.lock.Addr(), 0, true)
}

// countBoth uses the shared lock (0), tries it (1), or uses it inside this one
// (2).
func (g *guarded) countBoth(t *machine.Thread, shared *guarded, how int) {
	switch how {
	case 0:
		shared.countSafely(t)
	case 1:
		shared.trySafely(t)
	case 2:
		g.enter(t)
		g.count(t)
		shared.countSafely(t)
		g.leave(t)
	}
}
