package spec

// The operations of a [Set].
const (
	SetInsert   Op = iota + 1 // adds Arg; OK=false if it is there already
	SetRemove                 // takes Arg out; OK=false if it is not there
	SetContains               // OK says whether Arg is there
)

// Set returns the specification of a set of values, empty at first. Its state
// lists the values in ascending order. Each value is a part of its own, see
// [Spec].Key.
func Set() Spec[List] {
	ops := []Signature{
		{Name: "Insert", Args: 1, Failure: "present"},
		{Name: "Remove", Args: 1, Failure: "absent"},
		{Name: "Contains", Args: 1, Failure: "absent", Reads: true},
	}
	s := Deterministic("set", "", ops, applySet)
	s.Kind = SetKind
	s.Key = func(c Call) (uint64, bool) { return c.Arg, true }
	return s
}

func applySet(s List, c Call) (List, Ret, bool) {
	place, found := s.Search(c.Arg)
	switch {
	case c.Op == SetContains:
		return s, Ret{OK: found}, true
	case c.Op == SetInsert && !found:
		return s.Insert(place, c.Arg), Ret{OK: true}, true
	case c.Op == SetRemove && found:
		return s.Remove(place), Ret{OK: true}, true
	}
	return s, Ret{}, c.Op == SetInsert || c.Op == SetRemove
}
