package locks

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// FreeList is a free list of memory blocks, last in first out, that CPUs of all
// ISAs push to and pop from without a lock (R. K. Treiber, "Systems programming:
// coping with parallelism", IBM RJ 5118, 1986).
//
// The trouble of such a list is ABA: a pop reads the top block A and its link B;
// meanwhile others pop A and B and push A; then the head holds A again, and to
// make B the head would hand it out twice. Each ISA has its own way out, and the
// format serves both:
//
//   - With LL/SC (AArch64) a pop holds a reservation from its load of the head
//     to its store, which any write to the head between them ends. It needs no
//     tag, and exchanges the index alone.
//   - With compare-and-swap (x86-64) a pop compares index and tag. Every push on
//     any ISA increments the tag, so a head with block A pushed anew differs.
//     (2³² pushes during one pop would escape it.)
//
// Memory of the head, a u64: u32 index at 0, the number of the top block counted
// from 1, zero if there is none; u32 tag at 4, the number of pushes. Memory of a
// free block: u32 link at 0, the index of the block below it. Who has popped a
// block may use all of it.
type FreeList struct {
	at     machine.VA
	blocks machine.VA
	count  int
	size   machine.VA
}

const (
	freeIndexMask = 0xffffffff
	freeTagOne    = 1 << 32
)

// NewFreeList makes a list of free blocks, in the set-up: count blocks of size
// bytes, a multiple of 8. The first block is on top. They lie in the memory of
// the home's node.
func NewFreeList(m *machine.Machine, h Home, count int, size uint64) *FreeList {
	if size == 0 || size%8 != 0 {
		panic(fmt.Sprintf("locks: NewFreeList with blocks of %d bytes: use a multiple of 8", size))
	}
	p := h.settle(m, 8, "free list")
	f := &FreeList{at: p.at, blocks: m.AllocOn(h.Node, max(uint64(count)*size, lineSize)), count: count, size: machine.VA(size)}
	m.Label(f.blocks, uint64(count)*size, "blocks")
	for i := range count {
		m.Poke64(f.Block(i), uint64(i+2)%uint64(count+1))
	}
	m.Poke64(f.at, min(1, uint64(count)))
	return f
}

// Addr is the address of the list's head.
func (f *FreeList) Addr() machine.VA { return f.at }

// Block is the address of block i, from 0 to the count less 1.
func (f *FreeList) Block(i int) machine.VA { return f.blocks + machine.VA(i)*f.size }

// link is the address of the link in the block with an index of the list.
func (f *FreeList) link(index uint64) machine.VA { return f.Block(int(index) - 1) }

// Push puts a block on top of the list. It panics if there is no such block; the
// block must not be in the list.
func (f *FreeList) Push(t *machine.Thread, block machine.VA) {
	index := uint64((block-f.blocks)/f.size) + 1
	if index > uint64(f.count) || block != f.link(index) {
		panic(fmt.Sprintf("locks: Push of %#x, which is no block of the list", uint64(block)))
	}
	// Relaxed: the link is right if the swap finds the head unchanged.
	head := t.Load(f.at, machine.Size64, machine.Relaxed)
	for {
		t.Store32(block, uint32(head))
		pushed := head&^freeIndexMask + freeTagOne | index
		// Release, for the acquiring loads and swaps of pops: else whoever pops the
		// block reads an old link, or writes before its last user has (Linux's
		// lib/llist.c has a full barrier here).
		seen, ok := compareAndSwap(t, f.at, machine.Size64, head, pushed, machine.Release)
		if ok {
			return
		}
		head = seen
	}
}

// Pop takes the top block off the list. It answers false if there is none.
func (f *FreeList) Pop(t *machine.Thread) (block machine.VA, ok bool) {
	index := uint64(0)
	if t.ISA().Exclusives {
		index = f.popExclusive(t)
	} else {
		index = f.popTagged(t)
	}
	if index == 0 {
		return 0, false
	}
	return f.link(index), true
}

// below is the index of the block below a block that was the top one. It may be
// in use already: the race is intended, for what it reads then is not used.
func (f *FreeList) below(t *machine.Thread, index uint64) uint64 {
	return t.Load(f.link(index), machine.Size32, machine.Relaxed)
}

// popExclusive pops with LL/SC. The load between the exclusives is what the
// reservation is for; it lies in another granule. The first load acquires what
// the block's pusher released: else the link is that of an earlier stay in the
// list, though the reservation stands, and a block in use is handed out. The store
// publishes nothing.
func (f *FreeList) popExclusive(t *machine.Thread) (index uint64) {
	for {
		index = t.LoadExclusive(f.at, machine.Size32, machine.Acquire)
		if index == 0 {
			return 0
		}
		below := f.below(t, index)
		if t.StoreExclusive(f.at, machine.Size32, below, machine.Plain) {
			return index
		}
	}
}

// popTagged pops with compare-and-swap. The block may be in use already when its
// link is read; then the link is garbage, and the swap fails by the tag. Both
// the load and the swap acquire what the block's pusher released, since a failed
// swap is the next turn's load: else the link is that of an earlier stay in the
// list. (x86-64, which alone comes here, orders its loads anyway.) The swap also
// keeps its block's user behind the user before.
func (f *FreeList) popTagged(t *machine.Thread) (index uint64) {
	head := t.Load(f.at, machine.Size64, machine.AcquirePC)
	for head&freeIndexMask != 0 {
		index = head & freeIndexMask
		below := f.below(t, index)
		seen, ok := t.CompareAndSwap(f.at, machine.Size64, head, head&^freeIndexMask|below, machine.Acquire)
		if ok {
			return index
		}
		head = seen
	}
	return 0
}

// Walk lists the free blocks from the top, when no run is in progress. It fails
// if the links don't end or lead astray.
func (f *FreeList) Walk(m *machine.Machine) ([]machine.VA, error) {
	var blocks []machine.VA
	for i := m.Peek64(f.at) & freeIndexMask; i != 0; i = m.Peek64(f.link(i)) & freeIndexMask {
		switch {
		case i > uint64(f.count):
			return blocks, fmt.Errorf("free list has index %d: there are %d blocks", i, f.count)
		case len(blocks) == f.count:
			return blocks, fmt.Errorf("free list of %d blocks has a loop: block %d comes again", f.count, i)
		}
		blocks = append(blocks, f.link(i))
	}
	return blocks, nil
}
