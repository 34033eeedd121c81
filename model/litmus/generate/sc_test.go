package generate

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// The outcome that a test asks for is one that sequential consistency does not
// have, or the test would ask nothing. Where a location has three writes or more,
// the condition leaves the order of the first ones open, and may have it.
func TestOutcomesAreNotSequentiallyConsistent(t *testing.T) {
	checked, weak := 0, 0
	for _, shape := range Shapes() {
		cycles, err := Generate(Spec{Shapes: []string{shape}})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for c := range cycles {
			if n++; n > 1500 {
				break
			}
			if n%29 != 0 && n > 20 {
				continue
			}
			test, err := c.Test()
			if err != nil {
				t.Fatal(err)
			}
			states := interleave(t, test)
			if len(states) == 0 {
				t.Fatalf("no state of\n%s", test)
			}
			checked++
			if test.Judge(states).Obs == "Never" {
				continue
			}
			if weak++; !c.crowded() {
				t.Errorf("%s: is sequentially consistent\n%s", c, test)
			}
		}
	}
	if checked < 1500 || weak > checked/50 {
		t.Errorf("%d cycles checked, of which %d have a condition that is too weak", checked, weak)
	}
}

// crowded says whether a location has three writes or more.
func (c *Cycle) crowded() bool {
	writes := map[int]int{}
	for _, n := range c.nodes {
		writes[n.loc] += int(b2i(n.dir == 'W'))
	}
	for _, n := range writes {
		if n > 2 {
			return true
		}
	}
	return false
}

// machine is a state of a sequentially consistent machine.
type machine struct {
	memory  [8]uint64
	version [8]int // how often each location was written
	threads [8]struct {
		at      int
		regs    [litmus.NumRegs]uint64
		monitor int // 1 + the version that an exclusive load has seen
	}
}

// interleave finds the final states by running one operation after the other.
func interleave(t *testing.T, test *litmus.Test) (states []litmus.State) {
	p, err := test.Program(1)
	if err != nil {
		t.Fatal(err)
	}
	var m machine
	for i, th := range p.Threads {
		m.threads[i].regs = th.Init
	}
	for i, l := range p.Locations {
		m.memory[i] = l.Init
	}
	seen, final := map[machine]bool{}, map[string]bool{}
	var visit func(m machine)
	visit = func(m machine) {
		if seen[m] {
			return
		}
		seen[m] = true
		end := true
		for i := range p.Threads {
			if m.threads[i].at < len(p.Threads[i].Code) {
				end = false
				next := m
				next.step(t, p, i)
				visit(next)
			}
		}
		if !end {
			return
		}
		var s litmus.State
		for _, o := range p.Observed {
			if o.Thread < 0 {
				s = append(s, m.memory[o.Loc])
			} else {
				s = append(s, m.threads[o.Thread].regs[o.Reg])
			}
		}
		if k := fmt.Sprint(s); !final[k] {
			final[k] = true
			states = append(states, s)
		}
	}
	visit(m)
	return states
}

// step runs an operation of thread i, and those after it that see no memory.
func (m *machine) step(t *testing.T, p *litmus.Program, i int) {
	th := &m.threads[i]
	value := func(o litmus.Operand) uint64 {
		switch o.Reg {
		case litmus.NoReg:
			return o.Imm
		case litmus.Zero:
			return 0
		}
		return th.regs[o.Reg]
	}
	set := func(r litmus.Reg, v uint64) {
		if r != litmus.NoReg && r != litmus.Zero {
			th.regs[r] = v
		}
	}
	op := &p.Threads[i].Code[th.at]
	th.at++
	loc, mask := 0, ^uint64(0)>>(64-8*max(1, uint(op.Width)))
	switch op.Kind {
	case litmus.OpLoad, litmus.OpStore, litmus.OpLoadEx, litmus.OpStoreEx, litmus.OpUpdate, litmus.OpCAS:
		a := op.Addr.Offset
		for _, r := range []litmus.Reg{op.Addr.Base, op.Addr.Index} {
			a += value(litmus.R(r)) * uint64(b2i(r != litmus.NoReg))
		}
		var err error
		if loc, err = p.Locate(op, a); err != nil {
			t.Fatal(err)
		}
	}
	old := m.memory[loc]
	put := func(v uint64) { m.memory[loc], m.version[loc] = v&mask, m.version[loc]+1 }
	switch op.Kind {
	case litmus.OpLoad:
		set(op.Dst, old)
	case litmus.OpLoadEx:
		th.monitor = m.version[loc] + 1
		set(op.Dst, old)
	case litmus.OpStore:
		put(value(op.A))
	case litmus.OpStoreEx: // its failure by chance is left out
		ok := th.monitor == m.version[loc]+1
		if th.monitor = 0; ok {
			put(value(op.A))
		}
		set(op.Dst, uint64(1-b2i(ok)))
	case litmus.OpUpdate:
		b := value(op.A)
		set(op.Dst, old)
		put(op.Fn.Apply(op.Width, old, b))
	case litmus.OpCAS:
		want, now := value(op.B)&mask, value(op.A)
		if set(op.Dst, old); old == want {
			put(now)
		}
	default:
		m.compute(op, i, value, set)
	}
	for th.at < len(p.Threads[i].Code) && !touches(p.Threads[i].Code[th.at].Kind) {
		m.step(t, p, i)
	}
}

func touches(k litmus.OpKind) bool {
	return k == litmus.OpLoad || k == litmus.OpStore || k >= litmus.OpLoadEx && k <= litmus.OpCAS
}

// compute runs an operation that sees no memory.
func (m *machine) compute(op *litmus.Op, i int, value func(litmus.Operand) uint64, set func(litmus.Reg, uint64)) {
	th := &m.threads[i]
	switch op.Kind {
	case litmus.OpALU:
		a, b := value(op.A), value(op.B)
		if op.SetFlags {
			th.regs[litmus.Flags] = op.Fn.FlagsOf(op.Width, a, b)
		}
		set(op.Dst, op.Fn.Apply(op.Width, a, b))
	case litmus.OpSelect:
		v := op.B
		if op.Cond.Holds(th.regs[litmus.Flags]) {
			v = op.A
		}
		set(op.Dst, litmus.FnMove.Apply(op.Width, 0, value(v)))
	case litmus.OpBranch:
		th.at = op.Target
	case litmus.OpBranchIf:
		if op.Cond.Holds(th.regs[litmus.Flags]) {
			th.at = op.Target
		}
	case litmus.OpBranchZero:
		if (litmus.FnMove.Apply(op.Width, 0, value(op.A)) == 0) != op.Not {
			th.at = op.Target
		}
	}
}
