package laws

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/model/spec"
)

// specLaws are the laws of each specification.
func specLaws() []law {
	var out []law
	for _, s := range spec.All() {
		out = append(out, law{s.Name + ": Step takes exactly the answers of Completions", func(n []uint32) string {
			return walk(s, n, agrees)
		}}, law{s.Name + ": what only reads or fails changes nothing", func(n []uint32) string {
			return walk(s, n, preserves)
		}})
		if s.Name != "pool" && s.Name != "weak mutex" {
			out = append(out, law{s.Name + ": one answer at most", func(n []uint32) string {
				return walk(s, n, determined)
			}})
		}
	}
	return out
}

// moment is one call of a walk: what it may answer, and an answer that is
// made up.
type moment struct {
	spec    spec.Spec[any]
	state   any
	call    spec.Call
	answers []spec.Ret
	wild    spec.Ret
}

// walk makes calls of three clients with small arguments, so that they often
// meet, and asks check at each.
func walk(s spec.Spec[any], list numbers, check func(moment) string) string {
	state := s.Initial
	for len(list) > 0 {
		m := moment{spec: s, state: state}
		m.call = spec.Call{
			Client: list.next(3), Op: spec.Op(list.next(len(s.Ops) + 2)),
			Arg: uint64(list.next(4)), Arg2: uint64(list.next(4)),
		}
		m.answers = s.Completions(nil, state, m.call)
		m.wild = spec.Ret{Val: uint64(list.next(4)), OK: list.next(2) == 0}
		if wrong := check(m); wrong != "" {
			return "in state " + s.DescribeState(state) + ": " + wrong
		}
		if len(m.answers) > 0 {
			state, _ = s.Step(state, m.call, m.answers[list.next(len(m.answers))])
		}
	}
	return ""
}

func agrees(m moment) string {
	for _, r := range append(slices.Clone(m.answers), m.wild) {
		_, ok := m.spec.Step(m.state, m.call, r)
		if want := slices.Contains(m.answers, r); ok != want {
			return fmt.Sprintf("Step of %s says %t, Completions says %t", m.spec.DescribeOp(m.call, r), ok, want)
		}
	}
	return ""
}

func preserves(m moment) string {
	for _, r := range m.answers {
		next, _ := m.spec.Step(m.state, m.call, r)
		if m.spec.Unchanging(m.call, r) && next != m.state {
			return fmt.Sprintf("%s leads to %s", m.spec.DescribeOp(m.call, r), m.spec.DescribeState(next))
		}
	}
	return ""
}

func determined(m moment) string {
	if len(m.answers) > 1 {
		return fmt.Sprintf("%s has %d answers", m.spec.DescribeCall(m.call), len(m.answers))
	}
	return ""
}
