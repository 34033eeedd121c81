package transition_test

import (
	"context"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// counters is two counters up to 3, of which either may count: they are alike.
type counters struct {
	limit     [2]byte
	check     func([]byte) int
	quiescent func([]byte) bool
	canonical func([]byte)
}

func (c counters) Next(s []byte, yield func(transition.Step, []byte, int)) {
	for i := range s {
		if s[i] < c.limit[i] {
			next := []byte{s[0], s[1]}
			next[i]++
			yield(transition.Step(i), next, transition.NoProperty)
		}
	}
}
func (c counters) Check(s []byte) int      { return c.check(s) }
func (c counters) Quiescent(s []byte) bool { return c.quiescent(s) }
func (c counters) Canonical(s []byte)      { c.canonical(s) }

func swap(s []byte) { s[0], s[1] = s[1], s[0] }

func sorted(s []byte) {
	if s[0] > s[1] {
		swap(s)
	}
}

func TestCheckSymmetry(t *testing.T) {
	calls := 0
	fine := counters{
		limit: [2]byte{3, 3}, canonical: sorted,
		check:     func([]byte) int { return transition.NoProperty },
		quiescent: func([]byte) bool { return true },
	}
	for want, change := range map[string]func(*counters){
		"":                                     func(*counters) {},
		"changes what can become of the state": func(c *counters) { c.limit[1] = 2 },
		"changes what is violated":             func(c *counters) { c.check = func(s []byte) int { return int(s[0]/2) - 1 } },
		"or quiescence":                        func(c *counters) { c.quiescent = func(s []byte) bool { return s[0] > 0 } },
		"the canonical form is no permutation": func(c *counters) { c.canonical = func(s []byte) { s[0], s[1] = 0, 0 } },
		"the canonical form is not its own canonical":   func(c *counters) { c.canonical = swap },
		"the canonical form changes from one call to t": func(c *counters) { c.canonical = func(s []byte) { calls++; s[0] = byte(calls) } },
	} {
		c := fine
		change(&c)
		m := &transition.Model{
			Name: "counters", Size: 2, Initial: [][]byte{{0, 0}}, Properties: []string{"two"},
			NewWorker:    func() transition.Worker { return c },
			StepName:     func(transition.Step) string { return "count" },
			Describe:     func([]byte) []transition.Part { return nil },
			Permutations: []func([]byte){swap},
		}
		o := unlimited(1)
		o.Symmetry = true
		if _, err := transition.Check(context.Background(), m, o); (err == nil) != (want == "") {
			t.Errorf("%s: a check with this symmetry: %v", want, err)
		}
		r, err := transition.CheckSymmetry(context.Background(), m, 100)
		switch {
		case want == "" && (err != nil || r.States != 16 || r.Forms != 0 || !r.All):
			t.Errorf("%+v, %v", r, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("error %v, want %s", err, want)
		}
	}
	c := fine
	c.canonical = func([]byte) {}
	m := &transition.Model{
		Name: "counters", Size: 2, Initial: [][]byte{{0, 0}}, NewWorker: func() transition.Worker { return c },
		StepName: func(transition.Step) string { return "count" }, Describe: func([]byte) []transition.Part { return nil },
		Permutations: []func([]byte){swap},
	}
	if r, err := transition.CheckSymmetry(context.Background(), m, 10); err != nil || r.Forms == 0 || r.All || r.States != 10 {
		t.Errorf("a form that is not unique: %+v, %v", r, err)
	}
}
