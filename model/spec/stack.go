package spec

// The operations of a [Stack].
const (
	StackPush Op = iota + 1 // puts Arg on top
	StackPop                // takes the top value and answers it; OK=false if there is none
)

// Stack returns the specification of an unbounded last-in, first-out stack,
// empty at first: Treiber's stack, or a free list that hands out what came
// back last. Its state lists the values, the top one at the end.
func Stack() Spec[List] {
	ops := []Signature{
		{Name: "Push", Args: 1},
		{Name: "Pop", Value: ValueIfOK, Failure: "empty"},
	}
	s := Deterministic("stack", "", ops, applyStack)
	s.Kind = StackKind
	return s
}

func applyStack(s List, c Call) (List, Ret, bool) {
	switch {
	case c.Op == StackPush:
		return s.Push(c.Arg), Ret{OK: true}, true
	case c.Op == StackPop && s == "":
		return s, Ret{}, true
	case c.Op == StackPop:
		top := s.Len() - 1
		return s.Remove(top), Ret{Val: s.At(top), OK: true}, true
	}
	return s, Ret{}, false
}
