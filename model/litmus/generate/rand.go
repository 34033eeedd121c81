package generate

import "math/bits"

// rand is the generator behind Random: SplitMix64 (Steele, Lea and Flood, OOPSLA
// 2014), so that a seed means the same test for as long as the project lives.
type rand struct{ state uint64 }

func (r *rand) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is a number from 0 to n-1; n must be positive.
func (r *rand) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// percent is true p times in 100.
func (r *rand) percent(p int) bool { return r.below(100) < p }

func pick[T any](r *rand, s ...T) T { return s[r.below(len(s))] }
