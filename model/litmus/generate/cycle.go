package generate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// Bounds of a cycle.
const (
	maxText    = 4096 // bytes
	maxEdges   = 24
	maxThreads = 8
)

// Cycle is a cycle of edges: each access is the end of one edge and the start of
// the next. Threads are cut by the external edges; a location ends at each edge
// between different locations. The test of a cycle asks whether an execution may
// have all its edges at once, which sequential consistency never has.
type Cycle struct {
	edges []edge // edge i leads from node i to node i+1; the last one is external
	nodes []node
	locs  []place
	isas  []litmus.ISA // of each thread
}

// node is an access of a cycle.
type node struct {
	thread, loc int
	dir         dir
	note        byte   // its annotation: P, A, L or Q
	value       uint64 // what it writes or reads in the execution that the cycle is about
	operand     uint64 // of the write of an update: what it applies; of an xchg for a write: what it reads
}

// place is a location of a cycle.
type place struct {
	init, final uint64
	matters     bool // the final value is part of the outcome
}

// ParseCycle reads a cycle: edges as herd's diy names them, in their order, between
// spaces, as in "PodWW Rfe PodRR Fre". A thread is x86-64's if the first of its
// edges to say so begins with "x:", AArch64's with "a:"; one that has no letter is of
// the ISA of the thread before it, the first of x86-64. Cycles that are rotations of
// each other give the same Cycle. An error is one line that names the edge.
func ParseCycle(text string) (*Cycle, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("a cycle of %d bytes; at most %d are read", len(text), maxText)
	}
	words := strings.Fields(text)
	if len(words) < 2 || len(words) > maxEdges {
		return nil, fmt.Errorf("a cycle of %d edges; it must have 2 to %d, as in: PodWW Rfe PodRR Fre", len(words), maxEdges)
	}
	edges, marks := make([]edge, len(words)), make([]byte, len(words))
	for i, w := range words {
		mark, rest, ok := strings.Cut(w, ":")
		if ok && mark != "x" && mark != "a" {
			return nil, fmt.Errorf("edge %d, %q: its thread is of ISA %q; write x: for x86-64, or a: for AArch64", i+1, w, mark)
		}
		if ok {
			marks[i] = mark[0]
		} else {
			rest = w
		}
		e, err := parseEdge(rest)
		if err != nil {
			return nil, fmt.Errorf("edge %d, %q: %w", i+1, w, err)
		}
		edges[i] = e
	}
	if err := join(edges); err != nil {
		return nil, err
	}
	start := len(edges)
	for start > 0 && !edges[start-1].external {
		start--
	}
	if start == 0 {
		return nil, fmt.Errorf("no edge is external; a cycle has at least one, as Rfe in: PosRW Rfe")
	}
	start %= len(edges)
	isas, err := assign(rotate(edges, start), rotate(marks, start))
	if err != nil {
		return nil, err
	}
	c, err := newCycle(rotate(edges, start), isas)
	if err != nil {
		return nil, err
	}
	return c.canonical(), nil
}

// rotate is s beginning with element i.
func rotate[T any](s []T, i int) []T { return append(slices.Clone(s[i:]), s[:i]...) }

// join makes neighbours agree on the direction and the annotation of the access
// between them.
func join(edges []edge) error {
	for i := range edges {
		j := (i + 1) % len(edges)
		e, f := &edges[i], &edges[j]
		if f.kind == dependency && (e.to == 'R' || e.kind == update) {
			f.from = e.to
		}
		switch {
		case f.from == 0:
			return fmt.Errorf("edge %d, %s, is a dependency on no read: edge %d, %s, ends in a write; put Rfi or a read-modify-write between them", j+1, f.name, i+1, e.name)
		case e.to != f.from:
			return fmt.Errorf("edge %d, %s, ends in direction %c but edge %d, %s, begins in %c; make them the same", i+1, e.name, e.to, j+1, f.name, f.from)
		case e.b != 0 && f.a != 0 && e.b != f.a:
			return fmt.Errorf("edge %d, %s, ends in annotation %c but edge %d, %s, begins in %c; make them the same", i+1, e.name, e.b, j+1, f.name, f.a)
		}
		if e.b == 0 {
			e.b = f.a
		}
		if e.b == 0 {
			e.b = 'P'
		}
		f.a = e.b
	}
	return nil
}

// assign is the ISA of each thread, given the letter in front of each edge, or 0.
func assign(edges []edge, marks []byte) ([]litmus.ISA, error) {
	var isas []litmus.ISA
	last, mark := byte('x'), byte(0)
	for i, e := range edges {
		if m := marks[i]; m != 0 {
			if mark != 0 && mark != m {
				return nil, fmt.Errorf("%c:%s: its thread is marked %c: before; a thread has one ISA", m, e.name, mark)
			}
			mark = m
		}
		if !e.external {
			continue
		}
		if mark != 0 {
			last = mark
		}
		mark = 0
		if last == 'x' {
			isas = append(isas, litmus.X86_64)
		} else {
			isas = append(isas, litmus.AArch64)
		}
	}
	return isas, nil
}

