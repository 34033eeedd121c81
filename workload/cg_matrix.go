package workload

import "math"

// rcond is the reciprocal of the matrix's condition number.
const rcond = 0.1

// cgVectorsOfMatrix are what the matrix is made of: row i of columns and values is a
// sparse random vector with lengths[i] entries.
type cgVectorsOfMatrix struct {
	values  Float64s
	columns Uint32s
	lengths Uint32s
	filled  Uint32s // how many entries a row of the matrix has so far
}

// makeMatrix makes the sum of w^i x_i x_i' over the sparse random vectors x_i,
// where w^n is rcond, with rcond - shift added to the diagonal (NAS-95-020,
// section 2.2.5.1: MAKEA).
func (r *cgRun) makeMatrix() {
	r.makeVectors()
	r.reserveRows()
	weight, ratio := 1.0, exp(-math.Ln10/float64(r.n)) // the n-th root of rcond
	for i := range r.n {
		r.addProduct(i, weight)
		weight *= ratio
	}
	r.closeGaps()
}

// makeVectors makes the random vectors: nonzer entries at different places, and
// one half on the diagonal, over what may be there.
func (r *cgRun) makeVectors() {
	t, m, x := r.t, r.m, seed
	x.next() // the reference takes one number before the matrix
	width := 1
	for width < r.n {
		width *= 2
	}
	columns := make([]int, 0, r.nonzer+1)
	values := make([]float64, 0, r.nonzer+1)
	for i := range r.n {
		columns, values = columns[:0], values[:0]
		for len(columns) < r.nonzer {
			v, c := x.next(), int(x.next()*float64(width))
			if c < r.n && place(columns, c) == len(columns) {
				columns, values = append(columns, c), append(values, v)
			}
		}
		at := place(columns, i)
		if at == len(columns) {
			columns, values = append(columns, i), append(values, 0)
		}
		values[at] = 0.5
		for k, c := range columns {
			m.columns.Set(t, i*(r.nonzer+1)+k, uint32(c))
			m.values.Set(t, i*(r.nonzer+1)+k, values[k])
		}
		m.lengths.Set(t, i, uint32(len(columns)))
	}
}

// place is where c is in list, or its length.
func place(list []int, c int) int {
	for i, d := range list {
		if c == d {
			return i
		}
	}
	return len(list)
}

// reserveRows gives each row of the matrix room for as many entries as it can get,
// if no two of them are at the same place.
func (r *cgRun) reserveRows() {
	t, m := r.t, r.m
	for i := range r.n + 1 {
		r.rows.Set(t, i, 0)
	}
	for i := range r.n {
		m.filled.Set(t, i, 0)
		length := m.lengths.At(t, i)
		for k := range int(length) {
			c := int(m.columns.At(t, i*(r.nonzer+1)+k))
			r.rows.Set(t, c+1, r.rows.At(t, c+1)+length)
		}
	}
	sum := uint32(0)
	for i := range r.n {
		sum += r.rows.At(t, i+1)
		r.rows.Set(t, i+1, sum)
	}
}

// addProduct adds the weighted outer product of vector i with itself.
func (r *cgRun) addProduct(i int, weight float64) {
	t, m, first := r.t, r.m, i*(r.nonzer+1)
	length := int(m.lengths.At(t, i))
	for k := range length {
		row := int(m.columns.At(t, first+k))
		scale := weight * m.values.At(t, first+k)
		for l := range length {
			column := m.columns.At(t, first+l)
			v := float64(m.values.At(t, first+l) * scale)
			if row == i && int(column) == i {
				v += rcond - r.shift
			}
			r.add(row, column, v)
		}
	}
}

// add adds v to an entry of the matrix. The entries of a row are in the order of
// their columns.
func (r *cgRun) add(row int, column uint32, v float64) {
	t := r.t
	first, filled := int(r.rows.At(t, row)), int(r.m.filled.At(t, row))
	at, end := first, first+filled
	for high := end; at < high; {
		middle := (at + high) / 2
		if r.columns.At(t, middle) < column {
			at = middle + 1
		} else {
			high = middle
		}
	}
	if at < end && r.columns.At(t, at) == column {
		r.values.Set(t, at, r.values.At(t, at)+v)
		return
	}
	for k := end; k > at; k-- {
		r.columns.Set(t, k, r.columns.At(t, k-1))
		r.values.Set(t, k, r.values.At(t, k-1))
	}
	r.columns.Set(t, at, column)
	r.values.Set(t, at, v)
	r.m.filled.Set(t, row, uint32(filled+1))
}

// closeGaps moves the rows together.
func (r *cgRun) closeGaps() {
	t, to := r.t, 0
	for i := range r.n {
		from := int(r.rows.At(t, i))
		r.rows.Set(t, i, uint32(to))
		for range int(r.m.filled.At(t, i)) {
			r.values.Set(t, to, r.values.At(t, from))
			r.columns.Set(t, to, r.columns.At(t, from))
			from++
			to++
		}
	}
	r.rows.Set(t, r.n, uint32(to))
}
