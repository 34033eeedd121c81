package fuzz

import (
	"slices"

	"github.com/fusedos/stramash/machine"
)

// begin opens the step of an agent that was chosen at a node.
func (s *search) begin(agent int, at int32) {
	s.open = step{agent: agent, node: at, from: len(s.touches), path: len(s.path), fresh: true, is: true}
	s.open.live = s.machine.Live()
	s.open.cpu = s.machine.AgentName(agent).CPU()
}

// observe is told of each event of a run.
func (s *search) observe(e *machine.Event) {
	if !s.live {
		return
	}
	agent := e.CPU
	if e.Client < 0 {
		agent = s.lineAgent(e)
	}
	s.enter(agent, e.Step)
	s.open.thread = e.Thread
	s.touched(e)
}

func (s *search) lineAgent(e *machine.Event) int {
	k, want := s.machine.CPUs(), machine.LineAgent(e.CPU, machine.Vector(e.Op.Addr))
	for s.machine.AgentName(k) != want {
		k++
	}
	return k
}

// enter makes sure that the step in progress is that of an agent, with a number.
// If it is not, nothing else could move. It answers false before the first step.
func (s *search) enter(agent, number int) bool {
	x := &s.open
	switch {
	case x.is && x.fresh && x.agent == agent:
		x.fresh, x.number = false, number
		return true
	case x.is && x.agent == agent && (x.number == number || x.polls):
		return true
	case !x.is && number == 0:
		return false
	}
	if s.agents == 0 {
		s.meet()
	}
	// The handler of an interrupt that the running thread lets land is entered
	// without a question who moves.
	direct := x.is && s.machine.AgentName(x.agent) != machine.CPUAgent(x.cpu) && x.cpu == agent
	s.complete(machine.Only(agent), direct)
	s.begin(agent, -1)
	s.open.fresh, s.open.number = false, number
	if sleepers(s.asleep).Has(agent) {
		s.abandon()
	}
	return true
}

// complete ends the step in progress. Then those of can are the agents that can
// move, unless nobody was asked.
func (s *search) complete(can Set, direct bool) {
	if !s.open.is {
		return
	}
	if s.lined.Has(s.open.cpu) && s.open.agent == s.open.cpu {
		s.touch(cpuSpace, uint64(s.open.cpu), reads)
	}
	i := len(s.steps)
	x := s.open
	s.open.is = false
	x.final = s.machine.Live() < x.live
	x.prev = s.last[x.agent]
	x.seq = 1
	s.clocks = append(s.clocks, make([]int32, s.agents)...)
	clock := s.clock(i)
	if x.prev >= 0 {
		x.seq = s.steps[x.prev].seq + 1
		copy(clock, s.clock(int(x.prev)))
	}
	s.steps = append(s.steps, x)
	s.last[x.agent] = int32(i)
	s.join(i)
	for _, t := range s.touches[x.from:] {
		log := &s.objects.logs[t.object()]
		*log = append(*log, visit{int32(i), t.mode()})
	}
	if !direct {
		s.disabled(can)
	}
	s.wake()
}

func (s *search) clock(i int) []int32 { return s.clocks[i*s.agents : (i+1)*s.agents] }

// before says whether step i happened before what has the clock.
func (s *search) before(i int, clock []int32) bool {
	x := &s.steps[i]
	return clock[x.agent] >= x.seq
}

// join finds out what happened before the last step, and what it raced with: a
// conflicting step that happened before it for no other reason than the conflict.
func (s *search) join(i int) {
	x := &s.steps[i]
	clock := s.clock(i)
	s.races = s.races[:0]
	for _, t := range s.touchesOf(i) {
		s.conflicting(t, clock)
	}
	if x.ends {
		s.cutOff(x)
	}
	slices.Sort(s.races)
	s.races = slices.Compact(s.races)
	raced := s.raced[:0]
	for k := len(s.races) - 1; k >= 0; k-- { // from late to early
		j := int(s.races[k])
		direct := !s.before(j, clock)
		for a, n := range s.clock(j) {
			clock[a] = max(clock[a], n)
		}
		if direct || x.awaits {
			raced = append(raced, int32(j))
		}
	}
	clock[x.agent] = x.seq
	s.raced = raced
	for _, j := range raced {
		s.race(int(j), i, clock)
	}
}

