package locks

import "github.com/fusedos/stramash/machine"

// QSpinlock is Linux's queued spin lock (kernel/locking/qspinlock.c of Linux
// 5.2, a33fda35e3a7 and its successors): the second client waits on the word
// itself, as the pending one; from the third on they wait in an MCS queue, whose
// nodes belong to CPUs and not to the lock. Linux finds a node by the number of
// a CPU in its own per-CPU area. Here clients may be in different kernels, so
// numbers are machine-global and nodes are found through [QNodes].
//
// Memory: one u32, with the bits of Linux for fewer than 16384 CPUs:
//
//	bits  0-7    locked: 1 while somebody holds the lock
//	bit   8      pending: somebody is next, and waits for locked to become 0
//	bits  9-15   zero
//	bits 16-17   tail: depth of the last node of the queue
//	bits 18-31   tail: number of its CPU, plus 1; zero while there is no queue
//
// The lock is free while the whole word is zero.
type QSpinlock struct {
	place
	nodes *QNodes
}

const (
	qLocked  = 1 << 0
	qPending = 1 << 8

	qLockedMask = 0xff
	qOwnedMask  = 0xffff // locked and pending
	qTailMask   = 0xffff << 16

	qPendingByte = 1 // offsets of the word's parts
	qTailHalf    = 2
	qTailShift   = 16
)

// NewQSpinlock makes a free lock, in the set-up. Its queue uses the given nodes,
// which all such locks of a machine should share.
func NewQSpinlock(m *machine.Machine, h Home, nodes *QNodes) *QSpinlock {
	return &QSpinlock{h.settle(m, 4, "qspinlock"), nodes}
}

// qTail names a node in the upper half of the word.
func qTail(cpu int, depth uint64) uint64 { return uint64(cpu+1)<<18 | depth<<16 }

// find is the address of the node that a tail names.
func (l *QSpinlock) find(t *machine.Thread, tail uint64) machine.VA {
	return l.nodes.find(t, tail>>18-1, tail>>16&(qNesting-1))
}

// Acquire waits until the lock is free and takes it.
func (l *QSpinlock) Acquire(t *machine.Thread) {
	l.acquiring(t, 0)
	// Acquire, for the last Release: else the critical section begins before the
	// one before it has ended (Linux's queued_spin_lock).
	word, ok := compareAndSwap(t, l.at, machine.Size32, 0, qLocked, machine.Acquire)
	if !ok {
		l.contend(t, word)
	}
	l.acquired(t, 0)
}

// TryAcquire takes the lock if nobody holds it or waits for it, and answers
// whether it did.
func (l *QSpinlock) TryAcquire(t *machine.Thread) bool {
	ok := l.take(t)
	if ok {
		l.acquired(t, machine.TryLock)
	}
	return ok
}

// take is the attempt without its note.
func (l *QSpinlock) take(t *machine.Thread) bool {
	if t.Load(l.at, machine.Size32, machine.Relaxed) != 0 {
		return false
	}
	// Acquire as in Acquire.
	_, ok := compareAndSwap(t, l.at, machine.Size32, 0, qLocked, machine.Acquire)
	return ok
}

// Release gives the lock up. Only the holder writes the byte locked while it is
// set, so a store does. It releases, for whichever access finds the lock free: else
// the next critical section begins before this one has ended (Linux's
// queued_spin_unlock).
func (l *QSpinlock) Release(t *machine.Thread) {
	l.releasing(t, 0)
	t.Store(l.at, machine.Size8, 0, machine.Release)
}

// contend is the slow path, for a word that was not zero.
func (l *QSpinlock) contend(t *machine.Thread, word uint64) {
	if word == qPending {
		// The lock is being handed to the pending client, which takes a
		// moment only: wait for it, with a bound, and become the next one
		// rather than start a queue.
		_, v, ok := t.AwaitTimeout(machine.Cond{
			Addr: l.at, Size: machine.Size32, Mask: allBits, Relation: machine.NotEqual, Want: qPending,
		})
		if ok {
			word = v
		}
	}
	if word&^qLockedMask == 0 && l.waitPending(t) {
		return
	}
	l.waitQueued(t)
}

