package coherence

import (
	"encoding/binary"
	"math/bits"
)

// The states of a copy, in the low two bits of its tag.
const (
	invalid = iota
	shared
	exclusive
	modified
)

// A set holds up to 16 lines. It finds one by a signature of one byte for each way, eight of
// which are compared at a time, and keeps the order of their use (LRU) or of their fill (FIFO,
// Random) as a permutation: four bits for each position, position 0 the newest. Nothing
// moves but the permutation. Empty ways stand last. A cache of n ways uses the first n positions;
// what stands behind them means nothing.
//
// A set of all zeros is empty and has no permutation yet: it gets one at its first fill.
type set struct {
	order uint64
	sig   [16]uint8  // at sigOf(i), the signature of the line in way i; 0 if that is empty
	tag   [16]uint32 // line<<2 | state; 0 if the way is empty, as no copy is invalid
}

const (
	low8, high8 = 0x0101010101010101, 0x8080808080808080
	low4, high4 = 0x1111111111111111, 0x8888888888888888
	top8        = 4 * 7              // top of a cache of eight ways
	firstOrder  = 0xECA86420FDB97531 // odd ways first: their signatures fill the first word
)

// sigOf is where the signature of a way stands: those of odd ways in the first eight bytes, so
// that a bit of matches tells its way by a shift.
func sigOf(way uint64) uint64 { return way>>1 | ^way&1<<3 }

// matches has bit 4*i+3 set if way i may hold a line with the signature. (A borrow may set a bit
// too many.)
func (s *set) matches(sig uint64) uint64 {
	x, y := binary.LittleEndian.Uint64(s.sig[:8])^sig, binary.LittleEndian.Uint64(s.sig[8:])^sig
	return (x-low8)&^x&high8 | ((y-low8)&^y&high8)>>4
}

// guess is the way, of the eight whose signatures stand first, that is likely to hold a line with
// the signature. If it does not hold the line, another of them may if more is not 0.
func (s *set) guess(sig uint64) (way int, more uint64) {
	x := binary.LittleEndian.Uint64(s.sig[:8]) ^ sig
	z := (x - low8) &^ x & high8
	return bits.TrailingZeros64(z) >> 2 & 15, z
}

// holds says whether way i holds the line of key (line<<2).
func (s *set) holds(i int, key uint32) bool {
	return (s.tag[i&15]^key)-1 < 3 // the same line, and a state
}

// search is the way among those of z, of matches, that holds the line of key, or -1.
func (s *set) search(key uint32, z uint64) int {
	for ; z != 0; z &= z - 1 {
		if i := bits.TrailingZeros64(z) >> 2; s.holds(i, key) {
			return i
		}
	}
	return -1
}

// position is four times the place of way in the order.
func (s *set) position(way int) uint {
	x := s.order ^ uint64(way)*low4
	return uint(bits.TrailingZeros64((x-low4)&^x&high4)) & 60
}

// first moves the way at position at to the front.
func (s *set) first(at uint, way uint64) {
	m := uint64(1)<<(at&60) - 1
	s.order = s.order&^(m<<4|15) | (s.order&m)<<4 | way
}

func (s *set) touch(way int) { s.first(s.position(way), uint64(way)) }

// dirty is 1 if a tag is of a line that is M, else 0. It is no branch, as nobody could foretell it.
func dirty(tag uint32) uint64 { return uint64(tag & (tag >> 1) & 1) }

// A cache is one cache. Its sets are listed in touched when they are first filled, so that
// emptying it takes time in proportion to what was used.
type cache struct {
	sets    []set
	touched []uint32
	random  *uint64 // the generator of the Random policy, shared by all caches
	shift   uint8   // of key, to the bits above the index of the set
	top     uint8   // position of the last way: 4*(ways-1)
	policy  Policy
}

func newCache(g Cache, random *uint64) cache {
	n := g.sets()
	return cache{
		sets:    make([]set, n),
		touched: make([]uint32, 0, n),
		random:  random,
		shift:   uint8(2 + bits.TrailingZeros64(n)),
		top:     uint8(4 * (g.Ways - 1)),
		policy:  g.Policy,
	}
}

func (c *cache) set(key uint32) *set { return &c.sets[int(key>>2)&(len(c.sets)-1)] }

// sig1 is the signature of key, and sig the same in every byte. That of an empty way is 0, and
// so is that of some lines, but of none at low addresses, where short runs have theirs.
func (c *cache) sig1(key uint32) uint8 { return uint8(key>>(c.shift&31)) ^ 128 }
func (c *cache) sig(key uint32) uint64 { return uint64(c.sig1(key)) * low8 }

// find is the set of key and the way that holds it, or -1. It looks at the newest line first: what
// cores fight over is that in all their caches.
func (c *cache) find(key uint32) (*set, int) {
	s := c.set(key)
	if way := int(s.order & 15); s.holds(way, key) {
		return s, way
	}
	return s, s.search(key, s.matches(c.sig(key)))
}

// use notes a use of way.
func (c *cache) use(s *set, way int) {
	if c.policy == LRU {
		s.touch(way)
	}
}

// fill puts e, key and state, into its set s, and answers the tag of the evicted line, or 0. The
// set does not hold the line; now it is the first in the order.
func (c *cache) fill(s *set, e uint32) (old uint32) {
	if s.order == 0 || c.policy == Random {
		c.prepare(s, e)
	}
	return s.insert(e, c.top, c.sig1(e))
}

// insert puts e, with its signature, into the way at position last, which becomes the first.
func (s *set) insert(e uint32, last, sig uint8) (old uint32) {
	v := s.order >> (last & 60) & 15
	s.order = s.order<<4 | v
	old = s.tag[v]
	s.tag[v] = e
	s.sig[sigOf(v)] = sig
	return
}

// prepare moves the way that a fill of e takes to the last position.
func (c *cache) prepare(s *set, e uint32) {
	if s.order == 0 {
		s.order = firstOrder
		c.touched = append(c.touched, e>>2&uint32(len(c.sets)-1))
	}
	if last := s.order >> (c.top & 60) & 15; c.policy == Random && s.tag[last] != 0 {
		k := 4 * (next(c.random) >> 32 * (uint64(c.top)/4 + 1) >> 32)
		c.last(s, uint(k), s.order>>(k&60)&15)
	}
}

// last moves the way at position at to the last position.
func (c *cache) last(s *set, at uint, way uint64) {
	top, below := uint64(c.top)&60, uint64(1)<<(at&60)-1
	s.order = s.order&below | s.order>>4&^below&(1<<top-1) | way<<top
}

// next is the next value of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, OOPSLA 2014; Vigna's constants).
func next(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// drop empties a way, which moves to the end of the order: the next fill takes it.
func (c *cache) drop(s *set, way int) {
	c.last(s, s.position(way), uint64(way))
	s.tag[way&15] = 0
	s.sig[sigOf(uint64(way))&15] = 0
}

func (c *cache) reset() {
	for _, i := range c.touched {
		c.sets[i] = set{}
	}
	c.touched = c.touched[:0]
}
