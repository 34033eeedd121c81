package coherence

// The numbers in brackets are those of the rules in the package comment.

// The kinds of access.
const (
	load = iota
	fetch
	store
)

// miss is an access that missed in the L1, in set t: its cost. It is the whole way of a hit in
// the core's own L2.
func (c *core) miss(t *set, key uint32, kind int) (cycles uint64) {
	if kind == fetch {
		cycles = c.cleanL1D(key)
	}
	state := uint32(invalid)
	var s *set
	if c.private {
		s = c.l2.set(key)
		if i := s.search(key, s.matches(c.l2.sig(key))); i >= 0 {
			c.l2.use(s, i)
			c.n.L2Hits++
			cycles += c.lat.L2
			was := s.tag[i&15] & 3
			state = min(was, exclusive) // [2]
			if kind == store && was != modified {
				cycles += c.own(key, was)
				s.tag[i&15] = key | modified
			}
		}
	}
	if state == invalid {
		var below uint64
		state, below = c.last(key, kind == store)
		cycles += below
		if c.private {
			cycles += c.fillL2(s, key|state)
		}
	}
	if kind == fetch {
		c.n.L1IAccesses++
		c.l1i.fill(t, key|shared) // [5]
	} else {
		if kind == store {
			if len(c.l1i.touched) > 0 {
				c.dropL1I(key) // [10]
			}
			state = modified
		}
		c.n.L1DAccesses++
		if t.order == 0 || c.l1d.policy == Random { // fill, spelled out
			c.l1d.prepare(t, key)
		}
		wrote := dirty(t.insert(key|state, c.l1d.top, c.l1d.sig1(key))) // [12]
		c.n.L2Backs += wrote
		cycles += c.lat.WriteBackL2 * wrote
	}
	c.n.Cycles += cycles
	return cycles
}

// last is an access to the last level: its cost, and the state that the core gets.
func (c *core) last(key uint32, write bool) (state uint32, cycles uint64) {
	d := c.dom
	s, i := d.last.find(key)
	if c.private {
		c.n.L3Accesses++
	}
	if i < 0 {
		return c.fromOutside(s, key, write)
	}
	d.last.use(s, i)
	if c.private {
		c.n.L3Hits++
		cycles = c.lat.L3
	} else {
		c.n.L2Hits++
		cycles = c.lat.L2
	}
	if write {
		return modified, cycles + c.ownIn(s, i, key)
	}
	held, asked := false, false
	if d.holders != nil {
		held, asked = c.askCores(i, key)
	}
	if asked {
		cycles += c.coreSnoop()
	}
	if held || s.tag[i&15]&3 == shared { // [3]
		return shared, cycles
	}
	return exclusive, cycles
}

// askCores makes the other cores of the domain share the line in way i of the last level: whether
// one of them holds it, and whether one held it M or E. [3]
func (c *core) askCores(i int, key uint32) (held, asked bool) {
	at := c.dom.index(key, i)
	all := c.dom.holders[at] | c.bit
	for m := all &^ c.bit; m != 0; {
		o := c.dom.pop(&m)
		was := o.share(key)
		if was == invalid {
			all &^= o.bit // it has evicted the line
			continue
		}
		held, asked = true, asked || was != shared
	}
	c.dom.holders[at] = all
	return held, asked
}

// share makes a core's copies of a line S. The answer is the state that the core had it in:
// modified if any copy was. [3, 4]
func (c *core) share(key uint32) (was uint32) {
	if c.private {
		s, i := c.l2.find(key)
		if i < 0 {
			return invalid
		}
		was = s.tag[i&15] & 3
		if was == shared {
			return was // and so are those above
		}
		s.tag[i&15] = key | shared
	}
	if s, i := c.l1d.find(key); i >= 0 {
		e := s.tag[i&15]
		if e == key|modified {
			c.lost(key)
		}
		s.tag[i&15] = key | shared
		return max(was, e&3)
	}
	if was == invalid {
		if _, i := c.l1i.find(key); i >= 0 {
			return shared
		}
	}
	return was
}

// upgrade makes a line that the L1D holds in some state but M ready to be stored to. [6, 7, 10]
func (c *core) upgrade(key, state uint32) (cycles uint64) {
	c.dropL1I(key)
	if !c.private {
		return c.own(key, state)
	}
	s, i := c.l2.find(key)
	if s.tag[i&15] == key|modified { // and so is the last level
		return 0
	}
	s.tag[i&15] = key | modified
	return c.own(key, state)
}

// own makes a line that the core holds in some state its own: M in the last level. [6, 7]
func (c *core) own(key, state uint32) (cycles uint64) {
	s, i := c.dom.last.find(key)
	if state == shared {
		return c.ownIn(s, i, key)
	}
	s.tag[i&15] = key | modified
	return 0
}

// ownIn drops all copies but the core's own of a line in way i of set s of the last level,
// where it becomes M. [7]
func (c *core) ownIn(s *set, i int, key uint32) (cycles uint64) {
	d := c.dom
	if d.holders != nil {
		at := d.index(key, i)
		n := d.dropFrom(d.holders[at]&^c.bit, key)
		d.holders[at] = c.bit
		if n > 0 {
			cycles = c.coreSnoop()
		}
	}
	if s.tag[i&15]&3 == shared {
		if was := c.sys.snoop(d, key, true); was != invalid {
			cycles += c.invalidation(key)
		}
	}
	s.tag[i&15] = key | modified
	return cycles
}

