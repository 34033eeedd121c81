package checkers

// smallTable is the number of keys up to which a scan beats a map.
const smallTable = 12

// table maps keys to small numbers: the first key that is asked for gets 0,
// the next one 1. The numbers index slices of what belongs to the keys.
type table[K comparable] struct {
	keys  []K
	index map[K]int // used once there are more than smallTable keys
}

// find returns the number of k, and whether it is a new one.
func (t *table[K]) find(k K) (n int, fresh bool) {
	if len(t.keys) <= smallTable {
		for i := range t.keys {
			if t.keys[i] == k {
				return i, false
			}
		}
	} else if n, known := t.index[k]; known {
		return n, false
	}
	t.add(k)
	return len(t.keys) - 1, true
}

func (t *table[K]) add(k K) {
	t.keys = append(t.keys, k)
	switch n := len(t.keys); {
	case n == smallTable+1:
		t.index = make(map[K]int, 2*n)
		for i, k := range t.keys {
			t.index[k] = i
		}
	case n > smallTable:
		t.index[k] = n - 1
	}
}

// reset forgets all keys.
func (t *table[K]) reset() {
	t.keys, t.index = t.keys[:0], nil
}
