package fuzz

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/fusedos/stramash/machine"
)

// ExhaustOptions say what to explore. The zero value explores everything.
type ExhaustOptions struct {
	// Bounded has Preemptions say how many there may be in a schedule (see
	// machine.Preemption).
	Bounded     bool
	Preemptions int
	// Workers is the number of machines at work at a time; zero means one. No
	// result depends on it.
	Workers int
	// Runs is how many runs to make at most; zero means as many as it takes.
	Runs uint64
	// Shard is the part to explore; zero means all. The subtrees of an unbounded
	// search are split. A bounded one is not: each shard makes all runs, and
	// judges and counts those of the classes that are its own.
	Shard Shard
	// All has the search go on behind a violation, to count the classes. It keeps
	// the first.
	All bool
	// Only, if not empty, is the signature of the violations that count.
	Only string
	// Ledger keeps the results of subtrees; it may be nil. A bounded search is
	// one subtree.
	Ledger SubtreeLedger
	Pins   []machine.Pin // fixed answers to the target's workload questions
	// Workload, if not nil, fixes the answers to workload questions: as the
	// schedule has them, and plain ones elsewhere.
	Workload *Schedule
	// Limits bound each run; what is zero is as the target has it.
	Limits machine.Limits
	// Stop is asked now and then whether to end early; it may be nil.
	Stop func() bool
	// Progress is told now and then what has been explored; it may be nil.
	Progress func(ExhaustProgress)
	// Watchdog ends the process when simulated code computes for ever without an
	// operation; it may be nil.
	Watchdog *Watchdog
}

// ExhaustProgress is how far a search is.
type ExhaustProgress struct {
	Runs    uint64 // completed
	Classes uint64 // of them
	// Estimate is the number of classes that there will be in the end, if what
	// has not been explored is like what has been; zero if nothing has been.
	Estimate float64
}

// Subtree is what came of one part of the tree of all runs. Which part that is
// depends on the target, the pins and the limits only.
type Subtree struct {
	Number     uint64
	Runs       uint64 // completed
	Blocked    uint64 // given up, because all that could follow had been explored
	Classes    uint64 // of completed runs
	States     uint64 // of a bounded search: in which somebody was to move
	Hash       uint64 // sum over the classes of hashes of their fingerprints
	Steps      uint64 // of completed runs
	Broken     uint64 // runs with a violation
	Long       uint64 // runs that were longer than Limits.Steps
	Guessed    string `json:",omitempty"` // why the order of steps does not decide all; see machine.Result
	Records    uint64
	Threads    int    // most in a run
	Operations int    // most calls recorded in a run
	Asked      uint16 // a bit for each kind of choice that was met
	Unknown    uint64 // runs that a judge could not decide
	UnknownWhy string `json:",omitempty"`
	Evidence   Evidence
	Finding    *Finding `json:",omitempty"`
}

// askedLine stands among the kinds of choice for a move of an interrupt line.
const askedLine = 15

// SubtreeLedger keeps the results of the subtrees of one search, so that it can
// be resumed and shards be put together. Its methods may be called from several
// goroutines.
type SubtreeLedger interface {
	// Load answers a subtree that was explored before, or nil.
	Load(number uint64) (*Subtree, error)
	// Save keeps one that is explored.
	Save(*Subtree) error
}

// Exhausted is what a search came to. It depends on the target and the options
// only, unless it was Stopped.
type Exhausted struct {
	Subtree     // the sum of all
	Target      string
	Bounded     bool // as ExhaustOptions has it
	Preemptions int
	Pins        []machine.Pin
	Limits      machine.Limits // that were in force
	Subtrees    uint64         // how many there are, in the shard
	Explored    uint64         // and how many of them have been explored
	Judges      int            // of histories
	Shard       Shard
	Stopped     bool // before its end, by Stop or by the limit of runs
}

// Passed says that all that was to be explored has been, and is right.
func (e Exhausted) Passed() bool { return e.Finding == nil && e.Inconclusive() == "" }

// Inconclusive says why nothing was proved though there is no violation, or
// nothing if something was.
func (e Exhausted) Inconclusive() string {
	switch {
	case e.Guessed != "":
		return "not all schedules can be told apart: " + e.Guessed
	case e.Stopped:
		return fmt.Sprintf("stopped after %d runs, in %d of %d subtrees", e.Runs, e.Explored, e.Subtrees)
	case e.Unknown > 0:
		return fmt.Sprintf("in %d of %d runs a judge gave up: %s", e.Unknown, e.Runs, e.UnknownWhy)
	case e.Long > 0:
		return fmt.Sprintf("%d runs were longer than %d steps, behind which nothing is branched over; Limits.Steps gives more", e.Long, e.Limits.Steps)
	case e.Shard.Count > 1:
		return "" // it is part of what proves something, or does not
	case e.Steps == 0:
		return "nothing was explored: no thread executed an operation"
	case e.Judges > 0 && e.Records == 0:
		return "nothing was judged: the program records no operations and no notes"
	}
	if e.Shard.Count > 1 && e.Evidence.Conflict {
		return e.Evidence.vacuous(max(int(e.Classes), 2)) // the others may have more classes
	}
	return e.Evidence.vacuous(int(e.Classes))
}

