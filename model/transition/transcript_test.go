package transition_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// pump fills a bucket by ones and twos, and must not fill it beyond 4. A part of the state
// is empty at times.
type pump struct{}

func (pump) Next(state []byte, yield func(transition.Step, []byte, int)) {
	for by := byte(1); by <= 2; by++ {
		yield(transition.Step(by), []byte{state[0] + by}, transition.NoProperty)
	}
}

func (pump) Check(state []byte) int {
	if state[0] > 4 {
		return 0
	}
	return transition.NoProperty
}

func (pump) Quiescent([]byte) bool { return true }
func (pump) Canonical([]byte)      {}

func TestTranscript(t *testing.T) {
	m := &transition.Model{
		Name: "pump", Size: 1, Initial: [][]byte{{0}}, Properties: []string{"no flood"},
		NewWorker: func() transition.Worker { return pump{} },
		StepName:  func(s transition.Step) string { return fmt.Sprintf("pump: %d", s) },
		Rule: func(s transition.Step, from, to []byte) string {
			if s == 1 {
				return "" // there is nothing to say
			}
			return fmt.Sprintf("from %d to %d", from[0], to[0])
		},
		Describe: func(s []byte) []transition.Part {
			over := ""
			if s[0] > 2 {
				over = "half full"
			}
			return []transition.Part{{Name: "bucket", Value: fmt.Sprint(s[0])}, {Name: "a remark", Value: over}}
		},
	}
	o := transition.Options{Workers: 1, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited}
	r, err := transition.Check(context.Background(), m, o)
	if err != nil || r.Property != "no flood" {
		t.Fatalf("%+v, %v", r, err)
	}
	const begin = `     to begin with
       bucket    0
`
	const steps = `  1  pump: 1
       bucket    0 -> 1
  2  pump: 2
     from 1 to 3
       bucket    1 -> 3
       a remark  nothing -> half full
  3  pump: 2
     from 3 to 5
       bucket    3 -> 5
`
	if got := m.Transcript(&r); got != begin+steps {
		t.Errorf("it is:\n%s", got)
	}
	if last := r.Trace[3]; last.ID != 2 || last.State[0] != 5 {
		t.Errorf("the last step is %+v", last)
	}
	r.Cycle, r.Trace = r.Trace[2:3], r.Trace[:1]
	const cycle = `     and from here on, for ever
  1  pump: 2
     from 0 to 3
       bucket    1 -> 3
       a remark  nothing -> half full
`
	if got := m.Transcript(&r); got != begin+cycle {
		t.Errorf("with a cycle it is:\n%s", got)
	}
	if got := m.Transcript(&transition.Result{}); got != "" {
		t.Errorf("without a trace it is %q", got)
	}
}
