package protocol

import (
	"fmt"
	"slices"
	"strings"
)

// place of a rule: the controller, the event, and how its message is called.
type murphiRule struct {
	*murphi
	t      *table
	e      event
	me     string // index of the controller
	own    string // index of the controller that the channel belongs to
	sender string // its id, if the channel tells it
	line   string // of the controller
	form   *form
}

// rules are those of the events that happen by themselves, and of the messages that
// arrive from the channels that belong to a kind.
func (m *murphi) rules(t *table) {
	k := t.kind
	m.line("ruleset p: %s do", ident("P", k.name))
	for e := range evOwn + len(k.events) {
		name := m.s.eventNames(k)[e]
		r := murphiRule{murphi: m, t: t, e: event{name: name}, me: "p", own: "p", line: ident("k", k.name) + "[p].line[a]"}
		block := e >= evOwn && k.events[e-evOwn].block
		place := "true"
		if e < evEvict && t.holds < m.s.Addresses {
			place = fmt.Sprintf("(%s.state != %s | held_%s(p) < %d)", r.line, ident(ident("S", k.name), k.states[0]), ident("k", k.name), t.holds)
		}
		moves := func(x *row) bool { return x.how == acts || e == evLoad && x.how == hits && x.next >= 0 }
		if slices.ContainsFunc(k.rows, func(x row) bool { return moves(&x) && r.about(&x, e) }) {
			r.rule(name, place, "", e, block, moves)
		}
		if e == evStore && r.first(e, hits) {
			m.line("ruleset a: Line do ruleset v: Value do\n  rule \"%s hits\" %s & %s ==> begin", name, place, r.anyOf(e, func(x *row) bool { return x.how == hits }))
			r.chain(e, func(x *row) bool { return x.how == hits }, fmt.Sprintf("%s.v_value := v; latest[a] := v;", r.line), "")
			m.line("  end; end; end;")
		}
	}
	for j := range t.channels {
		m.arrivals(&t.channels[j])
	}
	m.line("end;\n")
}

// first says whether some rule for an event is of a kind.
func (r *murphiRule) first(e int, h how) bool {
	return slices.ContainsFunc(r.t.kind.rows, func(x row) bool { return x.how == h && r.about(&x, e) })
}

func (r *murphiRule) about(x *row, e int) bool {
	return slices.ContainsFunc(x.events, func(v event) bool { return r.s.eventIndex(r.t.kind, v) == e })
}

// arrivals are the rules of the messages of a channel.
func (m *murphi) arrivals(p *place) {
	c := p.channel
	to := &m.s.tables[c.to.number]
	me := "p"
	sender := ""
	if c.perSender {
		sender = m.id(c.from, "p")
		if me = "0"; c.from.in == c.to {
			me = fmt.Sprintf("(p / %d)", m.s.count(c.from))
		}
	}
	instance := "a"
	if p.stride == 0 {
		instance = "0"
	}
	channel := fmt.Sprintf("%s[p].%s[%s]", ident("k", c.owner().name), ident("c", c.name), instance)
	for _, f := range p.forms[1:] {
		r := murphiRule{
			murphi: m, t: to, e: event{f.message, f.message.name}, me: me, own: "p", sender: sender,
			line: fmt.Sprintf("%s[%s].line[a]", ident("k", c.to.name), me), form: &f,
		}
		if p.width == 0 {
			r.rule(f.message.name, channel+"[0] > 0", fmt.Sprintf("pop_%s(p, %s, 0);", ident("c", c.name), instance), f.event, c.block, nil)
			continue
		}
		word := channel + "[n]"
		guard := fmt.Sprintf("%s %% %d = %d", word, p.typeMask+1, f.message.typ)
		if p.addrAt > 0 {
			guard += fmt.Sprintf(" & %s = a", field(word, p.addrAt, p.addrMask))
		}
		if !c.fifo && p.capacity > 1 {
			guard += fmt.Sprintf(" & (n = 0 | %s != %s[n = 0 ? 0 : n-1])", word, channel)
		}
		m.line("ruleset n: 0..%d do", p.next-1)
		r.rule(f.message.name, guard, fmt.Sprintf("w := %s; pop_%s(p, %s, n);", word, ident("c", c.name), instance), f.event, c.block, nil)
		m.line("end;")
	}
}

func field(word string, shift uint, mask uint32) string {
	return fmt.Sprintf("((%s / %d) %% %d)", word, 1<<shift, mask+1)
}

// id is the id of a controller with an index.
func (m *murphi) id(k *kind, index string) string {
	if k.in != nil {
		return fmt.Sprintf("((%s %% %d) + 1)", index, m.s.count(k))
	}
	return fmt.Sprintf("(%s + 1)", index)
}

