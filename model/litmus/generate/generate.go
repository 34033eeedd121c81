// Package generate makes litmus tests: of cycles of edges over x86-64, AArch64 and
// both (ParseCycle, Generate), and at random (Random). Reduce makes a test that
// shows something smaller. All are functions of their arguments alone.
//
// Cycles are those of diy (Alglave, Maranget, Sarkar and Sewell, "Litmus: running
// tests against hardware", TACAS 2011): an execution that has all edges of a cycle
// is not sequentially consistent, and the test asks whether the machine has it.
package generate

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// Spec says which cycles Generate makes: every shape, with every assignment of
// ISAs to threads, and in each thread every link.
type Spec struct {
	Shapes []string     // names from Shapes; nil is all
	ISAs   []litmus.ISA // that threads may be of; nil is both
	Links  []string     // nil is Links(): what may stand between the first and the last access of a thread
}

// Links are the default links: edges in which * stands for the direction of the
// thread's first access where it comes first, and of its last access where it comes
// last. A link is used where it reads as edges of the thread's ISA, between those
// directions, to the same location or another as the shape asks.
func Links() []string { return slices.Clone(links) }

var links = []string{
	"Pod**", "Pos**",
	// x86-64
	"MFenced**", "LFenced**", "SFenced**", "Pod**AP", "Pod**PA", "Pod**AA", "MFences**",
	// AArch64: fences
	"DMB.SYd**", "DMB.LDd**", "DMB.STd**", "DSB.SYd**", "DSB.LDd**", "DSB.STd**", "ISBd**",
	"DMB.ISHd**", "DMB.ISHLDd**", "DMB.ISHSTd**", "DMB.OSHd**", "DMB.OSHLDd**", "DMB.OSHSTd**",
	"DSB.ISHd**", "DSB.ISHLDd**", "DSB.ISHSTd**", "DSB.OSHd**", "DSB.OSHLDd**", "DSB.OSHSTd**", "DMB.SYs**",
	// Acquire and release
	"Pod**LP", "Pod**PL", "Pod**LL", "Pod**PQ", "Pod**QP", "Pod**QL", "Pod**LA", "Pod**LQ", "Pod**AL", "Pod**QQ",
	"Pos**LP", "Pos**PL", "Pos**QP",
	// Dependencies
	"DpAddrd*", "DpDatad*", "DpCtrld*", "DpCtrlIsbd*", "DpAddrCseld*", "DpDataCseld*", "DpAddrd*PL", "DpDatad*QP",
	"DpAddrdR PodR*", "DpAddrdW PodW*", "DpCtrldW PodW*", "DpDatadW Rfi PodR*", "DpAddrdR DpAddrd*",
	// By way of the thread's own accesses
	"Rfi PodR*", "Rfi DpAddrd*", "Rfi DpDatad*", "Rfi DpCtrld*", "RfiPA PodR*AP", "RfiLQ PodR*QP", "RfiLA PodR*AP",
	"Pod*W Rfi", "Pod*W RfiPA", "Pod*WPL RfiLQ", "DpDatadW Rfi", "Pod*R Fri", "PodWR Fri", "Coi PodW*", "Pod*W Coi", "Fri PodW*",
	"PosRR PodR*", "DpAddrdR PosR*", "PodWW Rfi DpAddrd*", "MFencedWW Rfi PodR*",
	// Read-modify-writes
	"Amo.Swp PodW*", "Amo.Cas PodW*", "Amo.LdAdd PodW*", "Amo.LdAddAL PodW*", "Amo.SwpAP PodW*", "Amo.CasAL PodW*",
	"LxSx PodW*", "LxSxAL PodW*", "LxSxAP PodW*", "LxSxPL PodW*",
	"Pod*R Amo.Swp", "Pod*R Amo.Cas", "Pod*R Amo.LdAdd", "Pod*R Amo.LdAddPL", "Pod*R Amo.SwpPL", "Pod*R Amo.CasAL", "Pod*R Amo.StAdd",
	"Pod*R LxSx", "Pod*R LxSxAL", "Pod*R LxSxPL",
	"Pod*R Amo.Swp PodW*", "Pod*R Amo.LdAddAL PodW*", "Pod*R Amo.LdAdd DpAddrd*", "Pod*R Amo.Cas DpCtrld*", "Pod*R Amo.Swp DpDatad*",
	"Pod*R Amo.LdSet PodW*", "Pod*R Amo.LdEorAL PodW*", "Pod*R Amo.LdClrAL PodW*", "Pod*R Amo.LdClr", "Pod*R Amo.LdEorPL", "Pod*R Amo.LdSetAP",
	"Pod*R Amo.StAdd PodW*", "Pod*R Amo.StSetPL PodW*", "Pod*R Amo.StEor DMB.LDdW*", "Pod*R Amo.StClrPL", "Pod*R Amo.StSet",
	"Pod*R LxSxAL PodW*", "Pod*R LxSx DMB.SYdW*", "Pod*R LxSx DpAddrd*", "DpAddrdR Amo.Swp", "DpAddrdR LxSx",
	"Pod*R Amo.Cas Rfi DpCtrld*", "Pod*R Amo.LdAdd Rfi DpAddrd*",
}

