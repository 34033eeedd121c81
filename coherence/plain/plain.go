// Package plain is a second model of the caches, to check package coherence by: written from
// the rules in that package's comment, with lists and loops over everything and without a
// trick. It is slow. Rules are cited by their numbers in brackets.
package plain

import (
	"slices"

	"github.com/fusedos/stramash/coherence"
)

// The states of a copy, as in the rules; none is the state of a line that is not held.
const (
	none = iota
	shared
	exclusive
	modified
)

type entry struct {
	line  uint64
	state int
}

// A cache is a list of lines for each set, the last used (LRU) or filled first.
type cache struct {
	geometry coherence.Cache
	sets     map[uint64][]*entry
}

func newCache(g coherence.Cache) *cache { return &cache{g, map[uint64][]*entry{}} }

func (c *cache) index(line uint64) uint64 {
	return line % (c.geometry.Size / coherence.LineSize / uint64(c.geometry.Ways))
}

func (c *cache) get(line uint64) *entry {
	for _, e := range c.sets[c.index(line)] {
		if e.line == line {
			return e
		}
	}
	return nil
}

func (c *cache) state(line uint64) int {
	if e := c.get(line); e != nil {
		return e.state
	}
	return none
}

func (c *cache) drop(line uint64) {
	i := c.index(line)
	c.sets[i] = slices.DeleteFunc(c.sets[i], func(e *entry) bool { return e.line == line })
}

// use notes the use of a line that is held.
func (c *cache) use(line uint64) {
	if c.geometry.Policy == coherence.LRU {
		e := c.get(line)
		c.drop(line)
		c.sets[c.index(line)] = slices.Insert(c.sets[c.index(line)], 0, e)
	}
}

// A core has its caches; l2 is the last level's if the node has no L3.
type core struct {
	l1d, l1i, l2, last *cache
	node               int
	lat                coherence.Latency
	n                  coherence.Counters
}

// System is the plain counterpart of [coherence.System].
type System struct {
	config coherence.Config
	cores  []*core
	lasts  []*cache
	random uint64
}

// New is the counterpart of [coherence.New]; c must be valid.
func New(c coherence.Config) *System {
	s := &System{config: c, random: c.Seed}
	for i, n := range c.Nodes {
		private := n.L3.Size > 0 || c.SharedL3
		if !c.SharedL3 || i == 0 {
			last := n.L3
			if !private {
				last = n.L2
			}
			s.lasts = append(s.lasts, newCache(last))
		}
		for range n.Cores {
			k := &core{l1d: newCache(n.L1D), l1i: newCache(n.L1I), last: s.lasts[len(s.lasts)-1], node: i, lat: n.Latency}
			k.l2 = k.last
			if private {
				k.l2 = newCache(n.L2)
			}
			s.cores = append(s.cores, k)
		}
	}
	return s
}

// Counters is the counterpart of that of [coherence.System].
func (s *System) Counters(core int) coherence.Counters {
	n := s.cores[core].n
	n.Cycles = n.Cost(s.cores[core].lat)
	return n
}

// access runs f and answers what it cost.
func (s *System) access(i int, f func(c *core)) uint64 {
	c := s.cores[i]
	before := c.n.Cost(c.lat)
	f(c)
	return c.n.Cost(c.lat) - before
}

// Load is the counterpart of that of [coherence.System].
func (s *System) Load(core int, pa uint64) (cycles uint64, owned bool) {
	line := pa / coherence.LineSize
	cycles = s.access(core, func(c *coreT) {
		c.n.L1DAccesses++
		if c.l1d.get(line) != nil {
			c.n.L1DHits++
			c.l1d.use(line)
			return
		}
		s.put(c, c.l1d, line, s.read(c, line))
	})
	return cycles, s.cores[core].l1d.state(line) == modified
}

// Fetch is the counterpart of that of [coherence.System].
func (s *System) Fetch(core int, pa uint64) (cycles uint64) {
	line := pa / coherence.LineSize
	return s.access(core, func(c *coreT) {
		c.n.L1IAccesses++
		if c.l1i.get(line) != nil {
			c.n.L1IHits++
			c.l1i.use(line)
			return
		}
		if e := c.l1d.get(line); e != nil && e.state == modified { // [5]
			c.n.L2Backs++
			e.state = exclusive
		}
		s.read(c, line)
		s.put(c, c.l1i, line, shared)
	})
}

type coreT = core // where a parameter hides the type

// Store is the counterpart of that of [coherence.System].
func (s *System) Store(core int, pa uint64) (cycles uint64) {
	line := pa / coherence.LineSize
	return s.access(core, func(c *coreT) {
		c.n.L1DAccesses++
		state := c.l1d.state(line)
		if state != none {
			c.n.L1DHits++
			c.l1d.use(line)
		}
		s.write(c, line, state)
		c.l1i.drop(line) // [10]
		if state == none {
			s.put(c, c.l1d, line, modified)
		}
		for _, k := range []*cache{c.l1d, c.l2, c.last} { // [10]
			k.get(line).state = modified
		}
	})
}

