package protocol

import (
	"context"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// BenchmarkNext is the steps of the first states of the directory MESI with four caches,
// without what the checker does with them.
func BenchmarkNext(b *testing.B) {
	s := build(b, "mesi", Config{Parameters: map[string]int{"caches": 4}})
	m := s.Model(nil)
	w := m.NewWorker()
	states := sample(s, 20000)
	steps := 0
	for b.Loop() {
		for _, x := range states {
			w.Next(x, func(_ transition.Step, next []byte, _ int) {
				steps++
			})
			w.Check(x)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
	b.ReportMetric(float64(steps)/float64(b.N*len(states)), "steps/state")
}

func BenchmarkCanonical(b *testing.B) {
	s := build(b, "mesi", Config{Parameters: map[string]int{"caches": 4}})
	w := s.Model(nil).NewWorker()
	states := sample(s, 20000)
	x := make([]byte, s.size)
	for b.Loop() {
		for _, y := range states {
			copy(x, y)
			w.Canonical(x)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(states)), "ns/state")
}

// BenchmarkCheck is states a second of the directory MESI with four caches.
func BenchmarkCheck(b *testing.B) {
	s := build(b, "mesi", Config{Parameters: map[string]int{"caches": 4}})
	n := int64(0)
	for b.Loop() {
		r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{Workers: 1, Fingerprints: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited})
		if err != nil {
			b.Fatal(err)
		}
		n += r.States
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "states/s")
}

// sample is the first states of a system, breadth first.
func sample(s *System, n int) [][]byte {
	seen := map[string]bool{}
	var out [][]byte
	queue := [][]byte{make([]byte, s.size)}
	w := s.newWorker(nil)
	for len(queue) > 0 && len(out) < n {
		x := queue[0]
		queue = queue[1:]
		out = append(out, x)
		w.Next(x, func(_ transition.Step, next []byte, _ int) {
			if !seen[string(next)] {
				seen[string(next)] = true
				queue = append(queue, append([]byte(nil), next...))
			}
		})
	}
	return out
}
