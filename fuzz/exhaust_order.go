package fuzz

import (
	"slices"

	"github.com/fusedos/stramash/machine"
)

// begin opens the step of an agent, with an option that was chosen at a node.
func (s *search) begin(option int, at int32) {
	a := s.machine.AgentName(option)
	s.open = step{
		agent: s.agentOf(a), line: a.IsLine(), node: at, live: s.machine.Live(),
		from: len(s.touches), path: len(s.path), fresh: true, is: true,
	}
	s.path = append(s.path, uint8(option))
}

// observe is told of each event of a run.
func (s *search) observe(e *machine.Event) {
	if !s.live {
		return
	}
	s.enter(s.slotOf(e.Agent()), e.Step)
	s.open.thread = e.Thread
	s.touched(e)
}

// agentOf is the number of an agent. An interrupt line is part of its CPU; a store
// buffer and a TLB are not.
func (s *search) agentOf(a machine.Agent) int {
	if a.IsBuffer() {
		return s.machine.CPUs() + a.CPU()
	}
	if a.IsTLB() {
		return 2*s.machine.CPUs() + a.CPU()
	}
	return a.CPU()
}

// slotOf is the option of a question who moves that an agent is.
func (s *search) slotOf(a machine.Agent) int {
	k := a.CPU()
	for s.machine.AgentName(k) != a {
		k++
	}
	return k
}

// asker is the option of the agent whose step asks a question.
func (s *search) asker(c *machine.Choice) int {
	if c.Kind == machine.Drain {
		return s.slotOf(machine.BufferAgent(int(c.CPU)))
	}
	return int(c.CPU)
}

// enter makes sure that the step in progress is that of an option, with a number.
// If it is not, nothing else could move. It answers false before the first step.
func (s *search) enter(option, number int) bool {
	x := &s.open
	// When an interrupt fires, its CPU enters the handler at once.
	same := x.is && (int(s.path[x.path]) == option || x.line && x.agent == option && x.number == number)
	switch {
	case same && x.fresh:
		x.fresh, x.number = false, number
		return true
	case same && (x.number == number || x.polls):
		return true
	case !x.is && number == 0:
		return false
	}
	s.meet()
	s.complete(machine.Only(option))
	s.begin(option, -1)
	s.open.fresh, s.open.number = false, number
	if s.sleepers().Has(option) {
		s.abandon()
	}
	return true
}

// complete ends the step in progress. Then those of can are the options.
func (s *search) complete(can Set) {
	if !s.open.is {
		return
	}
	i := len(s.steps)
	x := s.open
	s.open.is = false
	x.final = s.machine.Live() < x.live
	x.ends = x.final && s.machine.Live() == 0
	x.prev = s.last[x.agent]
	x.seq = 1
	s.clocks = append(s.clocks, make([]int32, s.agents)...)
	if x.prev >= 0 {
		x.seq = s.steps[x.prev].seq + 1
		copy(s.clock(i), s.clock(int(x.prev)))
	}
	s.steps = append(s.steps, x)
	s.last[x.agent] = int32(i)
	s.join(i)
	for _, t := range s.touches[x.from:] {
		log := &s.objects.logs[t.object()]
		*log = append(*log, visit{int32(i), t.mode()})
	}
	s.disabled(can)
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
	if x.line {
		s.landEarlier(i, clock)
	}
	for _, j := range raced {
		s.race(int(j), i, clock)
	}
	for _, t := range s.touchesOf(i) {
		for _, k := range s.skips {
			if t.mode() == writes && t.object() == int(k.object) && !s.before(int(k.step), clock) {
				s.race(int(k.step), i, clock)
			}
		}
	}
}

