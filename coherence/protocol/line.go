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

// String is load, store or evict.
func (e ProcessorEvent) String() string { return [...]string{eventLoad, eventStore, eventEvict}[e] }

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
	from   int16 // the channel, by its number among the sources; or the controller
	number int16 // of the message in the channel; or of the event
	rule   int32 // that applies
	event  bool
}

// ByItself says whether it is an event that happens by itself, not the arrival of a message.
func (d Delivery) ByItself() bool { return d.event }

// Rule is the number of the rule that a delivery uses, an index of System.Rules; -1 if the
// message is impossible where it arrives.
func (d Delivery) Rule() int { return int(d.rule) }

// Rule is the number of the rule that a processor's event uses, or -1 if it is Refused.
func (s *System) Rule(line []byte, processor int, e ProcessorEvent) int {
	r := run{s: s, state: line}
	r.begin(line, s.serving[processor], 0)
	return r.find(int(e)).index()
}

// index is the number of the rule, or -1 for none.
func (x *rule) index() int {
	if x == nil {
		return -1
	}
	return x.number
}

// Receiver is the processor whose controller makes the step, or -1 if none uses it.
func (s *System) Receiver(d Delivery) int {
	if d.event {
		return s.actors[d.from].processor
	}
	return s.sources[d.from].to.processor
}

// Quiescent says whether nothing is in progress on a line, and no processor would have to
// wait for it.
func (s *System) Quiescent(line []byte) bool { return (&worker{s: s, run: run{s: s}}).Quiescent(line) }

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
	r := run{s: s, state: line}
	r.begin(line, s.serving[processor], 0)
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
	return s.deliveries(line, to, false)
}

// Arrivals appends, beside the Deliveries, those of messages that their receivers would
// leave in the channels: the rules of these stall.
func (s *System) Arrivals(line []byte, to []Delivery) []Delivery {
	return s.deliveries(line, to, true)
}

// deliveries are those that can be made, and perhaps those that must wait.
func (s *System) deliveries(line []byte, to []Delivery, all bool) []Delivery {
	r := run{s: s, state: line}
	for i := range s.actors {
		a := &s.actors[i]
		for _, e := range a.table.happens[line[a.at]] {
			if e < evOwn {
				continue
			}
			r.begin(line, a.controller, 0)
			if x := r.find(e); x != nil && x.how == acts {
				to = append(to, Delivery{int16(i), int16(e), int32(x.number), true})
			}
		}
	}
	for i := range s.sources {
		x := &s.sources[i]
		last := uint32(0)
		for n := range x.next {
			word := x.word(line, x.at, n)
			if word == 0 {
				break
			}
			if word == last {
				continue
			}
			last = word
			r.receive(line, x, word)
			if x := r.find(r.form.event); all || x == nil || x.how != stalls {
				to = append(to, Delivery{int16(i), int16(n), int32(x.index()), false})
			}
		}
	}
	return to
}

// word is the n-th message, or 0.
func (p *place) word(state []byte, at, n int) uint32 {
	if p.width == 0 {
		return min(1, uint32(state[at]))
	}
	return p.get(state, at, n)
}

// receive makes the run of the arrival of a message.
func (r *run) receive(state []byte, from *source, word uint32) {
	addr := from.addr
	if addr < 0 {
		addr = from.place.addr(word)
	}
	r.begin(state, from.to, addr)
	r.word, r.form, r.sender = word, &from.forms[word&from.typeMask], from.sender
}

// Deliver makes a step of those that Deliveries has named.
func (s *System) Deliver(line []byte, d Delivery) *Violation {
	r := run{s: s, state: line}
	if d.event {
		r.begin(line, s.actors[d.from].controller, 0)
		r.apply(r.find(int(d.number)))
		return r.violation(s.eventNames(r.c.kind)[d.number])
	}
	from := &s.sources[d.from]
	r.receive(line, from, from.word(line, from.at, int(d.number)))
	x := r.find(r.form.event)
	if x == nil {
		r.broken = impossible
		return r.violation(r.form.message.name)
	}
	from.pop(line, from.at, int(d.number))
	r.apply(x)
	return r.violation(r.form.message.name)
}

// DeliveryName is a delivery in words.
func (s *System) DeliveryName(line []byte, d Delivery) string {
	if d.event {
		return s.StepName(step(stepHappens, s.actors[d.from].number, 0, int(d.number)))
	}
	from := &s.sources[d.from]
	w := from.word(line, from.at, int(d.number))
	return s.StepName(step(stepArrives, from.number, 0, from.forms[w&from.typeMask].message.number))
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

// ForNodes are the parameters with which a system has a controller for every processor of
// nodes with so many processors each, and how many of its own processors a node has: more
// than some nodes need, if the protocol has levels and the nodes differ.
func (p *Protocol) ForNodes(processors []int) (parameters map[string]int, perNode int, err error) {
	total, most := 0, 0
	for _, n := range processors {
		total, most = total+n, max(most, n)
	}
	for _, k := range p.kinds {
		switch {
		case !k.serves():
		case k.many == "" || parameters != nil:
			return nil, 0, fmt.Errorf("protocol %s has no kind of controller of which there is one for each processor", p.Name)
		case k.in == nil || k.in.many == "":
			parameters = map[string]int{k.many: total}
		default:
			parameters, perNode = map[string]int{k.in.many: len(processors), k.many: most}, most
		}
	}
	if parameters == nil {
		err = fmt.Errorf("protocol %s has no controller that a processor uses", p.Name)
	}
	return parameters, perNode, err
}
