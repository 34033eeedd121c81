package checkers

import (
	"cmp"
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
	slot   int // scratch of the frontier
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
}

// user is a client with one of its objects. An operation may use operations on
// other objects, so a client has one in progress on each at most.
type user struct {
	client int32
	object machine.VA
}

// read replaces the contents of o by the operations in h on the wanted
// objects, or on all if wanted is empty.
func (o *operations) read(h machine.History, wanted []machine.VA) *Violation {
	o.ops, o.events, o.open = o.ops[:0], o.events[:0], o.open[:0]
	o.users.reset()
	for at := range h {
		r := &h[at]
		if len(wanted) > 0 && !slices.Contains(wanted, r.Object) {
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
		object: r.Object, callAt: at, retAt: -1,
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
	o.ops[n].ret, o.ops[n].retAt = spec.Ret{Val: r.Val, OK: r.OK}, at
	o.events = append(o.events, event{op: n, isReturn: true})
	return ""
}

// split cuts events, which gather has put in order, behind those of the first
// object.
func (o *operations) split(events []event) (first, rest []event) {
	for i, e := range events {
		if o.object(e) != o.object(events[0]) {
			return events[:i], events[i:]
		}
	}
	return events, nil
}

// gather orders the events by object, keeping the order of time for each.
func (o *operations) gather() {
	byObject := func(a, b event) int { return cmp.Compare(o.object(a), o.object(b)) }
	if !slices.IsSortedFunc(o.events, byObject) {
		slices.SortStableFunc(o.events, byObject)
	}
}

func (o *operations) object(e event) machine.VA { return o.ops[e.op].object }
