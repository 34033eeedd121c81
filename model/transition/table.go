package transition

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
)

// table is a set of states, as an array of entries that are found by their upper bits and
// looked for one by one from there. An entry is the fingerprint of a state; or its upper
// half, and the state's number in the arena plus one. Zero is none. Any number of
// goroutines may insert; only one may make it larger, alone.
type table struct {
	entries []uint64
	shift   int
	used    atomic.Int64
	limit   int64 // at which it should become larger
}

// firstTable is how many entries a table begins with.
const firstTable = 1 << 16

func (t *table) init(n int) {
	t.entries = make([]uint64, n)
	t.shift = 64 - bits.Len(uint(n-1))
	t.limit = int64(n) / 8 * 5
}

// grow makes the table twice as large.
func (t *table) grow() {
	old := t.entries
	t.init(2 * len(old))
	mask := uint64(len(t.entries) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := e >> t.shift
		for t.entries[i] != 0 {
			i = (i + 1) & mask
		}
		t.entries[i] = e
	}
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
