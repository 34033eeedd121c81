package machine

// Relation compares a masked value with the wanted one.
type Relation uint8

// The relations.
const (
	Equal Relation = iota
	NotEqual
)

// Cond is a condition on one location: (value & Mask) Relation Want.
type Cond struct {
	Addr     VA
	Size     Size // zero means Size64
	Mask     uint64
	Relation Relation
	Want     uint64
	Order    Order // of the load that sees it hold: Plain, Relaxed, AcquirePC or Acquire
}

// Until is the condition that the 8 bytes at a equal v, with Acquire.
func Until(a VA, v uint64) Cond {
	return Cond{Addr: a, Size: Size64, Mask: ^uint64(0), Want: v, Order: Acquire}
}

// While is the condition that the 8 bytes at a differ from v, with Acquire.
func While(a VA, v uint64) Cond {
	c := Until(a, v)
	c.Relation = NotEqual
	return c
}

func (c Cond) holds(v uint64) bool { return (v&c.Mask == c.Want) == (c.Relation == Equal) }

// waiting is what a thread waits for. With no conditions it is an interrupt.
type waiting struct {
	t     *Thread
	conds []Cond
	at    []access
	words []PA // for a tracer
	times bool // it may give up
	holds bool // a condition does, as far as the CPU was told

	blocked Op   // the operation that waits for the CPU's buffer or TLBs, see Thread.ready,
	fetches bool // or for a line; see fabric

	through bool   // an MMU has translated what it looks at,
	epoch   uint64 // when its epoch was this
}

var forInterrupt = &waiting{}

// op is what the thread does when it is next chosen: it sees the first
// condition that holds, or gives up.
func (w *waiting) op() (op Op, holds bool) {
	if w.blocked.Kind != OpNone {
		ready := !w.fetches || w.t.m.fabric.has(w.t.cpu, w.at[0], w.blocked.Kind.Writes())
		return w.blocked, ready && !w.t.mustWait(w.blocked, w.at[0])
	}
	if w.stale() {
		return w.conds[0].op(), true
	}
	i, _, holds := w.first()
	if !holds && w.times {
		return w.timeout(), false
	}
	return w.conds[i].op(), holds
}

// timeout is the operation that gives up. It acquires if a condition does: then a store
// of its CPU that is held back and releases can be why it does not hold.
func (w *waiting) timeout() Op {
	op := w.conds[0].op()
	op.Kind = OpTimeout
	for i := range w.conds {
		if w.conds[i].Order == Acquire {
			op.Order = Acquire
		}
	}
	return op
}

// first is the first condition that holds, and the value that makes it so. Under
// a weak order it holds if it does for one of the writes that can be read.
func (w *waiting) first() (i int, v uint64, ok bool) {
	if o := w.t.m.order; o != nil {
		for i := range w.conds {
			if look, ok := o.lookFor(w.t, &w.conds[i], w.at[i]); ok {
				return i, look.value, true
			}
		}
		return 0, 0, false
	}
	for i, c := range w.conds {
		if v := w.t.m.stored(nil, w.at[i]); c.holds(v) {
			return i, v, true
		}
	}
	return 0, 0, false
}

func (w *waiting) watches(pa PA) bool {
	for i := range w.at {
		if w.at[i].pa&^7 == pa&^7 {
			return true
		}
	}
	return false
}

// Await rests until the condition holds, and answers the value that makes it
// so. It is how a spin is written: the thread takes no steps meanwhile, and
// interrupts that are enabled land in it.
func (t *Thread) Await(c Cond) uint64 {
	_, v, _ := t.await(false, c)
	return v
}

// AwaitAny rests until one of the conditions holds, and answers the first
// such one with the value that makes it so.
func (t *Thread) AwaitAny(conds ...Cond) (i int, v uint64) {
	i, v, _ = t.await(false, conds...)
	return i, v
}

// AwaitTimeout is AwaitAny, but may give up at any moment, as a spin with a
// deadline does; then ok is false. In the natural run it gives up only when
// nothing else can move.
func (t *Thread) AwaitTimeout(conds ...Cond) (i int, v uint64, ok bool) {
	return t.await(true, conds...)
}

