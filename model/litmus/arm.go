package litmus

import "strings"

// armConds are AArch64's names of conditions, in the order of their encoding.
var armConds = strings.Fields("EQ NE HS LO MI PL VS VC HI LS GE LT GT LE AL")

// armCond is the condition of a name.
func armCond(s string) (Cond, bool) {
	switch s {
	case "CS":
		return HS, true
	case "CC":
		return LO, true
	}
	i := oneOf(s, strings.Join(armConds, " "))
	return Cond(i), i >= 0
}

// arm decodes an instruction of AArch64.
func (d *decoder) arm(in instr) error {
	in.name = strings.ToUpper(in.name)
	for i, a := range in.args {
		if !d.isBranch(in.name) || i < len(in.args)-1 {
			in.args[i] = strings.ToUpper(a)
		}
	}
	for _, try := range []func(instr) (bool, error){d.armPlain, d.armBranch, d.armLoad, d.armAtomic, d.armMove, d.armALU} {
		if done, err := try(in); done || err != nil {
			return err
		}
	}
	return d.unsupported(in)
}

// isBranch says whether the last operand of an instruction is a label.
func (d *decoder) isBranch(name string) bool {
	return name == "B" || name == "CBZ" || name == "CBNZ" || armBranchCond(name) >= 0
}

// armBranchCond is the condition of B.EQ or BEQ, or -1.
func armBranchCond(name string) int {
	rest, ok := strings.CutPrefix(name, "B")
	c, known := armCond(strings.TrimPrefix(rest, "."))
	if !ok || !known {
		return -1
	}
	return int(c)
}

// armPlain decodes nops and fences. NSH barriers are nops: they do not reach other
// CPUs, and herd's model (aarch64fences.cat) orders nothing by them. A DSB of ST holds
// up all that follows, where DMB holds up writes (DSB-ob of aarch64hwreqs.cat).
func (d *decoder) armPlain(in instr) (bool, error) {
	option := ""
	if len(in.args) == 1 {
		option = in.args[0]
	}
	switch {
	case in.name == "NOP" && len(in.args) == 0, (in.name == "DMB" || in.name == "DSB") && oneOf(option, "NSH NSHLD NSHST") >= 0:
		d.emit(Op{Kind: OpNop})
	case in.name == "ISB" && (len(in.args) == 0 || option == "SY"):
		d.emit(Op{Kind: OpFence, Fence: FenceISB})
	case (in.name == "DMB" || in.name == "DSB") && oneOf(option, "SY ISH OSH") >= 0:
		d.emit(Op{Kind: OpFence, Fence: FenceFull})
	case (in.name == "DMB" || in.name == "DSB") && oneOf(option, "LD ISHLD OSHLD") >= 0:
		d.emit(Op{Kind: OpFence, Fence: FenceLoad})
	case in.name == "DMB" && oneOf(option, "ST ISHST OSHST") >= 0:
		d.emit(Op{Kind: OpFence, Fence: FenceStore})
	case in.name == "DSB" && oneOf(option, "ST ISHST OSHST") >= 0:
		d.emit(Op{Kind: OpFence, Fence: FenceStoreAny})
	default:
		return false, nil
	}
	return true, nil
}

// armBranch decodes jumps.
func (d *decoder) armBranch(in instr) (bool, error) {
	if !d.isBranch(in.name) {
		return false, nil
	}
	n := len(in.args)
	if cond := armBranchCond(in.name); cond >= 0 && n == 1 {
		if Cond(cond) == AL {
			return true, d.jump(Op{Kind: OpBranch}, in.args[0])
		}
		return true, d.jump(Op{Kind: OpBranchIf, Cond: Cond(cond)}, in.args[0])
	}
	switch {
	case in.name == "B" && n == 1:
		return true, d.jump(Op{Kind: OpBranch}, in.args[0])
	case n == 2:
		r, w, err := d.armReg(in.args[0])
		if err != nil {
			return true, err
		}
		return true, d.jump(Op{Kind: OpBranchZero, Width: w, A: src(r), Not: in.name == "CBNZ"}, in.args[1])
	}
	return false, nil
}

// armReg reads a register.
func (d *decoder) armReg(s string) (Reg, uint8, error) {
	r, w, ok := armReg(s)
	if !ok {
		return 0, 0, d.failf("%s is no register that is supported; use X0 to X30, W0 to W30, XZR or WZR", quote(s))
	}
	return r, w, nil
}

// armImm reads a constant: #1, or 1.
func (d *decoder) armImm(s string) (uint64, error) {
	n, ok := number(strings.TrimPrefix(s, "#"))
	if !ok {
		return 0, d.failf("%s is no constant; write one like #1", quote(s))
	}
	return n, nil
}

// armSize takes the B or H at the end of a mnemonic away: it is the width of the
// access, which else is the register's.
func armSize(name string, width uint8) (string, uint8) {
	if n := len(name); n > 1 {
		switch name[n-1] {
		case 'B':
			return name[:n-1], 1
		case 'H':
			return name[:n-1], 2
		}
	}
	return name, width
}

