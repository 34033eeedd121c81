package explore

import "github.com/fusedos/stramash/model/litmus"

// A thread tells the order of messages of different locations only where a view
// that comes from one meets a message of the other. Locations between which that
// can happen form a strand; the order of messages in different strands of a thread
// means nothing to it. Which can is found by running the thread on sets of places
// in place of views, by the rules of arm.go and x86.go: a write to a place comes
// after all of the sets that its view is joined from, and so on.

// A set is one of places.
type set uint64

// flow is a thread's state with sets in place of views.
type flow struct {
	th                    *thread
	reads, writes, ctrl   set
	wrote, released, read set
	moved                 set
	regs                  []set
	dep                   []set // of each place, what its writes depend on
	strand                []set // of each place, what is in one strand with it
	joined                int   // up to this operation, some way goes round
}

// split numbers the strands of a thread with the given places: strand[i] is that
// of place i.
func (th *thread) split() {
	n := len(th.locs)
	th.strand = make([]int, n)
	if n > 64 || th.anywhere {
		th.strands = 1
		return
	}
	f := &flow{th: th, regs: make([]set, len(th.init)), dep: make([]set, n), strand: make([]set, n)}
	for i := range f.strand {
		f.strand[i] = 1 << i
	}
	for i := range th.code {
		f.op(i, &th.code[i])
	}
	for i, s := range f.strand {
		th.strand[i] = th.strands
		for j := range i {
			if s>>j&1 == 1 {
				th.strand[i] = th.strand[j]
			}
		}
		if th.strand[i] == th.strands {
			th.strands++
		}
	}
	th.strands = max(th.strands, 1)
}

// tie puts place q and those of s into one strand.
func (f *flow) tie(q int, s set) {
	all := f.strand[q]
	for i := range f.strand {
		if (s|all)>>i&1 == 1 {
			all |= f.strand[i]
		}
	}
	for i := range f.strand {
		if all>>i&1 == 1 {
			f.strand[i] = all
		}
	}
}

func (f *flow) get(o litmus.Operand) set {
	if o.Reg == litmus.NoReg {
		return 0
	}
	return f.regs[o.Reg]
}

func (f *flow) set(i int, r litmus.Reg, s set) {
	switch {
	case r == 0:
	case i < f.joined:
		f.regs[r] |= s
	default:
		f.regs[r] = s
	}
}

func (f *flow) op(i int, op *litmus.Op) {
	if f.th.where[i] >= 0 {
		f.access(i, op, f.th.where[i])
		return
	}
	switch op.Kind {
	case litmus.OpALU:
		s := f.get(op.A) | f.get(op.B)
		f.set(i, op.Dst, s)
		if op.SetFlags {
			f.set(i, flags, s)
		}
	case litmus.OpSelect:
		f.set(i, op.Dst, f.get(op.A)|f.get(op.B)|f.regs[flags])
	case litmus.OpBranch:
		f.joined = max(f.joined, op.Target)
	case litmus.OpBranchIf:
		f.ctrl |= f.regs[flags]
		f.joined = max(f.joined, op.Target)
	case litmus.OpBranchZero:
		f.ctrl |= f.get(op.A)
		f.joined = max(f.joined, op.Target)
	case litmus.OpFence:
		f.fence(op.Fence)
	}
}

func (f *flow) fence(k litmus.FenceKind) {
	switch {
	case f.th.isa == litmus.X86_64:
		f.reads |= f.writes
	case k == litmus.FenceFull:
		f.reads, f.writes = f.reads|f.moved, f.writes|f.moved
	case k == litmus.FenceLoad:
		f.reads, f.writes = f.reads|f.read, f.writes|f.read
	case k == litmus.FenceStore:
		f.writes |= f.wrote
	case k == litmus.FenceStoreAny:
		f.reads, f.writes = f.reads|f.wrote, f.writes|f.wrote
	case k == litmus.FenceISB:
		f.reads |= f.ctrl
	}
}

// access is any read or write of place q, or both.
func (f *flow) access(i int, op *litmus.Op, q int) {
	reads := op.Kind != litmus.OpStore && op.Kind != litmus.OpStoreEx
	writes := op.Kind != litmus.OpLoad && op.Kind != litmus.OpLoadEx
	if f.th.isa == litmus.X86_64 {
		if reads && writes {
			f.reads |= f.writes
		}
		if reads {
			f.tie(q, f.reads)
			f.reads |= 1 << q
			f.set(i, op.Dst, 0)
		}
		if writes {
			f.tie(q, f.writes)
		}
		f.writes |= 1 << q
		return
	}
	addr := f.regs[op.Addr.Base] | f.regs[op.Addr.Index]
	f.ctrl |= addr
	data := addr | f.get(op.A) | f.get(op.B)
	if reads {
		f.tie(q, addr|f.reads)
		if op.Acquire {
			f.tie(q, f.released)
		}
		data |= f.dep[q] | 1<<q
		f.read |= data
		f.moved |= data
		if op.Acquire || op.AcquirePC {
			f.reads, f.writes = f.reads|data, f.writes|data
		}
	}
	if writes {
		f.tie(q, data|f.ctrl|f.writes)
		if op.Release {
			f.tie(q, f.moved)
			f.released |= 1 << q
		}
		f.dep[q] |= data
		f.wrote |= 1 << q
		f.moved |= 1 << q
		if op.Acquire && op.Release {
			f.reads, f.writes = f.reads|1<<q, f.writes|1<<q
		}
	}
	f.set(i, op.Dst, data)
}
