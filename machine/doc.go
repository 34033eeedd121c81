// Package machine is the simulated platform: nodes of CPUs with different
// instruction sets that share one coherent memory, and the engine that runs
// programs on it.
//
// A program is a set of thread bodies, Go functions that receive a [*Thread].
// Everything they do to the machine goes through the thread's methods, and
// each such operation is a scheduling point: the thread announces it, then a
// [Chooser] decides who moves, and only if another agent is chosen does
// control leave the thread. Agents are the CPUs, each at the operation that its
// current thread announced, and the interrupt lines.
//
// All nondeterminism of a run is asked of the Chooser. The same program with
// the same answers gives the same run, bit for bit, on any host: see
// [Result.TraceHash]. The first option of every question is the plain one; a
// run is written down as its exceptions to the plain answers ([Exception]),
// each at a place that does not move when another exception is removed.
//
// A run has two phases. In the adversarial one the chooser decides. After
// [Limits].Steps the engine is fair; what does not finish then is a progress
// violation: a deadlock, a lost wake-up or a livelock ([Outcome]).
//
// Interrupts, faults and system calls enter by one mechanism: a [Handler] runs
// on the current thread, in a context of its own. Kernels multiplex threads on
// CPUs with [Thread.Spawn] and [Thread.SwitchTo].
//
// Addresses are physical, or a CPU has an [MMU] ([Machine.SetMMU]), whose walker reads
// page tables in memory and whose TLB keeps what it finds: each read, each mark, what
// vanishes from a TLB and when an invalidation is done are steps and choices like all
// others. In the set-up addresses are always physical: take a zeroed page for each table
// and for the data ([Machine.AllocPages]), write the entries ([Machine.Poke64], with the
// bits of [Pages]: PagePresent, PageWrite …), and give each CPU its MMU and the root of
// its tables ([Machine.SetMMU], [Machine.SetRoot]).
//
// Beneath the operations, the memory order decides which write a load reads
// ([MemoryOrder]); the data are in the memory of the nodes, by their sizes or by the
// tables of their firmware ([Node]); and [Hardware] says what every operation costs:
// caches, memory, snoops, interrupts, devices. Costs are in cycles, of which the paper
// has one be 1 ns (section 8.1).
//
// With Hardware a run can be timed: its chooser is [Earliest], and the schedule is then
// the one that the hardware would make. [PaperPlatform] makes the paper's pair of nodes
// in each of its hardware models. There a node may keep its memory to itself: what nodes
// share comes from [Machine.AllocShared]. Plain accesses of a timed run take a short way
// past the engine while they hit the most recently used line of their set, which changes
// no counter, as the code says where it does that.
package machine
