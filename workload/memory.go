package workload

import (
	"math"

	"github.com/fusedos/stramash/machine"
)

// Float64s is an array of doubles in simulated memory, by its address. It has no
// length: an index beyond the array is another array's memory, or a fault.
type Float64s struct{ at machine.VA }

// Float64sAt is the array that begins at an address, a multiple of 8.
func Float64sAt(at machine.VA) Float64s { return Float64s{at} }

// At loads element i.
func (f Float64s) At(t *machine.Thread, i int) float64 {
	return math.Float64frombits(t.Load64(f.at + machine.VA(i)*8))
}

// Set stores v in element i.
func (f Float64s) Set(t *machine.Thread, i int, v float64) {
	t.Store64(f.at+machine.VA(i)*8, math.Float64bits(v))
}

// from is the array that begins at element i.
func (f Float64s) from(i int) Float64s { return Float64s{f.at + machine.VA(i)*8} }

// Uint32s is an array of 4-byte integers in simulated memory, by its address. It
// has no length, as [Float64s].
type Uint32s struct{ at machine.VA }

// Uint32sAt is the array that begins at an address, a multiple of 4.
func Uint32sAt(at machine.VA) Uint32s { return Uint32s{at} }

// At loads element i.
func (u Uint32s) At(t *machine.Thread, i int) uint32 {
	return t.Load32(u.at + machine.VA(i)*4)
}

// Set stores v in element i.
func (u Uint32s) Set(t *machine.Thread, i int, v uint32) {
	t.Store32(u.at+machine.VA(i)*4, v)
}

// compute accounts n instructions of the thread that touch no memory. The
// kernels call it for a row or a pencil at a time.
func compute(t *machine.Thread, n int) { t.Compute(uint64(n)) }
