package transition_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// graph is a model by its edges: states are numbers, 0 is the initial one.
type graph struct {
	edges     [][]arc
	quiet     []bool
	pending   []bool
	bad       []bool
	symmetric bool // states 2k and 2k+1, k > 0, are alike
}

type arc struct {
	to, label int
	bad       bool
}

const labels = 4 // of which 0 and 1 are fair

func (g *graph) model() *transition.Model {
	return &transition.Model{
		Name: "graph", Size: 1, Initial: [][]byte{{0}}, Properties: []string{"bad state", "bad step"},
		NewWorker: func() transition.Worker { return graphWorker{g} },
		StepName:  func(s transition.Step) string { return fmt.Sprint("step ", int(s)) },
		Describe:  func(s []byte) []transition.Part { return []transition.Part{{Name: "state", Value: fmt.Sprint(s[0])}} },
		Fair:      func(s transition.Step) bool { return s < 2 },
		Pending:   []transition.Pending{{Name: "served", Holds: func(s []byte) bool { return g.pending[s[0]] }}},
	}
}

type graphWorker struct{ *graph }

func (w graphWorker) Next(s []byte, yield func(transition.Step, []byte, int)) {
	for _, a := range w.edges[s[0]] {
		violated := transition.NoProperty
		if a.bad {
			violated = 1
		}
		yield(transition.Step(a.label), []byte{byte(a.to)}, violated)
	}
}

func (w graphWorker) Check(s []byte) int {
	if w.bad[s[0]] {
		return 0
	}
	return transition.NoProperty
}

func (w graphWorker) Quiescent(s []byte) bool { return w.quiet[s[0]] }

func (w graphWorker) Canonical(s []byte) {
	if w.symmetric && s[0] > 1 {
		s[0] &^= 1
	}
}

// random is a graph of n states.
func random(r *rand.Rand, n int) *graph {
	g := &graph{edges: make([][]arc, n), quiet: make([]bool, n), pending: make([]bool, n), bad: make([]bool, n)}
	chance := func(of int) bool { return r.IntN(of) == 0 }
	wrong := chance(3)
	for i := range n {
		g.quiet[i], g.pending[i], g.bad[i] = chance(3), !chance(3), wrong && i > 0 && chance(2*n)
		for range 1 + r.IntN(3) {
			g.edges[i] = append(g.edges[i], arc{r.IntN(n), r.IntN(labels), wrong && chance(8*n)})
		}
		if wrong && chance(3*n) {
			g.edges[i] = nil
		}
	}
	return g
}

// reach is the distances of the states that can be reached without a step that is bad.
func (g *graph) reach() map[int]int {
	out := map[int]int{0: 0}
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		for _, a := range g.edges[queue[0]] {
			if _, seen := out[a.to]; !seen && !a.bad {
				out[a.to] = out[queue[0]] + 1
				queue = append(queue, a.to)
			}
		}
	}
	return out
}

// shortest is how many steps from the initial state a step or state is that violates a
// property or is a deadlock; -1 if none is. Of a bad state the step to it counts.
func (g *graph) shortest() int {
	best := -1
	for i, d := range g.reach() {
		wrong := len(g.edges[i]) == 0
		for _, a := range g.edges[i] {
			wrong = wrong || a.bad || g.bad[a.to]
		}
		if wrong && (best < 0 || d < best) {
			best = d
		}
	}
	return best
}

// stuck counts the states that can't reach a quiescent one.
func (g *graph) stuck() int64 {
	n := int64(0)
	for i := range g.reach() {
		sub := *g
		seen, ok := map[int]bool{i: true}, false
		for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
			ok = ok || sub.quiet[queue[0]]
			for _, a := range sub.edges[queue[0]] {
				if !seen[a.to] {
					seen[a.to] = true
					queue = append(queue, a.to)
				}
			}
		}
		if !ok {
			n++
		}
	}
	return n
}

// starves tries every set of states that can be reached and are pending: whether a fair run
// can go round in all of it for ever.
func (g *graph) starves() bool {
	in := g.reach()
	for set := 1; set < 1<<len(g.edges); set++ {
		if g.fairSet(set, in) {
			return true
		}
	}
	return false
}

func (g *graph) fairSet(set int, in map[int]int) bool {
	var enabled, made [labels]bool
	steps := 0
	for i := range g.edges {
		if set>>i&1 == 0 {
			continue
		}
		if _, ok := in[i]; !ok || !g.pending[i] {
			return false
		}
		seen := 1 << i
		for range g.edges {
			for j := range g.edges {
				for _, a := range g.edges[j] {
					if seen>>j&1 != 0 && set>>a.to&1 != 0 {
						seen |= 1 << a.to
					}
				}
			}
		}
		if seen != set {
			return false
		}
		for _, a := range g.edges[i] {
			enabled[a.label] = true
			if set>>a.to&1 != 0 {
				made[a.label] = true
				steps++
			}
		}
	}
	return steps > 0 && (made[0] || !enabled[0]) && (made[1] || !enabled[1])
}

func unlimited(workers int) transition.Options {
	return transition.Options{Workers: workers, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited}
}

