package machine

import (
	"iter"
	"testing"
)

type testRandom struct{ s uint64 }

func (r *testRandom) Choose(c *Choice) int {
	r.s += 0x9E3779B97F4A7C15
	z := mix(r.s, 1)
	return c.Options.Nth(int(z % uint64(c.Options.Len())))
}

func BenchmarkBareSwitch(b *testing.B) {
	next, stop := iter.Pull(func(y func(struct{}) bool) {
		for y(struct{}{}) {
		}
	})
	defer stop()
	for b.Loop() {
		next()
	}
}

func benchSteps(b *testing.B, c Chooser) {
	m, err := New(Pairs(2))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	steps := 0
	for b.Loop() {
		m.Begin(c, Limits{})
		base := m.Alloc(64)
		body := func(t *Thread) {
			for i := range VA(8) {
				v := t.Load64(base + i*8)
				t.Store64(base+i*8, v+1)
			}
		}
		r := m.Run(Start{0, body}, Start{1, body}, Start{2, body}, Start{3, body})
		steps += r.Steps
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

func BenchmarkStepRandom(b *testing.B)   { benchSteps(b, &testRandom{1}) }
func BenchmarkStepContinue(b *testing.B) { benchSteps(b, Natural{}) }
