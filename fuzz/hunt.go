package fuzz

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fusedos/stramash/machine"
)

// Options say how to hunt. The zero value is the command's default.
type Options struct {
	Strategy string // see Strategies; empty is DefaultStrategy
	Seed     uint64 // of all random decisions
	Runs     uint64 // how many; zero means DefaultRuns
	Workers  int    // machines at work at a time; zero means one
	Shard    Shard  // the part of the run set to do; zero means the whole
	// All has the hunt go on behind a violation, to find others. It keeps the
	// first of each signature.
	All bool
	// Ledger keeps the results of blocks; it may be nil.
	Ledger Ledger
	Pins   []machine.Pin // fixed answers to the target's workload questions
	// Audit has every n-th run repeated, by its schedule, and fails if the
	// repetition differs.
	// Zero means DefaultAudit; a negative number, never.
	Audit int
	// Stop is asked now and then whether to end early; it may be nil.
	Stop func() bool
	// Progress is told of finished runs now and then; it may be nil.
	Progress func(runs uint64)
	// Watchdog ends the process when simulated code computes for ever
	// without an operation; it may be nil.
	Watchdog *Watchdog
}

// Defaults of Options.
const (
	DefaultRuns  = 20000
	DefaultAudit = 256
)

// maxDistinct bounds the memory for fingerprints: 16 million schedules.
const maxDistinct = 1 << 24

// Summary is what a hunt came to. It depends on the target and the options
// only, not on the host nor on the number of workers; unless Stopped.
type Summary struct {
	Target     string
	Strategy   string
	Seed       uint64
	Runs       uint64 // finished, or up to the first violation
	Steps      uint64
	Records    uint64 // what the histories of all runs hold
	TraceHash  uint64 // sum over the hashes of each run's number with its trace
	Distinct   uint64 // schedules with different order of conflicting events
	DistinctUp bool   // there are more: memory for counting them ran out
	Judges     int    // of histories
	Unknown    uint64 // runs that a judge could not decide
	UnknownWhy string
	Stopped    bool // Stop ended it before all runs were done
	Shard      Shard
	Evidence   Evidence
	Arms       []ArmEarned // of the portfolio, in the order of its list
	Finding    *Finding    // the first, or nil
	Findings   []*Finding  // the first of each signature, if all were asked for
}

// Passed says that every run was judged, and none was a violation.
func (s Summary) Passed() bool { return s.Finding == nil && s.Inconclusive() == "" }

// Inconclusive says why nothing was proved though there is no violation, or
// nothing if something was.
func (s Summary) Inconclusive() string {
	switch {
	case s.Stopped:
		return fmt.Sprintf("stopped after %d runs", s.Runs)
	case s.Unknown > 0:
		return fmt.Sprintf("in %d of %d runs a judge gave up: %s", s.Unknown, s.Runs, s.UnknownWhy)
	case s.Runs == 0:
		return fmt.Sprintf("nothing was explored: shard %d/%d has no block of %d runs; give the set more runs", s.Shard.Index, s.Shard.Count, BlockRuns)
	case s.Steps == 0:
		return "nothing was explored: no thread executed an operation"
	case s.Judges > 0 && s.Records == 0:
		return "nothing was judged: the program records no operations and no notes"
	}
	return s.Evidence.vacuous(int(s.Distinct))
}

// Finding is a violation with the run that showed it.
type Finding struct {
	Violation
	Target   string
	Strategy string
	Seed     uint64
	Run      uint64 // the number of the run in its set
	Pins     []machine.Pin
	Schedule Schedule

	Threads    int // started or spawned
	Operations int // calls recorded, or the operations on the machine if none are
	Steps      int // operations on the machine
	TraceHash  uint64
}

// NotDeterministic says that a run, repeated with the same choices, went
// another way: the target depends on something that is not a choice.
type NotDeterministic struct {
	Target string
	Run    uint64
}

// Error says what to look for.
func (e *NotDeterministic) Error() string {
	return fmt.Sprintf("target %s is not deterministic: run %d went another way when repeated; look for map iteration, clocks, random numbers or state that outlives a run",
		e.Target, e.Run)
}

// Hunt runs a target many times and stops at the first violation, unless all are
// asked for. It fails if the target or the options are not valid, the ledger
// fails, or the target is not deterministic.
func Hunt(t Target, o Options) (Summary, error) {
	h, err := newHunt(t, o)
	if err != nil {
		return Summary{}, err
	}
	var wg sync.WaitGroup
	for _, r := range h.runners {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer r.close()
			h.work(r)
		}()
	}
	go func() { wg.Wait(); close(h.done) }()
	return h.collect()
}

type hunt struct {
	Options
	target  Target
	runners []*runner
	next    atomic.Uint64 // the next block, counted within the shard
	last    atomic.Uint64 // blocks from this one on need not be done
	stopped atomic.Bool
	done    chan result
}

// result is a block that is done, or why it is not.
type result struct {
	place uint64 // among the shard's blocks
	block *Block
	err   error
}

func newHunt(t Target, o Options) (*hunt, error) {
	h := &hunt{Options: o.withDefaults(), target: t, done: make(chan result, 16)}
	if _, err := NewStrategy(h.Strategy); err != nil {
		return nil, err
	}
	if err := h.Shard.Validate(); err != nil {
		return nil, err
	}
	h.last.Store(h.Shard.blocks((h.Runs + BlockRuns - 1) / BlockRuns))
	for range h.Workers {
		r, err := newRunner(t, h.Pins, h.Watchdog)
		if err != nil {
			for _, r := range h.runners {
				r.close()
			}
			return nil, err
		}
		h.runners = append(h.runners, r)
	}
	return h, nil
}

