package generate

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// dir is the direction of an access: 'R' or 'W'.
type dir byte

// kind is what an edge stands for.
type kind uint8

const (
	communication kind = iota // Rf, Fr or Co, within a thread (i) or between two (e)
	order                     // program order alone
	fence                     // program order with a fence between
	dependency                // of an access on what a read returned
	update                    // from the read to the write of a read-modify-write
)

// relation is a name of the alphabet.
type relation struct {
	name     string
	kind     kind
	x86, arm string // what stands for it in the code of each ISA; "" where there is none
	from, to dir    // of communications
}

// relations is the alphabet: herd's names. A name that begins as another does
// stands before it.
var relations = []relation{
	{name: "Rf", from: 'W', to: 'R', x86: "-", arm: "-"},
	{name: "Fr", from: 'R', to: 'W', x86: "-", arm: "-"},
	{name: "Co", from: 'W', to: 'W', x86: "-", arm: "-"},
	{name: "Po", kind: order, x86: "-", arm: "-"},
	{name: "MFence", kind: fence, x86: "mfence"},
	{name: "LFence", kind: fence, x86: "lfence"},
	{name: "SFence", kind: fence, x86: "sfence"},
	{name: "DMB.SY", kind: fence, arm: "DMB SY"},
	{name: "DMB.LD", kind: fence, arm: "DMB LD"},
	{name: "DMB.ST", kind: fence, arm: "DMB ST"},
	{name: "DMB.ISHLD", kind: fence, arm: "DMB ISHLD"},
	{name: "DMB.ISHST", kind: fence, arm: "DMB ISHST"},
	{name: "DMB.ISH", kind: fence, arm: "DMB ISH"},
	{name: "DMB.OSHLD", kind: fence, arm: "DMB OSHLD"},
	{name: "DMB.OSHST", kind: fence, arm: "DMB OSHST"},
	{name: "DMB.OSH", kind: fence, arm: "DMB OSH"},
	{name: "DSB.SY", kind: fence, arm: "DSB SY"},
	{name: "DSB.LD", kind: fence, arm: "DSB LD"},
	{name: "DSB.ST", kind: fence, arm: "DSB ST"},
	{name: "DSB.ISHLD", kind: fence, arm: "DSB ISHLD"},
	{name: "DSB.ISHST", kind: fence, arm: "DSB ISHST"},
	{name: "DSB.ISH", kind: fence, arm: "DSB ISH"},
	{name: "DSB.OSHLD", kind: fence, arm: "DSB OSHLD"},
	{name: "DSB.OSHST", kind: fence, arm: "DSB OSHST"},
	{name: "DSB.OSH", kind: fence, arm: "DSB OSH"},
	{name: "ISB", kind: fence, arm: "ISB"},
	{name: "DpAddrCsel", kind: dependency, arm: "-"},
	{name: "DpAddr", kind: dependency, arm: "-"},
	{name: "DpDataCsel", kind: dependency, arm: "-"},
	{name: "DpData", kind: dependency, x86: "-", arm: "-"},
	{name: "DpCtrlIsb", kind: dependency, arm: "-"},
	{name: "DpCtrl", kind: dependency, x86: "-", arm: "-"},
	{name: "Amo.Swp", kind: update, x86: "xchg", arm: "SWP"},
	{name: "Amo.Cas", kind: update, x86: "cmpxchg", arm: "CAS"},
	{name: "Amo.LdAdd", kind: update, x86: "xadd", arm: "LDADD"},
	{name: "Amo.LdSet", kind: update, arm: "LDSET"},
	{name: "Amo.LdEor", kind: update, arm: "LDEOR"},
	{name: "Amo.LdClr", kind: update, arm: "LDCLR"},
	{name: "Amo.StAdd", kind: update, x86: "add", arm: "STADD"},
	{name: "Amo.StSet", kind: update, x86: "or", arm: "STSET"},
	{name: "Amo.StEor", kind: update, arm: "STEOR"},
	{name: "Amo.StClr", kind: update, x86: "and", arm: "STCLR"},
	{name: "LxSx", kind: update, arm: "LX"},
}