// newCycle makes the cycle of edges that agree, the last of which is external.
func newCycle(edges []edge, isas []litmus.ISA) (*Cycle, error) {
	c := &Cycle{edges: edges, isas: isas, nodes: make([]node, len(edges))}
	moves := 0 // edges to another location
	for i, e := range edges {
		prev := edges[(i+len(edges)-1)%len(edges)]
		c.nodes[i] = node{loc: moves, dir: prev.to, note: e.a}
		if i > 0 {
			c.nodes[i].thread = c.nodes[i-1].thread + int(b2i(prev.external))
		}
		if !e.same {
			moves++
		}
	}
	switch {
	case len(isas) > maxThreads:
		return nil, fmt.Errorf("%d threads, one for each external edge; a cycle has at most %d", len(isas), maxThreads)
	case moves == 1:
		return nil, fmt.Errorf("one edge only leads to another location, so that the cycle cannot close; make it two, or none (PosWR for PodWR)")
	case len(isas) == 1 && moves > 0:
		return nil, fmt.Errorf("one external edge only; a cycle over several locations has at least two")
	}
	c.locs = make([]place, max(moves, 1))
	for i := range c.nodes {
		c.nodes[i].loc %= len(c.locs)
		if err := c.check(i); err != nil {
			return nil, err
		}
	}
	for l := range c.locs {
		if err := c.values(l); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// before and after are the edges into node i and out of it.
func (c *Cycle) before(i int) *edge { return &c.edges[(i+len(c.edges)-1)%len(c.edges)] }
func (c *Cycle) after(i int) *edge  { return &c.edges[i] }

// check says whether the ISA of node i's thread has the edge after it and its annotation.
func (c *Cycle) check(i int) error {
	n, e := c.nodes[i], c.after(i)
	isa := c.isas[n.thread]
	if e.code(isa) == "" {
		mark := "a:"
		if isa == litmus.AArch64 {
			mark = "x:"
		}
		return fmt.Errorf("%s is no edge of %s; begin its thread with %s, or take another", e.name, isa, mark)
	}
	if e.kind == dependency && n.dir == 'W' && !returns(c.before(i).relation) {
		return fmt.Errorf("%s depends on %s, which returns nothing; take another read-modify-write", e.name, c.before(i).name)
	}
	if e.to == 'R' && strings.HasPrefix(e.name, "DpData") {
		return fmt.Errorf("%s leads to a read, which takes no data; let it lead to a write, or take DpAddr", e.name)
	}
	legal := "P"
	rmw := e.kind == update || c.before(i).kind == update
	switch {
	case isa == litmus.X86_64 && n.dir == 'W' && !rmw:
		legal = "PA"
	case isa == litmus.X86_64:
	case n.dir == 'W':
		legal = "PL"
	case e.kind == update && !returns(e.relation):
	case e.kind == update:
		legal = "PA"
	default:
		legal = "PAQ"
	}
	if strings.IndexByte(legal, n.note) < 0 {
		what := "read"
		if n.dir == 'W' {
			what = "write"
		}
		return fmt.Errorf("the %s before %s has annotation %c; on %s it may be one of %s", what, e.name, n.note, isa, legal)
	}
	return nil
}

// returns says whether an update has a result in a register.
func returns(r *relation) bool { return !strings.HasPrefix(r.name, "Amo.St") }

// values gives the accesses of a location their values, in the order of the cycle,
// which is coherence order: writes are numbered from 1, and an update that computes
// has a bit of its own, above all numbers. So each value names its writer and, if
// that computes, what it read. The cycle of one location contradicts itself in its
// last edge, whose end then has the value that the edge asks for.
func (c *Cycle) values(loc int) error {
	first := 0
	for c.nodes[first].loc != loc || len(c.locs) > 1 && c.before(first).same {
		first++
	}
	var chain []int
	plain := uint64(0)
	for k := range c.nodes {
		if i := (first + k) % len(c.nodes); c.nodes[i].loc == loc {
			chain = append(chain, i)
			plain += uint64(b2i(c.nodes[i].dir == 'W' && !c.computes(i)))
		}
	}
	p, bit := &c.locs[loc], uint64(1)
	for bit <= plain {
		bit *= 2
	}
	for _, i := range chain {
		if c.computes(i) {
			c.nodes[i].operand = bit
			if strings.HasSuffix(c.before(i).name, "Clr") {
				p.init |= bit
			}
			bit *= 2
		}
	}
	if bit > maxValue {
		return fmt.Errorf("more read-modify-writes of one location than 12 bits hold; make the cycle shorter")
	}
	c.number(p, chain)
	return nil
}

const maxValue = 1 << 12 // what an ADD of AArch64 takes

// number walks a location's accesses, each of which the last write before it precedes.
func (c *Cycle) number(p *place, chain []int) {
	now, number, writes := p.init, p.init, 0
	for _, i := range chain {
		n := &c.nodes[i]
		switch {
		case n.dir == 'R':
		case !c.computes(i):
			n.operand = now
			number++
			now = number
		case strings.HasSuffix(c.before(i).name, "Clr"):
			now &^= n.operand
		default:
			now |= n.operand
		}
		if n.dir == 'W' {
			writes++
			p.matters = p.matters || writes > 1 || c.before(i).kind == update && !returns(c.before(i).relation)
		}
		n.value = now
	}
	p.final = now
	if len(c.locs) > 1 {
		return
	}
	head, tail := &c.nodes[chain[0]], &c.nodes[chain[len(chain)-1]]
	switch c.before(chain[0]).name {
	case "Rf":
		head.value = tail.value
	case "Fr":
		tail.value = p.init
	case "Co":
		p.final, p.matters = head.value, true
	}
}

// computes says whether node i is the write of an update that computes from what it read.
func (c *Cycle) computes(i int) bool {
	e := c.before(i)
	return e.kind == update && strings.HasPrefix(e.name, "Amo.") && e.name != "Amo.Swp" && e.name != "Amo.Cas"
}
