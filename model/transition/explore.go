package transition

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
)

// explorer visits the states of a model level by level. The states of a level are divided
// among the workers in pieces; each keeps the new states that it finds in chunks of its
// own, which are the next level.
type explorer struct {
	ctx     context.Context
	m       *Model
	o       Options
	graph   bool // keep the edges
	parents bool // keep the parents, and stop at the first violation; with one worker
	stride  int  // bytes of a state, padded to pairs of words

	table   table
	arena   arena
	workers []*worker
	level   int // that is being left, from 1
	work    []span
	next    atomic.Int64 // of work
	full    atomic.Bool  // the table should become larger
	over    atomic.Bool  // a budget is used up: nothing more is kept
	stop    atomic.Bool

	states, rules, bytes, peak atomic.Int64

	complete Progress // at the end of the last level that was completed

	mu     sync.Mutex
	reason string // why it stopped without having seen everything
	err    error
	broken bool // some property is violated on this level
	found  *finding
}

// finding is the first violation that an explorer with parents sees.
type finding struct {
	property string
	id       uint32 // of the state that is left, or that is the violation
	state    []byte // that is the violation, or that the violating step leads to; or nil
	byStep   bool   // it is the step that violates, not the state after it
}

// span is states of a chunk: one piece of work.
type span struct {
	chunk    *chunk
	from, to int
}

// chunk is some states, one behind the other.
type chunk struct {
	id    uint32 // of the first state
	bytes []byte
	n     int
	left  int // states that have been left, at the end of a level
}

const (
	chunkBits   = 12
	chunkStates = 1 << chunkBits
	pieceStates = 512
)

// arena finds the chunks of states by their ids.
type arena struct {
	mu     sync.Mutex
	blocks [1 << 10]atomic.Pointer[[1 << 10]atomic.Pointer[chunk]]
	n      uint32
	free   []*chunk // of an explorer that keeps fingerprints only
}

func (a *arena) chunk(n uint32) *chunk { return a.blocks[n>>10].Load()[n&(1<<10-1)].Load() }

func newExplorer(ctx context.Context, m *Model, o Options) *explorer {
	x := &explorer{ctx: ctx, m: m, o: o, graph: o.Quiescence || o.Progress, stride: (m.Size + 15) &^ 15}
	// Beyond the limit there must be room for what all workers still hold: see worker.flush.
	n := max(firstTable, 1<<bits.Len(uint(o.Workers*32*batchStates)))
	x.table.init(n)
	x.take(8 * int64(n))
	return x
}

// take accounts memory. It answers false if there is not so much.
func (x *explorer) take(n int64) bool {
	b := x.bytes.Add(n)
	for p := x.peak.Load(); b > p && !x.peak.CompareAndSwap(p, b); p = x.peak.Load() {
	}
	if b > x.o.MaxBytes {
		x.bytes.Add(-n)
		x.spent(fmt.Sprintf("the memory budget of %.1f MB is used up", float64(x.o.MaxBytes)/(1<<20)))
		return false
	}
	return true
}

// spent ends the exploration with this level, because a budget is used up. The level is
// left to its end, without keeping what is new, so that the workers all see whether a
// property is violated on it.
func (x *explorer) spent(reason string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.reason == "" {
		x.reason = reason
	}
	x.over.Store(true)
}

// interrupted has everything stop if the context has ended.
func (x *explorer) interrupted() bool {
	if x.ctx.Err() == nil {
		return false
	}
	x.spent("it was interrupted: " + context.Cause(x.ctx).Error())
	x.stop.Store(true)
	return true
}

// newChunk makes a chunk, or takes a free one; nil if there is no memory.
func (x *explorer) newChunk() *chunk {
	a := &x.arena
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		c := a.free[n-1]
		a.free, c.n, c.left = a.free[:n-1], 0, 0
		return c
	}
	if !x.take(int64(chunkStates * x.stride)) {
		return nil
	}
	c := &chunk{bytes: make([]byte, chunkStates*x.stride)}
	if !x.o.Fingerprints {
		if a.n == 1<<20-1 {
			x.spent("there are more states than the 4,294,963,200 that can be kept")
			return nil
		}
		b := &a.blocks[a.n>>10]
		if b.Load() == nil {
			b.Store(new([1 << 10]atomic.Pointer[chunk]))
		}
		c.id = a.n << chunkBits
		b.Load()[a.n&(1<<10-1)].Store(c)
		a.n++
	}
	return c
}

