package coherence_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/coherence"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		want string // a part of the error
		edit func(c *coherence.Config)
	}{
		{"there is no node", func(c *coherence.Config) { c.Nodes = nil }},
		{"node 1: 0 cores", func(c *coherence.Config) { c.Nodes[1].Cores = 0 }},
		{"node 0: -1 cores", func(c *coherence.Config) { c.Nodes[0].Cores = -1 }},
		{"node 1: 64 cores: take 1 or more, and at most 64 in all nodes", func(c *coherence.Config) { c.Nodes[1].Cores = 64 }},
		{"node 0: L1I: it has no size", func(c *coherence.Config) { c.Nodes[0].L1I.Size = 0 }},
		{"node 0: L1D: 0 ways", func(c *coherence.Config) { c.Nodes[0].L1D.Ways = 0 }},
		{"node 0: L1D: -8 ways", func(c *coherence.Config) { c.Nodes[0].L1D.Ways = -8 }},
		{"node 1: L2: 17 ways: take 1 to 16", func(c *coherence.Config) { c.Nodes[1].L2.Ways = 17 }},
		{"node 1: L3: 3145728 bytes in 16 ways of 64-byte lines make no power of two of sets", func(c *coherence.Config) { c.Nodes[1].L3.Size = 3 << 20 }},
		{"L2: 1048577 bytes in 16 ways", func(c *coherence.Config) { c.Nodes[1].L2.Size++ }},
		{"L2: 63 bytes in 1 ways", func(c *coherence.Config) { c.Nodes[0].L2 = coherence.Cache{Size: 63, Ways: 1} }},
		{"L1D: there is no policy with number 3", func(c *coherence.Config) { c.Nodes[0].L1D.Policy = 3 }},
		{"L3: 4194304 sets: take at most", func(c *coherence.Config) { c.Nodes[0].L3 = coherence.Cache{Size: 256 << 20, Ways: 1} }},
		{"the caches have 4", func(c *coherence.Config) {
			for i := range c.Nodes {
				c.Nodes[i].L3 = coherence.Cache{Size: 128 << 20, Ways: 1}
			}
		}},
		{"node 1: latency of WriteBackL3: 1048577 cycles: take at most 1048576", func(c *coherence.Config) { c.Nodes[1].Latency.WriteBackL3 = 1<<20 + 1 }},
		{"node 0 has no L3 that all nodes could share", func(c *coherence.Config) { c.SharedL3, c.Nodes[0].L3 = true, coherence.Cache{} }},
		{"region 0: base 0x20, size 0x40: take multiples of 64", func(c *coherence.Config) { c.Regions = []coherence.Region{{Base: 32, Size: 64}} }},
		{"region 0: base 0x40, size 0x20: take multiples", func(c *coherence.Config) { c.Regions = []coherence.Region{{Base: 64, Size: 32}} }},
		{"size 0x0: take multiples of 64, and a size above zero", func(c *coherence.Config) { c.Regions = []coherence.Region{{}} }},
		{"take addresses below 64 GiB", func(c *coherence.Config) { c.Regions = []coherence.Region{{Base: 64, Size: 64 << 30}} }},
		{"take addresses below 64 GiB", func(c *coherence.Config) { c.Regions = []coherence.Region{{Base: 1<<64 - 64, Size: 128}} }},
		{"take addresses below 64 GiB", func(c *coherence.Config) { c.Regions = []coherence.Region{{Base: 64, Size: 1<<64 - 64}} }},
		{"region 0: home 2: take a node's number (0..1), Everyone (-1) or Pool (-2)", func(c *coherence.Config) { c.Regions = []coherence.Region{{Size: 64, Home: 2}} }},
		{"region 0: home -3", func(c *coherence.Config) { c.Regions = []coherence.Region{{Size: 64, Home: -3}} }},
		{"regions 0 and 1 overlap at 0x40", func(c *coherence.Config) {
			c.Regions = []coherence.Region{{Base: 64, Size: 256}, {Size: 128}}
		}},
		{"65 regions: take at most 64", func(c *coherence.Config) { c.Regions = make([]coherence.Region, 65) }},
	} {
		conf := coherence.Pair()
		c.edit(&conf)
		_, err := coherence.New(conf)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the error is %v, should have %q", err, c.want)
		} else if !strings.HasPrefix(err.Error(), "coherence: ") || !strings.ContainsAny(err.Error(), ":,") {
			t.Errorf("%q does not say whose error it is", err)
		}
	}
}

// The ends of all ranges are valid.
func TestValidateTakes(t *testing.T) {
	c := coherence.Pair()
	c.Nodes[0].Cores = 63
	c.Nodes[1].L2 = coherence.Cache{Size: 64, Ways: 1}
	c.Nodes[1].Latency.Remote = coherence.MaxLatency
	c.Regions = []coherence.Region{
		{Base: coherence.Limit - 64, Size: 64, Home: coherence.Pool}, {Size: coherence.Limit / 2, Home: coherence.Everyone},
		{Base: coherence.Limit / 2, Size: coherence.Limit/2 - 64, Home: 1},
	}
	s := newSystem(t, c)
	if cycles, _ := s.Load(0, coherence.Limit-1); cycles != 640 {
		t.Errorf("the last line of a pool costs %d cycles, should be 640", cycles)
	}
	if cycles, _ := s.Load(0, coherence.Limit-65); cycles != 640 {
		t.Errorf("the last line of node 1 costs %d cycles, should be 640", cycles)
	}
	if cycles, _ := s.Load(0, coherence.Limit/2-1); cycles != 300 {
		t.Errorf("the last line of everyone costs %d cycles, should be 300", cycles)
	}
}

