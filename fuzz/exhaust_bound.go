package fuzz

import (
	"sync"
	"sync/atomic"

	"github.com/fusedos/stramash/machine"
)

// bounded explores all schedules with at most so many preemptions: iterative
// context bounding (M. Musuvathi and S. Qadeer, PLDI 2007) with happens-before
// caching (the same, "Partial-order reduction for context-bounded state
// exploration", MSR-TR-2007-12). Sleep sets and DPOR are not sound under such a
// bound: the run that stands for a class may need more preemptions than another
// one of the class. Here nothing is left out but what begins in a state that has
// been reached with no more preemptions: the fingerprint of what has happened,
// with who would go on, decides what can follow and what it costs.
//
// Layer c has the states that need c preemptions. Each is expanded once, by
// whichever worker comes first, so that all counts are the same on any number of
// workers.
type bounded struct {
	*exhaustion
	layer   int
	items   []item // of the layer
	next    atomic.Int64
	kept    atomic.Int64 // bytes of later
	states  hashSet
	classes hashSet
	before  uint64 // classes of earlier layers

	mu    sync.Mutex
	later []item // of the next layer
	sum   Subtree
}

// item is the answers that lead to a state by a preemption, the last of them.
type item []uint8

// maxStates and maxKept bound the memory of a bounded search: the states, and the
// bytes of the items of the next layer.
const (
	maxStates = 1 << 25
	maxKept   = 1 << 28
)

// bound explores up to the bound of preemptions.
func (x *exhaustion) bound(workers []*runner) (*Subtree, error) {
	b := &bounded{exhaustion: x, items: []item{nil}}
	for ; len(b.items) > 0 && !x.halted(); b.layer++ {
		var wg sync.WaitGroup
		b.next.Store(0)
		b.before = b.classes.len()
		for _, r := range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				b.work(r)
			}()
		}
		wg.Wait()
		b.items, b.later = b.later, nil
		b.kept.Store(0)
	}
	b.sum.Classes, b.sum.States = b.classes.len(), b.states.len()
	return &b.sum, x.err
}

// halted says whether there is a reason not to go on.
func (x *exhaustion) halted() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stopped.Load() || x.err != nil || x.broken
}

// work explores states of the layer until none is left.
func (b *bounded) work(r *runner) {
	var err error
	w := &walker{runner: r, bounded: b}
	if b.Workload != nil {
		w.fixed = NewReplayer(*b.Workload)
	}
	defer func() {
		b.fail(err)
		b.mu.Lock()
		defer b.mu.Unlock()
		w.sub.Evidence.merge(*r.evidence)
		b.sum.add(&w.sub)
		b.later = append(b.later, w.later...)
	}()
	defer b.catch(&err)
	if b.Shard.Count > 1 {
		r.wanted = func(class uint64) bool { return class%b.Shard.Count == b.Shard.Index-1 }
	}
	for !b.halted() {
		i := b.next.Add(1) - 1
		if i >= int64(len(b.items)) {
			return
		}
		w.script, w.left = append(w.script[:0], b.items[i]...), w.left[:0]
		w.base = len(w.script)
		for more := true; more; more = w.backtrack() {
			if w.walk(); w.drifted {
				err = &NotDeterministic{b.target.Name, b.runs.Load()}
				return
			}
			if b.looks(w) {
				return
			}
		}
	}
}

// looks says whether a walk must end, and tells how far it is.
func (b *bounded) looks(w *walker) bool {
	n := b.runs.Add(1)
	if b.Runs > 0 && n >= b.Runs || b.states.len() >= maxStates || b.kept.Load() >= maxKept || w.sub.Guessed != "" {
		b.stopped.Store(true)
	}
	if n%stopRunsEach != 0 {
		return b.stopped.Load() || w.found
	}
	if b.Stop != nil && b.Stop() {
		b.stopped.Store(true)
	}
	if b.Progress != nil {
		b.exhaustion.mu.Lock()
		p := ExhaustProgress{Runs: n, Classes: b.classes.len()}
		if part := float64(b.next.Load()) / float64(len(b.items)); b.layer == b.Preemptions && part > 0 {
			p.Estimate = float64(b.before) + float64(p.Classes-b.before)/min(part, 1)
		}
		b.Progress(p)
		b.exhaustion.mu.Unlock()
	}
	return w.found || b.halted()
}

// walker makes the runs of a bounded search for one worker.
type walker struct {
	*runner
	*bounded
	script  []uint8 // the answers up to where the walk is
	left    []Set   // of each answer behind the base: what has not been tried
	base    int     // answers that the item gives
	pos     int
	sub     Subtree
	later   []item
	found   bool
	drifted bool      // a run did not repeat itself
	fixed   *Replayer // answers workload questions; nil to branch over them
}

// walk makes one run.
func (w *walker) walk() {
	w.pos, w.cut = 0, false
	v := w.run(w)
	if w.cut {
		w.sub.Blocked++
		return
	}
	if w.wanted != nil && !w.wanted(v.Fingerprint) {
		return
	}
	if w.bounded.classes.add(v.Fingerprint) {
		w.sub.Hash += scramble(v.Fingerprint)
	}
	w.sub.count(v)
	if w.sub.judge(w.runner, v, w.Only) && !w.All {
		w.found = true
		w.exhaustion.mu.Lock()
		w.broken = true
		w.exhaustion.mu.Unlock()
	}
}

// Choose answers a question of the run.
func (w *walker) Choose(c *machine.Choice) int {
	if c.Kind == machine.Workload && w.fixed != nil {
		return w.fixed.Choose(c)
	}
	if w.pos < len(w.script) {
		pick := int(w.script[w.pos])
		w.pos++
		if !c.Options.Has(pick) {
			w.drifted, pick = true, int(c.Plain)
		}
		return pick
	}
	w.sub.Asked |= 1 << c.Kind
	free := c.Options
	if c.Kind == machine.Move {
		free = w.expand(c)
	}
	pick := int(c.Plain)
	if !free.Has(pick) {
		pick = free.First()
	}
	w.script, w.left = append(w.script, uint8(pick)), append(w.left, free&^machine.Only(pick))
	w.pos++
	return pick
}

// expand answers who can move without a preemption, and keeps the others for the
// next layer. A state that has been expanded ends the run.
func (w *walker) expand(c *machine.Choice) Set {
	// Who asks lets its own interrupts land at once, and may have come to another
	// place without an event: a translator's loads are announced within an access.
	key := w.machine.Prefix() ^ scramble(uint64(c.Current+2)^scramble(uint64(c.Context)+uint64(c.Index)<<32))
	key ^= scramble(w.machine.Spent())
	lines := c.Options >> w.machine.CPUs() << w.machine.CPUs()
	if !w.states.add(key) {
		w.cut = true
		w.machine.Abandon()
	}
	if lines != 0 {
		w.sub.Asked |= 1 << askedLine
	}
	if c.Current < 0 {
		return c.Options
	}
	free := lines | machine.Only(int(c.Current))
	if w.layer < w.Preemptions {
		for s := c.Options &^ free; s != 0; s = s.Rest() {
			w.later = append(w.later, append(append(make(item, 0, len(w.script)+1), w.script...), uint8(s.First())))
			w.kept.Add(int64(len(w.script)) + 1)
		}
	}
	return free
}

// backtrack goes back to the last answer that has an alternative.
func (w *walker) backtrack() bool {
	for i := len(w.left) - 1; i >= 0; i-- {
		if s := w.left[i]; s != 0 {
			w.script = append(w.script[:w.base+i], uint8(s.First()))
			w.left = append(w.left[:i], s.Rest())
			return true
		}
	}
	return false
}
