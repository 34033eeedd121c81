// Package coherence is the timed cache hierarchy of the simulated platform: what each
// access of a core costs, in cycles, and what it does to the caches. It holds no data,
// and knows no CPU and no kernel: only cores, nodes, lines and homes.
//
// # The caches
//
// A line has 64 bytes. A core has an L1I, an L1D and an L2; a node has an L3. The cores
// under one last level are a domain: those of a node, or, with [Config.SharedL3], all
// cores (the Fully Shared model of the paper, section 3). A node without an L3 shares
// one L2 among its cores, and that is its last level (Cortex-A72). The hierarchy is
// inclusive: what an L1 holds, its L2 holds, and what an L2 holds, its last level holds.
//
// A copy is M, E, S, or absent. The state of the last level is the domain's towards other
// domains; the state of an L2, or of an L1D above a shared L2, is the core's towards other
// cores. A store makes the line M in all levels at once, though it puts its data into the L1D
// only: M in a level says that the data there, or in a level above it, is newer than that
// below, which is what a victim needs to know, and no look-up in the level below then tells
// it. An L1I holds S only. A core holds a line if one of its own caches does; a domain, if
// its last level does.
//
// # The rules
//
// Load, and Fetch but for the last rule:
//
//  1. A hit costs L1, L2 or L3 of its level. Only the level that hits, and those that are
//     filled, note a use; an upgrade of a state notes none.
//  2. Filled from an L2 of its own, an L1D gets S if the L2 is S, else E.
//  3. A hit in the last level asks the other cores of the domain that hold the line M or E:
//     they become S. One core snoop. The core gets S if another core holds the line or the
//     last level is S, else E.
//  4. A miss in the last level asks another domain that holds the line M or E: all its
//     copies become S, and if it was M, it is written to memory. One Snoop Data, and
//     the line costs Transfer. If other domains hold it S there is no snoop. A line that no
//     domain supplies costs Memory, or Remote if its home is not the core's node. The core
//     and its last level get S if another domain holds the line, else E.
//  5. A Fetch fills the L1I in state S, and the levels below as a Load. If the L1D of its
//     own core holds the line M, it is first written to the level below, and is E.
//
// Store:
//
//  6. In an L1D that holds the line M a store costs L1; E becomes M at the same cost.
//  7. In a level that holds it S, and in the last level, it first drops the line from the
//     other cores of the domain that hold it: one core snoop if there are any. If the last
//     level is S, it then drops the line from the other domains that hold it: one snoop if
//     there are any.
//  8. On a miss in the last level it drops the line from the other domains that hold it: one
//     snoop if there are any. A domain that held it M or E supplies it for Transfer. Dirty
//     data moves without going to memory.
//  9. The snoop of rules 7 and 8 is a Snoop Invalidate, or a Back-Invalidate if the line's
//     home is a [Pool], where the memory device sends it (CXL 3.0, BISnp of HDM-DB).
//  10. Afterwards the L1D, the core's own L2 and the last level are M, and no L1I holds the
//     line; the copy in the core's own L1I is dropped without cost.
//
// A snoop is sent only if somebody holds the line (an exact snoop filter), is charged once
// however many nodes it reaches, and on top of the rest.
//
// Fills and victims:
//
//  11. A miss fills the last level, then the L2, then the L1. Each takes an empty place of
//     the set or evicts: LRU, the line whose last use is longest ago; FIFO, the line filled
//     longest ago; Random, the line with number k, the newest fill having number 0, with
//     k = (r >> 32) * ways >> 32, r the next value of splitmix64 begun with [Config.Seed].
//     One such sequence serves all caches, and none is drawn for an empty place.
//  12. A victim of the L2 or of the last level is dropped from the caches above, each copy
//     counted in InclusionVictims; a dirty one merges into the victim, without a
//     write-back of its own. A victim that is M is written to the level below, which is M
//     already: L2Backs from an L1D, L3Backs from an L2, MemoryBacks from a last level, and
//     by rule 4.
//  13. All of this is counted, and charged, to the core whose access caused it, by the
//     latencies of its node. Thus [Counters.Identity] holds for each core.
//
// A core snoop that answers with dirty data (rules 3 and 7) counts as no write-back: the last
// level stays M.
package coherence
