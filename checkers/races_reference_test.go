package checkers_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// raceOracle finds races by the book: it computes, for each event of a list, the
// set of those that happened before it, from all pairs of events.
type raceOracle struct {
	events []machine.Event
	before [][]bool // before[i][j]: j happened before i, or is i
}

func (o *raceOracle) judge() (second int, firsts []int) {
	for i := range o.events {
		o.before = append(o.before, make([]bool, len(o.events)))
		o.before[i][i] = true
		for j := range i {
			if o.ordered(j, i) {
				o.after(i, j, nil)
			}
		}
		o.synchronise(i)
		for j := range i {
			if !o.before[i][j] && o.conflict(j, i) {
				firsts = append(firsts, j)
			}
		}
		if len(firsts) > 0 {
			return i, firsts
		}
	}
	return -1, nil
}

// after adds j, and what happened before it, to what happened before i.
func (o *raceOracle) after(i, j int, but func(k int) bool) {
	for k := range j + 1 {
		if o.before[j][k] && (but == nil || !but(k)) {
			o.before[i][k] = true
		}
	}
}

// ordered says whether event j comes before i by the program's own order: of a
// thread, of a CPU, by a spawn, or by an interrupt.
func (o *raceOracle) ordered(j, i int) bool {
	a, b := &o.events[j], &o.events[i]
	switch {
	case a.Op.Kind == machine.OpSend && b.Op.Kind == machine.OpDeliver:
		return a.Op.Addr == b.Op.Addr
	case a.Op.Kind == machine.OpDeliver:
		return b.Op.Kind == machine.OpVector && b.CPU == a.CPU && b.Op.Addr == a.Op.Addr&0xff
	case b.Op.Kind == machine.OpDeliver:
		return false
	case a.Op.Kind == machine.OpSpawn && machine.Handle(a.Op.Addr) == b.Thread:
		return true
	}
	return a.Thread == b.Thread || a.CPU == b.CPU
}

// synchronise adds what event i comes after because of what it, or marked loads
// before it, have read.
func (o *raceOracle) synchronise(i int) {
	e := &o.events[i]
	if e.Op.Kind == machine.OpFence {
		if f := machine.Fence(e.Op.Addr); f == machine.FullFence || f == machine.LoadFence {
			for j := range i {
				if o.events[j].Thread == e.Thread && o.marked(j) {
					o.readsFrom(i, j)
				}
			}
		}
		return
	}
	if ord := e.Op.Order; o.marked(i) && (ord == machine.Acquire || ord == machine.AcquirePC || ord == machine.AcqRel) {
		o.readsFrom(i, i)
	}
}

// readsFrom adds to event i what was released to what the load j has read.
func (o *raceOracle) readsFrom(i, j int) {
	if !o.events[j].Op.Kind.Reads() {
		return
	}
	for at := range machine.PA(o.events[j].Op.Size) {
		byteAt := o.events[j].PA + at
		for k := j - 1; k >= 0; k-- {
			if !o.writesTo(k, byteAt) {
				continue
			}
			o.released(i, k)
			if o.events[k].Op.Kind == machine.OpStore {
				break
			}
		}
	}
}

// released adds to event i what the write k has released.
func (o *raceOracle) released(i, k int) {
	w := &o.events[k]
	if w.Op.Order == machine.Release || w.Op.Order == machine.AcqRel {
		o.after(i, k, nil)
		return
	}
	if !o.marked(k) {
		return
	}
	for f := range k {
		x := &o.events[f]
		if x.Thread != w.Thread || x.Op.Kind != machine.OpFence {
			continue
		}
		switch machine.Fence(x.Op.Addr) {
		case machine.FullFence:
			o.after(i, f, nil)
		case machine.StoreFence:
			o.after(i, f, func(k int) bool {
				y := &o.events[k]
				return y.Thread == x.Thread && y.PA != 0 && !(y.Op.Kind.Writes() && y.OK)
			})
		}
	}
}

func (o *raceOracle) marked(i int) bool {
	e := &o.events[i]
	plain := e.Op.Order == machine.Plain && (e.Op.Kind == machine.OpLoad || e.Op.Kind == machine.OpStore)
	return e.PA != 0 && !plain && (e.OK || e.Op.Kind.Reads())
}

func (o *raceOracle) writesTo(i int, at machine.PA) bool {
	e := &o.events[i]
	return e.PA != 0 && e.OK && e.Op.Kind.Writes() && at >= e.PA && at < e.PA+machine.PA(e.Op.Size)
}