// conflicting adds the steps that conflict with a touch of the last step, but for
// those that happened before another one of them or before the agent's last step.
// An await is different: it can be impossible to reverse it with the last write,
// but possible with one before that.
func (s *search) conflicting(t touch, clock []int32) {
	log := s.objects.logs[t.object()]
	x := &s.steps[len(s.steps)-1]
	for k := len(log) - 1; k >= 0; k-- {
		v := log[k]
		if !clash[v.mode][t.mode()] {
			continue
		}
		if y := &s.steps[v.step]; y.agent != x.agent && !s.before(int(v.step), clock) {
			s.races = append(s.races, v.step)
		} else if v.mode == writes {
			return
		}
		if v.mode == writes && !x.awaits {
			return
		}
	}
}

// race sees to it that step i is also tried before step j, which it raced with:
// that what has happened since and does not depend on j is tried in its place.
func (s *search) race(j, i int, clock []int32) {
	at := s.steps[j].node
	if at < 0 {
		return // nothing else could move
	}
	b := &s.nodes[at]
	if b.todo == b.options {
		return
	}
	first := s.independent(j, i)
	p := s.steps[i].agent
	if first[p] == int32(i) && !b.options.Has(p) && !s.couldMove(j, i, first) {
		return
	}
	var begin Set
	for q, f := range first {
		if f < 0 || !b.options.Has(q) || !s.initial(q, int(f), i, clock, first) {
			continue
		}
		if b.todo.Has(q) || s.covered(b, int(f)) {
			return
		}
		begin |= machine.Only(q)
	}
	switch {
	case begin == 0:
	case begin.Has(p):
		b.todo |= machine.Only(p)
	default:
		b.todo |= machine.Only(begin.First())
	}
}

// independent is, by agent, the first of the steps behind j, up to i, that do not
// depend on j; -1 if there is none. It counts i as one of them.
func (s *search) independent(j, i int) []int32 {
	first := s.first[:s.agents]
	for q := range first {
		first[q] = -1
	}
	for k := j + 1; k < i; k++ {
		if q := s.steps[k].agent; first[q] < 0 && !s.before(j, s.clock(k)) {
			first[q] = int32(k)
		}
	}
	if p := s.steps[i].agent; first[p] < 0 {
		first[p] = int32(i)
	}
	return first
}

// initial says whether the step f of agent q depends on no other one of those
// that do not depend on what i raced with.
func (s *search) initial(q, f, i int, clock []int32, first []int32) bool {
	if f != i {
		clock = s.clock(f)
	}
	for r, g := range first {
		if r != q && g >= 0 && s.before(int(g), clock) {
			return false
		}
	}
	return true
}

// couldMove says whether agent of i, which could not move before j, may be able
// to when all has happened that does not depend on j.
func (s *search) couldMove(j, i int, first []int32) bool {
	x, y := &s.steps[i], &s.steps[j]
	if x.agent == x.cpu || x.several { // not a line
		return x.several
	}
	if y.cpu != x.cpu {
		return false // it sent the interrupt
	}
	for k := j + 1; k < i; k++ {
		if !s.before(j, s.clock(k)) && conflict(s.touchesOf(k), s.touchesOf(i)) {
			return true // somebody else did
		}
	}
	return false
}

