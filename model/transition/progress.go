package transition

import "slices"

// Progress: a run that is fair and in which a request is pending for ever ends in a part of
// the graph whose states are all pending and lead to each other, and in which each fair
// step that is possible in some state is made somewhere. Such parts are found by taking a
// strongly connected part, and out of it the states in which a step is possible that is
// made nowhere in it, and looking at what remains in the same way. (E. A. Emerson and
// C.-L. Lei, "Modalities for model checking: branching time logic strikes back", Science of
// Computer Programming 8, 1987; the problem is emptiness of Streett automata.)

// flow is the steps of all states, those of a state one behind the other.
type flow struct {
	first []uint32 // by id: where its steps begin; and the end
	to    []uint32
	label []uint32 // numbers of the steps
	steps []Step   // by number
	fair  []bool   // by number
}

// flow makes the flow of the edges, which it takes apart. It is nil if there is no memory.
func (x *explorer) flow() *flow {
	states, n := int(x.arena.n)<<chunkBits, 0
	for _, w := range x.workers {
		n += w.edges.to.len()
	}
	if n >= 1<<32-1 {
		x.spent("there are more steps than the 4,294,967,294 that progress can be checked with")
		return nil
	}
	if !x.take(int64(4*(states+2) + 8*n)) {
		return nil
	}
	f := &flow{first: make([]uint32, states+2), to: make([]uint32, n), label: make([]uint32, n)}
	for _, w := range x.workers {
		w.edges.each(func(from, _, _ uint32) { f.first[from+2]++ })
	}
	for i := range states {
		f.first[i+2] += f.first[i+1]
	}
	numbers := map[Step]uint32{}
	for _, w := range x.workers {
		w.edges.each(func(from, to, step uint32) {
			number, known := numbers[Step(step)]
			if !known {
				number = uint32(len(f.steps))
				numbers[Step(step)] = number
				f.steps = append(f.steps, Step(step))
				f.fair = append(f.fair, x.m.Fair(Step(step)))
			}
			at := f.first[from+1]
			f.first[from+1]++
			f.to[at], f.label[at] = to, number
		})
		x.bytes.Add(-4 * int64(3*w.edges.to.len()))
		w.edges = edges{}
	}
	return f
}

// of is where the steps of a state are.
func (f *flow) of(id uint32) (from, to uint32) { return f.first[id], f.first[id+1] }

// part is a part of the graph that a fair run need not leave.
type part struct {
	f   *flow
	ids []uint32 // of its states; the first is the smallest
}

// unserved is the number of the first request that a fair run can leave pending for ever,
// and where it does; -1 if there is none, or no memory or no time to see.
func (x *explorer) unserved(pending []Pending) (int, *part) {
	f := x.flow()
	if f == nil || !x.take(16*int64(len(f.first))) {
		return -1, nil
	}
	s := newSearch(x, f)
	for i := range pending {
		if ids := s.fairPart(pending[i].Holds); ids != nil {
			return i, &part{f, ids}
		}
		if x.stop.Load() {
			break
		}
	}
	return -1, nil
}

// search looks for strongly connected parts (R. Tarjan, "Depth-first search and linear
// graph algorithms", SIAM Journal on Computing 1, 1972) of regions of the graph.
type search struct {
	x       *explorer
	f       *flow
	region  []uint32 // by id; 0 is none
	regions uint32
	order   []uint32 // by id: when it was visited, from 1; 0 is not yet
	low     []uint32 // by id: the first that it leads back to
	stack   []uint32 // visited, and in no part yet
	calls   []call
	now     uint32
	made    []uint32 // by number of a step: the last region in which it was made
}

// call is a state that the search is at, and its next edge.
type call struct {
	id, edge uint32
}

func newSearch(x *explorer, f *flow) *search {
	n := len(f.first)
	return &search{
		x: x, f: f, region: make([]uint32, n), order: make([]uint32, n), low: make([]uint32, n), made: make([]uint32, len(f.steps)),
	}
}

// fairPart is the states of a part in which all are pending and that a fair run need not
// leave: of all such parts the one with the smallest id, which is its first.
func (s *search) fairPart(pending func([]byte) bool) []uint32 {
	var region, best []uint32
	s.regions++
	s.x.ids(func(id uint32) {
		s.region[id] = 0
		if pending(s.x.state(id)[:s.x.m.Size]) {
			s.region[id] = s.regions
			region = append(region, id)
		}
	})
	for work := [][]uint32{region}; len(work) > 0 && !s.x.interrupted(); {
		region, work = work[len(work)-1], work[:len(work)-1]
		s.connected(region, func(ids []uint32) {
			rest := s.unforced(ids)
			switch {
			case len(rest) < len(ids):
				work = append(work, rest)
			case best == nil || slices.Min(rest) < best[0]:
				best = rest
				slices.Sort(best)
			}
		})
	}
	return best
}

// connected calls found for each strongly connected part of a region that has a step. The
// part has become a region of its own before.
func (s *search) connected(ids []uint32, found func(ids []uint32)) {
	if len(ids) == 0 {
		return
	}
	region := s.region[ids[0]]
	s.now = 0
	for _, id := range ids {
		if s.region[id] != region || s.order[id] != 0 {
			continue
		}
		s.visit(id)
		for len(s.calls) > 0 {
			c := &s.calls[len(s.calls)-1]
			if c.edge < s.f.first[c.id+1] {
				to := s.f.to[c.edge]
				c.edge++
				switch {
				case s.region[to] != region:
				case s.order[to] == 0:
					s.visit(to)
				default:
					s.low[c.id] = min(s.low[c.id], s.order[to])
				}
				continue
			}
			done := c.id
			s.calls = s.calls[:len(s.calls)-1]
			if n := len(s.calls); n > 0 {
				up := s.calls[n-1].id
				s.low[up] = min(s.low[up], s.low[done])
			}
			if s.low[done] == s.order[done] {
				s.leave(done, found)
			}
		}
	}
}

// visit begins with a state.
func (s *search) visit(id uint32) {
	s.now++
	s.order[id], s.low[id] = s.now, s.now
	s.stack = append(s.stack, id)
	s.calls = append(s.calls, call{id, s.f.first[id]})
}

// leave takes the part that began with a state from the stack.
func (s *search) leave(id uint32, found func(ids []uint32)) {
	n := len(s.stack) - 1
	for s.stack[n] != id {
		n--
	}
	ids := s.stack[n:]
	s.stack = s.stack[:n]
	from, to := s.f.of(id)
	some := len(ids) > 1 || slices.Contains(s.f.to[from:to], id)
	if some {
		s.regions++
	}
	for _, i := range ids {
		s.order[i], s.region[i] = 0, 0
		if some {
			s.region[i] = s.regions
		}
	}
	if some {
		found(ids)
	}
}

// unforced is the states of a region in which no fair step is possible that is made
// nowhere in it. They become the region. All of them: the region is fair.
func (s *search) unforced(ids []uint32) []uint32 {
	f, region := s.f, s.region[ids[0]]
	for _, id := range ids {
		for e, to := f.first[id], f.first[id+1]; e < to; e++ {
			if s.region[f.to[e]] == region {
				s.made[f.label[e]] = region
			}
		}
	}
	rest := make([]uint32, 0, len(ids))
	for _, id := range ids {
		from, to := f.of(id)
		if slices.ContainsFunc(f.label[from:to], func(l uint32) bool { return f.fair[l] && s.made[l] != region }) {
			s.region[id] = 0
		} else {
			rest = append(rest, id)
		}
	}
	return rest
}
