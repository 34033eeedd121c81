package fuzz

import "github.com/fusedos/stramash/machine"

// mutate changes recorded runs: those of the block that reached something new.
// Each of its runs repeats one of them with one to three changes (see
// mutation.go), or, now and then and at first, is a random walk.
type mutate struct {
	rand    Rand
	walk    randomWalk
	walking bool
	corpus  []recorded
	oldest  int // of a full corpus
	agents  []uint32
	known   machine.Set // whose names agents has
	script  answers
	hold    holdBack
}

// recorded is a run of the corpus.
type recorded struct {
	decisions []decision
	accesses  []Access
}

// decision is an exception to the natural run.
type decision struct {
	place
	answer uint32
}

// maxCorpus bounds the runs that are kept: the newest.
const maxCorpus = 64

func (s *mutate) Start(p Plan) {
	s.rand = NewRand(p.Seed, p.Run)
	s.hold = holdBack{}
	if s.walking = len(s.corpus) == 0 || s.rand.Below(8) == 0; s.walking {
		s.walk.Start(p)
		return
	}
	r := &s.corpus[s.rand.Below(len(s.corpus))]
	s.script.start(r.decisions)
	for range 1 + s.rand.Below(3) {
		s.change(r)
	}
	s.script.index()
}

func (s *mutate) Choose(c *machine.Choice) int {
	if c.Kind == machine.Move && c.Options&^s.known != 0 {
		s.meet(c)
	}
	if s.walking {
		return s.walk.Choose(c)
	}
	k := s.script.answer(c)
	if c.Kind == machine.Move && s.hold.on {
		k = s.hold.choose(c, k)
	}
	return k
}

// meet learns the names of agents.
func (s *mutate) meet(c *machine.Choice) {
	for o := c.Options &^ s.known; o != 0; o = o.Rest() {
		s.agents = append(s.agents, uint32(c.Agent(o.First())))
	}
	s.known |= c.Options
}

// Learn keeps the run if it reached something new.
func (s *mutate) Learn(f Feedback) {
	if f.New == 0 {
		return
	}
	var r *recorded
	if len(s.corpus) < maxCorpus {
		s.corpus = append(s.corpus, recorded{})
		r = &s.corpus[len(s.corpus)-1]
	} else {
		r = &s.corpus[s.oldest]
		s.oldest = (s.oldest + 1) % maxCorpus
	}
	r.accesses = append(r.accesses[:0], f.Accesses...)
	r.decisions = r.decisions[:0]
	for _, e := range f.Schedule() {
		r.decisions = append(r.decisions, decision{placeOf(e), e.Answer})
	}
}

// answers are the decisions of one run, to be looked up by place.
type answers struct {
	list  []decision
	slots []int32 // open addressing: indexes into list, from 1
}

func (a *answers) start(list []decision) { a.list = append(a.list[:0], list...) }

// index prepares for the look-ups.
func (a *answers) index() {
	size := 16
	for size < 2*len(a.list) {
		size *= 2
	}
	if cap(a.slots) < size {
		a.slots = make([]int32, size)
	}
	a.slots = a.slots[:size]
	clear(a.slots)
	for i := range a.list {
		a.slots[a.find(&a.list[i].place)] = int32(i + 1)
	}
}

// find is the slot of a place, or the free one where it would be.
func (a *answers) find(p *place) uint64 {
	mask := uint64(len(a.slots) - 1)
	h := (uint64(p.context) ^ uint64(p.index)<<20 ^ uint64(p.visit)<<8 ^ uint64(p.kind)) * 0x9e3779b97f4a7c15
	for i := h >> 32 & mask; ; i = (i + 1) & mask {
		if n := a.slots[i]; n == 0 || a.list[n-1].place == *p {
			return i
		}
	}
}

// answer is what the decisions say, or the plain option.
func (a *answers) answer(c *machine.Choice) int {
	n := a.slots[a.find(&place{c.Context, c.Index, c.Visit, c.Kind})]
	if n == 0 {
		return int(c.Plain)
	}
	if k := c.Find(a.list[n-1].answer); k >= 0 {
		return k
	}
	return int(c.Plain)
}
