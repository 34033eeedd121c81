package fuzz

import (
	"github.com/fusedos/stramash/machine"
)

// search explores all classes of a target's runs, or of a part of them, depth
// first: source-DPOR with sleep sets (P. Abdulla, S. Aronis, B. Jonsson and K.
// Sagonas, "Optimal dynamic partial order reduction", POPL 2014). Two runs are
// of one class if they differ in the order of independent steps only, which
// machine.Result.Fingerprint tells. A run is made again from its beginning for
// each branch, with the answers that lead there.
//
// An agent is a CPU, its store buffer or its TLB: whether a CPU makes its own next step or an
// interrupt lands in it instead is a branch of the agent's step, as is every question that a step
// asks (does a store-exclusive fail, what workload is tried, does a spin go on),
// and all branches are explored. An awaiting CPU is no agent until its condition
// holds, so that spins make no infinite runs.
type search struct {
	*runner
	agents  int    // CPUs of the machine, their store buffers and their TLBs
	slots   []Set  // of each agent: the options of a question who moves that are its own
	granule uint64 // of exclusives; zero if no CPU has any, or each word is its own

	nodes []node // the questions on the way to where the search is
	pos   int    // questions asked in this run
	from  int    // the node from which on the run is new; -1 for all of it
	live  bool   // the run is new by now
	met   bool   // its agents are known

	steps   []step
	clocks  []int32 // of each step, by agent: how many of its steps happened before
	touches []touch // of all steps
	last    []int32 // of each agent: its last step; -1 if none
	objects *objects
	open    step // in progress
	path    []uint8
	kept    []touch                    // of leaves
	paths   []uint8                    // of leaves
	leaves  []leaf                     // of all nodes
	asleep  []leaf                     // where the search is
	races   []int32                    // of the last step: what may have raced with it
	raced   []int32                    // and what did
	against []int32                    // see pending
	first   [3 * machine.MaxCPUs]int32 // see independent
	words   []machine.PA
	tlbs    []int
	skips   []skip // of all steps

	all     bool                         // goes on behind a violation
	full    int                          // nodes above this depth try all agents
	claim   func(number uint64) *Subtree // answers those to explore; nil for none
	reached uint64                       // roots of subtrees
	deeper  bool                         // some had nodes below them
	root    int                          // the depth of that in progress
	sub     *Subtree                     // in progress
	asked   uint16                       // as Subtree.Asked, above the subtrees
	closed  *Subtree                     // has just been finished
	classes map[uint64]struct{}          // of the subtree in progress
	fixed   *Replayer                    // answers workload questions; nil to branch over them
	only    string                       // see ExhaustOptions
	drifted bool
}

// Set is a set of agents.
type Set = machine.Set

// step is what an agent does between two decisions, or between two moments at
// which there was nothing to decide.
type step struct {
	agent   int
	line    bool  // an interrupt fires
	node    int32 // where it was chosen; -1 if nothing else could move
	number  int   // of the machine's step
	seq     int32 // among the agent's steps, from 1
	prev    int32 // the agent's step before it
	from    int   // its touches: from here up to those of the next step
	path    int   // its option of the question who moves, and its answers to others
	thread  machine.Handle
	fresh   bool // chosen, and nothing has happened yet
	polls   bool // it goes on alone
	awaits  bool
	several bool // an await of more than one condition
	live    int  // threads that had not finished before it
	final   bool // a thread finished
	ends    bool // the run
	unmade  bool // it has not been made, but might have been; see pending and starved
	saved   bool // as a leaf
	is      bool // there is one
}

// node is a question with what has been explored of its answers.
type node struct {
	kind    machine.ChoiceKind
	options Set
	todo    Set // answers that must be explored, with those that have been
	done    Set
	sleeps  Set // answers of which all that can follow has been explored
	halves  Set // answers of agents of which some ways to go on sleep
	pick    int
	base    int // the node of the step that it is part of; itself if it asks who moves; -1 for none
	steps   int // finished before it
	leaves  [2]int
	kept    int // len(search.kept) with its leaves
	paths   int
}

// leaf is one way in which a step of an agent went, all that follows which has
// been explored: while it sleeps, the step need not be tried. It wakes when a
// step is made that it conflicts with.
type leaf struct {
	agent   int
	awake   bool // kept beside those that sleep, as another way of the same step
	final   bool
	since   int    // steps made before it
	touches [2]int // in search.kept
	path    [2]int // in search.paths
}