func (t *Thread) await(times bool, conds ...Cond) (i int, v uint64, ok bool) {
	w := t.waiter(times, conds)
	for {
		op, _ := w.op()
		t.rest(w, op)
		if w.through && !t.looksAgain(w) {
			w = t.waiter(times, conds)
			continue
		}
		if f := t.m.fabric; f != nil {
			if i, _, ok := w.first(); ok && !f.granted(t, w.conds[i].op(), w.at[i], true) {
				t.restForLine(w.conds[i].op().pack(), w.at[i])
				continue
			}
		}
		if i, v, ok = w.first(); ok && t.m.order != nil {
			v, ok = t.look(w, i)
			if !ok {
				continue
			}
		}
		if ok || times {
			break
		}
	}
	if !ok {
		t.saw(w, len(w.conds))
		op := w.timeout()
		if t.m.order != nil {
			t.m.order.meets(t, op)
		}
		t.account(op)
		if h := t.m.timing; h != nil {
			h.compute(t.cpu, 1)
		}
		t.traceWait(w, len(w.conds), op, 0, 0, false)
		return 0, 0, false
	}
	t.saw(w, i)
	op := w.conds[i].op()
	t.didRead(op.pack(), w.at[i], v)
	t.traceWait(w, i, op, w.at[i].pa, v, true)
	return i, v, true
}

// waiter prepares the wait of t's context, of which there is one at a time.
func (t *Thread) waiter(times bool, conds []Cond) *waiting {
	if len(conds) == 0 {
		panic("await of no conditions: use WaitForInterrupt")
	}
	w := &t.ctx.wait
	w.t, w.times = t, times
	w.conds, w.at = append(w.conds[:0], conds...), w.at[:0]
	w.through = false
	for i := range w.conds {
		c := &w.conds[i]
		if c.Size == 0 {
			c.Size = Size64
		}
		w.at = append(w.at, t.find(w, c.op()))
	}
	return w
}

// translated is told that what a wait looks at was looked up, just now.
func (w *waiting) translated(u *mmu) {
	if u != nil && !w.through { // of several, the first one: none may be older
		w.through, w.epoch = true, u.epoch
	}
}

// looksAgain accounts that a wait, when it is its turn, depends on what has been
// invalidated. It answers false if it must be translated anew.
func (t *Thread) looksAgain(w *waiting) bool {
	if u := t.cpu.mmu; u != nil {
		u.lookedUp(t.ctx)
	}
	if !w.stale() {
		return true
	}
	t.local(Op{Kind: OpTranslate, Size: w.conds[0].Size, Addr: w.conds[0].Addr}, false)
	return false
}

// stale says whether what a wait looks at must be translated anew.
func (w *waiting) stale() bool {
	if !w.through || w.t.cpu == nil {
		return false
	}
	u := w.t.cpu.mmu
	return u == nil || u.epoch != w.epoch
}

// saw accounts that t saw the first n conditions not hold.
func (t *Thread) saw(w *waiting, n int) {
	for i, a := range w.at[:n] {
		t.hashRead(w.conds[i].op().pack(), a.loc, t.m.stored(nil, a))
	}
}

// traceWait tells the tracer of a wait that saw the first n conditions not hold.
func (t *Thread) traceWait(w *waiting, n int, op Op, pa PA, v uint64, ok bool) {
	if t.m.tracer == nil {
		return
	}
	w.words = w.words[:0]
	for _, a := range w.at[:n] {
		w.words = append(w.words, a.pa&^7)
	}
	t.tell(op, pa, v, 0, ok, w.words)
}

func (c Cond) op() Op { return Op{OpAwait, c.Size, c.Order, c.Addr} }

// rest announces op while t waits for w.
func (t *Thread) rest(w *waiting, op Op) {
	t.wait = w
	t.m.alert++
	t.m.watch()
	t.cpu.refresh()
	t.announce(op.pack())
	t.restNoMore()
}

func (t *Thread) restNoMore() {
	t.wait = nil
	t.m.alert--
	t.cpu.refresh()
}

// find locates what a thread will wait for; a fault is handled first.
func (t *Thread) find(w *waiting, op Op) access {
	for {
		through := t.cpu.mmu != nil && t.cpu.mmu.covers(op.Addr)
		look := op
		if through {
			look.Kind = OpTranslate
			t.announce(look.pack())
		}
		if a, ok := t.locate(look); ok {
			if through {
				t.local(look, true)
				w.translated(t.cpu.mmu)
			}
			return a
		}
		t.fault(op)
		if !through {
			t.announce(op.pack())
		}
	}
}

