package fuzz

import "github.com/fusedos/stramash/machine"

// change makes one change to the script, which is r's or what came of it.
func (s *mutate) change(r *recorded) {
	switch s.rand.Below(6) {
	case 0:
		s.drop()
	case 1:
		s.move()
	case 2:
		s.retarget()
	case 3:
		s.insert(r)
	default:
		s.reverse(r)
	}
}

// drop takes one decision away.
func (s *mutate) drop() {
	if l := s.script.list; len(l) > 0 {
		i := s.rand.Below(len(l))
		l[i] = l[len(l)-1]
		s.script.list = l[:len(l)-1]
	}
}

// move has a decision taken up to 4 events earlier or later.
func (s *mutate) move() {
	l := s.script.list
	if len(l) == 0 {
		return
	}
	d := &l[s.rand.Below(len(l))]
	by := 1 + uint32(s.rand.Below(4))
	if s.rand.Below(2) == 0 {
		by = -min(by, d.index)
	}
	d.index += by
	d.visit = 0
}

// retarget gives a decision another answer.
func (s *mutate) retarget() {
	l := s.script.list
	if len(l) == 0 {
		return
	}
	d := &l[s.rand.Below(len(l))]
	if d.kind == machine.Move {
		d.answer = s.anyAgent()
	} else {
		d.answer = uint32(s.rand.Below(4))
	}
}

// insert has another agent move before an access of the run.
func (s *mutate) insert(r *recorded) {
	if len(r.accesses) == 0 {
		return
	}
	a := r.accesses[s.rand.Below(len(r.accesses))]
	s.script.list = append(s.script.list, decision{place{a.Context, a.Index, 0, machine.Move}, s.anyAgent()})
}

// anyAgent is one of the agents that were met; the first one if none were.
func (s *mutate) anyAgent() uint32 {
	if len(s.agents) == 0 {
		return 0
	}
	return s.agents[s.rand.Below(len(s.agents))]
}

// reverse has two conflicting accesses of the run happen in the other order.
func (s *mutate) reverse(r *recorded) {
	const tries = 8
	for range tries {
		if len(r.accesses) < 2 {
			return
		}
		j := 1 + s.rand.Below(len(r.accesses)-1)
		if i := lastConflict(r.accesses, j); i >= 0 {
			s.hold = holdBack{on: true, first: r.accesses[j], second: r.accesses[i]}
			return
		}
	}
}

// lastConflict is the last access before number j that conflicts with it, or
// -1: one of another context to the same word, and one of both writes.
func lastConflict(all []Access, j int) int {
	b := &all[j]
	for i := j - 1; i >= 0; i-- {
		if a := &all[i]; a.Word == b.Word && a.Context != b.Context && (a.Writes || b.Writes) {
			return i
		}
	}
	return -1
}

// holdBack holds one access back until another one has happened.
type holdBack struct {
	on            bool
	first, second Access
}

// choose is k, unless that is what is held back.
func (h *holdBack) choose(c *machine.Choice, k int) int {
	held, next := -1, -1
	for o := c.Options; o != 0; o = o.Rest() {
		switch at, index := c.Place(o.First()); at {
		case h.second.Context:
			if index == h.second.Index {
				held = o.First()
			}
		case h.first.Context:
			if index > h.first.Index {
				h.on = false
				return k
			}
			next = o.First()
		}
	}
	if k != held {
		return k
	}
	if next < 0 {
		next = (c.Options &^ machine.Only(held)).First()
	}
	return next
}
