package protocol

import (
	"fmt"
	"slices"
)

// rule is a row for one state and event, compiled.
type rule struct {
	row    int // in its kind
	number int // among all of the system
	how    how
	next   int // state, or -1
	guard  []test
	code   []instr
}

// test is a condition, compiled.
type test struct {
	op   condOp
	not  bool
	a, b sum
	set  *subset
}

// sum is an expression, compiled: a, or a plus or minus b.
type sum struct {
	set   *subset // that a counts
	a, b  arg
	two   bool
	minus bool
}

// arg is a term, compiled.
type arg struct {
	op termOp
	n  uint8 // a constant, or the offset of a variable, or the place of a field
}

// subset is a set variable without a member, compiled.
type subset struct {
	all    uint8 // of its kind
	offset int   // of the variable; 0 for all
	less   bool
	except sum
}

type instr struct {
	op     actionOp
	offset uint8
	most   uint8 // that can be assigned
	v      sum
	set    *subset
	send   *sending
}

// sending is a send, compiled.
type sending struct {
	kind  int // of the receiver
	table *table
	place int  // of the channel, in the table that it belongs to
	own   bool // the channel belongs to the sender
	form  *form
	typ   int
	args  []sum
	to    receiver
	id    sum
	set   *subset
}

type receiver uint8

const (
	toNear receiver = iota
	toID
	toSet
)

// The first events of every table.
const (
	evLoad = iota
	evStore
	evEvict
	evOwn // those that happen by themselves; then the messages
)

// eventIndex is the number of an event in the table of a kind, or -1.
func (s *System) eventIndex(k *kind, e event) int {
	if e.msg == nil {
		if i := slices.Index([]string{eventLoad, eventStore, eventEvict}, e.name); i >= 0 {
			return i
		}
		return evOwn + k.event(e.name)
	}
	i := evOwn + len(k.events)
	for _, m := range s.Protocol.messages {
		if m == e.msg {
			return i
		}
		if m.in.to == k {
			i++
		}
	}
	return -1
}

// maxRules is how many rules all tables may have, for each state and event.
const maxRules = 1 << 16

// compile fills the cells of a table.
func (s *System) compile(t *table) error {
	k := t.kind
	t.events = evOwn + len(k.events)
	for _, m := range s.Protocol.messages {
		if m.in.to == k {
			t.events++
		}
	}
	t.cells = make([][]rule, len(k.states)*t.events)
	for i := range k.rows {
		r := &k.rows[i]
		for _, e := range r.events {
			c := rule{row: i, how: r.how, next: r.next}
			for _, g := range r.guard {
				c.guard = append(c.guard, test{g.op, g.not, s.sum(t, e, g.a), s.sum(t, e, g.b), s.subset(t, e, g.set)})
			}
			for _, a := range r.actions {
				c.code = append(c.code, s.instr(t, e, a))
			}
			for st := range k.states {
				if r.states != nil && !slices.Contains(r.states, st) {
					continue
				}
				cell := &t.cells[st*t.events+s.eventIndex(k, e)]
				if n := len(*cell); n > 0 && len((*cell)[n-1].guard) == 0 {
					if r.states == nil {
						continue // "*" is for those that no rule before it names
					}
					return fmt.Errorf("protocol %s, line %d: %s on %s has no condition in line %d, so that this rule never applies",
						s.Protocol.Name, r.line, k.states[st], e.name, k.rows[(*cell)[n-1].row].line)
				}
				*cell = append(*cell, c)
				if s.rules++; s.rules > maxRules {
					return fmt.Errorf("protocol %s, line %d: there are more than %d rules, each counted for every state and event: use fewer", s.Protocol.Name, r.line, maxRules)
				}
			}
		}
	}
	s.summarise(t)
	return s.answersProcessor(t)
}

