package machine

import (
	"errors"
	"fmt"

	"github.com/fusedos/stramash/coherence/protocol"
)

// Limits of a platform, set by the width of [Set] and by the address map.
const (
	MaxCPUs   = 32       // CPUs of all nodes
	MaxAgents = 64       // CPUs, store buffers and interrupt lines together
	MaxMemory = 64 << 30 // bytes of one node's memory
)

// Platform is what a machine is made of. The zero value is not a platform;
// use [Pair] or list the nodes.
type Platform struct {
	Nodes []Node
	// Granule is the reservation granule of the exclusive monitors, in
	// bytes: a power of two from 8 to 2048; zero means 64.
	Granule uint64
	// Order is the memory order; zero is sequential consistency.
	Order MemoryOrder
	// Storage is a coherence protocol that accesses travel, message by message, through a
	// cache for each CPU; nil is flat memory. It has a cache of its own for every line that
	// is accessed, so that nothing is evicted but by choice, and keeps no order between
	// lines. Timed runs can't be made on it. See package coherence/protocol.
	Storage *protocol.Protocol
	// Hardware is what operations cost; without it nothing is accounted.
	Hardware *Hardware
}

// MemoryOrder says which write a load may read, and when a store takes effect.
type MemoryOrder uint8

// The memory orders. See machine/order for the rules, and for what they do not
// reach.
const (
	// SC: sequential consistency. A load reads the newest write.
	SC MemoryOrder = iota
	// TSO: x86-TSO on all CPUs, which is what the paper assumes.
	TSO
	// Native: x86-TSO on x86-64 CPUs beside Armv8 on AArch64 ones.
	Native
)

var memoryOrderNames = [...]string{"sc", "tso", "native"}

// String returns sc, tso or native.
func (o MemoryOrder) String() string {
	if int(o) < len(memoryOrderNames) {
		return memoryOrderNames[o]
	}
	return fmt.Sprintf("order %d", uint8(o))
}

// ParseMemoryOrder reads what String returns.
func ParseMemoryOrder(s string) (MemoryOrder, error) {
	for i, name := range memoryOrderNames {
		if s == name {
			return MemoryOrder(i), nil
		}
	}
	return SC, fmt.Errorf("no memory order is called %q: use sc, tso or native", s)
}

// Node is a group of CPUs of one ISA with memory of their own. Every CPU can
// reach every node's memory.
type Node struct {
	ISA  ISA
	CPUs int
	// Memory is the size of the node's local memory in bytes, a multiple of
	// 4096; zero means 1 MiB.
	Memory uint64
	// Table is what the firmware tells the node of the physical memory, in place
	// of Memory: see package firmware. All nodes have one, or none has.
	Table []byte
	// Private says that other nodes can't touch the node's own memory: they
	// fault.
	Private bool
}

// Pair is one x86-64 CPU beside one AArch64 CPU, the smallest machine with
// two instruction sets.
func Pair() Platform { return Pairs(1) }

// Pairs is a node of n x86-64 CPUs beside a node of n AArch64 CPUs.
func Pairs(n int) Platform {
	return Platform{Nodes: []Node{{ISA: X86, CPUs: n}, {ISA: AArch64, CPUs: n}}}
}

// CPUs counts the CPUs of all nodes.
func (p Platform) CPUs() int {
	n := 0
	for _, node := range p.Nodes {
		n += node.CPUs
	}
	return n
}

// Validate says what is wrong with the platform, or nil.
func (p Platform) Validate() error {
	if len(p.Nodes) == 0 {
		return errors.New("platform has no nodes: list at least one in Platform.Nodes")
	}
	if g := p.Granule; g != 0 && (g < 8 || g > 2048 || g&(g-1) != 0) {
		return fmt.Errorf("reservation granule is %d bytes: use a power of two from 8 to 2048", g)
	}
	if p.Order > Native {
		return fmt.Errorf("memory order is %d: use machine.SC, machine.TSO or machine.Native", p.Order)
	}
	cpus := 0
	for i, n := range p.Nodes {
		if err := n.validate(); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
		cpus += n.CPUs
		if cpus > MaxCPUs {
			return fmt.Errorf("platform has %d CPUs or more: at most %d are supported", cpus, MaxCPUs)
		}
	}
	if p.Hardware != nil {
		return p.Hardware.validate(p)
	}
	return nil
}

func (n Node) validate() error {
	switch {
	case n.ISA.Name == "":
		return errors.New("has no ISA: use machine.X86, machine.AArch64 or one of your own")
	case !n.ISA.RMW && !n.ISA.Exclusives:
		return fmt.Errorf("ISA %s has no atomic instructions: set RMW or Exclusives", n.ISA.Name)
	case n.CPUs < 1 || n.CPUs > MaxCPUs:
		return fmt.Errorf("has %d CPUs: use 1 to %d", n.CPUs, MaxCPUs)
	case n.Memory%4096 != 0 || n.Memory > MaxMemory:
		return fmt.Errorf("has %d bytes of memory: use a multiple of 4096 up to %d", n.Memory, uint64(MaxMemory))
	}
	return nil
}
