package checkers

import (
	"fmt"
	"math/bits"

	"github.com/fusedos/stramash/machine"
)

// Races finds data races in a run that it watches, by happens-before.
//
// Two accesses to a common byte by different threads race if at least one
// writes, at least one is plain (a load or store of order Plain), neither is
// Relaxed, and neither happens before the other (the Linux kernel memory model,
// tools/memory-model/Documentation/explanation.txt, "Plain accesses and data
// races"; C11 5.1.2.4). Relaxed on either side says that the race is intended,
// as READ_ONCE, WRITE_ONCE and data_race do. What happens before what follows
// from the orders that the code declares, on every ISA, and not from what one of
// them gives for free.
//
// An access that acquires comes after what was released to the bytes that it
// reads, by the store or by a read-modify-write in the chain of those behind it;
// a compare-and-swap that fails still acquires. A full fence makes the marked
// loads before it acquire and the marked stores behind it release; a load fence
// does the former, and a store fence the latter for all but the thread's own
// loads. A thread comes after the spawn that made it, its CPU's former thread
// where it was switched to, and the handler of an interrupt after whoever
// sent it. What a thread accesses through a translation comes after what was released
// to its entries. Behind a SyncFence a thread comes after what the CPUs did before they
// did the invalidations that it has posted. A handler is part of the thread that it interrupts. The set-up comes
// before everything. To free a block of the heap is a plain write of all of it,
// and what is allocated is as new.
//
// The algorithm is FastTrack's (C. Flanagan and S. Freund, PLDI 2009), with sets
// of accesses in place of its single epochs, since marked ones may be
// concurrent. A run has a race if and only if one is found, the first one in the
// order of the second accesses. The zero value is ready for use.
type Races struct {
	events  uint32 // of the run so far
	words   shadow[raceCell]
	threads []*raceThread // in the order in which they came
	used    int
	slots   []int32 // of each handle: 1 + the place in threads, or 0
	last    [machine.MaxCPUs]*raceThread
	lines   []raceLine
	weak    bool        // the memory order is a weak one: writes have numbers
	writes  []raceWrite // by their numbers
	race    race
	found   bool
}

// raceThread is what happened before the next event of a thread.
type raceThread struct {
	slot  uint32
	now   clock
	fence clock // what its marked stores pass on, since a fence
	seen  clock // what its marked loads did not acquire, for the next fence
	gone  clock // what came before the invalidations that it has posted were done
}

func (t *raceThread) readsAt() uint32  { return 2 * t.slot }
func (t *raceThread) writesAt() uint32 { return 2*t.slot + 1 }

// tick tells what the thread has passed on from what it does next.
func (t *raceThread) tick() {
	t.now[t.readsAt()]++
	t.now[t.writesAt()]++
}

// raceLine is what happened before an interrupt.
type raceLine struct {
	addr  machine.VA // cpu<<8 | vector
	sent  clock
	cause clock // sent, as it was when the line fired
}

// raceCell has the accesses to a word of which a later one may race with, and
// what was released to its bytes.
type raceCell struct {
	accesses []raceAccess
	released releases
}

type raceAccess struct {
	entry uint32 // of a clock: the thread, and whether it wrote
	at    uint32 // of this entry
	event uint32
	bytes uint8
	plain bool
	cpu   uint8
}

func (a *raceAccess) writes() bool { return a.entry&1 != 0 }

// race is two accesses that race.
type race struct {
	first  raceAccess
	second machine.Event
	number uint32 // of the second event
	object machine.VA
}

// Begin starts a new run.
func (d *Races) Begin() {
	d.words.reset()
	d.events, d.used, d.lines, d.weak, d.found = 0, 0, d.lines[:0], false, false
	d.writes = d.writes[:0]
	clear(d.slots)
	clear(d.last[:])
}

// Name returns the judge's name.
func (*Races) Name() string { return "races" }

// Observe is told of each event of the run.
func (d *Races) Observe(e *machine.Event) {
	d.events++
	switch {
	case d.found, e.Op.Kind == machine.OpMessage:
	case e.Op.Kind == machine.OpDrain:
		d.drained(e)
	case e.Op.Kind == machine.OpInvalidated:
		d.invalidated(e)
	case e.Op.Kind == machine.OpWalk || e.Op.Kind == machine.OpMark:
		d.walker(e)
	case e.Op.Kind == machine.OpAlloc || e.Op.Kind == machine.OpFree:
		if e.OK {
			d.heap(d.current(e), e)
		}
	case e.Client < 0:
		l := d.line(e.Op.Addr)
		l.cause.set(l.sent)
	default:
		for _, pa := range e.Saw {
			if look := lookAt(e, pa); !d.found {
				d.access(d.current(&look), &look)
			}
		}
		switch {
		case d.found:
		case e.PA != 0:
			d.access(d.current(e), e)
		default:
			d.sync(d.current(e), e)
		}
	}
}

