package protocol

import (
	"fmt"
	"slices"
	"strings"
)

// Murphi is the system as a model in the Murphi language, for another checker to explore:
// rumur, or CMurphi. It has the same states and the same rules, without symmetry. (D. Dill,
// "The Murphi verification system", CAV 1996, describes the language.)
//
// For every kind of controller there is an array of records, with the channels that belong
// to it; ids are numbers from 0, for none; a fifo and a bag are arrays, of which the
// latter is kept in order; each message of a bag that differs from the one before it may
// arrive. A message is a number, packed as in the system's own states.
func (s *System) Murphi() string {
	m := &murphi{s: s}
	m.line("-- Protocol %s, written out by verify check -murphi.", s.Protocol.Name)
	m.declare()
	m.procedures()
	m.start()
	for i := range s.tables {
		m.rules(&s.tables[i])
	}
	m.invariants()
	return m.out.String()
}

type murphi struct {
	s   *System
	out strings.Builder
}

func (m *murphi) line(format string, args ...any) {
	fmt.Fprintf(&m.out, format, args...)
	m.out.WriteByte('\n')
}

// ident is a name as Murphi allows it: no two are the same that were not.
func ident(kind, name string) string {
	return kind + "_" + strings.NewReplacer("_", "__", "-", "_0").Replace(name)
}

// kinds in Murphi: k_NAME is the array of controllers, N_NAME their number, in all.
func (m *murphi) total(k *kind) int {
	n := m.s.count(k)
	if k.in != nil {
		n *= m.s.count(k.in)
	}
	return n
}

// declare declares types and variables.
func (m *murphi) declare() {
	s := m.s
	m.line("type")
	m.line("  Line: 0..%d;\n  Value: 0..%d;", s.Addresses-1, s.Values-1)
	for i := range s.tables {
		t := &s.tables[i]
		k := t.kind
		m.line("  %s: 0..%d;", ident("P", k.name), m.total(k)-1)
		var states []string
		for _, st := range k.states {
			states = append(states, ident(ident("S", k.name), st))
		}
		m.line("  %s: enum {%s};", ident("T", k.name), strings.Join(states, ", "))
		m.line("  %s: record\n    state: %s;", ident("L", k.name), ident("T", k.name))
		for _, v := range k.vars {
			m.line("    %s: %s;", ident("v", v.name), m.typ(v.typ))
		}
		m.line("  end;")
		m.line("  %s: record\n    line: array[Line] of %s;", ident("C", k.name), ident("L", k.name))
		for j := range t.channels {
			p := &t.channels[j]
			m.line("    %s: array[0..%d] of array[0..%d] of 0..%d;", ident("c", p.channel.name), p.instances(s)-1, p.slots()-1, m.most(p))
		}
		m.line("  end;")
	}
	m.line("var")
	for i := range s.tables {
		k := s.tables[i].kind
		m.line("  %s: array[%s] of %s;", ident("k", k.name), ident("P", k.name), ident("C", k.name))
	}
	m.line("  latest: array[Line] of Value;\n")
}

// slots is how many messages are kept of the channel; a counter is one number.
func (p *place) slots() int {
	if p.width == 0 {
		return 1
	}
	return p.capacity
}

// most is the largest number in a channel: a packed message, or how many there are.
func (m *murphi) most(p *place) int {
	if p.width == 0 {
		return p.capacity
	}
	return 1<<p.used - 1
}

func (m *murphi) typ(t typ) string {
	switch t.base {
	case baseValue:
		return "Value"
	case baseID:
		return fmt.Sprintf("0..%d", m.s.count(t.of))
	case baseSet:
		return fmt.Sprintf("array[1..%d] of boolean", m.s.count(t.of))
	case baseEnum:
		return fmt.Sprintf("0..%d", len(t.names)-1)
	}
	if t.to != (bound{}) {
		return fmt.Sprintf("0..%d", m.s.bound(t.to))
	}
	return "-128..127"
}

