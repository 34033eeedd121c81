package protocol

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxText is how long a text may be, in bytes.
const maxText = 1 << 20

// maxMembers is how many controllers of a kind one set, or one controller of the kind
// that they are in, may have.
const maxMembers = 8

// Parse reads the text of a protocol; name is for errors, of type *[Error].
func Parse(name, text string) (*Protocol, error) {
	if len(text) > maxText {
		return nil, &Error{name, 1, fmt.Sprintf("the text has %d bytes, which is more than %d", len(text), maxText)}
	}
	lines, err := statements(name, text)
	if err != nil {
		return nil, err
	}
	p := &parser{p: &Protocol{}, name: name}
	for _, s := range lines {
		if err := p.statement(s); err != nil {
			return nil, err
		}
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	return p.p, nil
}

// parser reads statements one after the other. Its methods panic with an *Error, which
// statement catches.
type parser struct {
	p    *Protocol
	name string
	in   *kind // whose rules follow

	s    statement
	at   int // the next token
	row  *row
	last int // line
}

func (p *parser) fail(format string, args ...any) {
	panic(&Error{p.name, p.s.line, fmt.Sprintf(format, args...)})
}

func (p *parser) statement(s statement) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	p.s, p.at, p.last = s, 0, s.line
	declare := map[string]func(){
		"protocol": p.protocol, "about": p.about, "parameter": p.parameter, "kind": p.kind, "channel": p.channel,
		"message": p.message, "states": p.states, "variable": p.variable, "event": p.event, "rules": p.rules,
	}
	if d := declare[s.tokens[0]]; d != nil && !(len(s.tokens) > 1 && (s.tokens[1] == "on" || s.tokens[1] == ",")) {
		p.at++
		d()
	} else {
		p.rule()
	}
	if p.at < len(s.tokens) {
		p.fail("%q is more than the line can hold", p.peek())
	}
	return nil
}

// peek is the next token, or empty at the end.
func (p *parser) peek() string {
	if p.at < len(p.s.tokens) {
		return p.s.tokens[p.at]
	}
	return ""
}

// accept takes the next token if it is t.
func (p *parser) accept(t string) bool {
	if p.peek() != t || t == "" {
		return false
	}
	p.at++
	return true
}

func (p *parser) expect(t string) {
	if !p.accept(t) {
		p.fail("there should be %q before %q", t, p.peek())
	}
}

// word takes a name.
func (p *parser) word(what string) string {
	t := p.peek()
	if t == "" || !letter(t[0]) {
		p.fail("there should be %s instead of %q", what, t)
	}
	p.at++
	return t
}

func (p *parser) number() int {
	n, err := strconv.Atoi(p.peek())
	if err != nil || n > 1<<20 {
		p.fail("there should be a number up to %d instead of %q", 1<<20, p.peek())
	}
	p.at++
	return n
}

func (p *parser) protocol() {
	if p.p.Name != "" {
		p.fail("the protocol has a name already: %s", p.p.Name)
	}
	p.p.Name = p.word("the name of the protocol")
}

func (p *parser) about() {
	p.p.About = p.s.tokens[1]
	p.at = len(p.s.tokens)
}

// parameter NAME DEFAULT from MIN to MAX
func (p *parser) parameter() {
	n := Parameter{Name: p.fresh("parameter")}
	n.Default = p.number()
	p.expect("from")
	n.Min = p.number()
	p.expect("to")
	n.Max = p.number()
	if n.Max > 255 {
		p.fail("parameter %s: %d is more than 255", n.Name, n.Max)
	}
	if n.Default < n.Min || n.Default > n.Max {
		p.fail("parameter %s: %d is not from %d to %d", n.Name, n.Default, n.Min, n.Max)
	}
	p.p.Parameters = append(p.p.Parameters, n)
}

// fresh takes a name that nothing has yet.
func (p *parser) fresh(what string) string {
	n := p.word("the name of a " + what)
	taken := p.p.findParameter(n) != nil || p.p.findKind(n) != nil || p.p.findMessage(n) != nil ||
		slices.ContainsFunc(p.p.channels, func(c *channel) bool { return c.name == n }) || slices.Contains(reserved, n)
	if taken {
		p.fail("the name %s is taken", n)
	}
	return n
}

// reserved are names with a meaning in every protocol.
var reserved = []string{
	"addresses", "values", "msg", "sender", "self", "none", "count", "except", "in", "not", "is", "empty", "and",
	"all", "for", "holds", "send", "add", "remove", "clear", "stall", "hit", "to", "from", "on", "if", eventLoad, eventStore, eventEvict,
}

