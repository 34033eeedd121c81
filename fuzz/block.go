package fuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// BlockRuns is the number of consecutive runs that are done as one piece. What
// a strategy has learned belongs to its block; workers, shards, ledgers and
// resumption take whole blocks. So the same seed gives the same runs however
// they are spread.
const BlockRuns = 4096

// stopRuns is how many runs are made between two looks at whether to stop.
const stopRuns = 64

// Block is what came of the runs of one block.
type Block struct {
	Number       uint64 // its first run is BlockRuns times this
	Runs         uint64 // finished; fewer than there are if a violation ended it
	Steps        uint64
	Records      uint64
	TraceHash    uint64   // see Summary
	Fingerprints []uint64 // of the schedules, each once, in the order in which they came
	Unknown      uint64
	UnknownWhy   string     `json:",omitempty"`
	Findings     []*Finding `json:",omitempty"` // one of each signature, the first, by run
	Evidence     Evidence
	Arms         []ArmEarned `json:",omitempty"`
	cut          bool        // it was stopped before its end
}

// Ledger keeps the results of blocks of one run set, so that it can be resumed
// and shards be put together. Its methods may be called from several goroutines.
type Ledger interface {
	// Load answers a block that was done before, or nil.
	Load(number uint64) (*Block, error)
	// Save keeps a block that is done.
	Save(*Block) error
	// Found keeps the first finding of a signature in a block before it is done.
	Found(*Finding) error
}

// Shard is a part of a run set: the blocks whose number is Index-1 modulo Count.
// The shards of one Count make up the whole. The zero Shard is the whole.
type Shard struct{ Index, Count uint64 } // Index from 1 to Count

// Validate says what is wrong with the shard, or nil.
func (s Shard) Validate() error {
	if s != (Shard{}) && (s.Index < 1 || s.Index > s.Count) {
		return fmt.Errorf("shard %d/%d: use 1/N to N/N", s.Index, s.Count)
	}
	return nil
}

// String is the shard as I/N; the whole is 1/1.
func (s Shard) String() string {
	return fmt.Sprintf("%d/%d", max(s.Index, 1), max(s.Count, 1))
}

// Runs is how many runs of a set of so many are the shard's.
func (s Shard) Runs(all uint64) uint64 {
	blocks := (all + BlockRuns - 1) / BlockRuns
	n := s.blocks(blocks)
	if n == 0 {
		return 0
	}
	missing := uint64(0) // of the last block
	if s.nth(n-1) == blocks-1 {
		missing = blocks*BlockRuns - all
	}
	return n*BlockRuns - missing
}

// Holds says whether a run, by its number in the set, is the shard's.
func (s Shard) Holds(run uint64) bool {
	return s.Count == 0 || run/BlockRuns%s.Count == s.Index-1
}

// nth is the number of the shard's i-th block, from 0.
func (s Shard) nth(i uint64) uint64 {
	if s.Count == 0 {
		return i
	}
	return i*s.Count + s.Index - 1
}

// blocks is how many of the first n blocks are the shard's.
func (s Shard) blocks(n uint64) uint64 {
	if s.Count == 0 {
		return n
	}
	return (n + s.Count - s.Index) / s.Count
}

