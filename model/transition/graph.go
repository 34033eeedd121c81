package transition

import "bytes"

// edges are the steps that a worker has made, and the quiescent states that it has left.
type edges struct {
	from, to, steps log
	quiet           []uint32
}

// log is a list of numbers that grows without being copied.
type log [][]uint32

// logged is how many numbers one slice of a log holds.
const logged = 1 << 16

func (l *log) add(x *explorer, n uint32) {
	k := len(*l) - 1
	if k < 0 || len((*l)[k]) == logged {
		if !x.take(4 * logged) {
			return
		}
		*l = append(*l, make([]uint32, 0, logged))
		k++
	}
	(*l)[k] = append((*l)[k], n)
}

func (e *edges) state(id uint32, quiet bool) {
	if quiet {
		e.quiet = append(e.quiet, id)
	}
}

func (e *edges) add(x *explorer, from, to uint32, step Step) {
	e.from.add(x, from)
	e.to.add(x, to)
	if x.o.Progress {
		e.steps.add(x, uint32(step))
	}
}

// bitset is a set of ids.
type bitset []uint64

func (b bitset) has(id uint32) bool { return b[id>>6]>>(id&63)&1 != 0 }
func (b bitset) add(id uint32)      { b[id>>6] |= 1 << (id & 63) }

// ids calls f for each state, in order of the ids.
func (x *explorer) ids(f func(id uint32)) {
	for n := range x.arena.n {
		c := x.arena.chunk(n)
		for i := range uint32(c.n) {
			f(c.id + i)
		}
	}
}

// quieting are the states from which a quiescent one can be reached. The edges are gone
// through from the last to the first, because most lead to later states, until that finds
// nothing more.
func (x *explorer) quieting() bitset {
	good := make(bitset, int(x.arena.n)<<chunkBits/64)
	for _, w := range x.workers {
		for _, id := range w.edges.quiet {
			good.add(id)
		}
	}
	for again := true; again; {
		again = false
		for _, w := range x.workers {
			for k := len(w.edges.from) - 1; k >= 0; k-- {
				from, to := w.edges.from[k], w.edges.to[k]
				for i := len(from) - 1; i >= 0; i-- {
					if good.has(to[i]) && !good.has(from[i]) {
						good.add(from[i])
						again = true
					}
				}
			}
		}
	}
	return good
}

// stuck are how many states can't reach quiescence, and the first of them.
func (x *explorer) stuck() (n int64, first uint32) {
	good := x.quieting()
	x.ids(func(id uint32) {
		if !good.has(id) {
			if n == 0 {
				first = id
			}
			n++
		}
	})
	return n, first
}

// checkGraph checks what needs all states and steps at once.
func (x *explorer) checkGraph(r *Result) error {
	if x.o.Quiescence {
		if n, _ := x.stuck(); n > 0 {
			r.Verdict, r.Property, r.Stuck = Violated, Quiescence, n
			return nil
		}
	}
	if x.o.Progress {
		return x.checkProgress(r)
	}
	return nil
}

// explain explores again, alone and in order, to find the trace to a violation.
func (x *explorer) explain(r *Result) error {
	if len(r.Trace) > 0 {
		return nil // it was found with the violation
	}
	o := x.o
	o.Workers, o.Report, o.Fingerprints, o.MaxStates, o.Progress = 1, nil, false, Unlimited, false
	o.Quiescence = r.Property == Quiescence
	y := newExplorer(x.ctx, x.m, o)
	y.parents = true
	if err := y.explore(); err != nil {
		return err
	}
	var path [][]byte
	switch {
	case r.Property == Quiescence && y.reason == "":
		_, first := y.stuck()
		path = y.path(first)
	case y.found != nil:
		r.Property = y.found.property
		if y.found.id != noParent {
			path = y.path(y.found.id)
		}
		if y.found.state != nil {
			path = append(path, y.found.state)
		}
	default:
		r.Reason = "the way to the violation was not found: " + y.reason
		return nil
	}
	return x.m.trace(r, path, o.Symmetry)
}

// path is the states from an initial one to that of an id.
func (x *explorer) path(id uint32) [][]byte {
	var out [][]byte
	for ; id != noParent; id = x.workers[0].origin[id] {
		out = append(out, x.state(id)[:x.m.Size])
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// trace makes a run of a path. With symmetry the path is of canonical forms, and of each
// state that successor is taken whose form is the next: so the run is a real one.
func (m *Model) trace(r *Result, path [][]byte, symmetry bool) error {
	w := m.NewWorker()
	form := func(s []byte) []byte {
		s = bytes.Clone(s)
		if symmetry {
			w.Canonical(s)
		}
		return s
	}
	var state []byte
	for _, s := range m.Initial {
		if state == nil && bytes.Equal(form(s), form(path[0])) {
			state = bytes.Clone(s)
		}
	}
	if state == nil {
		return m.fault("the canonical form of an initial state is none of another")
	}
	r.Trace = []TraceStep{{State: state}}
	for i, want := range path[1:] {
		last := i == len(path)-2
		var name Step
		var next []byte
		w.Next(state, func(s Step, n []byte, violated int) {
			ok := violated == NoProperty && bytes.Equal(form(n), form(want))
			if last && violated >= 0 {
				ok = m.Properties[violated] == r.Property
			}
			if ok && next == nil {
				name, next = s, bytes.Clone(n)
			}
		})
		if next == nil {
			return m.fault("a state has other successors than its canonical form: the symmetry is none; see CheckSymmetry")
		}
		r.Trace = append(r.Trace, TraceStep{ID: name, Step: m.StepName(name), Changed: m.changes(state, next), State: next})
		state = next
	}
	r.Found = len(r.Trace) - 1
	if r.Property != Deadlock && r.Property != Quiescence {
		r.Found = max(0, r.Found-1)
	}
	return nil
}

// changes are the parts of a state that differ in the next.
func (m *Model) changes(from, to []byte) []Change {
	var out []Change
	a, b := m.Describe(from), m.Describe(to)
	for i := range min(len(a), len(b)) {
		if a[i].Value != b[i].Value {
			out = append(out, Change{a[i].Name, a[i].Value, b[i].Value})
		}
	}
	return out
}
