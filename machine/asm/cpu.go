package asm

import (
	"github.com/fusedos/stramash/machine/order"
	"github.com/fusedos/stramash/model/litmus"
)

// value is what a register holds, and what that depends on.
type value struct {
	x   uint64
	dep order.TS
}

// cpu executes the operations of a thread that do not access memory. It is the one
// interpreter of both users: of a thread of the machine, and of the search, which
// do the accesses in between, each in its own way.
type cpu struct {
	pc   int
	cut  bool // it has come to an OpCut
	regs [litmus.NumRegs]value
}

// code is the program of a thread, made ready.
type code struct {
	p    *litmus.Program
	arm  bool
	ops  []litmus.Op
	init [litmus.NumRegs]value
	live []uint64 // before each operation, and at the end: the registers of which something may still become of
}

// step is an access or a fence that a cpu has come to.
type step struct {
	op         *litmus.Op // nil at the end
	loc        int        // of an access: the location
	x          uint64     // what it writes, or adds …
	compare    uint64     // of a CAS
	addr, data order.TS   // what the address and what is written depend on
	want       order.TS   // what compare depends on
}

// compile makes thread t of p ready.
func compile(p *litmus.Program, t int) *code {
	src := &p.Threads[t]
	c := &code{p: p, arm: src.ISA == litmus.AArch64, ops: src.Code}
	for r, x := range src.Init {
		c.init[r].x = x
	}
	c.live = make([]uint64, len(c.ops)+1)
	for _, o := range p.Observed {
		if o.Thread == t {
			c.live[len(c.ops)] |= bit(o.Reg)
		}
	}
	for i := len(c.ops) - 1; i >= 0; i-- {
		c.live[i] = c.liveBefore(i)
	}
	return c
}

func bit(r litmus.Reg) uint64 {
	if r == litmus.NoReg || r == litmus.Zero {
		return 0
	}
	return 1 << r
}

// liveBefore is which registers are live before operation i. Jumps go forward.
func (c *code) liveBefore(i int) uint64 {
	op := &c.ops[i]
	l := c.live[i+1]
	uses := bit(op.A.Reg)
	switch op.Kind {
	case litmus.OpALU, litmus.OpSelect, litmus.OpLoad, litmus.OpLoadEx, litmus.OpStoreEx, litmus.OpUpdate, litmus.OpCAS:
		l &^= bit(op.Dst)
	}
	switch op.Kind {
	case litmus.OpALU:
		if op.SetFlags {
			l &^= bit(litmus.Flags)
		}
		if op.Fn == litmus.FnMove || op.Fn == litmus.FnSext {
			uses = 0
		}
		uses |= bit(op.B.Reg)
	case litmus.OpSelect:
		uses |= bit(op.B.Reg) | bit(litmus.Flags)
	case litmus.OpBranch:
		return c.live[op.Target]
	case litmus.OpBranchIf:
		l |= c.live[op.Target]
		uses = bit(litmus.Flags)
	case litmus.OpBranchZero:
		l |= c.live[op.Target]
	case litmus.OpLoad, litmus.OpLoadEx:
		uses = bit(op.Addr.Base) | bit(op.Addr.Index)
	case litmus.OpCAS:
		uses |= bit(op.B.Reg) | bit(op.Addr.Base) | bit(op.Addr.Index)
	case litmus.OpStore, litmus.OpStoreEx, litmus.OpUpdate:
		uses |= bit(op.Addr.Base) | bit(op.Addr.Index)
	case litmus.OpCut:
		return 0
	default:
		return l
	}
	return l | uses
}

// start puts the cpu at the first operation.
func (u *cpu) start(c *code) { u.pc, u.cut, u.regs = 0, false, c.init }

func (u *cpu) reg(r litmus.Reg) value {
	if r == litmus.NoReg || r == litmus.Zero {
		return value{}
	}
	return u.regs[r]
}

