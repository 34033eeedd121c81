package protocol

import (
	"bytes"
	"math/bits"
)

// canonical finds, of all states that differ only in how controllers of a kind, and lines,
// are numbered, the one that stands for them. Controllers are told apart by colours: first
// by what they hold, without the numbers of others; then, some times over, by the colours
// of those that they name and that name them. Those that share a colour can be in any
// order, unless they name each other; then each is tried as the first (B. McKay and
// A. Piperno, "Practical graph isomorphism, II", Journal of Symbolic Computation 60,
// 2014, describes the method: refinement and individualisation).
type canonical struct {
	s      *System
	names  []naming // by number of kind
	color  []uint64 // by controller
	next   []uint64
	edges  []edge
	place  []uint8 // by controller: its new number
	lines  [][]int // the orders of the lines
	trial  []byte
	best   []byte
	whole  []byte
	found  bool // best holds a trial
	trials int
}

// edge says that a controller names another, and where.
type edge struct {
	from, to uint8
	nests    bool // it is in the other one
	label    uint64
}

// naming says where controllers of a kind name others.
type naming struct {
	ids, sets []int      // indices of variables
	plain     []int      // of the others
	channels  []int      // whose messages name any
	masks     [][]uint32 // by channel and type of message: the bits that name none
}

// maxTrials bounds the search. A state for which it does not suffice may keep several
// forms, which costs time and nothing else.
const maxTrials = 5000

func newCanonical(s *System) *canonical {
	n := len(s.controls)
	k := &canonical{
		s: s, color: make([]uint64, n), next: make([]uint64, n), place: make([]uint8, n), lines: orders(s.Addresses),
		trial: make([]byte, s.size), best: make([]byte, s.size), whole: make([]byte, s.size),
	}
	for i := range s.tables {
		k.names = append(k.names, s.tables[i].naming())
	}
	return k
}

func (t *table) naming() naming {
	var n naming
	for i, v := range t.kind.vars {
		switch v.typ.base {
		case baseID:
			n.ids = append(n.ids, i)
		case baseSet:
			n.sets = append(n.sets, i)
		default:
			n.plain = append(n.plain, i)
		}
	}
	for j := range t.channels {
		p, named := &t.channels[j], false
		masks := []uint32{0}
		for _, f := range p.forms[1:] {
			m := ^uint32(0)
			for x, v := range f.message.fields {
				if v.typ.base == baseID || v.typ.base == baseSet {
					m &^= uint32(f.masks[x]) << f.shifts[x]
					named = true
				}
			}
			masks = append(masks, m)
		}
		n.masks = append(n.masks, masks)
		if named {
			n.channels = append(n.channels, j)
		}
	}
	return n
}

// orders are the permutations of 0 to n-1, the identity first.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for at := n - 1; at >= 0; at-- {
		for _, o := range orders(n - 1) {
			p := append(append(append([]int{}, o[:at]...), n-1), o[at:]...)
			out = append(out, p)
		}
	}
	return out
}

// Canonical changes a state into the one that stands for all like it.
func (w *worker) Canonical(state []byte) {
	if w.canon == nil {
		w.canon = newCanonical(w.s)
	}
	k := w.canon
	k.found = false
	copy(k.whole, state)
	for _, lines := range k.lines {
		if len(k.lines) > 1 {
			w.s.renumberLines(state, k.whole, lines)
		}
		k.collect(state)
		k.refine()
		k.trials = 0
		k.search(state)
	}
	copy(state, k.best)
}

// mix hashes two words into one.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1342543de82ef95)
	return hi ^ lo
}

// collect gives each controller its first colour, and finds who names whom.
func (k *canonical) collect(state []byte) {
	k.edges = k.edges[:0]
	for i := range k.s.controls {
		c := &k.s.controls[i]
		n := &k.names[c.kind.number]
		h := uint64(c.kind.number)
		for addr := range k.s.Addresses {
			line := state[c.base+addr*c.table.line:]
			h = mix(h, uint64(line[0]))
			for _, v := range n.plain {
				h = mix(h, uint64(line[1+v]))
			}
			label := uint64(addr) << 32
			for _, v := range n.ids {
				k.edge(i, c, c.kind.vars[v].typ.of, line[1+v], label|uint64(v))
			}
			for _, v := range n.sets {
				for m := line[1+v]; m != 0; m &= m - 1 {
					k.edge(i, c, c.kind.vars[v].typ.of, uint8(bits.TrailingZeros8(m)+1), label|uint64(v))
				}
			}
		}
		k.color[i] = h + k.messages(state, i, c)
		if c.kind.in != nil {
			k.edges = append(k.edges, edge{from: uint8(i), to: c.near[c.kind.in.number], nests: true})
		}
	}
}

