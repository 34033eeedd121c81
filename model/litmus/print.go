package litmus

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// String prints the test as herd does, its columns aligned. Parse of it gives
// the same test, with other numbers of lines (unless it is a test near the limit
// that has become longer than MaxBytes).
func (t *Test) String() string {
	var b strings.Builder
	line := func(parts ...string) {
		for _, s := range parts {
			b.WriteString(s)
		}
		b.WriteByte('\n')
	}
	line(t.Arch, " ", t.Name)
	for _, h := range t.Head {
		line(h)
	}
	line("{")
	for _, row := range t.Init {
		var items []string
		for _, i := range row {
			items = append(items, i.String()+";")
		}
		line(strings.Join(items, " "))
	}
	line("}")
	for _, row := range t.table() {
		line(" ", strings.Join(row, " | "), " ;")
	}
	if t.Locations != nil {
		b.WriteString("locations [")
		for i, r := range t.Locations {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(strings.Trim(r.String(), "[]") + ";")
		}
		line("]")
	}
	line(string(t.Quantifier), " (", t.Prop.String(), ")")
	return b.String()
}

// String spells the item, without the semicolon.
func (i Init) String() string {
	s := strings.Trim(i.Ref.String(), "[]")
	if i.Type != "" {
		s = i.Type + " " + s
	}
	if i.Value.Text != "" {
		s += "=" + i.Value.Text
	}
	return s
}

// table is the code with all cells as wide as their columns.
func (t *Test) table() [][]string {
	n := 0
	for _, c := range t.Threads {
		n = max(n, len(c.Cells))
	}
	rows := make([][]string, n+1)
	for i, c := range t.Threads {
		head := "P" + strconv.Itoa(i)
		if t.Arch == "MIXED" {
			head += ":" + c.ISA.String()
		}
		width := len(head)
		for _, cell := range c.Cells {
			width = max(width, utf8.RuneCountInString(cell.Text))
		}
		for r := range rows {
			text := head
			if r > 0 {
				text = ""
				if r <= len(c.Cells) {
					text = c.Cells[r-1].Text
				}
			}
			rows[r] = append(rows[r], text+strings.Repeat(" ", width-utf8.RuneCountInString(text)))
		}
	}
	return rows
}
