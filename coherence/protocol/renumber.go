package protocol

import (
	"bytes"
	"math/bits"
)

// renumber is a state in which each controller and each line has its new number.
func (s *System) renumber(dst, src []byte, place, order []uint8) {
	for addr, to := range order {
		dst[s.latest+int(to)] = src[s.latest+addr]
	}
	for i := range s.controls {
		c, d := &s.controls[i], &s.controls[place[i]]
		for addr, to := range order {
			line := dst[d.base+int(to)*d.table.line:][:d.table.line]
			copy(line, src[c.base+addr*c.table.line:])
			for _, vars := range [...][]int{c.table.naming.ids, c.table.naming.sets} {
				for _, v := range vars {
					if line[1+v] != 0 {
						line[1+v] = renamed(c, d, c.kind.vars[v].typ, line[1+v], place)
					}
				}
			}
		}
		for j := range c.table.channels {
			p := &c.table.channels[j]
			if p.stride == 0 {
				copy(dst[d.base+p.offset:][:p.bytes(1)], src[c.base+p.offset:])
				s.renameMessages(dst, d.base+p.offset, c, d, p, place, order)
				continue
			}
			for addr, to := range order {
				at := d.base + p.offset + int(to)*p.stride
				copy(dst[at:][:p.stride], src[c.base+p.offset+addr*p.stride:])
				s.renameMessages(dst, at, c, d, p, place, order)
			}
		}
	}
}

// renamed is an id or a set of them after the renumbering of its controller from c to d.
func renamed(c, d *controller, t typ, b uint8, place []uint8) uint8 {
	from, to := c.first[t.of.number], d.first[t.of.number]
	if t.base == baseID {
		if b == 0 {
			return 0
		}
		return place[from+b-1] - to + 1
	}
	out := uint8(0)
	for ; b != 0; b &= b - 1 {
		out |= 1 << (place[from+uint8(bits.TrailingZeros8(b))] - to)
	}
	return out
}

// renameMessages renames in the messages of the channel that begins at a byte.
func (s *System) renameMessages(dst []byte, at int, c, d *controller, p *place, place, order []uint8) {
	if !p.names && p.addrMask == 0 || dst[at] == 0 {
		return
	}
	for x := range p.capacity {
		w := p.get(dst, at, x)
		if w == 0 {
			break
		}
		if p.addrMask != 0 {
			w = w&^(p.addrMask<<p.addrAt) | uint32(order[p.addr(w)])<<p.addrAt
		}
		f := &p.forms[w&p.typeMask]
		for y, v := range f.message.fields {
			if v.typ.identifies() {
				b := renamed(c, d, v.typ, uint8(w>>f.shifts[y])&f.masks[y], place)
				w = w&^(uint32(f.masks[y])<<f.shifts[y]) | uint32(b)<<f.shifts[y]
			}
		}
		p.put(dst, at, x, w)
	}
	p.sort(dst, at)
}

// sort puts the messages of a bag in order.
func (p *place) sort(state []byte, at int) {
	if p.channel.fifo {
		return
	}
	for x := 1; x < p.capacity; x++ {
		w := p.get(state, at, x)
		y := x
		for ; w != 0 && y > 0 && p.get(state, at, y-1) > w; y-- {
			p.put(state, at, y, p.get(state, at, y-1))
		}
		p.put(state, at, y, w)
	}
}

// permutations generate the symmetries of the system: neighbours change places.
func (s *System) permutations() []func(state []byte) {
	var out []func([]byte)
	numbers := func(n int) []uint8 {
		all := make([]uint8, n)
		for i := range all {
			all[i] = uint8(i)
		}
		return all
	}
	add := func(place, order []uint8) {
		out = append(out, func(state []byte) { s.renumber(state, bytes.Clone(state), place, order) })
	}
	for i := range s.controls {
		if c := &s.controls[i]; c.index+1 < c.table.count {
			place := numbers(len(s.controls))
			s.exchange(place, i, i+1)
			add(place, numbers(s.Addresses))
		}
	}
	for a := range s.Addresses - 1 {
		order := numbers(s.Addresses)
		order[a], order[a+1] = order[a+1], order[a]
		add(numbers(len(s.controls)), order)
	}
	return out
}

// exchange has two controllers change places, with those that are in them.
func (s *System) exchange(place []uint8, a, b int) {
	place[a], place[b] = uint8(b), uint8(a)
	for i := range s.tables {
		if t := &s.tables[i]; t.kind.in == s.controls[a].kind {
			for j := range t.count {
				x, y := s.controls[a].first[i]+uint8(j), s.controls[b].first[i]+uint8(j)
				place[x], place[y] = y, x
			}
		}
	}
}
