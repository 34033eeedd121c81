package litmus

import "strings"

// x86Arg is an operand of an x86-64 instruction.
type x86Arg struct {
	op    Operand // a register or a constant
	addr  Address
	mem   bool
	width uint8 // of a register; 0 if the operand does not tell
}

func (a x86Arg) reg() bool { return !a.mem && a.op.Reg != NoReg }

// x86Widths are the sizes that a suffix tells.
var x86Widths = map[byte]uint8{'b': 1, 'w': 2, 'l': 4, 'q': 8}

// x86Conds are the conditions of jcc, setcc and cmovcc by their names.
var x86Conds = map[string]Cond{
	"e": EQ, "z": EQ, "ne": NE, "nz": NE, "s": MI, "ns": PL, "o": VS, "no": VC,
	"l": LT, "nge": LT, "ge": GE, "nl": GE, "le": LE, "ng": LE, "g": GT, "nle": GT,
	"b": LO, "c": LO, "nae": LO, "ae": HS, "nb": HS, "nc": HS, "be": LS, "na": LS, "a": HI, "nbe": HI,
}

// x86ALU are the instructions that compute a function of two operands and set
// the flags.
var x86ALU = map[string]Fn{
	"add": FnAdd, "sub": FnSub, "and": FnAnd, "or": FnOr, "xor": FnXor,
	"cmp": FnSub, "test": FnAnd, "inc": FnAdd, "dec": FnSub,
}

// x86 decodes an instruction in the syntax of AT&T, as herd has it.
func (d *decoder) x86(in instr) error {
	in.name = strings.ToLower(in.name)
	locked := in.name == "lock"
	if locked {
		if len(in.args) == 0 {
			return d.unsupported(in)
		}
		_, rest, _ := strings.Cut(in.text, " ")
		name, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
		in.name = strings.ToLower(name)
		in.args, _ = operands(rest)
	}
	if !locked {
		if done, err := d.x86Simple(in); done || err != nil {
			return err
		}
	}
	var args []x86Arg
	for _, s := range in.args {
		a, err := d.x86Arg(s)
		if err != nil {
			return err
		}
		args = append(args, a)
	}
	if done, err := d.x86Cond(in, args, locked); done || err != nil {
		return err
	}
	if done, err := d.x86Extend(in, args, locked); done || err != nil {
		return err
	}
	name, width, err := d.x86Width(in, args)
	if err != nil {
		return err
	}
	return d.x86Sized(in, name, width, args, locked)
}

// x86Simple decodes fences, nops and jumps.
func (d *decoder) x86Simple(in instr) (bool, error) {
	if fence := oneOf(in.name, "mfence lfence sfence"); fence >= 0 && len(in.args) == 0 {
		d.emit(Op{Kind: OpFence, Fence: FenceKind(fence)})
		return true, nil
	}
	if oneOf(in.name, "nop endbr64") >= 0 && len(in.args) == 0 {
		d.emit(Op{Kind: OpNop})
		return true, nil
	}
	if in.name == "" || in.name[0] != 'j' || len(in.args) != 1 {
		return false, nil
	}
	if in.name == "jmp" {
		return true, d.jump(Op{Kind: OpBranch}, in.args[0])
	}
	cond, ok := x86Conds[in.name[1:]]
	if !ok {
		return false, nil
	}
	return true, d.jump(Op{Kind: OpBranchIf, Cond: cond}, in.args[0])
}

