package asm

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/order"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// state is a state of a run.
type state struct {
	cpus    []cpu
	at      []*litmus.Op // what each has come to: an access, or a fence that waits; nil at the end
	monitor []int        // of each: the location of the open reservation and 1, or 0
	system  *order.System
}

// search is over all states of the machine, depth first.
type search struct {
	p      *litmus.Program
	order  machine.MemoryOrder
	codes  []*code
	rules  []order.Rules
	budget memory.Budget
	out    memory.Outcome
	found  func(litmus.State) bool
	err    error
	seen   map[string]struct{}
	states stateSet
	stack  []*state // by depth
	key    []byte
	deps   []*order.TS
	final  litmus.State
}

// Reach is a memory.Engine: it finds the final states that a program has on the
// machine with the order machine.Native, by all choices that there are.
func Reach(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	return Explorer(machine.Native)(p, b, found)
}

// Explorer is the engine that finds what a program can do on the machine with a
// memory order.
func Explorer(o machine.MemoryOrder) memory.Engine {
	return func(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
		s := &search{p: p, order: o, budget: b, found: found, seen: map[string]struct{}{}, states: stateSet{}, final: make(litmus.State, len(p.Observed))}
		s.run()
		return s.out, s.err
	}
}

func (s *search) run() {
	for i := range s.p.Threads {
		c := compile(s.p, i)
		s.codes = append(s.codes, c)
		r := order.X86
		if c.arm && s.order == machine.Native {
			r = order.Arm
		}
		s.rules = append(s.rules, r)
	}
	first := s.newState()
	s.stack = append(s.stack, first)
	for _, l := range s.p.Locations {
		first.system.AddWord(litmus.FnMove.Apply(l.Size, 0, l.Init))
	}
	for i := range first.cpus {
		first.cpus[i].start(s.codes[i])
		s.settle(first, i)
	}
	s.visit(0)
	s.out.Complete = !s.over()
	s.out.Explored = int64(len(s.seen))
}

func (s *search) newState() *state {
	n := len(s.p.Threads)
	return &state{cpus: make([]cpu, n), at: make([]*litmus.Op, n), monitor: make([]int, n), system: order.New(s.rules...)}
}

// over says whether the search must end.
func (s *search) over() bool { return s.out.Why != "" || s.err != nil }

// fork is a copy of the state at depth, one deeper.
func (s *search) fork(depth int) *state {
	if len(s.stack) == depth+1 {
		s.stack = append(s.stack, s.newState())
	}
	from, c := s.stack[depth], s.stack[depth+1]
	copy(c.cpus, from.cpus)
	copy(c.at, from.at)
	copy(c.monitor, from.monitor)
	c.system.CopyFrom(from.system)
	s.out.Steps++
	if s.budget.Steps > 0 && s.out.Steps > s.budget.Steps {
		s.out.Why = fmt.Sprintf("the budget of %d steps is used up", s.budget.Steps)
	}
	return c
}

// settle has thread i do what others can neither tell nor change: all up to the next
// access to memory. A store of an AArch64 CPU is held back; that it takes effect at
// once is the same as that it does so next.
func (s *search) settle(st *state, i int) {
	u := &st.cpus[i]
	branch := func(d order.TS) { st.system.Branch(i, d) }
	for s.err == nil {
		at, err := u.next(s.codes[i], branch)
		st.at[i], s.err = at.op, err
		switch {
		case err != nil || at.op == nil:
			return
		case at.op.Kind == litmus.OpFence:
			if !s.fence(st, i) {
				return
			}
		case at.op.Kind == litmus.OpStore && s.rules[i] == order.Arm:
			a, w := at.describe()
			st.system.Store(i, w, a.Addr, a.Data)
		default:
			return
		}
	}
}

