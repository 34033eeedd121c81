package fuzz

import "github.com/fusedos/stramash/machine"

// pct is probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010):
// the enabled agent with the highest priority moves; at d-1 random moves the
// one that would move gets the lowest priority. The depth d goes through 2 to 6
// from run to run. A run of n agents and k moves finds a bug of depth d with a
// probability of at least 1/(n·k^(d-1)). Only moves with a choice count, and k
// is that of one of the profile's runs. An agent that goes on for longer than
// any run took seems to spin, and gets the lowest priority too.
type pct struct {
	rand     Rand
	depth    int
	asked    int
	patience int
	changes  [pctDepths]int
	priority [machine.MaxAgents]int
	ranked   machine.Set
	lowest   int
	last     int // who moved last, and how often in a row
	row      int
}

// pctDepths is how many depths there are, from 2 up.
const pctDepths = 5

func (s *pct) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.asked, s.ranked, s.lowest, s.row = 0, 0, 0, 0
	s.depth = 2 + int(p.Run%pctDepths)
	s.patience = 2*p.Profile.most() + 64
	length := p.Profile.some(&s.rand)
	for i := range s.depth - 1 {
		s.changes[i] = s.rand.Below(length)
	}
}

func (s *pct) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	top := s.top(c.Options)
	for _, at := range s.changes[:s.depth-1] {
		if at == s.asked {
			top = s.demote(top, c.Options)
		}
	}
	s.asked++
	if s.row++; top != s.last {
		s.last, s.row = top, 0
	} else if s.row > s.patience {
		s.row = 0
		return s.demote(top, c.Options)
	}
	return top
}

// demote gives an agent the lowest priority, and answers who moves then.
func (s *pct) demote(k int, options machine.Set) int {
	s.lowest--
	s.priority[k] = s.lowest
	return s.top(options)
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
