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
}

// Plan is what a strategy knows of a run beforehand.
type Plan struct {
	Seed uint64 // of the run set
	Run  uint64 // number of the run in the set, from 0
	// Questions is how many moves a run of the target may ask for, measured
	// once for the run set.
	Questions int
}

// strategies are all that can be named, in the order of lists.
var strategies = []struct {
	name, doc string
	make      func() Strategy
}{
	{"mixed", "random walk and PCT by turns (the default)", func() Strategy { return &mixed{} }},
	{"random", "random walk: every agent that can move, with equal chances", func() Strategy { return &randomWalk{} }},
	{"pct", "PCT (ASPLOS 2010): random priorities, lowered at 1 to 4 random points", func() Strategy { return &pct{} }},
	{"sparse", "the natural run with 1 to 6 exceptions at random places", func() Strategy { return &sparse{} }},
	{"natural", "the plain option always: one run", func() Strategy { return natural{} }},
}

// DefaultStrategy is the name of the strategy that the command uses.
const DefaultStrategy = "mixed"

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

// randomWalk answers every question at random.
type randomWalk struct{ rand Rand }

func (s *randomWalk) Start(p Plan) { s.rand = NewRand(p.Seed, p.Run) }

func (s *randomWalk) Choose(c *machine.Choice) int {
	if c.Kind == machine.Spurious || c.Kind == machine.Poll {
		return rarely(&s.rand)
	}
	return s.rand.pick(c.Options)
}

// pick is one of the options, with equal chances.
func (r *Rand) pick(options machine.Set) int { return options.Nth(r.Below(options.Len())) }

// rarely is 1 in one of four cases: often enough to try it, and rarely enough
// that loops of exclusives come to an end.
func rarely(r *Rand) int {
	if r.Uint64()&3 == 0 {
		return 1
	}
	return 0
}

// pct is probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010):
// the enabled agent with the highest priority moves; at d-1 random questions
// the one that would move gets the lowest priority. The depth d goes through 2
// to 5 from run to run.
type pct struct {
	rand     Rand
	asked    int
	changes  [4]int
	depth    int
	priority [machine.MaxAgents]int
	ranked   machine.Set
	lowest   int
}

func (s *pct) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.asked, s.ranked, s.lowest = 0, 0, 0
	s.depth = 2 + int(p.Run/2%4)
	for i := range s.depth - 1 {
		s.changes[i] = s.rand.Below(max(p.Questions, 1))
	}
}

func (s *pct) Choose(c *machine.Choice) int {
	switch c.Kind {
	case machine.Move:
	case machine.Spurious, machine.Poll:
		return rarely(&s.rand)
	default:
		return s.rand.pick(c.Options)
	}
	top := s.top(c.Options)
	for _, at := range s.changes[:s.depth-1] {
		if at == s.asked {
			s.lowest--
			s.priority[top] = s.lowest
			top = s.top(c.Options)
		}
	}
	s.asked++
	return top
}

// top is the option with the highest priority. An agent gets its priority
// when it is first seen: agents come and go during a run.
func (s *pct) top(options machine.Set) int {
	for o := options &^ s.ranked; o != 0; o = o.Rest() {
		s.priority[o.First()] = 1 + int(s.rand.Uint64()>>2)
	}
	s.ranked |= options
	best := options.First()
	for o := options.Rest(); o != 0; o = o.Rest() {
		if k := o.First(); s.priority[k] > s.priority[best] {
			best = k
		}
	}
	return best
}

// sparse takes the natural run but for a few questions, chosen beforehand.
type sparse struct {
	rand   Rand
	asked  int
	places []int
}

const sparsePlaces = 6

func (s *sparse) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.asked, s.places = 0, s.places[:0]
	for range 1 + s.rand.Below(sparsePlaces) {
		s.places = append(s.places, s.rand.Below(max(p.Questions, 1)))
	}
}

func (s *sparse) Choose(c *machine.Choice) int {
	at := s.asked
	s.asked++
	for _, p := range s.places {
		if p == at {
			return s.rand.pick(c.Options &^ machine.Only(int(c.Plain)))
		}
	}
	return int(c.Plain)
}

// mixed takes turns: what one of them never finds, the other often does
// (Thomson, Donaldson and Betts, PPoPP 2014).
type mixed struct {
	walk randomWalk
	pct  pct
	odd  bool
}

func (s *mixed) Start(p Plan) {
	if s.odd = p.Run%2 == 1; s.odd {
		s.pct.Start(p)
	} else {
		s.walk.Start(p)
	}
}

func (s *mixed) Choose(c *machine.Choice) int {
	if s.odd {
		return s.pct.Choose(c)
	}
	return s.walk.Choose(c)
}

// counter counts the moves that a run asks for.
type counter struct {
	machine.Chooser
	moves int
}

func (s *counter) Choose(c *machine.Choice) int {
	if c.Kind == machine.Move {
		s.moves++
	}
	return s.Chooser.Choose(c)
}
