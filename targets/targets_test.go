package targets

import (
	"flag"
	"fmt"
	"testing"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

var (
	runs = flag.Int("targets.runs", 300, "random runs of each target")
	base = flag.Uint64("targets.seed", 1, "seed of the first random run")
)

// random answers every question at random, from a seed (splitmix64).
type random struct{ state uint64 }

func (r *random) Choose(c *machine.Choice) int {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return c.Options.Nth(int((z ^ z>>31) % uint64(c.Options.Len())))
}

// execute runs a target once and judges it; the error says what is wrong.
func execute(target fuzz.Target, m *machine.Machine, c machine.Chooser) (machine.Result, error) {
	m.Begin(c, target.Limits)
	program := target.Setup(m)
	r := m.Run(program.Threads...)
	if r.Outcome != machine.Finished {
		return r, fmt.Errorf("%v: %s", r.Outcome, r.Detail)
	}
	for _, j := range target.Judges {
		v := j.Check(r.History)
		if v.Violation != nil {
			return r, fmt.Errorf("%s: %s: %s", v.Violation.Judge, v.Violation.Rule, v.Violation.Message)
		}
		if v.Unknown != "" {
			return r, fmt.Errorf("unknown: %s", v.Unknown)
		}
	}
	if program.After != nil {
		if err := program.After(); err != nil {
			return r, fmt.Errorf("final state: %w", err)
		}
	}
	return r, nil
}

func newMachine(t testing.TB, p machine.Platform) *machine.Machine {
	t.Helper()
	m, err := machine.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestTargetsAreClean(t *testing.T) {
	for _, target := range All() {
		t.Run(target.Name, func(t *testing.T) {
			m := newMachine(t, target.Platform)
			steps, most, records := 0, 0, 0
			for i := range *runs {
				seed := *base + uint64(i)<<32
				r, err := execute(target, m, &random{seed})
				if err != nil {
					t.Fatalf("run %d: %v", i+1, err)
				}
				steps += r.Steps
				records += len(r.History)
				most = max(most, r.Steps)
			}
			t.Logf("steps: mean %d, most %d; records: mean %d", steps / *runs, most, records / *runs)
		})
	}
}

func TestNaturalRuns(t *testing.T) {
	for _, target := range All() {
		m := newMachine(t, target.Platform)
		r, err := execute(target, m, machine.Natural{})
		if err != nil {
			t.Errorf("%s: %v", target.Name, err)
		}
		if r.Steps < 8 || r.Steps > 400 {
			t.Errorf("%s: the natural run takes %d steps; want something to happen, but not much", target.Name, r.Steps)
		}
		t.Logf("%s: %d steps", target.Name, r.Steps)
	}
}

func TestTargetsAreDeterministic(t *testing.T) {
	for _, target := range All() {
		one, other := newMachine(t, target.Platform), newMachine(t, target.Platform)
		for seed := range uint64(20) {
			a, _ := execute(target, one, &random{seed})
			b, _ := execute(target, other, &random{seed})
			if a.TraceHash != b.TraceHash || a.HistoryHash != b.HistoryHash {
				t.Errorf("%s: seed %d gives two traces", target.Name, seed)
			}
			_, _ = execute(target, other, &random{seed + 100}) // leaves nothing behind
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for i, target := range All() {
		if err := target.Validate(); err != nil || seen[target.Name] || target.Doc == "" {
			t.Errorf("target %d, %q: %v, or it is not the first of its name, or has no Doc", i, target.Name, err)
		}
		seen[target.Name] = true
	}
	if n := len(Locks()); n != 9 || All()[0].Name != Locks()[0].Name {
		t.Errorf("Locks has %d targets, want 9, the first of All", n)
	}
}

func BenchmarkTargets(b *testing.B) {
	for _, target := range All() {
		b.Run(target.Name, func(b *testing.B) {
			m := newMachine(b, target.Platform)
			steps, seed := 0, uint64(0)
			for b.Loop() {
				seed += 1 << 32
				r, err := execute(target, m, &random{seed})
				if err != nil {
					b.Fatal(err)
				}
				steps += r.Steps
			}
			b.ReportMetric(float64(steps)/float64(b.N), "steps/run")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
		})
	}
}
