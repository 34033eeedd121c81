package generate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// source is a test as text, in parts.
type source struct {
	name    string
	comment string // the line in quotes after the header; "" is none
	threads []column
	init    []string // initial values of locations, "x=1"
	observe []string // what follows the threads' registers in locations [...]
	final   []string // the atoms of the condition
}

// column is the code of a thread.
type column struct {
	isa     litmus.ISA
	init    []string // initial values of registers, "X1=x"
	lines   []string
	observe []string // registers, "X1" or "rax"
}

// String is the test in herd's format.
func (s *source) String() string {
	var b strings.Builder
	isas := make([]litmus.ISA, len(s.threads))
	for i, c := range s.threads {
		isas[i] = c.isa
	}
	header := map[bool]string{true: "MIXED"}[mixed(isas)]
	if header == "" {
		header = map[litmus.ISA]string{litmus.X86_64: "X86_64", litmus.AArch64: "AArch64"}[isas[0]]
	}
	fmt.Fprintf(&b, "%s %s\n", header, s.name)
	if s.comment != "" {
		fmt.Fprintf(&b, "%q\n", s.comment)
	}
	b.WriteString("{\n")
	for _, i := range s.init {
		fmt.Fprintf(&b, "%s;\n", i)
	}
	var observe []string
	for t, c := range s.threads {
		if len(c.init) > 0 {
			for i, r := range c.init {
				fmt.Fprintf(&b, "%s%d:%s;", [...]string{"", " "}[min(i, 1)], t, r)
			}
			b.WriteByte('\n')
		}
		for _, r := range c.observe {
			observe = append(observe, fmt.Sprintf("%d:%s", t, r))
		}
	}
	b.WriteString("}\n")
	s.table(&b, header == "MIXED")
	observe = append(observe, s.observe...)
	fmt.Fprintf(&b, "locations [%s;]\n", strings.Join(observe, "; "))
	fmt.Fprintf(&b, "exists (%s)\n", strings.Join(s.final, " /\\ "))
	return b.String()
}

// table prints the threads side by side.
func (s *source) table(b *strings.Builder, mixed bool) {
	rows := 0
	for _, c := range s.threads {
		rows = max(rows, len(c.lines))
	}
	width := make([]int, len(s.threads))
	cell := func(row, t int) string {
		c := s.threads[t]
		switch {
		case row < 0 && mixed:
			return fmt.Sprintf("P%d:%s", t, c.isa)
		case row < 0:
			return fmt.Sprintf("P%d", t)
		case row < len(c.lines):
			return c.lines[row]
		}
		return ""
	}
	for row := -1; row < rows; row++ {
		for t := range s.threads {
			width[t] = max(width[t], len(cell(row, t)))
		}
	}
	for row := -1; row < rows; row++ {
		for t := range s.threads {
			fmt.Fprintf(b, " %-*s %c", width[t], cell(row, t), "|;"[b2i(t == len(s.threads)-1)])
		}
		b.WriteByte('\n')
	}
}

// locationNames are the names of locations, in the order in which they are given.
var locationNames = strings.Split("x y z a b c d e f g h i j k l m n o p q r s t u", " ")

// Test is the test of the cycle: its accesses are of 4 bytes, the values of the
// writes tell executions apart, and the condition is the outcome in which all edges
// of the cycle hold. Of three or more writes to a location it fixes the last alone.
func (c *Cycle) Test() (*litmus.Test, error) {
	text, err := c.text()
	if err != nil {
		return nil, err
	}
	return litmus.Parse([]byte(text))
}

func (c *Cycle) text() (string, error) {
	s := &source{name: c.Name(), comment: c.String()}
	var atoms []string
	labels := 0
	var err error
	c.threads(func(t, first, last int) {
		w := writer{cycle: c, labels: &labels, column: column{isa: c.isas[t]}}
		if c.isas[t] == litmus.X86_64 {
			w.x86(first, last)
		} else {
			w.arm(first, last)
		}
		for i, r := range w.observe {
			atoms = append(atoms, fmt.Sprintf("%d:%s=%d", t, r, w.want[i]))
		}
		s.threads = append(s.threads, w.column)
		if w.registers > maxRegisters(c.isas[t]) && err == nil {
			err = fmt.Errorf("thread %d needs more than %d registers; make it shorter", t, maxRegisters(c.isas[t]))
		}
	})
	for l, p := range c.locs {
		if p.init != 0 {
			s.init = append(s.init, fmt.Sprintf("%s=%d", locationNames[l], p.init))
		}
		if p.matters {
			s.final = append(s.final, fmt.Sprintf("[%s]=%d", locationNames[l], p.final))
		}
	}
	s.observe = slices.Sorted(slices.Values(locationNames[:len(c.locs)]))
	s.final = append(s.final, atoms...)
	return s.String(), err
}

// writer writes the code of a thread of a cycle.
type writer struct {
	cycle *Cycle
	column
	want      []uint64 // the value of each observed register in the cycle's outcome
	labels    *int     // used in the test so far
	registers int      // used in the thread so far
	address   map[int]string
	result    string // the register with what the last read returned
	depends   string // AArch64: a register that is zero by way of it
}

func (w *writer) emit(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

// sees notes that a register holds what a read returned.
func (w *writer) sees(register string, want uint64) {
	w.observe = append(w.observe, register)
	w.want = append(w.want, want)
}

// label is a new one.
func (w *writer) label() string {
	*w.labels++
	return fmt.Sprintf("LC%02d", *w.labels-1)
}
