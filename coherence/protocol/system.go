package protocol

import (
	"fmt"
	"math/bits"
	"slices"
)

// Config is what a system of a protocol is built with.
type Config struct {
	// Parameters replace the defaults of the protocol.
	Parameters map[string]int
	// Addresses is how many lines there are: 0 for 1, at most 4.
	Addresses int
	// Values is how many values a line can have: 0 for 2, at least 2, at most 255.
	Values int
}

// System is a protocol with numbers for its parameters: controllers, channels, and where
// everything is in the bytes of a state. It does not change, so that any number of
// goroutines can use it.
type System struct {
	Protocol  *Protocol
	Addresses int
	Values    int

	parameters map[string]int
	controls   []controller  // by number, kind by kind
	serving    []*controller // those that a processor uses
	rules      int           // of all tables, for each state and event
	tables     []table       // by number of kind
	size       int
	latest     int // offset of the newest value of each address
	actors     []actor
	sources    []source
}

// actor is a controller at an address.
type actor struct {
	*controller
	number int // of the controller
	addr   int
	at     int // of its state
}

// source is a channel that messages arrive from.
type source struct {
	*place
	number int // of the controller that the channel belongs to
	addr   int // -1 if all share it
	at     int // of its first message, which is zero if there is none
	to     *controller
	sender int // id of the sender, if the channel tells it
}

// controller is one controller of the system.
type controller struct {
	kind      *kind
	table     *table
	index     int // among those of its kind in one other controller, from 0
	processor int // that uses it; -1 if none does
	base      int // of its bytes
	name      string
	// By number of kind: the controller that id 1 means here, and the one that is reached
	// without an id.
	first, near [maxMembers]uint8
}

// table is what controllers of a kind have in common: the layout of their bytes and
// their rules, compiled.
type table struct {
	kind     *kind
	count    int      // controllers in one that they are in
	size     int      // bytes of one controller
	holds    int      // lines that one controller holds at most
	line     int      // bytes of its state and variables for one address
	cells    [][]rule // by state × event
	events   int
	happens  [][]int // by state: the events that happen by themselves there
	channels []place // that belong to a controller
	readable []bool  // by state
	writable []bool
	stalls   []bool // a load or a store, perhaps
	value    int    // offset of the variable value
	naming   naming
}

// place is a channel in the bytes of the controller that it belongs to.
type place struct {
	channel  *channel
	offset   int // of the first address
	stride   int // between addresses; 0 if all share one channel
	width    int // bytes of a message; 0 if it is a counter
	capacity int
	next     int // messages that may arrive next, at most
	used     int // bits of a message
	typeMask uint32
	addrAt   uint // shift of the address, of a shared channel
	addrMask uint32
	names    bool   // some message names a controller
	forms    []form // by type of message
}

// form says how a message packs.
type form struct {
	message *message
	event   int // in the table of the receiver
	shifts  [maxFields]uint8
	masks   [maxFields]uint8
	most    [maxFields]uint8 // that the type of the field has
}

// bytes are how many bytes the channel has.
func (p *place) bytes(addresses int) int {
	n := max(p.width, 1)
	if p.width > 0 {
		n *= p.capacity
	}
	if p.stride > 0 {
		n *= addresses
	}
	return n
}

// maxState is how many bytes a state may have, and maxWord how many bits a message.
const (
	maxState = 4096
	maxWord  = 32
)

// Build makes a system. It fails if a parameter is unknown or out of its range, or if the
// state would be too large.
func (p *Protocol) Build(c Config) (*System, error) {
	s := &System{Protocol: p, Addresses: max(c.Addresses, 1), Values: c.Values, parameters: map[string]int{}}
	if c.Values == 0 {
		s.Values = 2
	}
	if c.Addresses < 0 || s.Addresses > 4 {
		return nil, fmt.Errorf("protocol %s: %d addresses: use 1 to 4", p.Name, c.Addresses)
	}
	if s.Values < 2 || s.Values > 255 {
		return nil, fmt.Errorf("protocol %s: %d values: use 2 to 255, as with one value no copy can be stale", p.Name, c.Values)
	}
	for _, n := range p.Parameters {
		s.parameters[n.Name] = n.Default
	}
	for _, name := range sortedKeys(c.Parameters) {
		n, v := p.findParameter(name), c.Parameters[name]
		if n == nil {
			return nil, fmt.Errorf("protocol %s has no parameter %s: it has %s", p.Name, name, p.parameterNames())
		}
		if v < n.Min || v > n.Max {
			return nil, fmt.Errorf("protocol %s: parameter %s is %d to %d, not %d", p.Name, name, n.Min, n.Max, v)
		}
		s.parameters[name] = v
	}
	s.layTables()
	for i := range s.tables {
		for _, c := range s.tables[i].channels {
			if c.used > maxWord {
				return nil, fmt.Errorf("protocol %s: a message on channel %s takes %d bits, which is more than %d: use fewer fields, smaller types, or smaller parameters",
					p.Name, c.channel.name, c.used, maxWord)
			}
		}
		if err := s.compile(&s.tables[i]); err != nil {
			return nil, err
		}
	}
	s.number()
	s.placeControllers()
	if s.size > maxState || len(s.controls) > 255 {
		return nil, fmt.Errorf("protocol %s: a state has %d bytes, of %d controllers, which is more than %d, or 255: use smaller parameters", p.Name, s.size, len(s.controls), maxState)
	}
	return s, nil
}

func sortedKeys(m map[string]int) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (p *Protocol) parameterNames() string {
	var out []string
	for _, n := range p.Parameters {
		out = append(out, n.Name)
	}
	return quoted(out)
}

