package fuzz

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/google/go-cmp/cmp"
)

func TestEveryStrategyFindsTheRace(t *testing.T) {
	for _, s := range Strategies() {
		if s.Name == "natural" {
			continue
		}
		f := mustFind(t, checkThenAct(), Options{Strategy: s.Name, Runs: 5000})
		if f.Signature != "final state" {
			t.Errorf("%s: signature %q", s.Name, f.Signature)
		}
	}
}

func TestNaturalRunsOnce(t *testing.T) {
	s := mustHunt(t, checkThenAct(), Options{Strategy: "natural"})
	if s.Runs != 1 || s.Finding != nil || s.Distinct != 1 {
		t.Errorf("natural: %+v", s)
	}
}

// The same options give the same summary, however the runs are spread.
func TestHuntDoesNotDependOnWorkers(t *testing.T) {
	for _, target := range []Target{correct(), checkThenAct(), interrupted()} {
		for _, seed := range []uint64{0, 7} {
			o := Options{Seed: seed, Runs: 3000}
			want := mustHunt(t, target, o)
			for _, workers := range []int{1, 2, 5} {
				o.Workers = workers
				if diff := cmp.Diff(want, mustHunt(t, target, o)); diff != "" {
					t.Errorf("%s with %d workers (-one worker +these):\n%s", target.Name, workers, diff)
				}
			}
		}
	}
}

func TestSeedsDiffer(t *testing.T) {
	a := mustHunt(t, correct(), Options{Seed: 1, Runs: 500})
	b := mustHunt(t, correct(), Options{Seed: 2, Runs: 500})
	if a.TraceHash == b.TraceHash {
		t.Error("seeds 1 and 2 made the same runs")
	}
	if a.Distinct < 50 {
		t.Errorf("500 runs made %d distinct schedules", a.Distinct)
	}
}

func TestPinsFixTheWorkload(t *testing.T) {
	asked := 0
	target := correct()
	inner := target.Setup
	target.Setup = func(m *machine.Machine) Program {
		p := inner(m)
		if len(p.Threads) != 4 {
			asked++
		}
		return p
	}
	mustHunt(t, target, Options{Runs: 300, Pins: []machine.Pin{{Name: "threads", Value: 2}}})
	if asked > 0 {
		t.Errorf("%d runs did not have 4 threads", asked)
	}
}

func TestBadOptions(t *testing.T) {
	for want, o := range map[string]Options{
		`no strategy is called "greedy"`:          {Strategy: "greedy"},
		"has no parameter colour: it has threads": {Pins: []machine.Pin{{Name: "colour"}}},
		"parameter rounds is 9: use 0 to 1":       {Pins: []machine.Pin{{Name: "rounds", Value: 9}}},
	} {
		_, err := Hunt(correct(), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, target := range map[string]Target{
		"use a name without": {Name: "a b"},
		"has no Setup":       {Name: "a"},
		"has no nodes":       {Name: "a", Setup: correct().Setup},
	} {
		_, err := Hunt(target, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAuditFindsHiddenState(t *testing.T) {
	runs := 0
	target := correct()
	inner := target.Setup
	target.Setup = func(m *machine.Machine) Program {
		runs++
		scratch := m.Alloc(8)
		p := inner(m)
		body := p.Threads[0].Body
		p.Threads[0].Body = func(t *machine.Thread) {
			t.Store64(scratch, uint64(runs))
			body(t)
		}
		return p
	}
	_, err := Hunt(target, Options{Runs: 100})
	var nd *NotDeterministic
	if !errors.As(err, &nd) {
		t.Fatalf("got %v, want NotDeterministic", err)
	}
}

func TestStopKeepsWhatThereIs(t *testing.T) {
	asked := 0
	s := mustHunt(t, correct(), Options{Runs: 100000, Stop: func() bool { asked++; return asked > 3 }})
	if !s.Stopped || s.Runs != 3*stopRuns || s.Passed() {
		t.Errorf("stopped %t after %d runs, passed %t", s.Stopped, s.Runs, s.Passed())
	}
}

func bodyTarget(body func(*machine.Thread)) Target {
	return Target{Name: "body", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		return Program{Threads: Each(m, body)}
	}}
}

func TestPanicsAreViolations(t *testing.T) {
	for want, target := range map[string]Target{
		"index out of range": bodyTarget(func(t *machine.Thread) { _ = []int{}[t.CPU()] }),
		"runtime.Goexit":     bodyTarget(func(*machine.Thread) { runtime.Goexit() }),
		"no memory there":    bodyTarget(func(t *machine.Thread) { t.Load64(0) }),
		"set-up: no way": {Name: "setup", Platform: machine.Pair(), Setup: func(*machine.Machine) Program {
			panic("no way")
		}},
	} {
		f := mustFind(t, target, Options{Runs: 10})
		if len(f.Stack) == 0 && want != "runtime.Goexit" {
			t.Errorf("%s: no stack", want)
		}
		if f.Judge != "panic" || !strings.Contains(f.Message, want) || !strings.Contains(f.Message, "hunt_test.go") {
			t.Errorf("%s: %s", f.Judge, f.Message)
		}
	}
}