// procedures are the sends and the arrivals of each channel.
func (m *murphi) procedures() {
	s := m.s
	for i := range s.tables {
		t := &s.tables[i]
		if k := t.kind; t.holds < s.Addresses {
			m.line("function held_%s(p: %s): 0..%d;\nvar n: 0..%d;\nbegin\n  n := 0;", ident("k", k.name), ident("P", k.name), s.Addresses, s.Addresses)
			m.line("  for a: Line do if %s[p].line[a].state != %s then n := n + 1; end; end;\n  return n;\nend;\n",
				ident("k", k.name), ident(ident("S", k.name), k.states[0]))
		}
		for j := range t.channels {
			p := &t.channels[j]
			name, owner := ident("c", p.channel.name), t.kind
			at := fmt.Sprintf("%s[p].%s[a]", ident("k", owner.name), name)
			m.line("procedure push_%s(p: %s; a: 0..%d; w: 0..%d);", name, ident("P", owner.name), p.instances(s)-1, m.most(p))
			last := p.capacity - 1
			if p.width == 0 {
				m.line("begin\n  assert %s[0] < %d \"overflow\";\n  %s[0] := %s[0] + 1;\nend;", at, p.capacity, at, at)
				m.line("procedure pop_%s(p: %s; a: 0..%d; n: 0..0);\nbegin\n  %s[0] := %s[0] - 1;\nend;\n",
					name, ident("P", owner.name), p.instances(s)-1, at, at)
				continue
			}
			m.line("var x: 0..%d; y: 0..%d; done: boolean;\nbegin", m.most(p), m.most(p))
			m.line("  assert %s[%d] = 0 \"overflow\";\n  x := w; done := false;", at, last)
			m.line("  for j: 0..%d do", last)
			m.line("    if !done then\n      y := %s[j];\n      if y = 0 then %s[j] := x; done := true;", at, at)
			if !p.channel.fifo {
				m.line("      elsif x < y then %s[j] := x; x := y;", at)
			}
			m.line("      end;\n    end;\n  end;\nend;")
			m.line("procedure pop_%s(p: %s; a: 0..%d; n: 0..%d);\nbegin", name, ident("P", owner.name), p.instances(s)-1, last)
			if last > 0 {
				m.line("  for j: 0..%d do if j >= n then %s[j] := %s[j+1]; end; end;", last-1, at, at)
			}
			m.line("  %s[%d] := 0;\nend;\n", at, last)
		}
	}
}

// start is the initial state, which is zero everywhere.
func (m *murphi) start() {
	m.line("startstate\nbegin")
	for i := range m.s.tables {
		t := &m.s.tables[i]
		k := t.kind
		m.line("  for p: %s do", ident("P", k.name))
		m.line("    for a: Line do")
		m.line("      %s[p].line[a].state := %s;", ident("k", k.name), ident(ident("S", k.name), k.states[0]))
		for _, v := range k.vars {
			at := fmt.Sprintf("%s[p].line[a].%s", ident("k", k.name), ident("v", v.name))
			if v.typ.base == baseSet {
				m.line("      for q: 1..%d do %s[q] := false; end;", m.s.count(v.typ.of), at)
			} else {
				m.line("      %s := 0;", at)
			}
		}
		m.line("    end;")
		for j := range t.channels {
			p := &t.channels[j]
			m.line("    for i: 0..%d do for j: 0..%d do %s[p].%s[i][j] := 0; end; end;", p.instances(m.s)-1, p.slots()-1, ident("k", k.name), ident("c", p.channel.name))
		}
		m.line("  end;")
	}
	m.line("  for a: Line do latest[a] := 0; end;\nend;\n")
}

// invariants are the properties of states.
func (m *murphi) invariants() {
	type served struct {
		k             *kind
		holds, writes string
	}
	var all []served
	in := func(t *table, who string, may []bool) string {
		var out []string
		for st, ok := range may {
			if ok {
				out = append(out, fmt.Sprintf("%s[%s].line[a].state = %s", ident("k", t.kind.name), who, ident(ident("S", t.kind.name), t.kind.states[st])))
			}
		}
		if len(out) == 0 {
			return "false"
		}
		return "(" + strings.Join(out, " | ") + ")"
	}
	for i := range m.s.tables {
		t := &m.s.tables[i]
		if t.kind.serves() {
			either := slices.Clone(t.readable)
			for st, ok := range t.writable {
				either[st] = either[st] || ok
			}
			all = append(all, served{t.kind, in(t, "q", either), in(t, "p", t.writable)})
			m.line("invariant \"data value of %s\"\n  forall a: Line do forall p: %s do %s -> %s[p].line[a].v_value = latest[a] end end;",
				t.kind.name, ident("P", t.kind.name), in(t, "p", t.readable), ident("k", t.kind.name))
		}
	}
	for _, w := range all {
		for _, r := range all {
			differ := ""
			if w.k == r.k {
				differ = "p != q & "
			}
			m.line("invariant \"single writer %s, %s\"\n  forall a: Line do forall p: %s do forall q: %s do (%s%s) -> !%s end end end;",
				w.k.name, r.k.name, ident("P", w.k.name), ident("P", r.k.name), differ, w.writes, r.holds)
		}
	}
}
