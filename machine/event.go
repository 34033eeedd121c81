package machine

// Event is something that happened in a run, as a tracer sees it.
type Event struct {
	Step   int
	CPU    int
	Thread Handle // whose body, or a handler on it; zero for an interrupt that fires
	Client int32  // the context, as in a Record; -1 for an interrupt that fires
	Index  uint32 // events that the context had made before
	Name   ContextName
	OK     bool // false: a compare failed, a reservation was lost, a wait timed out or saw nothing new, a store is held back, a translation does not serve
	Held   bool // a store is held back: what it writes takes effect with an OpDrain
	Op     Op
	PA     PA     // of an access to memory: where; of OpAlloc and OpFree: the heap's, for those that depend on each other
	Read   uint64 // what memory held; the size of a block that was allocated or freed
	Wrote  uint64 // what the operation wrote, if OK
	Write  uint32 // under a weak order: the number of the write, from 1; of an OpDrain: the store's
	From   uint32 // under a weak order: the number of the write that was read; 0 for the set-up's
	// NoReturn: under a weak order, it is an update that answers nothing.
	NoReturn bool
	Stale    int    // how many newer writes there were
	Note     string // of an OpMessage: what happened, in words
	Saw      []PA   // of a wait: where its conditions did not hold, as far as it looked
}

// ContextOf is the path of the context of an event; see NameOf. For an
// interrupt that fires it is the name of the line.
func (m *Machine) ContextOf(e *Event) string {
	if e.Client < 0 {
		return Agent(lineAgent | Agent(e.Op.Addr)).String()
	}
	return m.contexts[e.Client].path
}

// Agent is whose step the event was part of.
func (e *Event) Agent() Agent {
	switch {
	case e.Client < 0:
		return lineAgent | Agent(e.Op.Addr)
	case e.Op.Kind == OpDrain && e.Name == bufferPaths[e.CPU].name:
		return BufferAgent(e.CPU)
	case e.Op.Kind == OpInvalidated:
		return TLBAgent(e.CPU)
	case e.Op.Kind == OpMessage && e.Name == homePath.name:
		return HomeAgent
	case e.Op.Kind == OpMessage:
		return CacheAgent(e.CPU)
	}
	return CPUAgent(e.CPU)
}

// MeetsBuffer says whether it makes a difference to the event what its CPU's store
// buffer holds back, or it changes that; loads see the stores to their own word besides.
func (e *Event) MeetsBuffer() bool { return concerns(e.Op) }

// trace tells the tracer of an event.
func (t *Thread) trace(op Op, pa PA, read, wrote uint64, ok bool) {
	t.tell(op, pa, read, wrote, ok, nil)
}

// tell is trace with what a wait saw.
func (t *Thread) tell(op Op, pa PA, read, wrote uint64, ok bool, saw []PA) {
	if t.m.phase == unwinding {
		return
	}
	e := &t.m.event
	e.Step, e.CPU, e.Thread, e.Client = t.m.steps, t.cpu.id, t.handle, t.ctx.num
	e.Op, e.PA, e.Read, e.Wrote, e.OK, e.Saw = op, pa, read, wrote, ok, saw
	e.Name, e.Index = t.ctx.name, max(t.ctx.index, 1)-1
	if o := t.m.order; o != nil {
		e.Write, e.From, e.Stale, e.Held, e.NoReturn = o.write, o.from, o.stale, o.held, o.silent
		o.write, o.from, o.stale, o.held, o.silent = 0, 0, 0, false, false
	}
	t.m.tracer(e)
}

// traceDeliver tells the tracer that an interrupt fired.
func (m *Machine) traceDeliver(l *line) {
	m.event = Event{Step: m.steps, CPU: l.cpu.id, Client: -1, Name: ContextName(LineAgent(l.cpu.id, l.vector)), Op: l.op(), OK: true}
	m.tracer(&m.event)
}

// Sites is the stack of the caller of a tracer, innermost first, without the
// engine's own frames. It is slow.
func Sites() []Site { return sites() }
