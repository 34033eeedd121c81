package workload

import (
	"math"
)

// cg estimates the largest eigenvalue of a sparse symmetric matrix by inverse
// iteration, each step of which solves a system by the conjugate-gradient method
// (NAS-95-020, section 2.2).
var cg = Kernel{
	Name: "CG", About: "conjugate gradients: sparse matrix times vector, with random reads of 8 bytes",
	sizes: func(c Class) []uint64 {
		p := cgClasses[c]
		n, per := uint64(p.n), uint64(p.nonzer+1)
		sizes := []uint64{8 * n * per * per, 4 * n * per * per, 4 * (n + 1), 8 * n * per, 4 * n * per, 4 * n, 4 * n}
		for range cgVectors {
			sizes = append(sizes, 8*n)
		}
		return sizes
	},
	run: func(e *execution, c Class) bool { return newCG(e, c).run() },
}

const cgVectors = 5

// cgClass is a class of CG.
type cgClass struct {
	n          int // rows
	nonzer     int // entries of a random vector; a row has at most (nonzer+1)^2 before equal ones are added
	iterations int
	shift      float64
	zeta       float64 // official
}

var cgClasses = map[Class]cgClass{
	S: {1400, 7, 15, 10, 8.5971775078648},
	W: {7000, 8, 15, 12, 10.362595087124},
	A: {14000, 11, 15, 20, 17.130235054029},
}

// cgRun is CG with its arrays.
type cgRun struct {
	*execution
	cgClass

	values  Float64s // the matrix by rows
	columns Uint32s  // of the values
	rows    Uint32s  // where each row begins, and the last one ends
	m       cgVectorsOfMatrix

	x, z, p, q, r Float64s
}

func newCG(e *execution, c Class) *cgRun {
	return &cgRun{
		execution: e, cgClass: cgClasses[c],
		values: e.floats(0), columns: e.ints(1), rows: e.ints(2),
		m: cgVectorsOfMatrix{e.floats(3), e.ints(4), e.ints(5), e.ints(6)},
		x: e.floats(7), z: e.floats(8), p: e.floats(9), q: e.floats(10), r: e.floats(11),
	}
}

func (r *cgRun) run() bool {
	r.makeMatrix()
	r.ones()
	r.step() // untimed: touches all
	r.ones()
	zeta, residual := 0.0, 0.0
	r.start()
	for range r.iterations {
		zeta, residual = r.step()
	}
	r.stop()
	r.check(near(zeta, r.zeta, 1e-10), "zeta is %.13e, official %.13e (residual %.6e)", zeta, r.zeta, residual)
	return true
}

// ones sets x to all ones.
func (r *cgRun) ones() {
	for i := range r.n {
		r.x.Set(r.t, i, 1)
	}
	compute(r.t, r.n*cgLoop)
}

// step is one step of the inverse iteration: z = A^-1 x, then x = z/|z|.
func (r *cgRun) step() (zeta, residual float64) {
	r.edge()
	residual = r.solve()
	r.edge()
	xz, zz := 0.0, 0.0
	for i := range r.n {
		z := r.z.At(r.t, i)
		xz += float64(r.x.At(r.t, i) * z)
		zz += float64(z * z)
	}
	scale := 1 / math.Sqrt(zz)
	for i := range r.n {
		r.x.Set(r.t, i, float64(scale*r.z.At(r.t, i)))
	}
	compute(r.t, r.n*(2*cgLoop+5))
	return r.shift + 1/xz, residual
}

// Instructions of CG that touch no memory.
const (
	cgLoop    = 3  // for each element of a loop: its index, its end and its branch
	cgNonzero = 5  // for each entry of the matrix: a loop, a product and a sum
	cgUpdate  = 13 // for each row, in the loops of one iteration over the vectors
)

// cgInner is how many iterations the solver makes.
const cgInner = 25

// solve approximates z = A^-1 x, and answers |x - A z|.
func (r *cgRun) solve() float64 {
	t, n := r.t, r.n
	rho := 0.0
	for i := range n {
		x := r.x.At(t, i)
		r.q.Set(t, i, 0)
		r.z.Set(t, i, 0)
		r.r.Set(t, i, x)
		r.p.Set(t, i, x)
	}
	for i := range n {
		v := r.r.At(t, i)
		rho += float64(v * v)
	}
	compute(t, n*(2*cgLoop+2))
	for range cgInner {
		rho = r.iterate(rho)
	}
	r.multiply(r.z, r.r)
	sum := 0.0
	for i := range n {
		d := r.x.At(t, i) - r.r.At(t, i)
		sum += float64(d * d)
	}
	compute(t, n*(cgLoop+3))
	return math.Sqrt(sum)
}

// iterate is one iteration of the solver. It takes and answers r.r.
func (r *cgRun) iterate(rho float64) float64 {
	t, n := r.t, r.n
	r.multiply(r.p, r.q)
	pq := 0.0
	for i := range n {
		pq += float64(r.p.At(t, i) * r.q.At(t, i))
	}
	alpha := rho / pq
	old := rho
	for i := range n {
		r.z.Set(t, i, r.z.At(t, i)+float64(alpha*r.p.At(t, i)))
		r.r.Set(t, i, r.r.At(t, i)-float64(alpha*r.q.At(t, i)))
	}
	rho = 0
	for i := range n {
		v := r.r.At(t, i)
		rho += float64(v * v)
	}
	beta := rho / old
	for i := range n {
		r.p.Set(t, i, r.r.At(t, i)+float64(beta*r.p.At(t, i)))
	}
	compute(t, n*(4*cgLoop+cgUpdate))
	return rho
}

// multiply stores A times a vector.
func (r *cgRun) multiply(by, into Float64s) {
	t, values, columns := r.t, r.values, r.columns
	k := int(r.rows.At(t, 0))
	for i := range r.n {
		end := int(r.rows.At(t, i+1))
		compute(t, cgLoop+(end-k)*cgNonzero)
		sum := 0.0
		for ; k < end; k++ {
			sum += float64(values.At(t, k) * by.At(t, int(columns.At(t, k))))
		}
		into.Set(t, i, sum)
	}
}
