package generate

import (
	"slices"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// shape is a classic form of cycles: for each thread the directions of its first
// and last access (one letter if there is but one; = between them if they are to
// one location), then the edge to the next thread.
type shape struct{ name, form string }

// shapes are the classic forms, under herd's names (Alglave, Maranget and
// Tautschnig, "Herding cats", TOPLAS 2014, and diy's own for more threads).
var shapes = []shape{
	{"CoWW", "W=W Co"},
	{"CoWR", "W=R Fr"},
	{"CoRW1", "R=W Rf"},
	{"CoRR", "W Rf R=R Fr"},
	{"CoRW2", "W Rf R=W Co"},
	{"CoWR2", "W Co W=R Fr"},
	{"CoRR2", "W Rf R=R Fr W Rf R=R Fr"},
	{"SB", "WR Fr WR Fr"},
	{"MP", "WW Rf RR Fr"},
	{"LB", "RW Rf RW Rf"},
	{"S", "WW Rf RW Co"},
	{"R", "WW Co WR Fr"},
	{"2+2W", "WW Co WW Co"},
	{"WRC", "W Rf RW Rf RR Fr"},
	{"RWC", "W Rf RR Fr WR Fr"},
	{"WWC", "W Rf RW Rf RW Co"},
	{"WRW+WR", "W Rf RW Co WR Fr"},
	{"WRR+2W", "W Rf RR Fr WW Co"},
	{"WRW+2W", "W Rf RW Co WW Co"},
	{"ISA2", "WW Rf RW Rf RR Fr"},
	{"W+RWC", "WW Rf RR Fr WR Fr"},
	{"3.SB", "WR Fr WR Fr WR Fr"},
	{"3.2W", "WW Co WW Co WW Co"},
	{"3.LB", "RW Rf RW Rf RW Rf"},
	{"Z6.0", "WW Rf RW Co WR Fr"},
	{"Z6.1", "WW Co WW Rf RW Co"},
	{"Z6.2", "WW Rf RW Rf RW Co"},
	{"Z6.3", "WW Co WW Rf RR Fr"},
	{"Z6.4", "WW Co WR Fr WR Fr"},
	{"Z6.5", "WW Co WW Co WR Fr"},
	{"IRIW", "W Rf RR Fr W Rf RR Fr"},
	{"IRRWIW", "W Rf RR Fr W Rf RW Co"},
	{"IRWIW", "W Rf RW Co W Rf RW Co"},
	{"4.SB", "WR Fr WR Fr WR Fr WR Fr"},
	{"4.2W", "WW Co WW Co WW Co WW Co"},
	{"4.LB", "RW Rf RW Rf RW Rf RW Rf"},
	{"4.ISA2", "WW Rf RW Rf RW Rf RR Fr"},
	{"W+RWC4", "WW Rf RR Fr WW Rf RR Fr"},
}

// Shapes are the names of the classic shapes that Generate knows, in its order.
func Shapes() []string {
	var names []string
	for _, s := range shapes {
		names = append(names, s.name)
	}
	return names
}

// threads calls f for each thread with its first and last node.
func (c *Cycle) threads(f func(t, first, last int)) {
	first := 0
	for i, e := range c.edges {
		if e.external {
			f(c.nodes[i].thread, first, i)
			first = i + 1
		}
	}
}

// form is the cycle's shape as in shapes.
func (c *Cycle) form() string {
	var parts []string
	c.threads(func(_, first, last int) {
		s := string(c.nodes[first].dir)
		if last > first {
			if c.nodes[first].loc == c.nodes[last].loc {
				s += "="
			}
			s += string(c.nodes[last].dir)
		}
		parts = append(parts, s, c.edges[last].name)
	})
	return strings.Join(parts, " ")
}

// shape is the name of the cycle's shape as it is rotated, and whether it is a classic.
func (c *Cycle) shape() (string, bool) {
	form := c.form()
	if i := slices.IndexFunc(shapes, func(s shape) bool { return s.form == form }); i >= 0 {
		return shapes[i].name, true
	}
	return strings.ReplaceAll(form, " ", ""), false
}

// canonical is the rotation of the cycle by which it is known: one that is a
// classic shape if there is one, and among these the one whose name comes first.
// Names tell different cycles apart.
func (c *Cycle) canonical() *Cycle {
	best, bestKnown, bestName := (*Cycle)(nil), false, ""
	c.threads(func(t, first, _ int) {
		r, err := newCycle(rotate(c.edges, first), rotate(c.isas, t))
		if err != nil {
			return
		}
		name := r.Name()
		_, known := r.shape()
		if best == nil || known && !bestKnown || known == bestKnown && name < bestName {
			best, bestKnown, bestName = r, known, name
		}
	})
	return best
}

// Name is the cycle's name in herd's manner: the shape, the letters of the threads'
// ISAs if they differ, then the edges within each thread of two accesses or more:
// MP+dmb.st+addr, SB-ax+po+mfence, 2+2W+dmb.sys (the same in all threads), LB (po in
// all), CoRR (pos in all). Where the directions of an access within a thread do not follow from its
// edges, its letter stands between them.
func (c *Cycle) Name() string {
	name, _ := c.shape()
	if mixed(c.isas) {
		name += "-" + letters(c.isas)
	}
	single := false // accesses alone in their thread have annotations
	c.threads(func(_, first, last int) {
		single = single || first == last && c.nodes[first].note != 'P'
	})
	var segments []string
	c.threads(func(_, first, last int) {
		switch {
		case first < last:
			segments = append(segments, c.segment(first, last))
		case single:
			segments = append(segments, strings.ToLower(string(c.nodes[first].note)))
		}
	})
	same, plain := true, "po"
	for _, s := range segments {
		same = same && s == segments[0]
	}
	if len(c.locs) == 1 {
		plain = "pos"
	}
	switch {
	case len(segments) == 0 || same && segments[0] == plain:
		return name
	case same && len(segments) > 1:
		return name + "+" + segments[0] + "s"
	}
	return name + "+" + strings.Join(segments, "+")
}

// segment names the edges between two nodes of a thread.
func (c *Cycle) segment(first, last int) string {
	var parts []string
	for i := first; i < last; i++ {
		e := c.after(i)
		if i > first {
			if p := c.before(i); !p.directs() && !e.directs() && e.kind != dependency {
				parts = append(parts, strings.ToLower(string(e.from)))
			}
		}
		s := strings.ToLower(strings.TrimPrefix(e.name, "Dp"))
		if e.kind == communication {
			s += "i"
		} else if e.same && e.kind != update {
			s += "s"
		}
		if e.a != 'P' || e.b != 'P' {
			s += strings.ToLower(string(e.a) + string(e.b))
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "-")
}

// directs says whether the edge's name alone tells the directions of both ends.
func (e *edge) directs() bool { return e.kind == communication || e.kind == update }

// String is the cycle as ParseCycle reads it.
func (c *Cycle) String() string {
	var words []string
	for i := range c.edges {
		w := c.edges[i].String()
		if i == 0 || c.edges[i-1].external {
			w = letters(c.isas[c.nodes[i].thread:][:1]) + ":" + w
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// mixed says whether threads are of different ISAs.
func mixed(isas []litmus.ISA) bool {
	return slices.Contains(isas, litmus.X86_64) && slices.Contains(isas, litmus.AArch64)
}

// letters has a letter for each thread: x or a.
func letters(isas []litmus.ISA) string {
	var b strings.Builder
	for _, i := range isas {
		if i == litmus.X86_64 {
			b.WriteByte('x')
		} else {
			b.WriteByte('a')
		}
	}
	return b.String()
}
