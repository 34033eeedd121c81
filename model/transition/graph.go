package transition

import "slices"

// edges are the steps that a worker has made, and the quiescent states that it has left.
type edges struct {
	from, to, steps log
	quiet           log
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

func (l log) at(i uint32) uint32 { return l[i/logged][i%logged] }

func (l log) len() int {
	if len(l) == 0 {
		return 0
	}
	return (len(l)-1)*logged + len(l[len(l)-1])
}

// each calls f for each edge. The step is that of progress.
func (e *edges) each(f func(from, to, step uint32)) {
	for i := range uint32(e.to.len()) {
		f(e.from.at(i), e.to.at(i), e.steps.at(i))
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
		for _, ids := range w.edges.quiet {
			for _, id := range ids {
				good.add(id)
			}
		}
	}
	for again := true; again && !x.interrupted(); {
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

// checkGraph checks what needs all states and steps at once, of which a result has nothing
// as checked before.
func (x *explorer) checkGraph(r *Result) {
	if x.o.Quiescence {
		if n, _ := x.stuck(); x.reason == "" {
			r.checked(Quiescence)
			if n > 0 {
				r.Verdict, r.Property, r.Stuck = Violated, Quiescence, n
			}
		}
	}
	if x.o.Progress && r.Verdict == Holds && x.reason == "" {
		i, _ := x.unserved(x.m.Pending)
		for k := range x.m.Pending {
			if k <= i || i < 0 && x.reason == "" {
				r.checked(x.m.Pending[k].Name)
			}
		}
		if i >= 0 {
			r.Verdict, r.Property = Violated, x.m.Pending[i].Name
		}
	}
	if r.Verdict == Holds && x.reason != "" {
		r.Verdict, r.Reason = Inconclusive, x.reason
	}
	r.Bytes = x.peak.Load()
}

// checked says that a property was checked, which was not so far.
func (r *Result) checked(property string) {
	i := slices.Index(r.NotChecked, property)
	r.NotChecked = slices.Delete(r.NotChecked, i, i+1)
	r.Checked = append(r.Checked, property)
}
