package axiomatic

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// search enumerates the candidate executions of a program and keeps the states in
// which allowed ones end. A candidate is built in two stages. First each thread goes
// one of its ways, in which its reads have read some values or other. Then at each
// location the reads find the writes of those values, and the writes an order; what
// breaks internal or atomic there is dropped, and kept in mind for all candidates in
// which the threads do the same at that location. What is left must not break external.
type search struct {
	meter
	p         *litmus.Program
	runs      [][]run            // of each thread
	may       [][]map[uint64]int // of each thread and location: values that it may write
	shapes    []map[string]int32
	solutions []map[string][]solution // of each location, by what all threads do there
	states    map[string]bool
	found     func(litmus.State) bool
	err       error
	cut       bool
	explored  int64

	pick    []*run
	offset  []int // of each thread: its first event
	state   []uint64
	choice  []*solution // of each location
	slot    []int       // of each observable of a thread: its place in run.seen
	buffer  []byte
	graphs  []relation  // lob, with obs of the locations so far
	visitor func() bool // told of each candidate instead of looking for states; it may answer to stop
	blind   bool        // keep what internal and atomic forbid
}

// Run is the axiomatic engine: it finds the final states of all executions that the
// axioms allow. It is a memory.Engine.
func Run(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) (memory.Outcome, error) {
	s := newSearch(p, b, found)
	s.collect()
	s.choose(0)
	return s.outcome()
}

func newSearch(p *litmus.Program, b memory.Budget, found func(litmus.State) bool) *search {
	s := &search{
		meter: meter{budget: b}, p: p, found: found, states: map[string]bool{},
		pick: make([]*run, len(p.Threads)), offset: make([]int, len(p.Threads)+1),
		state: make([]uint64, len(p.Observed)), choice: make([]*solution, len(p.Locations)),
	}
	count := make([]int, len(p.Threads))
	for _, o := range p.Observed {
		s.slot = append(s.slot, 0)
		if o.Thread >= 0 {
			s.slot[len(s.slot)-1] = count[o.Thread]
			count[o.Thread]++
		}
	}
	for range p.Locations {
		s.shapes = append(s.shapes, map[string]int32{})
		s.solutions = append(s.solutions, map[string][]solution{})
	}
	return s
}

func (s *search) outcome() (memory.Outcome, error) {
	return memory.Outcome{
		Complete: s.why == "" && s.err == nil, Why: s.why, Cut: s.cut, Steps: s.steps, Explored: s.explored,
	}, s.err
}

// collect finds the runs of all threads. The values that a location can hold are
// those that runs write which read such values, until there are no more.
func (s *search) collect() {
	values := make([][]candidate, len(s.p.Locations))
	for l := range values {
		values[l] = []candidate{{value: s.initial(l), writers: initially}}
	}
	for more := true; more && s.why == ""; more = s.spread(values) {
		s.runs, s.may, s.cut = nil, nil, false
		for t := range s.p.Threads {
			s.runsOf(t, values)
		}
	}
}

// spread adds what the runs may write to the values. It answers whether there is
// anything new.
func (s *search) spread(values [][]candidate) (more bool) {
	for t, may := range s.may {
		for l, set := range may {
			for v, depth := range set {
				i := slices.IndexFunc(values[l], func(c candidate) bool { return c.value == v })
				if i < 0 {
					i = len(values[l])
					values[l] = append(values[l], candidate{value: v, depth: depth})
				}
				c, bit := &values[l][i], uint64(1)<<t
				more = more || c.writers&bit == 0 || depth < c.depth
				c.writers |= bit
				c.depth = min(c.depth, depth)
			}
		}
	}
	for l := range values {
		slices.SortFunc(values[l][1:], func(a, b candidate) int { return cmp.Compare(a.value, b.value) })
	}
	return more
}

// runsOf finds the runs of a thread.
func (s *search) runsOf(t int, values [][]candidate) {
	var runs []run
	may := make([]map[uint64]int, len(s.p.Locations))
	for l := range may {
		may[l] = map[uint64]int{}
	}
	known := map[string]bool{}
	w := walker{p: s.p, thread: t, values: values, meter: &s.meter, may: may, depth: computingWrites(s.p), blind: s.blind}
	w.found = func(regs *[litmus.NumRegs]value, err error) {
		r := run{events: w.events, err: err}
		for _, o := range s.p.Observed {
			if o.Thread == t {
				r.seen = append(r.seen, regs[o.Reg].v)
			}
		}
		r.order = lob(newThread(r.events))
		key := r.key()
		if known[key] && err == nil || !s.keep(1+len(r.events)/4) {
			return
		}
		known[key] = true
		r.events = slices.Clone(r.events)
		s.shape(&r)
		runs = append(runs, r)
	}
	w.walk()
	s.cut = s.cut || w.cut
	s.runs, s.may = append(s.runs, runs), append(s.may, may)
}

// shape numbers what a run does at each location.
func (s *search) shape(r *run) {
	r.at = make([][]int, len(s.p.Locations))
	for i := range r.events {
		if e := &r.events[i]; e.Kind != Fence {
			r.at[e.Loc] = append(r.at[e.Loc], i)
		}
	}
	r.shapes = make([]int32, len(r.at))
	for l, at := range r.at {
		s.buffer = s.buffer[:0]
		for k, i := range at {
			e := &r.events[i]
			pair := 0
			if e.Pair > 0 {
				pair = k - slices.Index(at, i-e.Pair)
			}
			one := byte(0)
			if e.One {
				one = 1
			}
			s.buffer = append(s.buffer, byte(e.Kind), byte(pair), one)
			s.buffer = binary.LittleEndian.AppendUint64(s.buffer, e.Value)
		}
		n, known := s.shapes[l][string(s.buffer)]
		if !known {
			n = int32(len(s.shapes[l]))
			s.shapes[l][string(s.buffer)] = n
		}
		r.shapes[l] = n
	}
}

