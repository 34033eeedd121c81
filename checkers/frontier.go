package checkers

import (
	"math/bits"

	"github.com/fusedos/stramash/model/spec"
)

const (
	// maxOverlap is the number of operations that may be in progress at once:
	// one for each bit of a configuration.
	maxOverlap = 64
	// smallFrontier is the number of configurations up to which a scan for an
	// equal one beats a map.
	smallFrontier = 24
	// largeFrontier is the number of configurations up to which the memory is
	// kept for the next search.
	largeFrontier = 4096
	// narrow is the number of configurations that the first attempt keeps,
	// widening how many times more each later one does.
	narrow   = 2
	widening = 16
)

// configuration is one way in which the events so far may have taken effect:
// the state they led to, and which of the operations in progress took effect
// already (a set of slots).
type configuration[S comparable] struct {
	done  uint64
	state S
}

// frontier decides whether the events of one object are linearizable, one
// event at a time, by keeping all configurations that explain those before it.
// An operation takes effect at the last moment: when it, or one that needs its
// effect, returns. The time is linear in the number of events and exponential
// only in the number of overlapping operations; the memory does not grow with
// the history. This is the just-in-time linearization of G. Lowe, "Testing for
// linearizability", Concurrency and Computation 29(4), 2017, with two rules of
// dominance added: an operation that is known to change no state takes effect
// as soon as it can, and one that never returns takes effect only if it changes
// the state.
//
// Most histories are linearizable, and a few configurations at a time are enough
// to show it. So a first attempt drops all but the first few, which are those
// that let the fewest operations take effect early; the next ones keep more.
type frontier[S comparable] struct {
	spec   spec.Spec[S]
	ops    []operation
	budget int // calls of Spec.Step that are left

	slots    [maxOverlap]int // the operation in each slot
	used     uint64          // slots of operations in progress
	known    uint64          // those whose answer is known
	constant uint64          // those of known that change no state

	width   int                           // how many configs to keep
	cut     bool                          // some were dropped
	configs []configuration[S]            // explain all events so far
	visited []configuration[S]            // met while the last return was settled
	seen    map[configuration[S]]struct{} // visited, once it is long
	answers []spec.Ret                    // scratch
}

// result is the answer of a frontier.
type result uint8

const (
	explained     result = iota // there is an order that explains the events
	unexplained                 // there is none
	outOfBudget                 // the budget was spent before it was known
	tooManyAtOnce               // more than maxOverlap operations overlap
	declined                    // it is not for this checker
)

// run decides about the events of one object. If they are unexplained, at is
// the place in events of the return that no order explains.
func (f *frontier[S]) run(ops []operation, events []event) (r result, at int) {
	for f.width = narrow; ; f.width *= widening {
		if r, at = f.attempt(ops, events); r != unexplained || !f.cut {
			return r, at
		}
	}
}

// attempt is run for one width.
func (f *frontier[S]) attempt(ops []operation, events []event) (r result, at int) {
	f.ops = ops
	f.start()
	for i, e := range events {
		if r := f.take(e); r != explained {
			return r, i
		}
	}
	return explained, len(events)
}

// start forgets all events.
func (f *frontier[S]) start() {
	f.used, f.known, f.constant, f.cut = 0, 0, 0, false
	f.configs = append(f.configs[:0], configuration[S]{state: f.spec.Initial})
}

// take takes the next event into account.
func (f *frontier[S]) take(e event) result {
	switch {
	case !e.isReturn && f.used == ^uint64(0):
		return tooManyAtOnce
	case !e.isReturn:
		f.begin(e.op)
	default:
		f.settle(f.ops[e.op].slot)
	}
	switch {
	case f.budget < 0:
		return outOfBudget
	case len(f.configs) == 0:
		return unexplained
	}
	return explained
}

// begin gives the operation a slot.
func (f *frontier[S]) begin(n int) {
	op := &f.ops[n]
	op.slot = bits.TrailingZeros64(^f.used)
	bit := uint64(1) << op.slot
	f.slots[op.slot] = n
	f.used |= bit
	if op.retAt >= 0 {
		f.known |= bit
		if f.spec.Unchanging(op.call, op.ret) {
			f.constant |= bit
		}
	}
}

// settle makes the operation in slot take effect in every configuration, after
// whichever others in progress make that possible, and frees the slot.
func (f *frontier[S]) settle(slot int) {
	bit := uint64(1) << slot
	f.visited = f.visited[:0]
	f.forget()
	for _, c := range f.configs {
		f.visit(c.done, c.state)
	}
	f.configs = f.configs[:0]
	for i := 0; i < len(f.visited) && f.budget >= 0; i++ {
		if len(f.configs) == f.width {
			f.cut = true
			break
		}
		c := f.visited[i]
		if c.done&bit == 0 {
			f.expand(c)
			continue
		}
		c.done &^= bit
		f.configs = append(f.configs, c)
	}
	f.used &^= bit
	f.known &^= bit
	f.constant &^= bit
}

// expand visits the configurations one operation behind c.
func (f *frontier[S]) expand(c configuration[S]) {
	for rest := f.used &^ c.done &^ f.constant; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		op := &f.ops[f.slots[bits.TrailingZeros64(bit)]]
		if f.known&bit != 0 {
			if next, ok := f.step(c.state, op.call, op.ret); ok {
				f.visit(c.done|bit, next)
			}
			continue
		}
		f.answers = f.spec.Completions(f.answers[:0], c.state, op.call)
		for _, ret := range f.answers {
			if next, ok := f.step(c.state, op.call, ret); ok && next != c.state {
				f.visit(c.done|bit, next)
			}
		}
	}
}

// visit adds a configuration to f.visited, unless it is there, after the
// operations that change nothing have taken effect where they can.
func (f *frontier[S]) visit(done uint64, state S) {
	for rest := f.constant &^ done; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		op := &f.ops[f.slots[bits.TrailingZeros64(bit)]]
		if _, ok := f.step(state, op.call, op.ret); ok {
			done |= bit
		}
	}
	if c := (configuration[S]{done, state}); !f.met(c) {
		f.visited = append(f.visited, c)
	}
}

// met reports whether c is in f.visited. If not, c must go there next.
func (f *frontier[S]) met(c configuration[S]) bool {
	if len(f.visited) < smallFrontier {
		for i := range f.visited {
			if f.visited[i] == c {
				return true
			}
		}
		return false
	}
	if len(f.seen) == 0 {
		f.fillSeen()
	}
	_, known := f.seen[c]
	if !known {
		f.seen[c] = struct{}{}
	}
	return known
}

// forget empties f.seen. Clearing a map costs as much as it ever held.
func (f *frontier[S]) forget() {
	switch {
	case len(f.seen) > largeFrontier:
		f.seen = nil
	case len(f.seen) > 0:
		clear(f.seen)
	}
}

// release gives up what a large search has filled.
func (f *frontier[S]) release() {
	if cap(f.visited) > largeFrontier {
		f.configs, f.visited, f.seen = nil, nil, nil
	}
}

func (f *frontier[S]) fillSeen() {
	if f.seen == nil {
		f.seen = make(map[configuration[S]]struct{}, 4*smallFrontier)
	}
	for _, c := range f.visited {
		f.seen[c] = struct{}{}
	}
}

func (f *frontier[S]) step(s S, c spec.Call, r spec.Ret) (S, bool) {
	f.budget--
	return f.spec.Step(s, c, r)
}
