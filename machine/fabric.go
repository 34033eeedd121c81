package machine

import (
	"fmt"
	"slices"
	"strings"

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
	agents  []*cacheAgent
	bits    Set
	find    map[PA]*fabricLine
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
	for i := range len(m.cpus) + 1 {
		f.agents = append(f.agents, &cacheAgent{number: i, cpu: m.cpus[i%len(m.cpus)]})
	}
	return f, nil
}

// begin starts a new run: no line has been accessed.
func (f *fabric) begin() {
	m := f.m
	clear(f.find)
	f.used, f.bits, f.held, f.evicted, f.waits, f.ending = 0, 0, 0, 0, f.waits[:0], false
	for i, a := range f.agents {
		if m.nagents == MaxAgents {
			panic(fmt.Sprintf("machine: more than %d CPUs, store buffers and caches", MaxAgents))
		}
		name, p := HomeAgent, homePath
		if i < len(m.cpus) {
			name, p = CacheAgent(i), cachePaths[i]
		}
		a.ctx, a.bit, a.lines = m.newContext(p.path, p.name, nil), Only(m.nagents), 0
		f.bits |= a.bit
		m.agents[m.nagents] = agent{name: name, cpu: a.cpu, cache: a}
		m.nagents++
	}
}

// line is the line of an address, which is in memory.
func (f *fabric) line(pa PA) *fabricLine {
	pa &^= lineBytes - 1
	l := f.find[pa]
	if l != nil {
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
	f.find[pa] = l
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
		f.changed(l)
	}
	return o
}

func (f *fabric) broken(l *fabricLine, v *protocol.Violation) {
	f.m.abort(Incoherent, "%s: %s, line %s (protocol %s)", v.Property, v.Detail, f.m.NameAddr(VA(l.pa)), f.system.Protocol.Name)
}

// changed has all who have to do with a line look again.
func (f *fabric) changed(l *fabricLine) {
	for _, w := range f.waits {
		if c := w.t.cpu; c != nil && c.cur.wait == w && w.at[0].pa&^(lineBytes-1) == l.pa {
			c.refresh() // and asks again
		}
	}
	if o := f.m.order; o != nil {
		for _, b := range o.buffers {
			if b == nil || len(b.stores) == 0 {
				continue
			}
			for i := range b.stores {
				if b.stores[i].at.pa&^(lineBytes-1) == l.pa {
					f.ask(b.cpu, l, true)
				}
			}
			o.refresh(b)
		}
	}
	f.refresh(l)
}

// refresh says at which agents something can arrive for a line.
func (f *fabric) refresh(l *fabricLine) {
	if l.held {
		l.held, f.held = false, f.held-1
	}
	can := Set(0)
	f.next = f.system.Deliveries(l.state, f.next[:0])
	for _, d := range f.next {
		switch a := f.agentOf(d); {
		case d.Happens():
		case !f.holds(a, l):
			can |= Only(a)
		case !l.held:
			l.held, f.held = true, f.held+1
		}
	}
	for i, a := range f.agents {
		if was := l.can.Has(i); was != can.Has(i) {
			if was {
				a.lines--
			} else {
				a.lines++
			}
			f.m.set(a.bit, a.lines > 0, false)
		}
	}
	l.can = can
}

// recheck looks again at what is held, when a CPU or a store buffer has moved.
func (f *fabric) recheck() {
	for _, l := range f.lines[:f.used] {
		if l.held {
			f.refresh(l)
		}
	}
}

// agentOf is the number of the agent that makes a step.
func (f *fabric) agentOf(d protocol.Delivery) int {
	p := f.system.Receiver(d)
	for cpu, q := range f.cpus {
		if q == p {
			return cpu
		}
	}
	return len(f.cpus)
}

