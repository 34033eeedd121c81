package coherence_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/coherence/plain"
)

// cacheGen draws caches of few lines, so that sets fill and victims matter.
func cacheGen(maxSets, maxWays int) *rapid.Generator[coherence.Cache] {
	return rapid.Custom(func(t *rapid.T) coherence.Cache {
		sets := 1 << rapid.IntRange(0, maxSets).Draw(t, "sets, log2")
		ways := rapid.IntRange(1, maxWays).Draw(t, "ways")
		return coherence.Cache{
			Size: uint64(sets * ways * coherence.LineSize), Ways: ways,
			Policy: coherence.Policy(rapid.IntRange(0, 2).Draw(t, "policy")),
		}
	})
}

func latencyGen() *rapid.Generator[coherence.Latency] {
	return rapid.Custom(func(t *rapid.T) coherence.Latency {
		x := rapid.SliceOfN(rapid.Uint64Range(0, coherence.MaxLatency), 13, 13).Draw(t, "latencies")
		return coherence.Latency{
			L1: x[0], L2: x[1], L3: x[2], Memory: x[3], Remote: x[4], Transfer: x[5],
			SnoopData: x[6], SnoopInvalidate: x[7], BackInvalidate: x[8], CoreSnoop: x[9],
			WriteBackL2: x[10], WriteBackL3: x[11], WriteBackMemory: x[12],
		}
	})
}

func configGen() *rapid.Generator[coherence.Config] {
	return rapid.Custom(func(t *rapid.T) coherence.Config {
		c := coherence.Config{
			SharedL3: rapid.Bool().Draw(t, "shared L3"),
			Seed:     rapid.Uint64().Draw(t, "seed"),
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "nodes") {
			n := coherence.Node{
				Cores: rapid.IntRange(1, 4).Draw(t, "cores"),
				L1I:   cacheGen(1, 3).Draw(t, "L1I"), L1D: cacheGen(1, rapid.SampledFrom([]int{3, 16}).Draw(t, "at most")).Draw(t, "L1D"),
				L2:      cacheGen(2, 16).Draw(t, "L2"),
				Latency: latencyGen().Draw(t, "latency"),
			}
			if i == 0 && c.SharedL3 || rapid.Bool().Draw(t, "has L3") {
				n.L3 = cacheGen(3, 16).Draw(t, "L3")
			}
			c.Nodes = append(c.Nodes, n)
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "regions") {
			c.Regions = append(c.Regions, coherence.Region{
				Base: uint64(i) * 16 * coherence.LineSize, Size: uint64(rapid.IntRange(1, 16).Draw(t, "lines")) * coherence.LineSize,
				Home: rapid.IntRange(coherence.Pool, len(c.Nodes)-1).Draw(t, "home"),
			})
		}
		return c
	})
}

func cores(c coherence.Config) (n int) {
	for _, k := range c.Nodes {
		n += k.Cores
	}
	return n
}

// A pair runs the System and its plain counterpart side by side.
type pair struct {
	config coherence.Config
	fast   *coherence.System
	plain  *plain.System
	cores  int
	lines  map[uint64]bool // used
	lost   map[[2]uint64]bool
}

func newPair(t rapid.TB, c coherence.Config) *pair {
	s, err := coherence.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{c, s, plain.New(c), cores(c), map[uint64]bool{}, map[[2]uint64]bool{}}
	s.OnLoss(func(core int, line uint64) { p.lost[[2]uint64{uint64(core), line}] = true })
	return p
}

const (
	load = iota
	store
	fetch
)

// do makes one access in both; states says whether to compare all states, too.
func (p *pair) do(t rapid.TB, op, core int, pa uint64, states bool) {
	t.Helper()
	p.lines[pa/coherence.LineSize] = true
	what := fmt.Sprintf("%s of core %d at %#x", [...]string{"load", "store", "fetch"}[op], core, pa)
	var before map[[2]uint64]byte
	if states {
		before = p.l1d()
		clear(p.lost)
	}
	var got, want uint64
	switch op {
	case load:
		var owned, should bool
		got, owned = p.fast.Load(core, pa)
		want, should = p.plain.Load(core, pa)
		if owned != should {
			t.Fatalf("%s: owned %v, should be %v", what, owned, should)
		}
	case store:
		got, want = p.fast.Store(core, pa), p.plain.Store(core, pa)
	case fetch:
		got, want = p.fast.Fetch(core, pa), p.plain.Fetch(core, pa)
	}
	if got != want {
		t.Fatalf("%s: %d cycles, should be %d: %+v\nbut %+v", what, got, want, p.fast.Counters(core), p.plain.Counters(core))
	}
	p.counters(t, what, core)
	if !states {
		return
	}
	for line := range p.lines {
		for c := range p.cores {
			got, want := p.fast.States(c, line*coherence.LineSize), p.plain.States(c, line*coherence.LineSize)
			if got != want {
				t.Fatalf("%s: line %#x of core %d is %s, should be %s", what, line, c, got, want)
			}
		}
	}
	p.losses(t, what, before, core, pa/coherence.LineSize, op != fetch)
	p.invariants(t, what)
}

// node is that of a core.
func (p *pair) node(core int) coherence.Node {
	i := 0
	for core -= p.config.Nodes[0].Cores; core >= 0; core -= p.config.Nodes[i].Cores {
		i++
	}
	return p.config.Nodes[i]
}

func (p *pair) l1dSets(core int) uint64 {
	g := p.node(core).L1D
	return g.Size / coherence.LineSize / uint64(g.Ways)
}

