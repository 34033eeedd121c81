package protocol

import (
	"bytes"
	"math/bits"
	"slices"
)

// canonical finds, of all states that differ only in how controllers of a kind, and lines,
// are numbered, the one that stands for them. Lines are told apart by what all controllers
// hold of them, without the numbers of controllers. Controllers are told apart by colours:
// first by what they hold; then, some times over, by the colours of those that they name
// and that name them. What shares a colour can be in any order, unless it names each other;
// then each is tried as the first (B. McKay and A. Piperno, "Practical graph isomorphism,
// II", Journal of Symbolic Computation 60, 2014, describes the method: refinement and
// individualisation). So is each order of lines that are alike.
type canonical struct {
	s *System

	cells  []uint64 // by controller and line: what it holds of it
	shared []mention
	edges  []edge
	lines  []uint64 // by line: what all hold of it
	order  []uint8  // by line: its new number

	color []uint64 // by controller
	next  []uint64
	place []uint8 // by controller: its new number

	trial, best []byte
	found       bool // there is a form:
	same        bool // the state itself, or else best
	trials      int
}

// edge says that a controller names another, and where.
type edge struct {
	from, to uint8
	line     uint8 // or noLine
	nests    bool  // it is in the other one
	label    uint64
}

// noLine is the line of what is about all of them.
const noLine = ^uint8(0)

// mention is a message of a line in a channel that all lines share.
type mention struct {
	control, line uint8
	what          uint64
}

// naming says where controllers of a kind name others.
type naming struct {
	ids, sets []int      // indices of variables
	plain     []int      // of the others
	masks     [][]uint32 // by channel and type of message: the bits that name no controller and no line
}

// maxTrials bounds the search. A state for which it does not suffice may keep several
// forms, which costs time and nothing else.
const maxTrials = 5000

func newCanonical(s *System) *canonical {
	n := len(s.controls)
	k := &canonical{
		s: s, cells: make([]uint64, n*s.Addresses), lines: make([]uint64, s.Addresses), order: make([]uint8, s.Addresses),
		color: make([]uint64, n), next: make([]uint64, n), place: make([]uint8, n),
		trial: make([]byte, s.size), best: make([]byte, s.size),
	}
	return k
}

func (t *table) namings() naming {
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
		p := &t.channels[j]
		masks := []uint32{0}
		for _, f := range p.forms[1:] {
			m := ^(p.addrMask << p.addrAt)
			for x, v := range f.message.fields {
				if v.typ.identifies() {
					m &^= uint32(f.masks[x]) << f.shifts[x]
				}
			}
			masks = append(masks, m)
		}
		n.masks = append(n.masks, masks)
	}
	return n
}

// identifies says whether the type is of controllers.
func (t typ) identifies() bool { return t.base == baseID || t.base == baseSet }

// Canonical changes a state into the one that stands for all like it.
func (w *worker) Canonical(state []byte) {
	if w.canon == nil {
		w.canon = newCanonical(w.s)
	}
	k := w.canon
	k.found, k.same, k.trials = false, false, 0
	k.collect(state)
	k.sortLines()
	k.orderLines(state, 0)
	if !k.same {
		copy(state, k.best)
	}
}

// sortLines numbers the lines.
func (k *canonical) sortLines() {
	for a, x := range k.lines {
		k.order[a] = 0
		for b, y := range k.lines {
			if y < x || y == x && b < a {
				k.order[a]++
			}
		}
	}
}

// orderLines goes on with every order of the lines from the first-th on that differs only
// among lines that are alike.
func (k *canonical) orderLines(state []byte, first int) {
	if first >= len(k.lines)-1 {
		k.colors()
		k.refine()
		k.search(state)
		return
	}
	at := slices.Index(k.order, uint8(first))
	for b := range k.lines {
		if k.lines[b] == k.lines[at] && int(k.order[b]) >= first {
			k.order[at], k.order[b] = k.order[b], k.order[at]
			k.orderLines(state, first+1)
			k.order[at], k.order[b] = k.order[b], k.order[at]
		}
	}
}

// mix hashes two words into one.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1342543de82ef95)
	return hi ^ lo
}

// collect finds what each controller holds of each line, and who names whom.
func (k *canonical) collect(state []byte) {
	k.edges, k.shared = k.edges[:0], k.shared[:0]
	for addr := range k.lines {
		k.lines[addr] = uint64(state[k.s.latest+addr])
	}
	for i := range k.s.controls {
		c := &k.s.controls[i]
		n := &c.table.naming
		for addr := range k.s.Addresses {
			line := state[c.base+addr*c.table.line:][:c.table.line]
			h, word := uint64(c.kind.number), uint64(line[0])
			for x, v := range n.plain {
				if word = word<<8 | uint64(line[1+v]); x%7 == 6 {
					h, word = mix(h, word), 0
				}
			}
			k.cells[i*k.s.Addresses+addr] = mix(h, word)
			for _, v := range n.ids {
				k.edge(i, uint8(addr), c, c.kind.vars[v].typ.of, line[1+v], uint64(v))
			}
			for _, v := range n.sets {
				k.members(i, uint8(addr), c, c.kind.vars[v].typ.of, line[1+v], uint64(v))
			}
		}
		for j := range c.table.channels {
			k.messages(state, i, c, j)
		}
		if c.kind.in != nil {
			k.edges = append(k.edges, edge{from: uint8(i), to: c.near[c.kind.in.number], line: noLine, nests: true})
		}
		for addr := range k.s.Addresses {
			k.lines[addr] += mix(k.cells[i*k.s.Addresses+addr], 4)
		}
	}
	for _, m := range k.shared {
		k.lines[m.line] += mix(m.what, uint64(k.s.controls[m.control].kind.number))
	}
}

