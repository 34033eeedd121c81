package main

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// counterLine is the counters of a CPU, a node or a machine, by the names of JSON.
type counterLine struct {
	Cycles           uint64 `json:"cycles"`
	Instructions     uint64 `json:"instructions"`
	L1IHits          uint64 `json:"l1i_hits"`
	L1IAccesses      uint64 `json:"l1i_accesses"`
	L1DHits          uint64 `json:"l1d_hits"`
	L1DAccesses      uint64 `json:"l1d_accesses"`
	L2Hits           uint64 `json:"l2_hits"`
	L2Accesses       uint64 `json:"l2_accesses"`
	L3Hits           uint64 `json:"l3_hits"`
	L3Accesses       uint64 `json:"l3_accesses"`
	LocalHits        uint64 `json:"local_memory_hits"`
	RemoteHits       uint64 `json:"remote_memory_hits"`
	Transfers        uint64 `json:"transfers"`
	SnoopData        uint64 `json:"snoops_data"`
	SnoopInvalidate  uint64 `json:"snoops_invalidate"`
	BackInvalidate   uint64 `json:"snoops_back_invalidate"`
	CoreSnoops       uint64 `json:"node_snoops"`
	L2Backs          uint64 `json:"l2_write_backs"`
	L3Backs          uint64 `json:"l3_write_backs"`
	MemoryBacks      uint64 `json:"memory_write_backs"`
	InclusionVictims uint64 `json:"inclusion_victims"`
	IPIs             uint64 `json:"ipis"`
	NodeIPIs         uint64 `json:"node_ipis"`
	Waited           uint64 `json:"waited_cycles"`
}

func countersOf(c machine.Counters) counterLine {
	return counterLine{
		Cycles: c.Runtime, Instructions: c.Instructions, L1IHits: c.L1IHits, L1IAccesses: c.L1IAccesses,
		L1DHits: c.L1DHits, L1DAccesses: c.L1DAccesses, L2Hits: c.L2Hits, L2Accesses: c.L2Accesses,
		L3Hits: c.L3Hits, L3Accesses: c.L3Accesses, LocalHits: c.LocalHits, RemoteHits: c.RemoteHits,
		Transfers: c.Transfers, SnoopData: c.SnoopData, SnoopInvalidate: c.SnoopInvalidate, BackInvalidate: c.BackInvalidate,
		CoreSnoops: c.CoreSnoops, L2Backs: c.L2Backs, L3Backs: c.L3Backs, MemoryBacks: c.MemoryBacks,
		InclusionVictims: c.InclusionVictims, IPIs: c.IPIs, NodeIPIs: c.NodeIPIs, Waited: c.Waited,
	}
}

// checkCounters holds the counters of a run against the law that they obey. A
// residual is a fault of the tool.
func checkCounters(m *machine.Machine) error {
	for cpu := range m.CPUs() {
		c := m.Counters(cpu)
		if r := c.Residual(m.Platform().Hardware, m.NodeOf(cpu)); r != 0 {
			return fault{fmt.Errorf("the cycles of CPU %d differ by %d from what its counters add up to: %+v", cpu, r, c)}
		}
	}
	return nil
}

// allCounters is what all CPUs did.
func allCounters(m *machine.Machine) (sum machine.Counters) {
	for cpu := range m.CPUs() {
		sum.Add(m.Counters(cpu))
	}
	return sum
}
