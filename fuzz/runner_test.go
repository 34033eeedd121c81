package fuzz

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// The heap is judged in targets of which nothing else watches the events, from
// the first run on that uses it.
func TestHeapIsJudgedWhereNothingElseIs(t *testing.T) {
	for name, misuse := range map[string]func(*machine.Thread){
		"use after free": func(t *machine.Thread) { at := t.Alloc(8); t.Free(at); t.Load64(at) },
		"invalid free":   func(t *machine.Thread) { t.Free(machine.VA(1 << 20)) },
	} {
		target := bodyTarget(func(t *machine.Thread) {
			if t.Choose("misuse", 8) == 7 {
				misuse(t)
			}
			t.Fence(machine.FullFence)
		})
		target.IntendedRaces = true
		f := mustFind(t, target, Options{Runs: 1000})
		if f.Judge != "memory safety" || !strings.Contains(f.Rule, name) {
			t.Errorf("%s: %s: %s", name, f.Judge, f.Rule)
		}
		if r, err := ReplayToken(target, f.Token(), nil); err != nil || r.Status != Reproduced {
			t.Errorf("%s: %s, %v", name, r.Explain(), err)
		}
	}
}
