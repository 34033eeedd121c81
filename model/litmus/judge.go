package litmus

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what a set of final states says about the condition, as herd says it.
type Verdict struct {
	Obs     string // how many satisfy it: Never, Sometimes, Always
	Verdict string // whether the quantified condition holds: Ok, No
}

// registers checks that the registers that are named are there.
func (p *parser) registers() error {
	for _, u := range p.used {
		if n := len(p.t.Threads); u.ref.Thread >= n {
			return failf(u.line, "%s is of no thread; the test has %d, from 0", u.ref, n)
		}
		if isa := p.t.Threads[u.ref.Thread].ISA; u.ref.Reg.In(isa) != u.ref.Name {
			return failf(u.line, "%s is no register of %s, which is what thread %d runs", u.ref, isa, u.ref.Thread)
		}
	}
	return nil
}

// observe settles which components a final state has: those of the locations
// line and of the condition, each once; registers first, by thread, then
// locations by name, as herd orders them.
func (p *parser) observe() {
	var refs []Ref
	add := func(r Ref) {
		if !slices.Contains(refs, r) {
			refs = append(refs, r)
		}
	}
	for _, r := range p.t.Locations {
		add(r)
	}
	p.t.Prop.refs(add)
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(uint(a.Thread), uint(b.Thread)),
			cmp.Compare(herdOrder(a), herdOrder(b)), cmp.Compare(a.Name, b.Name))
	})
	for _, r := range refs {
		p.t.observed = append(p.t.observed, p.t.observable(r))
	}
}

// herdOrder is the place of a register among those of its thread.
func herdOrder(r Ref) int {
	if i := slices.Index(herdX86, r.Name); i >= 0 {
		return i
	}
	return int(r.Reg)
}

func (t *Test) observable(r Ref) Observable {
	if r.Thread < 0 {
		return Observable{Thread: -1, Loc: slices.Index(t.names, r.Name)}
	}
	return Observable{Thread: r.Thread, Reg: r.Reg}
}

// Format spells a final state as herd does: 0:X3=0; 1:rax=1; [x]=2;
func (t *Test) Format(s State) string {
	var b strings.Builder
	for i, o := range t.observed {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.name(o))
		b.WriteByte('=')
		b.WriteString(t.spell(s[i]))
		b.WriteByte(';')
	}
	return b.String()
}

// name spells a component of a state.
func (t *Test) name(o Observable) string {
	if o.Thread < 0 {
		return "[" + t.names[o.Loc] + "]"
	}
	return strconv.Itoa(o.Thread) + ":" + o.Reg.In(t.Threads[o.Thread].ISA)
}

// spell spells a value: a location's name if it is an address.
func (t *Test) spell(v uint64) string {
	for i, n := range t.names {
		if v == AddressOf(i) {
			return n
		}
	}
	return strconv.FormatInt(int64(v), 10)
}

// Judge says what final states, all that there are, say about the condition.
func (t *Test) Judge(states []State) Verdict {
	held := 0
	for _, s := range states {
		if t.Prop.holds(func(c Prop) bool { return t.atomHolds(c, s) }) {
			held++
		}
	}
	v := Verdict{"Sometimes", "No"}
	switch held {
	case 0:
		v.Obs = "Never"
	case len(states):
		v.Obs = "Always"
	}
	if t.Quantifier == Exists && held > 0 || t.Quantifier == NotExists && held == 0 ||
		t.Quantifier == Forall && held == len(states) {
		v.Verdict = "Ok"
	}
	return v
}

func (t *Test) atomHolds(c Prop, s State) bool {
	return s[slices.Index(t.observed, t.observable(c.Ref))] == c.Value.Num
}
