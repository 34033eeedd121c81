package locks

import "github.com/fusedos/stramash/machine"

// Ticket is a ticket lock: who comes draws a number and waits until it is
// served, so the lock is fair (D. Reed and R. Kanodia, "Synchronization with
// eventcounts and sequencers", CACM 22(2), 1979; the word is that of Linux's
// ticket lock for 32-bit Arm, arch/arm/include/asm/spinlock.h).
//
// Memory: one u32, of which u16 owner at 0 is the number that is served and
// u16 next at 2 the number that is drawn next. Both count modulo 65536, so at
// most 65535 clients may contend. The lock is free while they are equal.
type Ticket struct{ place }

// ticketOne is one ticket in the half of the word that is drawn from.
const ticketOne = 1 << 16

// NewTicket makes a free lock, in the set-up, whose first ticket has the given
// number.
func NewTicket(m *machine.Machine, h Home, first uint16) *Ticket {
	l := &Ticket{h.settle(m, 4, "ticket")}
	m.Poke64(l.at, uint64(first)<<16|uint64(first))
	return l
}

// Acquire draws a ticket and waits until it is served.
func (l *Ticket) Acquire(t *machine.Thread) {
	l.acquiring(t, 0)
	// Acquire, for the last Release, if the ticket is served at once: else the
	// critical section begins before the one before it has ended (smp_mb in
	// arch_spin_lock of Linux's 32-bit Arm). The sum's carry leaves the word at its
	// top, so that owner is not touched.
	word := fetchAdd(t, l.at, machine.Size32, ticketOne, machine.Acquire)
	owner, mine := uint64(uint16(word)), word>>16
	if owner != mine {
		// Acquire as above.
		until(t, l.at, machine.Size16, allBits, mine, machine.AcquirePC)
	}
	l.acquired(t, 0)
}

// TryAcquire draws a ticket only if it is served at once, and answers whether
// it did.
func (l *Ticket) TryAcquire(t *machine.Thread) bool {
	word := t.Load(l.at, machine.Size32, machine.Relaxed)
	if word>>16 != word&0xffff {
		return false
	}
	// Whoever changed the word since has drawn a ticket from a free lock, and
	// so held it. Acquire as in Acquire.
	_, ok := compareAndSwap(t, l.at, machine.Size32, word, word+ticketOne, machine.Acquire)
	if ok {
		l.acquired(t, machine.TryLock)
	}
	return ok
}

// Release serves the next ticket. Only the holder writes owner, so no atomic
// instruction is needed; and it is written alone, so that it wraps without a
// carry into next.
func (l *Ticket) Release(t *machine.Thread) {
	l.releasing(t, 0)
	// Relaxed, because who draws a ticket writes the whole word, though not this
	// half's value.
	owner := t.Load(l.at, machine.Size16, machine.Relaxed)
	// Release, for who waits for this number, or draws it next: else its critical
	// section begins before this one has ended (smp_mb in arch_spin_unlock).
	t.Store(l.at, machine.Size16, owner+1, machine.Release)
}