// TestAgainstBruteForce: random models have the states, violations, stuck states and
// starvation that plain searches find.
func TestAgainstBruteForce(t *testing.T) {
	verdicts := map[string]int{}
	for seed := range uint64(1500) {
		g := random(rand.New(rand.NewPCG(seed, 1)), 2+int(seed%7))
		o := unlimited(1 + int(seed%3))
		o.Quiescence, o.Progress = true, true
		r, err := transition.Check(context.Background(), g.model(), o)
		if err != nil {
			t.Fatal(err)
		}
		in, short := g.reach(), g.shortest()
		rules, depth := int64(0), 0
		for i, d := range in {
			rules += int64(len(g.edges[i]))
			depth = max(depth, d+1)
		}
		what := "holds"
		switch {
		case short >= 0:
			what = "violated at once"
		case g.stuck() > 0:
			what = transition.Quiescence
		case g.starves():
			what = "served"
		}
		verdicts[what]++
		bad := fmt.Sprintf("seed %d, %s: %+v", seed, what, r)
		graphs := map[string][]string{"holds": {transition.Quiescence, "served"}, "served": {transition.Quiescence, "served"}, transition.Quiescence: {transition.Quiescence}}
		for _, p := range []string{transition.Quiescence, "served"} {
			if looked := slices.Contains(graphs[what], p); slices.Contains(r.Checked, p) != looked || slices.Contains(r.NotChecked, p) == looked {
				t.Fatalf("%s: %s is looked at: %t", bad, p, looked)
			}
		}
		switch what {
		case "violated at once":
			if r.Verdict != transition.Violated || r.Found != short {
				t.Fatalf("%s: it should be found %d steps from the initial state", bad, short)
			}
		case "holds":
			if r.Verdict != transition.Holds || r.States != int64(len(in)) || r.Rules != rules || r.Depth != depth {
				t.Fatalf("%s: it has %d states, %d rules, %d levels", bad, len(in), rules, depth)
			}
		case "served":
			if r.Property != what || len(r.Cycle) == 0 {
				t.Fatal(bad)
			}
			g.checkCycle(t, r)
		default:
			if r.Property != what || r.Stuck != g.stuck() {
				t.Fatalf("%s: %d states are stuck", bad, g.stuck())
			}
		}
		g.checkTrace(t, r)
	}
	for what, n := range verdicts {
		if n < 50 {
			t.Errorf("only %d models of 1500 are %q", n, what)
		}
	}
}

// checkTrace makes sure that a trace is a run.
func (g *graph) checkTrace(t *testing.T, r transition.Result) {
	t.Helper()
	at := 0
	for i, s := range r.Trace {
		if i > 0 && !g.leads(at, int(s.State[0]), s.Step) {
			t.Fatalf("%+v: there is no step from %d to %d", r, at, s.State[0])
		}
		at = int(s.State[0])
	}
}

func (g *graph) leads(from, to int, step string) bool {
	for _, a := range g.edges[from] {
		if a.to == to && fmt.Sprint("step ", a.label) == step {
			return true
		}
	}
	return false
}

// checkCycle makes sure that a cycle is one, pending, and fair.
func (g *graph) checkCycle(t *testing.T, r transition.Result) {
	t.Helper()
	at := int(r.Trace[len(r.Trace)-1].State[0])
	first := at
	var enabled, made [labels]bool
	for _, s := range r.Cycle {
		for _, a := range g.edges[at] {
			enabled[a.label] = true
			if fmt.Sprint("step ", a.label) == s.Step {
				made[a.label] = true
			}
		}
		if !g.pending[at] || !g.leads(at, int(s.State[0]), s.Step) {
			t.Fatalf("%+v: not pending, or no step, at %d", r, at)
		}
		at = int(s.State[0])
	}
	if at != first || enabled[0] && !made[0] || enabled[1] && !made[1] {
		t.Fatalf("%+v: no cycle, or not fair", r)
	}
}

// TestWorkersAndModesAgree: neither how many explore nor what is kept of a state matters.
func TestWorkersAndModesAgree(t *testing.T) {
	for seed := range uint64(200) {
		g := random(rand.New(rand.NewPCG(seed, 2)), 200)
		var first transition.Result
		for i, o := range []transition.Options{unlimited(1), unlimited(2), unlimited(4), unlimited(2)} {
			o.Fingerprints = i == 3
			r, err := transition.Check(context.Background(), g.model(), o)
			if err != nil {
				t.Fatal(err)
			}
			r.Bytes, r.Omission = 0, 0
			if i == 0 {
				first = r
			} else if !reflect.DeepEqual(r, first) {
				t.Fatalf("seed %d, %+v:\n%+v\n%+v", seed, o, r, first)
			}
		}
	}
}

