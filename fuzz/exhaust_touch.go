package fuzz

import "github.com/fusedos/stramash/machine"

// touch is one thing that a step does to one object, as far as the order of
// steps depends on it: the object's number with the mode in the low bits.
type touch uint32

type mode uint8

const (
	reads   mode = iota // a word
	writes              // a word, or something else that has no other modes
	begins              // of an operation or a hold; see machine.Span
	ends                //
	watches             // a granule, by an exclusive
	passes              // through a granule, by a write
	modes
)

const modeBits = 3

func (t touch) object() int { return int(t >> modeBits) }
func (t touch) mode() mode  { return mode(t & (1<<modeBits - 1)) }

// clash says which modes of touching one object conflict: steps by different
// agents that do so must not be swapped.
var clash = func() (c [modes][modes]bool) {
	for _, p := range [][2]mode{{reads, writes}, {writes, writes}, {begins, ends}, {watches, passes}} {
		c[p[0]][p[1]], c[p[1]][p[0]] = true, true
	}
	return c
}()

func conflict(a, b []touch) bool {
	for _, x := range a {
		for _, y := range b {
			if x>>modeBits == y>>modeBits && clash[x.mode()][y.mode()] {
				return true
			}
		}
	}
	return false
}

// space keeps objects of different kinds apart that have one number.
type space uint64

const (
	wordSpace space = iota
	granuleSpace
	spanSpace   // an object's operations and holds
	noteSpace   // a target's own notes on an object
	lineSpace   // an interrupt line
	threadSpace // a thread, that runs on one CPU at most
	spawnSpace  // the list of threads: handles are given in order
	orderSpace  // the order of all writes, under a weak memory order
	bufferSpace // the store buffer of a CPU
	deviceSpace // a device
	tlbSpace    // the TLB of a CPU
	queueSpace  // the invalidations that are posted to a CPU's TLB
	spaces
)

// objects numbers what the steps of all runs of a search touch.
type objects struct {
	slots []objectSlot // open addressing; a power of two
	logs  [][]visit    // of each object: who touched it, in order
}

type objectSlot struct {
	key uint64 // plus one; zero if free
	num uint32
}

// visit is one entry of an object's log.
type visit struct {
	step int32
	mode mode
}

func newObjects() *objects { return &objects{slots: make([]objectSlot, 256)} }

// number is the number of an object, made when it is first asked for.
func (o *objects) number(s space, at uint64) uint32 {
	key := at*uint64(spaces) + uint64(s) + 1
	mask := uint64(len(o.slots) - 1)
	for i := scramble(key) & mask; ; i = (i + 1) & mask {
		switch o.slots[i].key {
		case key:
			return o.slots[i].num
		case 0:
			return o.add(i, key)
		}
	}
}

func (o *objects) add(i, key uint64) uint32 {
	n := uint32(len(o.logs))
	o.slots[i] = objectSlot{key, n}
	o.logs = append(o.logs, nil)
	if 2*len(o.logs) > len(o.slots) {
		old := o.slots
		o.slots = make([]objectSlot, 2*len(old))
		mask := uint64(len(o.slots) - 1)
		for _, s := range old {
			if s.key == 0 {
				continue
			}
			j := scramble(s.key) & mask
			for o.slots[j].key != 0 {
				j = (j + 1) & mask
			}
			o.slots[j] = s
		}
	}
	return n
}

// touched is what an event touches.
func (s *search) touched(e *machine.Event) {
	if e.MeetsBuffer() && s.machine.HasBuffer(e.CPU) {
		s.touch(bufferSpace, uint64(e.CPU), writes)
	}
	s.translated(e)
	switch k := e.Op.Kind; k {
	case machine.OpInvalidated:
		if s.machine.HasBuffer(e.CPU) {
			s.touch(bufferSpace, uint64(e.CPU), writes) // with what it holds back, it could not be done
		}
	case machine.OpSend, machine.OpDeliver:
		s.touch(lineSpace, uint64(e.Op.Addr), writes)
		if k == machine.OpSend {
			s.touch(orderSpace, 0, reads) // the handler sees what has taken effect
		} else {
			s.skipped(e.CPU)
		}
	case machine.OpSwitch:
		s.touch(threadSpace, uint64(e.Op.Addr), writes)
		s.touch(threadSpace, uint64(e.Thread), writes)
	case machine.OpDevice:
		s.touch(deviceSpace, uint64(e.Op.Addr)/4096, writes)
	case machine.OpSpawn:
		s.touch(spawnSpace, 0, writes)
	case machine.OpAlloc, machine.OpFree:
		s.touch(wordSpace, uint64(e.PA), writes)
		for i := uint64(0); k == machine.OpFree && i < e.Read; i += 8 {
			s.touch(wordSpace, uint64(e.Op.Addr)+i, writes)
		}
	case machine.OpTimeout, machine.OpAwait:
		for _, w := range e.Saw {
			s.touch(wordSpace, uint64(w), reads)
		}
		if k == machine.OpAwait {
			s.touch(wordSpace, uint64(e.PA&^7), reads)
		}
		s.open.awaits = k == machine.OpAwait
		s.open.several = len(e.Saw) > 0
	default:
		if k.Reads() || k.Writes() {
			s.accessed(e)
		}
	}
}

