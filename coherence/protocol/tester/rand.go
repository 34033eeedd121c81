package tester

import "math/bits"

// rand is SplitMix64 (G. Steele, D. Lea and C. Flood, OOPSLA 2014), so that a seed means
// the same test for as long as the project lives.
type rand uint64

// newRand is the generator of one round of a test.
func newRand(seed, round uint64) rand {
	r := rand(round)
	return rand(seed ^ r.next())
}

func (r *rand) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// under is a number below n, which is positive.
func (r *rand) under(n uint64) uint64 {
	hi, _ := bits.Mul64(r.next(), n)
	return hi
}

func (r *rand) below(n int) int { return int(r.under(uint64(n))) }