func (k *canonical) edge(i int, c *controller, of *kind, id uint8, label uint64) {
	if id != 0 {
		k.edges = append(k.edges, edge{from: uint8(i), to: c.first[of.number] + id - 1, label: label})
	}
}

// messages is what the channels of a controller add to its colour.
func (k *canonical) messages(state []byte, i int, c *controller) uint64 {
	n := &k.names[c.kind.number]
	sum := uint64(0)
	for j := range c.table.channels {
		p := &c.table.channels[j]
		at := c.base + p.offset
		for a := range p.instances(k.s) {
			label := uint64(j)<<8 | uint64(a)
			if p.width == 0 {
				sum += mix(label, uint64(state[at]))
			}
			for x := range p.capacity {
				if p.width == 0 {
					break
				}
				w := p.get(state, at, x)
				if w == 0 {
					break
				}
				where := label<<40 | uint64(w&n.masks[j][w&p.typeMask])
				if p.channel.fifo {
					where = mix(where, uint64(x))
				}
				sum += mix(where, 1)
				f := &p.forms[w&p.typeMask]
				for y, v := range f.message.fields {
					if id := uint8(w>>f.shifts[y]) & f.masks[y]; v.typ.base == baseID {
						k.edge(i, c, v.typ.of, id, mix(where, uint64(y)))
					} else if v.typ.base == baseSet {
						for m := id; m != 0; m &= m - 1 {
							k.edge(i, c, v.typ.of, uint8(bits.TrailingZeros8(m)+1), mix(where, uint64(y)))
						}
					}
				}
			}
			at += p.stride
		}
	}
	return sum
}

// instances is how many channels there are of a controller: one for each line, or one.
func (p *place) instances(s *System) int {
	if p.stride == 0 {
		return 1
	}
	return s.Addresses
}

// rounds is how far a difference of colour spreads.
const rounds = 3

// refine spreads the colours along the edges.
func (k *canonical) refine() {
	if len(k.edges) == 0 {
		return
	}
	for range rounds {
		for i, c := range k.color {
			k.next[i] = mix(c, 2)
		}
		for _, e := range k.edges {
			k.next[e.to] += mix(k.color[e.from], e.label)
			k.next[e.from] += mix(k.color[e.to], ^e.label)
		}
		k.color, k.next = k.next, k.color
	}
}

// tied says whether another controller of the kind has the colour of controller i.
func (k *canonical) tied(i uint8) bool {
	for j := range k.color {
		if j != int(i) && k.color[j] == k.color[i] {
			return true
		}
	}
	return false
}

// search finds the smallest of the forms that the colours leave.
func (k *canonical) search(state []byte) {
	open := -1 // a controller of the smallest colour that is shared by some that name each other
	for _, e := range k.edges {
		if !e.nests && k.tied(e.from) && k.tied(e.to) {
			for _, i := range [...]uint8{e.from, e.to} {
				if open < 0 || k.color[i] < k.color[open] {
					open = int(i)
				}
			}
		}
	}
	if open < 0 || k.trials > maxTrials {
		k.try(state)
		return
	}
	saved := append([]uint64(nil), k.color...)
	for i, c := range saved {
		if c == saved[open] {
			copy(k.color, saved)
			k.color[i] = mix(c, 3)
			k.refine()
			k.search(state)
		}
	}
}

// try numbers the controllers in the order of their colours, and keeps the smallest state.
func (k *canonical) try(state []byte) {
	k.trials++
	for i := range k.s.controls {
		k.place[i] = k.rank(i)
	}
	k.s.renumber(k.trial, state, k.place)
	if !k.found || bytes.Compare(k.trial, k.best) < 0 {
		k.best, k.trial, k.found = k.trial, k.best, true
	}
}

// rank is the new number of a controller: behind those beside it of a smaller colour, in
// the new place of the one that it is in.
func (k *canonical) rank(i int) uint8 {
	c := &k.s.controls[i]
	first := i - c.index
	n := uint8(0)
	for j := first; j < first+c.table.count; j++ {
		if k.color[j] < k.color[i] || k.color[j] == k.color[i] && j < i {
			n++
		}
	}
	if c.kind.in == nil {
		return uint8(first) + n
	}
	in := int(c.near[c.kind.in.number])
	moved := int(k.rank(in)) - in
	return uint8(first+moved*c.table.count) + n
}

