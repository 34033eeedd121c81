package protocol

import (
	"embed"
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/transition"
)

//go:embed *.protocol
var texts embed.FS

// Names are those of the protocols that are built in, in order.
func Names() []string {
	entries, err := texts.ReadDir(".")
	if err != nil {
		panic("protocol: the embedded tables: " + err.Error())
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".protocol"))
	}
	return out
}

// Text is the text of a protocol that is built in.
func Text(name string) (string, error) {
	b, err := texts.ReadFile(name + ".protocol")
	if err != nil {
		return "", fmt.Errorf("there is no protocol %s: use %s", name, quoted(Names()))
	}
	return string(b), nil
}

// Load is a protocol that is built in.
func Load(name string) (*Protocol, error) {
	text, err := Text(name)
	if err != nil {
		return nil, err
	}
	return Parse(name+".protocol", text)
}

// The kinds of step.
const (
	stepHappens = iota
	stepWrites
	stepArrives
)

// step encodes a step: its kind, the controller that the event or the channel belongs to,
// the address, and the event, the value, or the message.
func step(kind, control, addr, n int) transition.Step {
	return transition.Step(kind | control<<2 | addr<<10 | n<<12)
}

// numberOf is the event, the value, or the message of a step.
func numberOf(x transition.Step) int { return int(x >> 12 & 0xff) }

// arrival is the step of a message, which is another for one with other fields: a message
// that stays in its bag has not arrived because one of the same name has.
func arrival(from *source, addr int, m *message, word uint32) transition.Step {
	fields := word / (from.typeMask + 1)
	fields ^= fields>>12 ^ fields>>24
	return step(stepArrives, from.number, addr, m.number|int(fields&0xfff)<<8)
}

// StepName is a step in words.
func (s *System) StepName(x transition.Step) string {
	c, n := &s.controls[x>>2&0xff], numberOf(x)
	at := ""
	if s.Addresses > 1 {
		at = fmt.Sprintf(" of line %d", x>>10&3)
	}
	switch x & 3 {
	case stepHappens:
		return fmt.Sprintf("%s: %s%s", c.name, s.eventNames(c.kind)[n], at)
	case stepWrites:
		return fmt.Sprintf("%s: store of %d hits%s", c.name, n, at)
	}
	m := s.Protocol.messages[n]
	if m.in.perSender {
		return fmt.Sprintf("%s: %s%s arrives from %s", s.controls[c.near[m.in.to.number]].name, m.name, at, c.name)
	}
	return fmt.Sprintf("%s: %s%s arrives", c.name, m.name, at)
}

// eventNames are the events of a kind, by their numbers.
func (s *System) eventNames(k *kind) []string {
	out := []string{eventLoad, eventStore, eventEvict}
	for _, e := range k.events {
		out = append(out, e.name)
	}
	for _, m := range s.Protocol.messages {
		if m.in.to == k {
			out = append(out, m.name)
		}
	}
	return out
}

// Model is the system as the checker of model/transition explores it. Its properties are
// that of the processors' copies of a line one that may be written is the only one
// or used ("single writer"); that each which may be read is what was written last ("data value");
// that no event is impossible; that no channel, no count and no field of a message overflows;
// and that each message has a receiver. Beside these, a processor is served: it is not for
// ever that its controller is in a transient state, or in one where a load or a store stalls. Messages arrive fairly; what processors do, and what happens by itself, need
// not happen. Cover, if it is not nil, counts which rules were used.
func (s *System) Model(cover *Coverage) *transition.Model {
	m := &transition.Model{
		Name:         s.Protocol.Name,
		Size:         s.size,
		Initial:      [][]byte{make([]byte, s.size)},
		Properties:   properties,
		NewWorker:    func() transition.Worker { return s.newWorker(cover) },
		StepName:     s.StepName,
		Describe:     s.Describe,
		Rule:         s.StepRule,
		Permutations: s.permutations(),
		Fair:         func(x transition.Step) bool { return x&3 == stepArrives },
	}
	for _, c := range s.serving {
		for addr := range s.Addresses {
			m.Pending = append(m.Pending, transition.Pending{
				Name:  fmt.Sprintf("%s is served%s", c.name, s.ofLine(addr)),
				Holds: func(state []byte) bool { return (&run{s: s}).busy(state, c, addr) },
			})
		}
	}
	return m
}