// translated is touched for what an event has to do with TLBs.
func (s *search) translated(e *machine.Event) {
	done := e.Op.Kind == machine.OpInvalidated
	if s.machine.UsesTLB(e) {
		m := reads
		if done {
			m = writes // what the CPU itself does is in its own order
		}
		s.touch(tlbSpace, uint64(e.CPU), m)
	}
	m := writes
	if e.Op.Kind == machine.OpFence {
		m = reads
	}
	s.tlbs = s.machine.TLBsOf(e, s.tlbs[:0])
	for _, cpu := range s.tlbs {
		s.touch(queueSpace, uint64(cpu), m)
	}
}

// skip says that an interrupt landed in a CPU that could not go on by itself: what
// would have let it go on, before the interrupt, is a write to an object.
type skip struct {
	step   int32
	object uint32
}

// skipped notes what an interrupt that lands in a CPU has gone ahead of. Where the CPU
// could have gone on, that is another branch of the same step.
func (s *search) skipped(cpu int) {
	if x := &s.open; x.node < 0 || s.nodes[x.node].options.Has(cpu) {
		return
	}
	s.words = s.machine.Awaited(cpu, s.words[:0])
	for _, w := range s.words {
		s.skip(wordSpace, uint64(w))
	}
	stalls := s.machine.Stalled(cpu)
	if !stalls && len(s.words) == 0 {
		return // it waits for an interrupt
	}
	e := machine.Event{CPU: cpu, Op: s.machine.Announced(cpu)}
	if s.machine.HasBuffer(cpu) && (stalls || e.MeetsBuffer()) {
		s.skip(bufferSpace, uint64(cpu))
	}
	if s.machine.UsesTLB(&e) {
		s.skip(tlbSpace, uint64(cpu))
	}
	s.tlbs = s.machine.TLBsOf(&e, s.tlbs[:0])
	for _, d := range s.tlbs {
		s.skip(queueSpace, uint64(d))
	}
}

func (s *search) skip(in space, at uint64) {
	s.skips = append(s.skips, skip{int32(len(s.steps)), s.objects.number(in, at)})
}

// unskip forgets the skips of steps from one on.
func (s *search) unskip(from int) {
	for n := len(s.skips); n > 0 && int(s.skips[n-1].step) >= from; n-- {
		s.skips = s.skips[:n-1]
	}
}

// accessed is touched for an access to memory.
func (s *search) accessed(e *machine.Event) {
	if e.Held {
		return // nobody sees it yet
	}
	wrote := e.Op.Kind.Writes() && e.OK
	if wrote {
		s.touch(wordSpace, uint64(e.PA&^7), writes)
		if e.Write != 0 {
			s.touch(orderSpace, 0, writes)
		}
	} else {
		s.touch(wordSpace, uint64(e.PA&^7), reads)
	}
	if s.granule == 0 {
		return
	}
	granule := uint64(e.PA) &^ (s.granule - 1)
	if k := e.Op.Kind; k == machine.OpLoadEx || k == machine.OpStoreEx {
		s.touch(granuleSpace, granule, watches)
	}
	if wrote {
		s.touch(granuleSpace, granule, passes)
	}
}

func (s *search) touch(in space, at uint64, m mode) {
	t := touch(s.objects.number(in, at)<<modeBits) | touch(m)
	for _, old := range s.touches[s.open.from:] {
		if old == t {
			return
		}
	}
	s.touches = append(s.touches, t)
}

// record is told of each record of a run.
func (s *search) record(r *machine.Record) {
	if !s.live {
		return
	}
	span := r.Span()
	if span == machine.Beside {
		return
	}
	if !s.enter(int(r.CPU), s.machine.Steps()) {
		return
	}
	switch span {
	case machine.Begins:
		s.touch(spanSpace, uint64(r.Object), begins)
	case machine.Ends:
		s.touch(spanSpace, uint64(r.Object), ends)
	case machine.Alone:
		s.touch(noteSpace, uint64(r.Object), writes)
	}
}
