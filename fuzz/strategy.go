package fuzz

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/machine"
)

// Strategy answers the questions of runs, one run after another. It may
// depend on the Plan of the run, on the run's own questions, and on the runs of
// its block before it (see [Learner]), and on nothing else: so blocks can be
// spread over workers in any way.
type Strategy interface {
	machine.Chooser
	// Start is called before each run.
	Start(Plan)
}

// Learner is a strategy that learns from its runs. There is a new one for each
// block, whose runs it sees in order.
type Learner interface {
	Strategy
	// Learn is called after each run.
	Learn(Feedback)
}

// Feedback is what a strategy is told of a run that is over.
type Feedback struct {
	Fingerprint uint64 // see machine.Result
	HistoryHash uint64
	Steps       int
	Violation   bool
	// First says that no run of the block before it was of its class: that had
	// its Fingerprint.
	First bool
	// New is how much the run reached that no run of the block before it had:
	// pairs of a read and the write that it saw, and states of shared memory.
	New int
	// Accesses are the run's accesses to shared memory, in order; the first
	// ones of a long run. They are valid during the call.
	Accesses []Access
	// Schedule is the run's schedule.
	Schedule func() Schedule
}

// Plan is what a strategy knows of a run beforehand.
type Plan struct {
	Seed uint64 // of the run set
	Run  uint64 // number of the run in the set, from 0
	// Profile is what a few random runs of the target showed.
	Profile *Profile
}

// strategies are all that can be named, in the order of lists.
var strategies = []struct {
	name, doc string
	make      func() Strategy
}{
	{"portfolio", "all the others but natural by turns, more often those that earn new coverage (the default)", func() Strategy { return newPortfolio() }},
	{"random", "random walk: every agent that can move, with equal chances", func() Strategy { return &randomWalk{} }},
	{"pct", "PCT (ASPLOS 2010): random priorities, lowered at 1 to 5 random points", func() Strategy { return &pct{} }},
	{"pos", "POS (CAV 2018): a random priority for each event, drawn anew when a race is decided", func() Strategy { return &pos{} }},
	{"urw", "URW (ASPLOS 2025): an agent's chances are the events that it has left", func() Strategy { return &urw{} }},
	{"surw", "SURW (ASPLOS 2025): URW among the accesses to one shared word, a random walk elsewhere", func() Strategy { return &surw{} }},
	{"delay", "delay bounding (POPL 2011): agents in a circle, less 1 to 5 that are passed over", func() Strategy { return &delay{} }},
	{"mutate", "runs that reached something new, with exceptions added, dropped, moved, or a race reversed", func() Strategy { return &mutate{} }},
	{"sparse", "the natural run with 1 to 6 exceptions at random places", func() Strategy { return &sparse{} }},
	{"natural", "the plain option always: one run", func() Strategy { return natural{} }},
}

// DefaultStrategy is the name of the strategy that the command uses.
const DefaultStrategy = "portfolio"

// StrategyInfo names a strategy and says what it does.
type StrategyInfo struct{ Name, Doc string }

// Strategies lists the strategies.
func Strategies() []StrategyInfo {
	out := make([]StrategyInfo, len(strategies))
	for i, s := range strategies {
		out[i] = StrategyInfo{s.name, s.doc}
	}
	return out
}

// NewStrategy makes a strategy by its name; the empty name is the default. It
// fails if there is none of the name.
func NewStrategy(name string) (Strategy, error) {
	if name == "" {
		name = DefaultStrategy
	}
	var names []string
	for _, s := range strategies {
		if s.name == name {
			return s.make(), nil
		}
		names = append(names, s.name)
	}
	return nil, fmt.Errorf("no strategy is called %q: use one of %s", name, strings.Join(names, ", "))
}

// natural is the natural run.
type natural struct{}

func (natural) Start(Plan) {}

func (natural) Choose(c *machine.Choice) int { return int(c.Plain) }

// pick is one of the options, with equal chances.
func (r *Rand) pick(options machine.Set) int { return options.Nth(r.Below(options.Len())) }

// aside answers a question that is not who moves. It says yes in one of four
// cases to what a program seldom meets: often enough to try it, and rarely
// enough that loops of exclusives come to an end. Loads read the newest write in
// one of two cases.
func (r *Rand) aside(c *machine.Choice) int {
	switch c.Kind {
	case machine.Read:
		if r.Uint64()&1 == 0 {
			return int(c.Plain)
		}
	case machine.Spurious, machine.Poll, machine.Evict:
		if r.Uint64()&3 == 0 {
			return 1
		}
		return 0
	}
	return r.pick(c.Options)
}
