package checkers

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/checkers/histories"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// twelve returns linearizable histories of 12 complete operations by three
// clients that are hardly ever idle, which makes them harder than most.
func twelve(s spec.Spec[any]) []machine.History {
	var hs []machine.History
	for seed := uint64(0); len(hs) < 64; seed++ {
		h := generate(rand.New(rand.NewPCG(seed, 3)), s, 3, 12)
		if len(h) == 24 {
			hs = append(hs, h)
		}
	}
	return hs
}

func BenchmarkLinearizable(b *testing.B) {
	benchmark(b, spec.Mutex())
	benchmark(b, spec.Register(0))
	benchmark(b, spec.Queue())
	benchmark(b, spec.RWLock())
}

func benchmark[S comparable](b *testing.B, s spec.Spec[S]) {
	hs := twelve(s.Erase())
	b.Run(s.Name, func(b *testing.B) {
		j, i := Linearizable(s), 0
		b.ReportAllocs()
		for b.Loop() {
			if v := j.Check(hs[i%len(hs)]); v.Violation != nil || v.Unknown != "" {
				b.Fatal("violation")
			}
			i++
		}
	})
}

// BenchmarkPorcupine is what [BenchmarkLinearizable] saves.
func BenchmarkPorcupine(b *testing.B) {
	s := spec.Register(0)
	hs, i := twelve(s.Erase()), 0
	model := Porcupine(s)
	b.ReportAllocs()
	for b.Loop() {
		ops, err := Operations(hs[i%len(hs)], object)
		i++
		if err != nil || !porcupine.CheckOperations(model, ops) {
			b.Fatal("violation")
		}
	}
}

// BenchmarkNotes measures the judges of notes on 12 critical sections.
func BenchmarkNotes(b *testing.B) {
	var h machine.History
	for i := range int32(12) {
		h = append(h, note(i%3, machine.NoteAcquire, 1, 0), acquired(i%3),
			saw(i%3, uint64(i)), wrote(i%3, uint64(i+1)), released(i%3))
	}
	for _, j := range []Judge{Exclusion(), LockOrder()} {
		b.Run(j.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if j.Check(h) != (Verdict{}) {
					b.Fatal("violation")
				}
			}
		})
	}
}

// BenchmarkLong judges 100,000 operations of 8 clients that are hardly ever
// idle, of objects that have a monitor.
func BenchmarkLong(b *testing.B) {
	for _, s := range compared() {
		if newMonitor(s.Kind, s.Initial) == nil {
			continue
		}
		rng := rand.New(rand.NewPCG(1, 5))
		h := histories.Obeying(rng.IntN, s, histories.Shape{
			Object: object, Clients: 8, Operations: 100_000, Duration: 100, Think: 20,
		})
		b.Run(fmt.Sprint(s.Name, "/", len(h)/2), func(b *testing.B) {
			j := Linearizable(s)
			b.ReportAllocs()
			for b.Loop() {
				if v := j.Check(h); v.Violation != nil || v.Unknown != "" {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