func TestPresets(t *testing.T) {
	for cpu := coherence.XeonGold; cpu <= coherence.CortexA72; cpu++ {
		if got, err := coherence.ParseCPU(cpu.String()); got != cpu || err != nil {
			t.Errorf("%v is read as %v, %v", cpu, got, err)
		}
		if err := (coherence.Config{Nodes: []coherence.Node{coherence.Table2(cpu)}}).Validate(); err != nil {
			t.Errorf("%v: %v", cpu, err)
		}
	}
	if _, err := coherence.ParseCPU("z80"); err == nil {
		t.Error("z80 is taken for a CPU")
	}
	for _, c := range []coherence.Config{coherence.Pair(), coherence.Artifact(), coherence.Pair().WithL3(32 << 20)} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	// The transfer that the package comment of Table2 promises, in figures.
	pair := coherence.Pair()
	for i, want := range []uint64{640 - 300 + 30, 620 - 300 + 50} {
		if got := pair.Nodes[i].Latency.Transfer; got != want {
			t.Errorf("Transfer of node %d of the pair is %d, should be %d", i, got, want)
		}
	}
	if got := coherence.Table2(coherence.CortexA72).Latency.Transfer; got != 780-300+9 {
		t.Errorf("Transfer of the Cortex-A72 is %d, should be 489", got)
	}
	small := coherence.Pair()
	if big := small.WithL3(32 << 20); big.Nodes[1].L3.Size != 32<<20 || small.Nodes[1].L3.Size != 4<<20 {
		t.Error("WithL3 changes its receiver, or nothing")
	}
	for p := coherence.LRU; p <= coherence.Random; p++ {
		if got, err := coherence.ParsePolicy(p.String()); got != p || err != nil {
			t.Errorf("%v is read as %v, %v", p, got, err)
		}
	}
	if _, err := coherence.ParsePolicy("plru"); err == nil {
		t.Error("plru is taken for a policy")
	}
	if coherence.Policy(7).String() != "Policy(7)" || coherence.CPU(7).String() != "CPU(7)" {
		t.Error("what is no policy or CPU is spelled as one")
	}
}

// The sample that the paper's appendix prints, of a build without terms for snoops and
// write-backs, obeys the identity with the artifact's constants: to the cycle, on both nodes.
// (The L2 hits are accesses less L3 accesses: the printed ones contradict the printed runtime.)
func TestAppendixSample(t *testing.T) {
	for i, sample := range []struct {
		c                    coherence.Counters
		insts, ipis, runtime uint64
	}{
		{coherence.Counters{
			L1DHits: 5127379213, L1DAccesses: 5475752586, L2Hits: 348373373 - 327260331, L2Accesses: 348373373,
			L3Hits: 261230203, L3Accesses: 327260331, LocalHits: 59366, RemoteHits: 65970762,
		}, 8601072931, 17, 91254395261},
		{coherence.Counters{
			L1DHits: 5819027543, L1DAccesses: 6205724879, L2Hits: 386697336 - 349366385, L2Accesses: 386697336,
			L3Hits: 273466584, L3Accesses: 349366385, LocalHits: 37555, RemoteHits: 75862246,
		}, 10133480114, 10, 97501520205},
	} {
		c, l := sample.c, coherence.Artifact().Nodes[i].Latency
		if got := c.Cost(l) + sample.insts + 2000*sample.ipis; got != sample.runtime {
			t.Errorf("node %d: %d cycles, the paper prints %d", i, got, sample.runtime)
		}
		if c.L1DAccesses-c.L1DHits != c.L2Accesses || c.L3Accesses-c.L3Hits != c.LocalHits+c.RemoteHits {
			t.Errorf("node %d: the levels do not add up", i)
		}
		c.Cycles = sample.runtime - sample.insts - 2000*sample.ipis
		if r := c.Identity(l); r != 0 {
			t.Errorf("node %d: residual %d", i, r)
		}
		if c.Cycles++; c.Identity(l) != 1 {
			t.Errorf("node %d: a cycle too many has residual %d", i, c.Identity(l))
		}
	}
}

// Each counter is added, and each is in the cost at its own latency.
func TestCountersAdd(t *testing.T) {
	var sum coherence.Counters
	one := coherence.Counters{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	two := coherence.Counters{2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40}
	sum.Add(one)
	sum.Add(one)
	if d := cmp.Diff(two, sum); d != "" {
		t.Error(d)
	}
	l := coherence.Latency{
		L1: 1, L2: 1e2, L3: 1e4, Memory: 1e6, Remote: 1e8, Transfer: 1e10, SnoopData: 1e12,
		SnoopInvalidate: 1e14, BackInvalidate: 1e16, CoreSnoop: 1e18,
	}
	if got := one.Cost(l); got != 15_14_13_12_11_10_09_07_05_04 {
		t.Errorf("cost is %d", got)
	}
	if got := one.Cost(coherence.Latency{WriteBackL2: 1, WriteBackL3: 1e2, WriteBackMemory: 1e4}); got != 18_17_16 {
		t.Errorf("cost of write-backs is %d", got)
	}
}
