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
	Order    Order // of the load that sees it hold: Plain, AcquirePC or Acquire
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
	m     *Machine
	conds []Cond
	at    []access
	times bool // it may give up
}

var forInterrupt = &waiting{}

// holds says whether one of the conditions does.
func (w *waiting) holds() bool {
	_, _, ok := w.first()
	return ok
}

// first is the first condition that holds, and the value that makes it so.
func (w *waiting) first() (i int, v uint64, ok bool) {
	for i, c := range w.conds {
		if v := w.m.stored(nil, w.at[i]); c.holds(v) {
			return i, v, true
		}
	}
	return 0, 0, false
}

func (w *waiting) watches(l *location) bool {
	for i := range w.at {
		if w.at[i].loc == l {
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
	w := &t.waitBuf
	w.m, w.times = t.m, times
	w.conds, w.at = append(w.conds[:0], conds...), w.at[:0]
	for i := range w.conds {
		c := &w.conds[i]
		if c.Size == 0 {
			c.Size = Size64
		}
		w.at = append(w.at, t.find(c.op()))
	}
	for {
		i, v, ok = w.first()
		op := w.conds[i].op()
		if !ok && times {
			op.Kind = OpTimeout
		}
		t.rest(w, op)
		if i, v, ok = w.first(); ok {
			op = w.conds[i].op()
			t.didRead(op.pack(), w.at[i], v)
			break
		}
		if times {
			t.local(op, 0)
			return 0, 0, false
		}
	}
	if t.m.tracer != nil {
		t.trace(w.conds[i].op(), v, 0, true)
	}
	return i, v, true
}

func (c Cond) op() Op { return Op{OpAwait, c.Size, c.Order, c.Addr} }

// rest announces op while t waits for w.
func (t *Thread) rest(w *waiting, op Op) {
	t.wait = w
	t.m.alert++
	t.cpu.refresh()
	t.announce(op.pack())
	t.wait = nil
	t.m.alert--
	t.cpu.refresh()
}

// find locates what a thread will wait for; a fault is handled first.
func (t *Thread) find(op Op) access {
	for {
		if a, ok := t.locate(op); ok {
			return a
		}
		t.fault(op)
	}
}

// Some spins are not announced. A thread that has executed the same load
// spinLoads times in a row with the same result, or that loads when memory has
// not changed for calmSteps steps, is taken to spin: it rests until that
// location, or memory at all, changes, or nothing else can move. The bounds
// are above what code repeats for other reasons.
const (
	spinLoads = 4
	calmSteps = 256
	anywhere  = ^PA(0) // the word to rest on that stands for all of memory
)

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
	if t.m.phase == unwinding {
		return
	}
	if t.m.steps > t.m.calm {
		t.takeRest(anywhere)
	} else if t.spins++; t.spins >= spinLoads {
		t.takeRest(l)
	}
}

// takeRest moves the thread's CPU to the reserve.
func (t *Thread) takeRest(on PA) {
	t.resting, t.restOn = true, on
	t.m.alert++
	t.m.set(t.cpu.bit, true, true)
}

// wakeUp ends a spinner's rest.
func (t *Thread) wakeUp() {
	t.resting, t.spins = false, 0
	t.m.alert--
	t.cpu.refresh()
}
