package fuzz

import "github.com/fusedos/stramash/machine"

// portfolio takes turns among other strategies, its arms: what one of them never
// finds, another one often does (Thomson, Donaldson and Betts, PPoPP 2014). An
// arm's turns are its share, times how often its runs were the first of their
// class lately, beside the others': a class fixes which write each read saw and
// which states memory went through, and a run of a class that was seen before is
// in vain. The rating has a floor, so that no arm starves: coverage does not
// tell which arm will find the bug.
type portfolio struct {
	arms []arm
	turn int // whose run it is
	run  int // of the block
	all  earnings
}

// ArmEarned is what an arm of the portfolio came to.
type ArmEarned struct {
	Name  string
	Runs  uint64
	First uint64 // runs that were the first of their class in the block
	New   uint64 // pairs of reads and writes, and states, that its runs reached first; see Feedback
	Found uint64 // runs with a violation
}

// arm is a strategy with its share.
type arm struct {
	Strategy
	ArmEarned
	share  int // of the turns, beside those of the others
	credit int
	recent earnings
}

// earnings are runs of late, and how many of them were the first of their class.
type earnings struct{ runs, first int }

// opening is whose turns the first ones of a block are. Most bugs are found in
// them, by pos and surw above all.
var opening = [...]int{1, 0, 1, 0, 2, 0, 1, 3, 1, 0, 5, 1, 2, 4, 0, 2, 6, 1, 2, 0, 7, 2, 3, 1, 2, 0}

// newPortfolio makes a portfolio. Opening and shares are from measurements on the
// suite (verify bench search): those with which the portfolio needs the fewest
// runs, beside those of the strategy that suits each program best, for the
// programs that suit the portfolio least.
func newPortfolio() *portfolio {
	s := &portfolio{}
	for _, a := range []struct {
		name  string
		share int
		Strategy
	}{
		{"surw", 12, &surw{}},
		{"pos", 4, &pos{}},
		{"pct", 9, &pct{}},
		{"urw", 10, &urw{}},
		{"sparse", 10, &sparse{}},
		{"random", 2, &randomWalk{}},
		{"mutate", 5, &mutate{}},
		{"delay", 2, &delay{}},
	} {
		s.arms = append(s.arms, arm{Strategy: a.Strategy, ArmEarned: ArmEarned{Name: a.name}, share: a.share})
	}
	return s
}

func (s *portfolio) Start(p Plan) {
	s.turn = s.next()
	s.run++
	a := &s.arms[s.turn]
	p.Run = p.Run/BlockRuns*BlockRuns + a.Runs
	a.Runs++
	a.Start(p)
}

// next is whose turn it is: behind the opening, smooth weighted round robin.
func (s *portfolio) next() int {
	if s.run < len(opening) {
		return opening[s.run]
	}
	best, total := 0, 0
	for i := range s.arms {
		a := &s.arms[i]
		w := a.share * s.rating(a)
		a.credit += w
		total += w
		if a.credit > s.arms[best].credit {
			best = i
		}
	}
	s.arms[best].credit -= total
	return best
}

// The rating of an arm that earns as much as the average, and its bounds.
const (
	ratingEven  = 16
	ratingFloor = 12
	ratingTop   = 24
)

// rating is how well an arm earned beside the others. Some average runs are
// added to the arm's own, so that few do not decide.
func (s *portfolio) rating(a *arm) int {
	if s.all.first == 0 {
		return ratingEven
	}
	const added = 32
	r := ratingEven * (a.recent.first*s.all.runs + added*s.all.first) / ((a.recent.runs + added) * s.all.first)
	return min(max(r, ratingFloor), ratingTop)
}

func (s *portfolio) Choose(c *machine.Choice) int { return s.arms[s.turn].Choose(c) }

// Learn accounts what the run earned.
func (s *portfolio) Learn(f Feedback) {
	a := &s.arms[s.turn]
	a.New += uint64(f.New)
	if f.First {
		a.First++
	}
	if f.Violation {
		a.Found++
	}
	for _, e := range []*earnings{&a.recent, &s.all} {
		e.runs++
		if f.First {
			e.first++
		}
	}
	if s.all.runs == late {
		s.forget()
	}
	for i := range s.arms {
		if l, ok := s.arms[i].Strategy.(Learner); ok {
			l.Learn(f)
		}
	}
}

// late is how many runs count as of late, at most.
const late = 512

// forget halves the weight of the runs so far.
func (s *portfolio) forget() {
	s.all = earnings{}
	for i := range s.arms {
		e := &s.arms[i].recent
		e.runs, e.first = e.runs/2, e.first/2
		s.all.runs += e.runs
		s.all.first += e.first
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
		sum[i].First += a.First
		sum[i].New += a.New
		sum[i].Found += a.Found
	}
	return sum
}