// rule writes the rule of an event: of one that happens by itself only what acts says.
func (r *murphiRule) rule(name, guard, before string, e int, block bool, acts func(*row) bool) {
	var when string
	impossible := fmt.Sprintf("error \"impossible event: %s at %s\";", name, r.t.kind.name)
	if acts != nil {
		when, impossible = r.anyOf(e, acts), ""
	} else {
		acts = func(x *row) bool { return x.how != stalls }
		when = "!" + r.anyOf(e, func(x *row) bool { return x.how == stalls })
	}
	if block {
		r.murphi.line("rule \"%s\" %s & (forall a: Line do %s end) ==> var w: 0..%d; c: 0..8; begin", name, guard, when, 1<<maxWord-1)
		r.murphi.line("  %s\n  for a: Line do", before)
		r.chain(e, acts, "", impossible)
		r.murphi.line("  end;\nend;")
		return
	}
	r.murphi.line("ruleset a: Line do\nrule \"%s\" %s & %s ==> var w: 0..%d; c: 0..8; begin\n  %s", name, guard, when, 1<<maxWord-1, before)
	r.chain(e, acts, "", impossible)
	r.murphi.line("end;\nend;")
}

// states are those in whose cell for an event a row stands.
func (r *murphiRule) states(e, n int) (out []int) {
	for st := range r.t.kind.states {
		for _, x := range r.t.cells[st*r.t.events+e] {
			if x.row == n {
				out = append(out, st)
			}
		}
	}
	return out
}

// applies is when a row is the first for the event whose condition holds.
func (r *murphiRule) applies(e, n int) string {
	mine := r.states(e, n)
	if len(mine) == 0 {
		return "false"
	}
	out := []string{r.holds(n, mine)}
	for before := range n {
		theirs := r.states(e, before)
		if slices.ContainsFunc(mine, func(st int) bool { return slices.Contains(theirs, st) }) {
			out = append(out, "!"+r.holds(before, theirs))
		}
	}
	return "(" + strings.Join(out, " & ") + ")"
}

// holds is when the controller is in one of some states and the condition of a row holds.
func (r *murphiRule) holds(n int, states []int) string {
	var in []string
	for _, st := range states {
		in = append(in, fmt.Sprintf("%s.state = %s", r.line, ident(ident("S", r.t.kind.name), r.t.kind.states[st])))
	}
	out := "(" + strings.Join(in, " | ") + ")"
	if len(states) == len(r.t.kind.states) {
		out = "true"
	}
	for _, g := range r.t.kind.rows[n].guard {
		out += " & " + r.cond(g)
	}
	return "(" + out + ")"
}

// anyOf is when the row that applies to an event is one of those.
func (r *murphiRule) anyOf(e int, of func(*row) bool) string {
	out := "false"
	for n := range r.t.kind.rows {
		if x := &r.t.kind.rows[n]; r.about(x, e) && of(x) {
			out += " | " + r.applies(e, n)
		}
	}
	return "(" + strings.TrimPrefix(out, "false | ") + ")"
}

// chain does what the first row says whose condition holds.
func (r *murphiRule) chain(e int, of func(*row) bool, also, otherwise string) {
	word := "if"
	for n := range r.t.kind.rows {
		x := &r.t.kind.rows[n]
		if !r.about(x, e) || !of(x) {
			continue
		}
		mine := r.states(e, n)
		if len(mine) == 0 {
			continue
		}
		r.murphi.line("  %s %s then %s", word, r.holds(n, mine), also)
		for _, a := range x.actions {
			r.action(a)
		}
		if x.next >= 0 {
			r.murphi.line("    %s.state := %s;", r.line, ident(ident("S", r.t.kind.name), r.t.kind.states[x.next]))
		}
		word = "elsif"
	}
	if word == "if" {
		r.murphi.line("  %s", otherwise)
		return
	}
	if otherwise != "" {
		r.murphi.line("  else %s", otherwise)
	}
	r.murphi.line("  end;")
}

func (r *murphiRule) variable(i int) string {
	return r.line + "." + ident("v", r.t.kind.vars[i].name)
}

// in is when the member q of a set is in it.
func (r *murphiRule) in(s *setExpr, q string) string {
	out := "true"
	if s.variable >= 0 {
		out = fmt.Sprintf("%s[%s]", r.variable(s.variable), q)
	}
	if s.except != nil {
		out += fmt.Sprintf(" & %s != %s", q, r.expr(s.except))
	}
	return "(" + out + ")"
}

func (r *murphiRule) cond(c cond) string {
	var out string
	switch c.op {
	case condEqual:
		out = fmt.Sprintf("(%s = %s)", r.expr(c.a), r.expr(c.b))
	case condIn:
		out = fmt.Sprintf("(%s != 0 & %s)", r.expr(c.a), r.in(c.set, r.expr(c.a)))
	case condEmpty:
		out = fmt.Sprintf("(forall q: 1..%d do !%s end)", r.s.count(c.set.of), r.in(c.set, "q"))
	}
	if c.not {
		return "!" + out
	}
	return out
}