func (s *System) count(k *kind) int {
	if k.many == "" {
		return 1
	}
	return s.parameters[k.many]
}

func (s *System) bound(b bound) int {
	if b.name != "" {
		return s.parameters[b.name]
	}
	return b.number
}

// layTables lays out the bytes of each kind.
func (s *System) layTables() {
	s.tables = make([]table, len(s.Protocol.kinds))
	for i, k := range s.Protocol.kinds {
		t := &s.tables[i]
		*t = table{kind: k, count: s.count(k), holds: s.Addresses, line: 1 + len(k.vars), value: 1 + k.variable(nameValue)}
		if k.holds != (bound{}) {
			t.holds = s.bound(k.holds)
		}
		t.size = t.line * s.Addresses
		for _, c := range s.Protocol.channels {
			if c.owner() == k {
				p := s.place(c)
				p.offset = t.size
				t.size += p.bytes(s.Addresses)
				t.channels = append(t.channels, p)
			}
		}
		t.naming = t.namings()
	}
}

// place lays out a channel. A bag of one message without fields is a counter.
func (s *System) place(c *channel) place {
	p := place{channel: c, capacity: s.bound(c.capacity)}
	typeBits := bits.Len(uint(len(c.messages)))
	p.typeMask = 1<<typeBits - 1
	used := 0
	p.forms = make([]form, len(c.messages)+1)
	for i, m := range c.messages {
		f := form{message: m, event: s.eventIndex(c.to, event{m, m.name})}
		at := typeBits
		for j, v := range m.fields {
			n := s.width(v.typ)
			p.names = p.names || v.typ.identifies()
			f.shifts[j], f.masks[j], f.most[j] = uint8(at), uint8(1<<n-1), s.most(v.typ)
			at += n
		}
		used = max(used, at)
		p.forms[i+1] = f
	}
	if c.fifo && !c.block && s.Addresses > 1 {
		p.capacity *= s.Addresses
		p.addrAt, p.addrMask = uint(used), 1<<bits.Len(uint(s.Addresses-1))-1
		used += bits.Len(uint(s.Addresses - 1))
	}
	switch {
	case !c.fifo && len(c.messages) == 1 && len(c.messages[0].fields) == 0:
	case used <= 8:
		p.width = 1
	case used <= 16:
		p.width = 2
	default:
		p.width = 4
	}
	p.used, p.next = used, 1
	if !c.fifo && p.width > 0 {
		p.next = p.capacity
	}
	if !c.fifo && !c.block {
		p.stride = 1
		p.stride = p.bytes(1)
	}
	return p
}

// addr is the address of a message in a shared channel.
func (p *place) addr(word uint32) int { return int(word >> p.addrAt & p.addrMask) }

// most is the largest number of a type, as a byte without a sign.
func (s *System) most(t typ) uint8 {
	switch t.base {
	case baseValue:
		return uint8(s.Values - 1)
	case baseID:
		return uint8(s.count(t.of))
	case baseSet:
		return uint8(1<<s.count(t.of) - 1)
	case baseEnum:
		return uint8(len(t.names) - 1)
	}
	if t.to != (bound{}) {
		return uint8(s.bound(t.to))
	}
	return 255
}

// width is how many bits a field of a type has.
func (s *System) width(t typ) int { return bits.Len8(s.most(t)) }

// placeControllers numbers the controllers, kind by kind.
func (s *System) placeControllers() {
	firsts := make([]int, len(s.tables))
	for i := range s.tables {
		t := &s.tables[i]
		firsts[i] = len(s.controls)
		outer := 1
		if t.kind.in != nil {
			outer = s.count(t.kind.in)
		}
		for o := range outer {
			for j := range t.count {
				c := controller{kind: t.kind, table: t, index: j, base: s.size, name: t.kind.name}
				switch {
				case t.kind.in != nil:
					c.name = fmt.Sprintf("%s%d.%d", t.kind.numbered(), o, j)
				case t.kind.many != "":
					c.name = fmt.Sprintf("%s%d", t.kind.numbered(), j)
				}
				s.controls = append(s.controls, c)
				s.size += t.size
			}
		}
	}
	for n := range s.controls {
		c := &s.controls[n]
		own := n - firsts[c.kind.number]
		c.processor = -1
		if c.kind.serves() {
			c.processor = len(s.serving)
			s.serving = append(s.serving, c)
		}
		for i := range s.tables {
			k := s.tables[i].kind
			f := firsts[i]
			switch {
			case k.in != nil && k == c.kind:
				f += own - c.index
			case k.in == c.kind && k.in != nil:
				f += own * s.tables[i].count
			}
			c.first[i], c.near[i] = uint8(f), uint8(f)
			if c.kind.in == k {
				c.near[i] += uint8(own / c.table.count)
			}
		}
	}
	s.latest = s.size
	s.size += s.Addresses
	s.list()
}

// numbered is the kind's name for a number to follow.
func (k *kind) numbered() string {
	if digit(k.name[len(k.name)-1]) {
		return k.name + "-"
	}
	return k.name
}

// list lists all that steps begin with.
func (s *System) list() {
	for i := range s.controls {
		c := &s.controls[i]
		for addr := range s.Addresses {
			s.actors = append(s.actors, actor{c, i, addr, c.base + addr*c.table.line})
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			x := source{place: p, number: i, addr: -1, at: c.base + p.offset, to: c}
			if p.channel.perSender {
				x.to, x.sender = &s.controls[c.near[p.channel.to.number]], c.index+1
			}
			if p.stride == 0 {
				s.sources = append(s.sources, x)
				continue
			}
			for x.addr = range s.Addresses {
				s.sources = append(s.sources, x)
				x.at += p.stride
			}
		}
	}
}