// fence has thread i do the fence that it has come to. It says whether it can.
func (s *search) fence(st *state, i int) bool {
	f := fence(s.codes[i], st.at[i].Fence)
	if len(st.system.Held(i)) > 0 && (f == machine.FullFence || f == machine.StoreFence) {
		return false
	}
	switch f {
	case machine.FullFence:
		st.system.FullFence(i)
	case machine.LoadFence:
		st.system.LoadFence(i)
	case machine.InstFence:
		st.system.InstFence(i)
	}
	return true
}

// describe is a step as package order knows it, and what it stores.
func (at *step) describe() (order.Access, order.Store) {
	op := at.op
	a := order.Access{
		Word: int32(at.loc), Acquire: op.Acquire, AcquirePC: op.AcquirePC, Release: op.Release,
		Exclusive: op.Kind == litmus.OpLoadEx || op.Kind == litmus.OpStoreEx, NoReturn: op.NoRet, Addr: at.addr, Data: at.data,
	}
	mask := ^uint64(0) >> (64 - 8*uint(op.Width))
	return a, order.Store{Word: a.Word, Mask: mask, Value: at.x & mask, Release: op.Release}
}

// visit explores the state at depth and all that follow it.
func (s *search) visit(depth int) {
	if s.over() || !s.fresh(s.stack[depth]) {
		return
	}
	ended := true
	for i := range s.rules {
		st := s.stack[depth]
		held := len(st.system.Held(i))
		ended = ended && held == 0 && st.at[i] == nil
		for j := range held {
			if st.system.Ready(i, j) {
				s.drain(depth, i, j)
			}
		}
		if op := st.at[i]; op != nil && op.Kind != litmus.OpFence {
			s.access(depth, i, op)
		}
	}
	if ended {
		s.end(s.stack[depth])
	}
}

// fresh says whether the state has not been visited. It makes it the simplest of
// those that go on alike.
func (s *search) fresh(st *state) bool {
	s.deps = s.deps[:0]
	for i := range st.cpus {
		u := &st.cpus[i]
		pc := u.pc
		if st.at[i] != nil {
			pc--
		}
		live := s.codes[i].live[pc]
		for r := range u.regs {
			switch v := &u.regs[r]; {
			case live>>r&1 == 0:
				*v = value{}
			case st.at[i] == nil:
				v.dep = 0
			case v.dep != 0:
				s.deps = append(s.deps, &v.dep)
			}
		}
		if st.at[i] == nil {
			st.monitor[i] = 0
		}
	}
	st.system.Compact(func(i int) bool { return st.at[i] == nil && len(st.system.Held(i)) == 0 }, s.deps)
	s.key = s.key[:0]
	for i := range st.cpus {
		s.key = s.appendThread(s.key, st, i)
	}
	s.key = st.system.AppendState(s.key)
	if _, ok := s.seen[string(s.key)]; ok {
		return false
	}
	s.seen[string(s.key)] = struct{}{}
	if s.budget.Entries > 0 && int64(len(s.seen)) > s.budget.Entries {
		s.out.Why = fmt.Sprintf("the budget of %d entries is used up", s.budget.Entries)
	}
	return true
}

func (s *search) appendThread(b []byte, st *state, i int) []byte {
	u := &st.cpus[i]
	flags := uint64(st.monitor[i]) << 2
	if st.at[i] != nil {
		flags |= 1
	}
	if u.cut {
		flags |= 2
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(u.pc)), flags)
	pc := u.pc - int(flags&1)
	for live := s.codes[i].live[pc]; live != 0; live &= live - 1 {
		v := u.regs[bits.TrailingZeros64(live)]
		b = binary.AppendUvarint(binary.AppendUvarint(b, v.x), uint64(v.dep))
	}
	return b
}

// end tells of a final state.
func (s *search) end(st *state) {
	for i := range st.cpus {
		if st.cpus[i].cut {
			s.out.Cut = true
			return
		}
	}
	result(s.p, st.cpus, func(l int) uint64 { return st.system.Newest(int32(l), 0).Value }, s.final)
	if s.states.add(s.final) && !s.found(s.final) && !s.over() {
		s.out.Why = "the caller has seen enough"
	}
}

