package coherence

import "math/bits"

// A System is the caches of all nodes. It is not safe for concurrent use.
type System struct {
	cores   []core
	domains []domain
	regions []region
	random  uint64
	seed    uint64
	loss    func(core int, line uint64)
}

// A region is a [Region] in lines.
type region struct {
	base, size uint32
	home       int
}

// A core has its caches, its counters, and what it needs to know of its surroundings.
type core struct {
	l1d, l1i cache
	l2       cache    // without sets if the L2 is the domain's last level
	next     *cache   // the level below the L1: l2, or the last level
	private  bool     // the core has an L2 of its own
	n        Counters // as Counters says, but for what it adds: a hit writes one word
	lat      Latency
	dom      *domain
	sys      *System
	id       int // in System.cores
	node     int
	bit      uint64 // 1 << place in dom.cores
}

// A domain is the cores under one last level.
type domain struct {
	last  cache
	cores []*core
	// holders has, for each way of each set of last, a bit for each core that may hold the
	// line: all that do, and some that have evicted it. Nil if there is one core.
	holders []uint64
}

// New makes the caches that c describes, all empty. The error is that of [Config.Validate].
func New(c Config) (*System, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &System{random: c.Seed, seed: c.Seed}
	for _, r := range c.Regions {
		s.regions = append(s.regions, region{uint32(r.Base / LineSize), uint32(r.Size / LineSize), r.Home})
	}
	total := 0
	for _, n := range c.Nodes {
		total += n.Cores
	}
	s.cores = make([]core, total) // cores and domains do not move: pointers to them stay
	s.domains = make([]domain, len(c.Nodes))
	if c.SharedL3 {
		s.domains = s.domains[:1]
	}
	id := 0
	for i, n := range c.Nodes {
		d := &s.domains[min(i, len(s.domains)-1)]
		private := c.SharedL3 || n.L3.Size > 0
		if !c.SharedL3 || i == 0 {
			last := n.L3
			if !private {
				last = n.L2
			}
			d.last = newCache(last, &s.random)
		}
		for range n.Cores {
			s.cores[id].init(s, d, n, id, i, private)
			id++
		}
	}
	for i := range s.domains {
		if d := &s.domains[i]; len(d.cores) > 1 {
			d.holders = make([]uint64, MaxWays*len(d.last.sets))
		}
	}
	return s, nil
}

func (c *core) init(s *System, d *domain, n Node, id, node int, private bool) {
	*c = core{
		l1d: newCache(n.L1D, &s.random), l1i: newCache(n.L1I, &s.random), private: private,
		next: &d.last, lat: n.Latency, dom: d, sys: s, id: id, node: node, bit: 1 << len(d.cores),
	}
	if private {
		c.l2 = newCache(n.L2, &s.random)
		c.next = &c.l2
	}
	d.cores = append(d.cores, c)
}

// keyOf is the line of pa as it stands in tags, with no state.
func keyOf(pa uint64) uint32 { return uint32(pa>>4) &^ 3 }

// Load is a load by a core, numbered through all nodes, of the line of physical address pa,
// which must lie below [Limit]. It answers its cost in cycles, and whether the core's L1D now
// holds the line M, so that a store to it would cost L1 and change nothing.
func (s *System) Load(core int, pa uint64) (cycles uint64, owned bool) {
	c, key := &s.cores[core], keyOf(pa)
	t := c.l1d.set(key)
	i, more := t.guess(c.l1d.sig(key))
	if !t.holds(i, key) {
		if more == 0 && c.l1d.top <= top8 {
			return c.miss(t, key, load), false
		}
		return c.loadSlow(t, key)
	}
	c.l1d.use(t, i)
	c.n.L1DHits++
	return c.lat.L1, t.tag[i&15] == key|modified
}

// loadSlow is a load that found no line where it looked first.
func (c *core) loadSlow(t *set, key uint32) (cycles uint64, owned bool) {
	i := t.search(key, t.matches(c.l1d.sig(key)))
	if i < 0 {
		return c.miss(t, key, load), false
	}
	c.l1d.use(t, i)
	c.n.L1DHits++
	return c.lat.L1, t.tag[i&15] == key|modified
}

// Store is a store, as Load. Afterwards the core's L1D holds the line M.
func (s *System) Store(core int, pa uint64) (cycles uint64) {
	c, key := &s.cores[core], keyOf(pa)
	t := c.l1d.set(key)
	i, more := t.guess(c.l1d.sig(key))
	if t.tag[i&15] != key|modified {
		if more == 0 && c.l1d.top <= top8 {
			return c.miss(t, key, store)
		}
		return c.storeSlow(t, i, key)
	}
	c.l1d.use(t, i)
	c.n.L1DHits++
	return c.lat.L1
}

