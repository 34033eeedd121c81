package machine

// Event is something that happened in a run, as a tracer sees it.
type Event struct {
	Step    int
	CPU     int
	ISA     string
	Context string // path; see NameOf
	Op      Op
	Read    uint64 // what memory held
	Wrote   uint64 // what the operation wrote, if OK
	OK      bool   // false: a compare failed, a reservation was lost, a wait timed out
}

// trace tells the tracer of an event.
func (t *Thread) trace(op Op, read, wrote uint64, ok bool) {
	if t.m.phase == unwinding {
		return
	}
	e := &t.m.event
	*e = Event{
		Step: t.m.steps, CPU: t.cpu.id, ISA: t.cpu.isa.Name,
		Context: t.ctx.path, Op: op, Read: read, Wrote: wrote, OK: ok,
	}
	t.m.tracer(e)
}

// traceDeliver tells the tracer that an interrupt fired.
func (m *Machine) traceDeliver(l *line) {
	m.event = Event{
		Step: m.steps, CPU: l.cpu.id, ISA: l.cpu.isa.Name,
		Context: m.agents[l.slot].name.String(), Op: l.op(), OK: true,
	}
	m.tracer(&m.event)
}

// Sites is the stack of the caller of a tracer, innermost first, without the
// engine's own frames. It is slow.
func Sites() []Site { return sites() }
