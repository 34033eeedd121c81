package machine

import (
	"fmt"
	"math/bits"
)

// Start is a thread that runs from the beginning of a run, on a CPU.
type Start struct {
	CPU  int
	Body func(*Thread)
}

// Starts is a list for n threads of one run, for the set-up to fill in and give
// to Run. The machine uses its memory again in the next run.
func (m *Machine) Starts(n int) []Start {
	m.mustBeSettingUp("Starts")
	if cap(m.starts) < n {
		m.starts = make([]Start, n)
	}
	return m.starts[:n]
}

// firstSlice is the shortest time slice of the fair phase, in steps. The slices
// of its rounds follow Luby's sequence, so that programs which need some time
// alone get it, and those which need many turns get them.
const firstSlice = 8

// luby is the i-th number, from 1, of the sequence 1 1 2 1 1 2 4 1 1 2 … (M.
// Luby, A. Sinclair and D. Zuckerman, Information Processing Letters 47, 1993).
func luby(i int) int {
	for {
		size := 1 << (bits.Len(uint(i)) - 1) // the largest power of two up to i
		if i == 2*size-1 {
			return size
		}
		i -= size - 1
	}
}

// Run executes the program until every thread has finished or the run has
// failed. Threads are started in order; two can't start on one CPU. Threads
// made by Spawn in the set-up run when a CPU switches to them.
func (m *Machine) Run(starts ...Start) Result {
	m.mustBeSettingUp("Run")
	for i, s := range starts {
		m.install(i, s)
	}
	m.refreshAll()
	m.phase = priming
	m.bare = m.order == nil && m.fabric == nil && !m.isTimed() && !m.translates && !m.mem.closed
	if h := m.timing; h != nil {
		h.choose(m)
	}
	if m.live == 0 {
		m.over(Finished, "", nil)
	} else if u := m.nextToPrime(); u != nil {
		m.target = u
	} else {
		m.begin()
		m.routeFirst()
	}
	for m.target != nil {
		m.target.resume()
	}
	m.unwindAll()
	if m.badAnswer != "" {
		panic(m.badAnswer)
	}
	return m.result()
}

// install puts the i-th thread on its CPU.
func (m *Machine) install(i int, s Start) {
	if s.CPU < 0 || s.CPU >= len(m.cpus) || s.Body == nil {
		panic(fmt.Sprintf("machine: thread %d starts on CPU %d of %d, with a body: %t", i, s.CPU, len(m.cpus), s.Body != nil))
	}
	c := m.cpus[s.CPU]
	if c.cur != c.idle {
		panic(fmt.Sprintf("machine: two threads start on CPU %d: give each a CPU of its own, or Spawn them", s.CPU))
	}
	p := rootPaths[i]
	t := m.addThread(m.newContext(p.path, p.name, nil), s.Body)
	c.cur, t.cpu, t.port = t, c, &c.port
}

// unwindAll ends the bodies that are still in progress.
func (m *Machine) unwindAll() {
	m.phase, m.bound = unwinding, 0
	if m.bodies == 0 {
		return
	}
	for _, t := range m.threads {
		if t.co.body {
			t.resume()
		}
	}
}

// over ends the run. The caller must then give up control.
func (m *Machine) over(o Outcome, detail string, stack []Site) {
	if m.phase == unwinding {
		return
	}
	m.outcome, m.detail, m.stack = o, detail, stack
	m.phase, m.bound, m.target = unwinding, 0, nil
	m.cut()
	if o == Finished {
		return
	}
	for _, t := range m.threads {
		if t.cpu == nil { // deferred functions may ask for it
			t.cpu, t.port = m.cpus[0], &m.cpus[0].port
		}
	}
}

// abort ends the run from within an operation.
func (m *Machine) abort(o Outcome, format string, args ...any) {
	m.over(o, fmt.Sprintf(format, args...), sites())
	panic(unwind{})
}

// announce says what t is about to do, and returns when it is t's turn to do
// it. This is where every scheduling decision is taken, in the running thread.
func (t *Thread) announce(op announced) {
	m, c, x := t.m, t.cpu, t.ctx
	c.op = op
	if m.steps >= m.bound {
		t.announceSlowly(op)
	} else if m.enabled != c.bit {
		if m.enabled&c.bit != 0 && op.kind() != OpTimeout {
			// The question of ask and put, with all calls resolved.
			q := &m.choice
			q.Kind, q.Current, q.Plain, q.Options = Move, int8(c.id), uint8(c.id), m.enabled
			q.Context, q.Index, q.Visit = x.name, x.index, x.visits[Move]
			if pick := m.chooser.Choose(q); pick != c.id {
				m.except(x, pick)
				if pick < len(m.cpus) {
					a := &m.agents[pick]
					m.transfer(t, a.cpu.cur)
					pick = t.cpu.id // chosen by whoever moved last
				}
				if pick != t.cpu.id || t.cpu.taking != nil {
					x.visits[Move], x.busy = x.visits[Move]+1, true // as put counts
					t.settle(op, pick)
				}
			}
		} else if pick := t.pause(op); pick != c.id {
			t.giveWay(op, pick)
		}
	}
	m.steps++
	x.index++
	if x.busy {
		m.settleContext(x)
	}
}

