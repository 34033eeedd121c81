package workload

// The stencils of MG have one coefficient for each distance in the 3x3x3
// neighbourhood: of the centre, of the 6 faces, of the 12 edges, of the 8 corners.
// The sums that an element shares with its neighbours on the line are kept in a
// line buffer, as in the reference.
const (
	// The operator of the equation; that of the faces is zero.
	mgCentre, mgEdges, mgCorners = -8.0 / 3, 1.0 / 6, 1.0 / 12
	// The smoother, for the classes up to A; that of the corners is zero.
	smoothCentre, smoothFaces, smoothEdges = -3.0 / 8, 1.0 / 32, -1.0 / 64
)

// Instructions of MG that touch no memory, for each element: its loop, and the
// sums and products of the stencil with those of the line buffers.
const (
	mgLoop        = 3
	mgResidual    = 2*mgLoop + 6 + 10
	mgSmooth      = 2*mgLoop + 6 + 10
	mgRestrict    = 2*mgLoop + 9 + 16 // of the coarse grid
	mgInterpolate = 2*mgLoop + 4 + 26 // of the coarse grid
)

// cross are the four lines around line (y, z) that share a face with it, and the
// four that share an edge.
type cross struct{ south, north, below, above, southBelow, southAbove, northBelow, northAbove Float64s }

func (g grid) around(y, z int) cross {
	return cross{
		g.line(y-1, z), g.line(y+1, z), g.line(y, z-1), g.line(y, z+1),
		g.line(y-1, z-1), g.line(y-1, z+1), g.line(y+1, z-1), g.line(y+1, z+1),
	}
}

// faces is the sum of element x of the lines that share a face.
func (m *mgRun) faces(c *cross, x int) float64 {
	t := m.t
	return c.south.At(t, x) + c.north.At(t, x) + c.below.At(t, x) + c.above.At(t, x)
}

// edges is the sum of element x of the lines that share an edge.
func (m *mgRun) edges(c *cross, x int) float64 {
	t := m.t
	return c.southBelow.At(t, x) + c.northBelow.At(t, x) + c.southAbove.At(t, x) + c.northAbove.At(t, x)
}

// residual stores v - A u in r, which may be v.
func (m *mgRun) residual(u, v, r grid) {
	t, f, e := m.t, m.lines[0], m.lines[1]
	for z := 1; z <= u.n; z++ {
		for y := 1; y <= u.n; y++ {
			around := u.around(y, z)
			for x := range u.n + 2 {
				f.Set(t, x, m.faces(&around, x))
				e.Set(t, x, m.edges(&around, x))
			}
			uLine, vLine, rLine := u.line(y, z), v.line(y, z), r.line(y, z)
			for x := 1; x <= u.n; x++ {
				d := vLine.At(t, x) - float64(mgCentre*uLine.At(t, x))
				d -= float64(mgEdges * (e.At(t, x) + f.At(t, x-1) + f.At(t, x+1)))
				d -= float64(mgCorners * (e.At(t, x-1) + e.At(t, x+1)))
				rLine.Set(t, x, d)
			}
		}
		compute(t, u.n*u.n*mgResidual)
	}
	m.border(r)
}

// smooth adds S r to u.
func (m *mgRun) smooth(r, u grid) {
	t, f, e := m.t, m.lines[0], m.lines[1]
	for z := 1; z <= r.n; z++ {
		for y := 1; y <= r.n; y++ {
			around := r.around(y, z)
			for x := range r.n + 2 {
				f.Set(t, x, m.faces(&around, x))
				e.Set(t, x, m.edges(&around, x))
			}
			rLine, uLine := r.line(y, z), u.line(y, z)
			for x := 1; x <= r.n; x++ {
				d := uLine.At(t, x) + float64(smoothCentre*rLine.At(t, x))
				d += float64(smoothFaces * (rLine.At(t, x-1) + rLine.At(t, x+1) + f.At(t, x)))
				d += float64(smoothEdges * (e.At(t, x) + f.At(t, x-1) + f.At(t, x+1)))
				uLine.Set(t, x, d)
			}
		}
		compute(t, r.n*r.n*mgSmooth)
	}
	m.border(u)
}

// restrict stores in each element of the coarse grid the mean around the element
// of the fine one at twice its place: half-weighted from each distance to the next.
func (m *mgRun) restrict(fine, coarse grid) {
	t, f, e := m.t, m.lines[0], m.lines[1]
	for z := 1; z <= coarse.n; z++ {
		for y := 1; y <= coarse.n; y++ {
			around := fine.around(2*y, 2*z)
			for x := 1; x <= fine.n+1; x += 2 {
				f.Set(t, x, m.faces(&around, x))
				e.Set(t, x, m.edges(&around, x))
			}
			from, to := fine.line(2*y, 2*z), coarse.line(y, z)
			for x := 1; x <= coarse.n; x++ {
				i := 2 * x
				edges := m.edges(&around, i)
				faces := m.faces(&around, i)
				d := float64(0.5 * from.At(t, i))
				d += float64(0.25 * (from.At(t, i-1) + from.At(t, i+1) + faces))
				d += float64(0.125 * (f.At(t, i-1) + f.At(t, i+1) + edges))
				d += float64(0.0625 * (e.At(t, i-1) + e.At(t, i+1)))
				to.Set(t, x, d)
			}
		}
		compute(t, coarse.n*coarse.n*mgRestrict)
	}
	m.border(coarse)
}

// interpolate adds to the fine grid, with its border, what the coarse one has
// around each place: the mean of its 1, 2, 4 or 8 nearest elements.
func (m *mgRun) interpolate(coarse, fine grid) {
	t := m.t
	north, above, corner := m.lines[0], m.lines[1], m.lines[2]
	for z := range coarse.n + 1 {
		for y := range coarse.n + 1 {
			here := coarse.line(y, z)
			lineNorth, lineAbove, lineCorner := coarse.line(y+1, z), coarse.line(y, z+1), coarse.line(y+1, z+1)
			for x := range coarse.n + 2 {
				v := here.At(t, x)
				n, a := lineNorth.At(t, x)+v, lineAbove.At(t, x)
				corner.Set(t, x, lineCorner.At(t, x)+a+n)
				north.Set(t, x, n)
				above.Set(t, x, a+v)
			}
			m.spread(here, fine.line(2*y, 2*z), coarse.n, 1)
			m.spread(north, fine.line(2*y+1, 2*z), coarse.n, 0.5)
			m.spread(above, fine.line(2*y, 2*z+1), coarse.n, 0.5)
			m.spread(corner, fine.line(2*y+1, 2*z+1), coarse.n, 0.25)
		}
		compute(t, (coarse.n+1)*(coarse.n+1)*mgInterpolate)
	}
}

// spread adds a line of n+1 elements and one more, times a weight, to a line of
// twice the length.
func (m *mgRun) spread(from, to Float64s, n int, weight float64) {
	t, half := m.t, weight/2
	for x := range n + 1 {
		v := from.At(t, x)
		to.Set(t, 2*x, to.At(t, 2*x)+float64(weight*v))
		to.Set(t, 2*x+1, to.At(t, 2*x+1)+float64(half*(from.At(t, x+1)+v)))
	}
}
