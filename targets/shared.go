package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// rwlock is a target for the reader-writer lock. By the plain choices the first
// thread writes and the second one reads.
func rwlock() fuzz.Target {
	return fuzz.Target{
		Name: "locks/rwlock", Doc: "a reader-writer lock admits one writer or many readers", Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.RWLock())),
		Setup: func(m *machine.Machine) fuzz.Program {
			l := locks.NewRWLock(m, locks.Home{})
			u := rwUser{guard(m, l), l}
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, self, _ int) {
					try := t.Choose("try", 2) == 1
					switch (self + t.Choose("role", 4)) % 4 {
					case 0:
						u.write(t, try, false)
					case 1:
						u.read(t, try, false)
					case 2:
						u.read(t, try, true)
					case 3:
						u.write(t, try, true)
					}
				}),
				After: func() error { return u.check(m) },
			}
		},
	}
}

// rwUser uses a reader-writer lock, on the record.
type rwUser struct {
	*guarded
	rw *locks.RWLock
}

// attempt acquires one side of the lock, or tries to.
func (u rwUser) attempt(t *machine.Thread, side locks.Lock, lock, tryLock spec.Op, try bool) bool {
	ok := true
	if try {
		t.Call(u.rw.Addr(), tryLock)
		ok = side.TryAcquire(t)
	} else {
		t.Call(u.rw.Addr(), lock)
		side.Acquire(t)
	}
	t.Return(u.rw.Addr(), 0, ok)
	return ok
}

// release gives up one side of the lock.
func (u rwUser) release(t *machine.Thread, side locks.Lock, unlock spec.Op) {
	t.Call(u.rw.Addr(), unlock)
	side.Release(t)
	t.Return(u.rw.Addr(), 0, true)
}

// write counts as a writer, which may go on as a reader.
func (u rwUser) write(t *machine.Thread, try, downgrade bool) {
	if !u.attempt(t, u.rw, spec.RWLockLock, spec.RWLockTryLock, try) {
		return
	}
	u.count(t)
	if !downgrade {
		u.release(t, u.rw, spec.RWLockUnlock)
		return
	}
	t.Call(u.rw.Addr(), spec.RWLockDowngrade)
	u.rw.Downgrade(t)
	t.Return(u.rw.Addr(), 0, true)
	u.look(t)
	u.release(t, u.rw.Reader(), spec.RWLockRUnlock)
}

// read looks at the counter as a reader, which may go on as a writer if it is
// alone.
func (u rwUser) read(t *machine.Thread, try, upgrade bool) {
	if !u.attempt(t, u.rw.Reader(), spec.RWLockRLock, spec.RWLockTryRLock, try) {
		return
	}
	u.look(t)
	if !upgrade || !u.upgrade(t) {
		u.release(t, u.rw.Reader(), spec.RWLockRUnlock)
		return
	}
	u.count(t)
	u.release(t, u.rw, spec.RWLockUnlock)
}

func (u rwUser) upgrade(t *machine.Thread) bool {
	t.Call(u.rw.Addr(), spec.RWLockUpgrade)
	ok := u.rw.Upgrade(t)
	t.Return(u.rw.Addr(), 0, ok)
	return ok
}

// seqlock is a target for the sequence lock, of which all data words together
// are one register. By the plain choices the first thread writes and the second
// one reads.
func seqlock() fuzz.Target {
	return fuzz.Target{
		Name: "locks/seqlock", Doc: "a sequence lock's readers see what one writer wrote", Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.Register(0))),
		Setup: func(m *machine.Machine) fuzz.Program {
			const words = 2
			l := locks.NewSeqLock(m, locks.Home{}, words)
			// The register is at the data's address, the writers' lock at its own.
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, self, round int) {
					if (self+t.Choose("role", 2))%2 == 0 {
						writeAll(t, l, uint64(8*self+round+1))
					} else {
						readAll(t, l)
					}
				}),
				After: func() error { return fuzz.Want(m.Peek64(l.Word(1)), m.Peek64(l.Word(0))) },
			}
		},
	}
}

// writeAll writes the register.
func writeAll(t *machine.Thread, l *locks.SeqLock, v uint64) {
	t.Call(l.Word(0), spec.RegisterWrite, v)
	l.Write(t, v, v)
	t.Return(l.Word(0), 0, true)
}

// readAll reads the register. Words that do not belong together make a value
// that nobody has written.
func readAll(t *machine.Thread, l *locks.SeqLock) {
	const torn = 1 << 63
	var words [2]uint64
	t.Call(l.Word(0), spec.RegisterRead)
	l.Read(t, words[:])
	v := words[0]
	if words[1] != v {
		v = torn | words[0]<<32 | words[1]
	}
	t.Return(l.Word(0), v, true)
}
