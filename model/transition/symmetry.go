package transition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// SymmetryReport is what CheckSymmetry has looked at.
type SymmetryReport struct {
	States int // that it has looked at
	All    bool
	// Forms is how many times two states that are the same by symmetry had different
	// canonical forms. That is no mistake: some states are then visited twice.
	Forms int
}

// CheckSymmetry looks, at up to n states of a model, breadth first, whether the symmetry
// that it claims is one. The error says that it is not: that a permutation of
// Model.Permutations changes what a state violates, whether it is quiescent, or what it
// can become; that the canonical form of a state is none of its permutations, or not its
// own canonical form, or changes from one call to the next. A check with symmetry may then
// miss states. Of a state with more than 1,000 permutations not all are compared with its
// canonical form.
func CheckSymmetry(ctx context.Context, m *Model, n int) (r SymmetryReport, err error) {
	defer m.caught(&err)
	if err := m.validate(Options{Workers: 1, MaxStates: int64(n), MaxBytes: Unlimited}); err != nil {
		return r, err
	}
	if len(m.Permutations) == 0 {
		return r, m.fault("it claims no symmetry: give Permutations")
	}
	s := symmetry{m: m, w: m.NewWorker(), other: m.NewWorker()}
	seen := map[string]bool{}
	var queue [][]byte
	meet := func(state []byte) {
		if !seen[string(state)] && len(seen) < n {
			seen[string(state)] = true
			queue = append(queue, bytes.Clone(state))
		} else if !seen[string(state)] {
			r.All = false
		}
	}
	r.All = true
	for _, x := range m.Initial {
		meet(x)
	}
	for ; len(queue) > 0; queue = queue[1:] {
		if ctx.Err() != nil {
			r.All = false
			return r, nil
		}
		forms, err := s.look(queue[0])
		if err != nil {
			return r, m.fault("%v; the state is %v", err, m.Describe(queue[0]))
		}
		r.States++
		r.Forms += forms
		s.w.Next(queue[0], func(_ Step, next []byte, violated int) {
			if violated == NoProperty {
				meet(next)
			}
		})
	}
	return r, nil
}

type symmetry struct {
	m        *Model
	w, other Worker
}

// look looks at one state.
func (s *symmetry) look(state []byte) (forms int, err error) {
	form := bytes.Clone(state)
	s.w.Canonical(form)
	for _, w := range []Worker{s.w, s.other} {
		again := bytes.Clone(state)
		w.Canonical(again)
		if !bytes.Equal(again, form) {
			return 0, errors.New("the canonical form changes from one call to the next")
		}
		if w.Canonical(again); !bytes.Equal(again, form) {
			return 0, errors.New("the canonical form is not its own canonical form")
		}
	}
	if !s.among(state, form) {
		return 0, errors.New("the canonical form is no permutation of the state")
	}
	for i, permute := range s.m.Permutations {
		p := bytes.Clone(state)
		permute(p)
		if s.w.Check(p) != s.w.Check(state) || s.w.Quiescent(p) != s.w.Quiescent(state) {
			return 0, fmt.Errorf("permutation %d changes what is violated, or quiescence", i)
		}
		if !s.commutes(state, p, permute) {
			return 0, fmt.Errorf("permutation %d changes what can become of the state", i)
		}
		if s.w.Canonical(p); !bytes.Equal(p, form) {
			forms++
		}
	}
	return forms, nil
}

// orbitStates is how many permutations of a state are looked at.
const orbitStates = 1000

// among says whether a form is a permutation of a state, as far as that can be seen.
func (s *symmetry) among(state, form []byte) bool {
	orbit := map[string]bool{string(state): true}
	for queue := [][]byte{state}; len(queue) > 0; queue = queue[1:] {
		for _, permute := range s.m.Permutations {
			p := bytes.Clone(queue[0])
			permute(p)
			if !orbit[string(p)] {
				orbit[string(p)] = true
				queue = append(queue, p)
			}
		}
		if orbit[string(form)] || len(orbit) > orbitStates {
			return true
		}
	}
	return orbit[string(form)]
}

// commutes says whether the successors of a permuted state are the permuted successors.
func (s *symmetry) commutes(state, permuted []byte, permute func([]byte)) bool {
	count := map[string]int{}
	s.w.Next(state, func(_ Step, next []byte, violated int) {
		p := bytes.Clone(next)
		permute(p)
		count[fmt.Sprint(violated, p)]++
	})
	s.w.Next(permuted, func(_ Step, next []byte, violated int) { count[fmt.Sprint(violated, next)]-- })
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}
