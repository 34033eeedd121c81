package memory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/enumerate"
	"github.com/fusedos/stramash/model/memory/explore"
	"github.com/fusedos/stramash/model/memory/interleave"
)

// result is what an engine finds of a test.
type result struct {
	states map[string]bool
	done   bool // these are all
	err    error
}

// run runs an engine within steps.
func run(engine memory.Engine, test *litmus.Test, steps int64) result {
	r := result{states: map[string]bool{}}
	p, err := test.Program(2)
	if err != nil {
		return result{err: err}
	}
	o, err := engine(p, memory.Budget{Steps: steps, Entries: steps}, func(s litmus.State) bool {
		r.states[test.Format(s)] = true
		return true
	})
	r.done, r.err = o.Complete, err
	return r
}

// lacks says which of b's states a lacks.
func lacks(a, b result) (out []string) {
	for s := range b.states {
		if !a.states[s] {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// comparison compares two engines on a test: what is wrong is not "", and what one
// of them does not finish is not compared.
type comparison func(test *litmus.Test) (wrong string, compared bool)

// equal wants both engines to find the same states.
func equal(a, b memory.Engine, stepsA, stepsB int64) comparison {
	return func(test *litmus.Test) (string, bool) {
		x, y := run(a, test, stepsA), run(b, test, stepsB)
		switch {
		case (x.err == nil) != (y.err == nil):
			return fmt.Sprintf("one fails: %v and %v", x.err, y.err), true
		case x.err != nil || !x.done || !y.done:
			return "", false
		}
		if first, second := lacks(y, x), lacks(x, y); len(first)+len(second) > 0 {
			return fmt.Sprintf("the first alone has %q, the second alone %q", first, second), true
		}
		return "", true
	}
}

// within wants all that the second engine finds among what the first finds.
func within(a, b memory.Engine, stepsA, stepsB int64) comparison {
	return func(test *litmus.Test) (string, bool) {
		x, y := run(a, test, stepsA), run(b, test, stepsB)
		if x.err != nil || y.err != nil || !x.done {
			return "", false
		}
		if l := lacks(x, y); len(l) > 0 {
			return fmt.Sprintf("the first lacks %q", l), true
		}
		return "", true
	}
}

// random compares on n random programs; a quarter may be too large to be finished.
func random(t *testing.T, n int, c generate.Config, compare comparison) {
	t.Helper()
	if testing.Short() {
		n /= 5
	}
	compared := 0
	for seed := range uint64(n) {
		test := generate.Random(seed, c)
		wrong, ok := compare(test)
		if wrong != "" {
			small := generate.Reduce(test, func(t *litmus.Test) bool { w, _ := compare(t); return w != "" })
			wrong, _ = compare(small)
			t.Fatalf("seed %d: %s\n%s", seed, wrong, small)
		}
		if ok {
			compared++
		}
	}
	if compared < n*3/4 {
		t.Errorf("only %d of %d programs were finished", compared, n)
	}
}

// On x86-64 the views find what store buffers find.
func TestExploreIsTSO(t *testing.T) {
	random(t, 600, generate.Config{ISAs: []litmus.ISA{litmus.X86_64}}, equal(explore.Run, interleave.TSO, 30_000, 2_000))
}

// What exploration finds is what a list of all candidates gives.
func TestExploreIsTheAxioms(t *testing.T) {
	random(t, 500, generate.Config{Threads: 3}, equal(explore.Run, enumerate.Run, 30_000, 8_000))
}

// Every weak machine can do what the sequential one can.
func TestExploreHasAllOfSC(t *testing.T) {
	random(t, 600, generate.Config{}, within(explore.Run, interleave.SC, 30_000, 2_000))
}
