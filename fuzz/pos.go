package fuzz

import "github.com/fusedos/stramash/machine"

// pos is partial order sampling (Yuan, Yang and Gu, CAV 2018): each event gets a
// random priority when it becomes pending, and the highest one happens; those
// that race with it get new priorities then. Events whose order with others does
// not matter happen at once: accesses to words that the profile knows as
// private, and fences.
type pos struct {
	rand    Rand
	profile *Profile
	drawn   machine.Set // agents whose pending event has a priority
	step    int
	pending [machine.MaxAgents]pending
}

// pending is an agent's next event.
type pending struct {
	priority uint64
	word     machine.VA // that it accesses, or another name of what it meets at
	writes   bool
}

// eager is above all priorities that are drawn.
const eager = ^uint64(0)

func (s *pos) Start(p Plan) {
	s.rand, s.profile = NewRand(p.Seed, p.Run), p.Profile
	s.drawn, s.step = 0, 0
}

func (s *pos) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	if c.Step() > s.step+1 { // somebody has moved without a choice: whoever asks
		if c.Current < 0 {
			s.drawn = 0
		} else {
			s.drawn &^= machine.Only(int(c.Current))
		}
	}
	s.step = c.Step()
	for o := c.Options &^ s.drawn; o != 0; o = o.Rest() {
		s.draw(c, o.First())
	}
	s.drawn |= c.Options
	best := c.Options.First()
	for o := c.Options.Rest(); o != 0; o = o.Rest() {
		if k := o.First(); s.pending[k].priority > s.pending[best].priority {
			best = k
		}
	}
	s.drawn &^= machine.Only(best)
	if e := &s.pending[best]; e.priority != eager {
		s.redraw(c.Options, e)
	}
	return best
}

// redraw gives the events that race with e new priorities, when e happens.
func (s *pos) redraw(options machine.Set, e *pending) {
	for o := options; o != 0; o = o.Rest() {
		k := o.First()
		if f := &s.pending[k]; f != e && f.word == e.word && (f.writes || e.writes) {
			f.priority = s.rand.Uint64() >> 1
		}
	}
}

// draw gives the pending event of option k its priority.
func (s *pos) draw(c *machine.Choice, k int) {
	op := c.Op(k)
	e := &s.pending[k]
	e.priority = s.rand.Uint64() >> 1
	e.word, e.writes = op.Addr&^7, op.Kind.Writes()
	switch {
	case op.Kind.Reads() || e.writes:
		if s.profile.isPrivate(e.word) {
			e.priority = eager
		}
	case op.Kind == machine.OpFence:
		e.priority = eager
	default:
		e.word, e.writes = machine.VA(c.Agent(k).CPU()), true // the CPU and its lines meet
	}
}
