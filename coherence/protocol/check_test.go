package protocol

import (
	"context"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// TestGoldenCounts are those of the reference models, by four independent checkers
// (facts/coherence.md 1 and 2c), and those of what goes beyond them.
func TestGoldenCounts(t *testing.T) {
	for _, c := range []struct {
		name          string
		parameters    map[string]int
		addresses     int
		symmetry      bool
		states, rules int64
		depth         int
	}{
		{"mesi", map[string]int{"caches": 2}, 1, false, 1928, 4952, 25},
		{"mesi", map[string]int{"caches": 3}, 1, false, 68510, 242350, 36},
		{"mesi", map[string]int{"caches": 2}, 1, true, 992, 2548, 25},
		{"mesi", map[string]int{"caches": 3}, 1, true, 12236, 43390, 36},
		{"mesi", map[string]int{"caches": 4}, 1, true, 103134, 471756, 45},
		{"hdmdb", map[string]int{"hosts": 2}, 1, false, 1350, 2960, 24},
		{"hdmdb", map[string]int{"hosts": 3}, 1, false, 26632, 79734, 31},
		{"hdmdb", map[string]int{"hosts": 2}, 1, true, 686, 1508, 24},
		{"hdmdb", map[string]int{"hosts": 3}, 1, true, 4710, 14306, 31},
		{"hdmdb", map[string]int{"hosts": 2, "upgrades": 1}, 1, false, 1662, 3540, 30},
		{"hdmdb", map[string]int{"hosts": 3, "upgrades": 1}, 1, true, 7284, 20956, 42},
		{"hdmdb", map[string]int{"hosts": 2, "blocks": 1}, 1, false, 9944, 30496, 32},
		{"hdmdb", map[string]int{"hosts": 1, "blocks": 1}, 2, true, 10444, 30775, 35},
		{"hdmdb", map[string]int{"hosts": 1, "blocks": 1}, 2, false, 20800, 61236, 35},
	} {
		p, err := Load(c.name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Build(Config{Parameters: c.parameters, Addresses: c.addresses})
		if err != nil {
			t.Fatal(err)
		}
		r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
			Workers: 2, Symmetry: c.symmetry, Quiescence: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != transition.Holds || r.States != c.states || r.Rules != c.rules || r.Depth != c.depth {
			t.Errorf("%v: %v %s, %d states, %d rules, %d levels\n%v", c, r.Verdict, r.Property, r.States, r.Rules, r.Depth, r.Trace)
		}
	}
}