// fromOutside is an access that misses in the last level, in set s: its cost and the state that
// it fills. [4, 8]
func (c *core) fromOutside(s *set, key uint32, write bool) (state uint32, cycles uint64) {
	var was uint32 // the state elsewhere
	state = exclusive
	if len(c.sys.domains) > 1 {
		if write {
			was = c.sys.snoop(c.dom, key, true)
			if was != invalid {
				cycles = c.invalidation(key)
			}
		} else if was = c.sys.snoop(c.dom, key, false); was != invalid {
			state = shared
			if was != shared {
				c.n.SnoopData++
				cycles = c.lat.SnoopData
			}
			if was == modified {
				c.n.MemoryBacks++
				cycles += c.lat.WriteBackMemory
			}
		}
	}
	if was >= exclusive {
		c.n.Transfers++
		cycles += c.lat.Transfer
	} else {
		cycles += c.memory(key)
	}
	if write {
		state = modified
	}
	return state, cycles + c.fillLast(s, key|state)
}

// memory is the cost of a line that comes from memory.
func (c *core) memory(key uint32) uint64 {
	if h := c.sys.home(key); h == c.node || h == Everyone {
		c.n.LocalHits++
		return c.lat.Memory
	}
	c.n.RemoteHits++
	return c.lat.Remote
}

// snoop makes the copies of all domains but d shared, or drops them: the state that they
// were in. [4, 8]
func (s *System) snoop(d *domain, key uint32, drop bool) (was uint32) {
	for i := range s.domains {
		o := &s.domains[i]
		if o == d {
			continue
		}
		t, w := o.last.find(key)
		if w < 0 {
			continue
		}
		was = t.tag[w&15] & 3 // in one domain, or shared in all
		switch {
		case drop:
			o.dropFrom(o.mask(key, w), key)
			o.last.drop(t, w)
		case was != shared:
			for m := o.mask(key, w); m != 0; {
				o.pop(&m).share(key)
			}
			t.tag[w&15] = key | shared
		}
	}
	return was
}

// dropFrom drops a line from the cores in the mask: how many copies there were.
func (d *domain) dropFrom(mask uint64, key uint32) (n uint64) {
	for mask != 0 {
		o := d.pop(&mask)
		if o.private {
			s, i := o.l2.find(key)
			if i < 0 {
				continue
			}
			o.l2.drop(s, i)
			n++
		}
		n += o.dropL1(key)
	}
	return n
}

// dropL1 drops a line from both L1s, with the answer of dropFrom.
func (c *core) dropL1(key uint32) (n uint64) {
	if s, i := c.l1d.find(key); i >= 0 {
		c.l1d.drop(s, i)
		c.lost(key)
		n = 1
	}
	return n + c.dropL1I(key)
}

// dropL1I answers the number of copies that it dropped.
func (c *core) dropL1I(key uint32) uint64 {
	if len(c.l1i.touched) == 0 { // nothing is fetched: do not look
		return 0
	}
	if s, i := c.l1i.find(key); i >= 0 {
		c.l1i.drop(s, i)
		return 1
	}
	return 0
}

// cleanL1D writes a line that the L1D holds M to the level below. [5]
func (c *core) cleanL1D(key uint32) (cycles uint64) {
	if s, i := c.l1d.find(key); i >= 0 && s.tag[i&15] == key|modified {
		s.tag[i&15] = key | exclusive
		c.lost(key)
		c.n.L2Backs++
		return c.lat.WriteBackL2
	}
	return 0
}

// fillL2 puts a line into set s of the core's own L2; the cost is that of the victim. [12]
func (c *core) fillL2(s *set, e uint32) (cycles uint64) {
	old := c.l2.fill(s, e)
	if old == 0 {
		return 0
	}
	c.n.InclusionVictims += c.dropL1(old &^ 3)
	c.n.L3Backs += dirty(old)
	return c.lat.WriteBackL3 * dirty(old)
}

// fillLast puts a line into set s of the last level; the cost is that of the victim. [12]
func (c *core) fillLast(s *set, e uint32) (cycles uint64) {
	d := c.dom
	old := d.last.fill(s, e)
	way := int(s.order & 15)
	if old != 0 {
		c.n.InclusionVictims += d.dropFrom(d.mask(old, way), old&^3)
		c.n.MemoryBacks += dirty(old)
		cycles = c.lat.WriteBackMemory * dirty(old)
	}
	if d.holders != nil {
		d.holders[d.index(e, way)] = c.bit
	}
	return cycles
}

func (c *core) coreSnoop() (cycles uint64) {
	c.n.CoreSnoops++
	return c.lat.CoreSnoop
}

// invalidation is the snoop that takes a line from other domains. [9]
func (c *core) invalidation(key uint32) (cycles uint64) {
	if c.sys.home(key) == Pool {
		c.n.BackInvalidate++
		return c.lat.BackInvalidate
	}
	c.n.SnoopInvalidate++
	return c.lat.SnoopInvalidate
}

func (c *core) lost(key uint32) {
	if c.sys.loss != nil {
		c.sys.loss(c.id, uint64(key>>2))
	}
}
