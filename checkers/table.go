package checkers

import "hash/maphash"

// smallTable is the number of keys up to which a scan beats a hash.
const smallTable = 12

// seed makes hashes that nobody can foresee, so that no history can be made to
// collide. It decides about places in tables only, never about a verdict.
var seed = maphash.MakeSeed()

// table maps keys to small numbers: the first key that is asked for gets 0,
// the next one 1. The numbers index slices of what belongs to the keys.
type table[K comparable] struct {
	keys  []K
	slots []int32 // numbers plus one, by hash; used once there are more than smallTable keys
}

// find returns the number of k, and whether it is a new one.
func (t *table[K]) find(k K) (n int, fresh bool) {
	if n = t.number(k); n >= 0 {
		return n, false
	}
	t.add(k)
	return len(t.keys) - 1, true
}

// number returns the number of k, or -1.
func (t *table[K]) number(k K) int {
	if len(t.keys) > smallTable {
		return int(t.slots[t.slot(k)]) - 1
	}
	for i := range t.keys {
		if t.keys[i] == k {
			return i
		}
	}
	return -1
}

// slot is where k stands, or should.
func (t *table[K]) slot(k K) int {
	mask := len(t.slots) - 1
	for i := int(maphash.Comparable(seed, k)) & mask; ; i = (i + 1) & mask {
		if n := t.slots[i]; n == 0 || t.keys[n-1] == k {
			return i
		}
	}
}

func (t *table[K]) add(k K) {
	t.keys = append(t.keys, k)
	n := len(t.keys)
	switch {
	case n <= smallTable:
	case n == smallTable+1:
		t.rebuild(4 * smallTable)
	case 2*n > len(t.slots):
		t.rebuild(2 * n)
	default:
		t.slots[t.slot(k)] = int32(n)
	}
}

// rebuild makes at least n slots, a power of two.
func (t *table[K]) rebuild(n int) {
	size := 1
	for size < 2*n {
		size *= 2
	}
	if cap(t.slots) < size {
		t.slots = make([]int32, size)
	}
	t.slots = t.slots[:size]
	clear(t.slots)
	for i, k := range t.keys {
		t.slots[t.slot(k)] = int32(i + 1)
	}
}

// reset forgets all keys.
func (t *table[K]) reset() { t.keys = t.keys[:0] }
