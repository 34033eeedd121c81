package fuzz

import "math/bits"

// Rand is the generator behind every random decision: SplitMix64 (Steele, Lea
// and Flood, OOPSLA 2014). It is written here, and its output fixed by a test,
// so that a seed means the same runs for as long as the project lives.
type Rand struct{ state uint64 }

// NewRand is a generator for one run of a seeded set of runs. Different runs
// get unrelated streams.
func NewRand(seed, run uint64) Rand {
	return Rand{scramble(seed ^ scramble(run+0x632be59bd9b4e019))}
}

// Uint64 is the next number, from all 64-bit numbers.
func (r *Rand) Uint64() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return scramble(r.state)
}

// scramble is SplitMix64's output function, a bijection.
func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Below is a number from 0 to n-1; n must be positive. The bias is below
// n in 2^64.
func (r *Rand) Below(n int) int {
	hi, _ := bits.Mul64(r.Uint64(), uint64(n))
	return int(hi)
}