// kind NAME [many PARAMETER] [in KIND] [holds BOUND]
func (p *parser) kind() {
	k := &kind{name: p.fresh("kind"), number: len(p.p.kinds)}
	if k.number == maxMembers {
		p.fail("there are more than %d kinds", maxMembers)
	}
	if p.accept("many") {
		k.many = p.word("a parameter")
		n := p.p.findParameter(k.many)
		if n == nil {
			p.fail("there is no parameter %s", k.many)
		}
		if n.Min < 1 || n.Max > maxMembers {
			p.fail("kind %s: there can be 1 to %d of one, not %d to %d", k.name, maxMembers, n.Min, n.Max)
		}
	}
	if p.accept("in") {
		k.in = p.kindName()
		if k.in.in != nil || k.many == "" {
			p.fail("kind %s: only many can be in another kind, and that one in no other", k.name)
		}
	}
	if p.accept("holds") {
		k.holds = p.bound()
	}
	p.p.kinds = append(p.p.kinds, k)
}

func (p *parser) kindName() *kind {
	n := p.word("a kind of controller")
	k := p.p.findKind(n)
	if k == nil {
		p.fail("there is no kind of controller %s", n)
	}
	return k
}

// channel NAME [from KIND] to KIND bag|fifo BOUND [per sender] [for block]
func (p *parser) channel() {
	c := &channel{name: p.fresh("channel"), number: len(p.p.channels)}
	if p.accept("from") {
		c.from = p.kindName()
	}
	p.expect("to")
	c.to = p.kindName()
	if c.fifo = p.accept("fifo"); !c.fifo {
		p.expect("bag")
	}
	c.capacity = p.bound()
	if p.accept("per") {
		p.expect("sender")
		c.perSender = true
		if c.from == nil || !c.from.reaches(c.to) {
			p.fail("channel %s: per sender needs from, and one receiver for each sender", c.name)
		}
	}
	c.block = p.block()
	p.p.channels = append(p.p.channels, c)
}

func (p *parser) bound() bound {
	if t := p.peek(); t != "" && digit(t[0]) {
		n := p.number()
		if n < 1 || n > 16 {
			p.fail("there should be a number from 1 to 16 instead of %d", n)
		}
		return bound{number: n}
	}
	n := p.word("a number or a parameter")
	param := p.p.findParameter(n)
	if param == nil {
		p.fail("there is no parameter %s", n)
	}
	if param.Min < 1 || param.Max > 16 {
		p.fail("parameter %s should be within 1 to 16, not %d to %d", n, param.Min, param.Max)
	}
	return bound{name: n}
}