// armMove decodes MOV, CSEL and their like.
func (d *decoder) armMove(in instr) (bool, error) {
	n := len(in.args)
	if oneOf(in.name, "MOV CSEL CSINC CSET") < 0 || n < 2 {
		return false, nil
	}
	r, w, err := d.armReg(in.args[0])
	if err != nil {
		return true, err
	}
	if in.name == "MOV" && n == 2 {
		v, err := d.armOperand(in.args[1], w)
		d.emit(Op{Kind: OpALU, Fn: FnMove, Width: w, Dst: dst(r), B: v})
		return true, err
	}
	cond, ok := armCond(in.args[n-1])
	if !ok || cond == AL || n != map[string]int{"CSEL": 4, "CSINC": 4, "CSET": 2}[in.name] {
		return true, d.unsupported(in)
	}
	op := Op{Kind: OpSelect, Width: w, Dst: dst(r), A: Const(1), B: Const(0), Cond: cond}
	if in.name != "CSET" {
		for i, p := range []*Operand{&op.A, &op.B} {
			reg, rw, err := d.armReg(in.args[i+1])
			if err != nil {
				return true, err
			}
			if rw != w {
				return true, d.widths(in)
			}
			*p = src(reg)
		}
	}
	if in.name == "CSINC" {
		d.emit(Op{Kind: OpALU, Fn: FnAdd, Width: w, Dst: Temp, A: op.B, B: Const(1)})
		op.B = R(Temp)
	}
	d.emit(op)
	return true, nil
}

// widths refuses an instruction whose registers differ in size.
func (d *decoder) widths(in instr) error {
	return d.failf("the registers of %s differ in size; use X or W registers only", quote(in.text))
}

// armOperand reads a register of the given width, or a constant.
func (d *decoder) armOperand(s string, width uint8) (Operand, error) {
	if r, w, ok := armReg(s); ok {
		if w != width {
			return Operand{}, d.failf("register %s is of another size; use X or W registers only", quote(s))
		}
		return src(r), nil
	}
	n, err := d.armImm(s)
	return Const(n), err
}

// armFns are the arithmetic instructions.
var armFns = map[string]Fn{
	"ADD": FnAdd, "SUB": FnSub, "AND": FnAnd, "ORR": FnOr, "EOR": FnXor, "BIC": FnClear,
	"LSL": FnLSL, "LSR": FnLSR, "ASR": FnASR, "ADDS": FnAdd, "SUBS": FnSub, "ANDS": FnAnd,
	"BICS": FnClear, "CMP": FnSub, "CMN": FnAdd, "TST": FnAnd,
}

// armALU decodes arithmetic.
func (d *decoder) armALU(in instr) (bool, error) {
	fn, ok := armFns[in.name]
	compare := oneOf(in.name, "CMP CMN TST") >= 0
	args := in.args
	if compare {
		args = append([]string{""}, args...)
	}
	if !ok || len(args) < 3 || len(args) > 4 {
		return false, nil
	}
	a, w, err := d.armReg(args[1])
	if err != nil {
		return true, err
	}
	op := Op{Kind: OpALU, Fn: fn, Width: w, Dst: NoReg, A: src(a), SetFlags: compare || strings.HasSuffix(in.name, "S")}
	if !compare {
		r, rw, err := d.armReg(args[0])
		if err != nil {
			return true, err
		}
		if rw != w {
			return true, d.widths(in)
		}
		op.Dst = dst(r)
	}
	if len(args) == 4 {
		op.B, err = d.armExtended(in, args[2], args[3], w)
	} else {
		op.B, err = d.armOperand(args[2], w)
	}
	d.emit(op)
	return true, err
}

// armExtended reads a register that is extended or shifted: W1,SXTW; X1,LSL #2.
func (d *decoder) armExtended(in instr, reg, how string, width uint8) (Operand, error) {
	r, w, err := d.armReg(reg)
	if err != nil {
		return Operand{}, err
	}
	name, amount, _ := strings.Cut(how, "#")
	n := uint64(0)
	if amount != "" {
		if n, err = d.armImm(amount); err != nil {
			return Operand{}, err
		}
	}
	v := src(r)
	extend := Op{Kind: OpALU, Fn: FnSext, Width: 4, Dst: Temp, B: v}
	switch name {
	case "SXTW", "UXTW":
		if w != 4 {
			return Operand{}, d.failf("%s extends a W register in %s; write one", name, quote(in.text))
		}
		if name == "UXTW" {
			extend.Fn = FnMove
		}
		d.emit(extend)
		v = R(Temp)
	case "SXTX", "UXTX", "LSL", "LSR", "ASR":
		if w != width {
			return Operand{}, d.failf("register %s of %s is of another size; extend it with SXTW or UXTW, or use another", quote(reg), quote(in.text))
		}
		if name[1] == 'X' || name == "LSL" {
			break
		}
		d.emit(Op{Kind: OpALU, Fn: armFns[name], Width: width, Dst: Temp, A: v, B: Const(n)})
		return R(Temp), d.shift(n, width)
	default:
		return Operand{}, d.unsupported(in)
	}
	if n > 0 {
		d.emit(Op{Kind: OpALU, Fn: FnLSL, Width: 8, Dst: Temp, A: v, B: Const(n)})
		v = R(Temp)
	}
	return v, d.shift(n, width)
}

func (d *decoder) shift(n uint64, width uint8) error {
	if n >= 8*uint64(width) {
		return d.failf("a shift by %d is none; shift by less than the register has bits", n)
	}
	return nil
}