// block does the runs of a block: up to its first violation, unless all are
// wanted.
func (h *hunt) block(r *runner, n uint64) (*Block, error) {
	s, err := NewStrategy(h.Strategy)
	if err != nil {
		return nil, err
	}
	b := &Block{Number: n}
	seen := make(map[uint64]struct{}, 256)
	learner, _ := s.(Learner)
	if learner != nil {
		r.covered = newCoverage(r.profile())
	}
	r.evidence = &b.Evidence
	defer func() { r.evidence, r.covered = nil, nil }()
	end := min((n+1)*BlockRuns, h.Runs)
	for run := n * BlockRuns; run < end; run++ {
		if run%stopRuns == 0 && b.Runs > 0 && h.Stop != nil && h.Stop() {
			b.cut = true
			h.stopped.Store(true)
			break
		}
		s.Start(Plan{Seed: h.Seed, Run: run, Profile: r.profile()})
		v := r.run(s)
		first := b.add(v, run, seen)
		if learner != nil {
			learner.Learn(r.feedback(v, first))
		}
		if v.violation != nil {
			if err := h.found(b, r, v, run); err != nil {
				return nil, err
			}
			if !h.All {
				break
			}
		}
		if h.Audit > 0 && run%uint64(h.Audit) == 0 {
			if !r.repeats(v) {
				return nil, &NotDeterministic{h.target.Name, run}
			}
			if why := r.disobeys(); why != "" {
				return nil, &Unsound{h.target.Name, run, why}
			}
		}
	}
	if p, ok := s.(*portfolio); ok {
		b.Arms = p.earned()
	}
	return b, nil
}

// feedback is what a strategy is told of the last run.
func (r *runner) feedback(v *verdict, first bool) Feedback {
	return Feedback{
		Fingerprint: v.Fingerprint, HistoryHash: v.HistoryHash, Steps: v.Steps, Violation: v.violation != nil,
		First: first, New: r.covered.fresh, Accesses: r.covered.accesses,
		Schedule: func() Schedule { return r.machine.Exceptions() },
	}
}

// add accounts one run, and answers whether it is the first of its class.
func (b *Block) add(v *verdict, run uint64, seen map[uint64]struct{}) (first bool) {
	b.Runs++
	b.Steps += uint64(v.Steps)
	b.Records += uint64(len(v.History))
	b.TraceHash += scramble(v.TraceHash ^ scramble(run))
	if _, ok := seen[v.Fingerprint]; !ok {
		first = true
		seen[v.Fingerprint] = struct{}{}
		b.Fingerprints = append(b.Fingerprints, v.Fingerprint)
	}
	if v.unknown != "" {
		b.Unknown++
		b.UnknownWhy = v.unknown
	}
	return first
}

// found keeps the first finding of each signature.
func (h *hunt) found(b *Block, r *runner, v *verdict, run uint64) error {
	same := func(f *Finding) bool { return f.Signature == v.violation.Signature }
	if slices.ContainsFunc(b.Findings, same) {
		return nil
	}
	f := r.finding(v)
	f.Strategy, f.Seed, f.Run, f.Pins = h.Strategy, h.Seed, run, h.Pins
	b.Findings = append(b.Findings, f)
	if h.Ledger == nil {
		return nil
	}
	return h.Ledger.Found(f)
}

// repeats makes the last run again, by its schedule, and answers whether it
// went the same way.
func (r *runner) repeats(v *verdict) bool {
	hash, bad := v.TraceHash, v.violation != nil
	covered := r.covered
	r.covered = nil
	defer func() { r.covered = covered }()
	if r.target.Platform.Order != machine.SC {
		r.conforms = new(checkers.Conformance)
		r.conforms.Begin(r.machine)
	}
	again := r.run(NewReplayer(r.machine.Exceptions()))
	return again.TraceHash == hash && (again.violation != nil) == bad
}

// disobeys is why the run that was repeated is not one that the architectures allow,
// as the cycle that forbids it; empty if they do. Under sc nothing is asked.
func (r *runner) disobeys() string {
	c := r.conforms
	if r.conforms = nil; c == nil {
		return ""
	}
	if cycle := c.Check(); cycle != nil {
		return cycle.Text(c.Execution())
	}
	return ""
}

// Unsound is the error of a hunt whose machine did what the memory model that it stands
// for forbids: then what it finds, or does not find, says nothing.
type Unsound struct {
	Target string
	Run    uint64
	Cycle  string // in words, on several lines
}

// Error says what happened in a line.
func (u *Unsound) Error() string {
	return fmt.Sprintf("target %s, run %d: the simulated machine breaks its memory model; this is a fault of the tool: %s",
		u.Target, u.Run, strings.Join(strings.Fields(u.Cycle), " "))
}