// message NAME[(FIELD: TYPE, …)] on CHANNEL
func (p *parser) message() {
	m := &message{name: p.fresh("message"), number: len(p.p.messages)}
	if m.number == maxMessages {
		p.fail("there are more than %d messages", maxMessages)
	}
	if p.accept("(") {
		for {
			f := variable{name: p.word("the name of a field")}
			p.expect(":")
			f.typ = p.typ()
			if slices.ContainsFunc(m.fields, func(g variable) bool { return g.name == f.name }) {
				p.fail("message %s has two fields %s", m.name, f.name)
			}
			if m.fields = append(m.fields, f); !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	p.expect("on")
	n := p.word("a channel")
	for _, c := range p.p.channels {
		if c.name == n {
			m.in = c
		}
	}
	if m.in == nil {
		p.fail("there is no channel %s", n)
	}
	if len(m.fields) > maxFields {
		p.fail("message %s has more than %d fields", m.name, maxFields)
	}
	for _, f := range m.fields {
		p.known(m.in.to, f.typ)
	}
	m.in.messages = append(m.in.messages, m)
	m.typ = len(m.in.messages)
	p.p.messages = append(p.p.messages, m)
}

// known fails if a controller of kind k can't tell those of a type apart: the ids of
// controllers that are in others mean something in there only.
func (p *parser) known(k *kind, t typ) {
	if of := t.of; of != nil && of.in != nil && k != of && k != of.in {
		p.fail("%s is many in %s: kind %s knows none by an id", of.name, of.in.name, k.name)
	}
}

// maxMessages is how many messages there may be: the type of one is never zero in its first
// byte. maxFields is how many fields each may have.
const (
	maxMessages = 255
	maxFields   = 4
)

func (p *parser) typ() typ {
	switch n := p.word("a type"); n {
	case "value":
		return typ{base: baseValue}
	case "count":
		t := typ{base: baseCount}
		if p.accept("to") {
			t.to = p.bound()
		}
		return t
	case "set":
		p.expect("of")
		return typ{base: baseSet, of: p.kindName()}
	case "one":
		p.expect("of")
		t := typ{base: baseEnum}
		for p.peek() != "" && letter(p.peek()[0]) {
			t.names = append(t.names, p.word("a name"))
		}
		if len(t.names) < 2 || len(t.names) > 16 {
			p.fail("one of 2 to 16 names")
		}
		return t
	default:
		k := p.p.findKind(n)
		if k == nil {
			p.fail("there is no type %s: use value, count, set of, one of, or a kind of controller", n)
		}
		return typ{base: baseID, of: k}
	}
}

// states KIND stable|transient NAME…
func (p *parser) states() {
	k := p.kindName()
	stable := p.accept("stable")
	if !stable {
		p.expect("transient")
	}
	for p.peek() != "" {
		n := p.word("a state")
		if slices.Contains(k.states, n) {
			p.fail("kind %s has the state %s twice", k.name, n)
		}
		k.states, k.stable = append(k.states, n), append(k.stable, stable)
	}
	if len(k.states) > 64 {
		p.fail("kind %s has more than 64 states", k.name)
	}
}

// variable KIND NAME: TYPE
func (p *parser) variable() {
	k := p.kindName()
	v := variable{name: p.fresh("variable")}
	p.expect(":")
	v.typ = p.typ()
	p.known(k, v.typ)
	if k.variable(v.name) >= 0 {
		p.fail("kind %s has two variables %s", k.name, v.name)
	}
	if k.vars = append(k.vars, v); len(k.vars) > 32 {
		p.fail("kind %s has more than 32 variables", k.name)
	}
}

// event KIND NAME [for block]
func (p *parser) event() {
	k := p.kindName()
	name := p.fresh("event")
	if k.events = append(k.events, ownEvent{name, p.block()}); len(k.events) > maxMessages {
		p.fail("kind %s has more than %d events", k.name, maxMessages)
	}
}

// block is [for block]
func (p *parser) block() bool {
	if !p.accept("for") {
		return false
	}
	p.expect("block")
	return true
}

func (p *parser) rules() { p.in = p.kindName() }

// complete checks what only the whole text shows.
func (p *parser) complete() error {
	fail := func(format string, args ...any) error {
		return &Error{p.name, max(p.last, 1), fmt.Sprintf(format, args...)}
	}
	if p.p.Name == "" {
		return fail("the text has no protocol name: begin with a line \"protocol NAME\"")
	}
	if len(p.p.kinds) == 0 {
		return fail("there is no kind of controller: declare one with a line \"kind NAME\"")
	}
	for _, k := range p.p.kinds {
		if len(k.states) == 0 {
			return fail("kind %s has no states", k.name)
		}
		if i := k.variable(nameValue); k.serves() && (i < 0 || k.vars[i].typ.base != baseValue) {
			return fail("kind %s has hits, and so needs a variable value: value", k.name)
		}
	}
	if len(p.p.messages) == 0 {
		return fail("there are no messages")
	}
	for _, c := range p.p.channels {
		if len(c.messages) == 0 {
			return fail("channel %s has no messages", c.name)
		}
	}
	return nil
}

// nameValue is the variable that a hit is on.
const nameValue = "value"

// serves says whether a processor uses the kind.
func (k *kind) serves() bool {
	return slices.ContainsFunc(k.rows, func(r row) bool { return r.how == hits })
}

// event is the number of an event that happens by itself, or -1.
func (k *kind) event(name string) int {
	return slices.IndexFunc(k.events, func(e ownEvent) bool { return e.name == name })
}

func (k *kind) variable(name string) int {
	return slices.IndexFunc(k.vars, func(v variable) bool { return v.name == name })
}

// reaches says whether a controller of kind k knows one of kind o without being told:
// the only one, or the one it is in.
func (k *kind) reaches(o *kind) bool { return o.many == "" || k.in == o }

func (p *Protocol) findParameter(name string) *Parameter {
	for i := range p.Parameters {
		if p.Parameters[i].Name == name {
			return &p.Parameters[i]
		}
	}
	return nil
}

func (p *Protocol) findKind(name string) *kind {
	for _, k := range p.kinds {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (p *Protocol) findMessage(name string) *message {
	for _, m := range p.messages {
		if m.name == name {
			return m
		}
	}
	return nil
}

// quoted lists names for an error.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