// TestTraceThroughSymmetry: with symmetry, too, a counterexample is a run.
func TestTraceThroughSymmetry(t *testing.T) {
	g := &graph{
		edges: [][]arc{{{2, 0, false}, {3, 1, false}}, {}, {{4, 2, false}}, {{5, 2, false}}, {{1, 3, false}}, {{1, 3, false}}},
		quiet: make([]bool, 6), pending: make([]bool, 6), bad: make([]bool, 6), symmetric: true,
	}
	o := unlimited(2)
	o.Symmetry = true
	r, err := transition.Check(context.Background(), g.model(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Property != transition.Deadlock || r.States != 4 || len(r.Trace) != 4 {
		t.Errorf("%+v", r)
	}
	g.checkTrace(t, r)
}

// TestBudgets: what ends early is no verdict.
func TestBudgets(t *testing.T) {
	n := 200
	g := &graph{edges: make([][]arc, n), quiet: make([]bool, n), pending: make([]bool, n), bad: make([]bool, n)}
	for i := range n {
		g.edges[i] = []arc{{(i + 1) % n, 0, false}}
	}
	o := unlimited(1)
	o.MaxStates, o.Quiescence, o.Progress = 10, true, true
	r, err := transition.Check(context.Background(), g.model(), o)
	if err != nil || r.Verdict != transition.Inconclusive || r.Depth != 9 || r.States != 10 || !strings.Contains(r.Reason, "10 states") || len(r.NotChecked) != 2 {
		t.Errorf("states: %+v, %v", r, err)
	}
	o = unlimited(1)
	o.MaxBytes = 1000
	if r, err = transition.Check(context.Background(), g.model(), o); err != nil || r.Verdict != transition.Inconclusive || !strings.Contains(r.Reason, "memory") {
		t.Errorf("bytes: %+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err = transition.Check(ctx, g.model(), unlimited(1)); err != nil || r.Verdict != transition.Inconclusive || !strings.Contains(r.Reason, "interrupted") {
		t.Errorf("interrupted: %+v, %v", r, err)
	}
}

func TestWrongUse(t *testing.T) {
	for want, change := range map[string]func(*transition.Model, *transition.Options){
		"a state has 0 bytes":                      func(m *transition.Model, _ *transition.Options) { m.Size = 0 },
		"a state has 5000 bytes":                   func(m *transition.Model, _ *transition.Options) { m.Size = 5000 },
		"no initial state":                         func(m *transition.Model, _ *transition.Options) { m.Initial = nil },
		"initial state 0 has 2 bytes":              func(m *transition.Model, _ *transition.Options) { m.Initial = [][]byte{{0, 0}} },
		"must be given":                            func(m *transition.Model, _ *transition.Options) { m.NewWorker = nil },
		"0 workers":                                func(_ *transition.Model, o *transition.Options) { o.Workers = 0 },
		"a budget of 0 states":                     func(_ *transition.Model, o *transition.Options) { o.MaxStates = 0 },
		"a budget of":                              func(_ *transition.Model, o *transition.Options) { o.MaxBytes = -1 },
		"quiescence and progress need the whole":   func(_ *transition.Model, o *transition.Options) { o.Fingerprints, o.Quiescence = true, true },
		"progress can't be checked with symmetry":  func(_ *transition.Model, o *transition.Options) { o.Progress, o.Symmetry = true, true },
		"progress needs Fair and Pending":          func(m *transition.Model, o *transition.Options) { m.Fair, o.Progress = nil, true },
		`two properties have the name "bad state"`: func(m *transition.Model, _ *transition.Options) { m.Properties[1] = "bad state" },
		"leads to a state of 2 bytes": func(m *transition.Model, _ *transition.Options) {
			wrap(m, odd{next: []byte{0, 0}, violated: -1, check: -1})
		},
		"or violates property 7 of 2": func(m *transition.Model, _ *transition.Options) {
			wrap(m, odd{next: []byte{0}, violated: 7, check: -1})
		},
		"a state violates property 9": func(m *transition.Model, _ *transition.Options) {
			wrap(m, odd{next: []byte{1}, violated: -1, check: 9})
		},
		"it panics: no cheese": func(m *transition.Model, _ *transition.Options) { wrap(m, odd{panics: true, check: -1}) },
		"the canonical form of a state differs": func(m *transition.Model, o *transition.Options) {
			wrap(m, odd{next: []byte{1}, violated: -1, check: -1})
			o.Symmetry = true
		},
	} {
		g := &graph{edges: [][]arc{{{0, 0, false}}}, quiet: []bool{true}, pending: []bool{false}, bad: []bool{false}}
		m, o := g.model(), unlimited(1)
		change(m, &o)
		if _, err := transition.Check(context.Background(), m, o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// odd is a worker that does something wrong.
type odd struct {
	next            []byte
	violated, check int
	panics          bool
	calls           *byte
}

func wrap(m *transition.Model, o odd) {
	o.calls = new(byte)
	m.NewWorker = func() transition.Worker { return o }
}

func (o odd) Next(_ []byte, yield func(transition.Step, []byte, int)) {
	if o.panics {
		panic("no cheese")
	}
	yield(0, append([]byte{}, o.next...), o.violated)
}
func (o odd) Check([]byte) int      { return o.check }
func (o odd) Quiescent([]byte) bool { return true }
func (o odd) Canonical(s []byte) {
	*o.calls++
	s[0] = *o.calls
}
