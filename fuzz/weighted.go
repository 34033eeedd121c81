package fuzz

import "github.com/fusedos/stramash/machine"

// urw is the uniform random walk (Zhao, Wolff, Mathur and Roychoudhury, ASPLOS
// 2025): an agent's chances are the number of steps that it has left, by the
// profile. Where that is exact and nobody waits, all interleavings are equally
// probable.
type urw struct {
	rand    Rand
	profile *Profile
	count   tally
}

func (s *urw) Start(p Plan) {
	s.rand, s.profile = NewRand(p.Seed, p.Run), p.Profile
	s.count = tally{}
}

func (s *urw) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	s.count.ask(c)
	total := int32(0)
	for o := c.Options; o != 0; o = o.Rest() {
		total += s.left(o.First())
	}
	at := int32(s.rand.Below(int(total)))
	o := c.Options
	for ; ; o = o.Rest() {
		if at -= s.left(o.First()); at < 0 {
			return s.count.answer(o.First())
		}
	}
}

// left is how many steps agent k may have left; at least one.
func (s *urw) left(k int) int32 {
	if s.profile == nil {
		return 1
	}
	return max(s.profile.Steps[k]-s.count.steps[k], 1)
}

// surw is the selective uniform random walk (Zhao, Wolff, Mathur and
// Roychoudhury, ASPLOS 2025): uniform among the orders of the interesting events
// of the run, and a random walk elsewhere. Interesting are the accesses to one
// shared word, or what one CPU does and the interrupts that land on it. The agent
// whose interesting event comes next is drawn by how many each has left; the
// others rest before theirs until it has come.
type surw struct {
	rand     Rand
	word     machine.VA // zero if it is a CPU
	cpu      int        // -1 if it is a word, or nothing
	expected *[machine.MaxAgents]int32
	done     [machine.MaxAgents]int32
	intended int // or -1
	held     machine.Set
}

func (s *surw) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.word, s.cpu, s.intended, s.held = 0, -1, -1, 0
	s.done = [machine.MaxAgents]int32{}
	if p.Profile == nil || len(p.Profile.Shared)+len(p.Profile.Interrupted) == 0 {
		return
	}
	i := s.rand.Below(len(p.Profile.Shared) + len(p.Profile.Interrupted))
	if i < len(p.Profile.Shared) {
		w := &p.Profile.Shared[i]
		s.word, s.expected = w.Addr, &w.Accesses
	} else {
		s.cpu, s.expected = p.Profile.Interrupted[i-len(p.Profile.Shared)], &p.Profile.Steps
	}
}

func (s *surw) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	for {
		free := c.Options &^ s.held
		if free == 0 { // whom they rest for can't move
			s.intended, s.held = -1, 0
			continue
		}
		k := s.rand.pick(free)
		if !s.interesting(c, k) {
			return k
		}
		if s.intended < 0 {
			s.intended = s.draw(c, k)
		}
		if k == s.intended {
			s.done[k]++
			s.intended, s.held = -1, 0
			return k
		}
		s.held |= machine.Only(k)
	}
}

func (s *surw) interesting(c *machine.Choice, k int) bool {
	if s.cpu >= 0 {
		return c.Agent(k).CPU() == s.cpu
	}
	op := c.Op(k)
	return op.Addr&^7 == s.word && s.word != 0 && (op.Kind.Reads() || op.Kind.Writes())
}

// draw is who has the next interesting event: agent k is about to have one.
func (s *surw) draw(c *machine.Choice, k int) int {
	left := func(i int) int32 {
		n := s.expected[i] - s.done[i]
		switch {
		case i == k:
			return max(n, 1)
		case s.cpu >= 0 && c.Agent(i).CPU() != s.cpu:
			return 0
		}
		return max(n, 0)
	}
	total := int32(0)
	for o := c.Options; o != 0; o = o.Rest() {
		total += left(o.First())
	}
	at := int32(s.rand.Below(int(total)))
	for o := c.Options; ; o = o.Rest() {
		if at -= left(o.First()); at < 0 {
			return o.First()
		}
	}
}