// Fault is the first race of the run, or nil.
func (d *Races) Fault(m *machine.Machine) *Fault {
	if !d.found {
		return nil
	}
	a, b := d.race.first, &d.race.second
	did, does := "read", "reads"
	if a.writes() {
		did = "wrote"
	}
	switch {
	case b.Op.Kind == machine.OpFree:
		does = "frees"
	case b.Op.Kind.Writes() && b.OK:
		does = "writes"
	}
	return &Fault{
		Violation: Violation{
			Judge: d.Name(), Rule: "data race", Object: d.race.object, At: -1,
			Message: fmt.Sprintf("%s %s %s, which %s %s before: nothing orders the two, and %s plain",
				cpuName(m, b.CPU), does, m.NameAddr(d.race.object), cpuName(m, int(a.cpu)), did, whichIsPlain(a.plain, isPlain(b.Op))),
		},
		Witnesses: []Witness{{"race", int(a.event)}, {"with", int(d.race.number)}},
	}
}

func whichIsPlain(first, second bool) string {
	switch {
	case first && second:
		return "both are"
	case first:
		return "the earlier one is"
	}
	return "the later one is"
}

// current is the thread of an event. A CPU whose thread has ended goes on with
// another one, without an event.
func (d *Races) current(e *machine.Event) *raceThread {
	t := d.last[e.CPU]
	if int(e.Thread) < len(d.slots) && t != nil && d.slots[e.Thread] == int32(t.slot)+1 {
		return t
	}
	u := d.thread(e.Thread)
	if t != nil {
		u.now.join(t.now)
	}
	d.last[e.CPU] = u
	return u
}

// thread is the thread of a handle.
func (d *Races) thread(h machine.Handle) *raceThread {
	for int(h) >= len(d.slots) {
		d.slots = append(d.slots, 0)
	}
	if i := d.slots[h]; i > 0 {
		return d.threads[i-1]
	}
	if d.used == len(d.threads) {
		d.threads = append(d.threads, &raceThread{slot: uint32(d.used)})
	}
	t := d.threads[d.used]
	d.used++
	d.slots[h] = int32(d.used)
	t.now, t.fence, t.seen, t.gone = t.now[:0], t.fence[:0], t.seen[:0], t.gone[:0]
	t.now.grow(2 * d.used)
	t.tick()
	return t
}

// line is the interrupt line of an address.
func (d *Races) line(addr machine.VA) *raceLine {
	for i := range d.lines {
		if d.lines[i].addr == addr {
			return &d.lines[i]
		}
	}
	if n := len(d.lines); n < cap(d.lines) {
		d.lines = d.lines[:n+1]
	} else {
		d.lines = append(d.lines, raceLine{})
	}
	l := &d.lines[len(d.lines)-1]
	l.addr, l.sent, l.cause = addr, l.sent[:0], l.cause[:0]
	return l
}

// sync accounts an event that accesses no memory.
func (d *Races) sync(t *raceThread, e *machine.Event) {
	switch e.Op.Kind {
	case machine.OpFence:
		t.pass(machine.Fence(e.Op.Addr))
	case machine.OpSpawn:
		d.thread(machine.Handle(e.Op.Addr)).now.join(t.now)
		t.tick()
	case machine.OpSwitch:
		u := d.thread(machine.Handle(e.Op.Addr))
		u.now.join(t.now)
		t.tick()
		d.last[e.CPU] = u
	case machine.OpSend:
		d.line(e.Op.Addr).sent.join(t.now)
		t.tick()
	case machine.OpVector:
		if v := machine.Vector(e.Op.Addr); v >= machine.FirstInterrupt {
			t.now.join(d.line(machine.VA(e.CPU)<<8 | machine.VA(v)).cause)
		}
	}
}

// pass accounts a fence.
func (t *raceThread) pass(f machine.Fence) {
	if f == machine.SyncFence {
		t.now.join(t.gone)
		f = machine.FullFence
	}
	if f == machine.FullFence || f == machine.LoadFence {
		t.now.join(t.seen)
		t.seen = t.seen[:0]
	}
	if f == machine.FullFence || f == machine.StoreFence {
		own := uint32(0)
		if int(t.readsAt()) < len(t.fence) {
			own = t.fence[t.readsAt()]
		}
		t.fence.set(t.now)
		if f == machine.StoreFence {
			t.fence[t.readsAt()] = own
		}
		t.tick()
	}
}

