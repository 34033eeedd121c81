package fuzz

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// turns has a portfolio make n runs, of which those of the arms that first names
// are the first of their class, and answers how many turns each arm had.
func turns(s *portfolio, n int, first func(arm string) bool) map[string]int {
	out := map[string]int{}
	for range n {
		s.Start(Plan{Run: uint64(s.run)})
		name := s.arms[s.turn].Name
		out[name]++
		s.Learn(Feedback{First: first(name), New: 1, Schedule: func() Schedule { return nil }})
	}
	return out
}

// share is how many of 1,000 turns an arm has when the one of the name top has
// the top rating and the others have their floor; or all are even, without one.
func share(s *portfolio, name, top string) int {
	mine, total := 0, 0
	for _, a := range s.arms {
		w := a.share * ratingFloor
		switch top {
		case "":
			w = a.share * ratingEven
		case a.Name:
			w = a.share * ratingTop
		}
		total += w
		if a.Name == name {
			mine = w
		}
	}
	return 1000 * mine / total
}

func TestPortfolioGivesTurnsToThoseWhoEarn(t *testing.T) {
	s := newPortfolio()
	got := turns(s, len(opening), func(string) bool { return true })
	if len(got) != len(s.arms) {
		t.Errorf("the opening has turns for %v only", got)
	}
	// Where all earn alike, shares decide, to the turn.
	got = turns(s, 1000, func(string) bool { return true })
	for _, a := range s.arms {
		if want := share(s, a.Name, ""); got[a.Name] < want-1 || got[a.Name] > want+1 {
			t.Errorf("%s had %d of 1,000 turns, want %d", a.Name, got[a.Name], want)
		}
	}
	// Who alone earns rises to the top, and the others keep their floor.
	only := func(name string) func(string) bool { return func(arm string) bool { return arm == name } }
	turns(s, 20000, only("pct"))
	for _, name := range []string{"pct", "surw", "urw"} {
		turns(s, 2*late, only(name)) // it takes a while to forget
		got = turns(s, 1000, only(name))
		for _, a := range s.arms {
			if want := share(s, a.Name, name); got[a.Name] < want-1 || got[a.Name] > want+1 {
				t.Errorf("%s had %d of 1,000 turns while %s alone earned, want %d", a.Name, got[a.Name], name, want)
			}
		}
	}
	// Arms learn from the runs of others.
	for _, a := range s.arms {
		if m, ok := a.Strategy.(*mutate); ok && len(m.corpus) != maxCorpus {
			t.Errorf("mutate has %d runs", len(m.corpus))
		}
	}
}

// Each arm has its floor in every block, and what it earned adds up.
func TestPortfolioStarvesNoArm(t *testing.T) {
	s := mustHunt(t, correct(), Options{Runs: BlockRuns})
	var total ArmEarned
	for _, a := range s.Arms {
		total.Runs += a.Runs
		total.First += a.First
		total.New += a.New
		total.Found += a.Found
		if a.Runs < BlockRuns/64 {
			t.Errorf("%s has had %d of %d runs", a.Name, a.Runs, BlockRuns)
		}
	}
	if total.Runs != BlockRuns || total.First != s.Distinct || total.New == 0 || total.Found != 0 {
		t.Errorf("the arms came to %+v, of %d classes", total, s.Distinct)
	}
	if two := mustHunt(t, correct(), Options{Runs: 2 * BlockRuns}); two.Distinct < s.Distinct*5/4 {
		t.Errorf("one block has %d schedules, two have %d", s.Distinct, two.Distinct)
	}
	found := uint64(0)
	for _, a := range mustHunt(t, checkThenAct(), Options{Runs: BlockRuns, All: true}).Arms {
		found += a.Found
	}
	if found < 100 {
		t.Errorf("%d runs failed", found)
	}
}

// Where an interrupt lands is uniform among a CPU's steps, when they are what is
// interesting.
func TestSURWIsUniformOnInterrupts(t *testing.T) {
	const steps, n = 8, 4500
	target := Target{Name: "lands", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		own := m.Alloc(128)
		const device = machine.FirstInterrupt + 8
		m.Handle(0, device, func(*machine.Thread, *machine.Frame) {})
		m.Raise(0, device)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			for range steps {
				t.Store64(own+machine.VA(64*t.CPU()), 1)
			}
		})}
	}}
	for _, s := range []Strategy{&surw{}, &randomWalk{}} {
		r, err := newRunner(target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		profile := r.profile()
		if len(profile.Interrupted) != 1 || len(profile.Shared) != 0 || profile.Steps[2] != 1 {
			t.Fatalf("interrupted %v, shared %v, steps %v", profile.Interrupted, profile.Shared, profile.Steps[:3])
		}
		made, landed := 0, 0
		r.traced = func(e *machine.Event) {
			switch {
			case e.Op.Kind == machine.OpDeliver:
				landed = made
			case e.CPU == 0 && e.PA != 0:
				made++
			}
		}
		counts := map[int]int{}
		for run := range uint64(n) {
			made, landed = 0, steps // behind the last, if it does not land
			s.Start(Plan{Seed: 4, Run: run, Profile: profile})
			r.run(s)
			counts[landed]++
		}
		r.close()
		_, uniform := s.(*surw)
		if x := spread(counts, steps+1, n); uniform != (x < 5) {
			t.Errorf("%T is %.1f deviations from uniform: %v", s, x, counts)
		}
	}
}
