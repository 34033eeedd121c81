package fuzz

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/fusedos/stramash/machine"
)

// Exhaust explores all classes of a target's runs, or of those with so many
// preemptions at most: two runs are of one class if they differ in the order of
// independent steps only. It stops at the first violation, which has as few
// preemptions as any if they are bounded. It fails if the target or the options
// are not valid, the ledger fails, or the target is not deterministic.
//
// That no class is missed is a matter of tests, not of a proof: the unbounded search
// visits each class of some 60,000 random programs that plain enumeration can finish once,
// with interrupts, awaits, exclusives and records mixed, under all memory orders, and
// under translation. One inexactness is known: behind a translator of
// machine.SetTranslator, an access that must wait for its CPU's store buffer finds out by a
// step that does nothing, which is not told apart from one that need not wait.
func Exhaust(t Target, o ExhaustOptions) (Exhausted, error) {
	x, err := newExhaustion(t, o)
	if err != nil {
		return Exhausted{}, err
	}
	defer x.close()
	if o.Bounded {
		return x.exhaustBounded()
	}
	if err := x.split(); err != nil {
		return Exhausted{}, err
	}
	var wg sync.WaitGroup
	for _, r := range x.runners {
		wg.Add(1)
		go func() {
			defer wg.Done()
			x.work(r)
		}()
	}
	wg.Wait()
	return x.sum()
}

// exhaustBounded is Exhaust with a bound. A violation that several workers have
// found is looked for again by one, for the first in a fixed order.
func (x *exhaustion) exhaustBounded() (Exhausted, error) {
	var b *Subtree
	var err error
	x.done = make([]*Subtree, 1)
	if x.Ledger != nil {
		b, err = x.Ledger.Load(0)
	}
	if b == nil && err == nil {
		b, err = x.bound(x.runners)
		if err == nil && b.Finding != nil && len(x.runners) > 1 {
			b, err = x.firstOf(b)
		}
		if err == nil && x.Ledger != nil && !x.stopped.Load() {
			err = x.Ledger.Save(b)
		}
	}
	x.done[0] = b
	out := x.summary()
	if b != nil {
		out.add(b)
	}
	out.Stopped = x.stopped.Load() && (out.Finding == nil || x.All)
	out.Explored = out.Subtrees - one(out.Stopped)
	return out, err
}

// firstOf searches again for the violation that a search on several workers has
// come to, with one: it is the first in a fixed order, unless there is no time for
// it.
func (x *exhaustion) firstOf(b *Subtree) (*Subtree, error) {
	all := x.All
	x.broken, x.All = false, false
	x.runs.Store(0)
	first, err := x.bound(x.runners[:1])
	if x.All = all; err != nil || first.Finding == nil {
		return b, err
	}
	if all {
		b.Finding = first.Finding
		return b, nil
	}
	return first, nil
}

// exhaustion is a search on all workers. Each walks over the same top of the tree
// of all runs, and explores those subtrees below it which it is the first to
// reach.
type exhaustion struct {
	ExhaustOptions
	target  Target
	runners []*runner
	depth   int    // of the roots of the subtrees, in questions
	asked   uint16 // what is asked above them

	mu      sync.Mutex
	claimed []bool
	done    []*Subtree
	parts   []*Subtree // that were stopped before their ends
	last    uint64     // subtrees from this one on need not be explored
	told    ExhaustProgress
	shares  float64 // of the shard's subtrees, that have been explored
	err     error
	broken  bool          // a bounded search has found a violation
	runs    atomic.Uint64 // made, also in subtrees in progress
	stopped atomic.Bool
}

func newExhaustion(t Target, o ExhaustOptions) (*exhaustion, error) {
	if err := o.Shard.Validate(); err != nil {
		return nil, err
	}
	if o.Bounded && o.Preemptions < 0 {
		return nil, fmt.Errorf("a bound of %d preemptions: use 0 or more", o.Preemptions)
	}
	if t.Platform.Storage != nil {
		return nil, fmt.Errorf("target %s is on a storage of messages, where it is not known which steps commute: explore it on flat memory", t.Name)
	}
	t.Limits = literal(over(t.Limits, o.Limits))
	x := &exhaustion{ExhaustOptions: o, target: t}
	for range max(o.Workers, 1) {
		r, err := newRunner(t, o.Pins, o.Watchdog)
		if err != nil {
			x.close()
			return nil, err
		}
		r.evidence = &Evidence{}
		x.runners = append(x.runners, r)
	}
	return x, nil
}

// literal is limits under which no thread is taken to spin for a few loads alike:
// when it then rests depends on steps of others that it does not depend on.
func literal(l machine.Limits) machine.Limits {
	if l.Polls = -1; l.Spins == 0 {
		l.Spins = 64
	}
	return l
}

func (x *exhaustion) close() {
	for _, r := range x.runners {
		r.close()
	}
}

// Subtrees begin where the top of the tree, of which nothing is left out but what
// sleeps, has at least minSubtrees branches, but at most maxDepth questions down.
const (
	minSubtrees = 64
	maxDepth    = 40
)

