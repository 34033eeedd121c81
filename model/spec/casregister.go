package spec

import "fmt"

// The operations of a [CASRegister].
const (
	CASRegisterRead  Op = iota + 1 // answers the value; OK=false if it was never set
	CASRegisterWrite               // makes Arg the value
	CASRegisterCAS                 // makes Arg2 the value if it is Arg; OK says whether
)

// CASRegisterState is the state of a [CASRegister].
type CASRegisterState struct {
	Set   bool
	Value uint64 // zero until it is set
}

// String writes the value or "unset".
func (s CASRegisterState) String() string {
	if !s.Set {
		return "unset"
	}
	return fmt.Sprint(s.Value)
}

// CASRegister returns the specification of a register as clients of a store see
// it: it holds nothing at first, and a compare-and-set answers only whether it
// found what it compares with. See [Register] for a word of memory.
func CASRegister() Spec[CASRegisterState] {
	ops := []Signature{
		{Name: "Read", Value: ValueIfOK, Failure: "unset", Reads: true},
		{Name: "Write", Args: 1},
		{Name: "CAS", Args: 2, Failure: "refused"},
	}
	return Deterministic("cas register", CASRegisterState{}, ops, applyCASRegister)
}

func applyCASRegister(s CASRegisterState, c Call) (CASRegisterState, Ret, bool) {
	switch c.Op {
	case CASRegisterRead:
		return s, Ret{Val: s.Value, OK: s.Set}, true
	case CASRegisterWrite:
		return CASRegisterState{true, c.Arg}, Ret{OK: true}, true
	case CASRegisterCAS:
		if s != (CASRegisterState{true, c.Arg}) {
			return s, Ret{}, true
		}
		return CASRegisterState{true, c.Arg2}, Ret{OK: true}, true
	}
	return s, Ret{}, false
}