// access accounts an access to memory.
func (d *Races) access(t *raceThread, e *machine.Event) {
	op := e.Op
	writes := op.Kind.Writes()
	if writes && !e.OK && !e.Held {
		if writes = false; !op.Kind.Reads() {
			return
		}
	}
	c, fresh := d.words.at(e.PA)
	if !fresh {
		c.accesses, c.released = c.accesses[:0], c.released[:0]
	}
	bytes := bytesOf(e)
	plain := isPlain(op)
	if op.Kind.Reads() && !plain {
		t.read(d.releasedTo(c, e), bytes, op.Order)
	}
	if op.Order != machine.Relaxed {
		d.meet(t, c, e, raceAccess{bytes: bytes, plain: plain, cpu: uint8(e.CPU)}, writes)
	}
	if !writes {
		return
	}
	var passes clock
	releases := op.Order == machine.Release || op.Order == machine.AcqRel
	switch {
	case releases:
		passes = t.now
	case !plain:
		passes = t.fence
	}
	if e.Held {
		d.write(e.Write).held.set(passes)
	} else {
		d.tookEffect(c, e, passes, op.Kind == machine.OpStore)
	}
	if releases {
		t.tick()
	}
}

// isPlain says whether an access is unmarked: only those can be part of a race.
func isPlain(op machine.Op) bool {
	return op.Order == machine.Plain && (op.Kind == machine.OpLoad || op.Kind == machine.OpStore || op.Kind == machine.OpFree)
}

// heap accounts that a block was allocated, whose memory then is as new, or
// freed: that is a plain write of all of it.
func (d *Races) heap(t *raceThread, e *machine.Event) {
	word := *e
	for off := uint64(0); off < e.Read && !d.found; off += 8 {
		word.PA, word.Op.Addr = machine.PA(e.Op.Addr)+machine.PA(off), e.Op.Addr+machine.VA(off)
		c, fresh := d.words.at(word.PA)
		if !fresh || e.Op.Kind == machine.OpAlloc {
			c.accesses, c.released = c.accesses[:0], c.released[:0]
		}
		if e.Op.Kind == machine.OpFree {
			d.meet(t, c, &word, raceAccess{bytes: 0xff, plain: true, cpu: uint8(e.CPU)}, true)
		}
	}
}

func acquires(o machine.Order) bool {
	return o == machine.Acquire || o == machine.AcquirePC || o == machine.AcqRel
}

// read accounts that a marked access read what was released.
func (t *raceThread) read(released releases, bytes uint8, o machine.Order) {
	for i := range released {
		r := &released[i]
		switch {
		case r.bytes&bytes == 0:
		case acquires(o):
			t.now.join(r.clock)
		default:
			t.seen.join(r.clock)
		}
	}
}

// meet looks whether an access races with an earlier one, and keeps it for
// later ones. Those that it makes needless are dropped: whatever races with one of
// them races with it.
func (d *Races) meet(t *raceThread, c *raceCell, e *machine.Event, a raceAccess, writes bool) {
	a.entry, a.event = t.readsAt(), d.events-1
	if writes {
		a.entry++
	}
	a.at = t.now[a.entry]
	all, kept := c.accesses, 0
	for i := range all {
		b := &all[i]
		keep := true
		switch {
		case b.entry == a.entry: // by the same thread, earlier
			if a.bytes&^b.bytes == 0 && b.at == a.at && (b.plain || !a.plain) {
				c.accesses = append(all[:kept], all[i:]...) // the same again
				return
			}
			keep = b.bytes&^a.bytes != 0 || b.plain && !a.plain
		case !a.plain && !b.plain: // never a race, and one more or less does no harm
		case b.at <= t.now.at(b.entry):
			keep = b.writes() != writes || b.bytes&^a.bytes != 0 || b.plain && !a.plain
		case b.bytes&a.bytes != 0 && (writes || b.writes()) && b.entry/2 != t.slot:
			common := machine.VA(bits.TrailingZeros8(b.bytes & a.bytes))
			d.race, d.found = race{*b, *e, a.event, machine.VA(e.PA&^7) + common}, true
			return
		}
		if keep {
			if kept != i {
				all[kept] = *b
			}
			kept++
		}
	}
	c.accesses = append(all[:kept], a)
}