// pause asks who moves when t rests, waits, or would give up.
func (t *Thread) pause(op announced) int {
	if t.resting && !t.spinsOn(op) {
		t.wakeUp()
	}
	return t.m.ask(t.ctx, t.cpu.id)
}

// settleContext does what must be done at x's next event.
func (m *Machine) settleContext(x *context) {
	x.visits = [choiceKinds]uint16{}
	x.busy = false
	m.flush(x, m.steps-1)
}

// announceSlowly handles whatever is not an ordinary decision.
func (t *Thread) announceSlowly(op announced) {
	m := t.m
	if m.driven {
		panic("an access of Machine.Drive that is misaligned, or to no memory of the CPU, or not a plain one of 4 or 8 bytes")
	}
	switch m.phase {
	case settingUp:
		panic("machine: a thread's operation outside of Run")
	case unwinding:
		t.refuse()
	case priming:
		if u := m.nextToPrime(); u != nil {
			m.transfer(t, u)
			t.settle(op, t.cpu.id)
			return
		}
		m.begin()
		t.settle(op, m.decide(m.setup, -1))
	default:
		if m.polling > 0 && t.stillPolls(op) {
			return
		}
		t.settle(op, m.decide(t.ctx, t.cpu.id))
	}
}

// nextToPrime is the next thread that has not yet run up to its first
// operation: what it will do first is announced before anything is decided.
// It goes from the last CPU to the first, so that the natural run, which begins
// with the first, finds its coroutine on top of the others.
func (m *Machine) nextToPrime() *Thread {
	for m.prime > 0 {
		m.prime--
		if t := m.cpus[m.prime].cur; t.wait == nil {
			return t
		}
	}
	return nil
}

// begin ends the priming.
func (m *Machine) begin() {
	m.phase, m.bound = adversarial, m.limits.Steps
	if m.bound == 0 {
		m.becomeFair()
	}
}

// settle acts on a decision that t took, or that woke t, until t is chosen
// with the operation that it announced.
func (t *Thread) settle(op announced, pick int) {
	if pick == t.cpu.id && t.cpu.taking == nil {
		return
	}
	if pick == t.cpu.id {
		t.takeInterrupt()
		pick = t.decideAnew(op)
	}
	t.giveWay(op, pick)
}

// decideAnew decides who moves after t took an interrupt at op.
func (t *Thread) decideAnew(op announced) int {
	t.cpu.op = op
	t.stallLate(op)
	if t.wait != nil {
		t.cpu.refresh()
	}
	return t.m.decide(t.ctx, t.cpu.id)
}

// giveWay lets others move, beginning with pick, until t is chosen.
func (t *Thread) giveWay(op announced, pick int) {
	t.letMove(op, pick)
	if t.ctx.late {
		t.ctx.late = false
		t.restNoMore()
	}
}

func (t *Thread) letMove(op announced, pick int) {
	m := t.m
	for pick != t.cpu.id {
		a := &m.agents[pick]
		if m.acts(a) {
			pick = t.decideAnew(op)
			continue
		}
		if a.line != nil {
			m.deliver(a.line) // and its CPU enters the handler at once
		}
		if a.cpu != t.cpu {
			m.transfer(t, a.cpu.cur)
			if t.cpu.taking == nil {
				return
			}
		}
		t.takeInterrupt()
		pick = t.decideAnew(op)
	}
}

// acts has an agent make its step, if it is one that is no coroutine and no line.
func (m *Machine) acts(a *agent) bool {
	switch {
	case a.buffer != nil:
		m.drain(a.buffer)
	case a.mmu != nil:
		m.complete(a.mmu)
	case a.cache != nil:
		m.fabric.step(a.cache)
	default:
		return false
	}
	return true
}

// route finds the thread that runs next when the one that decides can't.
func (m *Machine) route(x *context) {
	a := &m.agents[m.decide(x, -1)]
	for m.acts(a) {
		a = &m.agents[m.decide(x, -1)]
	}
	if a.line != nil {
		m.deliver(a.line)
	}
	m.target = a.cpu.cur
}

// routeFirst is route for a run that begins with every CPU at rest.
func (m *Machine) routeFirst() {
	defer func() {
		if p := recover(); p != nil && p != (unwind{}) {
			panic(p)
		}
	}()
	m.route(m.setup)
}

