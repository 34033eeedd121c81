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
	// The swap releases the node to whoever queues behind it, and acquires the
	// last critical section if the lock is free.
	prev := machine.VA(swap(t, l.at, machine.Size64, uint64(node), machine.AcqRel))
	if prev != 0 {
		// The store releases too, for the swap keeps it only behind its own
		// load: unless granted is 0 before the link can be seen, the hand-over
		// is overwritten (DPDK 021b698eb56e).
		t.Store(prev+mcsNext, machine.Size64, uint64(node), machine.Release)
		until(t, node+mcsGranted, machine.Size32, allBits, 1, machine.Acquire)
	}
	l.acquired(t, 0)
}

// TryAcquire takes the lock if nobody is in the queue, and answers whether it
// did.
func (l *MCS) TryAcquire(t *machine.Thread) bool {
	node := l.node(t)
	t.Store64(node+mcsNext, 0)
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
	// Acquire, so that the successor's granted = 0 comes before our 1.
	next := t.Load(node+mcsNext, machine.Size64, machine.Acquire)
	if next == 0 {
		_, ok := compareAndSwap(t, l.at, machine.Size64, uint64(node), 0, machine.Release)
		if ok {
			return
		}
		// Somebody has swapped the tail and is about to link behind us.
		next = untilNot(t, node+mcsNext, machine.Size64, allBits, 0, machine.Acquire)
	}
	t.Store(machine.VA(next)+mcsGranted, machine.Size32, 1, machine.Release)
}
