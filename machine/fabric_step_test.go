package machine

import (
	"testing"

	"github.com/fusedos/stramash/coherence/protocol"
)

// bookkeeper answers at random, and compares who is said to be able to move with what
// can arrive.
type bookkeeper struct {
	t     *testing.T
	f     *fabric
	state uint64
	asked int
}

func (b *bookkeeper) Choose(c *Choice) int {
	if c.Kind == Move {
		b.asked++
		for _, a := range b.f.agents {
			b.f.choices = b.f.choices[:0]
			b.f.collect(a, false)
			if can := b.f.m.enabled&a.bit != 0; can != (len(b.f.choices) > 0) {
				b.t.Fatalf("step %d: cache %d is said to move: %v, and there are %d messages for it", b.f.m.steps, a.number, can, len(b.f.choices))
			}
		}
	}
	b.state = b.state*6364136223846793005 + 1442695040888963407
	return c.Options.Nth(int(b.state >> 33 % uint64(c.Options.Len())))
}

// TestStorageKnowsWhatCanArrive: whatever CPUs, store buffers and handlers do, exactly those
// caches can move for which a message can arrive; and the fair phase, where nothing is asked,
// brings every run to its end.
func TestStorageKnowsWhatCanArrive(t *testing.T) {
	mesi, err := protocol.Load("mesi")
	if err != nil {
		t.Fatal(err)
	}
	pl := Pairs(2)
	pl.Order, pl.Storage = Native, mesi
	m, err := New(pl)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, adversarial := range []int{40, 150, 5000} {
		asked := 0
		for seed := range uint64(150) {
			b := &bookkeeper{t: t, f: m.fabric, state: seed}
			m.Begin(b, Limits{Steps: adversarial, Evictions: 6})
			x := m.Alloc(64 * 5)
			m.HandleAll(VectorIPI, func(t *Thread, _ *Frame) {
				t.Store64(x+8, uint64(t.CPU()))
				t.Store(x+16, Size64, 1, Release)
			})
			var starts []Start
			for cpu := range m.CPUs() {
				starts = append(starts, Start{CPU: cpu, Body: func(t *Thread) {
					own := x + 64 + 64*VA(cpu)
					t.Store64(own, 1)
					t.FetchAdd(x, Size64, 1, AcqRel)
					t.SendIPI((cpu+1)%m.CPUs(), VectorIPI)
					t.Store64(x+24, 1)
					t.Store(x+32, Size64, 1, Release)
					t.FetchAdd(x, Size64, 1, Relaxed)
					t.Await(Until(x, uint64(2*m.CPUs())))
					t.Load64(own)
				}})
			}
			if res := m.Run(starts...); res.Outcome != Finished {
				t.Fatalf("%d steps, seed %d: %v: %s", adversarial, seed, res.Outcome, res.Detail)
			}
			asked += b.asked
		}
		if asked == 0 {
			t.Error("nothing was asked")
		}
	}
}