// holds says whether a cache leaves messages for a line in their channels: its CPU has
// waited for the line and can go on. In the fair phase a store buffer counts, too.
func (f *fabric) holds(agent int, l *fabricLine) bool {
	if f.ending {
		return false
	}
	for _, w := range f.waits {
		if c := w.t.cpu; c != nil && c.id == agent && c.cur.wait == w && w.at[0].pa&^(lineBytes-1) == l.pa &&
			f.m.enabled&c.bit != 0 && f.has(c, w.at[0], w.blocked.Kind.Writes()) {
			return true
		}
	}
	if o := f.m.order; o != nil && f.m.phase == fair && agent < len(o.buffers) && o.buffers[agent] != nil {
		b := o.buffers[agent]
		for i := range b.stores {
			if o.ready(b).Has(i) && b.stores[i].at.pa&^(lineBytes-1) == l.pa {
				return true
			}
		}
	}
	return false
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

// step is a step of an agent: something arrives.
func (f *fabric) step(a *cacheAgent) {
	m, x := f.m, a.ctx
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
	d := f.choose(a)
	l := d.line
	note := ""
	if m.tracer != nil {
		note = f.system.DeliveryName(l.state, d.step)
	}
	if d.step.Happens() {
		f.evicted++
	}
	if v := f.system.Deliver(l.state, d.step); v != nil {
		f.broken(l, v)
	}
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
	f.changed(l)
}

// choose is what arrives at an agent next.
func (f *fabric) choose(a *cacheAgent) delivery {
	f.choices = f.choices[:0]
	free := f.m.phase == adversarial
	for _, happens := range [...]bool{false, true} {
		if happens && (!free || f.evicted >= f.m.limits.Evictions) {
			break
		}
		for _, l := range f.lines[:f.used] {
			if !happens && !l.can.Has(a.number) || happens && f.holds(a.number, l) {
				continue
			}
			f.next = f.system.Deliveries(l.state, f.next[:0])
			for _, d := range f.next {
				if d.Happens() == happens && f.agentOf(d) == a.number && len(f.choices) < 64 {
					f.choices = append(f.choices, delivery{l, d})
				}
			}
		}
		if !free {
			break
		}
	}
	if !free {
		return f.choices[0]
	}
	return f.choices[f.m.choose(a.ctx, a.cpu, Deliver, len(f.choices))]
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

// describe is where a line is, in words.
func (f *fabric) describe(l *fabricLine) string {
	var out []string
	for _, p := range f.system.Describe(l.state) {
		if p.Value != "" && p.Name != "written last" {
			out = append(out, p.Name+" "+p.Value)
		}
	}
	return strings.Join(out, "; ")
}

// end has everything arrive: contexts that are cut off, as idle ones are, wait no more.
func (f *fabric) end() {
	f.ending = true
	f.recheck()
}

// unsettled is what is wrong at the end of a run, when everything that could arrive has;
// or empty.
func (f *fabric) unsettled() string {
	for _, l := range f.lines[:f.used] {
		name := f.m.NameAddr(VA(l.pa))
		if !f.system.Quiescent(l.state) {
			return fmt.Sprintf("quiescence: line %s never comes to rest (protocol %s): %s", name, f.system.Protocol.Name, f.describe(l))
		}
		if why := f.compare(l); why != "" {
			return why
		}
	}
	if o := f.m.order; o != nil {
		for _, b := range o.buffers {
			if b != nil && len(b.stores) > 0 {
				return fmt.Sprintf("quiescence: a store that CPU %d holds back never takes effect (protocol %s)", b.cpu.id, f.system.Protocol.Name)
			}
		}
	}
	return ""
}

// compare has each CPU load a line at the end: what the copies hold, or else memory, must
// be what was written last.
func (f *fabric) compare(l *fabricLine) string {
	for cpu, p := range f.cpus {
		o, broken := f.system.Do(l.state, p, protocol.LoadEvent)
		for d := f.arrival(l); d != nil && broken == nil; d = f.arrival(l) {
			broken = f.system.Deliver(l.state, *d)
		}
		if o != protocol.Hit && broken == nil {
			o, broken = f.system.Do(l.state, p, protocol.LoadEvent)
		}
		if broken != nil || o != protocol.Hit {
			return fmt.Sprintf("quiescence: CPU %d can't load line %s at the end (protocol %s): %s", cpu, f.m.NameAddr(VA(l.pa)), f.system.Protocol.Name, f.describe(l))
		}
		for i, v := range l.contents[f.system.Value(l.state, p)] {
			if w, _ := f.m.mem.word(l.pa + PA(8*i)); w != nil && *w != v {
				return fmt.Sprintf("data value: at the end CPU %d loads %#x from %s, but %#x was written last (protocol %s)",
					cpu, v, f.m.NameAddr(VA(l.pa)+VA(8*i)), *w, f.system.Protocol.Name)
			}
		}
	}
	return ""
}

// arrival is the first message of a line that can arrive, or nil.
func (f *fabric) arrival(l *fabricLine) *protocol.Delivery {
	f.next = f.system.Deliveries(l.state, f.next[:0])
	for i := range f.next {
		if !f.next[i].Happens() {
			return &f.next[i]
		}
	}
	return nil
}