func (k *canonical) edge(i int, line uint8, c *controller, of *kind, id uint8, label uint64) {
	if id != 0 {
		k.edges = append(k.edges, edge{from: uint8(i), to: c.first[of.number] + id - 1, line: line, label: label})
	}
}

func (k *canonical) members(i int, line uint8, c *controller, of *kind, set uint8, label uint64) {
	for ; set != 0; set &= set - 1 {
		k.edge(i, line, c, of, uint8(bits.TrailingZeros8(set)+1), label)
	}
}

// messages adds what is in a channel of a controller.
func (k *canonical) messages(state []byte, i int, c *controller, j int) {
	p := &c.table.channels[j]
	at := c.base + p.offset
	for a := range p.instances(k.s) {
		line := uint8(a)
		if p.channel.block {
			line = noLine
		}
		switch {
		case state[at] == 0: // the type of a message is in its first byte
		case p.width == 0:
			k.holds(i, line, mix(uint64(j), uint64(state[at])))
		default:
			k.words(state, at, i, line, c, j)
		}
		at += p.stride
	}
}

// holds adds something that a controller holds of a line, or of all.
func (k *canonical) holds(i int, line uint8, what uint64) {
	for addr := range k.s.Addresses {
		if line == noLine || int(line) == addr {
			k.cells[i*k.s.Addresses+addr] += what
		}
	}
}

// words adds the messages of a channel that begins at a byte.
func (k *canonical) words(state []byte, at, i int, line uint8, c *controller, j int) {
	p := &c.table.channels[j]
	for x := range p.capacity {
		w := p.get(state, at, x)
		if w == 0 {
			break
		}
		f := &p.forms[w&p.typeMask]
		where := uint64(j)<<32 | uint64(w&c.table.naming.masks[j][w&p.typeMask])
		if p.channel.fifo {
			where = mix(where, uint64(x))
		}
		if p.addrMask != 0 {
			line = uint8(p.addr(w))
			k.shared = append(k.shared, mention{uint8(i), line, where})
		} else {
			k.holds(i, line, mix(where, 1))
		}
		for y, v := range f.message.fields {
			switch id := uint8(w>>f.shifts[y]) & f.masks[y]; v.typ.base {
			case baseID:
				k.edge(i, line, c, v.typ.of, id, mix(where, uint64(y)))
			case baseSet:
				k.members(i, line, c, v.typ.of, id, mix(where, uint64(y)))
			}
		}
	}
}

// instances is how many channels there are of a controller: one for each line, or one.
func (p *place) instances(s *System) int {
	if p.stride == 0 {
		return 1
	}
	return s.Addresses
}

// colors gives each controller its first colour, by what it holds of the lines in their
// order.
func (k *canonical) colors() {
	for i := range k.color {
		h := uint64(0)
		for addr, to := range k.order {
			h += mix(k.cells[i*len(k.order)+addr], uint64(to))
		}
		k.color[i] = h
	}
	for _, m := range k.shared {
		k.color[m.control] += mix(m.what, uint64(k.order[m.line])<<8|1)
	}
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
			label := e.label
			if e.line != noLine {
				label = mix(label, uint64(k.order[e.line]))
			}
			k.next[e.to] += mix(k.color[e.from], label)
			k.next[e.from] += mix(k.color[e.to], ^label)
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
	saved := slices.Clone(k.color)
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
	if k.inOrder() && !k.found {
		k.found, k.same = true, true
		return
	}
	if k.same {
		copy(k.best, state)
		k.same = false
	}
	for i := range k.s.controls {
		k.place[i] = k.rank(i)
	}
	k.s.renumber(k.trial, state, k.place, k.order)
	if !k.found || bytes.Compare(k.trial, k.best) < 0 {
		k.best, k.trial, k.found = k.trial, k.best, true
	}
}

// inOrder says whether all lines and controllers keep their numbers.
func (k *canonical) inOrder() bool {
	for addr, to := range k.order {
		if addr != int(to) {
			return false
		}
	}
	for i := range k.color[1:] {
		if c := &k.s.controls[i]; c.index+1 < c.table.count && k.color[i] > k.color[i+1] {
			return false
		}
	}
	return true
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