// x86Cond decodes setcc and cmovcc.
func (d *decoder) x86Cond(in instr, args []x86Arg, locked bool) (bool, error) {
	if cc, ok := strings.CutPrefix(in.name, "set"); ok && !locked && len(args) == 1 {
		cond, known := x86Conds[cc]
		if !known || !args[0].mem && args[0].width != 1 {
			return true, d.unsupported(in)
		}
		d.emit(Op{Kind: OpSelect, Width: 1, Dst: Temp, A: Const(1), B: Const(0), Cond: cond})
		d.x86Put(args[0], R(Temp), 1)
		return true, nil
	}
	cc, ok := strings.CutPrefix(in.name, "cmov")
	if !ok || locked || len(args) != 2 {
		return false, nil
	}
	cond, known := x86Conds[cc]
	if !known && cc != "" { // a suffix tells the size
		cond, known = x86Conds[cc[:len(cc)-1]]
		known = known && x86Widths[cc[len(cc)-1]] == args[1].width
	}
	if !known || !args[1].reg() || args[1].width < 4 || args[0].op.Reg == NoReg && !args[0].mem {
		return true, d.unsupported(in)
	}
	v := d.x86Get(args[0], args[1].width, Temp)
	d.emit(Op{Kind: OpSelect, Width: args[1].width, Dst: args[1].op.Reg, A: v, B: args[1].op, Cond: cond})
	return true, nil
}

// x86Extend decodes movzbl, movslq and their like: a move that extends.
func (d *decoder) x86Extend(in instr, args []x86Arg, locked bool) (bool, error) {
	n := len(in.name)
	if n != 6 || in.name[:3] != "mov" || oneOf(in.name[3:4], "z s") < 0 || len(args) != 2 {
		return false, nil
	}
	from, to := x86Widths[in.name[4]], x86Widths[in.name[5]]
	a, signed := args[0], in.name[3] == 's'
	if locked || from == 0 || to < 4 || from >= to || from == 4 && !signed ||
		!a.mem && a.width != from || args[1].width != to {
		return true, d.unsupported(in)
	}
	dst := args[1].op.Reg
	if !signed && a.mem {
		d.emit(Op{Kind: OpLoad, Width: from, Dst: dst, Addr: a.addr})
		return true, nil
	}
	out := Op{Kind: OpALU, Fn: FnMove, Width: from, Dst: dst, B: d.x86Get(a, from, Temp)}
	if signed {
		out.Fn = FnSext
	}
	d.emit(out)
	if signed && to == 4 {
		d.emit(Op{Kind: OpALU, Fn: FnMove, Width: 4, Dst: dst, B: R(dst)})
	}
	return true, nil
}

// x86Arg reads an operand: $1, %eax, x, (x), [x], (%rax), 8(%rax), (%rax,%rbx).
func (d *decoder) x86Arg(s string) (x86Arg, error) {
	switch {
	case s[0] == '%':
		r, w, ok := x86Reg(s[1:])
		if !ok {
			return x86Arg{}, d.failf("%s is no register that is supported; use one like %%eax", quote(s))
		}
		return x86Arg{op: R(r), width: w}, nil
	case s[0] == '$':
		if n, ok := number(s[1:]); ok {
			return x86Arg{op: Const(n)}, nil
		}
		if !isName(s[1:]) {
			return x86Arg{}, d.failf("%s is no constant; write one like $1", quote(s))
		}
		i, err := d.location(s[1:], d.cell.Line)
		return x86Arg{op: Const(AddressOf(i))}, err
	}
	a, err := d.x86Address(s)
	return x86Arg{addr: a, mem: true}, err
}

func isName(s string) bool {
	for i := range len(s) {
		if !inWord(s[i]) {
			return false
		}
	}
	return s != "" && isLetter(s[0])
}

// x86Address reads a memory operand.
func (d *decoder) x86Address(s string) (Address, error) {
	bad := d.failf("%s is no operand that is supported; write one like (x), 8(%%rax) or (%%rax,%%rbx)", quote(s))
	out := at(NoReg, 0)
	open := strings.IndexAny(s, "([")
	offset, inner := s, ""
	if open >= 0 {
		if end := s[len(s)-1]; end != ')' && end != ']' {
			return out, bad
		}
		offset, inner = s[:open], s[open+1:len(s)-1]
	}
	for _, part := range []string{offset, inner} {
		if isName(part) {
			i, err := d.location(part, d.cell.Line)
			if err != nil {
				return out, err
			}
			out.Offset += AddressOf(i)
			continue
		}
		if n, ok := number(part); ok && part == offset && open >= 0 {
			out.Offset += n
			continue
		}
		if part == "" {
			continue
		}
		regs := strings.Split(part, ",")
		if part != inner || len(regs) > 3 || len(regs) == 3 && regs[2] != "1" {
			return out, bad
		}
		for k, r := range regs[:min(2, len(regs))] {
			reg, w, ok := x86Reg(strings.TrimPrefix(r, "%"))
			if !ok || w != 8 || r[0] != '%' {
				return out, bad
			}
			if k == 0 {
				out.Base = reg
			} else {
				out.Index = reg
			}
		}
	}
	return out, nil
}