// synonyms are other spellings that herd's tools use.
var synonyms = []struct{ old, now string }{{"Ws", "Co"}, {"Exch", "Amo.Swp"}}

// edge is one edge of a cycle.
type edge struct {
	*relation
	external bool
	same     bool // both accesses are to one location
	from, to dir  // from is 0 in a dependency, whose source is a read or a read-modify-write
	a, b     byte // annotations of the two accesses: P, A, L or Q; 0 if the edge doesn't say
}

// code is what stands for the relation in the code of an ISA, "" where nothing does.
func (r *relation) code(i litmus.ISA) string {
	if i == litmus.X86_64 {
		return r.x86
	}
	return r.arm
}

// String is the edge as parseEdge reads it.
func (e *edge) String() string {
	s := e.name
	switch {
	case e.kind == communication && e.external:
		s += "e"
	case e.kind == communication:
		s += "i"
	case e.kind == update:
	case e.same:
		s += "s"
	default:
		s += "d"
	}
	switch e.kind {
	case order, fence:
		s += string(e.from) + string(e.to)
	case dependency:
		s += string(e.to)
	}
	if e.a != 'P' || e.b != 'P' {
		s += string(e.a) + string(e.b)
	}
	return s
}

// parseEdge reads an edge: "Rfe", "PodWRPA", "DMB.SYdWW", "DpAddrdR", "Amo.SwpAL".
func parseEdge(text string) (edge, error) {
	rest := text
	for _, s := range synonyms {
		if strings.HasPrefix(rest, s.old) {
			rest = s.now + rest[len(s.old):]
		}
	}
	for i := range relations {
		if r := &relations[i]; strings.HasPrefix(rest, r.name) {
			e := edge{relation: r, from: r.from, to: r.to}
			rest, err := e.parseKind(rest[len(r.name):])
			if err == nil {
				err = e.parseAnnotations(rest)
			}
			return e, err
		}
	}
	return edge{}, fmt.Errorf("is no edge; edges are named as herd names them: Rfe, PodWR, MFencedWR, DMB.SYdWW, DpAddrdR, Amo.SwpAL …")
}

// parseKind reads what follows the name in edges of its kind, and returns the rest.
func (e *edge) parseKind(s string) (string, error) {
	if e.kind == update {
		e.from, e.to, e.same = 'R', 'W', true
		return s, nil
	}
	head, want := "ds", "d or s (of different locations, or the same) must follow the name, as in PodWR"
	if e.kind == communication {
		head, want = "ei", "e or i (external or internal) must follow the name, as in Rfe"
	}
	if s == "" || strings.IndexByte(head, s[0]) < 0 {
		return "", fmt.Errorf("has %q where %s", s, want)
	}
	e.external, e.same = s[0] == 'e', s[0] != 'd'
	s = s[1:]
	var into []*dir
	switch e.kind {
	case order, fence:
		into = []*dir{&e.from, &e.to}
	case dependency:
		into = []*dir{&e.to}
	}
	for _, d := range into {
		if s == "" || s[0] != 'R' && s[0] != 'W' {
			return "", fmt.Errorf("has %q where a direction must stand, R or W, as in PodWR and DpAddrdR", s)
		}
		*d, s = dir(s[0]), s[1:]
	}
	return s, nil
}

// parseAnnotations reads both annotations, or none. Na is x86's name of none.
func (e *edge) parseAnnotations(s string) error {
	short := strings.ReplaceAll(s, "Na", "P")
	if short == "" {
		return nil
	}
	if len(short) != 2 || strings.Trim(short, "PALQ") != "" {
		return fmt.Errorf("ends in %q; annotations are given for both accesses or none, each one of P A L Q, as in PodWRPA", s)
	}
	e.a, e.b = short[0], short[1]
	return nil
}
