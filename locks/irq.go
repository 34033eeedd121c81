package locks

import "github.com/fusedos/stramash/machine"

// AcquireIRQSave disables the CPU's interrupts and acquires the lock. It answers
// whether interrupts were enabled, for [ReleaseIRQRestore]. The model is Linux's
// spin_lock_irqsave; interrupts stay disabled during the wait, too, since a
// handler that lands in it may want what this thread already holds.
func AcquireIRQSave(t *machine.Thread, l Lock) (enabled bool) {
	enabled = t.DisableInterrupts()
	l.Acquire(t)
	return enabled
}

// TryAcquireIRQSave is [AcquireIRQSave] for a try. Where it fails, interrupts
// are as they were before.
func TryAcquireIRQSave(t *machine.Thread, l Lock) (enabled, ok bool) {
	enabled = t.DisableInterrupts()
	if ok = l.TryAcquire(t); !ok {
		t.RestoreInterrupts(enabled)
	}
	return enabled, ok
}

// ReleaseIRQRestore releases the lock and then enables interrupts, if enabled
// says so: it takes what the acquisition answered.
func ReleaseIRQRestore(t *machine.Thread, l Lock, enabled bool) {
	l.Release(t)
	t.RestoreInterrupts(enabled)
}
