package litmus

// The kinds of operations that set the flags, as far as reading C is concerned.
const (
	setNone  = 1 << iota // nothing has: C is a cleared carry
	setSub               // C is set if nothing was borrowed
	setAdd               // C is the carry
	setLogic             // C is a cleared carry of x86-64; AArch64 clears C
	setKeeps             // inc and dec: C is as it was
)

// carries refuses conditions that read C behind an operation whose C is not what
// FlagsOf computes for that architecture. The code is loop-free.
func carries(isa ISA, code []Op) error {
	before := make([]int, len(code)+1)
	before[0] = setNone
	bad := setLogic | setNone
	if isa == X86_64 {
		bad = setAdd | setKeeps
	}
	for i := range code {
		op := &code[i]
		if (op.Kind == OpBranchIf || op.Kind == OpSelect) && op.Cond.readsC() && before[i]&bad != 0 {
			return failf(op.Line, "%s reads the carry where it is not that of a comparison; compare before it", quote(op.Text))
		}
		after := before[i]
		if op.SetFlags {
			after = op.setter()
		}
		if op.jumps() {
			before[op.Target] |= after
		}
		if op.Kind != OpBranch {
			before[i+1] |= after
		}
	}
	return nil
}

// readsC says whether the condition depends on C.
func (c Cond) readsC() bool { return c == HS || c == LO || c == HI || c == LS }

// setter is the kind of an operation that sets the flags.
func (op *Op) setter() int {
	switch {
	case op.keepsC:
		return setKeeps
	case op.Fn == FnAdd:
		return setAdd
	case op.Fn == FnSub:
		return setSub
	}
	return setLogic
}

// flagless leaves the flags out if nothing reads them.
func flagless(code []Op) []Op {
	for i := range code {
		if code[i].Kind == OpBranchIf || code[i].Kind == OpSelect {
			return code
		}
	}
	place := make([]int, len(code)+1)
	var out []Op
	for i, op := range code {
		place[i] = len(out)
		op.SetFlags = false
		if op.Kind != OpALU || op.Dst != NoReg {
			out = append(out, op)
		}
	}
	place[len(code)] = len(out)
	for i := range out {
		if out[i].jumps() {
			out[i].Target = place[out[i].Target]
		}
	}
	return out
}
