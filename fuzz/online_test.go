package fuzz

import (
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// forgetful is a target with a long history: a register that loses one write,
// late in the run if it is long.
func forgetful(rounds int) Target {
	return Target{
		Name: "forgetful", Platform: machine.Pair(), Judges: []checkers.Judge{checkers.Linearizable(spec.Register(0))},
		Setup: func(m *machine.Machine) Program {
			at := m.Alloc(8)
			m.Label(at, 8, "register")
			return Program{Threads: Each(m, func(t *machine.Thread) {
				for i := range rounds {
					v := uint64(2*i + t.CPU() + 1)
					t.Call(at, spec.RegisterWrite, v)
					if i != rounds/2 || t.CPU() == 0 {
						t.FetchAdd(at, machine.Size64, 0, machine.AcqRel)
						t.Swap(at, machine.Size64, v, machine.AcqRel)
					} else {
						t.Swap(at, machine.Size64, 999999, machine.AcqRel)
					}
					t.Return(at, 0, true)
					t.Call(at, spec.RegisterRead)
					v = t.Load(at, machine.Size64, machine.Acquire)
					t.Return(at, v, true)
				}
			})}
		},
		Limits: machine.Limits{Steps: 1 << 20},
	}
}

// A long run ends at the return that breaks it; a short one goes to its end.
// The violation is the same, and it replays.
func TestLongRunsEndWhereTheyBreak(t *testing.T) {
	for rounds, long := range map[int]bool{20: false, 2000: true} {
		target := forgetful(rounds)
		f := mustFind(t, target, Options{Runs: 5, Audit: 1})
		r, err := newRunner(target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		v := r.run(NewReplayer(f.Schedule))
		if (v.Outcome == machine.Stopped) != long {
			t.Errorf("%d rounds: %v", rounds, v.Outcome)
		}
		if v.violation == nil || v.violation.Signature != f.Signature {
			t.Errorf("%d rounds: %v, want %s", rounds, v.violation, f.Signature)
		}
		last := v.History[len(v.History)-1]
		if long && (last.Kind != machine.ReturnRecord || len(v.History) > 5*rounds) {
			t.Errorf("%d rounds: %d records, the last one %+v", rounds, len(v.History), last)
		}
		if replay, err := ReplayToken(target, f.Token(), nil); err != nil || replay.Status != Reproduced {
			t.Errorf("%d rounds: %s, %v", rounds, replay.Explain(), err)
		}
		r.close()
	}
}