func (s *System) ofLine(addr int) string {
	if s.Addresses == 1 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", addr)
}

// worker explores a system.
type worker struct {
	s     *System
	used  []uint64 // by number of the rule; nil if nobody counts
	run   run
	yield func(transition.Step, []byte, int)
	canon *canonical
}

func (s *System) newWorker(cover *Coverage) *worker {
	return &worker{s: s, used: cover.part(s), run: run{s: s, state: make([]byte, s.size)}}
}

// Next makes every step of a state.
func (w *worker) Next(state []byte, yield func(transition.Step, []byte, int)) {
	s, r := w.s, &w.run
	w.yield = yield
	if w.used != nil {
		w.rest(state)
	}
	for i := range s.actors {
		a := &s.actors[i]
		for _, e := range a.table.happens[state[a.at]] {
			r.begin(state, a.controller, a.addr)
			w.happens(state, a.number, e)
		}
	}
	for i := range s.sources {
		x := &s.sources[i]
		if state[x.at] == 0 {
			continue // the type of a message is in its first byte
		}
		last := uint32(0)
		for n := range x.next {
			word := x.word(state, x.at, n)
			if word == 0 {
				break
			}
			if word != last {
				w.arrives(state, x, n, word)
			}
			last = word
		}
	}
}

// happens makes the step of an event that happens by itself.
func (w *worker) happens(state []byte, i, event int) {
	r := &w.run
	if r.line[0] == 0 && event < evEvict && r.full(state) {
		return
	}
	x := r.find(event)
	if x == nil {
		return
	}
	if event >= evOwn && r.c.kind.events[event-evOwn].block {
		w.toAll(state, nil, 0, step(stepHappens, i, 0, event), event)
		return
	}
	switch {
	case x.how == acts || x.how == hits && event == evLoad: // a hit that is here moves
		w.count(x)
		r.fork(state)
		r.apply(x)
		w.yield(step(stepHappens, i, r.addr, event), r.state, r.broken)
	case x.how == hits:
		w.count(x)
		for v := range w.s.Values {
			r.fork(state)
			r.apply(x)
			r.line[r.c.table.value] = uint8(v)
			r.state[w.s.latest+r.addr] = uint8(v)
			w.yield(step(stepWrites, i, r.addr, v), r.state, r.broken)
		}
	}
}

// arrives delivers the n-th message of a channel.
func (w *worker) arrives(state []byte, from *source, n int, word uint32) {
	r := &w.run
	r.receive(state, from, word)
	x := r.find(r.form.event)
	name := arrival(from, r.addr, r.form.message, word)
	if x == nil {
		copy(r.state, state)
		w.yield(name, r.state, impossible)
		return
	}
	if from.channel.block {
		w.toAll(state, from, n, name, r.form.event)
		return
	}
	w.count(x)
	if x.how == stalls {
		return
	}
	r.fork(state)
	from.pop(r.state, from.at, n)
	r.apply(x)
	w.yield(name, r.state, r.broken)
}

// toAll makes the step of an event for all lines of a controller. It has looked at the
// first of them; from is the channel of its message, or nil.
func (w *worker) toAll(state []byte, from *source, n int, name transition.Step, event int) {
	r := &w.run
	if r.addr > 0 {
		return // an event that happens by itself, which line 0 has led to already
	}
	for addr := range w.s.Addresses {
		r.begin(state, r.c, addr)
		switch x := r.find(event); {
		case x == nil && from != nil:
			copy(r.state, state)
			w.yield(name, r.state, impossible)
			return
		case x == nil:
			return
		case x.how == stalls:
			w.count(x)
			return
		}
	}
	copy(r.state, state)
	if from != nil {
		from.pop(r.state, from.at, n)
	}
	broken := fine
	for addr := range w.s.Addresses {
		r.begin(r.state, r.c, addr)
		x := r.find(event)
		w.count(x)
		r.apply(x)
		broken = max(broken, r.broken)
	}
	w.yield(name, r.state, broken)
}

// Check says which property a state violates.
func (w *worker) Check(state []byte) int {
	s := w.s
	for addr := range s.Addresses {
		holders, writers, stale := 0, 0, false
		for _, c := range s.serving {
			t := c.table
			at := c.base + addr*t.line
			st := state[at]
			if t.writable[st] {
				writers++
			}
			if t.readable[st] || t.writable[st] {
				holders++
			}
			stale = stale || t.readable[st] && state[at+t.value] != state[s.latest+addr]
		}
		if writers > 0 && holders > 1 {
			return singleWriter
		}
		if stale {
			return dataValue
		}
	}
	return transition.NoProperty
}

