package fuzz

import (
	"slices"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// recordedRun is a recorded run of two threads that load and store one word: the
// first thread's accesses, then the second's.
func recordedRun(t *testing.T) (*runner, *mutate) {
	t.Helper()
	r, err := newRunner(Target{Name: "pair", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		word := m.Alloc(8)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			for range 3 {
				t.Store64(word, t.Load64(word)+1)
			}
		})}
	}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	r.covered = newCoverage(r.profile())
	s := &mutate{rand: NewRand(1, 1), agents: []uint32{0, 1}}
	v := r.run(machine.Natural{})
	f := r.feedback(v, true)
	// Of each thread the first load and the later ones see different writes; stores make the
	// word 1 to 6.
	if f.New != 4+6 || len(f.Accesses) != 12 {
		t.Fatalf("%d new, %d accesses", f.New, len(f.Accesses))
	}
	s.Learn(f)
	if len(s.corpus) != 1 {
		t.Fatalf("the corpus has %d runs", len(s.corpus))
	}
	return r, s
}

func decisions(n int) []decision {
	var out []decision
	for i := range n {
		out = append(out, decision{place{machine.NameOf("t0"), uint32(10 * (i + 1)), 1, machine.Move}, 1})
	}
	return out
}

func TestChangesOfSchedules(t *testing.T) {
	_, s := recordedRun(t)
	before := decisions(3)
	s.script.start(before)
	s.drop()
	if len(s.script.list) != 2 || !slices.Contains(before, s.script.list[0]) || !slices.Contains(before, s.script.list[1]) {
		t.Errorf("drop left %v", s.script.list)
	}
	earlier, later := false, false
	for range 50 {
		s.script.start(decisions(1))
		s.move()
		d := s.script.list[0]
		by := int(d.index) - 10
		if by == 0 || by < -4 || by > 4 || d.visit != 0 || d.answer != 1 {
			t.Fatalf("move made %+v", d)
		}
		earlier, later = earlier || by < 0, later || by > 0
	}
	if !earlier || !later {
		t.Errorf("moved earlier %t, later %t", earlier, later)
	}
	changed := false
	for range 50 {
		s.script.start(decisions(1))
		s.retarget()
		d := s.script.list[0]
		changed = changed || d.answer == 0
		if d.place != decisions(1)[0].place || d.answer > 1 {
			t.Fatalf("retarget made %+v", d)
		}
	}
	if !changed {
		t.Error("retarget never made another answer")
	}
	s.script.start(nil)
	s.insert(&s.corpus[0])
	is := func(a Access) bool {
		return a.Context == s.script.list[0].context && a.Index == s.script.list[0].index
	}
	if len(s.script.list) != 1 || !slices.ContainsFunc(s.corpus[0].accesses, is) {
		t.Errorf("insert made %v", s.script.list)
	}
	// None of them fails where there is nothing to change.
	s.script.start(nil)
	s.drop()
	s.move()
	s.retarget()
	s.insert(&recorded{})
	s.reverse(&recorded{})
	if len(s.script.list) != 0 || s.hold.on {
		t.Errorf("nothing became %v, %v", s.script.list, s.hold)
	}
}

// A reversal makes two conflicting accesses happen in the other order.
func TestReversalReverses(t *testing.T) {
	r, s := recordedRun(t)
	reversed := map[[2]uint32]bool{}
	for range 100 {
		s.script.start(nil)
		s.hold = holdBack{}
		s.reverse(&s.corpus[0])
		if !s.hold.on {
			continue // it tried only accesses that raced with none before
		}
		first, second := s.hold.first, s.hold.second
		s.script.index()
		r.run(s)
		at := func(a Access) int {
			return slices.IndexFunc(r.covered.accesses, func(b Access) bool { return a.Context == b.Context && a.Index == b.Index })
		}
		if at(first) < 0 || at(second) < 0 || at(first) > at(second) {
			t.Fatalf("%+v happened at %d, %+v at %d", first, at(first), second, at(second))
		}
		reversed[[2]uint32{first.Index, second.Index}] = true
	}
	// Each of the second thread's 6 accesses races with the first one's last.
	if len(reversed) != 6 {
		t.Errorf("only %d races were reversed", len(reversed))
	}
}

func TestConflicts(t *testing.T) {
	a := func(context machine.ContextName, word machine.VA, writes bool) Access {
		return Access{Context: context, Word: word, Writes: writes}
	}
	all := []Access{a(1, 8, true), a(2, 16, true), a(3, 8, false), a(2, 8, true), a(2, 8, false), a(3, 8, false), a(1, 24, true)}
	for j, want := range []int{-1, -1, 0, 2, 0, 3, -1} {
		if got := lastConflict(all, j); got != want {
			t.Errorf("access %d conflicts with %d, want %d", j, got, want)
		}
	}
}

func TestCorpusKeepsTheNewest(t *testing.T) {
	s := &mutate{}
	for i := range maxCorpus + 3 {
		s.Learn(Feedback{New: i % 2, Schedule: func() Schedule {
			return Schedule{{Context: "t0", Index: uint32(i), Kind: machine.Move, Answer: 1}}
		}})
	}
	if len(s.corpus) != (maxCorpus+3)/2 {
		t.Errorf("%d runs kept", len(s.corpus))
	}
	for i := range maxCorpus {
		s.Learn(Feedback{New: 1, Schedule: func() Schedule { return Schedule{{Context: "t0", Index: uint32(1000 + i)}} }})
	}
	for _, r := range s.corpus {
		if r.decisions[0].index < 1000 {
			t.Errorf("a run is kept that is older than the newest %d", maxCorpus)
		}
	}
}

// What a run reaches is new once.
func TestCoverageCountsOnce(t *testing.T) {
	r, _ := recordedRun(t)
	r.run(machine.Natural{})
	if r.covered.fresh != 0 {
		t.Errorf("the same run reached %d new things", r.covered.fresh)
	}
	fresh := 0
	s := &randomWalk{}
	for run := range uint64(50) {
		s.Start(Plan{Run: run})
		r.run(s)
		fresh += r.covered.fresh
	}
	// 2 threads' loads see writes of none and of both, of which the natural run
	// had 4; and each value from 1 to 6 is a state.
	if fresh == 0 || fresh > 4 {
		t.Errorf("50 runs reached %d new things", fresh)
	}
}
