package transition

import (
	"bytes"
	"fmt"
	"sync/atomic"
)

// worker explores as one of several.
type worker struct {
	x  *explorer
	w  Worker
	id uint32 // of the state that it is leaving

	// Successors that are not looked up yet.
	batch  []byte
	hashes []uint64
	from   []uint32
	steps  []Step
	n      int

	chunk  *chunk // where it keeps new states,
	mark   int    // from here on those of the next level
	fresh  []span
	rest   []span // of its piece, when it had to stop
	edges  edges
	origin log // parents by id

	rules int64

	possible int // steps of the state
	abandon  bool
	samples  int
	copies   []byte
}

// batchStates is how many successors are looked up together, so that the waits for memory
// overlap.
const batchStates = 64

func newWorker(x *explorer) *worker {
	return &worker{
		x: x, w: x.m.NewWorker(), batch: make([]byte, batchStates*x.stride), hashes: make([]uint64, batchStates),
		from: make([]uint32, batchStates), steps: make([]Step, batchStates), copies: make([]byte, 2*x.m.Size),
	}
}

// noParent is the parent of an initial state.
const noParent = ^uint32(0)

// initial adds an initial state.
func (w *worker) initial(s []byte) {
	w.id = noParent
	w.add(0, s)
}

// run leaves pieces until there are no more, or it has to stop.
func (w *worker) run() {
	x := w.x
	var err error
	defer func() {
		if err != nil {
			x.fail(err)
		}
	}()
	defer x.m.caught(&err)
	yield := w.yield
	for !x.stop.Load() && !x.full.Load() {
		i := int(x.next.Add(1)) - 1
		if i >= len(x.work) {
			break
		}
		if x.interrupted() {
			break
		}
		w.piece(x.work[i], yield)
	}
	w.flush()
	x.rules.Add(w.rules)
	w.rules = 0
}

// piece leaves the states of a span. What it can't is the rest.
func (w *worker) piece(s span, yield func(Step, []byte, int)) {
	x := w.x
	for ; s.from < s.to; s.from++ {
		if x.full.Load() || x.stop.Load() {
			w.rest = append(w.rest, s)
			return
		}
		at := s.from * x.stride
		state := s.chunk.bytes[at : at+x.m.Size : at+x.m.Size]
		w.id, w.possible, w.abandon = s.chunk.id+uint32(s.from), 0, false
		if x.graph {
			if w.w.Quiescent(state) {
				w.edges.quiet.add(x, w.id)
			}
		}
		w.w.Next(state, yield)
		if w.abandon {
			w.rest = append(w.rest, s)
			return
		}
		w.rules += int64(w.possible)
		if w.possible == 0 {
			x.violated(Deadlock, w.id, nil, false)
		}
	}
}

// yield is a step of the state that the worker is leaving.
func (w *worker) yield(step Step, next []byte, violated int) {
	w.possible++
	if w.abandon {
		return
	}
	if len(next) != w.x.m.Size || violated < NoProperty || violated >= len(w.x.m.Properties) {
		w.x.fail(w.x.m.fault("step %q leads to a state of %d bytes, not %d, or violates property %d of %d",
			w.x.m.StepName(step), len(next), w.x.m.Size, violated, len(w.x.m.Properties)))
		return
	}
	if violated >= 0 {
		w.x.violated(w.x.m.Properties[violated], w.id, next, true)
		return
	}
	w.add(step, next)
}

// add puts a successor into the batch.
func (w *worker) add(step Step, next []byte) {
	x := w.x
	if w.n == batchStates {
		w.flush()
	}
	at := w.n * x.stride
	slot := w.batch[at : at+x.stride]
	copy(slot, next)
	if x.o.Symmetry {
		w.canonical(slot[:x.m.Size:x.m.Size])
	}
	w.hashes[w.n], w.from[w.n], w.steps[w.n] = hash(slot), w.id, step
	w.n++
}

// sampled is how often the canonical form is found twice.
const sampled = 64

