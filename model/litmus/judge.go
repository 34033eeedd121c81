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
	t := p.t
	seen := map[Ref]bool{}
	add := func(r Ref) {
		if !seen[r] {
			seen[r] = true
			t.refs = append(t.refs, r)
		}
	}
	for _, r := range t.Locations {
		add(r)
	}
	t.Prop.refs(add)
	slices.SortFunc(t.refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(uint(a.Thread), uint(b.Thread)),
			cmp.Compare(herdOrder(a), herdOrder(b)), cmp.Compare(a.Name, b.Name))
	})
	types := map[Ref]string{}
	for _, row := range t.Init {
		for _, i := range row {
			types[i.Ref] = i.Type
		}
	}
	for _, r := range t.refs {
		t.observed = append(t.observed, t.observable(r))
		t.shapes = append(t.shapes, typeOf(types[r]))
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
	for i, r := range t.refs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.String())
		b.WriteByte('=')
		b.WriteString(t.spell(s[i], t.shapes[i]))
		b.WriteByte(';')
	}
	return b.String()
}

// spell spells a value of a type: a location's name if it is an address.
func (t *Test) spell(v uint64, c ctype) string {
	if i, ok := located(v, len(t.names)); ok {
		return t.names[i]
	}
	if c.signed {
		return strconv.FormatInt(int64(FnSext.Apply(c.size, 0, v)), 10)
	}
	return strconv.FormatUint(FnMove.Apply(c.size, 0, v), 10)
}

// located is the location whose address v is.
func located(v uint64, locations int) (int, bool) {
	i := (v - addressBase) / addressStride
	return int(i), v >= addressBase && i < uint64(locations) && v == AddressOf(int(i))
}

// ctype is a type, as far as herd's printing and comparing go: what has none is
// an int (archExtra_herd.ml, cast_for_pp_with_base and mask_type).
type ctype struct {
	size   uint8
	signed bool
}

func typeOf(name string) ctype {
	size := typeSize(name)
	if size == 0 {
		return ctype{4, true}
	}
	return ctype{size, name[0] != 'u' && name[len(name)-1] != '*'}
}

// typeSize is the size of a type of C, in bytes; 0 if there is none.
func typeSize(name string) uint8 {
	if name != "" && name[len(name)-1] == '*' {
		return 8
	}
	return sizes[name]
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

// atomHolds compares as many bytes as the type has. Addresses are whole.
func (t *Test) atomHolds(c Prop, s State) bool {
	i := slices.Index(t.refs, c.Ref)
	_, address := located(s[i], len(t.names))
	if address || c.Value.Loc {
		return s[i] == c.Value.Num
	}
	return FnMove.Apply(t.shapes[i].size, 0, s[i]^c.Value.Num) == 0
}