// Generate makes the cycles of a specification, each once, in an order that is
// fixed by the specification: cycles that are rotations of each other are one.
// The error is for names that it does not know; it is known before the first cycle.
func Generate(s Spec) (iter.Seq[*Cycle], error) {
	s, forms, err := s.filled()
	if err != nil {
		return nil, err
	}
	return func(yield func(*Cycle) bool) {
		seen := map[string]bool{}
		for _, form := range forms {
			g := generator{parts: form, spec: s, links: map[string][]string{}, seen: seen, yield: yield}
			if !g.extend("", 0) {
				return
			}
		}
	}, nil
}

// filled is the specification with its defaults, and the parts of its shapes.
func (s Spec) filled() (Spec, [][]string, error) {
	if s.Shapes == nil {
		s.Shapes = Shapes()
	}
	if s.ISAs == nil {
		s.ISAs = []litmus.ISA{litmus.X86_64, litmus.AArch64}
	}
	if s.Links == nil {
		s.Links = links
	}
	var forms [][]string
	for _, name := range s.Shapes {
		i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == name })
		if i < 0 {
			return s, nil, fmt.Errorf("%q is no shape; the shapes are %s", name, strings.Join(Shapes(), " "))
		}
		forms = append(forms, strings.Fields(shapes[i].form))
	}
	return s, forms, nil
}

// Draw is a cycle of a specification, drawn by a seed: first the shape, then for
// each thread its ISA and a link. It is nil if a thousand of them clash with their
// neighbours; the error is Generate's.
func Draw(seed uint64, s Spec) (*Cycle, error) {
	s, forms, err := s.filled()
	if err != nil {
		return nil, err
	}
	r := rand{seed}
	g := generator{spec: s, links: map[string][]string{}}
	for range 1000 {
		form, text := pick(&r, forms...), ""
		for i := 0; i < len(form); i += 2 {
			isa, link := pick(&r, s.ISAs...), ""
			if fit := g.fitting(isa, form[i]); len(fit) > 0 {
				link = pick(&r, fit...) + " "
			}
			text += letters([]litmus.ISA{isa}) + ":" + link + form[i+1] + "e "
		}
		if c, err := ParseCycle(text); err == nil {
			return c, nil
		}
	}
	return nil, nil
}

// generator walks the cycles of a shape, thread by thread.
type generator struct {
	parts []string // of the shape: a thread's accesses, then the edge to the next
	spec  Spec
	links map[string][]string // by ISA and accesses
	seen  map[string]bool     // canonical cycles
	yield func(*Cycle) bool
}

// extend goes on from the text of the threads that are done. It answers false when
// no more cycles are wanted.
func (g *generator) extend(text string, done int) bool {
	if 2*done == len(g.parts) {
		c, err := ParseCycle(text)
		if err != nil || g.seen[c.String()] {
			return true // a link that clashes with its neighbours, or a rotation
		}
		g.seen[c.String()] = true
		return g.yield(c)
	}
	accesses, out := g.parts[2*done], g.parts[2*done+1]+"e "
	for _, isa := range g.spec.ISAs {
		mark := letters([]litmus.ISA{isa}) + ":"
		if len(accesses) == 1 {
			if !g.extend(text+mark+out, done+1) {
				return false
			}
			continue
		}
		for _, l := range g.fitting(isa, accesses) {
			if !g.extend(text+mark+l+" "+out, done+1) {
				return false
			}
		}
	}
	return true
}

// fitting are the links for a thread.
func (g *generator) fitting(isa litmus.ISA, accesses string) []string {
	key := isa.String() + accesses
	if len(accesses) == 1 {
		return nil
	}
	if fit, ok := g.links[key]; ok {
		return fit
	}
	first, last, same := accesses[:1], accesses[len(accesses)-1:], len(accesses) == 3
	fit := []string{}
	for _, l := range g.spec.Links {
		words := strings.Fields(l)
		words[0] = fill(words[0], first, last, len(words) > 1)
		words[len(words)-1] = fill(words[len(words)-1], last, last, true)
		if l = strings.Join(words, " "); fits(isa, l, first, last, same) && !slices.Contains(fit, l) {
			fit = append(fit, l)
		}
	}
	g.links[key] = fit
	return fit
}

// fill replaces the stars of an edge: the first one is the thread's first access, if
// another follows or the edge is not the only one.
func fill(word, first, last string, one bool) string {
	if one || strings.Count(word, "*") == 2 {
		word = strings.Replace(word, "*", first, 1)
	}
	return strings.Replace(word, "*", last, 1)
}

// fits says whether a link reads as edges of an ISA between the directions.
// Whether neighbours agree is seen when the cycle is whole.
func fits(isa litmus.ISA, link, first, last string, same bool) bool {
	var edges []edge
	moves := 0
	for _, w := range strings.Fields(link) {
		e, err := parseEdge(w)
		if err != nil || e.code(isa) == "" {
			return false
		}
		edges = append(edges, e)
		moves += int(1 - b2i(e.same))
	}
	e := edges[0]
	from := string(e.from)
	if e.kind == dependency {
		from = "R"
	}
	return from == first && string(edges[len(edges)-1].to) == last && (moves == 0) == same
}
