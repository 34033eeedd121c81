package protocol

import (
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// Every step is counted once: what is counted adds up to the steps.
func TestCoverageCountsEveryStep(t *testing.T) {
	s := build(t, "mesi", Config{Parameters: map[string]int{"caches": 2}})
	var cover Coverage
	m := s.Model(&cover)
	w := m.NewWorker()
	steps := 0
	all := [][]byte{m.Initial[0]}
	seen := map[string]bool{string(all[0]): true}
	for len(all) > 0 {
		state := all[0]
		all = all[1:]
		w.Next(state, func(_ transition.Step, next []byte, _ int) {
			if steps++; !seen[string(next)] {
				seen[string(next)] = true
				all = append(all, append([]byte(nil), next...))
			}
		})
	}
	counted, used := 0, cover.Used()
	for i, r := range s.Rules() {
		switch n := int(used[i]); {
		case hasHow(s.Protocol, r, hits) && r.Event == eventStore:
			counted += n * s.Values
		case hasHow(s.Protocol, r, acts):
			counted += n
		case n == 0 && r.Kind == "cache" && r.State == "S" && r.Event == eventLoad:
			t.Error("no load that hits is counted")
		}
	}
	if counted != steps || steps != 4952 {
		t.Errorf("%d steps are counted of %d", counted, steps)
	}
}

// hasHow says whether the rule acts, stalls or hits.
func hasHow(p *Protocol, r Rule, h how) bool {
	for _, k := range p.kinds {
		for _, x := range k.rows {
			if x.line == r.Line {
				return x.how == h
			}
		}
	}
	return false
}
