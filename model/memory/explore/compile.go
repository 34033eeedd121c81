package explore

import "github.com/fusedos/stramash/model/litmus"

// flags is the index of the flags in state.regs.
const flags = 1

// A thread is a thread of the program made ready to run: its registers are
// numbered densely, and so are the locations that it may access.
type thread struct {
	isa      litmus.ISA
	code     []litmus.Op // registers are indices of state.regs; 0 is the zero register
	where    []int       // of each operation: its place if that is known beforehand, or -1
	reread   []bool      // of each compare-and-swap: a later operation may read the same location
	init     []value     // of state.regs
	locs     []int       // of each place: the location of the program
	place    []int       // of each location of the program: its place, or -1
	writes   bool        // it has an operation that may write
	anywhere bool        // some address is not known beforehand
	observed []litmus.Reg

	strand  []int // of each place
	strands int
	nodes   []*table // of each strand, memories: the memory before, place and owner, value
	tuples  *table   // memories as this thread sees them: a node of each strand
	results []result // of each of tuples
	ends    *table   // distinct ends of runs: what is observed of the registers, and how it ended
	failed  []error  // of each operation, where it accesses what is no location
}

// compile makes thread t of p ready.
func compile(p *litmus.Program, t int, m *meter) *thread {
	src := &p.Threads[t]
	th := &thread{isa: src.ISA, init: make([]value, flags+1)}
	var index [256]litmus.Reg
	index[litmus.Flags] = flags
	th.init[flags].x = src.Init[litmus.Flags]
	reg := func(r litmus.Reg) litmus.Reg {
		if r == litmus.NoReg || r == litmus.Zero {
			return 0
		}
		if index[r] == 0 {
			index[r] = litmus.Reg(len(th.init))
			th.init = append(th.init, value{x: src.Init[r]})
		}
		return index[r]
	}
	operand := func(o *litmus.Operand) {
		if o.Reg != litmus.NoReg {
			*o = litmus.Operand{Reg: reg(o.Reg)}
		}
	}
	th.code = append(th.code, src.Code...)
	for i := range th.code {
		op := &th.code[i]
		trim(op)
		op.Dst = reg(op.Dst)
		operand(&op.A)
		operand(&op.B)
		op.Addr.Base, op.Addr.Index = reg(op.Addr.Base), reg(op.Addr.Index)
	}
	for _, o := range p.Observed {
		if o.Thread == t {
			th.observed = append(th.observed, reg(o.Reg))
		}
	}
	th.locate(p)
	th.split()
	for range th.strands {
		th.nodes = append(th.nodes, newTable(3, m))
	}
	th.tuples = newTable(th.strands, m)
	th.ends = newTable(len(th.observed)+1, m)
	th.failed = make([]error, len(th.code))
	return th
}

// trim clears the registers that op does not use.
func trim(op *litmus.Op) {
	none := litmus.Operand{Reg: litmus.NoReg}
	a, b := none, none
	switch op.Kind {
	case litmus.OpALU:
		b = op.B
		if op.Fn != litmus.FnMove && op.Fn != litmus.FnSext {
			a = op.A
		}
	case litmus.OpSelect, litmus.OpCAS:
		a, b = op.A, op.B
	case litmus.OpBranchZero, litmus.OpStore, litmus.OpStoreEx, litmus.OpUpdate:
		a = op.A
	}
	op.A, op.B = a, b
	if !accesses(op) {
		op.Addr = litmus.Address{Base: litmus.NoReg, Index: litmus.NoReg}
		if op.Kind != litmus.OpALU && op.Kind != litmus.OpSelect {
			op.Dst = litmus.NoReg
		}
	}
}

// A guess is what is known of a register before the thread runs.
type guess struct {
	known bool
	x     uint64
}

// locate finds out, by propagating constants, which locations the operations
// access. An address that depends on what is read may be that of any location.
func (th *thread) locate(p *litmus.Program) {
	th.where = make([]int, len(th.code))
	before := make([][]guess, len(th.code)+1)
	before[0] = make([]guess, len(th.init))
	for i, v := range th.init {
		before[0][i] = guess{true, v.x}
	}
	touched := make([]bool, len(p.Locations))
	for i := range th.code {
		op := &th.code[i]
		th.where[i] = -1
		g := before[i]
		if g == nil {
			continue // no way leads here
		}
		if accesses(op) {
			base, index := g[op.Addr.Base], g[op.Addr.Index]
			l, err := p.Locate(op, base.x+index.x+op.Addr.Offset)
			switch {
			case !base.known || !index.known:
				th.anywhere = true
			case err == nil:
				th.where[i], touched[l] = l, true
			}
			th.writes = th.writes || op.Kind != litmus.OpLoad && op.Kind != litmus.OpLoadEx
		}
		switch op.Kind {
		case litmus.OpBranch:
			meet(before, op.Target, g)
			continue
		case litmus.OpBranchIf, litmus.OpBranchZero:
			meet(before, op.Target, g)
		case litmus.OpCut:
			continue
		}
		meet(before, i+1, after(op, g))
	}
	th.settle(touched)
}

// accesses says whether op is one that accesses memory.
func accesses(op *litmus.Op) bool {
	return op.Kind >= litmus.OpLoad && op.Kind <= litmus.OpCAS
}

// settle numbers the places that the thread may touch.
func (th *thread) settle(touched []bool) {
	th.place = make([]int, len(touched))
	for l := range touched {
		th.place[l] = -1
		if touched[l] || th.anywhere {
			th.place[l] = len(th.locs)
			th.locs = append(th.locs, l)
		}
	}
	th.reread = make([]bool, len(th.code))
	for i := range th.code {
		if th.where[i] >= 0 {
			th.where[i] = th.place[th.where[i]]
		}
		for j := range i {
			if k := th.code[i].Kind; accesses(&th.code[i]) && k != litmus.OpStore && k != litmus.OpStoreEx &&
				(th.where[i] < 0 || th.where[j] < 0 || th.where[i] == th.where[j]) {
				th.reread[j] = true
			}
		}
	}
}

// meet joins what is known on one way into operation i.
func meet(before [][]guess, i int, g []guess) {
	if before[i] == nil {
		before[i] = append([]guess(nil), g...)
		return
	}
	for r := range g {
		if before[i][r] != g[r] {
			before[i][r] = guess{}
		}
	}
}

// after is what is known after op.
func after(op *litmus.Op, g []guess) []guess {
	out := append([]guess(nil), g...)
	of := func(o litmus.Operand) guess {
		if o.Reg == litmus.NoReg {
			return guess{true, o.Imm}
		}
		return g[o.Reg]
	}
	a, b := of(op.A), of(op.B)
	var r guess
	switch op.Kind {
	case litmus.OpALU:
		same := op.A.Reg != litmus.NoReg && op.A.Reg == op.B.Reg && (op.Fn == litmus.FnXor || op.Fn == litmus.FnSub)
		if same {
			r = guess{known: true}
		} else if a.known && b.known {
			r = guess{true, op.Fn.Apply(op.Width, a.x, b.x)}
		}
		if op.SetFlags {
			out[flags] = guess{}
		}
	case litmus.OpSelect:
		if a == b {
			r = a
		}
	case litmus.OpLoad, litmus.OpLoadEx, litmus.OpStoreEx, litmus.OpUpdate, litmus.OpCAS:
	default:
		return out
	}
	if op.Dst != 0 {
		out[op.Dst] = r
	}
	return out
}
