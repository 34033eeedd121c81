package machine

import (
	"fmt"
	"slices"
)

// Each CPU has an arena of its own, which is an equal share of what the set-up
// has left of its node's memory, so that what two CPUs allocate does not depend
// on who was first. From the second line of an arena on there are blocks, each
// with its size rounded up to heapAlign and a red zone before and behind it.
//
// What the heap knows of its blocks is the machine's, as the map of memory is,
// and not in simulated memory: an allocator is not what is verified here, and
// one that wild writes can corrupt would hide what they did. A kernel whose
// allocator is to be verified keeps its own in memory.
const (
	heapAlign = 16 // alignment of a block, in bytes
	redZone   = 16 // bytes around a block that belong to none

	// quarantine is how many blocks of an arena are freed after one before its
	// memory is given out again: what still uses it must not be hidden by a new
	// user (K. Serebryany et al., "AddressSanitizer", USENIX ATC 2012).
	quarantine = 32
)

// arena is the heap of one CPU.
type arena struct {
	base, end PA // of the memory; end is zero while it was not used in this run
	next      PA
	blocks    []block // by address
	freed     []int   // blocks that may be given out again; the first one was freed first
	state     location
}

// block is a piece of an arena.
type block struct {
	at   PA
	size uint64 // in bytes, as asked for
	room uint64 // rounded up
	live bool
}

// Alloc reserves size bytes, at least 1, in the memory of the thread's node,
// aligned to 16 bytes. It answers zero if there are none left. What they hold is
// zero, or what an earlier user left there. The memory of a block is given out
// again no sooner than 32 blocks that were allocated on the same CPU have been
// freed after it.
func (t *Thread) Alloc(size uint64) VA {
	op := Op{Kind: OpAlloc, Addr: VA(size)}
	t.announce(op.pack())
	a := t.m.arenaOf(t.cpu)
	op.Addr = VA(a.take(size))
	t.allocates(op, a, size, op.Addr != 0)
	return op.Addr
}

// Free gives back a block of the heap, on any CPU. Zero is none, and no
// operation. What is no block, or was given back already, is left as it is, for
// package checkers to judge.
func (t *Thread) Free(at VA) {
	if at == 0 {
		return
	}
	op := Op{Kind: OpFree, Addr: at}
	t.announce(op.pack())
	m := t.m
	a := m.arenaAt(PA(at))
	b := a.find(PA(at))
	if b == nil || !b.live || b.at != PA(at) {
		t.allocates(op, a, 0, false)
		return
	}
	b.live = false
	a.freed = append(a.freed, a.index(b))
	for pa := b.at; pa < b.at+PA(b.size); pa += 8 {
		_, w := m.mem.word(pa)
		m.hashWrite(t.ctx, op.pack(), w, 0)
	}
	t.allocates(op, a, b.size, true)
}

// allocates accounts an operation on an arena, which may be none.
func (t *Thread) allocates(op Op, a *arena, size uint64, ok bool) {
	m := t.m
	m.heapUsed = true
	if m.timing != nil {
		m.timing.compute(t.cpu, 1)
	}
	m.calm, t.spinLoc = m.steps+m.calmSteps(), anywhere
	pa := PA(0)
	if a != nil {
		pa = a.base
		m.hashWrite(t.ctx, op.pack(), &a.state, size)
	} else {
		t.account(op)
	}
	if m.tracer != nil {
		t.trace(op, pa, size, 0, ok)
	}
}

// Allocated counts the blocks of the heap that were not freed.
func (m *Machine) Allocated() int {
	n := 0
	for _, c := range m.cpus {
		for _, b := range c.arena.blocks {
			if b.live {
				n++
			}
		}
	}
	return n
}

// HeapUsed says whether a thread has allocated in this run, or freed.
func (m *Machine) HeapUsed() bool { return m.heapUsed }

// arenaOf is the arena of a CPU.
func (m *Machine) arenaOf(c *cpu) *arena {
	a := &c.arena
	if a.end != 0 {
		return a
	}
	mem, k, n := m.heapOf(c)
	from := (mem.next + lineBytes - 1) &^ (lineBytes - 1)
	share := (max(mem.size, from) - from) / n &^ (lineBytes - 1)
	a.base = mem.base + PA(from+k*share)
	a.end = a.base + PA(share)
	a.next = min(a.base+lineBytes, a.end)
	return a
}

// arenaAt is the arena that an address lies in, or nil.
func (m *Machine) arenaAt(pa PA) *arena {
	for _, c := range m.cpus {
		if a := &c.arena; pa >= a.base && pa < a.end {
			return a
		}
	}
	return nil
}

// take finds memory for a block; zero if there is none.
func (a *arena) take(size uint64) PA {
	if size == 0 || size > uint64(a.end-a.base) {
		return 0
	}
	room := (size + heapAlign - 1) &^ (heapAlign - 1)
	for i := 0; i+quarantine < len(a.freed); i++ {
		if b := &a.blocks[a.freed[i]]; b.room == room {
			a.freed = slices.Delete(a.freed, i, i+1)
			b.size, b.live = size, true
			return b.at
		}
	}
	if uint64(a.end-a.next) < room+2*redZone {
		return 0
	}
	at := a.next + redZone
	a.next = at + PA(room)
	a.blocks = append(a.blocks, block{at, size, room, true})
	return at
}

// find is the last block that begins at or before an address, or nil.
func (a *arena) find(pa PA) *block {
	if a == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(a.blocks, pa, func(b block, pa PA) int { return int(b.at) - int(pa) })
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	return &a.blocks[i]
}

// index is the number of a block of the arena.
func (a *arena) index(b *block) int {
	i, _ := slices.BinarySearchFunc(a.blocks, b.at, func(b block, pa PA) int { return int(b.at) - int(pa) })
	return i
}

// name names an address by the block that it belongs to: the CPU that allocated
// it, and how many blocks of this CPU were new before.
func (m *Machine) nameInHeap(a VA) (string, bool) {
	for _, c := range m.cpus {
		if PA(a) < c.arena.base || PA(a) >= c.arena.end {
			continue
		}
		b := c.arena.find(PA(a))
		switch {
		case b == nil:
			return "", false
		case PA(a) == b.at:
			return fmt.Sprintf("block %d.%d", c.id, c.arena.index(b)), true
		}
		return fmt.Sprintf("block %d.%d+%d", c.id, c.arena.index(b), PA(a)-b.at), true
	}
	return "", false
}

func (a *arena) reset() {
	a.base, a.end, a.blocks, a.freed, a.state = 0, 0, a.blocks[:0], a.freed[:0], location{}
}

// InHeap says whether an address is where the heap of the run has its blocks.
func (m *Machine) InHeap(pa PA) bool { return m.arenaAt(pa) != nil }
