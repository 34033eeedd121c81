package asm

import (
	"fmt"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/order"
	"github.com/fusedos/stramash/model/litmus"
)

// lineBytes is the distance of locations in the machine's memory: exclusives of
// different ones do not meet.
const lineBytes = 64

// Bench is a machine that runs a program: each thread on a CPU of its own, of its
// ISA, which is a node. One goroutine uses it at a time.
type Bench struct {
	p      *litmus.Program
	m      *machine.Machine
	limits machine.Limits
	codes  []*code
	cpus   []cpu
	bodies []func(*machine.Thread)
	base   machine.VA
	state  litmus.State
	err    error
}

// NewBench makes a machine with a memory order and a storage, nil for flat memory, for a program. It is to be closed
// after use.
func NewBench(p *litmus.Program, o machine.MemoryOrder, storage *protocol.Protocol) (*Bench, error) {
	b := &Bench{p: p, cpus: make([]cpu, len(p.Threads)), state: make(litmus.State, len(p.Observed))}
	pl := machine.Platform{Order: o, Granule: lineBytes, Storage: storage}
	exclusives := 0
	for i := range p.Threads {
		c := compile(p, i)
		isa := machine.X86
		if c.arm {
			isa = machine.AArch64
		}
		pl.Nodes = append(pl.Nodes, machine.Node{ISA: isa, CPUs: 1})
		b.codes = append(b.codes, c)
		b.bodies = append(b.bodies, func(t *machine.Thread) { b.run(t, c, &b.cpus[i]) })
		for j := range c.ops {
			if c.ops[j].Kind == litmus.OpStoreEx {
				exclusives++
			}
		}
	}
	// Nothing waits and nothing loops: repeated loads are no spin.
	b.limits = machine.Limits{Steps: 1 << 30, Spurious: max(exclusives, 1), Spins: 1 << 30}
	var err error
	b.m, err = machine.New(pl)
	return b, err
}

// Close ends the machine.
func (b *Bench) Close() { b.m.Close() }

// Run runs the program once, as the chooser has it. It answers the final state,
// which is valid until the next run, and whether a loop was cut short: then it is
// none. Err is for programs that do what is not supported.
func (b *Bench) Run(c machine.Chooser) (s litmus.State, cut bool, err error) {
	m := b.m
	m.Begin(c, b.limits)
	b.base, b.err = m.Alloc(uint64(max(1, len(b.p.Locations)))*lineBytes), nil
	for i, l := range b.p.Locations {
		m.Poke64(b.at(i), litmus.FnMove.Apply(l.Size, 0, l.Init))
	}
	starts := m.Starts(len(b.bodies))
	for i, body := range b.bodies {
		starts[i] = machine.Start{CPU: i, Body: body}
	}
	res := m.Run(starts...)
	if b.err != nil {
		return nil, false, b.err
	}
	if res.Outcome != machine.Finished {
		return nil, false, fmt.Errorf("the run ended with a %s: %s", res.Outcome, res.Detail)
	}
	for i := range b.cpus {
		cut = cut || b.cpus[i].cut
	}
	result(b.p, b.cpus, func(l int) uint64 { return m.Peek64(b.at(l)) }, b.state)
	return b.state, cut, nil
}

// at is the address of a location in the machine's memory. It is not the one that
// the program knows, which may be written to memory: see litmus.AddressOf.
func (b *Bench) at(loc int) machine.VA { return b.base + machine.VA(loc*lineBytes) }

// run is the body of a thread.
func (b *Bench) run(t *machine.Thread, c *code, u *cpu) {
	u.start(c)
	branch := func(d order.TS) { t.Branch(machine.Dep(d)) }
	for {
		s, err := u.next(c, branch)
		if err != nil {
			b.err = err
			return
		}
		switch {
		case s.op == nil:
			return
		case s.op.Kind == litmus.OpFence:
			t.Fence(fence(c, s.op.Fence))
		default:
			b.access(t, u, &s)
		}
	}
}

// fence is a fence of the program as the machine has it. Lfence and sfence of x86-64
// are taken for mfence, as the models of package memory and herd take them; and DSB
// ST of AArch64, which the machine does not have, for DSB SY.
func fence(c *code, k litmus.FenceKind) machine.Fence {
	switch {
	case !c.arm || k == litmus.FenceFull || k == litmus.FenceStoreAny:
		return machine.FullFence
	case k == litmus.FenceLoad:
		return machine.LoadFence
	case k == litmus.FenceStore:
		return machine.StoreFence
	}
	return machine.InstFence
}

// access has t do an access.
func (b *Bench) access(t *machine.Thread, u *cpu, s *step) {
	t.Address(machine.Dep(s.addr))
	t.Data(machine.Dep(s.data))
	at, size, o := b.at(s.loc), machine.Size(s.op.Width), ordering(s.op)
	if s.op.NoRet {
		t.NoResult()
	}
	var old uint64
	switch s.op.Kind {
	case litmus.OpStore:
		t.Store(at, size, s.x, o)
		return
	case litmus.OpStoreEx:
		u.stored(s, t.StoreExclusive(at, size, s.x, o))
		return
	case litmus.OpLoad:
		old = t.Load(at, size, o)
	case litmus.OpLoadEx:
		old = t.LoadExclusive(at, size, o)
	case litmus.OpCAS:
		old, _ = t.CompareAndSwap(at, size, s.compare, s.x, o)
	default:
		old = update(t, s, at, size, o)
	}
	u.read(s, old, order.TS(t.Read()))
}

// update is a read-modify-write that always writes.
func update(t *machine.Thread, s *step, at machine.VA, size machine.Size, o machine.Order) uint64 {
	switch s.op.Fn {
	case litmus.FnMove:
		return t.Swap(at, size, s.x, o)
	case litmus.FnAdd:
		return t.FetchAdd(at, size, s.x, o)
	case litmus.FnSub:
		return t.FetchAdd(at, size, -s.x, o)
	case litmus.FnAnd:
		return t.FetchAnd(at, size, s.x, o)
	case litmus.FnClear:
		return t.FetchAnd(at, size, ^s.x, o)
	case litmus.FnOr:
		return t.FetchOr(at, size, s.x, o)
	case litmus.FnXor:
		return t.FetchXor(at, size, s.x, o)
	}
	panic(fmt.Sprintf("asm: %q updates memory by function %d, which the machine does not have", s.op.Text, s.op.Fn))
}

// ordering is the memory order that an instruction carries.
func ordering(op *litmus.Op) machine.Order {
	switch {
	case op.Acquire && op.Release:
		return machine.AcqRel
	case op.Acquire:
		return machine.Acquire
	case op.Release:
		return machine.Release
	case op.AcquirePC:
		return machine.AcquirePC
	}
	return machine.Plain
}
