// Package targets holds the targets that come with the project: the locks of
// package locks under contention between kernels, and small clients of the seams
// that a kernel needs.
//
//	locks/tas … locks/qspinlock   critical sections by lock or try-lock
//	locks/rwlock                  readers, writers, upgrades and downgrades
//	locks/seqlock                 writers, and readers of more than one word
//	locks/freelist                blocks popped and pushed by all ISAs
//	locks/irq                     a lock shared with interrupt handlers
//	locks/order                   two locks at once, in order or with back-off
//	kernel/objects                objects on the heap, with counted references
//	kernel/runqueue               scheduling, preemption, sleep and wake-up
//	kernel/ring                   messages between kernels, and the interrupt that wakes
//	kernel/rendezvous             requests that all CPUs execute in a handler
//	kernel/rcu                    readers without a lock, and when to free
//	kernel/shootdown              when the frame of a page can be given away
//
// The plain answer to each of a target's questions gives its smallest program:
// two threads, on CPUs of different ISA, for one round. Targets know their
// object by its specification alone, not what could be wrong with it.
//
// Go variables hold only what the judges need to know and the program does not:
// how many critical sections there were. All that CPUs share is in simulated
// memory.
package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// All returns the built-in targets. Their order is stable.
func All() []fuzz.Target {
	return append(Locks(), objects(), runqueue(), ring(), rendezvous(), rcu(), shootdown())
}

// Locks returns the targets of package locks. Their order is stable.
func Locks() []fuzz.Target {
	return []fuzz.Target{
		mutex("locks/tas", "a test-and-test-and-set lock excludes and publishes",
			func(m *machine.Machine) locks.Ordered { return locks.NewTAS(m, locks.Home{}) }),
		mutex("locks/ticket", "a ticket lock excludes and publishes, wherever its tickets start",
			func(m *machine.Machine) locks.Ordered {
				return locks.NewTicket(m, locks.Home{}, -uint16(m.Choose("before-wrap", 4)))
			}),
		mutex("locks/mcs", "an MCS queue lock excludes, publishes and hands over",
			func(m *machine.Machine) locks.Ordered { return locks.NewMCS(m, locks.Home{}) }),
		mutex("locks/qspinlock", "Linux's queued spin lock excludes, publishes and hands over between kernels",
			func(m *machine.Machine) locks.Ordered {
				return locks.NewQSpinlock(m, locks.Home{}, locks.NewQNodes(m))
			}),
		rwlock(),
		seqlock(),
		freelist(),
		irq(),
		order(),
	}
}

// platform is a machine of three kernels, with x86-64 CPUs, an AArch64 CPU that
// has single-instruction atomics, and one that has exclusives only.
func platform() machine.Platform {
	return machine.Platform{Nodes: []machine.Node{
		{ISA: machine.X86, CPUs: 2},
		{ISA: machine.AArch64, CPUs: 1},
		{ISA: machine.AArch64LLSC, CPUs: 1},
	}}
}

// maxThreads is the number of CPUs of the platform.
const maxThreads = 4

// spread is a number of CPUs, taken from the nodes by turns.
func spread(m *machine.Machine, n int) []int {
	cpus := make([]int, 0, n)
	for rank := 0; ; rank++ {
		first := 0
		for _, node := range m.Platform().Nodes {
			if len(cpus) == n {
				return cpus
			}
			if rank < node.CPUs {
				cpus = append(cpus, first+rank)
			}
			first += node.CPUs
		}
	}
}

// threads has a chosen number of threads, two to maxThreads, that execute the
// body for a chosen number of rounds, one to three. The body is told the number
// of the thread, and the round.
func threads(m *machine.Machine, body func(t *machine.Thread, self, round int)) []machine.Start {
	n, rounds := 2+m.Choose("threads", maxThreads-1), 1+m.Choose("rounds", 3)
	starts := m.Starts(n)
	for self, cpu := range spread(m, n) {
		starts[self] = machine.Start{CPU: cpu, Body: func(t *machine.Thread) {
			for round := range rounds {
				body(t, self, round)
			}
		}}
	}
	return starts
}

// onLocks are the judges of whatever takes locks.
func onLocks(more ...checkers.Judge) []checkers.Judge {
	return append(more, checkers.Exclusion(), checkers.LockOrder())
}

// guarded is a lock with a counter that it protects.
type guarded struct {
	lock    locks.Ordered
	counter machine.VA
	want    uint64 // what the counter should be: for the judgement only
}

func guard(m *machine.Machine, lock locks.Ordered) *guarded {
	g := &guarded{lock: lock, counter: m.Alloc(8)}
	m.Label(g.counter, 8, "counter")
	return g
}

// enter acquires the lock, on the record.
func (g *guarded) enter(t *machine.Thread) {
	t.Call(g.lock.Addr(), spec.MutexLock)
	g.lock.Acquire(t)
	t.Return(g.lock.Addr(), 0, true)
}

// tryEnter is enter for a try.
func (g *guarded) tryEnter(t *machine.Thread) bool {
	t.Call(g.lock.Addr(), spec.MutexTryLock)
	ok := g.lock.TryAcquire(t)
	t.Return(g.lock.Addr(), 0, ok)
	return ok
}

// leave releases the lock, on the record.
func (g *guarded) leave(t *machine.Thread) {
	t.Call(g.lock.Addr(), spec.MutexUnlock)
	g.lock.Release(t)
	t.Return(g.lock.Addr(), 0, true)
}

// count increments the counter, in two accesses. The run may end in between,
// for it does not wait for handlers; so what is wanted counts stores.
func (g *guarded) count(t *machine.Thread) {
	v := g.look(t)
	t.Store64(g.counter, v+1)
	g.want++
	t.Note(machine.NoteWrite, g.lock.Addr(), v+1, 0)
}

// look reads the counter.
func (g *guarded) look(t *machine.Thread) uint64 {
	v := t.Load64(g.counter)
	t.Note(machine.NoteRead, g.lock.Addr(), v, 0)
	return v
}

// check compares the counter with what it should be.
func (g *guarded) check(m *machine.Machine) error {
	return fuzz.Want(m.Peek64(g.counter), g.want)
}

// checkAll is the first of the counters that is not what it should be.
func checkAll(m *machine.Machine, all ...*guarded) error {
	for _, g := range all {
		if err := g.check(m); err != nil {
			return err
		}
	}
	return nil
}