func newSearch(r *runner) *search {
	s := &search{runner: r, objects: newObjects(), from: -1, classes: map[uint64]struct{}{}}
	r.traced = s.observe
	r.machine.SetRecorder(func(rec *machine.Record) {
		s.record(rec)
		if len(r.online.sessions) > 0 {
			r.recorded(rec)
		}
	})
	for cpu := range r.machine.CPUs() {
		if r.machine.ISA(cpu).Exclusives {
			s.granule = max(r.target.Platform.Granule, 8)
			if r.target.Platform.Granule == 0 {
				s.granule = 64
			}
		}
	}
	if s.granule == 8 {
		s.granule = 0 // then the conflicts of words are enough
	}
	return s
}

// next makes the next run. It answers false if it was the last.
func (s *search) next() bool {
	s.pos, s.live, s.met, s.cut, s.closed = 0, s.from < 0, false, false, nil
	s.open = step{}
	if s.live {
		s.asleep = s.asleep[:0]
	}
	v := s.run(s)
	s.finish(v)
	if s.drifted {
		return false
	}
	if s.account(v); s.closed != nil { // by a violation
		return false
	}
	more := s.backtrack()
	if s.sub != nil && (!more || len(s.nodes) <= s.root) {
		s.closed, s.sub = s.sub, nil
	}
	return more
}

// reach is at the root of a subtree. It answers false if it is not to be explored.
func (s *search) reach() bool {
	number := s.reached
	s.reached++
	if s.claim == nil {
		return false
	}
	if s.sub = s.claim(number); s.sub == nil {
		return false
	}
	s.root = len(s.nodes)
	clear(s.classes)
	return true
}

// account notes what came of a run.
func (s *search) account(v *verdict) {
	if s.sub == nil && (s.cut || !s.reach()) {
		return
	}
	b := s.sub
	if s.cut {
		b.Blocked++
		return
	}
	b.count(v)
	if _, known := s.classes[v.Fingerprint]; !known {
		s.classes[v.Fingerprint] = struct{}{}
		b.Classes++
		b.Hash += scramble(v.Fingerprint)
	}
	if b.judge(s.runner, v, s.only) && !s.all {
		s.closed, s.sub = b, nil
	}
}

// share is how much of the subtree in progress has been explored, if each node's
// branches are alike (D. Knuth, "Estimating the efficiency of backtrack
// programs", Mathematics of Computation 29, 1975).
func (s *search) share() float64 {
	explored, part := 0.0, 1.0
	for i := s.root; i < len(s.nodes); i++ {
		n := &s.nodes[i]
		branches := float64((n.todo &^ n.sleeps).Len())
		explored += part * float64((n.done &^ n.sleeps).Len()) / branches
		part /= branches
	}
	return explored
}

// Choose answers a question of the run.
func (s *search) Choose(c *machine.Choice) int {
	if c.Kind == machine.Workload && s.fixed != nil {
		return s.fixed.Choose(c)
	}
	at := s.pos
	s.pos++
	if at < len(s.nodes) {
		return s.repeat(c, at)
	}
	s.ask(int(c.Kind))
	if c.Kind != machine.Move {
		return s.branch(c)
	}
	return s.move(c)
}

// ask notes that a kind of choice was met.
func (s *search) ask(kind int) {
	if s.sub != nil {
		s.sub.Asked |= 1 << kind
	} else {
		s.asked |= 1 << kind
	}
}

// repeat answers as the run before did, or as the search has decided since.
func (s *search) repeat(c *machine.Choice, at int) int {
	n := &s.nodes[at]
	if n.options != c.Options || n.kind != c.Kind {
		s.drifted = true
		return int(c.Plain)
	}
	if at == s.from {
		s.live = true
		s.asleep = s.asleep[:0]
	}
	switch {
	case !s.live:
	case c.Kind == machine.Move:
		s.meet()
		s.complete(c.Options)
		s.begin(n.pick, int32(at))
	case s.enter(s.asker(c), s.machine.Steps()):
		s.answer(c, n.pick)
	}
	return n.pick
}

