package machine

import "github.com/fusedos/stramash/machine/order"

// seen is what a look at a condition sees hold.
type seen struct {
	value   uint64
	options Set          // of the writes that can be read: those for which it holds
	own     *order.Store // or the store held back that makes it hold
}

// lookFor looks for a write that makes a condition hold and that t can read. A
// store of its own that is held back hides them all, and one that releases keeps an
// acquiring load waiting.
func (w *weak) lookFor(t *Thread, c *Cond, at access) (s seen, ok bool) {
	a := w.describe(t, c.op(), at)
	if w.mustWait(t.cpu, c.op(), at) {
		return s, false
	}
	if s.own = w.system.HeldTo(t.cpu.id, a.Word); s.own != nil {
		s.value = at.part(s.own.Value)
		return s, c.holds(s.value)
	}
	for k := range min(w.system.Readable(t.cpu.id, &a), maxReadable) {
		if v := at.part(w.system.Newest(a.Word, k).Value); c.holds(v) {
			if s.options == 0 {
				s.value = v
			}
			s.options |= Only(k)
		}
	}
	return s, s.options != 0
}

// look is one look of a wait at its i-th condition, which some write that can be
// read makes hold. It reads that one or the newest. It answers what was read, and
// whether that makes the condition hold.
func (t *Thread) look(w *waiting, i int) (v uint64, ok bool) {
	o, c, at := t.m.order, &w.conds[i], w.at[i]
	s, _ := o.lookFor(t, c, at)
	a := o.describe(t, c.op(), at)
	o.meets(t, c.op())
	if s.own != nil {
		return o.forward(t, &a, at, s.own), true
	}
	k := 0
	if o.free() {
		k = t.m.chooseOf(t.ctx, t.cpu, Read, s.options|Only(0))
	} else {
		k = s.options.First()
	}
	if v = o.take(t, &a, at, k); c.holds(v) {
		return v, true
	}
	t.saw(w, i)
	t.didRead(c.op().pack(), at, v)
	t.traceWait(w, i, c.op(), at.pa, v, false)
	return v, false
}
