package coherence_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/fusedos/stramash/coherence"
)

// Hits of the line last used in its set may be accounted later, at once: nothing else changes.
func TestMRUHits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configGen().Draw(t, "config")
		each, lazy := newPair(t, c), newPair(t, c)
		for range rapid.IntRange(1, 30).Draw(t, "accesses") {
			op, core := rapid.IntRange(0, 2).Draw(t, "op"), rapid.IntRange(0, each.cores-1).Draw(t, "core")
			pa := rapid.Uint64Range(0, 47).Draw(t, "line") * coherence.LineSize
			each.do(t, op, core, pa, true)
			lazy.do(t, op, core, pa, true)
			if op == fetch {
				continue
			}
			n := rapid.IntRange(0, 3).Draw(t, "hits")
			for range n {
				each.do(t, op, core, pa, true)
			}
			lazy.fast.MRUHits(core, uint64(n))
			for range n { // the plain model does not know of this
				lazy.plain.Load(core, pa)
			}
			for i := range each.cores {
				if a, b := each.fast.Counters(i), lazy.fast.Counters(i); a != b {
					t.Fatalf("core %d: one by one\n%+v, at once\n%+v", i, a, b)
				}
			}
		}
	})
}

// Cycles are the sum of what the accesses answered.
func TestCyclesAreTheSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configGen().Draw(t, "config")
		s, err := coherence.New(c)
		if err != nil {
			t.Fatal(err)
		}
		sums := make([]uint64, cores(c))
		for range 100 {
			core, pa := rapid.IntRange(0, len(sums)-1).Draw(t, "core"), rapid.Uint64Range(0, 3000).Draw(t, "pa")
			switch rapid.IntRange(0, 3).Draw(t, "op") {
			case 0:
				cycles, _ := s.Load(core, pa)
				sums[core] += cycles
			case 1:
				sums[core] += s.Store(core, pa)
			case 2:
				sums[core] += s.Fetch(core, pa)
			}
		}
		for i, sum := range sums {
			if got := s.Counters(i).Cycles; got != sum {
				t.Fatalf("core %d: %d cycles, its accesses answered %d", i, got, sum)
			}
		}
	})
}

// An access allocates nothing, whatever it does.
func TestAccessDoesNotAllocate(t *testing.T) {
	c := coherence.Pair()
	c.Nodes[0].Cores, c.Nodes[0].L1D.Policy, c.Nodes[1].L2.Policy = 3, coherence.Random, coherence.FIFO
	s := newSystem(t, c)
	s.OnLoss(func(int, uint64) {})
	r := uint64(1)
	if n := testing.AllocsPerRun(10, func() {
		for range 1000 {
			r = r*6364136223846793005 + 1442695040888963407
			core, pa := int(r>>62), r>>40
			s.Load(core, pa)
			s.Store(core, pa&0xffff)
			s.Fetch(core, pa&0xfff)
		}
		s.Reset()
	}); n != 0 {
		t.Errorf("%v allocations in 3000 accesses", n)
	}
}

// An address counts by its line only, and lines that differ in one bit of the address, whichever, are
// two.
func TestAddresses(t *testing.T) {
	s := newSystem(t, coherence.Pair())
	s.Store(0, 0)
	for bit := range 36 {
		want := bit < 6
		cycles, _ := s.Load(0, 1<<bit)
		if hit := cycles == 4; hit != want {
			t.Errorf("bit %d of an address: a hit is %v", bit, hit)
		}
	}
	s.Load(0, coherence.Limit-1)
	if got := s.States(0, coherence.Limit-64); got != "E-EE" {
		t.Errorf("the last line is %s", got)
	}
}

// Example: core 0 and core 1 are of different nodes; the line is in memory of node 0.
func ExampleSystem() {
	c := coherence.Pair()
	c.Regions = []coherence.Region{{Base: 0, Size: 4 << 30, Home: 0}}
	s, err := coherence.New(c)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("store by core 0:", s.Store(0, 0x1000), s.States(0, 0x1000))
	cycles, owned := s.Load(1, 0x1000)
	fmt.Println("load by core 1:", cycles, owned, s.States(0, 0x1000), s.States(1, 0x1000))
	n := s.Counters(1)
	fmt.Println(n.Transfers, "transfer,", n.SnoopData, "snoop, residual", n.Identity(c.Nodes[1].Latency))
	// Output:
	// store by core 0: 300 M-MM
	// load by core 1: 440 false S-SS S-SS
	// 1 transfer, 1 snoop, residual 0
}
