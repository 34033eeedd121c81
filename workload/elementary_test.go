package workload

import (
	"math"
	"testing"
)

// The functions that do not depend on the host are as good as those that do.
func TestElementaryFunctions(t *testing.T) {
	check := func(name string, got, want, by float64) {
		if math.Abs(got-want) > by {
			t.Errorf("%s is %.17g, want %.17g", name, got, want)
		}
	}
	for i := range 2001 {
		x := -float64(i) / 1000
		check("exp", exp(x), math.Exp(x), 0x1p-49*math.Exp(x))
	}
	for n := 1; n <= 1<<10; n *= 2 {
		for k := range n {
			sin, cos := sincos(k, n)
			wantSin, wantCos := math.Sincos(math.Pi * float64(k) / float64(n))
			check("sin", sin, wantSin, 0x1p-51) // of 1: math's are those of the rounded angle
			check("cos", cos, wantCos, 0x1p-51)
		}
	}
}
