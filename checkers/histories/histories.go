// Package histories makes up histories, right and wrong ones, to compare and to
// measure judges with.
package histories

import (
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Draw answers a number from 0 to n-1; n is at least 1. All that a history
// depends on comes from it.
type Draw func(n int) int

// Shape says what a history looks like. Times are in ticks, which the history
// does not hold: only the order of the records counts.
type Shape struct {
	Object     machine.VA // what the operations are on
	Clients    int        // who call them; client n runs on CPU n
	Operations int        // how many there are at most: fewer if all clients wait
	Duration   int        // how long an operation takes at most; at least 2
	Think      int        // how long a client pauses at most between two
	// Open is how many of the last operations may still be in progress when the
	// history ends: the record of a return is dropped then.
	Open int
}

// client is someone who calls operations.
type client struct {
	phase phase
	at    int // when the next phase begins
	call  spec.Call
	ret   spec.Ret
	holds spec.Op // the operation that gives up what it holds; zero if it holds nothing
}

type phase uint8

const (
	idle     phase = iota // until it calls
	waiting               // until the operation takes effect
	answered              // until it returns
	over
)

// Obeying makes up a history of an object that obeys s, so it is linearizable.
// Values are written once, to what stores them, and clients give up the locks
// that they hold.
func Obeying(draw Draw, s spec.Spec[any], shape Shape) machine.History {
	g := generator{draw: draw, spec: s, Shape: shape, state: s.Initial, left: shape.Operations, fresh: 100}
	g.clients = make([]client, shape.Clients)
	g.history = make(machine.History, 0, 2*shape.Operations)
	for i := range g.clients {
		g.clients[i].at = draw(shape.Think + 1)
	}
	// An operation that can't take effect is tried again; one that never can
	// keeps its client waiting.
	for futile := 0; futile < 4*shape.Clients; futile++ {
		n := g.next()
		if n < 0 {
			break
		}
		if g.advance(n, &g.clients[n]) {
			futile = -1
		}
	}
	return g.history
}

type generator struct {
	draw Draw
	spec spec.Spec[any]
	Shape
	clients []client
	state   any
	left    int    // operations to call
	fresh   uint64 // a value that was not written yet
	history machine.History
	answers []spec.Ret
}

// next is the client whose next phase begins first, or -1.
func (g *generator) next() int {
	n := -1
	for i := range g.clients {
		if c := &g.clients[i]; c.phase != over && (n < 0 || c.at < g.clients[n].at) {
			n = i
		}
	}
	return n
}

// advance begins the next phase of client n, and reports whether it could.
func (g *generator) advance(n int, c *client) bool {
	switch c.phase {
	case idle:
		if g.left == 0 {
			c.phase = over
			return true
		}
		g.left--
		c.call = g.choose(n, c)
		c.phase = waiting
		g.record(machine.Record{
			Kind: machine.CallRecord, Client: int32(n), Op: c.call.Op, Arg: c.call.Arg, Arg2: c.call.Arg2,
		})
	case waiting:
		g.answers = g.spec.Completions(g.answers[:0], g.state, c.call)
		if len(g.answers) == 0 {
			c.at += 1 + g.draw(g.Duration)
			return false
		}
		c.ret = g.answers[g.draw(len(g.answers))]
		g.state, _ = g.spec.Step(g.state, c.call, c.ret)
		c.holds = held(g.spec.Kind, c)
		c.phase = answered
	case answered:
		if g.left == 0 && g.Open > 0 {
			g.Open--
			c.phase = over
			return true
		}
		g.record(machine.Record{Kind: machine.ReturnRecord, Client: int32(n), Val: c.ret.Val, OK: c.ret.OK})
		c.phase = idle
		c.at += 1 + g.draw(g.Think)
		return true
	}
	c.at += 1 + g.draw(g.Duration/2)
	return true
}

func (g *generator) record(r machine.Record) {
	r.Object, r.CPU = g.Object, uint8(r.Client)
	g.history = append(g.history, r)
}

// choose is what client n calls.
func (g *generator) choose(n int, c *client) spec.Call {
	out := spec.Call{Client: n, Op: spec.Op(1 + g.draw(len(g.spec.Ops)))}
	switch kind := g.spec.Kind; kind {
	case spec.MutexKind, spec.WeakMutexKind, spec.SemaphoreKind, spec.RWLockKind:
		out.Op = c.holds
		if c.holds == 0 {
			out.Op = acquisitions(kind)[g.draw(len(acquisitions(kind)))]
		}
	case spec.QueueKind, spec.StackKind:
		out.Arg = g.value()
	case spec.RegisterKind:
		out.Arg, out.Arg2 = g.value(), g.value()
		if now, ok := g.state.(uint64); ok && out.Op == spec.RegisterCAS && g.draw(4) > 0 {
			out.Arg = now
		}
	case spec.SetKind:
		out.Arg = uint64(g.draw(3 + g.Operations/16))
	default:
		out.Arg, out.Arg2 = uint64(g.draw(3)), uint64(g.draw(3))
	}
	if args := g.spec.Ops[out.Op-1].Args; args < 2 {
		out.Arg2 = 0
		if args == 0 {
			out.Arg = 0
		}
	}
	return out
}

// value is one that was not written yet.
func (g *generator) value() uint64 {
	g.fresh++
	return g.fresh
}

// acquisitions are the operations that take a lock.
func acquisitions(k spec.Kind) []spec.Op {
	switch k {
	case spec.SemaphoreKind:
		return []spec.Op{spec.SemaphoreP, spec.SemaphoreTryP}
	case spec.RWLockKind:
		return []spec.Op{spec.RWLockRLock, spec.RWLockTryRLock, spec.RWLockLock, spec.RWLockTryLock}
	}
	return []spec.Op{spec.MutexLock, spec.MutexTryLock}
}

// held is the operation that gives up what a client holds after its last one.
func held(k spec.Kind, c *client) spec.Op {
	switch {
	case c.holds != 0 || !c.ret.OK:
		return 0
	case k == spec.SemaphoreKind:
		return spec.SemaphoreV
	case k == spec.MutexKind, k == spec.WeakMutexKind:
		return spec.MutexUnlock
	case k == spec.RWLockKind && c.call.Op <= spec.RWLockTryRLock:
		return spec.RWLockRUnlock
	case k == spec.RWLockKind:
		return spec.RWLockUnlock
	}
	return 0
}

// Spoil changes one of the records from to before to of a history of operations
// that s has, or moves it a little, in place. The history stays well formed, and
// may stay linearizable.
func Spoil(draw Draw, s spec.Spec[any], h machine.History, from, to int) {
	for range 32 {
		i, done := from+draw(to-from), false
		switch draw(8) {
		case 0, 1, 2:
			done = exchange(draw, h, i)
		case 3, 4, 5:
			done = spoilAnswer(draw, s, h, i)
		case 6:
			done = spoilCall(draw, s, h, i)
		default:
			done = shift(draw, h, i)
		}
		if done {
			return
		}
	}
}

// exchange exchanges the values that record i and a later one answer, if they do
// and differ.
func exchange(draw Draw, h machine.History, i int) bool {
	near := min(32, len(h)-1-i)
	if near == 0 {
		return false
	}
	r, other := &h[i], &h[i+1+draw(near)]
	if r.Val == other.Val || r.Val == 0 || other.Val == 0 {
		return false
	}
	r.Val, other.Val = other.Val, r.Val
	return true
}

// spoilAnswer changes the answer of record i, if it is a return, to one that
// the operation might have given at another time.
func spoilAnswer(draw Draw, s spec.Spec[any], h machine.History, i int) bool {
	r, other := &h[i], h[draw(len(h))]
	if r.Kind != machine.ReturnRecord {
		return false
	}
	sig, value := s.Ops[called(h, i)-1], other.Val
	if other.Kind == machine.CallRecord {
		value = other.Arg
	}
	switch fails := sig.Failure != "" && draw(3) == 0; {
	case sig.Value == spec.NoValue && sig.Failure != "":
		r.OK = !r.OK
	case sig.Value == spec.ValueIfOK && fails:
		r.Val, r.OK = 0, false
	case sig.Value == spec.NoValue || value == r.Val:
		return false
	default:
		r.Val, r.OK = value, r.OK || sig.Value == spec.ValueIfOK
	}
	return true
}

// spoilCall makes record i, if it is a call, one of another operation that takes
// as many arguments and answers as many values.
func spoilCall(draw Draw, s spec.Spec[any], h machine.History, i int) bool {
	if h[i].Kind != machine.CallRecord {
		return false
	}
	op := spec.Op(1 + draw(len(s.Ops)))
	old, other := s.Ops[h[i].Op-1], s.Ops[op-1]
	if op == h[i].Op || old.Args != other.Args || old.Value != other.Value {
		return false
	}
	h[i].Op = op
	return true
}

// called is the operation that the return i belongs to.
func called(h machine.History, i int) spec.Op {
	for at := i; ; at-- {
		if h[at].Kind == machine.CallRecord && h[at].Client == h[i].Client {
			return h[at].Op
		}
	}
}

// shift moves a record some places forward, not past those of its client.
func shift(draw Draw, h machine.History, i int) bool {
	moved := false
	for range 1 + draw(4) {
		if i+1 >= len(h) || h[i+1].Client == h[i].Client {
			break
		}
		h[i], h[i+1] = h[i+1], h[i]
		i++
		moved = true
	}
	return moved
}

// Short makes up a history of 4 to 13 operations by 2 to 5 clients, some of
// which may not return. In five of six it is spoilt, in up to five places.
func Short(draw Draw, s spec.Spec[any], object machine.VA) machine.History {
	h := Obeying(draw, s, Shape{
		Object: object, Clients: 2 + draw(4), Operations: 4 + draw(10),
		Duration: 2 + draw(100), Think: 1 + draw(20), Open: draw(3),
	})
	for range draw(6) {
		Spoil(draw, s, h, 0, len(h))
	}
	return h
}