func (o Options) withDefaults() Options {
	if o.Strategy == "" {
		o.Strategy = DefaultStrategy
	}
	if o.Runs == 0 {
		o.Runs = DefaultRuns
		if o.Strategy == "natural" {
			o.Runs = 1
		}
	}
	if o.Audit == 0 {
		o.Audit = DefaultAudit
	}
	o.Workers = max(o.Workers, 1)
	return o
}

func (h *hunt) work(r *runner) {
	for {
		// Asked before a block is taken, so that those taken are without a gap.
		if h.Stop != nil && h.Stop() {
			h.stopped.Store(true)
			return
		}
		place := h.next.Add(1) - 1
		if place >= h.last.Load() {
			return
		}
		out := h.tryBlock(r, place)
		if out.err != nil || len(out.block.Findings) > 0 && !h.All {
			lower(&h.last, place+1)
		}
		h.done <- out
	}
}

// lower sets v to at most to.
func lower(v *atomic.Uint64, to uint64) {
	for old := v.Load(); to < old && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}

// tryBlock is load for targets that are not as they should be: what is left of
// a block whose goroutine ends must not pass for no violation.
func (h *hunt) tryBlock(r *runner, place uint64) (out result) {
	done := false
	defer func() {
		if done {
			return
		}
		out = result{place: place}
		if e := recover(); e != nil {
			out.err = fmt.Errorf("target %s: outside of simulated code: %v", h.target.Name, e)
			return
		}
		out.err = fmt.Errorf("target %s: its set-up, judges or check of the final state called runtime.Goexit (testing.T.FailNow does)", h.target.Name)
		lower(&h.last, place+1)
		h.done <- out // nobody else will: the goroutine ends
	}()
	out = result{place: place}
	out.block, out.err = h.load(r, h.Shard.nth(place))
	done = true
	return out
}

// load takes a block from the ledger, or does it and keeps it there.
func (h *hunt) load(r *runner, n uint64) (*Block, error) {
	if h.Ledger == nil {
		return h.block(r, n)
	}
	if b, err := h.Ledger.Load(n); b != nil || err != nil {
		return b, err
	}
	b, err := h.block(r, n)
	if err == nil && !b.cut {
		err = h.Ledger.Save(b)
	}
	return b, err
}

// finding describes the run that the runner has just made.
func (r *runner) finding(v *verdict) *Finding {
	f := &Finding{
		Violation: *v.violation, Target: r.target.Name, Schedule: r.machine.Exceptions(),
		Threads: v.Threads, Steps: v.Steps, TraceHash: v.TraceHash,
	}
	for i := range v.History {
		if v.History[i].Kind == machine.CallRecord {
			f.Operations++
		}
	}
	if f.Operations == 0 {
		f.Operations = v.Steps
	}
	return f
}

// collect adds up the blocks in order.
func (h *hunt) collect() (Summary, error) {
	s := Summary{Target: h.target.Name, Strategy: h.Strategy, Seed: h.Seed, Judges: len(h.target.Judges), Shard: h.Shard}
	waiting := map[uint64]result{}
	seen := map[uint64]struct{}{}
	var next uint64
	var err error
	for r := range h.done {
		waiting[r.place] = r
		for {
			r, ok := waiting[next]
			if !ok {
				break
			}
			delete(waiting, next)
			next++
			if err == nil && (s.Finding == nil || h.All) {
				if err = r.err; err == nil {
					s.add(r.block, seen)
				}
			}
		}
		if h.Progress != nil {
			h.Progress(s.Runs)
		}
	}
	s.Distinct = uint64(len(seen))
	s.Stopped = h.stopped.Load() && (s.Finding == nil || h.All)
	return s, err
}

func (s *Summary) add(b *Block, seen map[uint64]struct{}) {
	s.Runs += b.Runs
	s.Steps += b.Steps
	s.Records += b.Records
	s.TraceHash += b.TraceHash
	for _, f := range b.Fingerprints {
		if len(seen) < maxDistinct {
			seen[f] = struct{}{}
		} else if _, ok := seen[f]; !ok {
			s.DistinctUp = true
		}
	}
	s.Unknown += b.Unknown
	if b.UnknownWhy != "" {
		s.UnknownWhy = b.UnknownWhy
	}
	s.Evidence.merge(b.Evidence)
	s.Arms = addArms(s.Arms, b.Arms)
	for _, f := range b.Findings {
		s.AddFinding(f)
	}
}

// AddFinding adds a finding of the run set, unless there is one of its signature
// and an earlier run.
func (s *Summary) AddFinding(f *Finding) {
	same := func(g *Finding) bool { return g.Signature == f.Signature }
	if i := slices.IndexFunc(s.Findings, same); i >= 0 {
		if s.Findings[i].Run <= f.Run {
			return
		}
		s.Findings = slices.Delete(s.Findings, i, i+1)
	}
	s.Findings = append(s.Findings, f)
	slices.SortStableFunc(s.Findings, func(a, b *Finding) int { return cmp.Compare(a.Run, b.Run) })
	s.Finding = s.Findings[0]
}
