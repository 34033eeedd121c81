package fuzz

import "github.com/fusedos/stramash/machine"

// portfolio takes turns among other strategies, its arms: what one of them never
// finds, another one often does (Thomson, Donaldson and Betts, PPoPP 2014).
type portfolio struct {
	arms []arm
	turn int // whose run it is
	run  int // of the block
}

// ArmEarned is what an arm of the portfolio came to.
type ArmEarned struct {
	Name  string
	Runs  uint64
	New   uint64 // what its runs reached first in their blocks; see Feedback
	Found uint64 // runs with a violation
}

// arm is a strategy with its share.
type arm struct {
	Strategy
	ArmEarned
	share  int // turns of its own in every round
	credit int
}

// newPortfolio makes a portfolio. The shares are from measurements on the suite
// (verify bench search): those with which the bug that suits the portfolio least
// takes the fewest runs beside those of the strategy that suits it best.
func newPortfolio() *portfolio {
	s := &portfolio{}
	for _, a := range []struct {
		name  string
		share int
		Strategy
	}{
		{"surw", 5, &surw{}},
		{"pos", 4, &pos{}},
		{"pct", 3, &pct{}},
		{"sparse", 3, &sparse{}},
		{"urw", 2, &urw{}},
		{"random", 1, &randomWalk{}},
		{"delay", 1, &delay{}},
		{"mutate", 1, &mutate{}},
	} {
		s.arms = append(s.arms, arm{Strategy: a.Strategy, ArmEarned: ArmEarned{Name: a.name}, share: a.share})
	}
	return s
}

func (s *portfolio) Start(p Plan) {
	s.turn = s.next()
	a := &s.arms[s.turn]
	p.Run = p.Run/BlockRuns*BlockRuns + a.Runs
	a.Runs++
	a.Start(p)
}

// next is whose turn it is: smooth weighted round robin.
func (s *portfolio) next() int {
	best, total := 0, 0
	for i := range s.arms {
		a := &s.arms[i]
		a.credit += a.share
		total += a.share
		if a.credit > s.arms[best].credit {
			best = i
		}
	}
	s.arms[best].credit -= total
	return best
}

func (s *portfolio) Choose(c *machine.Choice) int { return s.arms[s.turn].Choose(c) }

// Learn accounts what the run earned.
func (s *portfolio) Learn(f Feedback) {
	a := &s.arms[s.turn]
	a.New += uint64(f.New)
	if f.Violation {
		a.Found++
	}
	for i := range s.arms {
		if l, ok := s.arms[i].Strategy.(Learner); ok {
			l.Learn(f)
		}
	}
}

// earned is what each arm came to.
func (s *portfolio) earned() []ArmEarned {
	var out []ArmEarned
	for i := range s.arms {
		out = append(out, s.arms[i].ArmEarned)
	}
	return out
}

// addArms adds up what arms earned in blocks.
func addArms(sum, more []ArmEarned) []ArmEarned {
	if sum == nil {
		return append(sum, more...)
	}
	for i, a := range more {
		sum[i].Runs += a.Runs
		sum[i].New += a.New
		sum[i].Found += a.Found
	}
	return sum
}