// busy says whether a controller is in a transient state, or has its processor wait.
func (r *run) busy(state []byte, c *controller, addr int) bool {
	st := state[c.base+addr*c.table.line]
	if !c.kind.stable[st] {
		return true
	}
	if !c.table.stalls[st] {
		return false
	}
	r.begin(state, c, addr)
	for e := evLoad; e <= evStore; e++ {
		if x := r.find(e); x != nil && x.how == stalls {
			return true
		}
	}
	return false
}

// Quiescent says whether no message is on its way, and no controller in a transient state,
// nor one whose processor would have to wait.
func (w *worker) Quiescent(state []byte) bool {
	s := w.s
	for i := range s.controls {
		c := &s.controls[i]
		for addr := range s.Addresses {
			if w.run.busy(state, c, addr) {
				return false
			}
		}
		for _, b := range state[c.base+s.Addresses*c.table.line : c.base+c.table.size] {
			if b != 0 {
				return false
			}
		}
	}
	return true
}

// Describe is a state in words: each controller, and what is in its channels.
func (s *System) Describe(state []byte) []transition.Part {
	var out []transition.Part
	for i := range s.controls {
		c := &s.controls[i]
		for addr := range s.Addresses {
			out = append(out, transition.Part{Name: c.name + s.ofLine(addr), Value: s.describeLine(state, c, addr)})
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			dir := "to"
			if p.channel.perSender {
				dir = "from"
			}
			out = append(out, transition.Part{
				Name:  fmt.Sprintf("%s %s %s", p.channel.name, dir, c.name),
				Value: s.describeChannel(state, c, p),
			})
		}
	}
	for addr := range s.Addresses {
		out = append(out, transition.Part{Name: "written last" + s.ofLine(addr), Value: fmt.Sprint(state[s.latest+addr])})
	}
	return out
}

// describeLine is a controller's state with the variables that are not zero.
func (s *System) describeLine(state []byte, c *controller, addr int) string {
	at := c.base + addr*c.table.line
	out := c.kind.states[state[at]]
	for i, v := range c.kind.vars {
		if b := state[at+1+i]; b != 0 || v.typ.base == baseValue && c.table.readable[state[at]] && v.name == nameValue {
			out += fmt.Sprintf(" %s=%s", v.name, s.describe(c, v.typ, b))
		}
	}
	return out
}

// describe is a number of a type, as a controller sees it.
func (s *System) describe(c *controller, t typ, b uint8) string {
	switch t.base {
	case baseCount:
		return fmt.Sprint(int8(b))
	case baseEnum:
		return t.names[b]
	case baseID:
		if b == 0 {
			return "none"
		}
		return s.controls[c.first[t.of.number]+b-1].name
	case baseSet:
		var names []string
		for i := range uint8(maxMembers) {
			if b>>i&1 != 0 {
				names = append(names, s.controls[c.first[t.of.number]+i].name)
			}
		}
		return "{" + strings.Join(names, " ") + "}"
	}
	return fmt.Sprint(b)
}

// describeChannel is what is in a channel.
func (s *System) describeChannel(state []byte, c *controller, p *place) string {
	var out []string
	instances := 1
	if p.stride > 0 {
		instances = s.Addresses
	}
	for k := range instances {
		at := c.base + p.offset + k*p.stride
		if p.width == 0 {
			for range state[at] {
				out = append(out, p.forms[1].message.name+s.ofLine(k))
			}
			continue
		}
		for i := range p.capacity {
			if w := p.get(state, at, i); w != 0 {
				addr := k
				if p.stride == 0 {
					addr = p.addr(w)
				}
				out = append(out, s.describeMessage(c, p, w)+s.ofLine(addr))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (s *System) describeMessage(c *controller, p *place, w uint32) string {
	f := &p.forms[w&p.typeMask]
	if len(f.message.fields) == 0 {
		return f.message.name
	}
	var fields []string
	for j, v := range f.message.fields {
		fields = append(fields, v.name+"="+s.describe(c, v.typ, uint8(w>>f.shifts[j])&f.masks[j]))
	}
	return f.message.name + "(" + strings.Join(fields, " ") + ")"
}