// answersProcessor fails if some state of a kind has no rule for a load, or for a store,
// where others have: a processor may load and store at any time. It fails, too, if a hit
// depends on more than the state, which is what says who holds a copy.
func (s *System) answersProcessor(t *table) error {
	for e, name := range []string{evLoad: eventLoad, evStore: eventStore} {
		with, without := -1, -1
		for st := range t.kind.states {
			cell := t.cells[st*t.events+e]
			if hit := slices.IndexFunc(cell, func(r rule) bool { return r.how == hits }); hit >= 0 && len(cell)+len(cell[hit].guard) > 1 {
				return fmt.Errorf("protocol %s, line %d: in state %s of kind %s a %s hits under a condition: give what hits a state of its own",
					s.Protocol.Name, t.kind.rows[cell[hit].row].line, t.kind.states[st], t.kind.name, name)
			}
			if len(cell) > 0 {
				with = st
			} else {
				without = st
			}
		}
		if with >= 0 && without >= 0 {
			return fmt.Errorf("protocol %s: kind %s has a rule for %s in state %s and none in state %s, where a processor may do that too: say what is done, or stall",
				s.Protocol.Name, t.kind.name, name, t.kind.states[with], t.kind.states[without])
		}
	}
	return nil
}

// summarise says what can happen by itself in each state, and what a processor may do.
func (s *System) summarise(t *table) {
	n := len(t.kind.states)
	t.happens, t.readable, t.writable, t.stalls = make([][]int, n), make([]bool, n), make([]bool, n), make([]bool, n)
	for st := range n {
		for e := range evOwn + len(t.kind.events) {
			for _, r := range t.cells[st*t.events+e] {
				t.readable[st] = t.readable[st] || e == evLoad && r.how == hits
				t.writable[st] = t.writable[st] || e == evStore && r.how == hits
				t.stalls[st] = t.stalls[st] || e <= evStore && r.how == stalls
				moves := r.how == hits && r.next >= 0 && r.next != st // a load that hits, too
				if (r.how == acts || moves || r.how == hits && e == evStore) && !slices.Contains(t.happens[st], e) {
					t.happens[st] = append(t.happens[st], e)
				}
			}
		}
	}
}

func (s *System) sum(t *table, e event, x expr) sum {
	out := sum{two: len(x) == 2}
	if len(x) > 0 {
		out.a = s.arg(e, x[0])
		out.set = s.subset(t, e, x[0].set)
	}
	if out.two {
		out.b, out.minus = s.arg(e, x[1]), x[1].minus
	}
	return out
}

func (s *System) arg(e event, x term) arg {
	a := arg{op: x.op, n: uint8(x.n)}
	switch x.op {
	case termParam:
		a.op, a.n = termConst, uint8(s.parameters[x.name])
	case termVar:
		a.n++ // behind the state
	case termField:
		a.n = uint8(slices.IndexFunc(e.msg.fields, func(f variable) bool { return f.name == x.name }))
	}
	return a
}

func (s *System) subset(t *table, e event, x *setExpr) *subset {
	if x == nil {
		return nil
	}
	return &subset{all: uint8(1<<s.count(x.of) - 1), offset: 1 + x.variable, less: x.except != nil, except: s.sum(t, e, x.except)}
}

func (s *System) instr(t *table, e event, a action) instr {
	i := instr{op: a.op, offset: uint8(1 + a.variable), v: s.sum(t, e, a.a), set: s.subset(t, e, a.set)}
	if a.op == doAssign {
		i.most = s.most(t.kind.vars[a.variable].typ)
	}
	if a.op != doSend {
		return i
	}
	owner := &s.tables[a.msg.in.owner().number]
	n := slices.IndexFunc(owner.channels, func(p place) bool { return p.channel == a.msg.in })
	x := &sending{
		kind: a.msg.in.to.number, table: owner, place: n, own: a.msg.in.perSender,
		form: &owner.channels[n].forms[a.msg.typ], typ: a.msg.typ,
	}
	for _, v := range a.args {
		x.args = append(x.args, s.sum(t, e, v))
	}
	switch {
	case a.set != nil:
		x.to, x.set = toSet, s.subset(t, e, a.set)
	case a.id != nil:
		x.to, x.id = toID, s.sum(t, e, a.id)
	}
	i.send = x
	return i
}
