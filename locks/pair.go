package locks

import "github.com/fusedos/stramash/machine"

// AcquirePair acquires two different locks of one class, the one with the lower
// address first, whichever is named first. Addresses mean the same to every
// kernel, so two kernels can't take the locks in opposite orders. Linux's
// double_rq_lock (kernel/sched/core.c) is its model.
func AcquirePair(t *machine.Thread, a, b Ordered) {
	if b.Addr() < a.Addr() {
		a, b = b, a
	}
	a.Acquire(t)
	b.Acquire(t)
}

// ReleasePair releases what [AcquirePair] acquired.
func ReleasePair(t *machine.Thread, a, b Ordered) {
	b.Release(t)
	a.Release(t)
}

// AcquireEarlier acquires a lock that comes before one that the thread holds
// in the lock order. If earlier is not free at once, it gives held up and
// acquires both in their order: then kept is false, and what held protects may
// have changed. Linux's double_lock_balance is its model.
func AcquireEarlier(t *machine.Thread, earlier, held Lock) (kept bool) {
	if earlier.TryAcquire(t) {
		return true
	}
	held.Release(t)
	earlier.Acquire(t)
	held.Acquire(t)
	return false
}
