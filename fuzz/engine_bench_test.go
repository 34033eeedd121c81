package fuzz

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// stepTarget is 4 threads of 16 accesses each, as DESIGN section 3 measures.
func stepTarget() Target {
	return Target{
		Name:     "bench/steps",
		Platform: machine.Pairs(2), IntendedRaces: true,
		Setup: func(m *machine.Machine) Program {
			base := m.Alloc(64)
			return Program{Threads: Each(m, func(t *machine.Thread) {
				for i := range machine.VA(8) {
					t.Store64(base+8*i, t.Load64(base+8*i)+1)
				}
			})}
		},
	}
}

// taggedTarget is 4 threads of 16 accesses each, half of which are plain and
// ordered by the others.
func taggedTarget(judged bool) Target {
	t := stepTarget()
	t.IntendedRaces = !judged
	t.Setup = func(m *machine.Machine) Program {
		base := m.Alloc(64)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			own := base + 8*machine.VA(t.CPU())
			for i := range machine.VA(4) {
				flag := base + 32 + 8*i
				t.Load(flag, machine.Size64, machine.Acquire)
				t.Store64(own, t.Load64(own)+1)
				t.Store(flag, machine.Size64, 1, machine.Release)
			}
		})}
	}
	return t
}

// What a step costs with data races judged, and without.
func BenchmarkJudged(b *testing.B)   { benchmarkTarget(b, taggedTarget(true), "random", 1) }
func BenchmarkUnjudged(b *testing.B) { benchmarkTarget(b, taggedTarget(false), "random", 1) }

func benchmarkSteps(b *testing.B, strategy string, workers int) {
	benchmarkTarget(b, stepTarget(), strategy, workers)
}

func benchmarkTarget(b *testing.B, target Target, strategy string, workers int) {
	var steps uint64
	b.ResetTimer()
	s, err := Hunt(target, Options{Strategy: strategy, Runs: uint64(b.N), Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	if s.Finding != nil { // it would have ended the hunt
		b.Fatal(s.Finding)
	}
	steps = s.Steps
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}

func BenchmarkStepRandom(b *testing.B)   { benchmarkSteps(b, "random", 1) }
func BenchmarkStepRandom2(b *testing.B)  { benchmarkSteps(b, "random", 2) }
func BenchmarkStepContinue(b *testing.B) { benchmarkSteps(b, "natural", 1) }

// What a step costs under each strategy.
func BenchmarkStep(b *testing.B) {
	for _, s := range Strategies() {
		b.Run(s.Name, func(b *testing.B) { benchmarkSteps(b, s.Name, 1) })
	}
}

// accountedTarget is the program of stepTarget with relaxed accesses, which take the way of all.
func accountedTarget(accounted bool) Target {
	t := stepTarget()
	t.Setup = func(m *machine.Machine) Program {
		base := m.Alloc(64)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			for i := range machine.VA(8) {
				v := t.Load(base+8*i, machine.Size64, machine.Relaxed)
				t.Store(base+8*i, machine.Size64, v+1, machine.Relaxed)
			}
		})}
	}
	if accounted {
		t.Platform.Hardware = machine.PaperHardware(t.Platform)
	}
	return t
}

// What a step costs on a platform with Hardware, and without. A hunt does not ask what its
// runs cost, and so the caches are not asked either. The bar of the ratio is 1.5.
func BenchmarkAccounted(b *testing.B) {
	for _, accounted := range []bool{false, true} {
		b.Run(fmt.Sprint(accounted), func(b *testing.B) {
			benchmarkTarget(b, accountedTarget(accounted), "random", 1)
		})
	}
}

// The same when the counters of each run are read, as Measure does. It is the worst case: four
// CPUs fight over one line, so that most accesses miss and snoop, and each run begins with
// cold caches.
func BenchmarkMeasured(b *testing.B) {
	for _, accounted := range []bool{false, true} {
		b.Run(fmt.Sprint(accounted), func(b *testing.B) {
			r, err := newRunner(accountedTarget(accounted), nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer r.close()
			walk, steps, sum := &randomWalk{}, 0, machine.Counters{}
			for run := 0; b.Loop(); run++ {
				walk.Start(Plan{Run: uint64(run)})
				steps += r.run(walk).Steps
				for cpu := range r.machine.CPUs() {
					sum.Add(r.machine.Counters(cpu))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
		})
	}
}
