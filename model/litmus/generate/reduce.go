package generate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// Reduce makes a test smaller for as long as show holds of it, which must hold of
// the test itself: it drops threads, instructions, atoms of the condition and
// initial values, and takes weaker instructions for stronger ones. What it returns
// is the smallest test reached: no single such step leads to a test that shows it
// still. It is Zeller and Hildebrandt's delta debugging (TSE 2002) on lines of text;
// show is called some hundreds of times for tests of 20 instructions.
func Reduce(test *litmus.Test, show func(*litmus.Test) bool) *litmus.Test {
	s, ok := parseSource(test.String())
	if !ok {
		return test
	}
	r := reducer{best: test, show: show}
	for again := true; again; {
		again = false
		for _, step := range steps {
			for k := 0; ; {
				smaller, more := step(s, k)
				switch {
				case !more:
				case smaller != nil && r.try(smaller):
					s, again = smaller, true
					continue // what was at k is gone
				}
				if k++; !more {
					break
				}
			}
		}
	}
	return r.best
}

type reducer struct {
	best *litmus.Test
	show func(*litmus.Test) bool
}

func (r *reducer) try(s *source) bool {
	t, err := litmus.Parse([]byte(s.String()))
	if err != nil || !r.show(t) {
		return false
	}
	r.best = t
	return true
}

// steps are the ways to make a test smaller. Each gives its k-th result, nil if
// that is none, and whether k has been in its range.
var steps = []func(s *source, k int) (smaller *source, more bool){
	dropThread,
	func(s *source, k int) (*source, bool) { return dropLines(s, k, 4) },
	func(s *source, k int) (*source, bool) { return dropLines(s, k, 2) },
	func(s *source, k int) (*source, bool) { return dropLines(s, k, 1) },
	weaken,
	dropAtom,
	dropInit,
}

// clone is a copy of which all may be changed.
func (s *source) clone() *source {
	c := *s
	c.threads = slices.Clone(s.threads)
	for i := range c.threads {
		t := &c.threads[i]
		t.init, t.lines, t.observe = slices.Clone(t.init), slices.Clone(t.lines), slices.Clone(t.observe)
	}
	c.init, c.observe, c.final = slices.Clone(s.init), slices.Clone(s.observe), slices.Clone(s.final)
	return &c
}

func dropThread(s *source, k int) (*source, bool) {
	if k >= len(s.threads) || len(s.threads) == 1 {
		return nil, false
	}
	c := s.clone()
	c.threads = slices.Delete(c.threads, k, k+1)
	c.final = nil
	for _, atom := range s.final {
		thread, rest, ok := strings.Cut(atom, ":")
		t, err := strconv.Atoi(thread)
		switch {
		case !ok || err != nil || t < k:
			c.final = append(c.final, atom)
		case t > k:
			c.final = append(c.final, strconv.Itoa(t-1)+":"+rest)
		}
	}
	if len(c.final) == 0 {
		return nil, true
	}
	return c, true
}

// line finds the k-th line of all threads.
func (s *source) line(k int) (thread, at int, ok bool) {
	for t, c := range s.threads {
		if k < len(c.lines) {
			return t, k, true
		}
		k -= len(c.lines)
	}
	return 0, 0, false
}

// dropLines drops n lines of a thread from the k-th of all on, and labels that no
// jump leads to any more.
func dropLines(s *source, k, n int) (*source, bool) {
	t, at, ok := s.line(k)
	if !ok {
		return nil, false
	}
	c := s.clone()
	column := &c.threads[t]
	column.lines = slices.Delete(column.lines, at, min(at+n, len(column.lines)))
	column.lines = slices.DeleteFunc(column.lines, func(l string) bool {
		label, ok := strings.CutSuffix(l, ":")
		return ok && !slices.ContainsFunc(column.lines, func(l string) bool { return strings.HasSuffix(l, label) })
	})
	return c, true
}

// weaker has for each part of an instruction one that orders less.
var weaker = []struct{ strong, weak string }{
	{"LDAR", "LDR"}, {"LDAPR", "LDR"}, {"STLR", "STR"}, {"LDAXR", "LDXR"}, {"STLXR", "STXR"},
	{"DSB", "DMB"}, {"DMB SY", "DMB LD"}, {"DMB SY", "DMB ST"}, {"ISH", "SY"}, {"OSH", "SY"},
	{"SYLD", "LD"}, {"SYST", "ST"}, {"xchg", "mov"},
}

// amo is an atomic instruction with annotations: its stem, them, and the width.
var amo = regexp.MustCompile(`^(CAS|SWP|LDADD|LDCLR|LDEOR|LDSET|STADD|STCLR|STEOR|STSET)(A?)(L?)([BH]? .*)$`)

// index is an address with an index that depends on something.
var index = regexp.MustCompile(`^(.*\[X\d+),[^\]]*\]$`)