// renumber is a state in which each controller has its new number.
func (s *System) renumber(dst, src []byte, place []uint8) {
	copy(dst[s.latest:], src[s.latest:])
	for i := range s.controls {
		c, d := &s.controls[i], &s.controls[place[i]]
		block := dst[d.base : d.base+d.table.size]
		copy(block, src[c.base:c.base+c.table.size])
		for v := range c.kind.vars {
			t := c.kind.vars[v].typ
			if t.base != baseID && t.base != baseSet {
				continue
			}
			for addr := range s.Addresses {
				b := &block[addr*c.table.line+1+v]
				*b = renamed(c, d, t, *b, place)
			}
		}
		for j := range c.table.channels {
			s.renameMessages(dst, c, d, &c.table.channels[j], place)
		}
	}
}

// renamed is an id or a set of them after the renumbering of its controller from c to d.
func renamed(c, d *controller, t typ, b uint8, place []uint8) uint8 {
	from, to := c.first[t.of.number], d.first[t.of.number]
	if t.base == baseID {
		if b == 0 {
			return 0
		}
		return place[from+b-1] - to + 1
	}
	out := uint8(0)
	for ; b != 0; b &= b - 1 {
		out |= 1 << (place[from+uint8(bits.TrailingZeros8(b))] - to)
	}
	return out
}

// renameMessages renames in the messages of a channel.
func (s *System) renameMessages(dst []byte, c, d *controller, p *place, place []uint8) {
	if !p.names {
		return
	}
	for a := range p.instances(s) {
		at := d.base + p.offset + a*p.stride
		for x := range p.capacity {
			w := p.get(dst, at, x)
			if w == 0 {
				break
			}
			f := &p.forms[w&p.typeMask]
			for y, v := range f.message.fields {
				if v.typ.base == baseID || v.typ.base == baseSet {
					b := renamed(c, d, v.typ, uint8(w>>f.shifts[y])&f.masks[y], place)
					w = w&^(uint32(f.masks[y])<<f.shifts[y]) | uint32(b)<<f.shifts[y]
				}
			}
			p.put(dst, at, x, w)
		}
		p.sort(dst, at)
	}
}

// sort puts the messages of a bag in order.
func (p *place) sort(state []byte, at int) {
	if p.channel.fifo {
		return
	}
	for x := 1; x < p.capacity; x++ {
		w := p.get(state, at, x)
		y := x
		for ; w != 0 && y > 0 && p.get(state, at, y-1) > w; y-- {
			p.put(state, at, y, p.get(state, at, y-1))
		}
		p.put(state, at, y, w)
	}
}

// renumberLines is a state in which each line has its new number.
func (s *System) renumberLines(dst, src []byte, lines []int) {
	for i := range s.controls {
		c := &s.controls[i]
		for addr, to := range lines {
			copy(dst[c.base+to*c.table.line:][:c.table.line], src[c.base+addr*c.table.line:])
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			at := c.base + p.offset
			if p.stride > 0 {
				for addr, to := range lines {
					copy(dst[at+to*p.stride:][:p.stride], src[at+addr*p.stride:])
				}
				continue
			}
			if p.width == 0 {
				dst[at] = src[at]
				continue
			}
			for x := range p.capacity {
				w := p.get(src, at, x)
				if w != 0 {
					addr := p.addr(w)
					w += uint32(lines[addr]-addr) << p.addrAt
				}
				p.put(dst, at, x, w)
			}
		}
	}
	for addr, to := range lines {
		dst[s.latest+to] = src[s.latest+addr]
	}
}

// permutations generate the symmetries of the system: neighbours change places.
func (s *System) permutations() []func(state []byte) {
	var out []func([]byte)
	for i := range s.controls {
		c := &s.controls[i]
		if c.index+1 == c.table.count {
			continue
		}
		place := make([]uint8, len(s.controls))
		for j := range place {
			place[j] = uint8(j)
		}
		s.exchange(place, i, i+1)
		out = append(out, func(state []byte) { s.renumber(state, bytes.Clone(state), place) })
	}
	for a := range s.Addresses - 1 {
		lines := orders(s.Addresses)[0]
		swapped := append([]int{}, lines...)
		swapped[a], swapped[a+1] = a+1, a
		out = append(out, func(state []byte) { s.renumberLines(state, bytes.Clone(state), swapped) })
	}
	return out
}

// exchange has two controllers change places, with those that are in them.
func (s *System) exchange(place []uint8, a, b int) {
	place[a], place[b] = uint8(b), uint8(a)
	for i := range s.tables {
		if t := &s.tables[i]; t.kind.in == s.controls[a].kind {
			for j := range t.count {
				x, y := s.controls[a].first[i]+uint8(j), s.controls[b].first[i]+uint8(j)
				place[x], place[y] = y, x
			}
		}
	}
}