// state is a state of the arena.
func (x *explorer) state(id uint32) []byte {
	at := int(id&(chunkStates-1)) * x.stride
	return x.arena.chunk(id >> chunkBits).bytes[at : at+x.stride]
}

// explore visits everything, unless something stops it.
func (x *explorer) explore() error {
	for range x.o.Workers {
		x.workers = append(x.workers, newWorker(x))
	}
	w := x.workers[0]
	for _, s := range x.m.Initial {
		w.initial(s)
	}
	w.flush()
	for x.err == nil {
		x.work = x.nextLevel()
		if x.over.Load() || x.stop.Load() {
			break
		}
		if x.complete = x.progress(); x.o.Report != nil && x.level > 0 {
			x.o.Report(x.complete)
		}
		if len(x.work) == 0 || x.broken {
			break
		}
		x.level++
		x.leave()
	}
	return x.err
}

// progress says how far it has come.
func (x *explorer) progress() Progress {
	p := Progress{Level: x.level, States: x.states.Load(), Rules: x.rules.Load(), Bytes: x.bytes.Load()}
	for _, s := range x.work {
		p.Frontier += int64(s.to - s.from)
	}
	return p
}

// nextLevel is what the workers have found on this level, in pieces.
func (x *explorer) nextLevel() []span {
	var out []span
	for _, w := range x.workers {
		w.endLevel()
		for _, s := range w.fresh {
			for s.from < s.to {
				to := min(s.to, s.from+pieceStates)
				out = append(out, span{s.chunk, s.from, to})
				s.from = to
			}
		}
		w.fresh = w.fresh[:0]
	}
	return out
}

// leave makes all steps from the states of x.work.
func (x *explorer) leave() {
	level := x.work
	for len(x.work) > 0 && !x.stop.Load() {
		x.next.Store(0)
		var wg sync.WaitGroup
		for _, w := range x.workers[1:] {
			wg.Add(1)
			go func() {
				defer wg.Done()
				w.run()
			}()
		}
		x.workers[0].run()
		wg.Wait()
		x.work = x.work[min(int(x.next.Load()), len(x.work)):]
		for _, w := range x.workers {
			x.work = append(x.work, w.rest...)
			w.rest = w.rest[:0]
		}
		if more, free := x.table.growth(); x.full.Swap(false) && x.take(more) {
			x.table.grow()
			x.bytes.Add(-free)
		}
	}
	if x.o.Fingerprints {
		x.recycle(level)
	}
}

// recycle frees the chunks whose states have all been left.
func (x *explorer) recycle(level []span) {
	for _, s := range level {
		s.chunk.left += s.to - s.from
		if s.chunk.left == chunkStates {
			x.arena.free = append(x.arena.free, s.chunk)
		}
	}
}

// result is what there is to say, apart from what the graph shows.
func (x *explorer) result() Result {
	r := Result{
		Verdict: Holds, Reason: x.reason, States: x.complete.States, Rules: x.complete.Rules, Depth: x.complete.Level, Bytes: x.peak.Load(),
	}
	r.Checked = append(append(r.Checked, x.m.Properties...), Deadlock)
	r.NotChecked = append(r.NotChecked, Quiescence)
	for i := range x.m.Pending {
		r.NotChecked = append(r.NotChecked, x.m.Pending[i].Name)
	}
	if x.o.Fingerprints {
		// Two different states may meet in each fold of the hash.
		n, folds := float64(r.States), float64(x.stride/16+1)
		r.Omission = min(1, folds*n*n/(1<<32)/(1<<33))
	}
	switch {
	case x.broken:
		r.Verdict, r.Found, r.Reason = Violated, max(0, x.level-1), ""
	case x.reason != "":
		r.Verdict = Inconclusive
	}
	return r
}

// fail ends everything with an error.
func (x *explorer) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
	x.stop.Store(true)
}

// violated accounts a violation. The level goes on, so that the counts do not depend on
// the order of the workers; with parents the first one ends it.
func (x *explorer) violated(property string, id uint32, state []byte, byStep bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.broken = true
	if x.parents && x.found == nil {
		x.found = &finding{property, id, bytes.Clone(state), byStep}
		x.stop.Store(true)
	}
}
