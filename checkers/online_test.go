package checkers

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fusedos/stramash/checkers/histories"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// watchAll feeds a history to a session and answers the violation and the index
// of the record that it came with, or -1.
func watchAll(s Session, h machine.History) (*Violation, int) {
	s.Reset()
	for at, r := range h {
		if v := s.Record(r); v != nil {
			return v, at
		}
	}
	return nil, -1
}

// TestOnlineIsExact checks that a session answers at the first record with
// which the judge finds a violation in the records so far.
func TestOnlineIsExact(t *testing.T) {
	runs := 400
	if testing.Short() {
		runs = 60
	}
	for i, s := range compared() {
		t.Run(fmt.Sprint(i, " ", s.Name), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(i), 6))
			judge := LinearizableWithin(1<<24, s)
			session := judge.(Online).Watch()
			found := 0
			for range runs {
				h := histories.Short(rng.IntN, s, object)
				want := -1
				for n := range h {
					if judge.Check(h[:n+1]).Violation != nil {
						want = n
						break
					}
				}
				v, got := watchAll(session, h)
				if got != want || v != nil && (v.Judge != judge.Name() || v.Rule != ruleLinearizable) {
					t.Fatalf("got %+v with record %d, want it with %d: %+v", v, got, want, h)
				}
				if got >= 0 {
					found++
				}
			}
			if found < runs/6 {
				t.Errorf("only %d of %d histories are illegal", found, runs)
			}
		})
	}
}

// TestOnlineObjects interleaves the histories of two objects.
func TestOnlineObjects(t *testing.T) {
	for i, s := range compared() {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		judge := LinearizableWithin(1<<24, s)
		session, one := judge.(Online).Watch(), LinearizableWithin(1<<24, s, other).(Online).Watch()
		for range 60 {
			a := histories.Short(rng.IntN, s, object)
			b := on(other, histories.Short(rng.IntN, s, object)...)
			_, first := watchAll(session, a)
			_, second := watchAll(session, b)
			var h machine.History
			want, wantOne := -1, -1
			for x, y := 0, 0; x < len(a) || y < len(b); {
				if y == len(b) || x < len(a) && rng.IntN(2) == 0 {
					if x == first && want < 0 {
						want = len(h)
					}
					h = append(h, a[x])
					x++
					continue
				}
				if y == second {
					wantOne = len(h)
					if want < 0 {
						want = len(h)
					}
				}
				h = append(h, b[y])
				y++
			}
			if _, got := watchAll(session, h); got != want {
				t.Fatalf("%s: got %d, want %d: %+v", s.Name, got, want, h)
			}
			if _, got := watchAll(one, h); got != wantOne {
				t.Fatalf("%s: a session of one object: got %d, want %d: %+v", s.Name, got, wantOne, h)
			}
		}
	}
}

func TestOnline(t *testing.T) {
	lock := spec.MutexLock
	bad := machine.History{call(0, lock), call(1, lock), ret(0, 0, true), ret(1, 0, true), ret(1, 0, true)}
	session := Linearizable(spec.Mutex()).(Online).Watch()
	v, at := watchAll(session, bad)
	if at != 3 || v.At != 3 || v.Object != object {
		t.Errorf("got %+v at %d", v, at)
	}
	if v := session.Record(ret(1, 0, true)); v != nil {
		t.Errorf("after a violation: got %+v", *v)
	}
	if v, _ := watchAll(session, bad[:3]); v != nil {
		t.Errorf("the session was not reset: %+v", *v)
	}
	for _, test := range []struct {
		h    machine.History
		rule string
		at   int
	}{
		{machine.History{acquired(0), ret(0, 0, true)}, ruleMalformed, 1},
		{machine.History{call(0, lock), call(0, lock)}, ruleMalformed, 1},
		{machine.History{call(0, 77)}, ruleMalformed, 0},
	} {
		if v, at := watchAll(session, test.h); v == nil || v.Rule != test.rule || at != test.at {
			t.Errorf("got %+v at %d, want %s at %d", v, at, test.rule, test.at)
		}
	}
}

// What would take too long is left to Check.
func TestOnlineGivesUp(t *testing.T) {
	session := LinearizableWithin(2, spec.Register(0)).(Online).Watch()
	bad := machine.History{call(0, spec.RegisterRead), ret(0, 1, true)}
	if v, _ := watchAll(session, bad); v == nil {
		t.Error("no violation within the budget")
	}
	if v, _ := watchAll(session, join(machine.History{call(0, spec.RegisterWrite, 1), ret(0, 0, true),
		call(0, spec.RegisterWrite, 2), ret(0, 0, true)}, bad)); v != nil {
		t.Errorf("beyond the budget: %+v", *v)
	}
	var crowd machine.History
	for i := range int32(maxOverlap + 1) {
		crowd = append(crowd, call(i, spec.RegisterWrite, 1))
	}
	session = Linearizable(spec.Register(0)).(Online).Watch()
	if v, _ := watchAll(session, join(crowd, machine.History{ret(0, 0, true), call(0, spec.RegisterRead), ret(0, 9, true)})); v != nil {
		t.Errorf("with too many at once: %+v", *v)
	}
	whole := spec.Set()
	whole.Key = func(c spec.Call) (uint64, bool) {
		if c.Op == spec.SetContains {
			return 0, false
		}
		return c.Arg, true
	}
	h := machine.History{call(0, spec.SetInsert, 1), ret(0, 0, true), call(0, spec.SetContains, 1), ret(0, 0, false)}
	if v, _ := watchAll(Linearizable(whole).(Online).Watch(), h); v != nil {
		t.Errorf("with a call that concerns all parts: %+v", *v)
	}
	if Linearizable(whole).Check(h).Violation == nil {
		t.Error("Check does not find what the session leaves to it")
	}
	h[3].OK = true
	if v, _ := watchAll(Linearizable(whole).(Online).Watch(), h); v != nil {
		t.Errorf("a call that concerns all parts is judged with one of them: %+v", *v)
	}
	ops, err := Operations(h, object)
	if err != nil || len(Porcupine(whole).Partition(ops)) != 1 || len(Porcupine(whole).Partition(ops[:1])) != 1 {
		t.Errorf("porcupine's parts of %+v, %v", ops, err)
	}
	var o operations
	h = join(h, on(other, call(0, spec.SetInsert, 1), call(1, spec.SetInsert, 2)))
	if v := o.read(h, nil); v != nil {
		t.Fatal(v.Message)
	}
	if o.split(whole.Key); len(o.ends) != 3 || o.ends[0] != 4 {
		t.Errorf("parts end at %v, want one part of four events and two of one", o.ends)
	}
}

func TestOnlineExclusion(t *testing.T) {
	session := Exclusion().(Online).Watch()
	h := machine.History{acquired(0), released(0), acquired(0), acquired(1), acquired(2)}
	for range 2 {
		v, at := watchAll(session, h)
		if want := Exclusion().Check(h).Violation; at != 3 || v == nil || *v != *want {
			t.Errorf("got %+v at %d, want %+v", v, at, want)
		}
		if v := session.Record(acquired(3)); v != nil {
			t.Errorf("after a violation: got %+v", *v)
		}
	}
}

// BenchmarkOnline is what a session costs for 12 operations.
func BenchmarkOnline(b *testing.B) {
	s, i := spec.Mutex(), 0
	hs, session := twelve(s.Erase()), Linearizable(s).(Online).Watch()
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := watchAll(session, hs[i%len(hs)]); v != nil {
			b.Fatal(v.Message)
		}
		i++
	}
}
