package checkers

import (
	"fmt"
	"strings"
	"sync"

	"github.com/fusedos/stramash/machine"
)

const (
	ruleOrder     = "lock order"
	ruleRecursive = "recursive class"
	ruleInterrupt = "interrupt context"

	// maxHeld is the number of locks that a client may hold at once, as in
	// Linux.
	maxHeld = 48
	// maxEdges is the number of different pairs of a class held and a class
	// acquired.
	maxEdges = 4096
)

// LockOrder returns a judge of the order in which locks are taken, by the notes
// [machine.NoteAcquire], [machine.NoteAcquired] and [machine.NoteRelease]. A
// class of locks (Arg of the note) comes before another if some client acquired
// a lock of the second while it held one of the first. The judge reports what
// can deadlock, whether or not it did in this run, by the method of Linux's
// lockdep (Documentation/locking/lockdep-design.rst). The rules are:
//
//   - "lock order": no class comes before itself by way of others. The message
//     names the whole cycle and where each part of it was made.
//   - "recursive class": no client acquires a lock that it holds, unless both
//     times shared; and the locks of one class come in some order, too: no lock
//     comes before itself by way of others of its class. (Lockdep forbids every
//     nesting within a class that is not annotated. Here a history shows which
//     locks are meant, so locks of one class may nest by address or down a tree.)
//   - "interrupt context": a class that interrupt handlers acquire is never held
//     while interrupts are enabled, unless both shared; nor does it come before a
//     class that is, for its holder then waits for one that an interrupt stopped.
//     Interrupts count as enabled while a client holds a lock if one of its
//     records from the acquisition to the release says so.
//
// As in lockdep, an attempt that gives up rather than wait ([machine.TryLock])
// can't be what a deadlock waits for, so it comes behind nothing and is no
// acquisition by a handler; once it holds its lock, that counts like any other.
// Apart from the exceptions above, a shared acquisition counts as an exclusive
// one, since a fair lock makes a reader wait behind a waiting writer.
//
// The judge knows the holds of each client apart: what an interrupt handler
// acquires does not come behind what the thread that it interrupted holds. Stray
// releases are left to [Exclusion]. The verdict is unknown if a client holds
// more than 48 locks or more than 4096 pairs of classes nest.
func LockOrder() Judge {
	j := &lockOrder{}
	j.scratch.New = func() any { return &dependencies{} }
	return j
}

type lockOrder struct {
	scratch sync.Pool // of *dependencies
}

func (j *lockOrder) Name() string { return "lockorder" }

func (j *lockOrder) Check(h machine.History) Verdict {
	d := j.scratch.Get().(*dependencies)
	defer j.scratch.Put(d)
	d.reset(h)
	for at := range h {
		d.record(at)
		if d.problem != nil || d.excess != "" {
			break
		}
	}
	if d.problem == nil && d.excess == "" {
		d.interrupts()
	}
	if d.problem != nil {
		d.problem.Judge = j.Name()
		return Verdict{Violation: d.problem}
	}
	if d.excess != "" {
		return unknown("%s: %s", j.Name(), d.excess)
	}
	return Verdict{}
}

// hold is a lock that a client holds.
type hold struct {
	object machine.VA
	class  uint64
	shared bool
	at     int // index of the record of the acquisition
}

// never is the index of a record that there is not.
const never = -1

// usage is how a class was used; both are indexed by whether it was shared.
type usage struct {
	handler [2]int // first acquisition by an interrupt handler
	enabled [2]int // first record that shows it held with interrupts enabled
}

// dependencies is what is known about the order of locks.
type dependencies struct {
	history machine.History
	clients table[int32]
	held    [][]hold // of each client
	order   ordering
	usages  []usage // of each class among the nodes of order

	problem *Violation
	excess  string // which limit was exceeded
}

func (d *dependencies) reset(h machine.History) {
	d.history, d.problem, d.excess = h, nil, ""
	d.clients.reset()
	d.held = d.held[:0]
	d.order.reset()
	d.usages = d.usages[:0]
}

// client returns the holds of a client.
func (d *dependencies) client(c int32) *[]hold {
	n, fresh := d.clients.find(c)
	switch {
	case fresh && n < cap(d.held): // keep the slice of holds
		d.held = d.held[:n+1]
		d.held[n] = d.held[n][:0]
	case fresh:
		d.held = append(d.held, nil)
	}
	return &d.held[n]
}

// use returns how the class was used.
func (d *dependencies) use(class uint64) *usage {
	n := d.order.node(node{class: class})
	for len(d.usages) <= n {
		d.usages = append(d.usages, usage{[2]int{never, never}, [2]int{never, never}})
	}
	return &d.usages[n]
}

// record takes the record at index at into account.
func (d *dependencies) record(at int) {
	r := &d.history[at]
	held := d.client(r.Client)
	if r.Kind == machine.NoteRecord {
		switch r.Note {
		case machine.NoteAcquire:
			d.acquire(*held, r, at)
		case machine.NoteAcquired:
			d.acquire(*held, r, at) // in case that nobody announced it
			d.take(held, r, at)
		}
	}
	if !r.IRQsOff {
		for _, x := range *held {
			mark(&d.use(x.class).enabled, x.shared, at)
		}
	}
	if r.Kind == machine.NoteRecord && r.Note == machine.NoteRelease {
		drop(held, r.Object, r.Arg2&machine.SharedLock != 0)
	}
}

// mark sets the first use in that mode.
func mark(first *[2]int, shared bool, at int) {
	i := 0
	if shared {
		i = 1
	}
	if first[i] == never {
		first[i] = at
	}
}