// Claim says in words what has been explored.
func (e Exhausted) Claim() string {
	var b strings.Builder
	if e.Finding == nil && !e.Stopped && e.Shard.Count < 2 {
		b.WriteString("all ")
	}
	fmt.Fprintf(&b, "%s classes of %s", grouped(e.Classes), e.Target)
	for i, p := range e.Pins {
		fmt.Fprintf(&b, "%s %s=%d", []string{" with", ","}[min(i, 1)], p.Name, p.Value)
	}
	b.WriteString(": " + plural(e.Threads, "thread"))
	if e.Operations > 0 {
		b.WriteString(", " + plural(e.Operations, "recorded operation"))
	}
	if e.Bounded {
		b.WriteString(", at most " + plural(e.Preemptions, "preemption"))
	}
	for _, l := range []struct {
		asked, most int
		what        string
	}{
		{askedLine, e.Limits.Interrupts, "spontaneous interrupt"},
		{int(machine.Spurious), e.Limits.Spurious, "spurious failure"},
		{int(machine.Evict), e.Limits.Evictions, "per-CPU eviction"},
		{int(machine.Poll), e.Limits.Polls, "poll"},
	} {
		if e.Asked>>l.asked&1 != 0 {
			b.WriteString(", at most " + plural(l.most, l.what))
		}
	}
	if e.Shard.Count > 1 {
		fmt.Fprintf(&b, ", shard %d/%d", e.Shard.Index, e.Shard.Count)
	}
	return b.String()
}

// grouped writes a number with a comma between groups of three digits.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// count notes a completed run.
func (b *Subtree) count(v *verdict) {
	b.Runs++
	b.Steps += uint64(v.Steps)
	b.Records += uint64(len(v.History))
	b.Threads = max(b.Threads, v.Threads)
	calls := 0
	for i := range v.History {
		if v.History[i].Kind == machine.CallRecord {
			calls++
		}
	}
	b.Operations = max(b.Operations, calls)
	b.Long += one(v.Fair)
	b.Guessed = cmp.Or(b.Guessed, v.Guessed)
}

// judge notes the verdict of a run. It answers whether there is a violation, of
// the signature only if that is not empty.
func (b *Subtree) judge(r *runner, v *verdict, only string) bool {
	if v.unknown != "" {
		b.Unknown++
		b.UnknownWhy = v.unknown
	}
	if v.violation == nil || only != "" && v.violation.Signature != only {
		return false
	}
	b.Broken++
	if b.Finding == nil {
		b.Finding = r.finding(v)
		b.Finding.Strategy, b.Finding.Run = "exhaustive", b.Runs-1
	}
	return true
}

// one is 1 for yes.
func one(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

// add adds what came of another subtree.
func (b *Subtree) add(o *Subtree) {
	b.Runs += o.Runs
	b.Blocked += o.Blocked
	b.Classes += o.Classes
	b.States += o.States
	b.Hash += o.Hash
	b.Steps += o.Steps
	b.Broken += o.Broken
	b.Long += o.Long
	b.Guessed = cmp.Or(b.Guessed, o.Guessed)
	b.Records += o.Records
	b.Threads, b.Operations = max(b.Threads, o.Threads), max(b.Operations, o.Operations)
	b.Asked |= o.Asked
	b.Unknown += o.Unknown
	if o.UnknownWhy != "" {
		b.UnknownWhy = o.UnknownWhy
	}
	b.Evidence.merge(o.Evidence)
	if b.Finding == nil {
		b.Finding = o.Finding
	}
}

// over is limits with those replaced that another one has.
func over(l, by machine.Limits) machine.Limits {
	for _, f := range []struct{ at, by *int }{
		{&l.Steps, &by.Steps}, {&l.FairSteps, &by.FairSteps}, {&l.Interrupts, &by.Interrupts},
		{&l.Spurious, &by.Spurious}, {&l.Evictions, &by.Evictions}, {&l.Polls, &by.Polls},
	} {
		if *f.by != 0 {
			*f.at = *f.by
		}
	}
	return l
}
