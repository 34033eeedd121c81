package checkers

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// operation is a call with its return.
type operation struct {
	call   spec.Call
	ret    spec.Ret
	object machine.VA
	callAt int // index of the record of the call
	retAt  int // index of the record of the return; -1 if it never returned
	part   int // which of the parts it belongs to, see operations.split
	cpu    uint8
	knew   uint32 // Record.View of the call
	knows  uint32 // and of the return

	// Scratch of those who decide about it.
	slot  int
	done  bool
	stray bool
	odd   bool // it returned what its signature does not allow
}

// event is the call or the return of operation op.
type event struct {
	op       int
	isReturn bool
}

// operations holds the operations of a history in the order of their calls,
// and the events that they consist of in the order of time.
type operations struct {
	ops    []operation
	events []event
	users  table[user]
	open   []int // of each user: its operation in progress, or -1

	parts table[part]
	ends  []int             // of each part: where its events end, once split
	whole table[machine.VA] // objects that can't be cut into parts
	moved []event           // scratch
}

// part is an object, or the part of it that a key names.
type part struct {
	object machine.VA
	key    uint64
}

// user is a client with one of its objects. An operation may use operations on
// other objects, so a client has one in progress on each at most.
type user struct {
	client int32
	object machine.VA
}

// forget empties o.
func (o *operations) forget() {
	o.ops, o.events, o.open = o.ops[:0], o.events[:0], o.open[:0]
	o.users.reset()
}

// wanted reports whether an object is one of some, or those are none.
func wanted(objects []machine.VA, object machine.VA) bool {
	return len(objects) == 0 || slices.Contains(objects, object)
}

// read replaces the contents of o by the operations in h on the wanted
// objects, or on all if there are none.
func (o *operations) read(h machine.History, objects []machine.VA) *Violation {
	o.forget()
	o.ops, o.events = slices.Grow(o.ops, len(h)/2), slices.Grow(o.events, len(h))
	for at := range h {
		r := &h[at]
		if !wanted(objects, r.Object) {
			continue
		}
		if problem := o.record(r, at); problem != "" {
			return &Violation{
				Rule: ruleMalformed, Object: r.Object, At: at,
				Message: fmt.Sprintf("%s %s", who(*r), problem),
			}
		}
	}
	return nil
}

func (o *operations) record(r *machine.Record, at int) (problem string) {
	switch r.Kind {
	case machine.NoteRecord:
		return ""
	case machine.CallRecord, machine.ReturnRecord:
	default:
		return fmt.Sprintf("made a record of kind %d, which there is not", r.Kind)
	}
	n, fresh := o.users.find(user{r.Client, r.Object})
	if fresh {
		o.open = append(o.open, -1)
	}
	if r.Kind == machine.CallRecord {
		return o.begin(&o.open[n], r, at)
	}
	return o.end(&o.open[n], r, at)
}

// begin takes a call into account. In open is the caller's operation in progress.
func (o *operations) begin(open *int, r *machine.Record, at int) (problem string) {
	if *open >= 0 {
		return fmt.Sprintf("called an operation while the one of record %d was in progress",
			o.ops[*open].callAt)
	}
	*open = len(o.ops)
	o.events = append(o.events, event{op: *open})
	o.ops = append(o.ops, operation{
		call:   spec.Call{Client: int(r.Client), Op: r.Op, Arg: r.Arg, Arg2: r.Arg2},
		object: r.Object, callAt: at, retAt: -1, cpu: r.CPU, knew: r.View,
	})
	return ""
}

// end takes a return into account.
func (o *operations) end(open *int, r *machine.Record, at int) (problem string) {
	n := *open
	if n < 0 {
		return "returned from an operation that it had not called"
	}
	*open = -1
	o.ops[n].ret, o.ops[n].retAt, o.ops[n].knows = spec.Ret{Val: r.Val, OK: r.OK}, at, r.View
	o.events = append(o.events, event{op: n, isReturn: true})
	return ""
}

// split orders the events by the parts that they concern, each in the order of
// time, and sets o.ends. A part is an object, or what key names of it, unless an
// operation on the object concerns all of it.
func (o *operations) split(key func(spec.Call) (uint64, bool)) {
	o.whole.reset()
	if key != nil {
		for i := range o.ops {
			if _, ok := key(o.ops[i].call); !ok {
				o.whole.find(o.ops[i].object)
			}
		}
	}
	o.parts.reset()
	o.ends = o.ends[:0]
	var p part
	n := -1
	for i := range o.ops {
		op := &o.ops[i]
		if next := o.partOf(op, key); n < 0 || next != p {
			p = next
			n = o.number(p)
		}
		op.part = n
		o.ends[n] += 2
		if op.retAt < 0 {
			o.ends[n]--
		}
	}
	if len(o.ends) > 1 {
		o.move()
	}
}

// partOf is the part that an operation concerns.
func (o *operations) partOf(op *operation, key func(spec.Call) (uint64, bool)) part {
	p := part{object: op.object}
	if key == nil {
		return p
	}
	if o.whole.number(op.object) < 0 {
		p.key, _ = key(op.call)
	}
	return p
}

func (o *operations) number(p part) int {
	n, fresh := o.parts.find(p)
	if fresh {
		o.ends = append(o.ends, 0)
	}
	return n
}

// move sorts the events by their parts, whose sizes are in o.ends.
func (o *operations) move() {
	start := 0
	for n, size := range o.ends {
		o.ends[n] = start
		start += size
	}
	o.moved = slices.Grow(o.moved[:0], start)[:start]
	for _, e := range o.events {
		end := &o.ends[o.ops[e.op].part]
		o.moved[*end] = e
		*end++
	}
	o.events, o.moved = o.moved, o.events
}
