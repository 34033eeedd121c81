package coherence

// Counters are what the accesses of one core did and caused (package comment, rule 13).
type Counters struct {
	L1IHits, L1IAccesses, L1DHits, L1DAccesses uint64
	L2Hits, L2Accesses, L3Hits, L3Accesses     uint64 // without an L3 the last two are 0
	LocalHits, RemoteHits                      uint64 // lines that came from local and remote memory
	Transfers                                  uint64 // lines that came from another domain's cache
	SnoopData, SnoopInvalidate, BackInvalidate uint64 // CXL requests sent
	CoreSnoops                                 uint64 // requests to other cores under the same last level
	L2Backs, L3Backs, MemoryBacks              uint64 // dirty lines written to that level
	InclusionVictims                           uint64 // copies dropped because a level below evicted the line
	Cycles                                     uint64 // the sum of what all accesses cost
}

// Add adds d to c.
func (c *Counters) Add(d Counters) { c.plus(&d, 1) }

// Sub is what was counted since d.
func (c Counters) Sub(d Counters) Counters {
	c.plus(&d, ^uint64(0))
	return c
}

// plus adds times d, modulo 2^64.
func (c *Counters) plus(d *Counters, times uint64) {
	c.L1IHits += times * d.L1IHits
	c.L1IAccesses += times * d.L1IAccesses
	c.L1DHits += times * d.L1DHits
	c.L1DAccesses += times * d.L1DAccesses
	c.L2Hits += times * d.L2Hits
	c.L2Accesses += times * d.L2Accesses
	c.L3Hits += times * d.L3Hits
	c.L3Accesses += times * d.L3Accesses
	c.LocalHits += times * d.LocalHits
	c.RemoteHits += times * d.RemoteHits
	c.Transfers += times * d.Transfers
	c.SnoopData += times * d.SnoopData
	c.SnoopInvalidate += times * d.SnoopInvalidate
	c.BackInvalidate += times * d.BackInvalidate
	c.CoreSnoops += times * d.CoreSnoops
	c.L2Backs += times * d.L2Backs
	c.L3Backs += times * d.L3Backs
	c.MemoryBacks += times * d.MemoryBacks
	c.InclusionVictims += times * d.InclusionVictims
	c.Cycles += times * d.Cycles
}

// Cost is what the events that c counts cost by l, in cycles: each counter times its latency.
// The appendix of the paper prints a sample that obeys this sum to the cycle, with one cycle
// for each instruction and 2000 for each IPI, which are not of this package.
func (c Counters) Cost(l Latency) uint64 {
	return (c.L1IHits+c.L1DHits)*l.L1 + c.L2Hits*l.L2 + c.L3Hits*l.L3 +
		c.LocalHits*l.Memory + c.RemoteHits*l.Remote + c.Transfers*l.Transfer +
		c.SnoopData*l.SnoopData + c.SnoopInvalidate*l.SnoopInvalidate + c.BackInvalidate*l.BackInvalidate +
		c.CoreSnoops*l.CoreSnoop +
		c.L2Backs*l.WriteBackL2 + c.L3Backs*l.WriteBackL3 + c.MemoryBacks*l.WriteBackMemory
}

// Identity is Cycles less [Counters.Cost] by l: 0 for the counters of a core, or the sum of
// those of one node, and the latencies of its node; anything else is a bug.
func (c Counters) Identity(l Latency) (residual int64) {
	return int64(c.Cycles - c.Cost(l))
}
