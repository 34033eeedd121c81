package protocol

import "fmt"

// Outcome is what became of a processor's event.
type Outcome uint8

// The outcomes.
const (
	// Refused: the controller knows no such event in its state, as an eviction of nothing.
	Refused Outcome = iota
	// Stalled: the controller can't take the event now.
	Stalled
	// Acted: the controller did something about it; a load or a store is not performed yet.
	Acted
	// Hit: the load or the store is to be performed now, with Value or SetValue.
	Hit
)

// ProcessorEvent is what a processor asks of its cache.
type ProcessorEvent uint8

// The events.
const (
	LoadEvent  ProcessorEvent = evLoad
	StoreEvent ProcessorEvent = evStore
	EvictEvent ProcessorEvent = evEvict
)

// Violation is a rule of the protocol that a step breaks.
type Violation struct {
	Property string
	Detail   string
}

// Error says which property, and where.
func (v *Violation) Error() string { return v.Property + ": " + v.Detail }

// Delivery is a step that a line can make by itself: the arrival of a message, or an event
// that happens by itself.
type Delivery struct {
	control, channel int16 // channel is -1 for an event
	number           int16 // of the message in the channel, or of the event
}

// NewLine is the initial state of a line of a system that has one address. The methods
// that take a line change it in place.
func (s *System) NewLine() []byte { return make([]byte, s.size) }

// Processors is how many controllers are used by a processor each, numbered from 0.
func (s *System) Processors() int { return len(s.serving) }

// Name is the name of a processor's controller.
func (s *System) Name(processor int) string { return s.serving[processor].name }

// Readable says whether a processor's load hits.
func (s *System) Readable(line []byte, processor int) bool {
	c := s.serving[processor]
	return c.table.readable[line[c.base]]
}

// Writable says whether a processor's store hits.
func (s *System) Writable(line []byte, processor int) bool {
	c := s.serving[processor]
	return c.table.writable[line[c.base]]
}

// Value is what the processor's copy of the line holds, if it is Readable.
func (s *System) Value(line []byte, processor int) uint8 {
	c := s.serving[processor]
	return line[c.base+c.table.value]
}

// SetValue has the processor's copy hold a value, below Values, after a store hit.
func (s *System) SetValue(line []byte, processor int, v uint8) {
	c := s.serving[processor]
	line[c.base+c.table.value] = v
}

// Do puts an event to a processor's controller.
func (s *System) Do(line []byte, processor int, e ProcessorEvent) (Outcome, *Violation) {
	var r run
	r.begin(s, line, s.serving[processor], 0)
	x := r.find(int(e))
	switch {
	case x == nil:
		return Refused, nil
	case x.how == stalls:
		return Stalled, nil
	}
	r.apply(x)
	if x.how == hits {
		return Hit, nil
	}
	return Acted, r.violation(s.eventNames(r.c.kind)[e])
}

// violation is what the run has broken, or nil.
func (r *run) violation(event string) *Violation {
	if r.broken == fine {
		return nil
	}
	return &Violation{properties[r.broken], fmt.Sprintf("%s at %s in state %s", event, r.c.name, r.c.kind.states[r.line[0]])}
}

// Deliveries appends the steps that the line can make by itself, always in the same order.
// A message that its receiver would leave in the channel is not among them.
func (s *System) Deliveries(line []byte, to []Delivery) []Delivery {
	var r run
	for i := range s.controls {
		c := &s.controls[i]
		for _, e := range c.table.happens[line[c.base]] {
			if e < evOwn {
				continue
			}
			r.begin(s, line, c, 0)
			if x := r.find(e); x != nil && x.how == acts {
				to = append(to, Delivery{int16(i), -1, int16(e)})
			}
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			last := uint32(0)
			for n := range p.messages() {
				word := p.word(line, c.base+p.offset, n)
				if word == 0 {
					break
				}
				if word == last {
					continue
				}
				last = word
				r.receive(s, line, c, p, 0, word)
				if x := r.find(r.form.event); x == nil || x.how != stalls {
					to = append(to, Delivery{int16(i), int16(j), int16(n)})
				}
			}
		}
	}
	return to
}

// messages is how many of the messages of the channel may arrive next, at most.
func (p *place) messages() int {
	if p.channel.fifo || p.width == 0 {
		return 1
	}
	return p.capacity
}

// word is the n-th message, or 0.
func (p *place) word(state []byte, at, n int) uint32 {
	if p.width == 0 {
		return min(1, uint32(state[at]))
	}
	return p.get(state, at, n)
}

// receive makes the run of the arrival of a message from a channel of a controller.
func (r *run) receive(s *System, state []byte, c *controller, p *place, addr int, word uint32) {
	r.word, r.form = word, &p.forms[word&p.typeMask]
	if p.channel.perSender {
		r.sender = c.index + 1
		c = &s.controls[c.near[p.channel.to.number]]
	}
	r.begin(s, state, c, addr)
}

// Deliver makes a step of those that Deliveries has named.
func (s *System) Deliver(line []byte, d Delivery) *Violation {
	var r run
	c := &s.controls[d.control]
	if d.channel < 0 {
		r.begin(s, line, c, 0)
		r.apply(r.find(int(d.number)))
		return r.violation(s.eventNames(c.kind)[d.number])
	}
	p := &c.table.channels[d.channel]
	at := c.base + p.offset
	r.receive(s, line, c, p, 0, p.word(line, at, int(d.number)))
	x := r.find(r.form.event)
	if x == nil {
		r.broken = impossible
		return r.violation(r.form.message.name)
	}
	p.pop(line, at, int(d.number))
	r.apply(x)
	return r.violation(r.form.message.name)
}

// DeliveryName is a delivery in words.
func (s *System) DeliveryName(line []byte, d Delivery) string {
	if d.channel < 0 {
		return s.StepName(step(stepHappens, int(d.control), 0, int(d.number)))
	}
	p := &s.controls[d.control].table.channels[d.channel]
	w := p.word(line, s.controls[d.control].base+p.offset, int(d.number))
	return s.StepName(step(stepArrives, int(d.control), 0, p.forms[w&p.typeMask].message.number))
}

// Used says of each value whether the line holds it anywhere: in a copy, in memory, or in
// a message.
func (s *System) Used(line []byte) (used [256]bool) {
	for i := range s.controls {
		c := &s.controls[i]
		for j, v := range c.kind.vars {
			if v.typ.base == baseValue {
				used[line[c.base+1+j]] = true
			}
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			for n := range p.capacity {
				if p.width == 0 {
					break
				}
				w := p.get(line, c.base+p.offset, n)
				f := &p.forms[w&p.typeMask]
				if w == 0 {
					break
				}
				for k, v := range f.message.fields {
					if v.typ.base == baseValue {
						used[uint8(w>>f.shifts[k])&f.masks[k]] = true
					}
				}
			}
		}
	}
	return used
}