// waitPending tries to become the pending client. If it does, it waits for the
// holder and takes the lock.
func (l *QSpinlock) waitPending(t *machine.Thread) bool {
	// Acquire, for the last Release, if the lock is found free: else the critical
	// section begins before the one before it has ended (Linux's
	// queued_fetch_set_pending_acquire).
	word := fetchOr(t, l.at, machine.Size32, qPending, machine.Acquire)
	if word&^qLockedMask != 0 {
		// Others were first. If pending was not theirs, it is ours to undo.
		if word&qPending == 0 {
			t.Store(l.at+qPendingByte, machine.Size8, 0, machine.Relaxed)
		}
		return false
	}
	if word&qLockedMask != 0 {
		// Acquire, for the holder's Release, as above (Linux's
		// smp_cond_load_acquire).
		until(t, l.at, machine.Size8, allBits, 0, machine.AcquirePC)
	}
	// Relaxed: the acquisition was the load that saw locked = 0. Pending is
	// cleared and locked set at once, so that nobody finds the lock free.
	t.Store(l.at, machine.Size16, qLocked, machine.Relaxed)
	return true
}

// waitQueued queues up and takes the lock at the head of the queue.
func (l *QSpinlock) waitQueued(t *machine.Thread) {
	depth := l.nodes.claim(t)
	if depth < qNesting {
		l.queue(t, l.nodes.own[t.CPU()]+machine.VA(depth*qSize), qTail(t.CPU(), depth))
	} else {
		// More contexts nest than there are nodes: spin on the word, as
		// Linux does since d682b596d993.
		for !l.take(t) {
			until(t, l.at, machine.Size32, allBits, 0, machine.Plain)
		}
	}
	l.nodes.giveBack(t)
}

// queue enters the queue with a node, of which tail is the name.
func (l *QSpinlock) queue(t *machine.Thread, node machine.VA, tail uint64) {
	t.Store32(node+qGranted, 0)
	t.Store64(node+qNext, 0)
	// The lock may have become free meanwhile.
	if l.take(t) {
		return
	}
	// Release, for the swap of whoever queues behind: else next = 0 may overwrite
	// its link. Acquire, for the swap of the one before: else its next = 0 may
	// overwrite our link; Linux relies on the dependency from its address there.
	old := swap(t, l.at+qTailHalf, machine.Size16, tail>>qTailShift, machine.AcqRel) << qTailShift
	next := uint64(0)
	if old != 0 {
		prev := l.find(t, old)
		// Release, because the one before may follow this link without having
		// seen the tail, and its grant must come behind our granted = 0
		// (Linux 95bcade33a8a).
		t.Store(prev+qNext, machine.Size64, uint64(node), machine.Release)
		// Acquire, for the grant: else a load of the lock's word may read what it
		// was before the one before took it, and both have it (Linux's
		// arch_mcs_spin_lock_contended).
		until(t, node+qGranted, machine.Size32, allBits, 1, machine.AcquirePC)
		// Acquire, for the next one's link: else its granted = 0 may overwrite our
		// grant.
		next = t.Load(node+qNext, machine.Size64, machine.AcquirePC)
	}
	// At the head of the queue: wait for holder and pending client. Acquire, for
	// the last Release: else the critical section begins before the one before it
	// has ended (Linux's atomic_cond_read_acquire).
	word := until(t, l.at, machine.Size32, qOwnedMask, 0, machine.AcquirePC)
	if word&qTailMask == tail {
		// Nobody is behind: take the lock and end the queue. Plain: the load
		// above has acquired.
		_, ok := compareAndSwap(t, l.at, machine.Size32, word, qLocked, machine.Plain)
		if ok {
			return
		}
	}
	// Nobody else can take the lock while there is a queue, so a store does.
	t.Store(l.at, machine.Size8, qLocked, machine.Relaxed)
	if next == 0 {
		// Acquire, for the next one's link, as above.
		next = untilNot(t, node+qNext, machine.Size64, allBits, 0, machine.AcquirePC)
	}
	// Release, for who waits for the grant: else it may find the lock still free
	// before our locked = 1, and both have it (Linux's arch_mcs_spin_unlock_contended).
	t.Store(machine.VA(next)+qGranted, machine.Size32, 1, machine.Release)
}
