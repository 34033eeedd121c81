package checkers

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// Memory finds misuse of the machine's heap in a run that it watches (see
// machine.Thread.Alloc): accesses to a block that was freed, beside a block, or
// where there is none, and frees of what is no block, or no longer one. It keeps
// shadow memory, as AddressSanitizer does (K. Serebryany et al., USENIX ATC 2012):
// of each word of the heap, which block it is of, and which of its bytes may be
// used. The zero value is ready for use.
type Memory struct {
	events uint32
	m      *machine.Machine
	words  shadow[heapCell]
	blocks []heapBlock
	fault  *Fault
}

// heapCell is a word of the heap: of a block, or next to it.
type heapCell struct {
	block int32
	bytes uint8 // that may be used while the block lives
}

type heapBlock struct {
	at           machine.VA
	size         uint64
	alloc, freed heapEvent
	dead         bool
}

// heapEvent is an event in the life of a block.
type heapEvent struct {
	number uint32
	cpu    int
}

// Name returns the judge's name.
func (*Memory) Name() string { return "memory safety" }

// Begin starts a new run of a machine.
func (d *Memory) Begin(m *machine.Machine) {
	d.words.reset()
	d.m, d.events, d.blocks, d.fault = m, 0, d.blocks[:0], nil
}

// Fault is the first misuse of the run, or nil.
func (d *Memory) Fault() *Fault { return d.fault }

// Observe is told of each event of the run.
func (d *Memory) Observe(e *machine.Event) {
	number := d.events
	d.events++
	switch k := e.Op.Kind; {
	case k == machine.OpAlloc:
		if e.OK {
			d.alloc(e, heapEvent{number, e.CPU})
		}
	case k == machine.OpFree:
		d.free(e, heapEvent{number, e.CPU})
	case len(d.blocks) > 0 && d.fault == nil:
		for _, pa := range e.Saw {
			look := lookAt(e, pa)
			d.access(&look, number)
		}
		if e.PA != 0 {
			d.access(e, number)
		}
	}
}

// lookAt is the read of a condition that did not hold, as an event of its own. Its
// size is not known, but one byte is read for sure.
func lookAt(e *machine.Event, pa machine.PA) machine.Event {
	look := *e
	look.Op.Kind, look.Op.Size, look.Op.Addr, look.PA, look.Saw, look.From = machine.OpAwait, machine.Size8, machine.VA(pa), pa, nil, 0
	return look
}

// cell is what is known of a word in this run.
func (d *Memory) cell(pa machine.PA) *heapCell {
	c, fresh := d.words.at(pa)
	if !fresh {
		*c = heapCell{block: -1}
	}
	return c
}

// alloc gives a block its words, and one on each side.
func (d *Memory) alloc(e *machine.Event, by heapEvent) {
	n := int32(len(d.blocks))
	d.blocks = append(d.blocks, heapBlock{at: e.Op.Addr, size: e.Read, alloc: by})
	put := func(at machine.PA, bytes uint8) {
		c, _ := d.words.at(at)
		*c = heapCell{n, bytes}
	}
	at := machine.PA(e.Op.Addr)
	put(at-8, 0)
	for left := e.Read; ; left -= 8 {
		if left < 8 {
			put(at, uint8(1<<left-1))
			if left > 0 {
				put(at+8, 0)
			}
			return
		}
		put(at, 0xff)
		at += 8
	}
}

// free ends the life of a block.
func (d *Memory) free(e *machine.Event, by heapEvent) {
	var b *heapBlock
	if c := d.cell(machine.PA(e.Op.Addr) &^ 7); c.block >= 0 {
		b = &d.blocks[c.block]
	}
	switch {
	case e.OK && b != nil:
		b.freed, b.dead = by, true
	case d.fault != nil:
	case b != nil && b.at == e.Op.Addr:
		d.found(e, by.number, "double free", "free", b, "frees %s, which %s has freed before", d.of(b.freed.cpu))
	default:
		d.found(e, by.number, "invalid free", "free", b, "frees %s, where no block begins")
	}
}

// access looks whether an access is within a block that lives.
func (d *Memory) access(e *machine.Event, number uint32) {
	if at := machine.VA(e.PA); at != e.Op.Addr { // it was translated
		physical := *e
		physical.Op.Addr, e = at, &physical
	}
	c := d.cell(e.PA)
	if c.block < 0 {
		if d.m.InHeap(e.PA) {
			d.found(e, number, "wild access", "access", nil, d.does(e)+" %s, where the heap has no block")
		}
		return
	}
	b := &d.blocks[c.block]
	switch at := machine.VA(e.PA); {
	case b.dead && c.bytes != 0:
		d.found(e, number, "use after free", "access", b, d.does(e)+" %s, which %s has freed before", d.of(b.freed.cpu))
	case bytesOf(e)&^c.bytes == 0:
	case at < b.at:
		d.found(e, number, "underrun", "access", b, d.does(e)+" %s: that is before the block")
	default:
		d.found(e, number, "overrun", "access", b, d.does(e)+" %s: the block has %d bytes", b.size)
	}
}

// found keeps a fault. The format has the address first; of a block, the events
// of its life are named.
func (d *Memory) found(e *machine.Event, number uint32, rule, role string, b *heapBlock, format string, args ...any) {
	f := &Fault{Witnesses: []Witness{{role, int(number)}}}
	f.Judge, f.Rule, f.Object, f.At = d.Name(), rule, e.Op.Addr, -1
	f.Message = d.of(e.CPU) + " " + fmt.Sprintf(format, append([]any{d.m.NameAddr(e.Op.Addr)}, args...)...)
	if b != nil {
		if b.dead {
			f.Witnesses = append(f.Witnesses, Witness{"freed", int(b.freed.number)})
		}
		f.Witnesses = append(f.Witnesses, Witness{"alloc", int(b.alloc.number)})
	}
	d.fault = f
}

func (d *Memory) of(cpu int) string { return cpuName(d.m, cpu) }

func (*Memory) does(e *machine.Event) string {
	if e.Op.Kind.Writes() {
		return "writes"
	}
	return "reads"
}
