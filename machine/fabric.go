package machine

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/coherence/protocol"
)

// fabric is a storage of messages: every CPU has a cache, and accesses travel a coherence
// protocol. The caches hold the data. The memory of the machine is kept beside them and
// always has the newest, which is what a copy that may be read must hold.
//
// A line of memory has a state of the protocol of its own, from the first access on. An
// access that its cache can't serve asks for the line, and its CPU rests until the line is
// there; then the cache leaves other messages for the line in their channels until the
// access is done, so that no line is taken away for ever before it was used. A store that
// a store buffer holds back asks at once and takes effect when the line is there, so that
// a CPU can have several lines under way.
type fabric struct {
	m       *Machine
	system  *protocol.System
	cpus    []int // the processor of the protocol that a CPU is
	agentAt []int // by processor: the number of its agent
	agents  []*cacheAgent
	bits    Set
	find    map[PA]*fabricLine
	last    *fabricLine   // that was found last, or nil
	lines   []*fabricLine // in the order of the first accesses; used of them
	used    int
	waits   []*waiting // for lines
	ending  bool       // the run is over: nothing is held any more
	held    int        // lines of which something is held
	evicted int
	next    []protocol.Delivery
	choices []delivery
}

// cacheAgent delivers what arrives at the cache of a CPU, or at all other controllers.
type cacheAgent struct {
	number int
	cpu    *cpu
	ctx    *context
	bit    Set
	lines  int // for which something can arrive
}

// fabricLine is a line: its state, and the contents that the values of the state mean.
type fabricLine struct {
	pa       PA
	state    []byte
	contents [][lineBytes / 8]uint64
	can      Set  // the agents at which something can arrive
	held     bool // something else waits for an access; see fabric.holds
}

// covers says whether an access is to the line.
func (l *fabricLine) covers(a access) bool { return a.pa&^(lineBytes-1) == l.pa }

// delivery is a step of a line.
type delivery struct {
	line *fabricLine
	step protocol.Delivery
}

func newFabric(m *Machine, p Platform) (*fabric, error) {
	var nodes []int
	for _, n := range p.Nodes {
		nodes = append(nodes, n.CPUs)
	}
	parameters, perNode, err := p.Storage.ForNodes(nodes)
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	f := &fabric{m: m, find: map[PA]*fabricLine{}}
	if f.system, err = p.Storage.Build(protocol.Config{Parameters: parameters, Values: 255}); err != nil {
		return nil, fmt.Errorf("storage for nodes of %v CPUs: %w", nodes, err)
	}
	for node, n := range nodes {
		for i := range n {
			processor := len(f.cpus)
			if perNode > 0 {
				processor = node*perNode + i
			}
			f.cpus = append(f.cpus, processor)
		}
	}
	for range f.system.Processors() {
		f.agentAt = append(f.agentAt, len(f.cpus))
	}
	for cpu, p := range f.cpus {
		f.agentAt[p] = cpu
	}
	for i := range len(m.cpus) + 1 {
		f.agents = append(f.agents, &cacheAgent{number: i, cpu: m.cpus[i%len(m.cpus)]})
	}
	return f, nil
}

// begin starts a new run: no line has been accessed.
func (f *fabric) begin() {
	m := f.m
	clear(f.find)
	f.last = nil
	f.used, f.bits, f.held, f.evicted, f.waits, f.ending = 0, 0, 0, 0, f.waits[:0], false
	for i, a := range f.agents {
		name, p := HomeAgent, homePath
		if i < len(m.cpus) {
			name, p = CacheAgent(i), cachePaths[i]
		}
		a.ctx, a.lines = m.newContext(p.path, p.name, nil), 0
		a.bit = m.addAgent(agent{name: name, cpu: a.cpu, cache: a})
		f.bits |= a.bit
	}
}

// line is the line of an address, which is in memory.
func (f *fabric) line(pa PA) *fabricLine {
	pa &^= lineBytes - 1
	if f.last != nil && f.last.pa == pa {
		return f.last
	}
	l := f.find[pa]
	if f.last = l; l != nil {
		return l
	}
	if f.used == len(f.lines) {
		f.lines = append(f.lines, &fabricLine{state: f.system.NewLine()})
	}
	l = f.lines[f.used]
	f.used++
	clear(l.state)
	l.pa, l.can, l.held, l.contents = pa, 0, false, append(l.contents[:0], [lineBytes / 8]uint64{})
	for i := range l.contents[0] {
		if v, _ := f.m.mem.word(pa + PA(8*i)); v != nil {
			l.contents[0][i] = *v
		}
	}
	f.find[pa], f.last = l, l
	return l
}

// has says whether the cache of a CPU can serve an access.
func (f *fabric) has(c *cpu, at access, write bool) bool {
	l := f.line(at.pa)
	if write {
		return f.system.Writable(l.state, f.cpus[c.id])
	}
	return f.system.Readable(l.state, f.cpus[c.id])
}

// granted says whether an operation of t can access memory now. If not, the line is asked
// for. Waited says that it was waited for already, and so is not evicted.
func (f *fabric) granted(t *Thread, op Op, at access, waited bool) bool {
	if o := f.m.order; f.m.phase == unwinding || op.Kind == OpStore && o != nil && o.buffers[t.cpu.id] != nil {
		return true // a store may be held back
	}
	l := f.line(at.pa)
	if f.has(t.cpu, at, op.Kind.Writes()) && (waited || !f.evicts(t, l)) {
		return true
	}
	f.ask(t.cpu, l, op.Kind.Writes())
	return false
}

