package workload

import "math"

// Functions of package math may differ in the last bit from host to host: some are
// in assembly, and some are compiled with products that fuse with sums. These do
// not. They are the Taylor series, where few terms are enough.

// exp is e^x for x from -2 to 0, to 8 units in the last place, and to 1 near 0.
func exp(x float64) float64 {
	const terms = 12
	halved := 0
	for ; x < -0.25; x /= 2 { // so that the terms fall faster, and cancel less
		halved++
	}
	sum := 1.0
	for k := terms; k > 0; k-- {
		sum = 1 + float64(x*sum)/float64(k)
	}
	for range halved {
		sum *= sum
	}
	return sum
}

// sincos are the sine and the cosine of pi k/n for 0 <= k < n, where n is a power
// of two, to 2^-51.
func sincos(k, n int) (sin, cos float64) {
	const terms = 10
	switch {
	case 2*k > n:
		sin, cos = sincos(n-k, n)
		return sin, -cos
	case 4*k > n: // not more than pi/4, which is k/n of 1/4
		cos, sin = sincos(n-2*k, 2*n)
		return sin, cos
	}
	x := math.Pi * (float64(k) / float64(n))
	square := float64(x * x)
	sin, cos = 1, 1
	for i := terms; i > 0; i-- {
		sin = 1 - float64(square*sin)/float64(2*i*(2*i+1))
		cos = 1 - float64(square*cos)/float64(2*i*(2*i-1))
	}
	return float64(x * sin), cos
}
