package litmus

import (
	"slices"
	"strconv"
	"strings"
)

// tails are the words with which the part behind the code begins.
var tails = []string{"exists", "forall", "locations", "filter", "observed", "final", "not", "with"}

// atTail says whether the code has ended.
func (p *parser) atTail() bool {
	if p.text == "" || p.text[0] == '~' {
		return true
	}
	n := 0
	for n < len(p.text) && inWord(p.text[n]) {
		n++
	}
	return slices.Contains(tails, p.text[:n])
}

// row takes a row of the table away: its cells, and the line of each.
func (p *parser) row() ([]Cell, error) {
	n := strings.IndexByte(p.text, ';')
	if n < 0 {
		return nil, failf(p.line, "the row has no end; end it with ;")
	}
	var out []Cell
	for _, s := range strings.Split(p.text[:n], "|") {
		trimmed := strings.TrimLeft(s, " \t\n")
		at := p.line + strings.Count(s[:len(s)-len(trimmed)], "\n")
		p.line += strings.Count(s, "\n")
		text := strings.Join(strings.Fields(trimmed), " ")
		if len(text) > MaxCell {
			return nil, failf(at, "%s has %d bytes, and %d is the limit of a cell; end rows with ;", quote(text), len(text), MaxCell)
		}
		out = append(out, Cell{text, at})
	}
	p.text = p.text[n+1:]
	return out, nil
}

// threads reads the code.
func (p *parser) threads() error {
	p.skip()
	at := p.line
	if p.atTail() {
		return failf(at, "the test has no threads; write their code below a row of names: P0 | P1 ;")
	}
	names, err := p.row()
	if err != nil {
		return err
	}
	if len(names) > MaxThreads {
		return failf(at, "the test has %d threads, and %d is the limit", len(names), MaxThreads)
	}
	for i, c := range names {
		isa, err := p.column(i, c)
		if err != nil {
			return err
		}
		p.t.Threads = append(p.t.Threads, Column{ISA: isa})
	}
	for rows := 0; ; rows++ {
		if p.skip(); p.atTail() {
			break
		}
		at := p.line
		if rows == MaxCode {
			return failf(at, "the code has more than %d rows; shorten it", MaxCode)
		}
		cells, err := p.row()
		if err != nil {
			return err
		}
		if len(cells) != len(names) {
			return failf(at, "the row has %d cells and the test %d threads; separate the cells by |", len(cells), len(names))
		}
		for i, c := range cells {
			p.t.Threads[i].Cells = append(p.t.Threads[i].Cells, c)
		}
	}
	for i := range p.t.Threads {
		cells := &p.t.Threads[i].Cells
		for n := len(*cells); n > 0 && (*cells)[n-1].Text == ""; n-- {
			*cells = (*cells)[:n-1]
		}
	}
	return p.decode()
}

// column reads the head of a column: P0, or P0:aarch64 in a mixed test.
func (p *parser) column(i int, c Cell) (ISA, error) {
	name, isa, typed := strings.Cut(strings.ReplaceAll(c.Text, " ", ""), ":")
	if name != "P"+strconv.Itoa(i) {
		return 0, failf(c.Line, "column %s stands where P%d does; number the threads from P0", quote(c.Text), i)
	}
	switch {
	case p.t.Arch != "MIXED" && typed:
		return 0, failf(c.Line, "column %s of a test that is not mixed; write P%d, or MIXED in the first line", quote(c.Text), i)
	case p.t.Arch == "X86_64", p.t.Arch == "MIXED" && isa == "x86_64":
		return X86_64, nil
	case p.t.Arch == "AArch64", p.t.Arch == "MIXED" && isa == "aarch64":
		return AArch64, nil
	}
	return 0, failf(c.Line, "column %s does not tell its architecture; write P%d:x86_64 or P%d:aarch64", quote(c.Text), i, i)
}
