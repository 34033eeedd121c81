package fuzz

import (
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

func TestShrunkFindingsReplay(t *testing.T) {
	for signature, target := range broken() {
		f := mustFind(t, target, Options{Seed: 3})
		if !strings.HasPrefix(f.Signature, strings.TrimSpace(signature)) {
			t.Errorf("%s: signature %q", target.Name, f.Signature)
		}
		small, err := Shrink(target, f, ShrinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(small.Schedule) > len(f.Schedule) || small.Schedule.Count(machine.Preemption) > 2 || len(small.Schedule) > 3 {
			t.Errorf("%s: shrunk to %v", target.Name, small.Schedule)
		}
		token, err := ParseToken(small.Token().String())
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			r, err := ReplayToken(target, token, nil)
			if err != nil || r.Status != Reproduced {
				t.Fatalf("%s: %v, %v", target.Name, r.Explain(), err)
			}
		}
		neededEach(t, target, small)
	}
}

// neededEach drops each exception in turn: the violation must go, and every
// other exception must keep its place or be reported.
func neededEach(t *testing.T, target Target, small *Shrunk) {
	t.Helper()
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for i := range small.Schedule {
		rest := small.Schedule.without(i, 1)
		c := NewReplayer(rest)
		v := r.run(c)
		if v.violation != nil && v.violation.Signature == small.Signature {
			t.Errorf("%s: exception %v is not needed", target.Name, small.Schedule[i])
		}
		made, unmatched := r.machine.Exceptions(), c.Unmatched()
		for _, e := range rest {
			at := func(x machine.Exception) bool { return placeOf(x) == placeOf(e) && x.Answer == e.Answer }
			if slices.ContainsFunc(made, at) == slices.ContainsFunc(unmatched, at) {
				t.Errorf("%s without %v: %v is neither or both of matched and unmatched", target.Name, small.Schedule[i], e)
			}
		}
		if len(made)+len(unmatched) != len(rest) {
			t.Errorf("%s without %v: made %v", target.Name, small.Schedule[i], made)
		}
	}
}

func TestReplayTellsDrift(t *testing.T) {
	target := checkThenAct()
	token := mustFind(t, target, Options{}).Token()
	changed := target
	changed.Setup = func(m *machine.Machine) Program {
		p := target.Setup(m)
		body := p.Threads[0].Body
		p.Threads[0].Body = func(t *machine.Thread) { t.Fence(machine.FullFence); body(t) }
		return p
	}
	r, err := ReplayToken(changed, token, nil)
	if err != nil || r.Status != Drifted || !strings.Contains(r.Explain(), "drifted") {
		t.Errorf("with a fence more: %v, %v", r.Explain(), err)
	}
	repaired := target
	repaired.Setup = func(m *machine.Machine) Program {
		p := target.Setup(m)
		p.After = nil
		return p
	}
	if r, _ := ReplayToken(repaired, token, nil); r.Status != Passes {
		t.Errorf("without the check: %v", r.Explain())
	}
	renamed := token
	renamed.Signature++
	if r, _ := ReplayToken(target, renamed, nil); r.Status != Passes || r.Finding == nil {
		t.Errorf("with another violation: %v", r.Explain())
	}
}

func TestShrinkNeedsTheViolation(t *testing.T) {
	f := mustFind(t, checkThenAct(), Options{})
	if _, err := Shrink(correct(), f, ShrinkOptions{}); err == nil {
		t.Error("shrank a violation of another target")
	}
}

func TestShrinkHeedsStop(t *testing.T) {
	f := mustFind(t, checkThenAct(), Options{})
	small, err := Shrink(checkThenAct(), f, ShrinkOptions{Stop: func() bool { return true }})
	if err != nil || small.Tried > 1 {
		t.Errorf("tried %d, %v", small.Tried, err)
	}
}

func TestReportReadsLikeThis(t *testing.T) {
	small, err := Shrink(checkThenAct(), mustFind(t, checkThenAct(), Options{}), ShrinkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := small.Report(checkThenAct(), "verify replay %s", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"VIOLATION check-then-act: final state", "got 1, want 2", "P0 x86-64", "P1 ",
		"store counter := 0x1", "helpers_test.go:", "choice  t0@", "2 preemptions",
		"replay  verify replay 'check-then-act@v1:",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
}
