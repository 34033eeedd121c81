package protocol

import (
	"fmt"
	"strings"
)

// Markdown is the protocol as tables for a document: its parameters, channels and
// messages, and for each kind of controller a table of states and events. An empty cell
// is an event that is impossible in that state, which is an error if it happens.
func (p *Protocol) Markdown() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Protocol %s\n\n%s\n", p.Name, p.About)
	if len(p.Parameters) > 0 {
		line("| parameter | default | from | to |\n|---|---|---|---|")
		for _, n := range p.Parameters {
			line("| %s | %d | %d | %d |", n.Name, n.Default, n.Min, n.Max)
		}
		line("")
	}
	line("| channel | messages |\n|---|---|")
	for _, c := range p.channels {
		var messages []string
		for _, m := range c.messages {
			messages = append(messages, m.text())
		}
		line("| %s | %s |", c.text(), strings.Join(messages, ", "))
	}
	for _, k := range p.kinds {
		line("")
		k.markdown(line)
	}
	return b.String()
}

// markdown is the table of a kind.
func (k *kind) markdown(line func(string, ...any)) {
	many := ""
	if k.many != "" {
		many = ", many: " + k.many
	}
	if k.in != nil {
		many += " in each " + k.in.name
	}
	line("## %s%s\n", k.name, many)
	for _, v := range k.vars {
		line("- `%s`: %s", v.name, v.typ.text())
	}
	if len(k.vars) > 0 {
		line("")
	}
	events := k.used()
	line("| state | %s |", strings.Join(events, " | "))
	line("|---%s|", strings.Repeat("|---", len(events)))
	for st, name := range k.states {
		if !k.stable[st] {
			name = "*" + name + "*"
		}
		cells := []string{name}
		for _, e := range events {
			cells = append(cells, k.cell(st, e))
		}
		line("| %s |", strings.Join(cells, " | "))
	}
	line("\nA state in *italics* is transient.")
}

// used are the events that some rule is about, in the order of the declarations.
func (k *kind) used() []string {
	seen := map[string]bool{}
	for i := range k.rows {
		for _, e := range k.rows[i].events {
			seen[e.name] = true
		}
	}
	var out []string
	add := func(name string) {
		if seen[name] {
			out = append(out, name)
			seen[name] = false
		}
	}
	add(eventLoad)
	add(eventStore)
	add(eventEvict)
	for _, e := range k.events {
		add(e.name)
	}
	for i := range k.rows {
		for _, e := range k.rows[i].events {
			add(e.name)
		}
	}
	return out
}

// cell is what a state does about an event: a line for each rule, of which the first
// applies whose condition holds.
func (k *kind) cell(st int, event string) string {
	var out []string
	for i := range k.rows {
		r := &k.rows[i]
		if !r.concerns(st, event) {
			continue
		}
		s := k.whatText(r)
		if g := k.guardText(r); g != "" {
			s = g + ": " + s
		}
		out = append(out, strings.ReplaceAll(s, "->", "→"))
		if len(r.guard) == 0 {
			break
		}
	}
	return strings.Join(out, "<br>")
}

func (r *row) concerns(st int, event string) bool {
	in := r.states == nil
	for _, s := range r.states {
		in = in || s == st
	}
	for _, e := range r.events {
		if in && e.name == event {
			return true
		}
	}
	return false
}
