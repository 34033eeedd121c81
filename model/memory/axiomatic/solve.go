package axiomatic

// place is an event at a location: the k-th that thread t has there.
type place struct{ t, k int }

// solution is what internal and atomic allow at one location: which write each
// read reads, and the order of the writes.
type solution struct {
	reads  []place
	from   []place // of each of reads: the write; t is -1 for the initial one
	writes []place // in coherence order
	obs    [][2]place
	final  uint64 // what the location holds in the end
}

// locator finds the solutions of one location.
type locator struct {
	meter  *meter
	blind  bool // keep what internal and atomic forbid
	init   uint64
	places []place
	events []*Event
	base   relation // po-loc | rmw
	reads  []int    // numbers within events
	writes []int
	rmw    []int // of each event: the read of the pair that it is the write of, or -1
	from   []int // of each event that is a read: the write, or -1
	order  []int
	placed []bool
	out    []solution
}

func (s *search) locate(l int) []solution {
	f := locator{meter: &s.meter, blind: s.blind, init: s.initial(l)}
	for t, r := range s.pick {
		for k, i := range r.at[l] {
			f.places = append(f.places, place{t, k})
			f.events = append(f.events, &r.events[i])
		}
	}
	n := len(f.events)
	f.base, f.from, f.rmw, f.placed = newRelation(n), make([]int, n), make([]int, n), make([]bool, n)
	for j, e := range f.events {
		f.rmw[j] = -1
		for i := range j {
			if f.places[i].t == f.places[j].t {
				f.base.add(i, j)
			}
		}
		if e.Kind == Read {
			f.reads = append(f.reads, j)
			continue
		}
		f.writes = append(f.writes, j)
		if e.Pair > 0 {
			at := s.pick[f.places[j].t].at[l]
			for i := j - 1; f.rmw[j] < 0; i-- {
				if at[f.places[i].k] == at[f.places[j].k]-e.Pair {
					f.rmw[j] = i
				}
			}
		}
	}
	f.chooseFrom(0)
	return f.out
}

// chooseFrom has the reads from the k-th on find their writes.
func (f *locator) chooseFrom(k int) {
	if !f.meter.step() {
		return
	}
	if k == len(f.reads) {
		if f.blind || f.oneEach() {
			f.extend()
		}
		return
	}
	r := f.reads[k]
	if f.events[r].Value == f.init {
		f.from[r] = Initial
		f.chooseFrom(k + 1)
	}
	for _, w := range f.writes {
		if f.events[w].Value == f.events[r].Value && (f.blind || f.rmw[w] != r) {
			f.from[r] = w
			f.chooseFrom(k + 1)
		}
	}
}

// oneEach says whether no two threads' read-modify-writes read one write: between
// one of them and what it read, the other one would come.
func (f *locator) oneEach() bool {
	for i, w := range f.writes {
		for _, v := range f.writes[:i] {
			if f.rmw[w] >= 0 && f.rmw[v] >= 0 && f.from[f.rmw[w]] == f.from[f.rmw[v]] && f.places[w].t != f.places[v].t {
				return false
			}
		}
	}
	return true
}

// extend appends the remaining writes to the order, in all ways.
func (f *locator) extend() {
	if !f.meter.step() {
		return
	}
	if len(f.order) == len(f.writes) {
		f.judge()
		return
	}
	for _, w := range f.writes {
		if f.placed[w] || !f.blind && !f.mayFollow(w) {
			continue
		}
		f.placed[w] = true
		f.order = append(f.order, w)
		f.extend()
		f.order = f.order[:len(f.order)-1]
		f.placed[w] = false
	}
}

// mayFollow says whether a write can be next: its thread's earlier ones have come,
// and no read-modify-write of another thread is cut off from what it has read, which
// is what atomic says.
func (f *locator) mayFollow(w int) bool {
	for _, v := range f.writes {
		if f.placed[v] || v == w {
			continue
		}
		if v < w && f.places[v].t == f.places[w].t {
			return false
		}
		if f.rmw[v] >= 0 && f.places[v].t != f.places[w].t && f.hasCome(f.from[f.rmw[v]]) {
			return false
		}
	}
	return f.rmw[w] < 0 || f.hasCome(f.from[f.rmw[w]])
}

func (f *locator) hasCome(w int) bool { return w == Initial || f.placed[w] }

// judge keeps the choices if internal and atomic allow them.
func (f *locator) judge() {
	x := Execution{Order: [][]int{f.order}, From: f.from}
	c := communication(len(f.events), &x, func(i int) bool { return f.events[i].Kind == Read })
	if !f.blind && (!union(f.base, c.rf, c.co, c.fr).acyclic() || f.breaksAtomic(&c)) {
		return
	}
	s := solution{final: f.init}
	for _, r := range f.reads {
		from := place{t: -1}
		if w := f.from[r]; w != Initial {
			from = f.places[w]
		}
		s.reads, s.from = append(s.reads, f.places[r]), append(s.from, from)
	}
	for _, w := range f.order {
		s.writes = append(s.writes, f.places[w])
		s.final = f.events[w].Value
	}
	all := union(c.rf, c.co, c.fr)
	for i := range f.events {
		for j := all.nextIn(i, 0); j >= 0; j = all.nextIn(i, j+1) {
			if f.places[i].t != f.places[j].t {
				s.obs = append(s.obs, [2]place{f.places[i], f.places[j]})
			}
		}
	}
	if f.meter.keep(1 + len(s.obs)/8) {
		f.out = append(f.out, s)
	}
}

// breaksAtomic says whether a write of another thread comes between what a
// read-modify-write reads and what it writes.
func (f *locator) breaksAtomic(c *comm) bool {
	for w, r := range f.rmw {
		if r < 0 {
			continue
		}
		for _, v := range f.writes {
			if f.places[v].t != f.places[w].t && c.fr.has(r, v) && c.co.has(v, w) {
				return true
			}
		}
	}
	return false
}

// comm is how the events communicate: reads-from, coherence, and from-read.
type comm struct{ rf, co, fr relation }

// communication makes the relations of an execution, at all of its locations.
func communication(n int, x *Execution, reads func(int) bool) comm {
	c := comm{newRelation(n), newRelation(n), newRelation(n)}
	for _, order := range x.Order {
		for k := len(order) - 2; k >= 0; k-- {
			row := c.co.row(order[k])
			copy(row, c.co.row(order[k+1]))
			set(row).add(order[k+1])
		}
	}
	all := make([]set, len(x.Order))
	for l, order := range x.Order {
		all[l] = make(set, c.co.w)
		for _, w := range order {
			all[l].add(w)
		}
	}
	for r := range n {
		if !reads(r) {
			continue
		}
		if w := x.From[r]; w != Initial {
			c.rf.add(w, r)
			copy(c.fr.row(r), c.co.row(w))
		} else {
			copy(c.fr.row(r), all[x.locationOf(r)])
		}
	}
	return c
}

// locationOf is where event i is among the orders. An execution without events is of
// one location.
func (x *Execution) locationOf(i int) int {
	if x.Events == nil {
		return 0
	}
	return x.Events[i].Loc
}
