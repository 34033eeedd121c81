package enumerate

import (
	"slices"

	"github.com/fusedos/stramash/model/litmus"
)

// event is an access or a fence of a thread's run. Sets of events are bits, by
// their places in the run.
type event struct {
	read, write bool // neither: a fence
	op          *litmus.Op
	loc         int // -1 of a fence
	value       uint64
	pair        int // of the write of a read-modify-write: its read; else -1
	local       int // of a read: the thread's last write to the location before it, or -1 (lmrs)
	addr, data  flow
	ctrl        flow // of the branches before it
	reach       flow // from where data flows to it in any way (dtrm, pick-dtrm)
}

// flow is the reads from which data has come: dep through registers and memory;
// pick, too, where it merely decided which data came (the condition of CSEL, the
// comparison of CAS). Pick holds all of dep.
type flow struct{ dep, pick uint64 }

func (f flow) join(g flow) flow { return flow{f.dep | g.dep, f.pick | g.pick} }

// picked is what comes of a decision by what has flow f.
func (f flow) picked() flow { return flow{0, f.pick} }

// value is a number in a register and where it is from.
type value struct {
	number uint64
	flow
}

// run is a run of a thread, begun or ended.
type run struct {
	at     int
	regs   [litmus.NumRegs]value
	ctrl   flow
	open   int // the load exclusive that a store exclusive may be paired with, or -1
	events []event
	lob    []uint64 // for each event, those that are ordered after it
}

// tracer finds the runs of a thread.
type tracer struct {
	*search
	thread *litmus.Thread
	values [][]uint64 // that a read of each location may return
	runs   []run
	err    error
}

func (t *tracer) start() {
	r := run{open: -1}
	for i, n := range t.thread.Init {
		r.regs[i].number = n
	}
	t.walk(r)
}

func (r *run) get(o litmus.Operand) value {
	switch o.Reg {
	case litmus.NoReg:
		return value{number: o.Imm}
	case litmus.Zero:
		return value{}
	}
	return r.regs[o.Reg]
}

func (r *run) set(reg litmus.Reg, v value) {
	if reg != litmus.NoReg && reg != litmus.Zero {
		r.regs[reg] = v
	}
}

// walk goes on with a run to its end, in every way.
func (t *tracer) walk(r run) {
	r.events = slices.Clip(r.events)
	for r.at < len(t.thread.Code) {
		if t.err != nil || !t.spend() {
			return
		}
		op := &t.thread.Code[r.at]
		r.at++
		switch op.Kind {
		case litmus.OpCut:
			return
		case litmus.OpNop, litmus.OpALU, litmus.OpSelect, litmus.OpBranch, litmus.OpBranchIf, litmus.OpBranchZero:
			r.compute(op)
		case litmus.OpFence:
			r.events = append(r.events, event{op: op, loc: -1, pair: -1, local: -1, ctrl: r.ctrl})
		default:
			t.access(r, op)
			return
		}
	}
	t.runs = append(t.runs, r)
}

// compute does an operation that is no event.
func (r *run) compute(op *litmus.Op) {
	a, b, flags := r.get(op.A), r.get(op.B), r.regs[litmus.Flags]
	jump := op.Kind == litmus.OpBranch
	switch op.Kind {
	case litmus.OpALU:
		f := a.join(b.flow)
		if op.Fn == litmus.FnMove || op.Fn == litmus.FnSext {
			f = b.flow
		}
		if op.SetFlags {
			r.set(litmus.Flags, value{op.Fn.FlagsOf(op.Width, a.number, b.number), f})
		}
		r.set(op.Dst, value{op.Fn.Apply(op.Width, a.number, b.number), f})
	case litmus.OpSelect:
		if op.Cond.Holds(flags.number) {
			b = a
		}
		r.set(op.Dst, value{litmus.FnMove.Apply(op.Width, 0, b.number), b.join(flags.picked())})
	case litmus.OpBranchIf:
		r.ctrl = r.ctrl.join(flags.flow)
		jump = op.Cond.Holds(flags.number)
	case litmus.OpBranchZero:
		r.ctrl = r.ctrl.join(a.flow)
		jump = (litmus.FnMove.Apply(op.Width, 0, a.number) == 0) != op.Not
	}
	if jump {
		r.at = op.Target
	}
}

