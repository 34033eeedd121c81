package protocol

import "math/bits"

// What a state or a step can violate; see System.Model.
const (
	singleWriter = iota
	dataValue
	impossible
	overflow
	noReceiver
)

var properties = []string{
	singleWriter: "single writer",
	dataValue:    "data value",
	impossible:   "impossible event",
	overflow:     "overflow",
	noReceiver:   "no receiver",
}

const fine = -1

// run is one event at one controller.
type run struct {
	s      *System
	state  []byte // that it changes
	c      *controller
	line   []byte // of the controller and the address: its state and variables
	addr   int
	word   uint32 // the message
	form   *form
	sender int // id of its sender
	broken int // a property, or fine
}

// begin looks at a controller in a state, to find the rule for an event.
func (r *run) begin(state []byte, c *controller, addr int) {
	at := c.base + addr*c.table.line
	r.c, r.addr, r.broken = c, addr, fine
	r.line = state[at : at+c.table.line]
}

// full says whether the controller has no place for another line.
func (r *run) full(state []byte) bool {
	t := r.c.table
	if t.holds >= r.s.Addresses {
		return false
	}
	n := 0
	for addr := range r.s.Addresses {
		if state[r.c.base+addr*t.line] != 0 {
			n++
		}
	}
	return n >= t.holds
}

// fork has the run change a copy of the state that it looked at.
func (r *run) fork(state []byte) {
	copy(r.state, state)
	at := r.c.base + r.addr*r.c.table.line
	r.line = r.state[at : at+r.c.table.line]
}

// find is the rule that applies to an event, or nil if it is impossible.
func (r *run) find(event int) *rule {
	t := r.c.table
	cell := t.cells[int(r.line[0])*t.events+event]
	for i := range cell {
		if g := cell[i].guard; len(g) == 0 || r.holds(g) {
			return &cell[i]
		}
	}
	return nil
}

func (r *run) holds(guard []test) bool {
	for i := range guard {
		t := &guard[i]
		ok := false
		switch t.op {
		case condEqual:
			ok = r.value(&t.a) == r.value(&t.b)
		case condIn:
			ok = r.members(t.set)&member(r.value(&t.a)) != 0
		case condEmpty:
			ok = r.members(t.set) == 0
		}
		if ok == t.not {
			return false
		}
	}
	return true
}

// member is the set of one controller, or of none.
func member(id uint8) uint8 { return uint8(uint16(1) << id >> 1) }

func (r *run) members(s *subset) uint8 {
	m := s.all
	if s.offset > 0 {
		m = r.line[s.offset]
	}
	if s.less {
		m &^= member(r.value(&s.except))
	}
	return m
}

func (r *run) value(x *sum) uint8 {
	v := uint8(0)
	if x.set != nil {
		v = uint8(bits.OnesCount8(r.members(x.set)))
	} else {
		v = r.arg(x.a)
	}
	if !x.two {
		return v
	}
	n := int(int8(r.arg(x.b)))
	if x.minus {
		n = -n
	}
	n += int(int8(v))
	if n != int(int8(n)) {
		r.broken = overflow
	}
	return uint8(n)
}

func (r *run) arg(a arg) uint8 {
	switch a.op {
	case termVar:
		return r.line[a.n]
	case termField:
		return uint8(r.word>>r.form.shifts[a.n]) & r.form.masks[a.n]
	case termSender:
		return uint8(r.sender)
	case termSelf:
		return uint8(r.c.index + 1)
	}
	return a.n
}

// apply does what a rule says.
func (r *run) apply(x *rule) {
	for i := range x.code {
		in := &x.code[i]
		switch in.op {
		case doAssign:
			v := r.value(&in.v)
			if v > in.most {
				r.broken = overflow
			}
			r.line[in.offset] = v
		case doAssignSet:
			r.line[in.offset] = r.members(in.set)
		case doAdd:
			r.line[in.offset] |= member(r.value(&in.v))
		case doRemove:
			r.line[in.offset] &^= member(r.value(&in.v))
		case doClear:
			r.line[in.offset] = 0
		case doSend:
			r.send(in.send)
		}
	}
	if x.next >= 0 {
		r.line[0] = uint8(x.next)
	}
}

// send puts a message into the channels of its receivers.
func (r *run) send(x *sending) {
	p := &x.table.channels[x.place]
	if p.channel.block && r.addr > 0 {
		return
	}
	word := uint32(x.typ)
	for i := range x.args {
		v := r.value(&x.args[i])
		if v > x.form.most[i] {
			r.broken = overflow
		}
		word |= uint32(v&x.form.masks[i]) << x.form.shifts[i]
	}
	if p.addrAt > 0 {
		word |= uint32(r.addr) << p.addrAt
	}
	switch {
	case x.own:
		r.push(p, r.c, word)
	case x.to == toNear:
		r.push(p, &r.s.controls[r.c.near[x.kind]], word)
	case x.to == toID:
		id := r.value(&x.id)
		if id == 0 {
			r.broken = noReceiver
			return
		}
		r.push(p, &r.s.controls[r.c.first[x.kind]+id-1], word)
	default:
		for m := r.members(x.set); m != 0; m &= m - 1 {
			r.push(p, &r.s.controls[int(r.c.first[x.kind])+bits.TrailingZeros8(m)], word)
		}
	}
}

// push adds a message to a channel of a controller: at the end of a fifo, in order of the
// words in a bag.
func (r *run) push(p *place, c *controller, word uint32) {
	at := c.base + p.offset + r.addr*p.stride
	if p.width == 0 {
		if r.state[at]++; int(r.state[at]) > p.capacity {
			r.broken = overflow
		}
		return
	}
	if p.get(r.state, at, p.capacity-1) != 0 {
		r.broken = overflow
		return
	}
	if p.capacity == 1 {
		p.put(r.state, at, 0, word)
		return
	}
	i := 0
	for {
		w := p.get(r.state, at, i)
		if w == 0 {
			p.put(r.state, at, i, word)
			return
		}
		if !p.channel.fifo && word < w {
			p.put(r.state, at, i, word)
			word = w
		}
		i++
	}
}

// get is the i-th message of the channel that begins at a byte.
func (p *place) get(state []byte, at, i int) uint32 {
	switch p.width {
	case 1:
		return uint32(state[at+i])
	case 2:
		at += 2 * i
		return uint32(state[at]) | uint32(state[at+1])<<8
	default:
		at += 4 * i
		return uint32(state[at]) | uint32(state[at+1])<<8 | uint32(state[at+2])<<16 | uint32(state[at+3])<<24
	}
}

func (p *place) put(state []byte, at, i int, word uint32) {
	switch p.width {
	case 1:
		state[at+i] = byte(word)
	case 2:
		at += 2 * i
		state[at], state[at+1] = byte(word), byte(word>>8)
	default:
		at += 4 * i
		state[at], state[at+1], state[at+2], state[at+3] = byte(word), byte(word>>8), byte(word>>16), byte(word>>24)
	}
}

// pop takes the i-th message out.
func (p *place) pop(state []byte, at, i int) {
	if p.width == 0 {
		state[at]--
		return
	}
	last := p.capacity - 1
	for ; i < last; i++ {
		p.put(state, at, i, p.get(state, at, i+1))
	}
	p.put(state, at, last, 0)
}
