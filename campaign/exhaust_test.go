package campaign

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// An exhaustive search that is stopped again and again, in shards, comes to what
// one does that is left alone.
func TestStoppedSearchEndsAsOneLeftAlone(t *testing.T) {
	one := []fuzz.Target{{Name: "test/one", Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) fuzz.Program {
		counter := m.Alloc(8)
		return fuzz.Program{
			Threads: fuzz.Each(m, func(t *machine.Thread) {
				for range 3 {
					t.Store64(counter, t.Load64(counter)+1)
				}
			}),
			After: func() error { return fuzz.Want(m.Peek64(counter), 6) },
		}
	}}}
	p := Plan{Strategy: Exhaustive}
	want, err := fuzz.Exhaust(one[0], fuzz.ExhaustOptions{All: true})
	if err != nil || want.Finding == nil || want.Subtrees < 2 {
		t.Fatalf("%v, %+v", err, want)
	}
	dir := t.TempDir()
	sessions := 0
	explore := func(shard fuzz.Shard, runs uint64) fuzz.Exhausted {
		sessions++
		d, err := Open(dir, p, one, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := d.Exhaust(one[0], fuzz.ExhaustOptions{Shard: shard, Runs: runs})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for i := range uint64(3) {
		for runs := uint64(8); explore(fuzz.Shard{Index: i + 1, Count: 3}, runs).Stopped; runs += 8 {
		}
	}
	got := explore(fuzz.Shard{}, 0)
	if diff := cmp.Diff(want, got); diff != "" || sessions < 7 {
		t.Errorf("%d sessions (-alone +these):\n%s", sessions, diff)
	}
	d, _ := Open(dir, p, one, nil)
	file := filepath.Join(d.blocks("test/one"), "1")
	if err := os.WriteFile(file, []byte("rubbish"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exhaust(one[0], fuzz.ExhaustOptions{}); err == nil || !strings.HasPrefix(err.Error(), file+": it is cut short") {
		t.Error(err)
	}
}

// Each shard of a bounded search has a part of its own.
func TestBoundedSearchIsKept(t *testing.T) {
	one, dir := targets[:1], t.TempDir()
	p := Plan{Strategy: Exhaustive, Bounded: true, Preemptions: 1, Pins: []machine.Pin{{Name: "a", Value: 0}, {Name: "b", Value: 0}}}
	d, err := Open(dir, p, one, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := Read(dir); err != nil || !cmp.Equal(got, p) {
		t.Errorf("%+v, %v", got, err)
	}
	classes := uint64(0)
	for _, shard := range []fuzz.Shard{{}, {Index: 1, Count: 2}, {Index: 2, Count: 2}} {
		var first fuzz.Exhausted
		for i := range 2 {
			x, err := d.Exhaust(one[0], fuzz.ExhaustOptions{Shard: shard})
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = x
			} else if diff := cmp.Diff(first, x); diff != "" {
				t.Errorf("shard %v (-explored +read):\n%s", shard, diff)
			}
		}
		classes += first.Classes
	}
	whole, _ := d.Exhaust(one[0], fuzz.ExhaustOptions{})
	if names, _ := list(d.blocks("test/one")); len(names) != 3 || whole.Classes == 0 || classes != 2*whole.Classes {
		t.Errorf("%v, %d classes of %d", names, classes, whole.Classes)
	}
	other := p
	other.Bounded = false
	if _, err := Open(dir, other, one, nil); err == nil || !strings.Contains(err.Error(), "at most 1 preemptions, not any number of") {
		t.Error(err)
	}
}
