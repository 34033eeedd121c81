package protocol

import (
	"context"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// TestSymmetryIsOne: the symmetries that the systems claim are some, and the canonical form
// is the only one.
func TestSymmetryIsOne(t *testing.T) {
	for _, name := range Names() {
		for addresses := 1; addresses <= 2; addresses++ {
			s := build(t, name, Config{Addresses: addresses})
			if r, err := transition.CheckSymmetry(context.Background(), s.Model(nil), 300); err != nil || r.Forms > 0 || r.States < 300 {
				t.Errorf("%s, %d lines: %+v, %v", name, addresses, r, err)
			}
		}
	}
}
