package axiomatic

import "math/bits"

// set is a set of events: bit i of the words is event i.
type set []uint64

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) drop(i int)     { s[i/64] &^= 1 << (i % 64) }

// meets is the first event that is in both sets, or -1.
func (s set) meets(o set) int {
	for k, b := range s {
		if b &= o[k]; b != 0 {
			return k*64 + bits.TrailingZeros64(b)
		}
	}
	return -1
}

// or is the union of two sets.
func (s set) or(o set) set {
	out := make(set, len(s))
	for k := range s {
		out[k] = s[k] | o[k]
	}
	return out
}

// and is the events that are in both sets.
func (s set) and(o set) set {
	out := make(set, len(s))
	for k := range s {
		out[k] = s[k] & o[k]
	}
	return out
}

// without is the events of s that are not in o.
func (s set) without(o set) set {
	out := make(set, len(s))
	for k := range s {
		out[k] = s[k] &^ o[k]
	}
	return out
}

// relation relates n events: bit j of row i is (i, j).
type relation struct {
	n, w int // events, words of a row
	bits []uint64
}

func newRelation(n int) relation {
	w := max((n+63)/64, 1)
	return relation{n, w, make([]uint64, n*w)}
}

func (r relation) row(i int) set      { return r.bits[i*r.w : (i+1)*r.w] }
func (r relation) has(i, j int) bool  { return r.bits[i*r.w+j/64]>>(j%64)&1 != 0 }
func (r relation) add(i, j int)       { r.bits[i*r.w+j/64] |= 1 << (j % 64) }
func (r relation) include(o relation) { orInto(r.bits, o.bits) }
func orInto(to, from []uint64) {
	for k, b := range from {
		to[k] |= b
	}
}

// union is the union of relations.
func union(first relation, more ...relation) relation {
	out := relation{first.n, first.w, append([]uint64(nil), first.bits...)}
	for _, r := range more {
		out.include(r)
	}
	return out
}

// from is the relation restricted to a domain: [s];r.
func (r relation) from(s set) relation {
	out := newRelation(r.n)
	for i := range r.n {
		if s.has(i) {
			copy(out.row(i), r.row(i))
		}
	}
	return out
}

// to is the relation restricted to a range: r;[s].
func (r relation) to(s set) relation {
	out := newRelation(r.n)
	for i := range r.n {
		row, in := out.row(i), r.row(i)
		for k := range row {
			row[k] = in[k] & s[k]
		}
	}
	return out
}

// then is the composition of two relations: r;o.
func (r relation) then(o relation) relation {
	out := newRelation(r.n)
	for i := range r.n {
		row := out.row(i)
		for k, b := range r.row(i) {
			for ; b != 0; b &= b - 1 {
				orInto(row, o.row(k*64+bits.TrailingZeros64(b)))
			}
		}
	}
	return out
}

// empty says whether it relates nothing.
func (r relation) empty() bool {
	for _, b := range r.bits {
		if b != 0 {
			return false
		}
	}
	return true
}

// closure is the transitive closure of a relation that goes from earlier to later
// events only.
func (r relation) closure() relation {
	out := union(r)
	for i := out.n - 1; i >= 0; i-- {
		row := out.row(i)
		for k, b := range r.row(i) {
			for ; b != 0; b &= b - 1 {
				orInto(row, out.row(k*64+bits.TrailingZeros64(b)))
			}
		}
	}
	return out
}

// acyclic says whether the relation has no cycle. It looks at each event once.
func (r relation) acyclic() bool {
	if r.w == 1 {
		return r.acyclic64()
	}
	return r.cycle() == nil
}

// acyclic64 is acyclic for up to 64 events: those that nothing leads to are taken
// away until none is left.
func (r relation) acyclic64() bool {
	left := ^uint64(0) >> (64 - uint(r.n)) // none if n is 0
	if r.n == 0 {
		return true
	}
	for left != 0 {
		reached := uint64(0)
		for b := left; b != 0; b &= b - 1 {
			reached |= r.bits[bits.TrailingZeros64(b)]
		}
		rest := left & reached
		if rest == left {
			return false
		}
		left = rest
	}
	return true
}

// cycle is the events of a cycle, in order, or nil. Of those through the event at
// which it notices one, it is a shortest one.
func (r relation) cycle() []int {
	unseen, open := make(set, r.w), make(set, r.w)
	for i := range r.n {
		unseen.add(i)
	}
	var stack []int
	for start := range r.n {
		if unseen.has(start) {
			stack = append(stack, start)
		}
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			if unseen.has(i) {
				unseen.drop(i)
				open.add(i)
				if j := r.row(i).meets(open); j >= 0 {
					return r.shortest(j)
				}
			}
			if j := r.row(i).meets(unseen); j >= 0 {
				stack = append(stack, j)
			} else {
				open.drop(i)
				stack = stack[:len(stack)-1]
			}
		}
	}
	return nil
}

// nextIn is the first event from k on that i is related to, or -1.
func (r relation) nextIn(i, k int) int {
	row := r.row(i)
	for w := k / 64; w < r.w; w++ {
		b := row[w]
		if w == k/64 {
			b &= ^uint64(0) << (k % 64)
		}
		if b != 0 {
			return w*64 + bits.TrailingZeros64(b)
		}
	}
	return -1
}

// shortest is a shortest cycle through an event that has one.
func (r relation) shortest(start int) []int {
	before := make([]int, r.n)
	for i := range before {
		before[i] = -1
	}
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for j := r.nextIn(i, 0); j >= 0; j = r.nextIn(i, j+1) {
			if j == start {
				var way []int
				for ; i != start; i = before[i] {
					way = append(way, i)
				}
				way = append(way, start)
				for a, b := 0, len(way)-1; a < b; a, b = a+1, b-1 {
					way[a], way[b] = way[b], way[a]
				}
				return way
			}
			if before[j] < 0 && j != start {
				before[j] = i
				queue = append(queue, j)
			}
		}
	}
	return nil
}