// drain has the j-th store that thread i holds back take effect.
func (s *search) drain(depth, i, j int) {
	st := s.fork(depth)
	loc := int(st.system.Held(i)[j].Word)
	st.system.Append(i, j)
	st.wrote(i, loc)
	if at := st.at[i]; at != nil && at.Kind == litmus.OpFence && s.fence(st, i) {
		s.settle(st, i)
	}
	s.visit(depth + 1)
}

// wrote ends the reservations of others.
func (st *state) wrote(by, loc int) {
	for i := range st.monitor {
		if i != by && st.monitor[i] == loc+1 {
			st.monitor[i] = 0
		}
	}
}

// access has thread i do the access that it has come to, in all ways.
func (s *search) access(depth, i int, op *litmus.Op) {
	st := s.stack[depth]
	u := &st.cpus[i]
	at, _ := u.access(s.codes[i], op, u.get(op.A), u.get(op.B)) // whose error settle has told
	a, w := at.describe()
	atomic := op.Kind != litmus.OpLoad && op.Kind != litmus.OpLoadEx
	if st.system.MustWait(i, &a, w.Mask, atomic) {
		return
	}
	goOn := func(st *state) {
		s.settle(st, i)
		s.visit(depth + 1)
	}
	switch op.Kind {
	case litmus.OpLoad, litmus.OpLoadEx:
		if held := st.system.HeldTo(i, a.Word); held != nil {
			x := held.Value
			st = s.fork(depth)
			st.cpus[i].read(&at, x, st.system.Forward(i, &a, st.system.HeldTo(i, a.Word)))
			goOn(st)
			return
		}
		for k := range s.readable(st, i, &a) {
			st = s.fork(depth)
			m, dep := st.system.Load(i, &a, k)
			st.cpus[i].read(&at, m.Value, dep)
			if op.Kind == litmus.OpLoadEx {
				st.monitor[i] = 0
				if k == 0 {
					st.monitor[i] = at.loc + 1
				}
			}
			goOn(st)
		}
	case litmus.OpStore:
		st = s.fork(depth)
		st.system.Write(i, &w, &a)
		st.wrote(i, at.loc)
		goOn(st)
	case litmus.OpStoreEx:
		if st.monitor[i] == at.loc+1 {
			st = s.fork(depth)
			st.system.Write(i, &w, &a)
			st.wrote(i, at.loc)
			st.monitor[i] = 0
			st.cpus[i].stored(&at, true)
			goOn(st)
		}
		st = s.fork(depth)
		st.monitor[i] = 0
		st.cpus[i].stored(&at, false)
		goOn(st)
	case litmus.OpUpdate, litmus.OpCAS:
		s.update(depth, i, &at, &a, &w, goOn)
	}
}

// readable counts the messages that a load may read.
func (s *search) readable(st *state, i int, a *order.Access) int {
	if s.order == machine.SC {
		return 1
	}
	return st.system.Readable(i, a)
}

// update has thread i do a read-modify-write of one instruction. One that compares,
// and then fails, may read what a load may.
func (s *search) update(depth, i int, at *step, a *order.Access, w *order.Store, goOn func(*state)) {
	for k := 0; ; k++ {
		st := s.fork(depth)
		n := 1
		cas := at.op.Kind == litmus.OpCAS
		if cas {
			st.system.LockedLoad(i)
			n = s.readable(st, i, a)
		}
		if k >= n {
			return
		}
		old := st.system.Newest(a.Word, k).Value
		equal := old == at.compare
		if cas && equal && k > 0 {
			continue
		}
		_, dep := st.system.Load(i, a, k)
		if !cas || equal {
			computes := !cas && at.op.Fn != litmus.FnMove
			if !cas {
				w.Value = at.op.Fn.Apply(at.op.Width, old, at.x)
			}
			st.system.Update(i, w, a, dep, computes)
			st.wrote(i, at.loc)
		}
		st.cpus[i].read(at, old, dep)
		goOn(st)
	}
}
