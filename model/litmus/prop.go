package litmus

import "strings"

// PropKind is the form of a condition.
type PropKind uint8

// The forms. And and Or have two kids or more, none of its own kind; And with no
// kids holds always, Or with none never.
const (
	PropAtom PropKind = iota // Ref = Value
	PropAnd
	PropOr
	PropNot
)

// Prop is a condition over a final state.
type Prop struct {
	Kind  PropKind
	Kids  []Prop
	Ref   Ref
	Value Value
}

// String spells the condition as herd does, without the parentheses around it all.
func (c Prop) String() string {
	switch c.Kind {
	case PropAnd, PropOr:
		return c.join()
	case PropNot:
		return "~(" + c.Kids[0].String() + ")"
	}
	return c.Ref.String() + "=" + c.Value.Text
}

func (c Prop) join() string {
	sign, none := ` /\ `, "true"
	if c.Kind == PropOr {
		sign, none = ` \/ `, "false"
	}
	if len(c.Kids) == 0 {
		return none
	}
	var out []string
	for _, k := range c.Kids {
		s := k.String()
		if len(k.Kids) > 0 && k.Kind != PropNot {
			s = "(" + s + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, sign)
}

// refs calls f for each register and location of the condition.
func (c Prop) refs(f func(Ref)) {
	if c.Kind == PropAtom {
		f(c.Ref)
	}
	for _, k := range c.Kids {
		k.refs(f)
	}
}

// holds says whether a state satisfies the condition, by what its atoms say.
func (c Prop) holds(atom func(Prop) bool) bool {
	switch c.Kind {
	case PropAtom:
		return atom(c)
	case PropNot:
		return !c.Kids[0].holds(atom)
	}
	for _, k := range c.Kids {
		if k.holds(atom) == (c.Kind == PropOr) {
			return c.Kind == PropOr
		}
	}
	return c.Kind == PropAnd
}

// group reads what is joined by sign, of parts that part reads. It flattens.
func (p *parser) group(c *cursor, kind PropKind, sign string, part func() (Prop, error)) (Prop, error) {
	first, err := part()
	if err != nil || c.peek().text != sign {
		return first, err
	}
	all := Prop{Kind: kind}
	add := func(k Prop) {
		if k.Kind == kind && len(k.Kids) > 0 {
			all.Kids = append(all.Kids, k.Kids...)
		} else {
			all.Kids = append(all.Kids, k)
		}
	}
	for add(first); c.accept(sign); {
		k, err := part()
		if err != nil {
			return k, err
		}
		add(k)
	}
	return all, nil
}

// or reads a condition.
func (p *parser) or(c *cursor, depth int) (Prop, error) {
	return p.group(c, PropOr, `\/`, func() (Prop, error) {
		return p.group(c, PropAnd, `/\`, func() (Prop, error) { return p.atom(c, depth) })
	})
}

// atom reads an atom, a negation, or a condition in parentheses.
func (p *parser) atom(c *cursor, depth int) (Prop, error) {
	t := c.peek()
	if depth == MaxDepth {
		return Prop{}, failf(t.line, "the condition is nested deeper than %d; flatten it", MaxDepth)
	}
	switch {
	case c.accept("~"), c.accept("not"):
		k, err := p.atom(c, depth+1)
		return Prop{Kind: PropNot, Kids: []Prop{k}}, err
	case c.accept("("):
		k, err := p.or(c, depth+1)
		if err == nil {
			err = c.expect(")", "the condition")
		}
		return k, err
	case c.accept("true"):
		return Prop{Kind: PropAnd}, nil
	case c.accept("false"):
		return Prop{Kind: PropOr}, nil
	}
	var k Prop
	var err error
	if k.Ref, err = p.ref(c); err == nil {
		if !c.accept("==") {
			err = c.expect("=", "the condition")
		}
	}
	if err == nil {
		k.Value, err = p.value(c)
	}
	return k, err
}

// tail reads what stands behind the code: the locations line and the condition.
func (p *parser) tail() error {
	c := &cursor{lex(p.text, p.line), p.line + strings.Count(p.text, "\n")}
	if c.accept("locations") {
		if err := c.expect("[", "the list of locations"); err != nil {
			return err
		}
		p.t.Locations = []Ref{}
		for !c.accept("]") {
			r, err := p.ref(c)
			if err != nil {
				return err
			}
			p.t.Locations = append(p.t.Locations, r)
			if c.peek().text != "]" {
				if err := c.expect(";", "the list of locations"); err != nil {
					return err
				}
			}
		}
	}
	t := c.next()
	switch {
	case t.text == "exists", t.text == "forall":
		p.t.Quantifier = Quantifier(t.text)
	case (t.text == "~" || t.text == "not") && c.accept("exists"):
		p.t.Quantifier = NotExists
	case t.word():
		return failf(t.line, "%s is not supported; end the test with exists, ~exists or forall", quote(t.text))
	default:
		return failf(t.line, "%s where the condition belongs; end the test with exists, ~exists or forall", shown(t))
	}
	var err error
	if p.t.Prop, err = p.or(c, 0); err != nil {
		return err
	}
	c.accept(";")
	if t := c.peek(); t.text != "" {
		return failf(t.line, "%s behind the condition; end the test there", shown(t))
	}
	return nil
}
