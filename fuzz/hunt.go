package fuzz

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/fusedos/stramash/machine"
)

// Options say how to hunt. The zero value is the command's default.
type Options struct {
	Strategy string        // see Strategies; empty is DefaultStrategy
	Seed     uint64        // of all random decisions
	Runs     uint64        // how many; zero means DefaultRuns
	Workers  int           // machines at work at a time; zero means one
	Pins     []machine.Pin // fixed answers to the target's workload questions
	// Audit has every n-th run repeated, and fails if the repetition differs.
	// Zero means DefaultAudit; a negative number, never.
	Audit int
	// Stop is asked between blocks of runs whether to end early; it may be nil.
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

// blockRuns is the number of consecutive runs that a worker takes at a time.
// Results do not depend on it, but for when Stop is heeded.
const blockRuns = 1024

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
	TraceHash  uint64 // over the traces of all runs, in order
	Distinct   uint64 // schedules with different order of conflicting events
	DistinctUp bool   // there are more: memory for counting them ran out
	Judges     int    // of histories
	Unknown    uint64 // runs that a judge could not decide
	UnknownWhy string
	Stopped    bool // Stop ended it before all runs were done
	Finding    *Finding
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
	case s.Steps == 0:
		return "nothing was explored: no thread executed an operation"
	case s.Judges > 0 && s.Records == 0:
		return "nothing was judged: the program records no operations and no notes"
	}
	return ""
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

// block is the result of up to blockRuns runs.
type block struct {
	number       uint64
	runs, steps  uint64
	records      uint64
	traces       []uint64
	fingerprints []uint64
	unknown      uint64
	why          string
	finding      *Finding
	err          error
}

// Hunt runs a target many times and stops at the first violation. It fails if
// the target or the options are not valid, or the target is not deterministic.
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
	next    atomic.Uint64 // number of the next block
	last    atomic.Uint64 // blocks from this one on need not be done
	stopped atomic.Bool
	done    chan block
}

func newHunt(t Target, o Options) (*hunt, error) {
	h := &hunt{Options: o.withDefaults(), target: t, done: make(chan block, 16)}
	if _, err := NewStrategy(h.Strategy); err != nil {
		return nil, err
	}
	h.last.Store((h.Runs + blockRuns - 1) / blockRuns)
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

// measure finds out how many moves a run asks for, in a few random runs.
func (r *runner) measure() int {
	most := 1
	for i := range uint64(8) {
		walk := &randomWalk{}
		walk.Start(Plan{Seed: 0x6d656173757265, Run: i})
		c := &counter{Chooser: walk}
		r.run(c)
		most = max(most, c.moves)
	}
	return most
}

func (h *hunt) work(r *runner) {
	s, err := NewStrategy(h.Strategy)
	if err != nil {
		panic(err) // newHunt has made one already
	}
	plan := &Plan{Seed: h.Seed}
	for {
		// Asked before a block is taken, so that those taken are without a gap.
		if h.Stop != nil && h.Stop() {
			h.stopped.Store(true)
			return
		}
		n := h.next.Add(1) - 1
		if n >= h.last.Load() {
			return
		}
		b := h.tryBlock(r, s, plan, n)
		if b.finding != nil || b.err != nil {
			lower(&h.last, n+1)
		}
		h.done <- b
	}
}

// lower sets v to at most to.
func lower(v *atomic.Uint64, to uint64) {
	for old := v.Load(); to < old && !v.CompareAndSwap(old, to); old = v.Load() {
	}
}

// tryBlock is block for targets that are not as they should be: what is left of
// a block whose goroutine ends must not pass for no violation.
func (h *hunt) tryBlock(r *runner, s Strategy, plan *Plan, n uint64) (b block) {
	done := false
	defer func() {
		if done {
			return
		}
		b = block{number: n}
		if e := recover(); e != nil {
			b.err = fmt.Errorf("target %s: outside of simulated code: %v", h.target.Name, e)
			return
		}
		b.err = fmt.Errorf("target %s: its set-up, judges or check of the final state called runtime.Goexit (testing.T.FailNow does)", h.target.Name)
		lower(&h.last, n+1)
		h.done <- b // nobody else will: the goroutine ends
	}()
	if plan.Questions == 0 {
		plan.Questions = r.measure()
	}
	b = h.block(r, s, *plan, n)
	done = true
	return b
}

// block does the runs of block n, up to its first violation.
func (h *hunt) block(r *runner, s Strategy, plan Plan, n uint64) block {
	b := block{number: n}
	end := min((n+1)*blockRuns, h.Runs)
	b.traces = make([]uint64, 0, blockRuns)
	b.fingerprints = make([]uint64, 0, blockRuns)
	for run := n * blockRuns; run < end; run++ {
		plan.Run = run
		s.Start(plan)
		v := r.run(s)
		b.runs++
		b.steps += uint64(v.Steps)
		b.records += uint64(len(v.History))
		b.traces = append(b.traces, v.TraceHash)
		b.fingerprints = append(b.fingerprints, v.Fingerprint)
		if v.unknown != "" {
			b.unknown++
			b.why = v.unknown
		}
		if v.violation != nil {
			b.finding = h.finding(r, v, run)
			return b
		}
		if h.Audit > 0 && run%uint64(h.Audit) == 0 {
			hash := v.TraceHash
			s.Start(plan)
			if v := r.run(s); v.TraceHash != hash || v.violation != nil {
				b.err = &NotDeterministic{h.target.Name, run}
				return b
			}
		}
	}
	return b
}

func (h *hunt) finding(r *runner, v *verdict, run uint64) *Finding {
	f := r.finding(v)
	f.Strategy, f.Seed, f.Run, f.Pins = h.Strategy, h.Seed, run, h.Pins
	return f
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
	s := Summary{Target: h.target.Name, Strategy: h.Strategy, Seed: h.Seed, TraceHash: 1, Judges: len(h.target.Judges)}
	waiting := map[uint64]block{}
	seen := map[uint64]struct{}{}
	var next uint64
	var err error
	for b := range h.done {
		waiting[b.number] = b
		for {
			b, ok := waiting[next]
			if !ok {
				break
			}
			delete(waiting, next)
			next++
			if s.Finding == nil && err == nil {
				s.add(b, seen)
				err = b.err
			}
		}
		if h.Progress != nil {
			h.Progress(s.Runs)
		}
	}
	s.Distinct = uint64(len(seen))
	s.Stopped = h.stopped.Load() && s.Finding == nil && s.Runs < h.Runs
	return s, err
}

func (s *Summary) add(b block, seen map[uint64]struct{}) {
	s.Runs += b.runs
	s.Steps += b.steps
	s.Records += b.records
	for _, t := range b.traces {
		s.TraceHash = scramble(s.TraceHash ^ t)
	}
	for _, f := range b.fingerprints {
		if len(seen) < maxDistinct {
			seen[f] = struct{}{}
		} else if _, ok := seen[f]; !ok {
			s.DistinctUp = true
		}
	}
	s.Unknown += b.unknown
	if b.why != "" {
		s.UnknownWhy = b.why
	}
	s.Finding = b.finding
}