// Some spins are not announced. A thread that has executed the same load
// Limits.Spins times in a row with the same result, or that loads when memory has
// not changed for 64 times as many steps, seems to spin. It rests until that location,
// or memory at all, changes, or nothing else can move. But it may be about to
// give up, so whether it goes on for another pollLoads, alone, is a choice: looks
// that see the same commute, so one exception leads to the end of the poll. In
// the fair phase, where the others do come to move, it rests after fairLoads.
const (
	pollLoads = 128
	fairLoads = 64
	anywhere  = ^PA(0) // the word to rest on that stands for all of memory
)

// calmSteps is after how many steps without a change of memory a load seems to be
// that of a spinner.
func (m *Machine) calmSteps() int { return 64 * m.limits.Spins }

// repeats is told of each load, and of each write that changed nothing.
func (t *Thread) repeats(l PA, v uint64) {
	if t.spinLoc == l && t.spinVal == v {
		t.lookForSpin(l)
	} else {
		t.spinLoc, t.spinVal, t.spins = l, v, 1
		if t.m.steps > t.m.calm {
			t.lookForSpin(l)
		}
	}
}

// lookForSpin is told of a load that repeats the thread's last one or comes
// after a long calm.
func (t *Thread) lookForSpin(l PA) {
	m := t.m
	t.spins++
	switch {
	case m.phase == unwinding || m.polling > 0:
	case m.phase == fair:
		if t.spins >= fairLoads {
			t.takeRest(l)
		}
	case m.steps > m.calm:
		t.restOrPoll(anywhere)
	case t.spins >= m.limits.Spins:
		t.restOrPoll(l)
	}
}

// restOrPoll has a thread that seems to spin rest, or go on alone for a while.
func (t *Thread) restOrPoll(on PA) {
	t.m.guessed = "a thread repeated a load as if it spun; write the spin with Await, or raise Limits.Spins"
	if !t.pollsOn() {
		t.takeRest(on)
		return
	}
	t.restOn = on
	t.m.polling, t.m.bound = pollLoads, 0
}

// stillPolls says whether a thread that goes on alone does so with op. If not,
// the others can move again.
func (t *Thread) stillPolls(op announced) bool {
	m := t.m
	if m.polling > 1 && m.enabled&t.cpu.bit != 0 && t.spinsOn(op) {
		m.polling--
		m.calm++ // that others don't write meanwhile says nothing
		return true
	}
	m.endPoll()
	return false
}

func (m *Machine) endPoll() { m.polling, m.bound = 0, m.limits.Steps }

// pollsOn asks whether a thread that seems to spin goes on all the same.
func (t *Thread) pollsOn() bool {
	m := t.m
	if m.phase != adversarial || m.polls >= m.limits.Polls || m.enabled&^t.cpu.bit == 0 {
		return false
	}
	if m.choose(t.ctx, t.cpu, Poll, 2) == 0 {
		return false
	}
	m.polls++
	return true
}

// takeRest moves the thread's CPU to the reserve.
func (t *Thread) takeRest(on PA) {
	t.resting, t.restOn = true, on
	t.m.alert++
	t.m.set(t.cpu.bit, true, true)
}

// spinsOn says whether a thread that rests would still spin if it executed op.
// A thread that was about to give up must not be held back.
func (t *Thread) spinsOn(op announced) bool {
	k := op.kind()
	if k.Reads() && (t.cpu.translate != nil || t.cpu.mmu != nil || PA(op.addr)&^7 == t.spinLoc) {
		return true
	}
	return t.restOn == anywhere && k != OpStore && k != OpStoreEx && k != OpSend && k != OpSpawn && k != OpAlloc && k != OpFree &&
		k != OpInvalidate && k != OpBroadcast && k != OpRoot
}

// getUp ends a spinner's rest, and forgets what it had repeated.
func (t *Thread) getUp() {
	t.spins, t.spinLoc = 0, anywhere
	if t.resting {
		t.resting = false
		t.m.alert--
	}
}

// wakeUp ends a spinner's rest.
func (t *Thread) wakeUp() {
	t.getUp()
	t.cpu.refresh()
}

// lookAgain ends a spinner's rest until it sees that nothing has changed.
func (t *Thread) lookAgain() {
	loc, v := t.spinLoc, t.spinVal
	t.wakeUp()
	t.spinLoc, t.spinVal, t.spins = loc, v, t.m.limits.Spins-1
}
