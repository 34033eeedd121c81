package locks

import "github.com/fusedos/stramash/machine"

// RWLock is a lock that either one writer or any number of readers hold. It is
// the counter with a writer's bit of P. Courtois, F. Heymans and D. Parnas,
// "Concurrent control with readers and writers", CACM 14(10), 1971, with the
// try-upgrade and the downgrade of FreeBSD's rwlock(9). Readers are preferred:
// a stream of them keeps writers waiting.
//
// Acquire, TryAcquire and Release are the writer's; [RWLock.Reader] is the
// readers' side as a [Lock].
//
// Memory: one u32: bit 31 is set while a writer holds the lock, bits 0-30 count
// the readers. Only one of them is other than zero.
type RWLock struct{ place }

// rwWriter is the writer's bit.
const rwWriter = 1 << 31

// NewRWLock makes a free lock, in the set-up.
func NewRWLock(m *machine.Machine, h Home) *RWLock {
	return &RWLock{h.settle(m, 4, "rwlock")}
}

// Acquire waits until nobody holds the lock and becomes its writer.
func (l *RWLock) Acquire(t *machine.Thread) {
	l.acquiring(t, 0)
	for {
		// Plain: the swap checks what this load saw, and acquires.
		until(t, l.at, machine.Size32, allBits, 0, machine.Plain)
		if l.claim(t, 0) {
			break
		}
	}
	l.acquired(t, 0)
}

// TryAcquire becomes the writer if nobody holds the lock, and answers whether
// it did.
func (l *RWLock) TryAcquire(t *machine.Thread) bool {
	if !l.claim(t, 0) {
		return false
	}
	l.acquired(t, machine.TryLock)
	return true
}

// claim becomes the writer if the number of readers is the given one. It
// acquires what the last writer and all former readers have released (the counter's
// updates form one release sequence): else a writer comes before those who held the
// lock before have ended (Linux's queued_write_lock in asm-generic/qrwlock.h).
func (l *RWLock) claim(t *machine.Thread, readers uint64) bool {
	_, ok := compareAndSwap(t, l.at, machine.Size32, readers, rwWriter, machine.Acquire)
	return ok
}

// Release gives up a writer's hold. Nobody else changes the word meanwhile, so a
// store does. It releases, for those who claim or join: else they see old data
// (Linux's queued_write_unlock).
func (l *RWLock) Release(t *machine.Thread) {
	l.releasing(t, 0)
	t.Store(l.at, machine.Size32, 0, machine.Release)
}

// AcquireRead waits until no writer holds the lock and joins its readers.
func (l *RWLock) AcquireRead(t *machine.Thread) {
	l.acquiring(t, machine.SharedLock)
	for {
		word := until(t, l.at, machine.Size32, rwWriter, 0, machine.Plain)
		if _, ok := l.join(t, word); ok {
			break
		}
	}
	l.acquired(t, machine.SharedLock)
}

// TryAcquireRead joins the readers unless a writer holds the lock, and answers
// whether it did. It tries again only if others have come or gone meanwhile.
func (l *RWLock) TryAcquireRead(t *machine.Thread) bool {
	word, ok := t.Load(l.at, machine.Size32, machine.Relaxed), false
	for !ok && word&rwWriter == 0 {
		word, ok = l.join(t, word)
	}
	if ok {
		l.acquired(t, machine.SharedLock|machine.TryLock)
	}
	return ok
}

// join adds a reader to a word that has no writer. It acquires what the last
// writer released: else it reads old data (Linux's queued_read_lock).
func (l *RWLock) join(t *machine.Thread, word uint64) (seen uint64, ok bool) {
	return compareAndSwap(t, l.at, machine.Size32, word, word+1, machine.Acquire)
}

// ReleaseRead leaves the readers. It releases, for the next writer's claim: else
// this reader may read what the next writer writes (Linux's queued_read_unlock).
func (l *RWLock) ReleaseRead(t *machine.Thread) {
	l.releasing(t, machine.SharedLock)
	fetchAdd(t, l.at, machine.Size32, ^uint64(0), machine.Release)
}

// Upgrade turns the only reader into the writer. It answers false, and changes
// nothing, if there are other readers: to wait for them would be a deadlock if
// one of them upgrades as well.
func (l *RWLock) Upgrade(t *machine.Thread) bool {
	if !l.claim(t, 1) {
		return false
	}
	l.releasing(t, machine.SharedLock)
	l.acquired(t, machine.TryLock)
	return true
}

// Downgrade turns the writer into a reader, and lets other readers in. It
// releases, for those who join: else they see old data (Linux's downgrade_write in
// kernel/locking/rwsem.c).
func (l *RWLock) Downgrade(t *machine.Thread) {
	t.Store(l.at, machine.Size32, 1, machine.Release)
	l.releasing(t, 0)
	l.acquired(t, machine.SharedLock|machine.TryLock)
}

// Reader is the readers' side of the lock.
func (l *RWLock) Reader() Ordered { return (*reader)(l) }

// reader is a RWLock seen from the readers' side.
type reader RWLock

func (r *reader) Acquire(t *machine.Thread)         { (*RWLock)(r).AcquireRead(t) }
func (r *reader) TryAcquire(t *machine.Thread) bool { return (*RWLock)(r).TryAcquireRead(t) }
func (r *reader) Release(t *machine.Thread)         { (*RWLock)(r).ReleaseRead(t) }
