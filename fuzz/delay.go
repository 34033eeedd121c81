package fuzz

import "github.com/fusedos/stramash/machine"

// delay is delay bounding (Emmi, Qadeer and Rakamarić, POPL 2011): a scheduler
// without a choice, in which an agent goes on for as long as it can and the next
// one in a circle follows it, but for d delays at random moves, each of which
// passes over the one whose turn it is. The number of delays goes through 1 to 5
// from run to run. The circle's order is random; an agent that goes on for
// longer than any run took seems to spin, and is passed over too.
type delay struct {
	rand     Rand
	delays   int
	asked    int
	patience int
	places   [maxDelays]int
	rank     [machine.MaxAgents]uint32 // in the circle
	ranked   machine.Set
	turn     int // who moved last, and how often in a row
	row      int
}

const maxDelays = 5

func (s *delay) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.asked, s.ranked, s.row, s.turn = 0, 0, 0, -1
	s.delays = 1 + int(p.Run%maxDelays)
	s.patience = 2*p.Profile.most() + 64
	length := p.Profile.some(&s.rand)
	for i := range s.delays {
		s.places[i] = s.rand.Below(length)
	}
}

func (s *delay) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return s.rand.aside(c)
	}
	for o := c.Options &^ s.ranked; o != 0; o = o.Rest() {
		s.rank[o.First()] = uint32(s.rand.Uint64())
	}
	s.ranked |= c.Options
	k := int(c.Current)
	if k < 0 {
		k = s.next(c.Options, s.turn)
	}
	for _, at := range s.places[:s.delays] {
		if at == s.asked {
			k = s.next(c.Options, k)
		}
	}
	s.asked++
	if s.row++; k != s.turn {
		s.row = 0
	} else if s.row > s.patience {
		k, s.row = s.next(c.Options, k), 0
	}
	s.turn = k
	return k
}

// next is the option behind k in the circle; any first one if k is -1.
func (s *delay) next(options machine.Set, k int) int {
	best, least := -1, ^uint32(0)
	for o := options; o != 0; o = o.Rest() {
		i := o.First()
		ahead := s.rank[i] // without k: from the circle's beginning
		if k >= 0 {
			ahead = s.rank[i] - s.rank[k] - 1 // k itself is farthest
		}
		if best < 0 || ahead < least {
			best, least = i, ahead
		}
	}
	return best
}
