package explore

import "slices"

// A table interns records of a fixed number of words: each distinct record has
// an index, from 0 in the order of arrival.
type table struct {
	width int
	words []uint64 // of all records
	slots []uint32 // open addressing by hash; index + 1
	mask  uint64
	n     int
	meter *meter
}

func newTable(width int, m *meter) *table {
	return &table{width: width, slots: make([]uint32, 16), mask: 15, meter: m}
}

func hashOf(rec []uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, w := range rec {
		h = (h ^ w) * 0xff51afd7ed558ccd
		h ^= h >> 32
	}
	return h
}

// at is the record of index i. It is valid until the next add.
func (t *table) at(i int) []uint64 { return t.words[i*t.width : (i+1)*t.width] }

// add is the index of rec, and whether it is new; -1 if there is no room for it.
func (t *table) add(rec []uint64) (i int, fresh bool) {
	h := hashOf(rec)
	for ; ; h++ {
		s := t.slots[h&t.mask]
		if s == 0 {
			break
		}
		if slices.Equal(t.at(int(s-1)), rec) {
			return int(s - 1), false
		}
	}
	if !t.meter.keep(1) {
		return -1, false
	}
	t.words = append(t.words, rec...)
	t.slots[h&t.mask] = uint32(t.n + 1)
	t.n++
	if 2*t.n > len(t.slots) {
		t.grow()
	}
	return t.n - 1, true
}

func (t *table) grow() {
	t.slots = make([]uint32, 4*len(t.slots))
	t.mask = uint64(len(t.slots) - 1)
	for i := range t.n {
		h := hashOf(t.at(i))
		for t.slots[h&t.mask] != 0 {
			h++
		}
		t.slots[h&t.mask] = uint32(i + 1)
	}
}
