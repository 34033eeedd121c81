package coherence

import (
	"fmt"
	"math/bits"
	"slices"
)

// Policy says which line of a full set a fill evicts.
type Policy uint8

// The policies; the package comment defines each (rule 11).
const (
	LRU Policy = iota
	FIFO
	Random
)

var policies = [...]string{"lru", "fifo", "random"}

// String is "lru", "fifo" or "random".
func (p Policy) String() string {
	if int(p) < len(policies) {
		return policies[p]
	}
	return fmt.Sprintf("Policy(%d)", uint8(p))
}

// ParsePolicy is the inverse of String; any other text is an error.
func ParsePolicy(s string) (Policy, error) {
	if i := slices.Index(policies[:], s); i >= 0 {
		return Policy(i), nil
	}
	return 0, fmt.Errorf("coherence: no replacement policy is called %q: take lru, fifo or random", s)
}

// Sizes and limits.
const (
	LineSize   = 64       // bytes of a line
	Limit      = 64 << 30 // bytes of physical memory: addresses lie below
	MaxWays    = 16       // lines of a set
	MaxCores   = 64       // of all nodes
	MaxRegions = 64
	MaxLatency = 1 << 20 // cycles
	maxSets    = 1 << 21 // of all caches of a System, which take 88 bytes each
)

// A Cache is the geometry of one cache. Size is in bytes; Size/64/Ways sets, which must be a
// power of two; Ways 1..16. With Size zero there is none.
type Cache struct {
	Size   uint64
	Ways   int
	Policy Policy
}

// Latency is what the accesses of a node's cores cost, in cycles, each 0..[MaxLatency].
type Latency struct {
	// Of a line found in that level, or in local or remote memory: each in place of, not on
	// top of, those of the levels above (paper, table 2; the artifact).
	L1, L2, L3, Memory, Remote uint64
	// Of a line that comes out of another domain's cache, in place of Memory or Remote.
	Transfer uint64
	// Of a CXL snoop, once for each request whatever the number of nodes it reaches, on top
	// of the rest.
	SnoopData, SnoopInvalidate, BackInvalidate uint64
	// Of asking the other cores under the same last level, once for each request.
	CoreSnoop uint64
	// Of a dirty line that is written to that level.
	WriteBackL2, WriteBackL3, WriteBackMemory uint64
}

// A Node has cores of one kind. Cores is 1 or more. L1I, L1D and L2 are needed; without an L3
// the L2 is shared by the node and is its last level. Under [Config.SharedL3] the node's own
// L3 is not used, and each core has an L2 of its own.
type Node struct {
	Cores            int
	L1I, L1D, L2, L3 Cache
	Latency          Latency
}

// Where a [Region] is at home, beside the numbers of nodes.
const (
	Everyone = -1 // local to all nodes
	Pool     = -2 // a memory device on CXL: remote to all nodes, and the sender of snoops
)

// A Region says whose memory [Base, Base+Size) is, in bytes, multiples of 64. Home is a node's
// number, [Everyone] or [Pool].
type Region struct {
	Base, Size uint64
	Home       int
}

// Config describes a [System]. Memory in no region is local to all nodes.
type Config struct {
	Nodes    []Node
	SharedL3 bool // one L3, that of Nodes[0], for all nodes: the Fully Shared model
	Regions  []Region
	Seed     uint64 // of the Random policy
}

// Validate says in one line what is wrong with c, where, and what to put there.
func (c Config) Validate() error {
	if len(c.Nodes) == 0 {
		return fmt.Errorf("coherence: there is no node: give at least one")
	}
	cores := 0
	for i, n := range c.Nodes {
		if n.Cores < 1 || n.Cores > MaxCores-cores {
			return fmt.Errorf("coherence: node %d: %d cores: take 1 or more, and at most %d in all nodes", i, n.Cores, MaxCores)
		}
		cores += n.Cores
		if err := n.validate(); err != nil {
			return fmt.Errorf("coherence: node %d: %w", i, err)
		}
	}
	if c.SharedL3 && c.Nodes[0].L3.Size == 0 {
		return fmt.Errorf("coherence: node 0 has no L3 that all nodes could share: give it one, or clear SharedL3")
	}
	if n := c.sets(); n > maxSets {
		return fmt.Errorf("coherence: the caches have %d sets in all: take smaller ones, for at most %d", n, maxSets)
	}
	return c.validateRegions()
}

