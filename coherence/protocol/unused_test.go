package protocol

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// The rules that no run of a system uses, in the states where it does not: proved by
// exploring it completely. Each is used in another of the systems, or else does not belong
// in the table. With -write the file is written anew.
func TestRulesThatAreNeverUsed(t *testing.T) {
	var got strings.Builder
	for _, c := range []struct {
		name    string
		systems []Config
	}{
		{"mesi", []Config{{Parameters: map[string]int{"caches": 2}}, {Parameters: map[string]int{"caches": 3}}}},
		{"hdmdb", []Config{
			{Parameters: map[string]int{"hosts": 2}},
			{Parameters: map[string]int{"hosts": 3}},
			{Parameters: map[string]int{"hosts": 3, "upgrades": 1}},
			{Parameters: map[string]int{"hosts": 3, "blocks": 1}},
			{Parameters: map[string]int{"hosts": 3, "upgrades": 1, "blocks": 1}},
			{Parameters: map[string]int{"hosts": 1, "blocks": 1}, Addresses: 2},
		}},
		{"platform", []Config{
			{Parameters: map[string]int{"nodes": 2, "cores": 1}},
			{Parameters: map[string]int{"nodes": 2, "cores": 2}},
			{Parameters: map[string]int{"nodes": 1, "cores": 3}},
			{Parameters: map[string]int{"nodes": 3, "cores": 1}},
		}},
	} {
		somewhere := map[Rule]bool{}
		var rules []Rule
		for _, config := range c.systems {
			s := build(t, c.name, config)
			used, states := explored(t, s)
			fmt.Fprintf(&got, "%s %s: %d states\n", c.name, settings(config), states)
			rules = s.Rules()
			got.WriteString(never(rules, used))
			for i, r := range rules {
				somewhere[r] = somewhere[r] || used[i] > 0
			}
		}
		for _, r := range rules {
			if !somewhere[r] {
				t.Errorf("%s, line %d: no system uses it in %s on %s: %s", c.name, r.Line, r.State, r.Event, r.Text)
			}
		}
	}
	golden(t, filepath.Join("testdata", "never.txt"), got.String())
}

// explored is how often each rule is used in all states of a system.
func explored(t *testing.T, s *System) (used []uint64, states int64) {
	t.Helper()
	var cover Coverage
	r, err := transition.Check(context.Background(), s.Model(&cover), transition.Options{
		Workers: 2, Symmetry: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
	})
	if err != nil || r.Verdict != transition.Holds {
		t.Fatalf("%s: %v %s, %v", s.Protocol.Name, r.Verdict, r.Property, err)
	}
	return cover.Used(), r.States
}

func settings(c Config) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.Parameters)) {
		out = append(out, fmt.Sprintf("%s=%d", k, c.Parameters[k]))
	}
	if c.Addresses > 1 {
		out = append(out, fmt.Sprintf("addresses=%d", c.Addresses))
	}
	return strings.Join(out, " ")
}

// never has a line for each rule that is not used everywhere: where it is not, and what it
// is for.
func never(rules []Rule, used []uint64) string {
	where := map[string][]string{}
	var heads []string
	for i, r := range rules {
		if used[i] > 0 {
			continue
		}
		head, _, _ := strings.Cut(r.Text, ":")
		head = r.Kind + ": " + head
		if where[head] == nil {
			heads = append(heads, head)
		}
		where[head] = append(where[head], r.State+" on "+r.Event)
	}
	var out strings.Builder
	for _, head := range heads {
		fmt.Fprintf(&out, "  %s\n    not in %s\n", head, strings.Join(where[head], ", "))
	}
	return out.String()
}
