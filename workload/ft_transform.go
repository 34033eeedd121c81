package workload

// Instructions of FT that touch no memory, for each element.
const (
	ftLoop      = 3  // its index, its end and its branch
	ftButterfly = 10 // two sums and one product of complex numbers
	ftRandom    = 4  // a random number
	ftExp       = 25 // an exponential function
)

// makeRoots computes exp(i pi k/n) for k < n, from element n on, for each power of
// two n below the longest dimension.
func (r *ftRun) makeRoots() {
	for n := 1; n < max(r.n[0], r.n[1], r.n[2]); n *= 2 {
		for k := range n {
			sin, cos := sincos(k, n)
			r.roots.store(r.t, n+k, complex(cos, sin))
		}
		compute(r.t, n*(ftLoop+2*ftExp))
	}
}

// forward transforms a cube, which it spoils, into another one.
func (r *ftRun) forward(from, to complexes) {
	r.along(0, false, from, from)
	r.along(1, false, from, from)
	r.along(2, false, from, to)
}

// inverse transforms a cube in place, times the number of its elements.
func (r *ftRun) inverse(c complexes) {
	r.along(2, true, c, c)
	r.along(1, true, c, c)
	r.along(0, true, c, c)
}

// along transforms all pencils along a dimension, ftBlock at a time. Those of a
// block are neighbours along the first other dimension.
func (r *ftRun) along(d int, inverse bool, from, to complexes) {
	stride := [3]int{1, r.n[0] + 1, (r.n[0] + 1) * r.n[1]}
	beside, outer := 0, 2 // the other dimensions
	switch d {
	case 0:
		beside = 1
	case 2:
		outer = 1
	}
	p := pencils{n: r.n[d], along: stride[d], beside: stride[beside]}
	for i := range r.n[outer] {
		for j := 0; j < r.n[beside]; j += ftBlock {
			p.first = i*stride[outer] + j*stride[beside]
			r.gather(p, from)
			r.scatter(p, to, r.transform(p.n, inverse))
		}
	}
}

// pencils are ftBlock lines of n elements of a cube.
type pencils struct {
	first         int // element of the first line
	n             int
	along, beside int // the distance on a line, and from a line to the next
}

// gather copies pencils from a cube to the first buffer, in the cube's order.
func (r *ftRun) gather(p pencils, cube complexes) {
	t := r.t
	if p.along == 1 {
		for j := range ftBlock {
			for i := range p.n {
				r.from.store(t, i*ftPad+j, cube.load(t, p.first+j*p.beside+i))
			}
		}
	} else {
		for i := range p.n {
			for j := range ftBlock {
				r.from.store(t, i*ftPad+j, cube.load(t, p.first+i*p.along+j))
			}
		}
	}
	compute(t, p.n*ftBlock*ftLoop)
}

// scatter is the opposite of gather, from any buffer.
func (r *ftRun) scatter(p pencils, cube, buffer complexes) {
	t := r.t
	if p.along == 1 {
		for j := range ftBlock {
			for i := range p.n {
				cube.store(t, p.first+j*p.beside+i, buffer.load(t, i*ftPad+j))
			}
		}
	} else {
		for i := range p.n {
			for j := range ftBlock {
				cube.store(t, p.first+i*p.along+j, buffer.load(t, i*ftPad+j))
			}
		}
	}
	compute(t, p.n*ftBlock*ftLoop)
}

// transform is the Stockham transform of the pencils in the first buffer: log n
// passes, each from one buffer to the other, which leave the result in order (P.
// Swarztrauber, "FFT algorithms for vector computers", 1984). It answers the
// buffer that has it; the reference copies it when that is the second one, which
// the copy to the cube makes needless.
func (r *ftRun) transform(n int, inverse bool) complexes {
	from, to := r.from, r.to
	for together := 1; together < n; together *= 2 {
		r.pass(n, together, inverse, from, to)
		from, to = to, from
	}
	return from
}

// pass combines the transforms of length together, of which there are
// n/together, pairwise.
func (r *ftRun) pass(n, together int, inverse bool, from, to complexes) {
	t, pairs := r.t, n/2/together
	for i := range pairs {
		root := r.roots.load(t, pairs+i)
		if inverse {
			root = complex(real(root), -imag(root))
		}
		low, high := i*together*ftPad, (i*together+n/2)*ftPad
		sum := 2 * low
		difference := sum + together*ftPad
		for range together {
			for j := range ftBlock {
				a, b := from.load(t, low+j), from.load(t, high+j)
				to.store(t, sum+j, a+b)
				to.store(t, difference+j, times(root, a-b))
			}
			low, high, sum, difference = low+ftPad, high+ftPad, sum+ftPad, difference+ftPad
		}
	}
	compute(t, n/2*ftBlock*(ftLoop+ftButterfly))
}