// split finds out where the subtrees begin.
func (x *exhaustion) split() (err error) {
	defer x.catch(&err)
	for ; ; x.depth++ {
		s := x.search(x.runners[0])
		for s.next() {
		}
		if s.drifted {
			return &NotDeterministic{x.target.Name, 0}
		}
		if s.reached >= minSubtrees || x.depth == maxDepth || !s.deeper {
			x.asked = s.asked
			x.claimed, x.done, x.last = make([]bool, s.reached), make([]*Subtree, s.reached), s.reached
			return nil
		}
	}
}

// catch is for targets that are not as they should be.
func (x *exhaustion) catch(err *error) {
	if e := recover(); e != nil {
		*err = fmt.Errorf("target %s: outside of simulated code: %v", x.target.Name, e)
	}
}

func (x *exhaustion) search(r *runner) *search {
	s := newSearch(r)
	s.full, s.all = x.depth, x.All
	s.only = x.Only
	if x.Workload != nil {
		s.fixed = NewReplayer(*x.Workload)
	}
	return s
}

// work explores subtrees until none is left.
func (x *exhaustion) work(r *runner) {
	var err error
	defer func() { x.fail(err) }()
	defer x.catch(&err)
	s := x.search(r)
	s.claim = x.claim
	for more := true; more && !s.drifted; {
		more = s.next()
		if b := cmp.Or(s.sub, s.closed); b != nil && b.Guessed != "" {
			x.stopped.Store(true) // it could not be a proof
		}
		if s.closed != nil {
			s.closed.Evidence.merge(*r.evidence)
			if err = x.deliver(s.closed); err != nil || s.closed.Finding != nil && !x.All {
				return
			}
		}
		if (s.sub != nil || s.closed != nil) && x.ends(s) {
			x.leave(s.sub, r)
			return
		}
	}
	if s.drifted {
		err = &NotDeterministic{x.target.Name, x.runs.Load()}
	}
}

// leave keeps what is known of a subtree that is not finished, if there is one.
func (x *exhaustion) leave(b *Subtree, r *runner) {
	if b == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	b.Evidence.merge(*r.evidence)
	x.parts = append(x.parts, b)
}

// stopRunsEach is how many runs are made between two looks at whether to go on.
const stopRunsEach = 256

// ends says, behind a run, whether the worker need not go on.
func (x *exhaustion) ends(s *search) bool {
	n := x.runs.Add(1)
	if x.Runs > 0 && n >= x.Runs {
		x.stopped.Store(true)
	}
	if n%stopRunsEach != 0 {
		return x.stopped.Load()
	}
	if x.Stop != nil && x.Stop() {
		x.stopped.Store(true)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Progress != nil {
		p, share := x.told, x.shares
		if s.sub != nil {
			share += s.share()
			p.Runs, p.Classes = p.Runs+s.sub.Runs, p.Classes+s.sub.Classes
		}
		if share > 0 {
			p.Estimate = float64(p.Classes) * float64(x.Shard.blocks(uint64(len(x.done)))) / share
		}
		x.Progress(p)
	}
	return x.stopped.Load() || s.sub != nil && s.sub.Number >= x.last
}

// claim answers the subtree to fill in, if it is the caller's to explore.
func (x *exhaustion) claim(number uint64) *Subtree {
	x.mu.Lock()
	defer x.mu.Unlock()
	mine := x.Shard.Count == 0 || number%x.Shard.Count == x.Shard.Index-1
	if !mine || x.claimed[number] || number >= x.last || x.err != nil || x.stopped.Load() {
		return nil
	}
	x.claimed[number] = true
	if x.Ledger != nil {
		b, err := x.Ledger.Load(number)
		if err != nil {
			x.err = err
			return nil
		}
		if b != nil {
			x.take(b)
			return nil
		}
	}
	return &Subtree{Number: number}
}

// deliver keeps an explored subtree.
func (x *exhaustion) deliver(b *Subtree) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.take(b)
	if x.Ledger != nil {
		return x.Ledger.Save(b)
	}
	return nil
}

func (x *exhaustion) take(b *Subtree) {
	x.done[b.Number] = b
	if b.Finding != nil && !x.All {
		x.last = min(x.last, b.Number+1)
	}
	x.shares++
	x.told.Runs += b.Runs
	x.told.Classes += b.Classes
}

func (x *exhaustion) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
	}
}

// sum adds up the subtrees in order, up to the first violation.
func (x *exhaustion) sum() (Exhausted, error) {
	out := x.summary()
	for _, b := range x.done {
		if b == nil {
			continue
		}
		out.add(b)
		out.Explored++
		if b.Finding != nil && !x.All {
			break
		}
	}
	if out.Finding == nil || x.All {
		for _, b := range x.parts {
			out.add(b)
		}
	}
	out.Stopped = (out.Finding == nil || x.All) && out.Explored < out.Subtrees
	return out, x.err
}

func (x *exhaustion) summary() Exhausted {
	return Exhausted{
		Subtree: Subtree{Asked: x.asked},
		Target:  x.target.Name, Bounded: x.Bounded, Preemptions: x.Preemptions, Pins: x.Pins,
		Limits: x.target.Limits.WithDefaults(), Judges: len(x.target.Judges),
		Shard: x.Shard, Subtrees: x.Shard.blocks(uint64(len(x.done))),
	}
}
