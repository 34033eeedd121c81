package checkers

import "github.com/fusedos/stramash/machine"

// shadow keeps a cell for each aligned 8-byte word of memory that was touched. A
// cell that an earlier run has left is found stale: to start anew costs nothing.
type shadow[C any] struct {
	run    uint32
	chunks map[machine.PA]*shadowChunk[C]
	recent [shadowRecent]*shadowChunk[C] // by the low bits of their number
}

const (
	shadowWords  = 64
	shadowRecent = 32 // a power of two
)

type shadowChunk[C any] struct {
	number machine.PA
	runs   [shadowWords]uint32 // for which run each cell is fresh
	cells  [shadowWords]C
}

// reset forgets all cells.
func (s *shadow[C]) reset() {
	if s.run++; s.run == 0 { // the numbers of runs begin again
		s.chunks, s.recent, s.run = nil, [shadowRecent]*shadowChunk[C]{}, 1
	}
}

// at is the cell of a word, and whether it is fresh. One that is not has what
// another run left in it, and counts as fresh from now on.
func (s *shadow[C]) at(pa machine.PA) (c *C, fresh bool) {
	number, i := pa/(8*shadowWords), pa/8%shadowWords
	k := s.recent[number%shadowRecent]
	if k == nil || k.number != number {
		k = s.chunk(number)
	}
	fresh = k.runs[i] == s.run
	k.runs[i] = s.run
	return &k.cells[i], fresh
}

// chunk finds or makes a chunk, and makes it a recent one.
func (s *shadow[C]) chunk(number machine.PA) *shadowChunk[C] {
	k := s.chunks[number]
	if k == nil {
		if s.chunks == nil {
			s.chunks = map[machine.PA]*shadowChunk[C]{}
		}
		k = &shadowChunk[C]{number: number}
		s.chunks[number] = k
	}
	s.recent[number%shadowRecent] = k
	return k
}

// bytesOf are the bytes of its word that an access touches.
func bytesOf(e *machine.Event) uint8 {
	return uint8(1<<e.Op.Size-1) << (e.PA % 8)
}