func (p *pair) counters(t rapid.TB, what string, core int) {
	t.Helper()
	got, want := p.fast.Counters(core), p.plain.Counters(core)
	if got != want {
		t.Fatalf("%s: counters are\n%+v, should be\n%+v", what, got, want)
	}
	if r := got.Identity(p.node(core).Latency); r != 0 {
		t.Fatalf("%s: the identity of core %d has residual %d", what, core, r)
	}
}

// l1d are the states of all L1D copies.
func (p *pair) l1d() map[[2]uint64]byte {
	out := map[[2]uint64]byte{}
	for line := range p.lines {
		for c := range p.cores {
			out[[2]uint64{uint64(c), line}] = p.fast.States(c, line*coherence.LineSize)[0]
		}
	}
	return out
}

// losses checks that OnLoss told of just the copies that were dropped or are no longer M; but
// for those that may have made room for the line accessed.
func (p *pair) losses(t rapid.TB, what string, before map[[2]uint64]byte, core int, line uint64, filled bool) {
	t.Helper()
	sets := p.l1dSets(core)
	for k, now := range p.l1d() {
		lost := before[k] != '-' && now == '-' || before[k] == 'M' && now != 'M'
		room := filled && k[0] == uint64(core) && now == '-' && k[1]%sets == line%sets
		if lost != p.lost[k] && !(lost && room) {
			t.Fatalf("%s: line %#x of core %d went from %c to %c: loss told is %v", what, k[1], k[0], before[k], now, p.lost[k])
		}
	}
}

// invariants are those of the package comment, on the System's own states.
func (p *pair) invariants(t rapid.TB, what string) {
	t.Helper()
	for line := range p.lines {
		var states []string
		for c := range p.cores {
			states = append(states, p.fast.States(c, line*coherence.LineSize))
		}
		if err := coherent(p.config, states); err != "" {
			t.Fatalf("%s: line %#x: %s: %q", what, line, err, states)
		}
	}
}

// coherent says what is wrong with the states of one line in all cores, or nothing.
func coherent(c coherence.Config, states []string) string {
	core := 0
	var domains []int // the domain of each core
	var own []bool    // whether it has an L2 of its own
	for i, n := range c.Nodes {
		for range n.Cores {
			d := i
			if c.SharedL3 {
				d = 0
			}
			domains, own = append(domains, d), append(own, c.SharedL3 || n.L3.Size > 0)
			core++
		}
	}
	above := func(i int) string { // the core's own copies
		if own[i] {
			return states[i][:3]
		}
		return states[i][:2]
	}
	has := func(s, of string) bool {
		for _, r := range s {
			for _, o := range of {
				if r == o {
					return true
				}
			}
		}
		return false
	}
	for i, s := range states {
		d, l2, last := s[0], s[2], s[3]
		switch {
		case has(s[:2], "MES") && l2 == '-', l2 != '-' && last == '-':
			return fmt.Sprintf("core %d is not inclusive", i)
		case has(s[1:2], "ME"):
			return fmt.Sprintf("the L1I of core %d can write", i)
		case d == 'M' && s[1] != '-':
			return fmt.Sprintf("the L1I of core %d is stale", i)
		case has(above(i), "ME") && last == 'S':
			return fmt.Sprintf("core %d may write what its domain shares", i)
		case d == 'M' && l2 != 'M', l2 == 'M' && last != 'M':
			return fmt.Sprintf("core %d is dirty above a level that is not", i)
		case own[i] && has(s[:1], "ME") && l2 == 'S', own[i] && d == 'S' && l2 != 'S':
			return fmt.Sprintf("L1D and L2 of core %d do not agree", i)
		}
		for j, q := range states {
			switch {
			case i == j:
			case domains[i] == domains[j] && has(above(i), "ME") && has(above(j), "MES"):
				return fmt.Sprintf("core %d may write what core %d holds", i, j)
			case domains[i] != domains[j] && has(s[3:], "ME") && q[3] != '-':
				return fmt.Sprintf("the domain of core %d may write what that of %d holds", i, j)
			}
		}
	}
	return ""
}

// Every access costs, counts, changes and loses what it does in the plain model, on any small
// platform; and what it leaves behind is coherent.
func TestAgainstPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair(t, configGen().Draw(t, "config"))
		lines := rapid.Uint64Range(0, 47)
		for range rapid.IntRange(1, 60).Draw(t, "accesses") {
			p.do(t, rapid.IntRange(0, 2).Draw(t, "op"), rapid.IntRange(0, p.cores-1).Draw(t, "core"),
				lines.Draw(t, "line")*coherence.LineSize+rapid.Uint64Range(0, 63).Draw(t, "offset"), true)
		}
	})
}

// The same over long streams, where full sets and stale holders are the rule, with and without
// somebody who is told of losses. What is drawn is the seed of the stream.
func TestAgainstPlainLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := configGen().Draw(t, "config")
		p := newPair(t, c)
		told := rapid.Bool().Draw(t, "told of losses")
		if !told {
			p.fast.OnLoss(nil)
		}
		span := rapid.Uint64Range(1, 200).Draw(t, "lines")
		r := rapid.Uint64().Draw(t, "stream") | 1
		for round := range 2 {
			for i := range 2000 {
				r ^= r << 13
				r ^= r >> 7
				r ^= r << 17
				p.do(t, int(r>>60)%3, int(r>>32&0xffff)%p.cores, r>>8&0xffff%span*coherence.LineSize, told && i%500 == 499)
			}
			if round == 0 { // and after a Reset it is a new System
				p.fast.Reset()
				p.plain = plain.New(c)
				for core := range p.cores {
					p.counters(t, "reset", core)
				}
			}
		}
	})
}
