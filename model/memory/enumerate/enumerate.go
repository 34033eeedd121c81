// Package enumerate finds the final states of litmus tests as herd7 does, in the
// plainest way: it lists the candidate executions and asks the axioms of each. A
// thread runs alone, and each of its reads returns any value that is written to the
// location anywhere; of one run of each thread, every coherence order and every
// choice of the writes that are read makes a candidate. It is a reference for the
// engines: nothing is pruned but what a thread's own order of writes to a location
// forbids, and what gives a state that has been found.
//
// The axioms are those of herd 7.58's aarch64.cat on plain memory, of x86-TSO, and of
// both in one machine: Goens, Chakraborty, Sarkar, Agarwal, Oswald and Nagarajan,
// "Compound Memory Models", PLDI 2023. Communication is common to all threads:
//
//	internal  acyclic po-loc | rmw | rf | co | fr
//	atomic    no other thread's write comes between the two of a read-modify-write
//	external  acyclic (rfe | coe | fre) | lob
//
// and lob, what is ordered within a thread, is that of the thread's ISA (order.go).
package enumerate

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// access is an event of a candidate.
type access struct {
	*event
	thread, first int // first is the index of its thread's first event
}

// search is the search over candidates.
type search struct {
	p      *litmus.Program
	budget int64
	steps  int64
	found  func(litmus.State) bool
	seen   map[string]bool
	why    string // it has ended early
	runs   [][]run

	// The candidate:
	picked []*run
	events []access
	writes [][]int // of each location
	co     [][]int // ditto, in coherence order
	rank   []int   // of each write in it, from 1
	from   []int   // of each read: the rank of the write that it reads; 0 is the initial one
}

// Run is an Engine. Steps are operations run and candidates looked at. An access
// to no location is an error even if no execution of the test has it, but only a
// guess of what a read returns.
func Run(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	s := &search{p: p, budget: b.Steps, found: found, seen: map[string]bool{}}
	if err := s.threads(); err != nil {
		return memory.Outcome{Steps: s.steps}, err
	}
	s.combine()
	return memory.Outcome{Complete: s.why == "", Why: s.why, Steps: s.steps, Explored: s.steps}, nil
}

// spend takes a step, and answers false if the search is over.
func (s *search) spend() bool {
	if s.steps++; s.budget > 0 && s.steps > s.budget {
		s.why = "the budget of steps is spent"
	}
	return s.why == ""
}

// threads finds the runs of each thread: again with what they write, until that is
// nothing new. A value depends on a chain of writes of the test at most, so that
// there are no more rounds than writes.
func (s *search) threads() error {
	values := make([][]uint64, len(s.p.Locations))
	for i, l := range s.p.Locations {
		values[i] = []uint64{l.Init}
	}
	for round, rounds := 0, 1; round <= rounds; round++ {
		s.runs = nil
		next, grown := slices.Clone(values), false
		for i := range s.p.Threads {
			t := &tracer{search: s, thread: &s.p.Threads[i], values: values}
			if t.start(); t.err != nil {
				return t.err
			}
			most := 0
			for _, r := range t.runs {
				n := 0
				for _, e := range r.events {
					if e.write {
						n++
						if !slices.Contains(next[e.loc], e.value) {
							next[e.loc], grown = append(slices.Clone(next[e.loc]), e.value), true
						}
					}
				}
				most = max(most, n)
			}
			if round == 0 {
				rounds += most
			}
			s.runs = append(s.runs, t.runs)
		}
		if !grown || s.why != "" {
			break
		}
		values = next
	}
	for i, runs := range s.runs {
		for k := range runs {
			runs[k].order(s.p.Threads[i].ISA)
		}
	}
	return nil
}

// combine picks a run of each thread.
func (s *search) combine() {
	if len(s.picked) == len(s.runs) {
		s.candidate()
		return
	}
	runs := s.runs[len(s.picked)]
	for k := range runs {
		if s.why != "" {
			return
		}
		s.picked = append(s.picked, &runs[k])
		s.combine()
		s.picked = s.picked[:len(s.picked)-1]
	}
}