// evicts asks whether the copy that an access finds has been evicted.
func (f *fabric) evicts(t *Thread, l *fabricLine) bool {
	m := f.m
	if m.phase != adversarial || f.evicted >= m.limits.Evictions || m.choose(t.ctx, t.cpu, Evict, 2) == 0 {
		return false
	}
	f.evicted++
	return f.do(t.cpu, l, protocol.EvictEvent) == protocol.Acted
}

// ask asks for a line, unless that is under way.
func (f *fabric) ask(c *cpu, l *fabricLine, write bool) {
	switch {
	case write && !f.system.Writable(l.state, f.cpus[c.id]):
		f.do(c, l, protocol.StoreEvent)
	case !write && !f.system.Readable(l.state, f.cpus[c.id]):
		f.do(c, l, protocol.LoadEvent)
	}
}

// do puts an event to the cache of a CPU.
func (f *fabric) do(c *cpu, l *fabricLine, e protocol.ProcessorEvent) protocol.Outcome {
	o, broken := f.system.Do(l.state, f.cpus[c.id], e)
	if broken != nil {
		f.broken(l, broken)
	}
	if o == protocol.Acted {
		note := ""
		if f.m.tracer != nil {
			note = fmt.Sprintf("%s: %s", f.system.Name(f.cpus[c.id]), e)
		}
		f.tell(f.agents[c.id], l, note)
		f.changed(l)
	}
	return o
}

// tell accounts that something has changed a line, and tells the tracer in words.
func (f *fabric) tell(a *cacheAgent, l *fabricLine, note string) {
	m, x := f.m, a.ctx
	for _, b := range l.state {
		x.hash = (x.hash ^ uint64(b)) * 0x100000001b3
	}
	x.hash = mix(x.hash, uint64(l.pa))
	m.hash = mix(m.hash, x.hash)
	if m.tracer != nil && m.phase != unwinding {
		m.event = Event{
			Step: m.steps, CPU: a.cpu.id, Client: x.num, Index: max(x.index, 1) - 1, Name: x.name, OK: true,
			Op: Op{Kind: OpMessage, Addr: VA(l.pa)}, Note: note,
		}
		m.tracer(&m.event)
	}
}

func (f *fabric) broken(l *fabricLine, v *protocol.Violation) {
	f.m.abort(Incoherent, "%s: %s, line %s (protocol %s)", v.Property, v.Detail, f.m.NameAddr(VA(l.pa)), f.system.Protocol.Name)
}

// changed has all who have to do with a line look again.
func (f *fabric) changed(l *fabricLine) {
	for _, w := range f.waits {
		if c := w.t.cpu; c != nil && c.cur.wait == w && l.covers(w.at[0]) {
			c.refresh() // and asks again
		}
	}
	if o := f.m.order; o != nil {
		for _, b := range o.buffers {
			if b == nil || len(b.stores) == 0 {
				continue
			}
			for i := range b.stores {
				if l.covers(b.stores[i].at) {
					f.ask(b.cpu, l, true)
				}
			}
			o.refresh(b)
		}
	}
	f.refresh(l)
}

// restForLine announces op, which can only be executed when the cache has the line.
func (t *Thread) restForLine(op announced, at access) {
	f, w := t.m.fabric, &t.ctx.stall
	w.t, w.at, w.blocked, w.fetches = t, append(w.at[:0], at), op.op(), true
	f.waits = append(f.waits, w)
	defer f.waitsNoMore(w)
	t.rest(w, op.op())
	w.fetches = false
}

// waitsNoMore ends a wait: the access is next, and what was held for it can arrive then.
func (f *fabric) waitsNoMore(w *waiting) {
	i := slices.Index(f.waits, w)
	f.waits = slices.Delete(f.waits, i, i+1)
	if f.m.phase != unwinding {
		f.refresh(f.line(w.at[0].pa))
	}
}

// read has the cache of a CPU serve a load, if it can, and looks whether the copy holds
// what was written last.
func (f *fabric) read(c *cpu, a access) {
	if f.m.phase == unwinding || !f.has(c, a, false) {
		return
	}
	l := f.line(a.pa)
	if f.do(c, l, protocol.LoadEvent) == protocol.Hit {
		if v := l.contents[f.system.Value(l.state, f.cpus[c.id])][a.pa/8%(lineBytes/8)]; v != *a.val {
			f.m.abort(Incoherent, "data value: the copy of %s in the cache of CPU %d is %#x, but %#x was written last (protocol %s)",
				f.m.NameAddr(VA(a.pa&^7)), c.id, v, *a.val, f.system.Protocol.Name)
		}
	}
}

// write has the cache of a CPU serve a store, which memory has already.
func (f *fabric) write(c *cpu, a access) {
	if f.m.phase == unwinding {
		return
	}
	l, p := f.line(a.pa), f.cpus[c.id]
	if !f.system.Writable(l.state, p) {
		panic("machine: a store to a line that its cache does not own")
	}
	old := l.contents[f.system.Value(l.state, p)]
	f.do(c, l, protocol.StoreEvent)
	used := f.system.Used(l.state)
	v := 0
	for used[v] {
		v++
	}
	if v == len(l.contents) {
		l.contents = append(l.contents, old)
	}
	l.contents[v] = old
	l.contents[v][a.pa/8%(lineBytes/8)] = *a.val
	f.system.SetValue(l.state, p, uint8(v))
	f.m.hash = mix(f.m.hash, uint64(v))
}
