package explore

import (
	"slices"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// A search is over the memories that the threads can build together. A memory is
// what each thread sees of it: a node for each of its strands. Memories that differ
// only in the order of messages that no thread can tell are thus one.
type search struct {
	meter
	p       *litmus.Program
	threads []*thread
	run     runner
	seen    *table // memories: a node of each strand of each thread
	todo    []int
	states  *table // final states found
	found   func(litmus.State) bool
	cut     bool
	err     error
	first   []int    // of each thread: where its strands are in a memory
	here    []uint64 // the memory at work
	there   []uint64
	ends    [][]uint32 // of each thread: how it can end here
	pick    []int      // of each thread: one of these
	state   []uint64
	slots   []slot
}

// A slot is a component of the final states: which register of which thread's
// ends, or which location.
type slot struct {
	thread, reg, loc int
}

// Run is the engine that explores the view machine, promises first. It is a
// memory.Engine; see the package for what it does.
func Run(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	s := &search{p: p, found: found, meter: meter{budget: b}}
	s.run = runner{p: p, meter: &s.meter}
	width := 0
	for t := range p.Threads {
		s.threads = append(s.threads, compile(p, t, &s.meter))
		s.first = append(s.first, width)
		width += s.threads[t].strands
	}
	s.seen = newTable(width, &s.meter)
	s.states = newTable(len(p.Observed), &s.meter)
	s.pick = make([]int, len(p.Threads))
	s.state = make([]uint64, len(p.Observed))
	s.ends = make([][]uint32, len(p.Threads))
	s.slots = slotsOf(p)
	s.visit(make([]uint64, width))
	for len(s.todo) > 0 && s.why == "" && s.err == nil {
		i := s.todo[len(s.todo)-1]
		s.todo = s.todo[:len(s.todo)-1]
		s.expand(i)
	}
	o := memory.Outcome{
		Complete: s.why == "" && s.err == nil, Why: s.why, Cut: s.cut,
		Steps: s.steps, Explored: int64(s.seen.n),
	}
	return o, s.err
}

func slotsOf(p *litmus.Program) []slot {
	out := make([]slot, len(p.Observed))
	regs := make([]int, len(p.Threads))
	for i, o := range p.Observed {
		out[i] = slot{thread: o.Thread, loc: o.Loc}
		if o.Thread >= 0 {
			out[i].reg = regs[o.Thread]
			regs[o.Thread]++
		}
	}
	return out
}

// visit puts a memory on the list if it is new.
func (s *search) visit(nodes []uint64) {
	if i, fresh := s.seen.add(nodes); fresh {
		s.todo = append(s.todo, i)
	}
}

// at is what thread t sees of the memory here.
func (s *search) at(t int) []uint64 { return s.here[s.first[t] : s.first[t]+s.threads[t].strands] }

// expand finds the final states of a memory, and the memories with one more message.
func (s *search) expand(i int) {
	s.here = append(s.here[:0], s.seen.at(i)...)
	final := true
	for t, th := range s.threads {
		if !s.step() {
			return
		}
		if th.writes {
			res := s.run.result(th, s.at(t))
			if res == nil || !res.ok {
				return
			}
			final = final && len(res.ends) > 0
		}
	}
	if final {
		s.finish()
	}
	for t, th := range s.threads {
		if !th.writes {
			continue
		}
		for _, p := range s.run.result(th, s.at(t)).promises {
			s.extend(t, th.locs[p.place], p.x)
		}
	}
}

// extend visits the memory here with a message of thread t.
func (s *search) extend(t, loc int, x uint64) {
	s.there = append(s.there[:0], s.here...)
	for u, th := range s.threads {
		place := th.place[loc]
		if place < 0 {
			continue
		}
		key := uint64(place) << 1
		if u == t {
			key |= 1
		}
		node := &s.there[s.first[u]+th.strand[place]]
		n, _ := th.nodes[th.strand[place]].add([]uint64{*node, key, x})
		if n < 0 {
			return
		}
		*node = uint64(n + 1)
	}
	s.visit(s.there)
}

// finish finds the final states of the memory here: each thread ends as it likes.
func (s *search) finish() {
	for t, th := range s.threads {
		s.pick[t] = 0
		res := s.run.result(th, s.at(t))
		if res == nil || len(res.ends) == 0 {
			return
		}
		s.ends[t] = res.ends
	}
	for i, c := range s.slots {
		if c.thread < 0 {
			s.state[i] = s.last(c.loc)
		}
	}
	for more := true; more && s.step() && s.err == nil; {
		s.emit()
		more = false
		for t := range s.threads {
			s.pick[t]++
			if s.pick[t] < len(s.ends[t]) {
				more = true
				break
			}
			s.pick[t] = 0
		}
	}
}

// emit tells of the final state in which the threads end as picked.
func (s *search) emit() {
	cutShort := false
	for t, th := range s.threads {
		end := th.ends.at(int(s.ends[t][s.pick[t]]))
		switch how := end[len(th.observed)]; {
		case how >= failed:
			s.err = th.failed[how-failed]
			return
		case how == cut:
			cutShort = true
		}
		for i, c := range s.slots {
			if c.thread == t {
				s.state[i] = end[c.reg]
			}
		}
	}
	if cutShort {
		s.cut = true
		return
	}
	if i, fresh := s.states.add(s.state); fresh && !s.found(slices.Clone(s.states.at(i))) && s.why == "" {
		s.why = "the caller has seen enough"
	}
}

// last is the value that a location has in the end.
func (s *search) last(loc int) uint64 {
	for t, th := range s.threads {
		if th.place[loc] < 0 {
			continue
		}
		i := th.strand[th.place[loc]]
		for n := s.at(t)[i]; n != 0; {
			rec := th.nodes[i].at(int(n - 1))
			if int(rec[1]>>1) == th.place[loc] {
				return rec[2]
			}
			n = rec[0]
		}
		break
	}
	return s.p.Locations[loc].Init
}
