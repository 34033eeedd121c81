package machine

import "github.com/fusedos/stramash/model/spec"

// Call records that the thread invokes an operation on the object at an
// address. It counts from the moment at which the thread's next operation on
// the machine is executed: that makes its interval as short, and the judgement
// as strict, as the run allows. An activation of a handler is a client of its
// own.
func (t *Thread) Call(object VA, op spec.Op, args ...uint64) {
	r := t.record(CallRecord, object)
	r.Op = op
	if len(args) > 0 {
		r.Arg = args[0]
	}
	if len(args) > 1 {
		r.Arg2 = args[1]
	}
	t.later(r)
}

// Return records the answer of the operation that the thread has open on the
// object. It counts from this moment.
func (t *Thread) Return(object VA, val uint64, ok bool) {
	r := t.record(ReturnRecord, object)
	r.Val, r.OK = val, ok
	t.now(r)
}

// Note records something for a judge; see [NoteKind]. NoteAcquire and
// NoteRelease count from the thread's next operation, as calls do, the others
// from this moment.
func (t *Thread) Note(n NoteKind, object VA, arg, arg2 uint64) {
	r := t.record(NoteRecord, object)
	r.Note, r.Arg, r.Arg2 = n, arg, arg2
	if n == NoteAcquire || n == NoteRelease {
		t.later(r)
	} else {
		t.now(r)
	}
}

func (t *Thread) record(k RecordKind, object VA) Record {
	x := t.ctx
	r := Record{Kind: k, InIRQ: x.irq, IRQsOff: t.masked, Client: x.num, Object: object}
	if t.cpu != nil { // it is when the run is being unwound
		r.CPU = uint8(t.cpu.id)
		if o := t.m.order; o != nil {
			r.View = o.system.View(t.cpu.id, k == ReturnRecord)
		}
	}
	return r
}

// maxRecords bounds what one run records, for a loop that records and takes no
// step has no other bound.
const maxRecords = 1 << 20

// later appends the record when the thread's next operation is executed.
func (t *Thread) later(r Record) {
	if len(t.ctx.pending) >= maxRecords {
		t.m.abort(Panicked, "more than %d records without an operation on the machine", maxRecords)
	}
	t.ctx.pending = append(t.ctx.pending, r)
	t.ctx.busy = true
}

// now appends the record at once, but behind those that came before it.
func (t *Thread) now(r Record) {
	t.m.flush(t.ctx, t.m.steps)
	t.m.append(&r, t.m.steps)
}

// flush appends what the context has pending, behind so many steps.
func (m *Machine) flush(x *context, steps int) {
	for i := range x.pending {
		m.append(&x.pending[i], steps)
	}
	x.pending = x.pending[:0]
}

func (m *Machine) append(r *Record, steps int) {
	if m.phase == unwinding {
		return
	}
	if len(m.history) >= maxRecords {
		m.abort(Panicked, "more than %d records in one run: record operations, not each access", maxRecords)
	}
	r.Step = int32(steps)
	m.history = append(m.history, *r)
	flags := uint64(r.Kind)<<60 | uint64(r.Client)<<32 | uint64(r.CPU)<<24 | uint64(r.Op) | uint64(r.Note)
	if r.OK {
		flags |= 1 << 59
	}
	if r.InIRQ {
		flags |= 1 << 58
	}
	if r.IRQsOff {
		flags |= 1 << 57
	}
	h := mix(mix(m.histHash^flags, uint64(r.Object)), r.Arg)
	m.histHash = mix(mix(h, r.Arg2), r.Val)
	m.hash = mix(m.hash, m.histHash)
	m.place(r)
	if m.told != nil {
		m.told(&m.history[len(m.history)-1])
	}
}

// recorded is what the hashes of a run must know of the records on an object:
// the sums of the hashes of its beginnings and of its ends.
type recorded struct{ begun, ended uint64 }

// Span says what a record is to the order of a run. Judges compare when one
// client's operation or hold ended with when another one's began, so a beginning
// conflicts with the ends on the same object; two beginnings do not conflict,
// nor do two ends.
type Span uint8

// The spans.
const (
	Beside Span = iota // as NoteRead, it belongs to the access that it tells of
	Begins             // a call; NoteAcquired
	Ends               // a return; NoteRelease
	Alone              // a note of a target's own: it conflicts with all others of that kind
)

// Span is what the record is to the order of a run.
func (r *Record) Span() Span {
	switch {
	case r.Kind == CallRecord || r.Kind == NoteRecord && r.Note == NoteAcquired:
		return Begins
	case r.Kind == ReturnRecord || r.Kind == NoteRecord && r.Note == NoteRelease:
		return Ends
	case r.Kind == NoteRecord && r.Note >= NoteUser:
		return Alone
	}
	return Beside
}

// place accounts a record in the partial order of the run's events.
func (m *Machine) place(r *Record) {
	span := r.Span()
	if span == Beside {
		return
	}
	x, at := m.contexts[r.Client], r.Object
	if span == Alone {
		at = ^at // apart from the spans
	}
	o := m.objects[at]
	switch span {
	case Begins:
		x.hash = mix(x.hash^uint64(at), o.ended)
		o.begun += x.hash
	case Ends:
		x.hash = mix(x.hash^^uint64(at), o.begun)
		o.ended += x.hash
	case Alone:
		x.hash = mix(x.hash^uint64(at), o.ended)
		o.ended = x.hash
	}
	m.objects[at] = o
}

// Pin fixes what the program asks under a name: -param of the command.
type Pin struct {
	Name  string
	Value int
}

// WorkloadAnswer is one answer to a program's question of what to try.
type WorkloadAnswer struct {
	Name  string
	N     int // how many options there were
	Value int
}

// SetPins fixes answers to workload questions from the next run on. A pin
// beyond a question's options means the last one.
func (m *Machine) SetPins(pins []Pin) { m.pins = pins }

// Choose asks, in the set-up, what the program shall try; see Thread.Choose.
func (m *Machine) Choose(name string, n int) int {
	m.mustBeSettingUp("Choose")
	v := m.chooseWorkload(m.setup, nil, name, n)
	m.setup.advance()
	return v
}

func (m *Machine) chooseWorkload(x *context, cpu *cpu, name string, n int) int {
	if n < 1 || n > 64 {
		panic("machine: Choose of " + name + ": ask for 1 to 64 values")
	}
	if m.phase == unwinding {
		panic(unwind{})
	}
	if len(m.workload) >= maxRecords {
		m.abort(Panicked, "more than %d workload questions in one run", maxRecords)
	}
	v, pinned := 0, false
	for _, p := range m.pins {
		if p.Name == name {
			v, pinned = min(max(p.Value, 0), n-1), true
		}
	}
	if !pinned {
		v = m.choose(x, cpu, Workload, n)
	}
	x.hash = mix(x.hash, uint64(v))
	m.hash = mix(m.hash, x.hash)
	m.workload = append(m.workload, WorkloadAnswer{name, n, v})
	return v
}
