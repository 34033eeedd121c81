package checkers

import "math/bits"

// cover counts, for each of a row of places, the intervals that cover it, and
// finds the places that are covered no more, each once. Beside that it keeps
// items, each with an interval of its own, and hands out those around a place,
// each once. An interval is from a place to before another one. It is a segment
// tree: everything takes time logarithmic in the number of places.
type cover struct {
	size  int     // of the lowest level, a power of two
	least []int32 // of each node: the least count below, without what is above
	added []int32 // of each node: what was added to all below
	heads []int32 // of each node: the first link of its items, or -1
	links []link
}

type link struct {
	item int
	next int32
}

// foundCover marks a place that was found already: no number of intervals.
const foundCover = 1 << 30

// reset makes a place for each of counts, and forgets the items.
func (c *cover) reset(counts []int32) {
	c.size = 1 << bits.Len(uint(max(len(counts), 2)-1))
	c.least = resized(c.least, 2*c.size)
	c.added = resized(c.added, 2*c.size)
	c.heads = resized(c.heads, 2*c.size)
	clear(c.added)
	for i := range c.heads {
		c.heads[i] = -1
	}
	for i := copy(c.least[c.size:], counts); i < c.size; i++ {
		c.least[c.size+i] = foundCover
	}
	for i := c.size - 1; i > 0; i-- {
		c.least[i] = min(c.least[2*i], c.least[2*i+1])
	}
	c.links = c.links[:0]
}

// resized returns n numbers, in s if they fit.
func resized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// add adds by to the counts from place from to before place to.
func (c *cover) add(from, to int, by int32) {
	l, r := from+c.size, to+c.size
	for a, b := l, r; a < b; a, b = a/2, b/2 {
		if a&1 == 1 {
			c.least[a] += by
			c.added[a] += by
			a++
		}
		if b&1 == 1 {
			b--
			c.least[b] += by
			c.added[b] += by
		}
	}
	c.settle(l)
	c.settle(r - 1)
}

// settle brings the nodes above i up to date.
func (c *cover) settle(i int) {
	for i /= 2; i > 0; i /= 2 {
		c.least[i] = min(c.least[2*i], c.least[2*i+1]) + c.added[i]
	}
}

// put keeps an item that is around the places from from to before to.
func (c *cover) put(item, from, to int) {
	for a, b := from+c.size, to+c.size; a < b; a, b = a/2, b/2 {
		if a&1 == 1 {
			c.hang(item, a)
			a++
		}
		if b&1 == 1 {
			b--
			c.hang(item, b)
		}
	}
}

func (c *cover) hang(item, node int) {
	c.links = append(c.links, link{item, c.heads[node]})
	c.heads[node] = int32(len(c.links) - 1)
}

// uncovered calls take for the items around all places that nothing covers and
// that were not found before. An item may be handed out more than once.
func (c *cover) uncovered(take func(item int)) { c.search(1, 0, take) }

// search looks below a node; above is what was added above it.
func (c *cover) search(node int, above int32, take func(item int)) {
	if c.least[node]+above != 0 {
		return
	}
	if node < c.size {
		above += c.added[node]
		c.search(2*node, above, take)
		c.search(2*node+1, above, take)
		c.least[node] = min(c.least[2*node], c.least[2*node+1]) + c.added[node]
		return
	}
	c.least[node] = foundCover
	for ; node > 0; node /= 2 {
		for i := c.heads[node]; i >= 0; i = c.links[i].next {
			take(c.links[i].item)
		}
		c.heads[node] = -1
	}
}
