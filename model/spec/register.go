package spec

// The operations of a [Register].
const (
	RegisterRead  Op = iota + 1 // answers the value
	RegisterWrite               // makes Arg the value
	RegisterCAS                 // makes Arg2 the value if it is Arg; answers the old value, and OK says whether
	RegisterSwap                // makes Arg the value and answers the old one
)

// Register returns the specification of a word of memory with atomic
// operations, whose first value is initial.
func Register(initial uint64) Spec[uint64] {
	ops := []Signature{
		{Name: "Read", Value: ValueAlways, Reads: true},
		{Name: "Write", Args: 1},
		{Name: "CAS", Args: 2, Value: ValueAlways, Failure: "refused"},
		{Name: "Swap", Args: 1, Value: ValueAlways},
	}
	s := Deterministic("register", initial, ops, applyRegister)
	s.Kind = RegisterKind
	return s
}

func applyRegister(s uint64, c Call) (uint64, Ret, bool) {
	switch c.Op {
	case RegisterRead:
		return s, Ret{Val: s, OK: true}, true
	case RegisterWrite:
		return c.Arg, Ret{OK: true}, true
	case RegisterSwap:
		return c.Arg, Ret{Val: s, OK: true}, true
	case RegisterCAS:
		if s != c.Arg {
			return s, Ret{Val: s}, true
		}
		return c.Arg2, Ret{Val: s, OK: true}, true
	}
	return s, Ret{}, false
}
