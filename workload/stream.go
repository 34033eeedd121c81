package workload

import (
	"fmt"
	"math/bits"

	"github.com/fusedos/stramash/machine"
)

// xorshift is Marsaglia's generator of 64 bits with the shifts 13, 7 and 17
// ("Xorshift RNGs", 2003). Its state is never zero.
type xorshift uint64

const xorshiftSeed xorshift = 88172645463325252

func (x *xorshift) next() uint64 {
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return uint64(*x)
}

// below is a number less than n, each about equally likely.
func (x *xorshift) below(n uint64) uint64 {
	high, _ := bits.Mul64(x.next(), n)
	return high
}

// maxCount bounds the references that a microbenchmark is asked for.
const maxCount = 1 << 40

// Stream is a microbenchmark: references of 8 bytes to an array, one after the
// other or at random. It is references only: it accounts no other instructions.
type Stream struct {
	Range         uint64 // bytes of the array, a multiple of 8
	Random        bool   // at random, or else in order and from the beginning again
	LoadsPerStore int    // 0: only loads; else every (LoadsPerStore+1)-th reference is a store
	Count         int    // references of the timed part
	// WarmUp is how many references are made before the timed part; the streams
	// that are in order go on where it ends.
	WarmUp int
}

// Validate says what is wrong with the stream, or nil.
func (s Stream) Validate() error {
	switch {
	case s.Range == 0 || s.Range%8 != 0 || s.Range > machine.MaxMemory:
		return fmt.Errorf("stream over %d bytes: use a multiple of 8 up to %d", s.Range, uint64(machine.MaxMemory))
	case s.LoadsPerStore < 0:
		return fmt.Errorf("stream with %d loads for each store: use 0 for no stores, or 1 and more", s.LoadsPerStore)
	case s.Count < 1 || s.Count > maxCount || s.WarmUp < 0 || s.WarmUp > maxCount:
		return fmt.Errorf("stream of %d references after %d: use up to %d", s.Count, s.WarmUp, maxCount)
	}
	return nil
}

// Program prepares the stream, which must be valid, in the set-up of a run of m,
// and answers its body. It makes no use of o.Move.
func (s Stream) Program(m *machine.Machine, o Options) (body func(*machine.Thread)) {
	at := o.alloc(m, s.Range)
	return func(t *machine.Thread) {
		r := streaming{t, at, s.Range, 0, xorshiftSeed, s.stride(), s.stride()}
		run := r.inOrder
		if s.Random {
			run = r.atRandom
		}
		run(s.WarmUp)
		o.started(t)
		run(s.Count)
		o.stopped(t)
	}
}

// stride is the number of references from one store to the next.
func (s Stream) stride() int {
	if s.LoadsPerStore == 0 {
		return maxCount * 4 // never
	}
	return s.LoadsPerStore + 1
}

// streaming is a stream under way.
type streaming struct {
	t          *machine.Thread
	at         machine.VA
	size, next uint64
	x          xorshift
	left, step int // references up to the next store, with it; from there to the one after it
}

// inOrder makes n references. Its loops are in pieces that contain neither a store
// nor the end of the array, so that it measures the machine and not itself.
func (s *streaming) inOrder(n int) {
	t := s.t
	for n > 0 {
		if quads := min(n, int((s.size-s.next)/8)) / 4; quads > 0 && s.step == 4 && s.left == 4 {
			s.quads(quads)
			n -= 4 * quads
			continue
		}
		if s.left == 1 {
			a := s.at + machine.VA(s.next)
			t.Store64(a, uint64(a))
			s.left, n = s.step, n-1
			s.advance(8)
			continue
		}
		loads := min(n, s.left-1, int((s.size-s.next)/8))
		for a, end := s.at+machine.VA(s.next), s.at+machine.VA(s.next)+8*machine.VA(loads); a < end; a += 8 {
			t.Load64(a)
		}
		s.left, n = s.left-loads, n-loads
		s.advance(8 * uint64(loads))
	}
}

// quads makes the most usual references: three loads and a store, n times.
func (s *streaming) quads(n int) {
	t, a := s.t, s.at+machine.VA(s.next)
	for end := a + 32*machine.VA(n); a < end; a += 32 {
		t.Load64(a)
		t.Load64(a + 8)
		t.Load64(a + 16)
		t.Store64(a+24, uint64(a))
	}
	s.advance(32 * uint64(n))
}

func (s *streaming) advance(by uint64) {
	if s.next += by; s.next == s.size {
		s.next = 0
	}
}

// atRandom makes n references.
func (s *streaming) atRandom(n int) {
	t, x, words := s.t, s.x, s.size/8
	for range n {
		a := s.at + machine.VA(8*x.below(words))
		if s.left--; s.left == 0 {
			t.Store64(a, uint64(x))
			s.left = s.step
		} else {
			t.Load64(a)
		}
	}
	s.x = x
}

// Chase is a microbenchmark: loads each of which needs the answer of the one
// before, through all lines of an array in a random order. So it shows the
// latency of what holds the array.
type Chase struct {
	Range uint64 // bytes of the array, a multiple of 64
	Count int    // loads of the timed part, after every line was loaded once
}

// chaseLine is how far the pointers are from each other: a cache line.
const chaseLine = 64

// Validate says what is wrong with the chase, or nil.
func (c Chase) Validate() error {
	switch {
	case c.Range == 0 || c.Range%chaseLine != 0 || c.Range > machine.MaxMemory:
		return fmt.Errorf("chase through %d bytes: use a multiple of %d up to %d", c.Range, chaseLine, uint64(machine.MaxMemory))
	case c.Count < 1 || c.Count > maxCount:
		return fmt.Errorf("chase of %d loads: use 1 to %d", c.Count, maxCount)
	}
	return nil
}

// Program prepares the chase, which must be valid, in the set-up of a run of m,
// and answers its body. It makes no use of o.Move.
func (c Chase) Program(m *machine.Machine, o Options) (body func(*machine.Thread)) {
	at := o.alloc(m, c.Range)
	lines := c.Range / chaseLine
	return func(t *machine.Thread) {
		// Sattolo's algorithm: a random permutation that is one cycle. It needs no
		// memory but the array, and leaves in each line the address of the next.
		line := func(i uint64) machine.VA { return at + machine.VA(i*chaseLine) }
		for i := range lines {
			t.Store64(line(i), uint64(line(i)))
		}
		x := xorshiftSeed
		for i := lines - 1; i > 0; i-- {
			a, b := line(i), line(x.below(i))
			next := t.Load64(a)
			t.Store64(a, t.Load64(b))
			t.Store64(b, next)
		}
		a := chase(t, at, int(lines))
		o.started(t)
		chase(t, a, c.Count)
		o.stopped(t)
	}
}

// chase follows n pointers, and answers where it is then.
func chase(t *machine.Thread, a machine.VA, n int) machine.VA {
	for range n {
		a = machine.VA(t.Load64(a))
	}
	return a
}