func (o *raceOracle) conflict(j, i int) bool {
	a, b := &o.events[j], &o.events[i]
	for _, e := range []*machine.Event{a, b} {
		if e.PA == 0 || e.Op.Order == machine.Relaxed || !e.OK && !e.Op.Kind.Reads() {
			return false
		}
	}
	overlap := a.PA < b.PA+machine.PA(b.Op.Size) && b.PA < a.PA+machine.PA(a.Op.Size)
	writes := a.Op.Kind.Writes() && a.OK || b.Op.Kind.Writes() && b.OK
	return overlap && writes && a.Thread != b.Thread && (!o.marked(i) || !o.marked(j))
}

// raceProgram makes random programs that synchronise now and then.
type raceProgram struct {
	*rand.Rand
	words []machine.VA
}

func (p *raceProgram) order(of ...machine.Order) machine.Order { return of[p.IntN(len(of))] }

// act executes a random operation.
func (p *raceProgram) act(t *machine.Thread, depth int) {
	size := []machine.Size{1, 2, 4, 8, 8, 8}[p.IntN(6)]
	at := p.words[p.IntN(len(p.words))]
	if p.IntN(3) == 0 {
		at += machine.VA(8-size) / machine.VA(size) * machine.VA(size)
	}
	all := []machine.Order{machine.Plain, machine.Relaxed, machine.Acquire, machine.Release, machine.AcqRel, machine.AcqRel}
	switch p.IntN(16) {
	case 0, 1, 2:
		t.Load(at, size, p.order(machine.Plain, machine.Relaxed, machine.AcquirePC, machine.Acquire, machine.Acquire))
	case 3, 4, 5:
		t.Store(at, size, p.Uint64(), p.order(machine.Plain, machine.Relaxed, machine.Release, machine.Release))
	case 6, 7:
		t.Swap(at, size, p.Uint64(), p.order(all...))
	case 8:
		t.CompareAndSwap(at, size, p.Uint64N(2), 1, p.order(all...))
	case 9:
		if t.ISA().Exclusives {
			t.LoadExclusive(at, size, p.order(machine.Plain, machine.Relaxed, machine.Acquire))
			t.StoreExclusive(at, size, 1, p.order(machine.Plain, machine.Relaxed, machine.Release))
		}
	case 10, 11, 12:
		t.Fence(machine.Fence(1 + p.IntN(4)))
	case 13:
		t.SendIPI(p.IntN(t.Machine().CPUs()), machine.VectorIPI)
	case 14:
		if depth == 0 {
			t.Spawn(func(t *machine.Thread) {})
		}
	case 15:
		if depth == 0 {
			t.SwitchTo(t.Spawn(func(t *machine.Thread) {
				t.EnableInterrupts()
				p.act(t, 1)
				p.act(t, 1)
			}))
		}
	}
}

// The judge and the oracle agree on random programs: whether there is a race,
// where it shows, and with what.
func TestRacesAgreeWithTheBook(t *testing.T) {
	programs := 20000
	if testing.Short() {
		programs = 3000
	}
	m, err := machine.New(machine.Pairs(2))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var d checkers.Races
	races := 0
	for n := range programs {
		p := &raceProgram{Rand: rand.New(rand.NewPCG(uint64(n), 1))}
		var o raceOracle
		m.SetTracer(func(e *machine.Event) {
			o.events = append(o.events, *e)
			d.Observe(e)
		})
		m.Begin(&anyone{p.Rand}, machine.Limits{})
		d.Begin()
		for range 2 {
			p.words = append(p.words, m.Alloc(8))
		}
		m.HandleAll(machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) { p.act(t, 1) })
		starts := m.Starts(2 + n%3)
		for cpu := range starts {
			starts[cpu] = machine.Start{CPU: cpu, Body: func(t *machine.Thread) {
				for range 2 + n%5 {
					p.act(t, 0)
				}
			}}
		}
		m.Run(starts...)
		second, firsts := o.judge()
		f := d.Fault(m)
		if f == nil {
			if second >= 0 {
				t.Fatalf("program %d: no race is found, but %d races with %v:\n%v", n, second, firsts, o.events)
			}
			continue
		}
		races++
		a, b := f.Witnesses[0].Event, f.Witnesses[1].Event
		if b != second || !slices.Contains(firsts, a) {
			t.Fatalf("program %d: %d with %d; by the book %d with one of %v:\n%v", n, b, a, second, firsts, o.events)
		}
	}
	if t.Logf("%d of %d programs have a race", races, programs); races < programs/5 || races > programs*4/5 {
		t.Error("that is no test")
	}
}

// anyone answers at random.
type anyone struct{ *rand.Rand }

func (a *anyone) Choose(c *machine.Choice) int { return c.Options.Nth(a.IntN(c.Options.Len())) }
