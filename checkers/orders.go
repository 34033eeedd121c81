package checkers

import "github.com/fusedos/stramash/model/spec"

// ordered says whether operation a has to come before operation b: it returned
// before b was called, and b's CPU knew by then all that a's had read or written.
// Under sequential consistency CPUs know everything at once, and this is the order
// of real time. Under a weak memory order a CPU that has not synchronised with
// another one may read what was there before the other's operation: then no order
// of the two can be told from inside the machine. (So the specifications of
// libraries on weak memory have it, which ask for an order that agrees with
// happens-before: M. Batty, M. Dodds and A. Gotsman, "Library abstraction for C/C++
// concurrency", POPL 2013. Here knowledge stands for it, which holds for more pairs.)
func ordered(a, b *operation) bool {
	return a.retAt >= 0 && a.retAt < b.callAt && (a.knows <= b.knew || a.cpu == b.cpu || a.call.Client == b.call.Client)
}

// reorder looks for an order of the operations of one part that explains their
// answers and respects ordered, where the order of real time has none. It is
// unexplained at once if ordered is the order of real time.
func (j *linearizable[S]) reorder(ops []operation, events []event) result {
	knowledge := false
	for _, e := range events {
		knowledge = knowledge || ops[e.op].knows > 0
	}
	switch {
	case !knowledge: // all is known at once
		return unexplained
	case len(events) > 2*maxReordered:
		return outOfBudget
	}
	o := orders[S]{spec: j.spec, budget: j.budget}
	for _, e := range events {
		if !e.isReturn {
			o.add(&ops[e.op])
		}
	}
	if !o.relate() {
		return unexplained
	}
	switch found := o.extend(j.spec.Initial); {
	case found:
		return explained
	case o.budget < 0:
		return outOfBudget
	}
	return unexplained
}

// maxReordered bounds the operations of a part that reorder looks at: it compares each
// with each.
const maxReordered = 2048

// orders is a search, depth first, for an order of some operations. Those of a
// client are in the order of its calls.
type orders[S comparable] struct {
	spec    spec.Spec[S]
	budget  int
	clients []int32
	queues  [][]*waiter // of each client
	at      []uint16    // of each client: how many have been taken
	left    int         // operations that returned and have not been taken
	met     map[met[S]]struct{}
}

// waiter is an operation with what must be taken before it.
type waiter struct {
	*operation
	after []uint16 // of each client: how many of its operations
}

// met is where the search has been.
type met[S comparable] struct {
	at    string
	state S
}

func (o *orders[S]) add(op *operation) {
	c := 0
	for c < len(o.clients) && o.clients[c] != int32(op.call.Client) {
		c++
	}
	if c == len(o.clients) {
		o.clients, o.queues = append(o.clients, int32(op.call.Client)), append(o.queues, nil)
	}
	o.queues[c] = append(o.queues[c], &waiter{operation: op})
	if op.retAt >= 0 {
		o.left++
	}
}

// relate finds out what comes before what. It answers false if that is the order
// of real time.
func (o *orders[S]) relate() (weaker bool) {
	for _, q := range o.queues {
		for _, b := range q {
			b.after = make([]uint16, len(o.queues))
			for c, others := range o.queues {
				for i, a := range others {
					if ordered(a.operation, b.operation) {
						b.after[c] = uint16(i + 1)
					} else if a.retAt >= 0 && a.retAt < b.callAt {
						weaker = true
					}
				}
			}
		}
	}
	o.at, o.met = make([]uint16, len(o.queues)), map[met[S]]struct{}{}
	return weaker
}

// extend takes the remaining operations, one after the other, from a state.
func (o *orders[S]) extend(state S) bool {
	if o.left == 0 {
		return true
	}
	here := met[S]{at: places(o.at), state: state}
	if _, known := o.met[here]; known || o.budget < 0 {
		return false
	}
	o.met[here] = struct{}{}
	for c, q := range o.queues {
		if int(o.at[c]) < len(q) && o.may(q[o.at[c]]) && o.take(c, q[o.at[c]], state) {
			return true
		}
	}
	return false
}

func (o *orders[S]) may(w *waiter) bool {
	for c, n := range w.after {
		if o.at[c] < n {
			return false
		}
	}
	return true
}

// take goes on behind an operation. One that never returned may have had any
// answer, or none.
func (o *orders[S]) take(c int, w *waiter, state S) bool {
	o.at[c]++
	defer func() { o.at[c]-- }()
	if w.retAt < 0 {
		if o.extend(state) {
			return true
		}
		for _, ret := range o.spec.Completions(nil, state, w.call) {
			if o.then(state, w, ret) {
				return true
			}
		}
		return false
	}
	o.left--
	defer func() { o.left++ }()
	return o.then(state, w, w.ret)
}

func (o *orders[S]) then(state S, w *waiter, ret spec.Ret) bool {
	o.budget--
	next, ok := o.spec.Step(state, w.call, ret)
	return ok && o.extend(next)
}

// places is how many operations of each client have been taken, as a key.
func places(at []uint16) string {
	b := make([]byte, 0, 2*len(at))
	for _, n := range at {
		b = append(b, byte(n), byte(n>>8))
	}
	return string(b)
}