// storeSlow is a store that found no line M in way i, where it looked first.
func (c *core) storeSlow(t *set, i int, key uint32) (cycles uint64) {
	if !t.holds(i, key) {
		if i = t.search(key, t.matches(c.l1d.sig(key))); i < 0 {
			return c.miss(t, key, store)
		}
	}
	c.l1d.use(t, i)
	c.n.L1DHits++
	if state := t.tag[i&15] & 3; state != modified {
		cycles = c.upgrade(key, state)
		t.tag[i&15] = key | modified
		c.n.Cycles += cycles
	}
	return c.lat.L1 + cycles
}

// Fetch is the fetch of an instruction, as Load, through the L1I.
func (s *System) Fetch(core int, pa uint64) (cycles uint64) {
	c, key := &s.cores[core], keyOf(pa)
	t := c.l1i.set(key)
	i, more := t.guess(c.l1i.sig(key))
	if !t.holds(i, key) {
		if more == 0 && c.l1i.top <= top8 {
			return c.miss(t, key, fetch)
		}
		return c.fetchSlow(t, key)
	}
	c.l1i.use(t, i)
	c.n.L1IHits++
	return c.lat.L1
}

func (c *core) fetchSlow(t *set, key uint32) (cycles uint64) {
	i := t.search(key, t.matches(c.l1i.sig(key)))
	if i < 0 {
		return c.miss(t, key, fetch)
	}
	c.l1i.use(t, i)
	c.n.L1IHits++
	return c.lat.L1
}

// MRUHits accounts n loads and stores of a core, each of which hit the line that was last used
// in its set of the L1D (a load in any state, a store in state M). Such accesses change
// nothing, so that a caller who knows that they are such may count them himself.
func (s *System) MRUHits(core int, n uint64) {
	s.cores[core].n.L1DHits += n
}

// OnLoss has f called whenever the L1D of a core loses a line (pa>>6), or its copy is no longer
// M; but not of a line that a load or store of that core evicts from the L1D itself, to make room
// in the set of its own line. f must not use the System. Nil: nothing is called.
func (s *System) OnLoss(f func(core int, line uint64)) { s.loss = f }

// Counters are the counters of a core since New or Reset.
func (s *System) Counters(core int) Counters {
	c := &s.cores[core]
	n := c.n // whose L1 accesses are misses yet, and whose cycles lack those of L1 hits
	n.L2Accesses = n.L1DAccesses + n.L1IAccesses
	n.L1DAccesses += n.L1DHits
	n.L1IAccesses += n.L1IHits
	n.Cycles += (n.L1DHits + n.L1IHits) * c.lat.L1
	return n
}

// Reset empties all caches, sets the counters to zero and begins the random sequence anew; it
// does not call OnLoss's function. It takes time in proportion to the sets that were used.
func (s *System) Reset() {
	s.random = s.seed
	for i := range s.cores {
		c := &s.cores[i]
		c.l1d.reset()
		c.l1i.reset()
		c.l2.reset()
		c.n = Counters{}
	}
	for i := range s.domains {
		s.domains[i].last.reset()
	}
}

// home is the home of key's line.
func (s *System) home(key uint32) int {
	for _, r := range s.regions {
		if key>>2-r.base < r.size {
			return r.home
		}
	}
	return Everyone
}

// mask has a bit for each core that may hold the line of key, which is in way of the last level.
func (d *domain) mask(key uint32, way int) uint64 {
	if d.holders == nil {
		return 1
	}
	return d.holders[d.index(key, way)]
}

func (d *domain) index(key uint32, way int) int {
	return int(key>>2)&(len(d.last.sets)-1)*MaxWays + way
}

// pop takes the lowest bit out of m and answers its core.
func (d *domain) pop(m *uint64) *core {
	i := bits.TrailingZeros64(*m)
	*m &= *m - 1
	return d.cores[i]
}

// States are the states in which a core's L1D, L1I, L2 and last level hold the line of pa: four
// letters of M, E, S and - for a line that is not held. Where the L2 is the last level it is
// told twice. It is for tests and explanations, and changes nothing.
func (s *System) States(core int, pa uint64) string {
	c, key := &s.cores[core], keyOf(pa)
	var out [4]byte
	for i, k := range []*cache{&c.l1d, &c.l1i, c.next, &c.dom.last} {
		out[i] = '-'
		if t, w := k.find(key); w >= 0 {
			out[i] = "-SEM"[t.tag[w&15]&3]
		}
	}
	return string(out[:])
}