// move is a new question who moves.
func (s *search) move(c *machine.Choice) int {
	s.meet()
	s.complete(c.Options)
	n := node{
		kind: machine.Move, options: c.Options, base: len(s.nodes), steps: len(s.steps),
		leaves: [2]int{len(s.leaves), len(s.leaves) + len(s.asleep)},
	}
	s.leaves = append(s.leaves, s.asleep...)
	n.kept, n.paths = len(s.kept), len(s.paths)
	n.sleeps = s.sleepers()
	free := c.Options &^ n.sleeps
	if free == 0 {
		s.abandon()
	}
	if s.sub == nil && len(s.nodes) >= s.full {
		s.deeper = true
		if !s.reach() {
			s.abandon()
		}
	}
	if c.Options>>s.machine.CPUs() != 0 {
		s.ask(askedLine)
	}
	n.halves = s.halves(c.Options, n.sleeps)
	first := free
	if whole := free &^ n.halves; whole != 0 {
		first = whole
	}
	if n.pick = int(c.Plain); !first.Has(n.pick) {
		n.pick = first.First()
	}
	n.try(s.own(n.pick, c.Options))
	if len(s.nodes) < s.full || s.mayEnd() {
		n.todo = n.options
	}
	s.nodes = append(s.nodes, n)
	s.begin(n.pick, int32(n.base))
	return n.pick
}

// branch is a new question of the step in progress, or of what comes before the
// first one.
func (s *search) branch(c *machine.Choice) int {
	inside := s.enter(s.asker(c), s.machine.Steps())
	n := node{
		kind: c.Kind, options: c.Options, base: -1, steps: len(s.steps),
		kept: len(s.kept), paths: len(s.paths), leaves: [2]int{len(s.leaves), len(s.leaves)},
	}
	for i := len(s.nodes) - 1; i >= 0 && n.base < 0; i-- {
		if s.nodes[i].kind == machine.Move {
			n.base = i
		}
	}
	n.todo = c.Options
	if inside {
		n.todo = s.unexplored(c.Options)
		if n.todo == 0 {
			s.abandon()
		}
	}
	n.pick = n.todo.First()
	s.nodes = append(s.nodes, n)
	if inside {
		s.answer(c, n.pick)
	}
	return n.pick
}

// answer notes an answer of the step in progress.
func (s *search) answer(c *machine.Choice, pick int) {
	s.path = append(s.path, uint8(pick))
	s.open.polls = s.open.polls || c.Kind == machine.Poll && pick == 1
}

// abandon gives the run up.
func (s *search) abandon() {
	s.cut = true
	s.machine.Abandon()
}

// meet looks at the machine, when the agents of a run are known: what the set-up
// chose may decide which interrupt lines there are.
func (s *search) meet() {
	if s.met {
		return
	}
	s.met = true
	if s.agents == 0 {
		s.agents = 3 * s.machine.CPUs()
		s.slots, s.last = make([]Set, s.agents), make([]int32, s.agents)
		for a := range s.last {
			s.last[a] = -1
		}
	}
	clear(s.slots)
	for k := range s.machine.Agents() {
		s.slots[s.agentOf(s.machine.AgentName(k))] |= machine.Only(k)
	}
}

// try adds answers to those that must be explored. Races tell what else must be
// from what is explored; so where an agent has ways to go on that are not explored
// here, nobody is left out.
func (n *node) try(answers Set) {
	if n.todo |= answers; n.todo&n.halves != 0 {
		n.todo = n.options
	}
}

// own is those of the options that the agent of one of them has.
func (s *search) own(option int, options Set) Set {
	return options & s.slots[s.agentOf(s.machine.AgentName(option))]
}

// backtrack goes back to the last node that has something left to explore.
func (s *search) backtrack() bool {
	for at := len(s.nodes) - 1; at >= 0; at-- {
		n := &s.nodes[at]
		s.save(at)
		n.done |= machine.Only(n.pick)
		if left := n.todo &^ n.done &^ n.sleeps; left != 0 {
			n.pick = left.First()
			s.nodes = s.nodes[:at+1]
			s.rewind(n)
			return true
		}
	}
	return false
}

// rewind undoes what the search knows of the run from the step of n on.
func (s *search) rewind(n *node) {
	s.from = n.base
	steps := 0
	if n.base >= 0 {
		b := &s.nodes[n.base]
		steps = b.steps
		s.leaves, s.kept, s.paths = s.leaves[:b.leaves[1]], s.kept[:b.kept], s.paths[:b.paths]
	} else {
		s.leaves, s.kept, s.paths = s.leaves[:0], s.kept[:0], s.paths[:0]
	}
	for len(s.steps) > steps {
		s.undo()
	}
}

// undo forgets the last step.
func (s *search) undo() {
	top := len(s.steps) - 1
	x := &s.steps[top]
	for _, t := range s.touches[x.from:] {
		log := &s.objects.logs[t.object()]
		*log = (*log)[:len(*log)-1]
	}
	s.touches, s.path = s.touches[:x.from], s.path[:x.path]
	s.unskip(top)
	s.last[x.agent] = x.prev
	s.steps, s.clocks = s.steps[:top], s.clocks[:top*s.agents]
}