// decide picks the agent that moves, whatever the phase. cur is the asker's
// own slot, or -1.
func (m *Machine) decide(x *context, cur int) int {
	if m.polling > 0 {
		m.endPoll()
	}
	if m.steps >= m.bound {
		if m.phase == adversarial {
			m.becomeFair()
		}
		if m.steps >= m.fairEnd {
			m.unfinished()
		}
		return m.rotate()
	}
	return m.ask(x, cur)
}

// ask puts the question who moves to the chooser, if it is one. In the natural
// run those of the reserve take turns.
func (m *Machine) ask(x *context, cur int) int {
	opts := m.enabled
	if opts == 0 {
		if opts = m.reserve; opts == 0 {
			m.stuck()
		}
	}
	pick := opts.First()
	if opts.Rest() != 0 {
		q := &m.choice
		q.Current, q.Plain = int8(cur), uint8(cur)
		if m.enabled == 0 {
			q.Current, q.Plain = -1, uint8(opts.after(cur))
		} else if cur < 0 || !opts.Has(cur) || m.cpus[cur].op.kind() == OpTimeout {
			q.Current, q.Plain = -1, uint8(m.plainMove(opts))
		}
		q.Kind, q.Options = Move, opts
		pick = m.put(x)
	}
	if m.reserve != 0 && m.reserve.Has(pick) {
		m.wakeReserve(pick)
	}
	return pick
}

// plainMove prefers CPUs to store buffers, TLBs and caches, those to interrupts, and interrupts to
// time-outs; among equals, the one with the lowest number.
func (m *Machine) plainMove(opts Set) int {
	if k := opts.First(); k < len(m.cpus) && m.cpus[k].op.kind() != OpTimeout {
		return k
	}
	best, rank := -1, 4
	for s := opts; s != 0; s = s.Rest() {
		k, r := s.First(), 0
		if a := &m.agents[k]; a.buffer != nil || a.mmu != nil || a.cache != nil {
			r = 1
		} else if a.line != nil {
			r = 2
		} else if a.cpu.op.kind() == OpTimeout {
			r = 3
		}
		if r < rank {
			best, rank = k, r
		}
	}
	return best
}

// put asks the question in m.choice for context x.
func (m *Machine) put(x *context) int {
	q := &m.choice
	q.Context, q.Index, q.Visit = x.name, x.index, x.visits[q.Kind]
	x.visits[q.Kind]++
	x.busy = true
	pick := m.chooser.Choose(q)
	if pick != int(q.Plain) {
		m.except(x, pick)
	}
	return pick
}

// except records an answer to m.choice that is not the plain one.
func (m *Machine) except(x *context, pick int) {
	q := &m.choice
	if uint(pick) > 63 || !q.Options.Has(pick) {
		m.badAnswer = fmt.Sprintf("machine: chooser %T answered %d, which is not an option of %b", m.chooser, pick, q.Options)
		m.abort(Panicked, "%s", m.badAnswer)
	}
	m.exceptions = append(m.exceptions, exception{
		context: x.num, index: q.Index, visit: q.Visit,
		kind: q.Kind, pick: uint8(pick), current: q.Current,
	})
}

// choose puts a question that is not who moves: 0 (plain) to n-1. It is asked on
// a CPU, or in the set-up.
func (m *Machine) choose(x *context, cpu *cpu, kind ChoiceKind, n int) int {
	return m.chooseOf(x, cpu, kind, ^Set(0)>>(64-uint(n)))
}

// chooseOf is choose with the options given, of which the smallest is plain.
func (m *Machine) chooseOf(x *context, cpu *cpu, kind ChoiceKind, options Set) int {
	if options.Rest() == 0 {
		return options.First()
	}
	q := &m.choice
	q.Kind, q.Options, q.Plain, q.Current, q.CPU = kind, options, uint8(options.First()), -1, 0
	if cpu != nil {
		q.CPU = uint8(cpu.id)
	}
	return m.put(x)
}

// becomeFair ends the adversarial phase.
func (m *Machine) becomeFair() {
	m.phase, m.bound, m.turnedFair = fair, 0, true
	m.fairEnd = m.steps + m.limits.FairSteps
	m.slice = 0
	if m.fabric != nil {
		m.fabric.recheck()
	}
}

// rotate gives every agent its turn.
func (m *Machine) rotate() int {
	opts := m.enabled | m.reserve
	if opts == 0 {
		m.stuck()
	}
	m.slice--
	if m.slice > 0 && m.enabled.Has(m.turn) {
		return m.turn
	}
	next := opts.after(m.turn)
	if next <= m.turn {
		m.round++
	}
	m.turn, m.slice = next, firstSlice*luby(m.round)
	if m.reserve.Has(m.turn) {
		m.wakeReserve(m.turn)
	}
	return m.turn
}

// wakeReserve lets an agent of the reserve move: a spinner looks again.
func (m *Machine) wakeReserve(k int) {
	if k < len(m.cpus) && m.cpus[k].cur.resting {
		m.cpus[k].cur.lookAgain()
	}
}
