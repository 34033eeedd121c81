package interleave

import "github.com/fusedos/stramash/model/litmus"

func (t *thread) value(o litmus.Operand) uint64 {
	switch o.Reg {
	case litmus.NoReg:
		return o.Imm
	case litmus.Zero:
		return 0
	}
	return t.regs[o.Reg]
}

func (t *thread) set(r litmus.Reg, v uint64) {
	if r != litmus.NoReg && r != litmus.Zero {
		t.regs[r] = v
	}
}

// locate is the location that an operation accesses.
func (s *search) locate(t *thread, op *litmus.Op) int {
	a := op.Addr.Offset
	for _, r := range []litmus.Reg{op.Addr.Base, op.Addr.Index} {
		if r != litmus.NoReg {
			a += t.value(litmus.R(r))
		}
	}
	loc, err := s.p.Locate(op, a)
	if err != nil {
		s.err = err
	}
	return loc
}

// step runs thread i's next operation of memory, and what follows up to the one
// after. It answers false if the operation must wait.
func (s *search) step(m *machine, i int) bool {
	t := &m.threads[i]
	op := &s.p.Threads[i].Code[t.at]
	if op.Kind != litmus.OpLoad && op.Kind != litmus.OpStore && len(t.buffer) > 0 {
		return false
	}
	t.at++
	if op.Kind != litmus.OpFence {
		loc := s.locate(t, op)
		if s.err != nil {
			return false
		}
		s.access(m, i, op, loc)
	}
	s.settle(m, i)
	return true
}

// access runs an access of memory.
func (s *search) access(m *machine, i int, op *litmus.Op, loc int) {
	t := &m.threads[i]
	a := litmus.FnMove.Apply(op.Width, 0, t.value(op.A))
	switch op.Kind {
	case litmus.OpLoad:
		t.set(op.Dst, m.load(i, loc))
	case litmus.OpStore:
		if s.buffered {
			t.buffer = append(t.buffer, write{loc, a})
		} else {
			m.put(loc, a)
		}
	case litmus.OpLoadEx:
		t.monitor = m.version[loc] + 1
		t.set(op.Dst, m.memory[loc])
	case litmus.OpStoreEx:
		failed := uint64(1)
		if t.monitor == m.version[loc]+1 {
			failed = 0
			m.put(loc, a)
		}
		t.monitor = 0
		t.set(op.Dst, failed)
	case litmus.OpUpdate:
		old := m.memory[loc]
		m.put(loc, op.Fn.Apply(op.Width, old, a))
		t.set(op.Dst, old)
	case litmus.OpCAS:
		old := m.memory[loc]
		if old == litmus.FnMove.Apply(op.Width, 0, t.value(op.B)) {
			m.put(loc, a)
		}
		t.set(op.Dst, old)
	}
}

// settle runs what thread i does up to its next operation that others can notice,
// or that may have to wait.
func (s *search) settle(m *machine, i int) {
	t, code := &m.threads[i], s.p.Threads[i].Code
	for t.at < len(code) {
		op := &code[t.at]
		t.at++
		switch op.Kind {
		case litmus.OpALU:
			a, b := t.value(op.A), t.value(op.B)
			if op.SetFlags {
				t.regs[litmus.Flags] = op.Fn.FlagsOf(op.Width, a, b)
			}
			t.set(op.Dst, op.Fn.Apply(op.Width, a, b))
		case litmus.OpSelect:
			v := op.B
			if op.Cond.Holds(t.regs[litmus.Flags]) {
				v = op.A
			}
			t.set(op.Dst, litmus.FnMove.Apply(op.Width, 0, t.value(v)))
		case litmus.OpBranch:
			t.at = op.Target
		case litmus.OpBranchIf:
			if op.Cond.Holds(t.regs[litmus.Flags]) {
				t.at = op.Target
			}
		case litmus.OpBranchZero:
			if (litmus.FnMove.Apply(op.Width, 0, t.value(op.A)) == 0) != op.Not {
				t.at = op.Target
			}
		case litmus.OpNop:
		case litmus.OpCut:
			t.at = len(code) + 1
		case litmus.OpFence:
			if s.buffered {
				t.at--
				return
			}
		default:
			t.at--
			return
		}
	}
}
