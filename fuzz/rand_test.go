package fuzz

import "testing"

// The generator's output is part of what a seed means: it must never change.
func TestRandIsFixed(t *testing.T) {
	r := NewRand(7, 3)
	want := []uint64{0x2c49f7c0dfedd3c5, 0xc5b099456bd487c5, 0x5298ea6d7a44a851, 0x67d102a58b21c5d3}
	for i, w := range want {
		if got := r.Uint64(); got != w {
			t.Errorf("number %d is %#x, want %#x", i, got, w)
		}
	}
	// The reference sequence of SplitMix64 from state 0.
	zero := Rand{}
	for i, w := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := zero.Uint64(); got != w {
			t.Errorf("SplitMix64 number %d is %#x, want %#x", i, got, w)
		}
	}
}

func TestBelowIsEven(t *testing.T) {
	r := NewRand(1, 1)
	var seen [7]int
	const n = 70000
	for range n {
		seen[r.Below(len(seen))]++
	}
	for v, k := range seen {
		if k < n/len(seen)*9/10 || k > n/len(seen)*11/10 {
			t.Errorf("%d came %d times in %d", v, k, n)
		}
	}
}
