package workload

// random is the generator of all NPB kernels: x' = 5^13 x mod 2^46, of which the
// values are x' / 2^46, between 0 and 1 (NAS-95-020, section 2.3). The integers
// are exact in 64 bits because 2^46 divides 2^64.
type random uint64

// seed is the seed of IS, CG, MG and FT.
const seed random = 314159265

func (r *random) next() float64 {
	*r = *r * 1220703125 & (1<<46 - 1)
	return float64(*r) * (1.0 / (1 << 46))
}
