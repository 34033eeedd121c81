// Package explore is the operational engine: it finds the final states of a litmus
// program by running it on a machine in which memory is a list of messages, and
// what orders anything is a view. Threads of x86-64 and of AArch64 run on one memory.
//
// # The machine
//
// Memory is a list of messages: a location, a value, and the thread that wrote it.
// The place of a message in the list is its time; time 0 is what memory holds at the
// start. The messages of one location are its coherence order. A view is a time: it
// says up to where its owner must have seen the list. A read at view v takes the
// newest message of its location up to v, or any that is newer still. A write that
// comes after view v takes a time later than v. So program order binds a thread no
// more than its instructions ask for; registers and the thread carry the views that
// instructions order by. See state for the views, arm.go and x86.go for the rules.
//
// A thread of AArch64 writes by fulfilling a promise: its messages may enter the list
// long before the instruction is executed that writes them. Thus writes can pass
// earlier reads and writes. A thread of x86-64 is the same, save that its writes come
// after all its earlier reads and writes; that it may read before its earlier writes,
// which is what a store buffer does, is that its reads need not see what they do.
//
// The machine for Armv8 is that of Pulte, Pichon-Pharabod, Kang, Lee and Hur,
// "Promising-ARM/RISC-V" (PLDI 2019), the one for x86-TSO and the form with views that
// of Cho, Lee, Raad and Kang, "Revamping hardware persistency models" (PLDI 2021).
// Both ISAs observe each other through the list alone, as both are multi-copy atomic.
//
// # What differs from the published rules
//
// The rules there are not exactly the architecture of today, which is that of herd7's
// aarch64.cat; facts/memmodel.md 3.2 has it as axioms. These differ:
//
//   - Dependencies pass through memory: what reads a thread's own newest write depends
//     on what that depended on (place.dep). After a read-modify-write that computes,
//     that includes its read, although a read of its result is not ordered behind it.
//   - Pick dependencies, of what merely selects (the condition of CSEL, the comparison
//     of CAS), order later writes only, but those through everything that is locally
//     ordered. So each view is a pair: all for everything later, pick for writes. An
//     ISB after a branch orders by pick, too.
//   - A successful CAS gives a result that depends on its read, or on the register that
//     it was compared with, which has the same value: either, as a machine likes.
//   - A failed CAS may write back what it read. Others cannot tell, but a later read by
//     the same thread can then be forwarded, and is not ordered like one from memory.
//   - An acquire that reads from its thread's own read-modify-write comes after the read
//     of that, not after its write.
//   - A load without a result (STADD, SWP to XZR) is not ordered by DMB LD and is no
//     acquire. LDAPR may pass an earlier release, LDAR may not. A read-modify-write
//     with acquire and release is a barrier for all that is later. An STXR's status
//     carries no dependency, and it may fail always. DSB is DMB, but
//     that of ST orders later reads, too.
//   - On x86-64, a lock cmpxchg that fails is a locked read: it comes after all earlier
//     writes. And lfence and sfence are taken for mfence: so herd7 has it, whose rule
//     orders a write before any fence event and that before any read. The manuals
//     promise this of mfence alone.
//
// # Exploration
//
// All promises can be made first: every execution can be reordered so that messages
// enter the list before any thread runs (theorem PtoPF of PLDI 2021), and then threads
// do not influence each other. So the search is over lists only. For a list, each
// thread runs alone from its start, over all that it can read, and must fulfil exactly
// its messages; the final states are all combinations of how the threads can end.
//
// A list is extended by what some thread may promise next. It runs alone and may append
// further messages to a copy; what it appends is a promise if the run fulfils all its
// messages and the view that the write came after is within the list (the certification
// of the cited papers, which is local to a thread). An execution that does what is not
// supported, or that unrolls a loop too often, ends there.
//
// Certification is complete only where what orders a write is decided by the time the
// write may be made. Whether a CAS writes orders none of its thread's later writes to
// other places, nor, if it does not, those to its own; but a run alone may know only
// the outcome that writes. So a run may also have a CAS fail that would succeed, to
// find what can be promised; see state.bent.
//
// What makes it fast:
//
//   - A run does not choose among writes. A write fulfils the first promise of its
//     location if there is one, else appends: with any other choice a promise would stay
//     behind. And a read-modify-write reads the message before the one that it writes.
//   - A thread sees only the locations that its code may access, in strands: see split.
//     Lists that all threads see the same way are one. Rings of writes and reads, which
//     have n! lists, have 2^n after this.
//   - What a thread can do is kept by what it sees of a list. In CTR6 720 orders of six
//     threads' additions are 21 different ones to each thread.
//   - Sets of times are words, and a run allocates nothing.
package explore
