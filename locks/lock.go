package locks

import "github.com/fusedos/stramash/machine"

// Lock is something that one client holds at a time: a thread, or an activation
// of an interrupt handler.
type Lock interface {
	// Acquire waits until the lock is free and takes it.
	Acquire(t *machine.Thread)
	// Release gives the lock up. Only its holder may.
	Release(t *machine.Thread)
	// TryAcquire takes the lock if it is free, and answers whether it did.
	// It fails only if somebody held the lock at some moment of the call.
	TryAcquire(t *machine.Thread) bool
}

// Ordered is a lock with an address, which orders it among those of its class.
// All locks of this package are Ordered.
type Ordered interface {
	Lock
	// Addr is the address of the lock's own word.
	Addr() machine.VA
}

// Home says where a lock lives and where it stands in the lock order. The zero
// value is a lock in node 0's memory, in a class of its own.
type Home struct {
	// Name labels the lock's memory in reports; empty takes the name of the
	// algorithm.
	Name string
	// Node is the node whose memory holds the lock. Any CPU can use it.
	Node int
	// Class is the lock's place in the lock order, which all locks of the
	// class share; zero means a class that has this lock only.
	Class uint64
}

// lineSize is the alignment of whatever one CPU writes while another one waits
// elsewhere: the cache line, and the largest usual reservation granule.
const lineSize = 64

// settle allocates the memory of a lock of the given size in bytes.
func (h Home) settle(m *machine.Machine, size uint64, algorithm string) place {
	if h.Name == "" {
		h.Name = algorithm
	}
	p := place{at: m.AllocOn(h.Node, max(size, lineSize)), class: h.Class}
	m.Label(p.at, size, h.Name)
	if p.class == 0 {
		p.class = uint64(p.at)
	}
	return p
}

// place is what all locks have: an address and a class. Its methods tell the
// judges what happens to the lock, as the lockdep hooks in Linux's
// include/linux/spinlock_api_smp.h do.
type place struct {
	at    machine.VA
	class uint64
}

// Addr is the address of the lock's own word.
func (p place) Addr() machine.VA { return p.at }

// acquiring says that the thread will wait for the lock. An attempt that does
// not wait is not announced, for no deadlock can come of it.
func (p place) acquiring(t *machine.Thread, flags machine.LockFlags) {
	t.Note(machine.NoteAcquire, p.at, p.class, flags)
}

func (p place) acquired(t *machine.Thread, flags machine.LockFlags) {
	t.Note(machine.NoteAcquired, p.at, p.class, flags)
}

func (p place) releasing(t *machine.Thread, flags machine.LockFlags) {
	t.Note(machine.NoteRelease, p.at, p.class, flags)
}

// HandOver says that the thread, which holds the lock exclusively, is about to
// switch to one that will hold it in its place. It touches no memory: the lock
// stays held. Linux's prepare_lock_switch is its model.
func (p place) HandOver(t *machine.Thread) { p.releasing(t, 0) }

// TakeOver says that the thread holds the lock that whoever ran before on this
// CPU has handed over. Linux's finish_lock_switch is its model.
func (p place) TakeOver(t *machine.Thread) { p.acquired(t, machine.TryLock) }

// until waits until the masked value at a is want, and answers the whole value.
func until(t *machine.Thread, a machine.VA, s machine.Size, mask, want uint64, o machine.Order) uint64 {
	return t.Await(machine.Cond{Addr: a, Size: s, Mask: mask, Want: want, Order: o})
}

// untilNot waits until the masked value at a is not v.
func untilNot(t *machine.Thread, a machine.VA, s machine.Size, mask, v uint64, o machine.Order) uint64 {
	return t.Await(machine.Cond{Addr: a, Size: s, Mask: mask, Relation: machine.NotEqual, Want: v, Order: o})
}

// allBits is the mask of a condition on a whole value of any size.
const allBits = ^uint64(0)
