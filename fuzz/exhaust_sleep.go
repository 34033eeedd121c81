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
	l := leaf{agent: x.agent, final: x.final, since: b.steps}
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
		l.awake = l.awake || l.final && x.live == 1 && x.agent < s.machine.CPUs() && !s.anotherEnds(l) || conflict(touches, s.kept[l.touches[0]:l.touches[1]])
		keep = append(keep, l)
	}
	s.asleep = keep
	still := Set(0)
	for _, l := range keep {
		if !l.awake {
			still |= machine.Only(s.option(l))
		}
	}
	keep = keep[:0]
	for _, l := range s.asleep {
		if still.Has(s.option(l)) {
			keep = append(keep, l)
		}
	}
	s.asleep = keep
}

// anotherEnds says whether the step of a leaf, with which a thread finishes, need
// not be the one that ends the run though all other threads have finished: whether
// the last step of one of them, behind where the leaf fell asleep, could come last.
// What idle CPUs do comes before the end.
func (s *search) anotherEnds(l leaf) bool {
	for j := l.since; j < len(s.steps); j++ {
		if s.steps[j].final && !s.followed(j) {
			return true
		}
	}
	return false
}

// followed says whether a step of an idle context depends on step j.
func (s *search) followed(j int) bool {
	for k := j + 1; k < len(s.steps); k++ {
		if x := &s.steps[k]; (x.line || int(x.thread) <= s.machine.CPUs()) && s.before(j, s.clock(k)) {
			return true
		}
	}
	return false
}

// option is the answer to the question who moves that a leaf began with.
func (s *search) option(l leaf) int { return int(s.paths[l.path[0]]) }

// sleepers is the answers to the question who moves of which every way sleeps.
func (s *search) sleepers() (all Set) {
	var awake Set
	for _, l := range s.asleep {
		all |= machine.Only(s.option(l))
		if l.awake {
			awake |= machine.Only(s.option(l))
		}
	}
	return all &^ awake
}

// halves is the options of agents that have ways to go on that sleep, and others.
func (s *search) halves(options, sleeps Set) (out Set) {
	var some Set // agents with something that sleeps
	for _, l := range s.asleep {
		if !l.awake {
			some |= s.slots[l.agent]
		}
	}
	for left := some & options &^ sleeps; left != 0; left = left.Rest() {
		out |= s.own(left.First(), options)
	}
	return out
}

// mayEnd says whether a step that sleeps would end the run here. Then all that
// can come before it must be tried, as if it had been made.
func (s *search) mayEnd() bool {
	if s.machine.Live() != 1 {
		return false
	}
	for _, l := range s.asleep {
		if l.final && !l.awake {
			return true
		}
	}
	return false
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
	path := s.pathOf(i)
	for _, l := range s.leaves[b.leaves[0]:b.leaves[1]] {
		if !l.awake && bytes.Equal(s.paths[l.path[0]:l.path[1]], path) {
			return true
		}
	}
	return false
}

// woken says whether step i, which has not been made, sleeps behind node b, the choice
// of step j, and would be woken by what has happened since and does not depend on j:
// from where it sleeps more is known of what it does, like the records that follow it.
func (s *search) woken(b *node, j, i int) bool {
	option := int(s.path[s.steps[i].path])
	if !s.steps[i].unmade || !b.sleeps.Has(option) {
		return false
	}
	for _, l := range s.leaves[b.leaves[0]:b.leaves[1]] {
		if l.awake || s.option(l) != option {
			continue
		}
		for k := j + 1; k < i; k++ {
			if s.steps[k].agent != l.agent && !s.before(j, s.clock(k)) && conflict(s.touchesOf(k), s.kept[l.touches[0]:l.touches[1]]) {
				return true
			}
		}
	}
	return false
}