// weaken gives weaker variants of single lines.
func weaken(s *source, k int) (*source, bool) {
	per := len(weaker) + 3
	t, at, ok := s.line(k / per)
	if !ok {
		return nil, false
	}
	l, now := s.threads[t].lines[at], ""
	m := amo.FindStringSubmatch(l)
	switch i := k % per; {
	case i < len(weaker):
		now = strings.Replace(l, weaker[i].strong, weaker[i].weak, 1)
	case i == len(weaker) && m != nil && m[2] != "":
		now = m[1] + m[3] + m[4]
	case i == len(weaker)+1 && m != nil && m[3] != "":
		now = m[1] + m[2] + m[4]
	case i == len(weaker)+2:
		now = index.ReplaceAllString(l, "$1]")
	}
	if now == l || now == "" {
		return nil, true
	}
	c := s.clone()
	c.threads[t].lines[at] = now
	return c, true
}

func dropAtom(s *source, k int) (*source, bool) {
	if k >= len(s.final) || len(s.final) == 1 {
		return nil, false
	}
	c := s.clone()
	c.final = slices.Delete(c.final, k, k+1)
	return c, true
}

// dropInit drops an initial value, and after these an observed register or location.
func dropInit(s *source, k int) (*source, bool) {
	c := s.clone()
	lists := []*[]string{&c.init}
	for t := range c.threads {
		lists = append(lists, &c.threads[t].init)
	}
	for t := range c.threads {
		lists = append(lists, &c.threads[t].observe)
	}
	for _, l := range append(lists, &c.observe) {
		if k < len(*l) {
			*l = slices.Delete(*l, k, k+1)
			return c, true
		}
		k -= len(*l)
	}
	return nil, false
}

var ofThread = regexp.MustCompile(`^(\d+):(.*)$`)

// parseSource takes a printed test apart. A condition that is not a conjunction of
// atoms under exists is replaced by its first atom; what stands between the header
// and the initial state is lost.
func parseSource(text string) (*source, bool) {
	head, rest, ok := strings.Cut(text, "{")
	init, rest, ok2 := strings.Cut(rest, "}")
	header := strings.Fields(head)
	if !ok || !ok2 || len(header) < 2 {
		return nil, false
	}
	s := &source{name: header[1]}
	table := true
	tail := ""
	for _, l := range strings.Split(rest, "\n") {
		table = table && !strings.HasPrefix(l, "locations") && !strings.Contains(l, "exists") && !strings.HasPrefix(l, "forall")
		if !table {
			tail += " " + l
			continue
		}
		s.row(strings.TrimSpace(l), header[0])
	}
	if len(s.threads) == 0 {
		return nil, false
	}
	entries(init, func(t int, e string) {
		if t >= 0 && t < len(s.threads) {
			s.threads[t].init = append(s.threads[t].init, e)
		} else {
			s.init = append(s.init, e)
		}
	})
	return s, s.ending(tail)
}

// row reads a row of the table of threads, the first of which names them.
func (s *source) row(l, header string) {
	if l == "" {
		return
	}
	cells := strings.Split(strings.TrimSuffix(l, ";"), "|")
	first := s.threads == nil
	for t, cell := range cells {
		cell = strings.TrimSpace(cell)
		switch {
		case first:
			isa := litmus.X86_64
			if header == "AArch64" || strings.HasSuffix(cell, "aarch64") {
				isa = litmus.AArch64
			}
			s.threads = append(s.threads, column{isa: isa})
		case cell != "" && t < len(s.threads):
			s.threads[t].lines = append(s.threads[t].lines, cell)
		}
	}
}

// ending reads what follows the table: the observed, and the condition.
func (s *source) ending(tail string) bool {
	cond := tail
	if _, list, ok := strings.Cut(tail, "["); ok && strings.Contains(tail, "locations") {
		list, cond, _ = strings.Cut(list, "]")
		entries(list, func(t int, e string) {
			if t >= 0 && t < len(s.threads) {
				s.threads[t].observe = append(s.threads[t].observe, e)
			} else {
				s.observe = append(s.observe, e)
			}
		})
	}
	_, cond, ok := strings.Cut(cond, "(")
	if !ok {
		return false
	}
	plain := !strings.Contains(tail, "\\/") && !strings.Contains(tail, "~") && !strings.Contains(tail, "not")
	for _, a := range strings.Split(cond, "/\\") {
		a = strings.Trim(a, " ()\n")
		if a != "" && (plain || len(s.final) == 0) {
			s.final = append(s.final, a)
		}
	}
	return len(s.final) > 0
}

// entries calls f for each of a list between semicolons, with the thread it is of, or -1.
func entries(list string, f func(t int, entry string)) {
	for _, e := range strings.Split(list, ";") {
		e = strings.TrimSpace(e)
		if m := ofThread.FindStringSubmatch(e); m != nil {
			t, err := strconv.Atoi(m[1])
			if err == nil {
				f(t, m[2])
			}
		} else if e != "" {
			f(-1, e)
		}
	}
}
