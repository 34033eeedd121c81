package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// testEngines are the engines, of which one has a fault.
func testEngines(what string) []engine {
	all := slices.Clone(engines())
	e := &all[slices.IndexFunc(all, func(e engine) bool { return e.name == "explore" })]
	run := e.run
	switch what {
	case "loses": // the first state
		e.run = func(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
			first := true
			return run(p, b, func(s litmus.State) bool {
				if first {
					first = false
					return true
				}
				return found(s)
			})
		}
	case "panics":
		e.run = func(*litmus.Program, memory.Budget, func(litmus.State) bool) (memory.Outcome, error) {
			panic("no such view")
		}
	case "endless":
		e.run = func(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
			run(p, b, found)
			select {}
		}
	}
	return all
}

func TestInOrder(t *testing.T) {
	for _, workers := range []int{1, 3, 100} {
		var got []int
		inOrder(50, workers, func(i int) int { return i * i }, func(i, v int) bool {
			if v != i*i {
				t.Errorf("job %d gave %d", i, v)
			}
			got = append(got, i)
			return i < 40
		})
		if len(got) != 41 || !slices.IsSorted(got) {
			t.Errorf("%d workers: %v", workers, got)
		}
	}
}

func TestDiffer(t *testing.T) {
	missing, extra := differ([]string{"a", "c", "d"}, []string{"b", "c"})
	if !slices.Equal(missing, []string{"b"}) || !slices.Equal(extra, []string{"a", "d"}) {
		t.Errorf("missing %v, extra %v", missing, extra)
	}
}

// oneRead is a test of which a state is one value.
const oneRead = "X86_64 one\n{ }\n P0 ;\n movl (x),%eax ;\nexists (0:rax=1)\n"

// says is an engine that finds states and then says whether these are all.
func says(name string, complete bool, states ...uint64) engine {
	return engine{name: name, run: func(_ *litmus.Program, _ memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
		for _, s := range states {
			if !found(litmus.State{s}) {
				return memory.Outcome{Why: "nobody wants more"}, nil
			}
		}
		return memory.Outcome{Complete: complete, Why: "spent"}, nil
	}}
}

// An engine that found all states knows those of the others; one that did not may
// have found fewer.
func TestEnginesAgree(t *testing.T) {
	for _, c := range []struct {
		a, b     engine
		disagree bool
		why      string
		states   int
	}{
		{says("a", true, 1, 2), says("b", true, 2, 1), false, "", 2},
		{says("a", true, 1, 2), says("b", true, 1), true, "", 2},
		{says("a", true, 1), says("b", true, 2), true, "", 2},
		{says("a", true, 1, 2), says("b", false, 1), false, "b: spent", 2},
		{says("a", false, 1, 2), says("b", true, 1), true, "a: spent", 2},
		{says("a", false, 1), says("b", false, 2), false, "a: spent", 2},
		{says("a", true), says("b", true), false, "", 0},
		{says("a", true, 1, 1<<32+1), says("b", true, 1), false, "", 1}, // spelled alike
	} {
		l := &litmusRun{ctx: t.Context(), engines: []engine{c.a, c.b}, unroll: 1, budget: memory.Budget{Entries: 100}}
		test, err := litmus.Parse([]byte(oneRead))
		if err != nil {
			t.Fatal(err)
		}
		j := &tested{test: test}
		if err := l.compute(j); err != nil || j.disagree != c.disagree || j.why != c.why || len(j.spelled) != c.states {
			t.Errorf("disagree %t, why %q, states %v, %v; want %+v", j.disagree, j.why, j.spelled, err, c)
		}
	}
}

// An engine is left alone when its states fill the memory, when it panics, and when
// the user goes.
func TestCollect(t *testing.T) {
	p := &litmus.Program{}
	endless := engine{"endless", "", func(_ *litmus.Program, _ memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
		for i := uint64(0); found(litmus.State{i}); i++ {
		}
		return memory.Outcome{Why: "nobody wants more"}, nil
	}}
	c := collect(t.Context(), endless, p, memory.Budget{Entries: 100})
	if c.Complete || !strings.Contains(c.Why, "memory") || len(c.states) != 100*entryBytes/stateShare/(stateBytes+valueBytes) {
		t.Errorf("%d states, %+v", len(c.states), c.Outcome)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stuck := engine{"stuck", "", func(_ *litmus.Program, _ memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
		found(litmus.State{7})
		cancel()
		select {}
	}}
	if c := collect(ctx, stuck, p, memory.Budget{Entries: 100}); c.Complete || c.Why != "interrupted" || len(c.states) != 1 {
		t.Errorf("%d states, %+v", len(c.states), c.Outcome)
	}
	broken := engine{"broken", "", func(*litmus.Program, memory.Budget, func(litmus.State) bool) (memory.Outcome, error) {
		panic("no such view")
	}}
	var f fault
	if c := collect(t.Context(), broken, p, memory.Budget{}); !errors.As(c.err, &f) {
		t.Errorf("error %v", c.err)
	}
}

func FuzzExpectations(f *testing.F) {
	f.Add(`{"file":"SB.litmus","states":["0:rax=0;"]}`)
	f.Add("\n{\"file\":1}")
	f.Fuzz(func(t *testing.T, text string) {
		byFile, err := parseExpectations(text)
		if err == nil && len(byFile) > strings.Count(text, "\n")+1 {
			t.Errorf("%d files", len(byFile))
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %q", err)
		}
	})
}

// The README shows a test, and what -explain says of it.
func TestReadmeExplains(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/litmus/MP+x86+LDAPR.litmus")
	if err != nil {
		t.Fatal(err)
	}
	j := &tested{}
	if j.test, err = litmus.Parse(text); err != nil {
		t.Fatal(err)
	}
	if err := (&litmusRun{unroll: 1, explain: &explaining{}}).explainTest(j); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{string(text), j.explanation.Text()} {
		indented := ""
		for line := range strings.Lines(strings.TrimSpace(part) + "\n") {
			if strings.TrimSpace(line) != "" {
				indented += "    "
			}
			indented += line
		}
		if !strings.Contains(string(readme), indented) {
			t.Errorf("README.md does not hold this:\n%s", indented)
		}
	}
}
