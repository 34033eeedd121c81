package protocol

import (
	"slices"
	"strconv"
)

// rule is STATES on EVENTS [if CONDITIONS]: ACTIONS [-> STATE]
func (p *parser) rule() {
	k := p.in
	if k == nil {
		p.fail("%q begins no declaration, and before a rule there must be a line \"rules KIND\"", p.peek())
	}
	r := row{line: p.s.line, text: p.s.text, next: -1}
	p.row = &r
	if !p.accept("*") {
		for {
			r.states = append(r.states, p.state())
			if !p.accept(",") {
				break
			}
		}
	}
	p.expect("on")
	for {
		r.events = append(r.events, p.eventName())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("if") {
		for {
			r.guard = append(r.guard, p.condition())
			if !p.accept("and") {
				break
			}
		}
	}
	p.expect(":")
	p.actions()
	if p.accept("->") {
		if r.next = p.state(); r.how == stalls {
			p.fail("a rule that stalls has no next state")
		}
	}
	if r.how == hits && slices.ContainsFunc(r.events, func(e event) bool { return e.name != eventLoad && e.name != eventStore }) {
		p.fail("only a load or a store can hit")
	}
	k.rows = append(k.rows, r)
}

func (p *parser) state() int {
	n := p.word("a state")
	i := slices.Index(p.in.states, n)
	if i < 0 {
		p.fail("kind %s has no state %s: it has %s", p.in.name, n, quoted(p.in.states))
	}
	return i
}

func (p *parser) eventName() event {
	n := p.word("an event")
	if m := p.p.findMessage(n); m != nil {
		if m.in.to != p.in {
			p.fail("message %s goes to kind %s, not %s", n, m.in.to.name, p.in.name)
		}
		return event{msg: m, name: n}
	}
	if n != eventLoad && n != eventStore && n != eventEvict && p.in.event(n) < 0 {
		p.fail("there is no event %s: use a message, load, store, evict, or one that a line \"event %s %s\" declares", n, p.in.name, n)
	}
	return event{name: n}
}

// condition is SET is [not] empty, X [not] in SET, X = Y, or X != Y.
func (p *parser) condition() cond {
	if set := p.setExpr(); set != nil {
		p.expect("is")
		c := cond{op: condEmpty, set: set, not: p.accept("not")}
		p.expect("empty")
		return c
	}
	a, t := p.first()
	c := cond{op: condEqual, a: a}
	switch {
	case p.accept("="):
	case p.accept("!="):
		c.not = true
	default:
		if c.op, c.not = condIn, p.accept("not"); !p.accept("in") {
			p.fail("there should be =, !=, in or not in instead of %q", p.peek())
		}
		if c.set = p.setExpr(); c.set == nil {
			p.fail("there is no set %q", p.peek())
		}
		p.same(t, typ{base: baseID, of: c.set.of})
		return c
	}
	c.b, _ = p.expr(t)
	return c
}

// setExpr is SET [except X] or all KIND [except X], or nil if what follows is no set.
func (p *parser) setExpr() *setExpr {
	s := &setExpr{variable: p.in.variable(p.peek())}
	switch {
	case p.accept("all"):
		s.variable, s.of = -1, p.kindName()
		p.known(p.in, typ{of: s.of})
	case s.variable < 0 || p.in.vars[s.variable].typ.base != baseSet:
		return nil
	default:
		p.at++
		s.of = p.in.vars[s.variable].typ.of
	}
	if p.accept("except") {
		s.except, _ = p.expr(&typ{base: baseID, of: s.of})
	}
	return s
}

// first is an expression whose type nothing before it tells: no literal.
func (p *parser) first() (e expr, t *typ) {
	n := p.peek()
	if e, t = p.expr(nil); t == nil {
		p.fail("%s is of any type: there should be a variable, a field, sender or self", n)
	}
	return e, t
}

// expr is a term, or the sum or difference of two; want is the type it must have, or nil.
func (p *parser) expr(want *typ) (e expr, t *typ) {
	minus := false
	for {
		m, u := p.term(want, t)
		if m.minus = minus; t == nil {
			t = u
		}
		if u != nil {
			p.same(want, *u)
		}
		e = append(e, m)
		if len(e) == 1 {
			if minus = p.accept("-"); minus || p.accept("+") {
				continue
			}
			return e, t
		}
		if m.op == termCount {
			p.fail("count must be the first of two")
		}
		for _, x := range [...]*typ{want, t, u} {
			if x != nil && x.base != baseCount {
				p.fail("only counts can be added")
			}
		}
		return e, t
	}
}

// same fails unless t is of the type that is wanted.
func (p *parser) same(want *typ, t typ) {
	if want != nil && (want.base != t.base || want.of != t.of || !slices.Equal(want.names, t.names)) {
		p.fail("a %s is where there should be a %s", t, want)
	}
}

// String is the type as the text says it.
func (t typ) String() string {
	switch t.base {
	case baseID:
		return t.of.name
	case baseSet:
		return "set of " + t.of.name
	case baseEnum:
		return "one of " + quoted(t.names)
	}
	name := [...]string{"value", "count"}[t.base]
	if t.to != (bound{}) {
		name += " to " + t.to.String()
	}
	return name
}

// term is a part of a sum. A literal has no type of its own: it takes the wanted one.
func (p *parser) term(want, left *typ) (term, *typ) {
	n := p.peek()
	if n != "" && digit(n[0]) {
		return p.literal(want)
	}
	switch p.word("a value"); {
	case n == "none" && (want == nil || want.base == baseID):
		return term{op: termConst}, nil
	case n == "sender":
		return term{op: termSender}, p.senderType()
	case n == "self":
		return term{op: termSelf}, &typ{base: baseID, of: p.in}
	case n == "count":
		s := p.setExpr()
		if s == nil {
			p.fail("there is no set %q to count", p.peek())
		}
		return term{op: termCount, set: s}, &typ{base: baseCount}
	case n == "msg":
		p.expect(".")
		return p.field(p.word("a field"))
	}
	if i := p.in.variable(n); i >= 0 {
		return term{op: termVar, n: i}, &p.in.vars[i].typ
	}
	if want != nil && want.base == baseEnum {
		if i := slices.Index(want.names, n); i >= 0 {
			return term{op: termConst, n: i}, want
		}
	}
	if param := p.p.findParameter(n); param != nil {
		if param.Max > 127 {
			p.fail("parameter %s can be %d, and a count is at most 127", n, param.Max)
		}
		return term{op: termParam, name: n}, &typ{base: baseCount}
	}
	p.fail("%s has no meaning here: it is no variable of kind %s, no parameter, and no name of the wanted type", n, p.in.name)
	panic("unreachable")
}

// literal is a number, which can be a value or a count.
func (p *parser) literal(want *typ) (term, *typ) {
	n, err := strconv.Atoi(p.peek())
	if err != nil || n > 127 || want != nil && want.base == baseValue && n != 0 {
		p.fail("%q is no count up to 127; of values only 0 can be written", p.peek())
	}
	p.at++
	if want != nil && want.base != baseValue && want.base != baseCount {
		p.fail("%d is where there should be a %s", n, want)
	}
	return term{op: termConst, n: n}, want
}

// senderType is the kind that sends what the rule is about.
func (p *parser) senderType() *typ {
	var k *kind
	for _, e := range p.row.events {
		if e.msg == nil || !e.msg.in.perSender || k != nil && k != e.msg.in.from {
			p.fail("%s has no sender: only a message on a channel per sender has", e.name)
		}
		k = e.msg.in.from
	}
	return &typ{base: baseID, of: k}
}

// field is a field of the message that the rule is about, which all its messages have.
func (p *parser) field(name string) (term, *typ) {
	var t *typ
	for _, e := range p.row.events {
		i := -1
		if e.msg != nil {
			i = slices.IndexFunc(e.msg.fields, func(f variable) bool { return f.name == name })
		}
		if i < 0 {
			p.fail("%s has no field %s", e.name, name)
		}
		p.same(t, e.msg.fields[i].typ)
		t = &e.msg.fields[i].typ
	}
	return term{op: termField, name: name}, t
}

// actions are separated by semicolons; stall and hit stand alone.
func (p *parser) actions() {
	switch {
	case p.accept("stall"):
		p.row.how = stalls
		return
	case p.accept("hit"):
		p.row.how = hits
		return
	case p.peek() == "->":
		return
	}
	for {
		p.row.actions = append(p.row.actions, p.action())
		if !p.accept(";") {
			return
		}
	}
}

func (p *parser) action() action {
	switch {
	case p.accept("send"):
		return p.send()
	case p.accept("add"):
		return p.member(doAdd, "to")
	case p.accept("remove"):
		return p.member(doRemove, "from")
	case p.accept("clear"):
		s := p.setExpr()
		if s == nil || s.except != nil || s.variable < 0 {
			p.fail("there is no set to clear")
		}
		return action{op: doClear, variable: s.variable}
	}
	n := p.word("an action")
	i := p.in.variable(n)
	if i < 0 {
		p.fail("%s is no action, and no variable of kind %s to assign to", n, p.in.name)
	}
	p.expect(":=")
	if t := p.in.vars[i].typ; t.base == baseSet {
		s := p.setExpr()
		if s == nil {
			p.fail("there is no set %q", p.peek())
		}
		p.same(&t, typ{base: baseSet, of: s.of})
		return action{op: doAssignSet, variable: i, set: s}
	}
	a, _ := p.expr(&p.in.vars[i].typ)
	return action{op: doAssign, variable: i, a: a}
}

// member is X to SET, or X from SET.
func (p *parser) member(op actionOp, word string) action {
	a, t := p.first()
	p.expect(word)
	s := p.setExpr()
	if s == nil || s.except != nil || s.variable < 0 {
		p.fail("there is no set %q", p.peek())
	}
	p.same(t, typ{base: baseID, of: s.of})
	return action{op: op, variable: s.variable, a: a}
}

// send is MESSAGE[(X, …)] to KIND, to X, or to SET [except X].
func (p *parser) send() action {
	n := p.word("a message")
	m := p.p.findMessage(n)
	if m == nil {
		p.fail("there is no message %s", n)
	}
	if m.in.perSender && m.in.from != p.in || m.in.from != nil && m.in.from != p.in {
		p.fail("message %s is sent by kind %s, not %s", n, m.in.from.name, p.in.name)
	}
	a := action{op: doSend, msg: m}
	for _, f := range m.fields {
		p.known(p.in, f.typ)
	}
	if len(m.fields) > 0 {
		p.expect("(")
		for i := range m.fields {
			if i > 0 {
				p.expect(",")
			}
			e, _ := p.expr(&m.fields[i].typ)
			a.args = append(a.args, e)
		}
		p.expect(")")
	}
	p.expect("to")
	if k := p.p.findKind(p.peek()); k != nil {
		p.at++
		if k != m.in.to || !p.in.reaches(k) {
			p.fail("message %s can't be sent to %s from kind %s: name one receiver", n, k.name, p.in.name)
		}
		a.to = k
		return a
	}
	if a.set = p.setExpr(); a.set != nil {
		p.same(&typ{base: baseID, of: m.in.to}, typ{base: baseID, of: a.set.of})
		return a
	}
	a.id, _ = p.expr(&typ{base: baseID, of: m.in.to})
	return a
}
