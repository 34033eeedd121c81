package transition_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// grid is three counters up to a size, each of which goes up or back to zero: enough states
// for all workers to be busy.
type grid struct {
	size   byte
	broken int // the sum that is a violation
}

func (g grid) Next(s []byte, yield func(transition.Step, []byte, int)) {
	var next [3]byte
	for i := range next {
		copy(next[:], s)
		if next[i]++; next[i] < g.size {
			yield(transition.Step(i), next[:], transition.NoProperty)
		}
		copy(next[:], s)
		next[i] = 0
		yield(transition.Step(3+i), next[:], transition.NoProperty)
	}
}

func (g grid) Check(s []byte) int {
	if int(s[0])+int(s[1])+int(s[2]) == g.broken {
		return 0
	}
	return transition.NoProperty
}
func (g grid) Quiescent(s []byte) bool { return s[0]+s[1]+s[2] == 0 }
func (g grid) Canonical([]byte)        {}

func (g grid) model() *transition.Model {
	return &transition.Model{
		Name: "grid", Size: 3, Initial: [][]byte{{0, 0, 0}}, Properties: []string{"sum"},
		NewWorker: func() transition.Worker { return g },
		StepName:  func(s transition.Step) string { return fmt.Sprint(s) },
		Describe:  func(s []byte) []transition.Part { return []transition.Part{{Name: "counters", Value: fmt.Sprint(s)}} },
	}
}

// TestManyWorkers: with many states at work at once, too, the number of workers does not
// matter, nor does it when a budget ends the check on the level of a violation.
func TestManyWorkers(t *testing.T) {
	for _, c := range []struct {
		broken    int
		maxStates int64
	}{{-1, transition.Unlimited}, {70, transition.Unlimited}, {-1, 50_000}, {60, 36_000}} {
		var first transition.Result
		for i, workers := range []int{1, 2, 4, 3} {
			o := transition.Options{Workers: workers, MaxStates: c.maxStates, MaxBytes: transition.Unlimited, Fingerprints: i == 3}
			r, err := transition.Check(context.Background(), grid{50, c.broken}.model(), o)
			if err != nil {
				t.Fatal(err)
			}
			r.Bytes, r.Omission = 0, 0
			if i == 0 {
				first = r
				if c.broken < 0 && c.maxStates == transition.Unlimited && (r.States != 125_000 || r.Depth != 148) {
					t.Errorf("%d states, %d levels", r.States, r.Depth)
				}
			} else if !reflect.DeepEqual(r, first) {
				t.Errorf("%+v, %d workers:\n%+v\n%+v", c, workers, r, first)
			}
		}
	}
}

// BenchmarkCheck is states a second, of three bytes, with 6 steps each.
func BenchmarkCheck(b *testing.B) {
	for _, fingerprints := range []bool{false, true} {
		b.Run(map[bool]string{false: "exact", true: "fingerprints"}[fingerprints], func(b *testing.B) {
			states := int64(0)
			for b.Loop() {
				o := transition.Options{Workers: 1, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited, Fingerprints: fingerprints}
				r, err := transition.Check(context.Background(), grid{100, -1}.model(), o)
				if err != nil {
					b.Fatal(err)
				}
				states += r.States
			}
			b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
		})
	}
}