func (n Node) validate() error {
	for _, c := range []struct {
		name  string
		cache Cache
	}{{"L1I", n.L1I}, {"L1D", n.L1D}, {"L2", n.L2}, {"L3", n.L3}} {
		if c.cache.Size == 0 && c.name == "L3" {
			continue
		}
		if err := c.cache.validate(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for i, l := range n.Latency.all() {
		if l > MaxLatency {
			return fmt.Errorf("latency of %s: %d cycles: take at most %d", latencyNames[i], l, MaxLatency)
		}
	}
	return nil
}

func (c Cache) validate() error {
	switch sets := c.sets(); {
	case c.Size == 0:
		return fmt.Errorf("it has no size: only an L3 may be left out")
	case c.Ways < 1 || c.Ways > MaxWays:
		return fmt.Errorf("%d ways: take 1 to %d", c.Ways, MaxWays)
	case int(c.Policy) >= len(policies):
		return fmt.Errorf("there is no policy with number %d: take LRU, FIFO or Random", c.Policy)
	case bits.OnesCount64(sets) != 1 || sets*LineSize*uint64(c.Ways) != c.Size:
		return fmt.Errorf("%d bytes in %d ways of 64-byte lines make no power of two of sets: take 64 * ways * a power of two", c.Size, c.Ways)
	case sets > maxSets:
		return fmt.Errorf("%d sets: take at most %d", sets, maxSets)
	}
	return nil
}

// sets may be called with any c.
func (c Cache) sets() uint64 {
	if c.Ways < 1 {
		return 0
	}
	return c.Size / LineSize / uint64(c.Ways)
}

// sets of all caches; no sum overflows, as each cache and the cores have limits.
func (c Config) sets() uint64 {
	var sum uint64
	for i, n := range c.Nodes {
		cores, own := uint64(n.Cores), n.L2
		last := n.L3
		switch {
		case c.SharedL3 && i > 0:
			last = Cache{}
		case n.L3.Size == 0 && !c.SharedL3:
			last, own = n.L2, Cache{}
		}
		sum += cores*(n.L1I.sets()+n.L1D.sets()+own.sets()) + last.sets()
	}
	return sum
}

func (c Config) validateRegions() error {
	if len(c.Regions) > MaxRegions {
		return fmt.Errorf("coherence: %d regions: take at most %d", len(c.Regions), MaxRegions)
	}
	for i, r := range c.Regions {
		switch {
		case r.Base%LineSize != 0 || r.Size%LineSize != 0 || r.Size == 0:
			return fmt.Errorf("coherence: region %d: base %#x, size %#x: take multiples of 64, and a size above zero", i, r.Base, r.Size)
		case r.Size > Limit || r.Base > Limit-r.Size:
			return fmt.Errorf("coherence: region %d: base %#x, size %#x: take addresses below 64 GiB", i, r.Base, r.Size)
		case r.Home < Pool || r.Home >= len(c.Nodes):
			return fmt.Errorf("coherence: region %d: home %d: take a node's number (0..%d), Everyone (-1) or Pool (-2)", i, r.Home, len(c.Nodes)-1)
		}
		for j, q := range c.Regions[:i] {
			if r.Base < q.Base+q.Size && q.Base < r.Base+r.Size {
				return fmt.Errorf("coherence: regions %d and %d overlap at %#x: move one", j, i, max(r.Base, q.Base))
			}
		}
	}
	return nil
}

var latencyNames = [...]string{
	"L1", "L2", "L3", "Memory", "Remote", "Transfer", "SnoopData", "SnoopInvalidate", "BackInvalidate",
	"CoreSnoop", "WriteBackL2", "WriteBackL3", "WriteBackMemory",
}

// all are the latencies in the order of latencyNames.
func (l Latency) all() [len(latencyNames)]uint64 {
	return [...]uint64{
		l.L1, l.L2, l.L3, l.Memory, l.Remote, l.Transfer, l.SnoopData, l.SnoopInvalidate, l.BackInvalidate,
		l.CoreSnoop, l.WriteBackL2, l.WriteBackL3, l.WriteBackMemory,
	}
}
