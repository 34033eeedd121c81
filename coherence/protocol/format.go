package protocol

import (
	"fmt"
	"strings"
)

// text is an expression of a controller of kind k, as a text says it.
func (k *kind) text(x expr, want typ) string {
	var out []string
	for i, t := range x {
		s := ""
		switch t.op {
		case termConst:
			s = literal(t.n, want)
		case termParam:
			s = t.name
		case termVar:
			s = k.vars[t.n].name
		case termField:
			s = "msg." + t.name
		case termSender:
			s = "sender"
		case termSelf:
			s = "self"
		case termCount:
			s = "count " + k.setText(t.set)
		}
		switch {
		case i == 0:
		case t.minus:
			s = "- " + s
		default:
			s = "+ " + s
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// literal is a constant of a type.
func literal(n int, t typ) string {
	switch {
	case t.base == baseEnum:
		return t.names[n]
	case t.base == baseID:
		return "none"
	}
	return fmt.Sprint(n)
}

// typeOf is the type of an expression; of a literal, nothing that tells it from a count.
func (k *kind) typeOf(x expr) typ {
	switch x[0].op {
	case termVar:
		return k.vars[x[0].n].typ
	case termSender, termSelf:
		return typ{base: baseID}
	}
	return typ{base: baseCount}
}

func (k *kind) setText(s *setExpr) string {
	var out string
	if s.variable < 0 {
		out = "all " + s.of.name
	} else {
		out = k.vars[s.variable].name
	}
	if s.except != nil {
		out += " except " + k.text(s.except, typ{base: baseID})
	}
	return out
}

func (k *kind) condText(c cond) string {
	not := map[bool]string{true: "not "}[c.not]
	switch c.op {
	case condIn:
		return k.text(c.a, typ{base: baseID}) + " " + not + "in " + k.setText(c.set)
	case condEmpty:
		return k.setText(c.set) + " is " + not + "empty"
	}
	t := k.typeOf(c.a)
	sign := map[bool]string{false: " = ", true: " != "}[c.not]
	return k.text(c.a, t) + sign + k.text(c.b, t)
}

func (k *kind) actionText(a action) string {
	switch a.op {
	case doAssign:
		return k.vars[a.variable].name + " := " + k.text(a.a, k.vars[a.variable].typ)
	case doAssignSet:
		return k.vars[a.variable].name + " := " + k.setText(a.set)
	case doAdd:
		return "add " + k.text(a.a, typ{base: baseID}) + " to " + k.vars[a.variable].name
	case doRemove:
		return "remove " + k.text(a.a, typ{base: baseID}) + " from " + k.vars[a.variable].name
	case doClear:
		return "clear " + k.vars[a.variable].name
	}
	out := "send " + a.msg.name
	if len(a.args) > 0 {
		var args []string
		for i, x := range a.args {
			args = append(args, k.text(x, a.msg.fields[i].typ))
		}
		out += "(" + strings.Join(args, ", ") + ")"
	}
	switch {
	case a.to != nil:
		return out + " to " + a.to.name
	case a.set != nil:
		return out + " to " + k.setText(a.set)
	}
	return out + " to " + k.text(a.id, typ{base: baseID})
}

// guardText is the condition of a row: empty, or "if …".
func (k *kind) guardText(r *row) string {
	var out []string
	for _, g := range r.guard {
		out = append(out, k.condText(g))
	}
	if len(out) == 0 {
		return ""
	}
	return "if " + strings.Join(out, " and ")
}

// whatText is what a row does.
func (k *kind) whatText(r *row) string {
	var out []string
	switch r.how {
	case stalls:
		return "stall"
	case hits:
		out = append(out, "hit")
	}
	for _, a := range r.actions {
		out = append(out, k.actionText(a))
	}
	s := strings.Join(out, "; ")
	if r.next >= 0 {
		s = strings.TrimSpace(s + " -> " + k.states[r.next])
	}
	return s
}

// String is the protocol as a text, which Parse reads as the same protocol.
func (p *Protocol) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("protocol %s", p.Name)
	if p.About != "" {
		line("about %s", p.About)
	}
	for _, n := range p.Parameters {
		line("parameter %s %d from %d to %d", n.Name, n.Default, n.Min, n.Max)
	}
	for _, k := range p.kinds {
		s := "kind " + k.name
		if k.many != "" {
			s += " many " + k.many
		}
		if k.in != nil {
			s += " in " + k.in.name
		}
		if k.holds != (bound{}) {
			s += " holds " + k.holds.String()
		}
		line("%s", s)
	}
	for _, c := range p.channels {
		line("channel %s", c.text())
	}
	for _, m := range p.messages {
		line("message %s on %s", m.text(), m.in.name)
	}
	for _, k := range p.kinds {
		k.write(line)
	}
	return b.String()
}

func (c *channel) text() string {
	s := c.name
	if c.from != nil {
		s += " from " + c.from.name
	}
	s += fmt.Sprintf(" to %s %s %s", c.to.name, map[bool]string{true: "fifo", false: "bag"}[c.fifo], c.capacity)
	if c.perSender {
		s += " per sender"
	}
	if c.block {
		s += " for block"
	}
	return s
}

func (m *message) text() string {
	var fields []string
	for _, f := range m.fields {
		fields = append(fields, f.name+": "+f.typ.text())
	}
	if len(fields) == 0 {
		return m.name
	}
	return m.name + "(" + strings.Join(fields, ", ") + ")"
}

// text is the type as a declaration says it.
func (t typ) text() string {
	if t.base == baseEnum {
		return "one of " + strings.Join(t.names, " ")
	}
	return t.String()
}

// write writes what belongs to a kind.
func (k *kind) write(line func(string, ...any)) {
	for i, s := range k.states {
		line("states %s %s %s", k.name, map[bool]string{true: "stable", false: "transient"}[k.stable[i]], s)
	}
	for _, v := range k.vars {
		line("variable %s %s: %s", k.name, v.name, v.typ.text())
	}
	for _, e := range k.events {
		line("event %s %s%s", k.name, e.name, map[bool]string{true: " for block"}[e.block])
	}
	line("rules %s", k.name)
	for i := range k.rows {
		r := &k.rows[i]
		states := []string{"*"}
		if r.states != nil {
			states = nil
			for _, s := range r.states {
				states = append(states, k.states[s])
			}
		}
		var events []string
		for _, e := range r.events {
			events = append(events, e.name)
		}
		s := strings.Join(states, ", ") + " on " + strings.Join(events, ", ")
		if g := k.guardText(r); g != "" {
			s += " " + g
		}
		line("%s: %s", s, k.whatText(r))
	}
}
