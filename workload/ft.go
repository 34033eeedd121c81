package workload

import (
	"math"

	"github.com/fusedos/stramash/machine"
)

// ft solves a diffusion equation in three dimensions by the fast Fourier
// transform (NAS-95-020, section 2.6).
var ft = Kernel{
	Name: "FT", About: "Fourier transform of a cube: pencils of complex numbers along each dimension",
	sizes: func(c Class) []uint64 {
		n := ftClasses[c].n
		cube := uint64(n[0]+1) * uint64(n[1]) * uint64(n[2])
		longest := uint64(max(n[0], n[1], n[2]))
		return []uint64{16 * cube, 16 * cube, 8 * cube, 16 * longest, 16 * longest * ftPad, 16 * longest * ftPad}
	},
	run: func(e *execution, c Class) bool { return newFT(e, c).run() },
}

const (
	// ftBlock is how many pencils are transformed together, and ftPad their
	// distance in the buffers, so that not all of them meet in few cache sets.
	ftBlock, ftPad = 16, 18

	ftIterations = 6
	ftAlpha      = 1e-6 // of the equation
)

// ftClass is a class of FT.
type ftClass struct {
	n   [3]int
	sum [ftIterations]complex128 // official checksums
}

var ftClasses = map[Class]ftClass{
	S: {[3]int{64, 64, 64}, [ftIterations]complex128{
		5.546087004964e+02 + 4.845363331978e+02i, 5.546385409189e+02 + 4.865304269511e+02i,
		5.546148406171e+02 + 4.883910722336e+02i, 5.545423607415e+02 + 4.901273169046e+02i,
		5.544255039624e+02 + 4.917475857993e+02i, 5.542683411902e+02 + 4.932597244941e+02i,
	}},
	W: {[3]int{128, 128, 32}, [ftIterations]complex128{
		5.673612178944e+02 + 5.293246849175e+02i, 5.631436885271e+02 + 5.282149986629e+02i,
		5.594024089970e+02 + 5.270996558037e+02i, 5.560698047020e+02 + 5.260027904925e+02i,
		5.530898991250e+02 + 5.249400845633e+02i, 5.504159734538e+02 + 5.239212247086e+02i,
	}},
	A: {[3]int{256, 256, 128}, [ftIterations]complex128{
		5.046735008193e+02 + 5.114047905510e+02i, 5.059412319734e+02 + 5.098809666433e+02i,
		5.069376896287e+02 + 5.098144042213e+02i, 5.077892868474e+02 + 5.101336130759e+02i,
		5.085233095391e+02 + 5.104914655194e+02i, 5.091487099959e+02 + 5.107917842803e+02i,
	}},
}

// complexes is an array of complex numbers in simulated memory: two doubles each.
type complexes struct{ at machine.VA }

func (c complexes) load(t *machine.Thread, i int) complex128 {
	at := c.at + machine.VA(i)*16
	return complex(math.Float64frombits(t.Load64(at)), math.Float64frombits(t.Load64(at+8)))
}

func (c complexes) store(t *machine.Thread, i int, v complex128) {
	at := c.at + machine.VA(i)*16
	t.Store64(at, math.Float64bits(real(v)))
	t.Store64(at+8, math.Float64bits(imag(v)))
}

// times is the product, each part of it rounded on every host alike.
func times(a, b complex128) complex128 {
	return complex(
		float64(real(a)*real(b))-float64(imag(a)*imag(b)),
		float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}

// ftRun is FT with its arrays. The cubes have one element more along the first
// dimension than the definition, as the reference's do.
type ftRun struct {
	*execution
	ftClass

	spectrum complexes // of the solution
	work     complexes // the solution
	twiddle  Float64s  // by what the spectrum shrinks in one step
	roots    complexes // of unity: from 2^k on, the 2^k of degree 2^(k+1) in the upper half
	from, to complexes // buffers of ftBlock pencils
}

func newFT(e *execution, c Class) *ftRun {
	z := func(i int) complexes { return complexes{e.arrays[i]} }
	return &ftRun{e, ftClasses[c], z(0), z(1), e.floats(2), z(3), z(4), z(5)}
}

func (r *ftRun) run() bool {
	r.begin() // untimed: touches all
	r.start()
	r.begin()
	for i := range ftIterations {
		r.edge()
		r.evolve()
		r.inverse(r.work)
		got, want := r.checksum(), r.sum[i]
		r.edge()
		ok := near(real(got), real(want), 1e-12) && near(imag(got), imag(want), 1e-12)
		r.check(ok, "iteration %d: the checksum is %.12e, official %.12e", i+1, got, want)
	}
	r.stop()
	return true
}

// begin makes the initial state, and transforms it.
func (r *ftRun) begin() {
	r.makeTwiddle()
	r.fill()
	r.makeRoots()
	r.forward(r.work, r.spectrum)
}

// at is the index of an element of a cube.
func (r *ftRun) at(x, y, z int) int { return (z*r.n[1]+y)*(r.n[0]+1) + x }

// makeTwiddle computes exp(-4 alpha pi^2 |k|^2) for each wave vector k, which has
// the components -n/2 to n/2-1.
func (r *ftRun) makeTwiddle() {
	square := func(i, n int) int {
		k := (i+n/2)%n - n/2
		return k * k
	}
	const factor = -4 * ftAlpha * math.Pi * math.Pi
	for z := range r.n[2] {
		for y := range r.n[1] {
			row := square(y, r.n[1]) + square(z, r.n[2])
			for x := range r.n[0] {
				r.twiddle.Set(r.t, r.at(x, y, z), exp(factor*float64(row+square(x, r.n[0]))))
			}
			compute(r.t, r.n[0]*(ftLoop+ftExp))
		}
	}
}

// fill makes the initial state: random numbers, the real part of each first.
func (r *ftRun) fill() {
	x := seed
	for z := range r.n[2] {
		for y := range r.n[1] {
			for i := range r.n[0] {
				re := x.next()
				r.work.store(r.t, r.at(i, y, z), complex(re, x.next()))
			}
			compute(r.t, r.n[0]*(ftLoop+2*ftRandom))
		}
	}
}

// evolve goes on by one step: in the spectrum, which it copies to the work cube.
func (r *ftRun) evolve() {
	t := r.t
	for z := range r.n[2] {
		for y := range r.n[1] {
			first := r.at(0, y, z)
			for i := first; i < first+r.n[0]; i++ {
				v, w := r.spectrum.load(t, i), r.twiddle.At(t, i)
				v = complex(float64(real(v)*w), float64(imag(v)*w))
				r.spectrum.store(t, i, v)
				r.work.store(t, i, v)
			}
			compute(t, r.n[0]*(ftLoop+2))
		}
	}
}

// checksum is the mean of 1,024 elements, as the definition has it: their sum over
// the number of all.
func (r *ftRun) checksum() complex128 {
	sum := complex(0, 0)
	for j := 1; j <= 1024; j++ {
		sum += r.work.load(r.t, r.at(j%r.n[0], 3*j%r.n[1], 5*j%r.n[2]))
	}
	compute(r.t, 1024*(ftLoop+12))
	n := float64(r.n[0] * r.n[1] * r.n[2])
	return complex(real(sum)/n, imag(sum)/n)
}