func (d *dependencies) take(held *[]hold, r *machine.Record, at int) {
	if len(*held) == maxHeld {
		d.excess = fmt.Sprintf("%s holds more than %d locks", who(*r), maxHeld)
		return
	}
	*held = append(*held, hold{r.Object, r.Arg, r.Arg2&machine.SharedLock != 0, at})
}

// drop removes the last hold of the lock, in that mode if there is one.
func drop(held *[]hold, object machine.VA, shared bool) {
	found := never
	for i, x := range *held {
		if x.object == object && (found == never || x.shared == shared) {
			found = i
		}
	}
	if found != never {
		*held = append((*held)[:found], (*held)[found+1:]...)
	}
}

// acquire orders what r acquires behind what its client holds.
func (d *dependencies) acquire(held []hold, r *machine.Record, at int) {
	if r.Arg2&machine.TryLock != 0 {
		return
	}
	shared := r.Arg2&machine.SharedLock != 0
	if r.InIRQ {
		mark(&d.use(r.Arg).handler, shared, at)
	}
	for _, x := range held {
		switch {
		case x.object == r.Object && x.shared && shared:
		case x.object == r.Object:
			d.violate(ruleRecursive, at, r.Object,
				fmt.Sprintf("%s, which it holds (record %d)", d.acquisition(at), x.at))
		case x.class == r.Arg:
			d.connect(ruleRecursive, node{x.class, true, x.object}, node{r.Arg, true, r.Object}, x.at, at)
		default:
			d.connect(ruleOrder, node{class: x.class}, node{class: r.Arg}, x.at, at)
		}
	}
}

// connect adds an edge; if it closes a cycle, that breaks the rule.
func (d *dependencies) connect(rule string, from, to node, heldAt, at int) {
	closing := edge{d.order.node(from), d.order.node(to), heldAt, at}
	if !d.order.add(closing) {
		return
	}
	if d.order.edges() > maxEdges {
		d.excess = fmt.Sprintf("more than %d pairs of locks or classes nest", maxEdges)
		return
	}
	back := d.order.path(closing.to, func(n int) bool { return n == closing.from })
	if back == nil {
		return
	}
	cycle := append([]edge{closing}, back...)
	var parts []string
	object := d.history[at].Object
	for _, e := range cycle {
		parts = append(parts, d.describe(e))
		object = min(object, d.history[e.at].Object)
	}
	d.violate(rule, at, object, strings.Join(parts, ", but "))
}

// violate keeps the first violation. Its object should not depend on which part
// of a cycle came last, for the sake of [Violation.Signature].
func (d *dependencies) violate(rule string, at int, object machine.VA, message string) {
	if d.problem == nil {
		d.problem = &Violation{Rule: rule, Object: object, Message: message, At: at}
	}
}

// describe words how an edge came about.
func (d *dependencies) describe(e edge) string {
	return fmt.Sprintf("%s while it holds %s (record %d)",
		d.acquisition(e.at), lockOf(d.history[e.heldAt]), e.heldAt)
}

// acquisition words what the record at index at acquires.
func (d *dependencies) acquisition(at int) string {
	r := d.history[at]
	return fmt.Sprintf("%s acquires %s (record %d)", who(r), lockOf(r), at)
}

// lockOf names the lock that a note is about.
func lockOf(r machine.Record) string {
	return fmt.Sprintf("lock %#x of class %d", uint64(r.Object), r.Arg)
}

// interrupts looks for a class that handlers acquire and that is, or comes
// before, a class that is held with interrupts enabled.
func (d *dependencies) interrupts() {
	for n := range d.usages {
		u := &d.usages[n]
		if handlerAt, heldAt := conflict(u); heldAt != never {
			d.interrupt(n, handlerAt, nil, heldAt)
		} else if at := first(u.handler); at != never {
			d.interruptBehind(n, at)
		}
	}
}

// interruptBehind looks for a class that is held with interrupts enabled and
// that the class, which a handler acquires, comes before.
func (d *dependencies) interruptBehind(class, handlerAt int) {
	enabled := func(n int) int {
		if n >= len(d.usages) {
			return never
		}
		return first(d.usages[n].enabled)
	}
	// The class itself was looked at before.
	path := d.order.path(class, func(n int) bool { return n != class && enabled(n) != never })
	if path != nil {
		last := path[len(path)-1].to
		d.interrupt(last, handlerAt, path, enabled(last))
	}
}

// interrupt reports that a handler acquires what comes before the class, by way
// of path, and that a lock of the class is held with interrupts enabled.
func (d *dependencies) interrupt(class, handlerAt int, path []edge, heldAt int) {
	parts := []string{d.acquisition(handlerAt)}
	at := max(heldAt, handlerAt)
	for _, e := range path {
		parts = append(parts, d.describe(e))
		at = max(at, e.at)
	}
	parts = append(parts, fmt.Sprintf("but %s holds one of class %d with interrupts enabled (record %d)",
		who(d.history[heldAt]), d.order.nodes.keys[class].class, heldAt))
	d.violate(ruleInterrupt, at, d.history[handlerAt].Object, strings.Join(parts, ", "))
}

// first returns the earliest of two indices, or never.
func first(x [2]int) int {
	if x[0] == never || x[1] != never && x[1] < x[0] {
		return x[1]
	}
	return x[0]
}

// conflict returns the first acquisition by a handler and the first record that
// shows a hold with interrupts enabled that stands in its way; heldAt is never
// if there are no two such records.
func conflict(u *usage) (handlerAt, heldAt int) {
	if u.handler[0] != never {
		return u.handler[0], first(u.enabled)
	}
	if u.handler[1] != never {
		return u.handler[1], u.enabled[0]
	}
	return never, never
}
