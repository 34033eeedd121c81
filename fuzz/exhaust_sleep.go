package fuzz

import (
	"bytes"

	"github.com/fusedos/stramash/machine"
)

// save makes a leaf of the step that the node at a place belongs to, when all
// that follows it has been explored.
func (s *search) save(at int) {
	n := &s.nodes[at]
	if n.base < 0 {
		return
	}
	b := &s.nodes[n.base]
	if b.steps >= len(s.steps) || n.steps != b.steps || s.steps[b.steps].saved {
		return // nothing was done, or in a later step, or this is known
	}
	x := &s.steps[b.steps]
	x.saved = true
	s.kept, s.paths = s.kept[:b.kept], s.paths[:b.paths]
	s.replaced(b, x.agent, s.pathOf(b.steps))
	l := leaf{agent: x.agent, final: x.final}
	l.touches[0], l.path[0] = len(s.kept), len(s.paths)
	s.kept = append(s.kept, s.touchesOf(b.steps)...)
	s.paths = append(s.paths, s.pathOf(b.steps)...)
	l.touches[1], l.path[1] = len(s.kept), len(s.paths)
	s.leaves = append(s.leaves, l)
	b.leaves[1], b.kept, b.paths = len(s.leaves), len(s.kept), len(s.paths)
}

// replaced removes from the leaves of a node the ways of a step that were awake,
// and have now been explored.
func (s *search) replaced(b *node, agent int, path []uint8) {
	keep := s.leaves[:b.leaves[0]]
	for _, l := range s.leaves[b.leaves[0]:b.leaves[1]] {
		way := s.paths[l.path[0]:l.path[1]]
		if l.agent != agent || !l.awake || !bytes.HasPrefix(way, path) && !bytes.HasPrefix(path, way) {
			keep = append(keep, l)
		}
	}
	s.leaves = keep
}

func (s *search) touchesOf(i int) []touch {
	if i+1 < len(s.steps) {
		return s.touches[s.steps[i].from:s.steps[i+1].from]
	}
	return s.touches[s.steps[i].from:]
}

func (s *search) pathOf(i int) []uint8 {
	if i+1 < len(s.steps) {
		return s.path[s.steps[i].path:s.steps[i+1].path]
	}
	return s.path[s.steps[i].path:]
}

// wake finds out who still sleeps after the last step.
func (s *search) wake() {
	i := len(s.steps) - 1
	x := &s.steps[i]
	before := s.asleep
	if x.node >= 0 {
		b := &s.nodes[x.node]
		before = s.leaves[b.leaves[0]:b.leaves[1]]
	}
	keep := s.asleep[:0]
	touches := s.touchesOf(i)
	for _, l := range before {
		if l.agent == x.agent {
			continue
		}
		// Of the steps with which threads finish, the last one ends the run: what
		// idle CPUs can do comes before it.
		l.awake = l.awake || l.final && x.live == 1 || conflict(touches, s.kept[l.touches[0]:l.touches[1]])
		keep = append(keep, l)
	}
	s.asleep = keep
	still := Set(0)
	for _, l := range keep {
		if !l.awake {
			still |= machine.Only(l.agent)
		}
	}
	keep = keep[:0]
	for _, l := range s.asleep {
		if still.Has(l.agent) {
			keep = append(keep, l)
		}
	}
	s.asleep = keep
}

// sleepers is the agents of which every way to go on sleeps.
func sleepers(leaves []leaf) (all Set) {
	var awake Set
	for _, l := range leaves {
		all |= machine.Only(l.agent)
		if l.awake {
			awake |= machine.Only(l.agent)
		}
	}
	return all &^ awake
}

// unexplored is the options of a question of the step in progress without those
// that lead to what sleeps only.
func (s *search) unexplored(options Set) Set {
	from := s.asleep
	if s.open.node >= 0 {
		b := &s.nodes[s.open.node]
		from = s.leaves[b.leaves[0]:b.leaves[1]]
	}
	path := s.path[s.open.path:]
	var asleep, awake Set
	for _, l := range from {
		way := s.paths[l.path[0]:l.path[1]]
		if l.agent != s.open.agent || len(way) <= len(path) || !bytes.Equal(way[:len(path)], path) {
			continue
		}
		option := machine.Only(int(way[len(path)]))
		if l.awake {
			awake |= option
		} else {
			asleep |= option
		}
	}
	return options &^ (asleep &^ awake)
}

// covered says whether what step i, the first of its agent behind node b, begins
// has been explored.
func (s *search) covered(b *node, i int) bool {
	agent := s.steps[i].agent
	if b.sleeps.Has(agent) {
		return true
	}
	path := s.pathOf(i)
	for _, l := range s.leaves[b.leaves[0]:b.leaves[1]] {
		if l.agent == agent && !l.awake && bytes.Equal(s.paths[l.path[0]:l.path[1]], path) {
			return true
		}
	}
	return false
}