// landEarlier has an interrupt race with its CPU's own steps, back to where it
// could have landed without more ado: there that is a branch.
func (s *search) landEarlier(i int, clock []int32) {
	option := int(s.path[s.steps[i].path])
	for j := s.steps[i].prev; j >= 0; j = s.steps[j].prev {
		if at := s.steps[j].node; at >= 0 && s.nodes[at].options.Has(option) {
			return
		}
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
	if first[p] == int32(i) && b.options&s.slots[p] == 0 && !s.couldMove(j, i) {
		return
	}
	begin := -1
	for q, f := range first {
		if f < 0 || b.options&s.slots[q] == 0 || !s.initial(q, int(f), i, clock, first) || int(f) == i && s.woken(b, j, i) {
			continue
		}
		if b.todo&s.slots[q] != 0 || s.covered(b, int(f)) {
			return
		}
		if begin < 0 || q == p {
			begin = q
		}
	}
	if begin >= 0 {
		b.try(b.options & s.slots[begin])
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

// couldMove says whether the agent of i, which could not move before j, may be able
// to when all has happened that does not depend on j.
func (s *search) couldMove(j, i int) bool {
	x, y := &s.steps[i], &s.steps[j]
	if x.several {
		return true
	}
	if x.line && y.agent != x.agent {
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
	if x.node < 0 {
		return
	}
	b := &s.nodes[x.node]
	for lost := b.options &^ can &^ s.slots[x.agent] &^ b.todo; lost != 0; lost = lost.Rest() {
		b.try(s.own(lost.First(), b.options))
	}
}

// cutOff adds to the races of a step that ends the run those steps without which
// it would have ended it, too: they are of idle contexts.
func (s *search) cutOff(x *step) {
	for a, k := range s.last {
		if k < 0 || a == x.agent {
			continue
		}
		if y := &s.steps[k]; y.line || int(y.thread) <= s.machine.CPUs() {
			s.races = append(s.races, k)
		}
	}
}

// finish ends the run.
func (s *search) finish(v *verdict) {
	if s.cut {
		s.drop()
		s.starved() // what sleeps says nothing of who awaits in vain
		return
	}
	if !s.open.is {
		return
	}
	s.complete(0)
	s.starved()
	s.pending()
}

// drop forgets the step in progress.
func (s *search) drop() {
	if s.open.is {
		s.touches, s.path = s.touches[:s.open.from], s.path[:s.open.path]
		s.unskip(len(s.steps))
		s.open.is = false
	}
}

// pending treats what the end of the run has cut off as if it had gone on then: it
// may have to go on while another thread is still to finish, and an interrupt may
// have to land earlier.
func (s *search) pending() {
	after := s.machine.CutOff()
	if after == 0 {
		return
	}
	finals := s.against[:0]
	for i := range s.steps {
		if s.steps[i].final || s.steps[i].line && s.machine.Capped() {
			finals = append(finals, int32(i))
		}
	}
	s.against = finals
	for ; after != 0; after = after.Rest() {
		a := s.machine.AgentName(after.First())
		s.begin(after.First(), -1)
		s.open.several, s.open.unmade = true, true
		switch {
		case a.IsLine():
			s.touch(lineSpace, uint64(a&0xffff), writes)
		case !a.IsBuffer() && !a.IsTLB():
			s.announced(a.CPU())
		}
		s.complete(^Set(0))
		s.raceAll(finals)
		s.undo()
	}
}

// announced is touched for what a CPU is about to do, without what only its doing
// would tell.
func (s *search) announced(cpu int) {
	e := machine.Event{CPU: cpu, OK: true, Op: s.machine.Announced(cpu)}
	if k := e.Op.Kind; k.Reads() || k.Writes() || k == machine.OpDevice {
		e.PA = machine.PA(e.Op.Addr)
		s.touched(&e)
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
		s.begin(cpu, -1)
		s.open.awaits, s.open.several, s.open.unmade = true, len(s.words) > 1, true
		for _, w := range s.words {
			s.touch(wordSpace, uint64(w), reads)
		}
		s.complete(^Set(0))
		s.undo()
	}
}
