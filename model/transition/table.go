package transition

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// table is a set of states, as an array of entries that are found by their upper bits and
// looked for one by one from there. An entry is the fingerprint of a state; or its upper
// half, and the state's number in the arena plus one. Zero is none. The array is in parts,
// by the first bits, so that it becomes larger a part at a time, and the old array and the
// new one are never there both. Any number of goroutines may insert; only one may make the
// table larger, alone.
type table struct {
	parts [1 << partBits][]uint64
	shift int // of the bits behind the first
	used  atomic.Int64
	limit int64 // at which it should become larger
}

const partBits = 4

// firstTable is how many entries a table begins with.
const firstTable = 1 << 16

// entries is how many there are.
func (t *table) entries() int { return len(t.parts) * len(t.parts[0]) }

// fit has a table of n entries find them, and know when it is full.
func (t *table) fit(n int) {
	t.shift = 64 - bits.Len(uint(n/len(t.parts)-1))
	t.limit = int64(n) / 4 * 3
}

func (t *table) init(n int) {
	for i := range t.parts {
		t.parts[i] = make([]uint64, n/len(t.parts))
	}
	t.fit(n)
}

// find is where to look for a fingerprint: the part, and the first place in it.
func (t *table) find(h uint64) (part []uint64, i uint64) {
	return t.parts[h>>(64-partBits)], h << partBits >> t.shift
}

// grow makes the table twice as large.
func (t *table) grow() {
	t.fit(2 * t.entries())
	for p, old := range t.parts {
		t.parts[p] = make([]uint64, 2*len(old))
		for _, e := range old {
			if e == 0 {
				continue
			}
			part, i := t.find(e)
			for part[i] != 0 {
				i = (i + 1) & uint64(len(part)-1)
			}
			part[i] = e
		}
	}
}

// growth is how many bytes it takes to grow, more than before, and how many of these are
// free afterwards.
func (t *table) growth() (bytes, free int64) {
	free = 8 * int64(len(t.parts[0]))
	return 8*int64(t.entries()) + free, free
}

// hash is the fingerprint of a state, which is padded to pairs of words: never zero, nor is
// its upper half. It is a chain of folded 128-bit products, each of a pair (the scheme of
// wyhash; Wang Yi, https://github.com/wangyi-fudan/wyhash).
func hash(padded []byte) uint64 {
	h := uint64(len(padded))
	for ; len(padded) >= 16; padded = padded[16:] {
		a, b := binary.LittleEndian.Uint64(padded), binary.LittleEndian.Uint64(padded[8:])
		hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^h^0xd1342543de82ef95)
		h = hi ^ lo
	}
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	if h = hi ^ lo; h>>32 == 0 {
		h |= 1 << 32
	}
	return h
}