func (u *cpu) get(o litmus.Operand) value {
	if o.Reg == litmus.NoReg {
		return value{x: o.Imm}
	}
	return u.reg(o.Reg)
}

func (u *cpu) set(r litmus.Reg, v value) {
	if r != litmus.NoReg && r != litmus.Zero {
		u.regs[r] = v
	}
}

// next executes operations up to an access or a fence, or to the end. It tells
// branch what each branch depends on.
func (u *cpu) next(c *code, branch func(order.TS)) (s step, err error) {
	for u.pc < len(c.ops) {
		op := &c.ops[u.pc]
		u.pc++
		a, b := u.get(op.A), u.get(op.B)
		switch op.Kind {
		case litmus.OpALU:
			u.compute(op, a, b)
		case litmus.OpSelect:
			// That the condition selects orders later stores only: they are.
			if !op.Cond.Holds(u.regs[litmus.Flags].x) {
				a = b
			}
			u.set(op.Dst, value{litmus.FnMove.Apply(op.Width, 0, a.x), a.dep})
		case litmus.OpBranch:
			u.pc = op.Target
		case litmus.OpBranchIf:
			f := u.regs[litmus.Flags]
			branch(f.dep)
			if op.Cond.Holds(f.x) {
				u.pc = op.Target
			}
		case litmus.OpBranchZero:
			branch(a.dep)
			if (litmus.FnMove.Apply(op.Width, 0, a.x) == 0) != op.Not {
				u.pc = op.Target
			}
		case litmus.OpCut:
			u.cut, u.pc = true, len(c.ops)
		case litmus.OpFence:
			return step{op: op}, nil
		case litmus.OpLoad, litmus.OpStore, litmus.OpLoadEx, litmus.OpStoreEx, litmus.OpUpdate, litmus.OpCAS:
			return u.access(c, op, a, b)
		}
	}
	return step{}, nil
}

func (u *cpu) compute(op *litmus.Op, a, b value) {
	dep := b.dep
	if op.Fn != litmus.FnMove && op.Fn != litmus.FnSext {
		dep = max(dep, a.dep)
	}
	u.set(op.Dst, value{op.Fn.Apply(op.Width, a.x, b.x), dep})
	if op.SetFlags {
		u.regs[litmus.Flags] = value{op.Fn.FlagsOf(op.Width, a.x, b.x), dep}
	}
}

func (u *cpu) access(c *code, op *litmus.Op, a, b value) (s step, err error) {
	base, index := u.reg(op.Addr.Base), u.reg(op.Addr.Index)
	s = step{op: op, addr: max(base.dep, index.dep)}
	if op.Kind != litmus.OpLoad && op.Kind != litmus.OpLoadEx {
		s.x, s.data = litmus.FnMove.Apply(op.Width, 0, a.x), a.dep
	}
	if op.Kind == litmus.OpCAS {
		s.compare, s.want = litmus.FnMove.Apply(op.Width, 0, b.x), b.dep
	}
	s.loc, err = c.p.Locate(op, base.x+index.x+op.Addr.Offset)
	return s, err
}

// read ends a load or an update: it read old, which depends on dep.
func (u *cpu) read(s *step, old uint64, dep order.TS) {
	if s.op.Kind == litmus.OpCAS && old == s.compare {
		// The result equals what it was compared with, and a CPU may take either.
		dep = min(dep, s.want)
	}
	u.set(s.op.Dst, value{x: old, dep: dep})
}

// stored ends a store-exclusive.
func (u *cpu) stored(s *step, ok bool) {
	v := value{x: 1}
	if ok {
		v.x = 0
	}
	u.set(s.op.Dst, v)
}

// result fills in a final state. What memory holds is given by locations.
func result(p *litmus.Program, cpus []cpu, location func(int) uint64, s litmus.State) {
	for i, o := range p.Observed {
		if o.Thread < 0 {
			s[i] = location(o.Loc)
		} else {
			s[i] = cpus[o.Thread].reg(o.Reg).x
		}
	}
}
