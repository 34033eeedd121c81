package litmus

import "strings"

// armAddress is an address operand: its form, and what changes the base register
// before or after the access.
type armAddress struct {
	addr      Address
	base      Reg
	pre, post uint64
}

// armAddress reads [X1], [X1,#8], [X1,X2], [X1,W2,SXTW#2], [X1,#8]! and [X1],#8.
func (d *decoder) armAddress(in instr, args []string) (armAddress, error) {
	var out armAddress
	s := args[0]
	write := strings.HasSuffix(s, "]!")
	s = strings.TrimSuffix(s, "!")
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return out, d.failf("%s is no address; write one like [X1]", quote(args[0]))
	}
	parts := strings.Split(s[1:len(s)-1], ",")
	base, w, err := d.armReg(parts[0])
	if err != nil {
		return out, err
	}
	if w != 8 || base == Zero {
		return out, d.failf("the base of %s is no X register; use X0 to X30", quote(args[0]))
	}
	out.base, out.addr = base, at(base, 0)
	if len(args) == 2 {
		if write || len(parts) != 1 {
			return out, d.unsupported(in)
		}
		out.post, err = d.armImm(args[1])
		return out, err
	}
	switch {
	case len(parts) == 1 && !write:
		return out, nil
	case len(parts) == 2 && !isArmReg(parts[1]):
		n, err := d.armImm(parts[1])
		if write {
			out.pre = n
		} else {
			out.addr.Offset = n
		}
		return out, err
	case len(parts) > 3 || len(parts) < 2 || write:
		return out, d.unsupported(in)
	}
	return out, d.armIndex(in, parts[1:], &out.addr)
}

func isArmReg(s string) bool {
	_, _, ok := armReg(s)
	return ok
}

// armIndex reads the index of an address.
func (d *decoder) armIndex(in instr, parts []string, addr *Address) error {
	how := "LSL"
	if len(parts) == 2 {
		how = parts[1]
	}
	v, err := d.armExtended(in, parts[0], how, 8)
	if err == nil && v.Reg != NoReg {
		addr.Index = v.Reg
	}
	return err
}

// access emits an access, and what changes its base register.
func (d *decoder) access(in instr, op Op, a armAddress, r Reg) error {
	if (a.pre != 0 || a.post != 0) && r == a.base {
		return d.failf("%s changes the register that it accesses, which the architecture leaves open; use two", quote(in.text))
	}
	step := Op{Kind: OpALU, Fn: FnAdd, Width: 8, Dst: a.base, A: R(a.base)}
	if a.pre != 0 {
		step.B = Const(a.pre)
		d.emit(step)
	}
	op.Addr = a.addr
	d.emit(op)
	if a.post != 0 {
		step.B = Const(a.post)
		d.emit(step)
	}
	return nil
}

// armLoad decodes loads, stores and exclusives.
func (d *decoder) armLoad(in instr) (bool, error) {
	name, width := armSize(in.name, 0)
	n := len(in.args)
	if oneOf(name, "LDR STR LDUR STUR LDAR LDAPR STLR LDXR LDAXR STXR STLXR") < 0 || n < 2 {
		return false, nil
	}
	args := in.args
	op := Op{Dst: NoReg, Acquire: name == "LDAR" || name == "LDAXR", AcquirePC: name == "LDAPR",
		Release: name == "STLR" || name == "STLXR"}
	if strings.HasSuffix(name, "XR") && name[0] == 'S' {
		status, w, err := d.armReg(args[0])
		if err != nil {
			return true, err
		}
		if w != 4 || n != 3 {
			return true, d.unsupported(in)
		}
		op.Dst, args = dst(status), args[1:]
	}
	r, w, err := d.armReg(args[0])
	if err != nil {
		return true, err
	}
	if width != 0 && w != 4 || len(args) > 3 || len(args) == 3 && name != "LDR" && name != "STR" {
		return true, d.unsupported(in)
	}
	if width == 0 {
		width = w
	}
	op.Width = width
	switch name {
	case "STXR", "STLXR":
		op.Kind, op.A = OpStoreEx, src(r)
	case "STR", "STUR", "STLR":
		op.Kind, op.A = OpStore, src(r)
	case "LDXR", "LDAXR":
		op.Kind, op.Dst = OpLoadEx, dst(r)
	default:
		op.Kind, op.Dst = OpLoad, dst(r)
	}
	a, err := d.armAddress(in, args[1:])
	if err != nil {
		return true, err
	}
	if oneOf(name, "LDR STR LDUR STUR") < 0 && (a.addr != at(a.base, 0) || a.pre != 0) {
		return true, d.failf("%s takes a plain address only; write it as [X1]", quote(in.text))
	}
	return true, d.access(in, op, a, r)
}

// armAtomics are the read-modify-writes of one instruction.
var armAtomics = map[string]Fn{
	"SWP": FnMove, "LDADD": FnAdd, "LDCLR": FnClear, "LDEOR": FnXor, "LDSET": FnOr,
	"STADD": FnAdd, "STCLR": FnClear, "STEOR": FnXor, "STSET": FnOr, "CAS": FnMove,
}

// armAtomic decodes CAS, SWP, LDADD and their like. If the result is lost, the
// read is none that a fence orders, and no acquire: so herd has it
// (AArch64Sem.ml, where noret is), and for CAS as for the others.
func (d *decoder) armAtomic(in instr) (bool, error) {
	name, width := armSize(in.name, 0)
	name, release := strings.CutSuffix(name, "L")
	name, acquire := strings.CutSuffix(name, "A")
	fn, ok := armAtomics[name]
	lost := ok && strings.HasPrefix(name, "ST")
	if !ok || lost && acquire || len(in.args) != 3 && !lost || lost && len(in.args) != 2 {
		return false, nil
	}
	args := in.args
	if lost {
		args = []string{args[0], "WZR", args[1]}
	}
	s, sw, err := d.armReg(args[0])
	if err != nil {
		return true, err
	}
	t, tw, err := d.armReg(args[1])
	if err != nil {
		return true, err
	}
	if sw != tw && !lost {
		return true, d.widths(in)
	}
	if width != 0 && sw != 4 {
		return true, d.unsupported(in)
	}
	if width == 0 {
		width = sw
	}
	a, err := d.armAddress(in, args[2:])
	if err != nil {
		return true, err
	}
	if a.addr != at(a.base, 0) || a.pre != 0 {
		return true, d.failf("%s takes a plain address only; write it as [X1]", quote(in.text))
	}
	op := Op{Kind: OpUpdate, Fn: fn, Width: width, Dst: dst(t), A: src(s), Addr: a.addr, Release: release}
	if name == "CAS" {
		op.Kind, op.Dst, op.A, op.B = OpCAS, dst(s), src(t), src(s)
	}
	op.NoRet = op.Dst == NoReg
	op.Acquire = acquire && !op.NoRet
	d.emit(op)
	return true, nil
}