// read brings a line to where an L1 can take it: the state that it gets. [1-4]
func (s *System) read(c *core, line uint64) int {
	if state := s.look(c, line); state != none {
		return min(state, exclusive) // [2]
	}
	held := false
	if c.last.get(line) != nil { // [3]
		s.hitLast(c, line)
		asked := false
		for _, o := range s.cores {
			if state := o.holds(line); o != c && o.last == c.last && state != none {
				held = true
				asked = asked || state > shared
				o.share(line)
			}
		}
		if asked {
			c.n.CoreSnoops++
		}
		held = held || c.last.state(line) == shared
	} else { // [4]
		supplied, dirty := false, false
		for _, l := range s.lasts {
			state := l.state(line)
			if state == none {
				continue
			}
			held = true
			if state == shared {
				continue
			}
			supplied, dirty = true, dirty || state == modified
			for _, o := range s.cores {
				if o.last == l {
					o.share(line)
				}
			}
			l.get(line).state = shared
		}
		if supplied {
			c.n.SnoopData++
		}
		if dirty {
			c.n.MemoryBacks++
		}
		s.bring(c, line, supplied)
		s.put(c, c.last, line, exclusive-b2i(held))
	}
	if c.l2 != c.last {
		s.put(c, c.l2, line, exclusive-b2i(held))
	}
	return exclusive - b2i(held)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// write makes a line the core's own, and brings it to its L2 and below, if it is not there.
// state is that of its L1D. [6-9]
func (s *System) write(c *core, line uint64, state int) {
	if state > shared {
		return
	}
	if state == none && s.look(c, line) > shared {
		return
	}
	hit := c.last.get(line) != nil
	if c.l2.get(line) == nil || c.l2 == c.last { // else the access ends above
		if hit && state == none {
			s.hitLast(c, line)
		}
	}
	if hit { // [7]
		asked := false
		for _, o := range s.cores {
			if o != c && o.last == c.last && o.holds(line) != none {
				o.drop(line)
				asked = true
			}
		}
		if asked {
			c.n.CoreSnoops++
		}
	}
	found := none
	if !hit || c.last.state(line) == shared { // [7, 8]
		for _, l := range s.lasts {
			if l == c.last || l.get(line) == nil {
				continue
			}
			found = max(found, l.state(line))
			for _, o := range s.cores {
				if o.last == l {
					o.drop(line)
				}
			}
			l.drop(line)
		}
		if found != none { // [9]
			if s.home(line) == coherence.Pool {
				c.n.BackInvalidate++
			} else {
				c.n.SnoopInvalidate++
			}
		}
	}
	if !hit {
		s.bring(c, line, found > shared)
		s.put(c, c.last, line, modified)
	}
	if c.l2.get(line) == nil {
		s.put(c, c.l2, line, modified)
	}
}

// look counts an access to an L2 that is not the last level, and answers its state.
func (s *System) look(c *core, line uint64) int {
	c.n.L2Accesses++
	if c.l2 == c.last {
		return none
	}
	if c.l2.get(line) != nil {
		c.n.L2Hits++
		c.l2.use(line)
	} else {
		c.n.L3Accesses++
	}
	return c.l2.state(line)
}

func (s *System) hitLast(c *core, line uint64) {
	c.last.use(line)
	if c.l2 == c.last {
		c.n.L2Hits++
	} else {
		c.n.L3Hits++
	}
}

// bring counts where a line comes from.
func (s *System) bring(c *core, line uint64, supplied bool) {
	switch h := s.home(line); {
	case supplied:
		c.n.Transfers++
	case h == c.node || h == coherence.Everyone:
		c.n.LocalHits++
	default:
		c.n.RemoteHits++
	}
}

func (s *System) home(line uint64) int {
	for _, r := range s.config.Regions {
		if pa := line * coherence.LineSize; r.Base <= pa && pa-r.Base < r.Size {
			return r.Home
		}
	}
	return coherence.Everyone
}

// holds is the highest state of a line in the core's own caches.
func (c *core) holds(line uint64) int {
	state := max(c.l1d.state(line), c.l1i.state(line))
	if c.l2 != c.last {
		state = max(state, c.l2.state(line))
	}
	return state
}

// share makes a core's own copies S.
func (c *core) share(line uint64) {
	for _, k := range []*cache{c.l1d, c.l2} {
		if e := k.get(line); e != nil && k != c.last {
			e.state = shared
		}
	}
}

// drop drops a core's own copies: how many there were.
func (c *core) drop(line uint64) (n uint64) {
	for _, k := range []*cache{c.l1d, c.l1i, c.l2} {
		if k != c.last && k.get(line) != nil {
			k.drop(line)
			n++
		}
	}
	return n
}

// put fills a line into a cache of c, and deals with the victim. [11, 12]
func (s *System) put(c *core, to *cache, line uint64, state int) {
	i := to.index(line)
	set := to.sets[i]
	var victim *entry
	if ways := to.geometry.Ways; len(set) == ways {
		k := ways - 1
		if to.geometry.Policy == coherence.Random {
			k = int(s.next() >> 32 * uint64(ways) >> 32)
		}
		victim = set[k]
		set = slices.Delete(set, k, k+1)
	}
	to.sets[i] = slices.Insert(set, 0, &entry{line, state})
	if victim != nil {
		s.evict(c, to, victim)
	}
}

func (s *System) evict(c *core, from *cache, v *entry) {
	dirty := uint64(b2i(v.state == modified))
	switch from {
	case c.last:
		for _, o := range s.cores {
			if o.last == from {
				c.n.InclusionVictims += o.drop(v.line)
			}
		}
		c.n.MemoryBacks += dirty
	case c.l2:
		c.n.InclusionVictims += c.drop(v.line)
		c.n.L3Backs += dirty
	case c.l1d:
		c.n.L2Backs += dirty
	}
}

// next is splitmix64. [11]
func (s *System) next() uint64 {
	s.random += 0x9e3779b97f4a7c15
	z := s.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// States is the counterpart of that of [coherence.System].
func (s *System) States(core int, pa uint64) string {
	c, line := s.cores[core], pa/coherence.LineSize
	var out string
	for _, k := range []*cache{c.l1d, c.l1i, c.l2, c.last} {
		out += "-SEM"[k.state(line):][:1]
	}
	return out
}