// canonical is Worker.Canonical, now and then with a look at whether it is a function.
func (w *worker) canonical(s []byte) {
	w.samples++
	if w.samples%sampled != 1 {
		w.w.Canonical(s)
		return
	}
	n := len(s)
	a, b := w.copies[:n:n], w.copies[n:]
	copy(a, s)
	copy(b, s)
	w.w.Canonical(s)
	w.w.Canonical(a)
	if bytes.Equal(a, s) {
		w.w.Canonical(a)
	}
	if !bytes.Equal(a, s) {
		w.x.fail(w.x.m.fault("the canonical form of a state differs from one call to the next, or is not its own canonical form: %v", w.x.m.Describe(b)))
	}
}

// flush looks the batch up and keeps what is new.
func (w *worker) flush() {
	x, t := w.x, &w.x.table
	for _, h := range w.hashes[:w.n] {
		part, at := t.find(h)
		_ = atomic.LoadUint64(&part[at]) // for the cache: the waits overlap
	}
	found := int64(0)
	for i := range w.n {
		slot := w.batch[i*x.stride : (i+1)*x.stride]
		id, fresh := w.insert(w.hashes[i], slot)
		if fresh {
			if p := w.w.Check(slot[:x.m.Size:x.m.Size]); p >= len(x.m.Properties) || p < NoProperty {
				x.fail(x.m.fault("a state violates property %d of %d", p, len(x.m.Properties)))
			} else if p >= 0 {
				x.violated(x.m.Properties[p], w.from[i], slot[:x.m.Size], false)
			}
		}
		if id == notKept {
			continue
		}
		if fresh {
			found++
			if x.parents {
				w.origin.add(x, w.from[i])
			}
		}
		if x.graph && w.from[i] != noParent {
			w.edges.add(x, w.from[i], id, w.steps[i])
		}
	}
	w.n = 0
	if found == 0 {
		return
	}
	if x.states.Add(found) > x.o.MaxStates {
		x.spent(fmt.Sprintf("the budget of %d states is used up", x.o.MaxStates))
	}
	if used := t.used.Add(found); used > t.limit {
		x.full.Store(true)
		w.abandon = used > t.limit+t.limit/4
	}
}

// notKept is the id of a new state when a budget is used up.
const notKept = ^uint32(0)

// insert finds a state in the table, or adds it. It answers its id, and whether it is new.
func (w *worker) insert(h uint64, slot []byte) (id uint32, fresh bool) {
	x, entry := w.x, uint64(0)
	part, i := x.table.find(h)
	mask := uint64(len(part) - 1)
	for {
		e := atomic.LoadUint64(&part[i])
		switch {
		case e == 0:
			if entry == 0 {
				if entry = w.keep(h, slot); entry == 0 {
					return notKept, true
				}
			}
			if !atomic.CompareAndSwapUint64(&part[i], 0, entry) {
				continue // another worker was here first: look at what it has put
			}
			w.chunk.n++
			return uint32(entry) - 1, true
		case x.o.Fingerprints:
			if e == h {
				return 0, false
			}
		case e>>32 == h>>32 && bytes.Equal(x.state(uint32(e)-1), slot):
			return uint32(e) - 1, false
		}
		i = (i + 1) & mask
	}
}

// keep puts a state behind those that the worker has kept, where it stays if it is new,
// and answers its entry in the table; zero if a budget is used up.
func (w *worker) keep(h uint64, slot []byte) uint64 {
	x := w.x
	if x.over.Load() {
		return 0
	}
	if w.chunk == nil || w.chunk.n == chunkStates {
		w.endLevel()
		if w.chunk = x.newChunk(); w.chunk == nil {
			return 0
		}
		w.mark = 0
	}
	copy(w.chunk.bytes[w.chunk.n*x.stride:], slot)
	if x.o.Fingerprints {
		return h
	}
	return h&^(1<<32-1) | uint64(w.chunk.id+uint32(w.chunk.n)+1)
}

// endLevel accounts the new states in the worker's chunk.
func (w *worker) endLevel() {
	if w.chunk != nil && w.mark < w.chunk.n {
		w.fresh = append(w.fresh, span{w.chunk, w.mark, w.chunk.n})
		w.mark = w.chunk.n
	}
}
