package spec

// The operations of a [Counter].
const (
	CounterAdd Op = iota + 1 // adds Arg, modulo 2⁶⁴, and answers the old value
	CounterGet               // answers the value
)

// Counter returns the specification of a number that is added to, whose first
// value is initial. Adding the two's complement of a number subtracts it.
func Counter(initial uint64) Spec[uint64] {
	ops := []Signature{
		{Name: "Add", Args: 1, Value: ValueAlways},
		{Name: "Get", Value: ValueAlways, Reads: true},
	}
	return Deterministic("counter", initial, ops, applyCounter)
}

func applyCounter(s uint64, c Call) (uint64, Ret, bool) {
	switch c.Op {
	case CounterAdd:
		return s + c.Arg, Ret{Val: s, OK: true}, true
	case CounterGet:
		return s, Ret{Val: s, OK: true}, true
	}
	return s, Ret{}, false
}