// choose has thread t and those behind it go all their ways.
func (s *search) choose(t int) {
	if t == len(s.runs) {
		s.candidate()
		return
	}
	for i := range s.runs[t] {
		if !s.step() || s.err != nil {
			return
		}
		s.pick[t] = &s.runs[t][i]
		s.offset[t+1] = s.offset[t] + len(s.pick[t].events)
		if s.supported(t) {
			s.choose(t + 1)
		}
	}
}

// supported says whether each value that the threads up to t have read is that of
// a write of theirs, or of one that a thread behind them may make.
func (s *search) supported(t int) bool {
	for u := range t + 1 {
		events := s.pick[u].events
		for i := range events {
			if e := &events[i]; e.Kind == Read && !s.comesFrom(e, t) {
				return false
			}
		}
	}
	return true
}

func (s *search) comesFrom(e *Event, t int) bool {
	if e.Value == s.initial(e.Loc) {
		return true
	}
	for _, r := range s.pick[:t+1] {
		for _, i := range r.at[e.Loc] {
			if w := &r.events[i]; w.Kind == Write && w.Value == e.Value {
				return true
			}
		}
	}
	for _, may := range s.may[t+1:] {
		if _, ok := may[e.Loc][e.Value]; ok {
			return true
		}
	}
	return false
}

// candidate looks at the executions in which the threads have gone as picked.
func (s *search) candidate() {
	n := s.offset[len(s.runs)]
	if len(s.graphs) == 0 || s.graphs[0].n != n {
		s.graphs = s.graphs[:0]
		for range len(s.p.Locations) + 1 {
			s.graphs = append(s.graphs, newRelation(n))
		}
	}
	clear(s.graphs[0].bits)
	for t, r := range s.pick {
		s.graphs[0].shifted(r.order, s.offset[t])
	}
	for i, o := range s.p.Observed {
		if o.Thread >= 0 {
			s.state[i] = s.pick[o.Thread].seen[s.slot[i]]
		}
	}
	s.location(0)
}

// shifted adds a relation of some events, of which the first is event off here.
func (r relation) shifted(o relation, off int) {
	for i := range o.n {
		row := r.row(off + i)
		for k, b := range o.row(i) {
			at, sh := k+off/64, uint(off%64)
			if b<<sh != 0 {
				row[at] |= b << sh
			}
			if sh > 0 && b>>(64-sh) != 0 {
				row[at+1] |= b >> (64 - sh)
			}
		}
	}
}

// location tries the solutions of location l and of those behind it.
func (s *search) location(l int) {
	if l == len(s.p.Locations) {
		s.judge(s.graphs[l])
		return
	}
	for i, all := 0, s.solve(l); i < len(all); i++ {
		if s.why != "" || s.err != nil {
			return
		}
		s.choice[l] = &all[i]
		g := s.graphs[l+1]
		copy(g.bits, s.graphs[l].bits)
		for _, e := range all[i].obs {
			g.add(s.event(l, e[0]), s.event(l, e[1]))
		}
		s.location(l + 1)
	}
}

// event is the number of an event at location l.
func (s *search) event(l int, p place) int { return s.offset[p.t] + s.pick[p.t].at[l][p.k] }

// solve is the solutions of a location, kept for all candidates that do the same there.
func (s *search) solve(l int) []solution {
	s.buffer = s.buffer[:0]
	for _, r := range s.pick {
		s.buffer = binary.LittleEndian.AppendUint32(s.buffer, uint32(r.shapes[l]))
	}
	out, known := s.solutions[l][string(s.buffer)]
	if !known {
		key := string(s.buffer)
		if out = s.locate(l); s.keep(1) {
			s.solutions[l][key] = out
		}
	}
	return out
}

// initial is what a location holds at the start.
func (s *search) initial(l int) uint64 {
	loc := &s.p.Locations[l]
	return litmus.FnMove.Apply(loc.Size, 0, loc.Init)
}

// judge looks whether external allows a candidate, whose events graph relates. If
// its final state is known already, that makes no difference.
func (s *search) judge(graph relation) {
	s.explored++
	if !s.step() {
		return
	}
	s.buffer = s.buffer[:0]
	for i, o := range s.p.Observed {
		if o.Thread < 0 {
			s.state[i] = s.choice[o.Loc].final
		}
		s.buffer = binary.LittleEndian.AppendUint64(s.buffer, s.state[i])
	}
	if s.visitor != nil {
		if !s.visitor() {
			s.why = "stopped"
		}
		return
	}
	if bad := s.unsupported(); s.states[string(s.buffer)] && bad == nil || !graph.acyclic() {
		return
	} else if bad != nil {
		s.err = bad
		return
	}
	if !s.keep(1) {
		return
	}
	s.states[string(s.buffer)] = true
	if !s.found(s.state) {
		s.why = "stopped"
	}
}

// unsupported is why a thread of the candidate has ended where it does, if it does
// what is not supported there.
func (s *search) unsupported() error {
	for _, r := range s.pick {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}
