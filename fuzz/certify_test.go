package fuzz

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// twice fails if two increments of one thread lie between the load and the store
// of another, or one does at each of two places: one preemption is enough.
func twice() Target {
	return Target{
		Name: "twice", Platform: machine.Pair(), Limits: machine.Limits{Spurious: -1},
		Setup: func(m *machine.Machine) Program {
			at := m.Alloc(8)
			return Program{
				Threads: Each(m, func(t *machine.Thread) {
					for range 2 {
						v := t.Load(at, machine.Size64, machine.Relaxed)
						t.Store(at, machine.Size64, v+1, machine.Relaxed)
					}
				}),
				After: func() error {
					if m.Peek64(at) <= 2 {
						return Want(m.Peek64(at), 4)
					}
					return nil
				},
			}
		},
	}
}

// A schedule with two preemptions where one is enough is not certified: the
// search finds the better one, and proves that none is not enough.
func TestCertify(t *testing.T) {
	target := twice()
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	var found *Finding
	for seed := uint64(0); found == nil; seed++ {
		walk := &randomWalk{}
		walk.Start(Plan{Seed: seed})
		if v := r.run(walk); v.violation != nil {
			if f := r.finding(v); f.Schedule.Count(machine.Preemption) > 1 {
				found = f
			}
		}
	}
	s := &shrinker{r: r, signature: found.Signature, best: found, ShrinkOptions: ShrinkOptions{}.withDefaults()}
	better, c, err := s.certify()
	if err != nil || !better || !c.Complete() || c.Preemptions != 1 || s.best.Schedule.Count(machine.Preemption) != 1 {
		t.Fatalf("better %t, %+v, %v", better, c, err)
	}
	better, c, err = s.certify()
	if err != nil || better || !c.Complete() || c.Runs == 0 || c.Classes == 0 {
		t.Errorf("again: better %t, %+v, %v", better, c, err)
	}
	// Without runs nothing is known.
	s.Certify = -1
	if better, c, err = s.certify(); err != nil || better || c.Complete() || c.Runs != 0 {
		t.Errorf("without runs: better %t, %+v, %v", better, c, err)
	}
	s.Certify, s.certified = 1, 0
	if better, c, err = s.certify(); err != nil || better || c.Complete() {
		t.Errorf("in one run: better %t, %+v, %v", better, c, err)
	}
}

// What needs no preemption says so, and what may take fewer runs than there are
// ends with what is known.
func TestCertificatesInWords(t *testing.T) {
	for want, c := range map[string]Certificate{
		"it needs no preemption": {},
		"no failing schedule has fewer preemptions (all 1,234 classes with fewer were explored)":    {Below: 2, Preemptions: 2, Classes: 1234},
		"no schedule with fewer than 1 preemption fails; beyond that the search ended after 9 runs": {Below: 1, Preemptions: 2, Runs: 9},
		"whether one with fewer preemptions fails is not known after 9 runs":                        {Preemptions: 2, Runs: 9},
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