// expr is an expression; a count stands in the variable c.
func (r *murphiRule) expr(x expr) string {
	out := ""
	for i, t := range x {
		if i > 0 {
			out += map[bool]string{false: " + ", true: " - "}[t.minus]
		}
		switch t.op {
		case termConst:
			out += fmt.Sprint(t.n)
		case termParam:
			out += fmt.Sprint(r.s.parameters[t.name])
		case termVar:
			out += r.variable(t.n)
		case termField:
			i := slices.IndexFunc(r.form.message.fields, func(f variable) bool { return f.name == t.name })
			f := field("w", uint(r.form.shifts[i]), uint32(r.form.masks[i]))
			if v := r.form.message.fields[i].typ; v.base == baseCount && v.to == (bound{}) {
				f = fmt.Sprintf("(%s > 127 ? %s - 256 : %s)", f, f, f)
			}
			out += f
		case termSender:
			out += r.sender
		case termSelf:
			out += r.id(r.t.kind, r.me)
		case termCount:
			out += "c"
		}
	}
	if len(x) > 1 {
		return "(" + out + ")"
	}
	return out
}

// count computes a count that an expression needs.
func (r *murphiRule) count(x expr) {
	if len(x) > 0 && x[0].op == termCount {
		r.murphi.line("    c := 0; for q: 1..%d do if %s then c := c + 1; end; end;", r.s.count(x[0].set.of), r.in(x[0].set, "q"))
	}
}

func (r *murphiRule) action(a action) {
	r.count(a.a)
	switch a.op {
	case doAssign:
		r.murphi.line("    %s := %s;", r.variable(a.variable), r.expr(a.a))
	case doAssignSet:
		r.murphi.line("    for q: 1..%d do %s[q] := %s; end;", r.s.count(a.set.of), r.variable(a.variable), r.in(a.set, "q"))
	case doAdd, doRemove:
		x := r.expr(a.a)
		r.murphi.line("    if %s != 0 then %s[%s] := %t; end;", x, r.variable(a.variable), x, a.op == doAdd)
	case doClear:
		r.murphi.line("    for q: 1..%d do %s[q] := false; end;", r.s.count(r.t.kind.vars[a.variable].typ.of), r.variable(a.variable))
	case doSend:
		r.send(a)
	}
}

// send packs a message and pushes it into the channels of its receivers.
func (r *murphiRule) send(a action) {
	c := a.msg.in
	owner := &r.s.tables[c.owner().number]
	p := &owner.channels[slices.IndexFunc(owner.channels, func(p place) bool { return p.channel == c })]
	f := &p.forms[a.msg.typ]
	word := fmt.Sprint(a.msg.typ)
	for i, x := range a.args {
		r.count(x)
		v := r.expr(x)
		switch t := f.message.fields[i].typ; {
		case t.base == baseCount && t.to == (bound{}):
			v = fmt.Sprintf("(%s < 0 ? %s + 256 : %s)", v, v, v)
		case t.base == baseCount:
			r.murphi.line("    assert %s >= 0 & %s <= %d \"overflow\";", v, v, f.most[i])
		}
		word += fmt.Sprintf(" + %s * %d", v, 1<<f.shifts[i])
	}
	instance := "a"
	if p.stride == 0 {
		instance = "0"
	}
	if p.addrAt > 0 {
		word += fmt.Sprintf(" + a * %d", 1<<p.addrAt)
	}
	push := func(index string) string {
		return fmt.Sprintf("push_%s(%s, %s, %s);", ident("c", c.name), index, instance, word)
	}
	var out string
	switch {
	case c.perSender:
		out = push(r.me)
	case a.to != nil && a.to == r.t.kind.in:
		out = push(fmt.Sprintf("%s / %d", r.me, r.s.count(r.t.kind)))
	case a.to != nil:
		out = push("0")
	case a.set != nil:
		out = fmt.Sprintf("for q: 1..%d do if %s then %s end; end;", r.s.count(a.set.of), r.in(a.set, "q"), push(r.index(c.to, "q")))
	default:
		x := r.expr(a.id)
		out = fmt.Sprintf("assert %s != 0 \"no receiver\"; %s", x, push(r.index(c.to, x)))
	}
	if c.block {
		out = "if a = 0 then " + out + " end;"
	}
	r.murphi.line("    %s", out)
}

// index is the index of the controller of a kind that an id means.
func (r *murphiRule) index(k *kind, id string) string {
	switch {
	case k.in != nil && k == r.t.kind:
		return fmt.Sprintf("(%s / %d) * %d + %s - 1", r.me, r.s.count(k), r.s.count(k), id)
	case k.in != nil:
		return fmt.Sprintf("%s * %d + %s - 1", r.me, r.s.count(k), id)
	}
	return id + " - 1"
}