// access does an operation of memory in every way.
func (t *tracer) access(r run, op *litmus.Op) {
	addr := value{number: op.Addr.Offset}
	for _, reg := range []litmus.Reg{op.Addr.Base, op.Addr.Index} {
		if reg != litmus.NoReg {
			v := r.get(litmus.R(reg))
			addr = value{addr.number + v.number, addr.join(v.flow)}
		}
	}
	loc, err := t.p.Locate(op, addr.number)
	if err != nil {
		t.err = err
		return
	}
	e := event{op: op, loc: loc, pair: -1, local: -1, addr: addr.flow, ctrl: r.ctrl}
	switch op.Kind {
	case litmus.OpStore:
		r.store(e, r.get(op.A), flow{})
		t.walk(r)
	case litmus.OpStoreEx:
		failed := r
		failed.open = -1
		failed.set(op.Dst, value{number: 1})
		t.walk(failed)
		if r.open >= 0 {
			e.pair, r.open = r.open, -1
			r.store(e, r.get(op.A), flow{})
			r.set(op.Dst, value{}) // which carries no dependency
			t.walk(r)
		}
	default:
		for _, n := range t.values[loc] {
			t.load(r, e, n)
		}
	}
}

// store appends the write of an event, to which data flows from v and from more.
func (r *run) store(e event, v value, more flow) {
	e.write, e.read, e.local = true, false, -1
	e.value = litmus.FnMove.Apply(e.op.Width, 0, v.number)
	e.data = v.flow
	e.reach = e.addr.join(v.flow).join(more)
	r.events = append(slices.Clip(r.events), e)
}

// load goes on after a read that returns n, and after what the operation does then.
func (t *tracer) load(r run, e event, n uint64) {
	op := e.op
	a, b := r.get(op.A), r.get(op.B)
	e.read, e.value, e.reach = true, n, e.addr
	for i, w := range r.events {
		if w.write && w.loc == e.loc {
			e.local, e.reach = i, e.addr.join(w.reach)
		}
	}
	i := len(r.events)
	r.events = append(slices.Clip(r.events), e)
	got := value{n, e.reach.join(flow{1 << i, 1 << i})}
	r.set(op.Dst, got)
	e.pair = i
	switch op.Kind {
	case litmus.OpLoadEx:
		r.open = i
	case litmus.OpUpdate:
		more := got.flow
		if op.Fn == litmus.FnMove {
			more = flow{}
		}
		r.store(e, value{op.Fn.Apply(op.Width, n, a.number), a.flow}, more)
	case litmus.OpCAS:
		t.swap(r, e, got, a, b)
		return
	}
	t.walk(r)
}

// swap goes on in every way in which a compare-and-swap goes on that got a value.
// On AArch64, one that fails may write back what it read, and the result of one
// that succeeds comes from its read or from what it was compared with
// (AArch64Sem.ml and event.ml of herd 7.58: aarch64_cas_no, _no_with_writeback, _ok).
func (t *tracer) swap(r run, e event, got, a, b value) {
	picked := got.join(b.flow).picked()
	write := func(v value, result value) {
		r := r
		r.set(e.op.Dst, result)
		v.flow = v.join(b.picked())
		r.store(e, v, got.picked())
		t.walk(r)
	}
	arm := t.thread.ISA == litmus.AArch64
	if got.number != litmus.FnMove.Apply(e.op.Width, 0, b.number) {
		t.walk(r)
		if arm {
			write(value{number: got.number}, got)
		}
		return
	}
	write(a, got)
	if arm {
		write(a, value{got.number, b.join(picked)})
	}
}
