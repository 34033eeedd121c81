package transition

import (
	"encoding/binary"
	"math/bits"
	"testing"
)

// TestHashSpreads: close states have fingerprints that differ in half of their bits, in each
// half of them.
func TestHashSpreads(t *testing.T) {
	state := make([]byte, 48)
	total, n := [2]int{}, 0
	for seed := range uint64(64) {
		binary.LittleEndian.PutUint64(state[8*(seed%6):], seed*seed)
		h := hash(state)
		for i := range 8 * len(state) {
			state[i/8] ^= 1 << (i % 8)
			d := h ^ hash(state)
			total[0] += bits.OnesCount32(uint32(d))
			total[1] += bits.OnesCount32(uint32(d >> 32))
			n++
			state[i/8] ^= 1 << (i % 8)
		}
	}
	for half, bits := range total {
		if mean := float64(bits) / float64(n); mean < 15.5 || mean > 16.5 {
			t.Errorf("half %d: %.2f of 32 bits differ on average", half, mean)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	state := make([]byte, 48)
	for b.Loop() {
		state[0] = byte(hash(state))
	}
}
