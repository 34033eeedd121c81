package explore

import (
	"math/bits"

	"github.com/fusedos/stramash/model/litmus"
)

// cas does a compare-and-swap in all the ways in which it can go. It says whether
// any of them goes well.
func (r *runner) cas(depth int, op *litmus.Op, a *access) (ok bool) {
	want := litmus.FnMove.Apply(op.Width, 0, r.stack[depth].get(op.B).x)
	t := r.slot(&r.stack[depth], a.place)
	from := r.last(a.place, t)
	ts := r.readable(&r.stack[depth], a)
	if r.th.isa == litmus.X86_64 {
		return r.cmpxchg(depth, op, a, want)
	}
	if ts>>from&1 != 0 {
		if old := r.old(a.place, from); old == want {
			ok = r.casWrite(depth, op, a, from, t, false)
			ok = r.casWrite(depth, op, a, from, t, true) || ok
		} else if r.th.reread[r.stack[depth].pc-1] {
			ok = r.casWriteBack(depth, op, a, from, t)
		}
	}
	for ; ts != 0; ts &= ts - 1 {
		from := view(bits.TrailingZeros64(ts))
		c := r.fork(depth)
		c.bent = c.bent || r.old(a.place, from) == want
		v, _ := r.read(c, a, from)
		c.set(op.Dst, v)
		ok = r.walk(depth+1) || ok
	}
	return ok
}

// casWrite is a successful one. Its result may depend on the value compared with
// (which it equals) instead of on the read.
func (r *runner) casWrite(depth int, op *litmus.Op, a *access, from, t view, compared bool) bool {
	s := r.fork(depth)
	d, b := s.get(op.A), s.get(op.B)
	v, read := r.read(s, a, from)
	pick := pair{pick: max(b.view.pick, v.view.pick)}
	if compared {
		if b.view.all >= v.view.all {
			return false
		}
		s.set(op.Dst, value{v.x, b.view.join(pick)})
	} else {
		s.set(op.Dst, v)
	}
	after := s.armAfter(a, max(d.view.pick, b.view.pick))
	s.armWrite(a, t, d.view, pick, read)
	s.armFull(a, t)
	n := r.n
	return r.back(n, r.write(s, a.place, t, litmus.FnMove.Apply(op.Width, 0, d.x), after) && r.walk(depth+1))
}

// casWriteBack is a failed one that writes what it read: what reads that then
// does not depend on the read, but picks by it.
func (r *runner) casWriteBack(depth int, op *litmus.Op, a *access, from, t view) bool {
	s := r.fork(depth)
	b := s.get(op.B)
	v, read := r.read(s, a, from)
	s.set(op.Dst, v)
	pick := pair{pick: max(b.view.pick, v.view.pick)}
	after := s.armAfter(a, b.view.pick)
	s.armWrite(a, t, pair{}, pick, read)
	n := r.n
	return r.back(n, r.write(s, a.place, t, v.x, after) && r.walk(depth+1))
}

// cmpxchg is that of x86-64. One that fails is a locked read: it comes after all
// earlier writes.
func (r *runner) cmpxchg(depth int, op *litmus.Op, a *access, want uint64) (ok bool) {
	s := r.fork(depth)
	t := r.slot(s, a.place)
	from := r.last(a.place, t)
	if r.readable(s, a)>>from&1 != 0 && r.old(a.place, from) == want {
		d := s.get(op.A)
		s.set(op.Dst, value{x: want})
		n := r.n
		ok = r.back(n, r.lock(s, a.place, t, litmus.FnMove.Apply(op.Width, 0, d.x)) && r.walk(depth+1))
	}
	s = &r.stack[depth]
	s.x86Drain()
	for ts := r.readable(s, a); ts != 0; ts &= ts - 1 {
		from := view(bits.TrailingZeros64(ts))
		if r.old(a.place, from) != want {
			c := r.fork(depth)
			v, _ := r.read(c, a, from)
			c.set(op.Dst, v)
			ok = r.walk(depth+1) || ok
		}
	}
	return ok
}
