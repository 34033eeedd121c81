package checkers

import (
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/order"
	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory/axiomatic"
)

// Conformance says whether a run that it watches is one that the architectures allow:
// it makes the candidate execution that the run was, and asks the axioms of package
// axiomatic. It judges the machine and not the program. The threads of the execution are
// the CPUs, and its locations are the words of 8 bytes. It knows no dependencies, so it
// asks less of a program that says some. The zero value is ready for use.
type Conformance struct {
	m     *machine.Machine
	cpus  [][]conforming // of each CPU, in program order
	words map[machine.PA]int
	names []string
	order [][]uint32 // of each word: the numbers of its writes, as they took effect
	held  [][]uint32 // those that are held back
	n     int
}

// conforming is an event with the number of the write that it is or reads.
type conforming struct {
	axiomatic.Event
	write, from uint32
}

// maxConforming bounds the events of a run that are looked at: what a run has done
// first is a run as well.
const maxConforming = 4000

// Begin starts a new run of a machine.
func (c *Conformance) Begin(m *machine.Machine) {
	*c = Conformance{m: m, cpus: make([][]conforming, m.CPUs()), words: map[machine.PA]int{}}
}

// Observe is told of each event of the run.
func (c *Conformance) Observe(e *machine.Event) {
	k := e.Op.Kind
	switch {
	case k == machine.OpMark: // no thread has written: what comes before it is judged
		c.n = maxConforming
	case c.n >= maxConforming && k != machine.OpDrain:
	case k == machine.OpDrain:
		l := c.word(e)
		for i, w := range c.held[l] {
			if w == e.Write {
				c.held[l] = append(c.held[l][:i], c.held[l][i+1:]...)
				c.order[l] = append(c.order[l], w)
				break
			}
		}
	case k == machine.OpFence:
		c.fence(e)
	case e.PA != 0 && k != machine.OpWalk && (k.Reads() || k.Writes() && (e.OK || e.Held)):
		c.access(e)
	}
}

// word is the location of an access.
func (c *Conformance) word(e *machine.Event) int {
	at := e.PA &^ 7
	l, known := c.words[at]
	if !known {
		l = len(c.names)
		c.words[at] = l
		c.names = append(c.names, c.m.NameAddr(e.Op.Addr&^7))
		c.order, c.held = append(c.order, nil), append(c.held, nil)
	}
	return l
}

// add appends an event of a CPU.
func (c *Conformance) add(e *machine.Event, x conforming) {
	x.Thread, x.ISA, x.Line, x.Text = e.CPU, litmus.X86_64, e.Step, e.Op.Kind.String()
	if c.m.RulesOf(e.CPU) == order.Arm {
		x.ISA = litmus.AArch64
	}
	c.cpus[e.CPU] = append(c.cpus[e.CPU], x)
	c.n++
}

// fence accounts a fence. LFENCE and SFENCE order nothing more than x86-64 does.
func (c *Conformance) fence(e *machine.Event) {
	kinds := map[machine.Fence]litmus.FenceKind{
		machine.FullFence: litmus.FenceFull, machine.LoadFence: litmus.FenceLoad,
		machine.StoreFence: litmus.FenceStore, machine.InstFence: litmus.FenceISB,
		machine.SyncFence: litmus.FenceFull,
	}
	f := machine.Fence(e.Op.Addr)
	if c.m.RulesOf(e.CPU) == order.Arm || f == machine.FullFence || f == machine.SyncFence {
		c.add(e, conforming{Event: axiomatic.Event{Kind: axiomatic.Fence, Fence: kinds[f]}})
	}
}

// access accounts an access to memory: the read, the write, or both, of an event.
func (c *Conformance) access(e *machine.Event) {
	l, k, o := c.word(e), e.Op.Kind, e.Op.Order
	update := k.Reads() && k.Writes()
	if k.Reads() {
		c.add(e, conforming{Event: axiomatic.Event{
			Kind: axiomatic.Read, Loc: l, Value: e.Read, Locked: update,
			Acquire: o == machine.Acquire || o == machine.AcqRel, AcquirePC: o == machine.AcquirePC, NoRet: e.NoReturn,
		}, from: e.From})
	}
	if !k.Writes() || !e.OK && !e.Held {
		return
	}
	x := conforming{Event: axiomatic.Event{
		Kind: axiomatic.Write, Loc: l, Value: e.Wrote, Locked: update, Release: o == machine.Release || o == machine.AcqRel,
	}, write: e.Write}
	if update {
		x.Pair, x.One = 1, true
	}
	if k == machine.OpStoreEx {
		x.Pair = c.sinceExclusive(e.CPU)
	}
	c.add(e, x)
	if e.Held {
		c.held[l] = append(c.held[l], e.Write)
	} else {
		c.order[l] = append(c.order[l], e.Write)
	}
}

// sinceExclusive is how many events a CPU's last load-exclusive is before its next one.
func (c *Conformance) sinceExclusive(cpu int) int {
	events := c.cpus[cpu]
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Text == machine.OpLoadEx.String() {
			return len(events) - i
		}
	}
	return 0
}

// Execution is the candidate execution that the run was. What is still held back takes
// effect in the end.
func (c *Conformance) Execution() *axiomatic.Execution {
	x := &axiomatic.Execution{Names: c.names}
	at := map[uint32]int{0: axiomatic.Initial}
	for _, events := range c.cpus {
		for i := range events {
			if events[i].Kind == axiomatic.Write {
				at[events[i].write] = len(x.Events)
			}
			x.Events = append(x.Events, events[i].Event)
		}
	}
	for _, events := range c.cpus {
		for i := range events {
			x.From = append(x.From, at[events[i].from])
		}
	}
	for l := range c.order {
		var order []int
		for _, w := range append(c.order[l], c.held[l]...) {
			order = append(order, at[w])
		}
		x.Order = append(x.Order, order)
	}
	return x
}

// Check is why the run is not allowed, as the cycle that forbids it, or nil.
func (c *Conformance) Check() *axiomatic.Cycle { return axiomatic.Check(c.Execution()) }
