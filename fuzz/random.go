package fuzz

import "github.com/fusedos/stramash/machine"

// randomWalk answers every question at random.
type randomWalk struct{ rand Rand }

func (s *randomWalk) Start(p Plan) { s.rand = NewRand(p.Seed, p.Run) }

func (s *randomWalk) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	return s.rand.pick(c.Options)
}

// sparse takes the natural run but for a few questions, chosen beforehand.
type sparse struct {
	rand   Rand
	asked  int
	places []int
}

const sparsePlaces = 6

func (s *sparse) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.asked, s.places = 0, s.places[:0]
	for range 1 + s.rand.Below(sparsePlaces) {
		s.places = append(s.places, s.rand.Below(p.Profile.most()))
	}
}

func (s *sparse) Choose(c *machine.Choice) int {
	at := s.asked
	s.asked++
	for _, p := range s.places {
		if p == at {
			return s.rand.pick(c.Options &^ machine.Only(int(c.Plain)))
		}
	}
	return int(c.Plain)
}