// x86Width splits a mnemonic into its name and the size, which a suffix or a
// register tells.
func (d *decoder) x86Width(in instr, args []x86Arg) (string, uint8, error) {
	width := uint8(0)
	for _, a := range args {
		if a.width == 0 {
			continue
		}
		if width != 0 && width != a.width {
			return "", 0, d.failf("the registers of %s differ in size; use registers of one size", quote(in.text))
		}
		width = a.width
	}
	name := in.name
	if !x86Sizeless(name) && len(name) > 1 {
		suffix := x86Widths[name[len(name)-1]]
		if suffix == 0 || !x86Sizeless(name[:len(name)-1]) {
			return "", 0, d.unsupported(in)
		}
		if width != 0 && width != suffix {
			return "", 0, d.failf("the suffix of %s is not the size of its register; write the suffix b, w, l or q that is", quote(in.text))
		}
		name, width = name[:len(name)-1], suffix
	}
	if width == 0 {
		return "", 0, d.failf("%s does not tell the size of its operands; write it with a suffix: %sb, %sw, %sl or %sq",
			quote(in.text), name, name, name, name)
	}
	return name, width, nil
}

// x86Sizeless says whether a name is one of an instruction without its suffix.
func x86Sizeless(name string) bool {
	_, alu := x86ALU[name]
	return alu || oneOf(name, "mov xchg xadd cmpxchg movabs") >= 0
}

// x86Get is the value of an operand, which temp holds if it is one of memory.
func (d *decoder) x86Get(a x86Arg, width uint8, temp Reg) Operand {
	if !a.mem {
		return a.op
	}
	d.emit(Op{Kind: OpLoad, Width: width, Dst: temp, Addr: a.addr})
	return R(temp)
}

// x86Put writes a value to an operand. Writes of less than 4 bytes to a register
// leave the rest of it as it is.
func (d *decoder) x86Put(a x86Arg, v Operand, width uint8) {
	switch {
	case a.mem:
		d.emit(Op{Kind: OpStore, Width: width, A: v, Addr: a.addr})
	case width < 4:
		d.emit(Op{Kind: OpALU, Fn: FnInsert, Width: width, Dst: a.op.Reg, A: a.op, B: v})
	default:
		d.emit(Op{Kind: OpALU, Fn: FnMove, Width: width, Dst: a.op.Reg, B: v})
	}
}

// x86Sized decodes the instructions that have a size.
func (d *decoder) x86Sized(in instr, name string, width uint8, args []x86Arg, locked bool) error {
	one := name == "inc" || name == "dec"
	if one && len(args) == 1 {
		args = []x86Arg{{op: Const(1)}, args[0]}
	} else if one || len(args) != 2 {
		return d.failf("the number of operands of %s, %d, does not fit; write %s as the assembler has it", quote(in.text), len(args), name)
	}
	from, to := args[0], args[1]
	if name == "xchg" && from.mem {
		from, to = to, from
	}
	switch {
	case from.mem && to.mem, !to.mem && !to.reg(), !from.mem && !from.reg() && oneOf(name, "xchg xadd cmpxchg") >= 0:
		return d.failf("the operands of %s do not fit; one is in memory at most, and the last is no constant", quote(in.text))
	case locked && (!to.mem || oneOf(name, "mov movabs cmp test") >= 0):
		return d.failf("%s can't be locked; lock goes with instructions that change memory", quote(in.text))
	}
	switch name {
	case "mov", "movabs":
		switch {
		case !to.mem && from.mem && width >= 4:
			d.emit(Op{Kind: OpLoad, Width: width, Dst: to.op.Reg, Addr: from.addr})
		default:
			d.x86Put(to, d.x86Get(from, width, Temp), width)
		}
	case "xchg":
		d.x86Exchange(from, to, width)
	case "xadd":
		d.x86Add(from, to, width, locked)
	case "cmpxchg":
		return d.x86CAS(in, from, to, width, locked)
	default:
		d.x86Compute(name, from, to, width, locked)
	}
	return nil
}