// candidate goes on with the events of the runs that are picked, if each read has
// a write that it may read.
func (s *search) candidate() {
	if !s.spend() {
		return
	}
	s.events, s.writes = s.events[:0], make([][]int, len(s.p.Locations))
	for t, r := range s.picked {
		first := len(s.events)
		for k := range r.events {
			if e := &r.events[k]; e.write {
				s.writes[e.loc] = append(s.writes[e.loc], len(s.events))
			}
			s.events = append(s.events, access{&r.events[k], t, first})
		}
	}
	if len(s.events) > 64 {
		s.why = "an execution has more than 64 events"
		return
	}
	for _, e := range s.events {
		if e.read && e.value != s.p.Locations[e.loc].Init &&
			!slices.ContainsFunc(s.writes[e.loc], func(w int) bool { return s.events[w].value == e.value }) {
			return
		}
	}
	s.co, s.rank, s.from = make([][]int, len(s.writes)), make([]int, len(s.events)), make([]int, len(s.events))
	s.coherence(0)
}

// coherence orders the writes of locations from loc on in each way in which a
// thread's own are in its order.
func (s *search) coherence(loc int) {
	if loc == len(s.writes) {
		s.state()
		return
	}
	if len(s.co[loc]) == len(s.writes[loc]) {
		s.coherence(loc + 1)
		return
	}
	last := -1 // thread of the write before in the list, which is by thread
	for _, w := range s.writes[loc] {
		if s.why != "" {
			return
		}
		if s.rank[w] != 0 || s.events[w].thread == last {
			continue
		}
		last = s.events[w].thread
		s.co[loc] = append(s.co[loc], w)
		s.rank[w] = len(s.co[loc])
		s.coherence(loc)
		s.co[loc] = s.co[loc][:len(s.co[loc])-1]
		s.rank[w] = 0
	}
}

// state reports the candidate's final state if it is new, and the axioms allow it.
func (s *search) state() {
	if !s.spend() {
		return
	}
	var state litmus.State
	for _, o := range s.p.Observed {
		switch {
		case o.Thread >= 0:
			state = append(state, s.picked[o.Thread].regs[o.Reg].number)
		case len(s.co[o.Loc]) > 0:
			state = append(state, s.events[s.co[o.Loc][len(s.co[o.Loc])-1]].value)
		default:
			state = append(state, s.p.Locations[o.Loc].Init)
		}
	}
	if key := fmt.Sprint(state); !s.seen[key] && s.reads(0) {
		s.seen[key] = true
		if !s.found(state) {
			s.why = "the caller has seen enough"
		}
	}
}

// reads chooses the writes that events from i on read, and says whether the
// axioms allow any choice.
func (s *search) reads(i int) bool {
	if i == len(s.events) {
		return s.spend() && s.allowed()
	}
	e := s.events[i]
	if !e.read {
		return s.reads(i + 1)
	}
	for rank := range len(s.co[e.loc]) + 1 {
		value := s.p.Locations[e.loc].Init
		if rank > 0 {
			value = s.events[s.co[e.loc][rank-1]].value
		}
		if s.from[i] = rank; value == e.value && s.reads(i+1) {
			return true
		}
	}
	return false
}

// allowed asks the axioms. Relations are rows of bits.
func (s *search) allowed() bool {
	internal, external := make([]uint64, len(s.events)), make([]uint64, len(s.events))
	communicate := func(i, j int) {
		internal[i] |= 1 << j
		if s.events[i].thread != s.events[j].thread {
			external[i] |= 1 << j
		}
	}
	for _, ws := range s.co {
		for a := range ws {
			for _, w := range ws[a+1:] {
				communicate(ws[a], w)
			}
		}
	}
	for i, e := range s.events {
		external[i] |= s.picked[e.thread].lob[i-e.first] << e.first
		for j := i + 1; j < len(s.events) && s.events[j].thread == e.thread; j++ {
			if e.loc >= 0 && e.loc == s.events[j].loc {
				internal[i] |= 1 << j // po-loc, and rmw
			}
		}
		if e.read {
			if r := s.from[i]; r > 0 {
				communicate(s.co[e.loc][r-1], i)
			}
			for _, w := range s.co[e.loc][s.from[i]:] {
				communicate(i, w)
			}
		}
		if e.write && e.pair >= 0 {
			between := s.co[e.loc][min(s.from[e.first+e.pair], s.rank[i]-1) : s.rank[i]-1]
			if slices.ContainsFunc(between, func(w int) bool { return s.events[w].thread != e.thread }) {
				return false // atomic
			}
		}
	}
	return acyclic(internal) && acyclic(external)
}

// acyclic closes a relation, and says whether it is acyclic.
func acyclic(m []uint64) bool {
	transitive(m)
	for i := range m {
		if m[i]>>i&1 != 0 {
			return false
		}
	}
	return true
}

// transitive closes a relation.
func transitive(m []uint64) {
	for k := range m {
		for i := range m {
			if m[i]>>k&1 != 0 {
				m[i] |= m[k]
			}
		}
	}
}
