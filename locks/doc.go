// Package locks holds locks that kernels of different instruction sets share.
// All their state lies in simulated memory, in one format that every ISA
// reads: little-endian words at machine-global addresses. The Go values that
// the constructors return hold addresses only, which stay the same during a run.
//
//	lock          memory of the lock                           beside it
//	[TAS]         u32 held
//	[Ticket]      u16 owner, u16 next
//	[MCS]         u64 tail                                     a line of queue nodes for each CPU
//	[QSpinlock]   u8 locked, u8 pending, u16 tail              [QNodes], shared by all of them
//	[RWLock]      u32 readers, writer in bit 31
//	[SeqLock]     u32 writer's lock, u32 sequence, u64 data…
//	[FreeList]    u32 index of the top block, u32 tag          a link in each free block
//
// Each lock starts a cache line (64 bytes) of its own, in the memory of the
// node that its [Home] names.
//
// # Lock order
//
// No lock of this package is taken inside another by the package itself, and
// all stand at the place in the lock order that their Home gives them. Users
// that hold two draw their order from low to high:
//
//	class of the one  <  class of the other      as the user documents it
//	within a class: lower address  <  higher     AcquirePair does this
//
// Who holds the later lock and wants the earlier one uses [AcquireEarlier],
// which backs off rather than waits. A class that interrupt handlers acquire is
// held with interrupts disabled only: [AcquireIRQSave], [ReleaseIRQRestore].
//
// Every acquisition and release is noted for the judges, where Linux calls its
// lockdep: see [machine.NoteAcquire].
//
// # Preconditions
//
// A thread that acquires or holds a lock is not switched away from its CPU: a
// handler that may switch is kept out by disabled interrupts, as preempt_disable
// does in Linux. Whoever acquired a lock releases it, on the same CPU and in the
// same context; to hand a held lock over to the thread that is switched to, see
// HandOver and TakeOver, which every lock has.
//
// # Memory orders
//
// Each access carries the weakest order that suffices, with the reason beside it:
// what it pairs with, and what goes wrong without. Loads that acquire are
// [machine.AcquirePC] (LDAPR), for no lock needs them behind its CPU's own earlier
// releases. The command verify mutants weakens each in turn; what no hunt finds then
// stands in corpus/litmus/locks/survivors.txt, with the reason. Dependencies are not
// relied on. On x86-64 the orders come for free.
package locks
