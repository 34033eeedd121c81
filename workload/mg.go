package workload

import "math"

// mg solves Poisson's equation on a cube with periodic boundaries by V-cycles of
// the multigrid method (NAS-95-020, section 2.4).
var mg = Kernel{
	Name: "MG", About: "multigrid: stencils on grids of doubles, from the whole cube down to 2x2x2",
	sizes: func(c Class) []uint64 {
		p := mgClasses[c]
		side := uint64(1)<<p.log + 2
		sizes := []uint64{8 * side * side * side} // v; then the line buffers
		for range mgLines {
			sizes = append(sizes, 8*side)
		}
		for l := range p.log { // u and r of each level
			side := uint64(2)<<l + 2
			sizes = append(sizes, 8*side*side*side, 8*side*side*side)
		}
		return sizes
	},
	run: func(e *execution, c Class) bool { return newMG(e, c).run() },
}

// mgLines is how many buffers of one line of the finest grid there are.
const mgLines = 3

// mgClass is a class of MG.
type mgClass struct {
	log        int // of the side of the cube
	iterations int
	norm       float64 // official: of the last residual
}

var mgClasses = map[Class]mgClass{
	S: {5, 4, 0.5307707005734e-04},
	W: {7, 4, 0.6467329375339e-05},
	A: {8, 4, 0.2433365309069e-05},
}

// grid is a cube of n^3 doubles, with a border of one element on each side that
// repeats the opposite side.
type grid struct {
	Float64s
	n int
}

// side is the length with the border.
func (g grid) side() int { return g.n + 2 }

// line is where line (y, z) of the grid begins, with its border.
func (g grid) line(y, z int) Float64s { return g.from((z*g.side() + y) * g.side()) }

// mgRun is MG with its arrays.
type mgRun struct {
	*execution
	mgClass

	v     grid   // the right side
	u, r  []grid // by level, from the coarsest: the solution, the residual
	lines [mgLines]Float64s
}

func newMG(e *execution, c Class) *mgRun {
	m := &mgRun{execution: e, mgClass: mgClasses[c]}
	m.v = grid{e.floats(0), 1 << m.log}
	for i := range m.lines {
		m.lines[i] = e.floats(1 + i)
	}
	for l := range m.log {
		m.u = append(m.u, grid{e.floats(1 + mgLines + 2*l), 2 << l})
		m.r = append(m.r, grid{e.floats(2 + mgLines + 2*l), 2 << l})
	}
	return m
}

func (m *mgRun) run() bool {
	top := m.log - 1
	u, r := m.u[top], m.r[top]
	m.begin()
	m.cycle() // untimed: touches all
	m.residual(u, m.v, r)
	m.begin()
	m.start()
	m.residual(u, m.v, r)
	for range m.iterations {
		m.edge()
		m.cycle()
		m.residual(u, m.v, r)
		m.edge()
	}
	norm := m.norm(r)
	m.stop()
	m.check(near(norm, m.mgClass.norm, 1e-8), "the norm of the residual is %.13e, official %.13e", norm, m.mgClass.norm)
	return true
}

// begin sets the solution to zero, and makes the right side and its residual.
func (m *mgRun) begin() {
	top := m.log - 1
	m.zero(m.u[top])
	m.charges()
	m.residual(m.u[top], m.v, m.r[top])
}

// cycle is one V-cycle: down to the coarsest grid and up again.
func (m *mgRun) cycle() {
	top := m.log - 1
	for l := top; l > 0; l-- {
		m.restrict(m.r[l], m.r[l-1])
	}
	m.zero(m.u[0])
	m.smooth(m.r[0], m.u[0])
	for l := 1; l <= top; l++ {
		right := m.r[l]
		if l < top {
			m.zero(m.u[l])
		} else {
			right = m.v
		}
		m.interpolate(m.u[l-1], m.u[l])
		m.residual(m.u[l], right, m.r[l])
		m.smooth(m.r[l], m.u[l])
	}
}

// zero clears a grid with its border.
func (m *mgRun) zero(g grid) {
	for i := range g.side() * g.side() * g.side() {
		g.Set(m.t, i, 0)
	}
	compute(m.t, g.side()*g.side()*g.side()*mgLoop)
}

// norm is the root mean square of a grid.
func (m *mgRun) norm(g grid) float64 {
	sum := 0.0
	for z := 1; z <= g.n; z++ {
		for y := 1; y <= g.n; y++ {
			line := g.line(y, z)
			for x := 1; x <= g.n; x++ {
				v := line.At(m.t, x)
				sum += float64(v * v)
			}
		}
		compute(m.t, g.n*g.n*(mgLoop+4))
	}
	return math.Sqrt(sum / float64(g.n*g.n*g.n))
}

// border copies each side of a grid into the border of the opposite side.
func (m *mgRun) border(g grid) {
	t, n := m.t, g.n
	for z := 1; z <= n; z++ {
		for y := 1; y <= n; y++ {
			line := g.line(y, z)
			line.Set(t, 0, line.At(t, n))
			line.Set(t, n+1, line.At(t, 1))
		}
	}
	for z := 1; z <= n; z++ {
		m.copyLine(g, n, z, 0, z)
		m.copyLine(g, 1, z, n+1, z)
	}
	for y := range n + 2 {
		m.copyLine(g, y, n, y, 0)
		m.copyLine(g, y, 1, y, n+1)
	}
	compute(t, n*n*mgLoop+4*n*(n+2)*mgLoop)
}

// copyLine copies line (y, z) of a grid to line (toY, toZ).
func (m *mgRun) copyLine(g grid, y, z, toY, toZ int) {
	from, to := g.line(y, z), g.line(toY, toZ)
	for x := range g.side() {
		to.Set(m.t, x, from.At(m.t, x))
	}
}

// charges makes the right side: a field of random numbers, of which the ten
// largest become +1, the ten smallest -1, and all others 0.
func (m *mgRun) charges() {
	t, v, x := m.t, m.v, seed
	m.zero(v)
	for z := 1; z <= v.n; z++ {
		for y := 1; y <= v.n; y++ {
			line := v.line(y, z)
			for i := 1; i <= v.n; i++ {
				line.Set(t, i, x.next())
			}
		}
	}
	most, least := m.extremes()
	m.zero(v)
	for k := range mgCharges {
		v.Set(t, most[k].at, 1)
		v.Set(t, least[k].at, -1)
	}
	m.border(v)
}

// mgCharges is how many elements are +1, and how many -1.
const mgCharges = 10

// extreme is a value of a grid, and where it is.
type extreme struct {
	value float64
	at    int
}

// extremes finds the largest and the smallest values of the right side.
func (m *mgRun) extremes() (most, least [mgCharges]extreme) {
	for k := range mgCharges {
		most[k].value, least[k].value = -1, -2
	}
	for z := 1; z <= m.v.n; z++ {
		for y := 1; y <= m.v.n; y++ {
			first := (z*m.v.side() + y) * m.v.side()
			for x := 1; x <= m.v.n; x++ {
				v := m.v.At(m.t, first+x)
				insert(&most, v, first+x)
				insert(&least, -v, first+x)
			}
		}
	}
	return most, least
}

// insert puts v into the list, which has the largest values, the smallest of them
// first, if it is larger than that.
func insert(list *[mgCharges]extreme, v float64, at int) {
	if v <= list[0].value {
		return
	}
	k := 1
	for ; k < mgCharges && v > list[k].value; k++ {
		list[k-1] = list[k]
	}
	list[k-1] = extreme{v, at}
}