// x86Compute decodes arithmetic. With memory it is a load, a computation and a
// store, in one if locked.
func (d *decoder) x86Compute(name string, from, to x86Arg, width uint8, locked bool) {
	fn := x86ALU[name]
	keeps := name == "inc" || name == "dec"
	if locked {
		d.emit(Op{Kind: OpUpdate, Fn: fn, Width: width, Dst: Temp, A: from.op, Addr: to.addr})
		d.emit(Op{Kind: OpALU, Fn: fn, Width: width, Dst: NoReg, A: R(Temp), B: from.op, SetFlags: true, keepsC: keeps})
		return
	}
	b := d.x86Get(from, width, Temp+1)
	a := d.x86Get(to, width, Temp)
	out := Op{Kind: OpALU, Fn: fn, Width: width, Dst: NoReg, A: a, B: b, SetFlags: true, keepsC: keeps}
	switch {
	case name == "cmp" || name == "test":
		d.emit(out)
	case !to.mem && width >= 4:
		out.Dst = to.op.Reg
		d.emit(out)
	default:
		out.Dst = Temp
		d.emit(out)
		d.x86Put(to, R(Temp), width)
	}
}

// x86Exchange decodes xchg, which with memory is locked without saying so.
func (d *decoder) x86Exchange(from, to x86Arg, width uint8) {
	if to.mem {
		out := Op{Kind: OpUpdate, Fn: FnMove, Width: width, Dst: from.op.Reg, A: from.op, Addr: to.addr}
		if width >= 4 {
			d.emit(out)
			return
		}
		out.Dst = Temp
		d.emit(out)
	} else {
		d.emit(Op{Kind: OpALU, Fn: FnMove, Width: 8, Dst: Temp, B: to.op})
		d.x86Put(to, from.op, width)
	}
	d.x86Put(from, R(Temp), width)
}

// x86Add decodes xadd: the destination becomes the sum, the source what it was.
func (d *decoder) x86Add(from, to x86Arg, width uint8, locked bool) {
	if locked {
		d.emit(Op{Kind: OpUpdate, Fn: FnAdd, Width: width, Dst: Temp, A: from.op, Addr: to.addr})
		d.emit(Op{Kind: OpALU, Fn: FnAdd, Width: width, Dst: NoReg, A: R(Temp), B: from.op, SetFlags: true})
		d.x86Put(from, R(Temp), width)
		return
	}
	if old := d.x86Get(to, width, Temp); !to.mem {
		d.emit(Op{Kind: OpALU, Fn: FnMove, Width: 8, Dst: Temp, B: old})
	}
	d.emit(Op{Kind: OpALU, Fn: FnAdd, Width: width, Dst: Temp + 1, A: R(Temp), B: from.op, SetFlags: true})
	d.x86Put(from, R(Temp), width)
	d.x86Put(to, R(Temp+1), width)
}

// x86CAS decodes cmpxchg: if the destination is rax, it becomes the source, else
// rax becomes it. Not locked it would be a store that depends on a condition.
func (d *decoder) x86CAS(in instr, from, to x86Arg, width uint8, locked bool) error {
	if !locked {
		return d.failf("%s is supported only with lock; write lock before it", quote(in.text))
	}
	rax := x86Arg{op: R(0), width: width}
	d.emit(Op{Kind: OpCAS, Width: width, Dst: Temp, A: from.op, B: rax.op, Addr: to.addr})
	d.emit(Op{Kind: OpALU, Fn: FnSub, Width: width, Dst: NoReg, A: rax.op, B: R(Temp), SetFlags: true})
	d.x86Put(rax, R(Temp), width)
	return nil
}