// disabled sees to it that those are tried that could have moved where the last
// step was chosen, and can't any more.
func (s *search) disabled(can Set) {
	x := &s.steps[len(s.steps)-1]
	at := x.node
	lost := Set(0)
	if at < 0 && len(s.steps) > 1 {
		// The handler was entered directly.
		if y := &s.steps[len(s.steps)-2]; y.agent != y.cpu && y.cpu == x.agent && y.node >= 0 {
			at, lost = y.node, machine.Only(y.agent)
		}
	}
	if at < 0 {
		return
	}
	b := &s.nodes[at]
	b.todo |= b.options &^ can &^ machine.Only(x.agent) &^ lost
}

// cutOff adds to the races of a step that ends the run those steps without which
// it would have ended it, too: they are of idle CPUs.
func (s *search) cutOff(x *step) {
	cpus := s.machine.CPUs()
	var idle [machine.MaxCPUs]int // each CPU's last step that is not its idle context's
	for c := range cpus {
		idle[c] = -1
		for k := s.last[c]; k >= 0; k = s.steps[k].prev {
			if int(s.steps[k].thread) > cpus {
				idle[c] = int(k)
				break
			}
		}
	}
	for a, k := range s.last {
		if k < 0 || a == x.agent {
			continue
		}
		if y := &s.steps[k]; y.cpu != x.cpu && int(k) > idle[y.cpu] {
			s.races = append(s.races, k)
		}
	}
}

// finish ends the run.
func (s *search) finish(v *verdict) {
	if s.cut || !s.open.is {
		s.drop()
		return
	}
	s.open.ends = v.Outcome == machine.Finished
	s.complete(0, false)
	s.starved()
	s.pending()
}

// drop forgets the step in progress.
func (s *search) drop() {
	if s.open.is {
		s.touches, s.path = s.touches[:s.open.from], s.path[:s.open.path]
		s.open.is = false
	}
}

// pending treats agents that the end of the run has cut off as if they had gone on
// then: they may have to go on while another thread is still to finish. So may an
// interrupt before each one that has used up the limit of interrupts in its place.
func (s *search) pending() {
	after := s.machine.CutOff()
	if after == 0 {
		return
	}
	finals, lines := s.against[:0], 0
	for i := range s.steps {
		if s.steps[i].final {
			finals = append(finals, int32(i))
		}
	}
	lines = len(finals)
	if s.machine.Capped() {
		for i := range s.steps {
			if x := &s.steps[i]; x.agent != x.cpu {
				finals = append(finals, int32(i))
			}
		}
	}
	s.against = finals
	for ; after != 0; after = after.Rest() {
		k := after.First()
		a := s.machine.AgentName(k)
		s.open = step{agent: k, cpu: a.CPU(), node: -1, from: len(s.touches), path: len(s.path), is: true, several: true}
		if a.IsLine() {
			s.touch(lineSpace, uint64(a.CPU()<<8)|uint64(a&0xff), writes)
			s.touch(cpuSpace, uint64(a.CPU()), writes)
			s.complete(^Set(0), true)
			s.raceAll(finals)
		} else {
			s.complete(^Set(0), true)
			s.raceAll(finals[:lines])
		}
		s.undo()
	}
}

// raceAll has the last step race with others.
func (s *search) raceAll(others []int32) {
	i := len(s.steps) - 1
	for _, j := range others {
		if s.steps[j].agent != s.steps[i].agent {
			s.race(int(j), i, s.clock(i))
		}
	}
}

// starved treats CPUs that have awaited in vain up to the end of the run as if
// they had gone on then: they may have to go on at another time.
func (s *search) starved() {
	for cpu := range s.machine.CPUs() {
		s.words = s.machine.Awaited(cpu, s.words[:0])
		if len(s.words) == 0 {
			continue
		}
		s.open = step{agent: cpu, cpu: cpu, node: -1, from: len(s.touches), path: len(s.path), awaits: true, several: len(s.words) > 1, is: true}
		for _, w := range s.words {
			s.touch(wordSpace, uint64(w), reads)
		}
		s.complete(^Set(0), true)
		s.undo()
	}
}
