package locks

import "github.com/fusedos/stramash/machine"

// MCS is a queue lock in which each client waits on a word of its own
// (J. Mellor-Crummey and M. Scott, "Algorithms for scalable synchronization on
// shared-memory multiprocessors", TOCS 9(1), 1991). It is fair.
//
// Memory of the lock: u64 tail at 0, the address of the last queue node, zero
// while the lock is free. Memory of a queue node (16 bytes): u64 next at 0, the
// address of the node behind it, zero while there is none; u32 granted at 8,
// which the holder before sets to 1. Each CPU has two nodes, in one line of its
// own node's memory: one for the thread that it runs, the other for the
// interrupt handler that may interrupt this thread.
//
// Addresses of nodes mean the same to every kernel.
type MCS struct {
	place
	nodes []machine.VA // of each CPU
}

const (
	mcsNext    = 0
	mcsGranted = 8
	mcsSize    = 16
)

// NewMCS makes a free lock, in the set-up.
func NewMCS(m *machine.Machine, h Home) *MCS {
	l := &MCS{place: h.settle(m, 8, "mcs"), nodes: make([]machine.VA, m.CPUs())}
	for cpu := range l.nodes {
		l.nodes[cpu] = m.AllocOn(m.NodeOf(cpu), lineSize)
		m.Label(l.nodes[cpu], 2*mcsSize, nodeNames[cpu])
	}
	return l
}

// node is the queue node of the thread's context.
func (l *MCS) node(t *machine.Thread) machine.VA {
	if t.InInterrupt() {
		return l.nodes[t.CPU()] + mcsSize
	}
	return l.nodes[t.CPU()]
}

// Acquire queues up and waits until the holder before hands the lock over.
func (l *MCS) Acquire(t *machine.Thread) {
	l.acquiring(t, 0)
	node := l.node(t)
	t.Store64(node+mcsNext, 0)
	t.Store32(node+mcsGranted, 0)
	// Release, for the acquiring swap of whoever queues behind: else next = 0 may
	// overwrite its link, and nobody is handed the lock. Acquire, for the releasing
	// swap of the last holder: else the critical section begins before the one
	// before it has ended; and for the one before in the queue: else our link may be
	// overwritten by its next = 0. (Linux's mcs_spinlock.h has xchg, a full barrier.)
	prev := machine.VA(swap(t, l.at, machine.Size64, uint64(node), machine.AcqRel))
	if prev != 0 {
		// Release too, for the acquiring load of next: the swap keeps granted = 0
		// only before its own store, which need not come before the link. Unless
		// granted is 0 before the link can be seen, the hand-over is overwritten
		// (DPDK 021b698eb56e).
		t.Store(prev+mcsNext, machine.Size64, uint64(node), machine.Release)
		// Acquire, for the grant: else the critical section begins before the one
		// before it has ended (Linux's arch_mcs_spin_lock_contended).
		until(t, node+mcsGranted, machine.Size32, allBits, 1, machine.AcquirePC)
	}
	l.acquired(t, 0)
}

// TryAcquire takes the lock if nobody is in the queue, and answers whether it
// did.
func (l *MCS) TryAcquire(t *machine.Thread) bool {
	node := l.node(t)
	t.Store64(node+mcsNext, 0)
	// Acquire and release as in Acquire.
	_, ok := compareAndSwap(t, l.at, machine.Size64, 0, uint64(node), machine.AcqRel)
	if ok {
		l.acquired(t, machine.TryLock)
	}
	return ok
}

// Release hands the lock over to the next in the queue, or frees it.
func (l *MCS) Release(t *machine.Thread) {
	l.releasing(t, 0)
	node := l.node(t)
	// Acquire, for the link: else the successor's granted = 0 may overwrite our 1
	// (DPDK's second fix of 2025-10-23).
	next := t.Load(node+mcsNext, machine.Size64, machine.AcquirePC)
	if next == 0 {
		// Release, for the swap of whoever comes next: else its critical section
		// begins before this one has ended.
		_, ok := compareAndSwap(t, l.at, machine.Size64, uint64(node), 0, machine.Release)
		if ok {
			return
		}
		// Somebody has swapped the tail and is about to link behind us. Acquire as
		// above.
		next = untilNot(t, node+mcsNext, machine.Size64, allBits, 0, machine.AcquirePC)
	}
	// Release, for who waits for the grant: else its critical section begins before
	// this one has ended (Linux's arch_mcs_spin_unlock_contended).
	t.Store(machine.VA(next)+mcsGranted, machine.Size32, 1, machine.Release)
}
