package checkers

// clock is a vector clock (C. Fidge 1988; F. Mattern 1989): of each thread, how
// far what it did has happened before. A thread has two entries, one for its
// reads and one for its writes, because a store fence passes on only the latter.
// Entries that are missing are zero.
type clock []uint32

// at is an entry.
func (c clock) at(entry uint32) uint32 {
	if int(entry) < len(c) {
		return c[entry]
	}
	return 0
}

// grow makes room for entries below n.
func (c *clock) grow(n int) {
	for len(*c) < n {
		*c = append(*c, 0)
	}
}

// join adds what has happened before another clock.
func (c *clock) join(o clock) {
	c.grow(len(o))
	a := (*c)[:len(o)]
	for i, at := range o {
		a[i] = max(a[i], at)
	}
}

// set makes the clock a copy of another one.
func (c *clock) set(o clock) { *c = append((*c)[:0], o...) }

// release is what was released to some bytes of a word.
type release struct {
	bytes uint8
	clock clock
}

// releases is what was released to the bytes of a word, at most once to each. Its
// memory is used again and again.
type releases []release

// add makes room for one more, whose clock is still to be set.
func (r *releases) add(bytes uint8) *release {
	if n := len(*r); n < cap(*r) {
		*r = (*r)[:n+1]
	} else {
		*r = append(*r, release{})
	}
	last := &(*r)[len(*r)-1]
	last.bytes = bytes
	return last
}

// cut forgets what was released to some bytes: a store ends the chain of what
// was written there.
func (r *releases) cut(bytes uint8) {
	kept := 0
	for i := range *r {
		if (*r)[i].bytes &^= bytes; (*r)[i].bytes != 0 {
			(*r)[i], (*r)[kept] = (*r)[kept], (*r)[i]
			kept++
		}
	}
	*r = (*r)[:kept]
}

// put adds to what was released to some bytes.
func (r *releases) put(bytes uint8, c clock) {
	for i := range *r {
		common := (*r)[i].bytes & bytes
		if common == 0 {
			continue
		}
		if rest := (*r)[i].bytes &^ common; rest != 0 {
			(*r)[i].bytes = common
			other := r.add(rest)
			other.clock.set((*r)[i].clock)
		}
		(*r)[i].clock.join(c)
		bytes &^= common
	}
	if bytes != 0 {
		r.add(bytes).clock.set(c)
	}
}
