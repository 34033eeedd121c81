package explore

import (
	"math/bits"

	"github.com/fusedos/stramash/model/litmus"
)

// A promise is a message that a thread may append to the memory next.
type promise struct {
	place int
	x     uint64
}

// A result is what a thread can do alone, from its start, in a memory.
type result struct {
	ok       bool      // some run fulfils all of its messages
	ends     []uint32  // of the runs that write nothing else
	promises []promise // what it may append
}

// How a run ended: the last word of a record of ends.
const (
	ended  = iota
	cut    // a loop was unrolled as often as it may
	failed // plus the index of the operation that did what is not supported
)

// A runner runs threads alone in a memory, depth first over what they may read.
type runner struct {
	*meter
	p     *litmus.Program
	th    *thread
	base  view                // messages of the memory
	n     view                // and those that the run has appended
	x     [maxTime + 1]uint64 // of each message: the value
	place [maxTime + 1]int    // of each message: the place
	next  [maxTime + 1]bool   // of each appended message: it could be the next of the memory
	on    []uint64            // of each place: the times of its messages, and 0
	mine  uint64              // times of the thread's own messages
	stack []state             // by depth
	out   result
	seen  []uint32 // of each end: the number of the run in which it was found
	run   uint32
	rec   []uint64
}

// result is what thread th can do in a memory, which is a node of each strand;
// nil if there is no room for it.
func (r *runner) result(th *thread, nodes []uint64) *result {
	i, fresh := th.tuples.add(nodes)
	if i < 0 {
		return nil
	}
	if !fresh {
		return &th.results[i]
	}
	r.load(th, nodes)
	s := r.at(0)
	*s = state{regs: append(s.regs[:0], th.init...), places: append(s.places[:0], make([]place, len(th.locs))...), open: r.mine}
	r.out.ok = r.walk(0)
	th.results = append(th.results, r.out)
	r.out = result{}
	return &th.results[i]
}

// load sets the memory: the messages of each strand follow each other.
func (r *runner) load(th *thread, nodes []uint64) {
	r.th, r.mine, r.n = th, 0, 0
	r.run++
	r.on = r.on[:0]
	for range th.locs {
		r.on = append(r.on, 1)
	}
	for i, node := range nodes {
		for n := node; n != 0; n = th.nodes[i].at(int(n - 1))[0] {
			r.n++
		}
		for t := r.n; node != 0; t-- {
			rec := th.nodes[i].at(int(node - 1))
			r.x[t], r.place[t] = rec[2], int(rec[1]>>1)
			r.on[rec[1]>>1] |= 1 << t
			r.mine |= (rec[1] & 1) << t
			node = rec[0]
		}
	}
	r.base = r.n
}

func (r *runner) at(depth int) *state {
	for len(r.stack) <= depth {
		r.stack = append(r.stack, state{})
	}
	return &r.stack[depth]
}

// fork is a copy of the state at depth, one deeper.
func (r *runner) fork(depth int) *state {
	c := r.at(depth + 1)
	c.copy(&r.stack[depth])
	return c
}

// walk runs the thread from the state at depth. It says whether a run fulfils
// all promises, and takes what was appended back.
func (r *runner) walk(depth int) bool {
	from := r.n
	return r.back(from, r.advance(depth))
}

// back takes back what was appended to the memory after from; ok says whether
// a run from there went well.
func (r *runner) back(from view, ok bool) bool {
	for ; r.n > from; r.n-- {
		if ok && r.next[r.n] {
			r.promise(promise{r.place[r.n], r.x[r.n]})
		}
		r.on[r.place[r.n]] &^= 1 << r.n
		r.mine &^= 1 << r.n
	}
	return ok
}

func (r *runner) promise(p promise) {
	for _, q := range r.out.promises {
		if q == p {
			return
		}
	}
	r.out.promises = append(r.out.promises, p)
}

// advance runs the thread until its end; where it may do different things, all
// but the last are done one deeper.
func (r *runner) advance(depth int) (ok bool) {
	for {
		s := &r.stack[depth]
		if !r.step() {
			return false
		}
		if s.pc == len(r.th.code) {
			return r.end(s, ended) || ok
		}
		op := &r.th.code[s.pc]
		if !accesses(op) {
			if op.Kind == litmus.OpCut {
				return r.end(s, cut) || ok
			}
			r.compute(s, op)
			continue
		}
		a, err := r.access(s, op)
		if err != nil {
			r.th.failed[s.pc] = err
			return r.end(s, failed+uint64(s.pc)) || ok
		}
		s.pc++
		alive := true
		switch op.Kind {
		case litmus.OpLoad, litmus.OpLoadEx:
			alive = r.loads(depth, op, &a, &ok)
		case litmus.OpStore:
			alive = r.store(s, op, &a)
		case litmus.OpStoreEx:
			c := r.fork(depth)
			c.monitor = 0
			c.set(op.Dst, value{x: 1})
			ok = r.walk(depth+1) || ok
			s = &r.stack[depth]
			alive = r.storeEx(s, op, &a)
		case litmus.OpUpdate:
			alive = r.update(s, op, &a)
		case litmus.OpCAS:
			return r.cas(depth, op, &a) || ok
		}
		if !alive {
			return ok
		}
	}
}

// end records the end of a run.
func (r *runner) end(s *state, how uint64) bool {
	if s.open != 0 {
		return false
	}
	if r.n > r.base || s.bent {
		return true
	}
	r.rec = r.rec[:0]
	for _, o := range r.th.observed {
		r.rec = append(r.rec, s.regs[o].x)
	}
	i, _ := r.th.ends.add(append(r.rec, how))
	if i < 0 {
		return false
	}
	for len(r.seen) <= i {
		r.seen = append(r.seen, 0)
	}
	if r.seen[i] != r.run {
		r.seen[i] = r.run
		r.out.ends = append(r.out.ends, uint32(i))
	}
	return true
}

// compute does an operation that does not access memory.
func (r *runner) compute(s *state, op *litmus.Op) {
	s.pc++
	a, b := s.get(op.A), s.get(op.B)
	switch op.Kind {
	case litmus.OpALU:
		v := a.view.join(b.view)
		s.set(op.Dst, value{op.Fn.Apply(op.Width, a.x, b.x), v})
		if op.SetFlags {
			s.regs[flags] = value{op.Fn.FlagsOf(op.Width, a.x, b.x), v}
		}
	case litmus.OpSelect:
		if !op.Cond.Holds(s.regs[flags].x) {
			a = b
		}
		a.view.pick = max(a.view.pick, s.regs[flags].view.pick)
		s.set(op.Dst, value{litmus.FnMove.Apply(op.Width, 0, a.x), a.view})
	case litmus.OpBranch:
		s.pc = op.Target
	case litmus.OpBranchIf:
		s.ctrl = max(s.ctrl, s.regs[flags].view.pick)
		if op.Cond.Holds(s.regs[flags].x) {
			s.pc = op.Target
		}
	case litmus.OpBranchZero:
		s.ctrl = max(s.ctrl, a.view.pick)
		if (litmus.FnMove.Apply(op.Width, 0, a.x) == 0) != op.Not {
			s.pc = op.Target
		}
	case litmus.OpFence:
		if r.th.isa == litmus.AArch64 {
			s.armFence(op.Fence)
		} else {
			s.x86Drain()
		}
	}
}

// access is where op goes.
func (r *runner) access(s *state, op *litmus.Op) (access, error) {
	base, index := s.regs[op.Addr.Base], s.regs[op.Addr.Index]
	a := access{
		place: r.th.where[s.pc], addr: base.view.join(index.view),
		acquire: op.Acquire, release: op.Release, acquirePC: op.AcquirePC, noRet: op.NoRet,
	}
	if a.place < 0 {
		l, err := r.p.Locate(op, base.x+index.x+op.Addr.Offset)
		if err != nil {
			return a, err
		}
		a.place = r.th.place[l]
	}
	return a, nil
}

// old is the value of the message at time t of a place.
func (r *runner) old(place int, t view) uint64 {
	if t == 0 {
		return r.p.Locations[r.th.locs[place]].Init
	}
	return r.x[t]
}

// readable are the times of the messages that a read of a may take: the newest
// that the thread must know of, and all newer ones; but none behind an own message
// that is yet to be written.
func (r *runner) readable(s *state, a *access) uint64 {
	floor := s.places[a.place].coh
	if r.th.isa == litmus.AArch64 {
		floor = max(floor, s.armFloor(a))
	} else {
		floor = max(floor, s.reads)
	}
	on := r.on[a.place]
	newest := bits.Len64(on&(2<<floor-1)) - 1
	ts := on &^ (1<<newest - 1)
	if own := s.open & on; own != 0 {
		ts &= own&-own - 1
	}
	return ts
}

// read has s read the message at time t; it is its value and the view of that, and
// the view of the read itself.
func (r *runner) read(s *state, a *access, t view) (v value, read pair) {
	v.x = r.old(a.place, t)
	if r.th.isa == litmus.AArch64 {
		read, v.view = s.armRead(a, t)
	} else {
		s.x86Read(a.place, t)
	}
	return v, read
}

// loads does a load in all ways but one in a run of its own, and the last in this one.
func (r *runner) loads(depth int, op *litmus.Op, a *access, ok *bool) (alive bool) {
	ts := r.readable(&r.stack[depth], a)
	for ; ts&(ts-1) != 0; ts &= ts - 1 {
		r.take(r.fork(depth), op, a, view(bits.TrailingZeros64(ts)))
		*ok = r.walk(depth+1) || *ok
	}
	if ts == 0 {
		return false
	}
	r.take(&r.stack[depth], op, a, view(bits.TrailingZeros64(ts)))
	return true
}

// take has s do a load that reads the message at time t.
func (r *runner) take(s *state, op *litmus.Op, a *access, t view) {
	v, read := r.read(s, a, t)
	if op.Kind == litmus.OpLoadEx {
		s.monitor, s.loaded, s.link = a.place+1, t, read
	}
	s.set(op.Dst, v)
}

// slot is the time of the next write of s to a place: its first promise there
// if it has one, else a new message.
func (r *runner) slot(s *state, place int) view {
	if own := s.open & r.on[place]; own != 0 {
		return view(bits.TrailingZeros64(own))
	}
	return r.n + 1
}

// write has s write x at time t, after what is seen from after. It says whether
// that can be.
func (r *runner) write(s *state, place int, t view, x uint64, after view) bool {
	if t <= r.n {
		s.open &^= 1 << t
		return r.x[t] == x && after < t
	}
	if t > maxTime {
		r.why = "a memory holds more than 63 writes"
		return false
	}
	r.n = t
	r.x[t], r.place[t], r.next[t] = x, place, after <= r.base
	r.on[place] |= 1 << t
	r.mine |= 1 << t
	return true
}

func (r *runner) store(s *state, op *litmus.Op, a *access) bool {
	d := s.get(op.A)
	d.x = litmus.FnMove.Apply(op.Width, 0, d.x)
	t := r.slot(s, a.place)
	if r.th.isa == litmus.X86_64 {
		after := s.writes
		s.x86Write(a.place, t)
		return r.write(s, a.place, t, d.x, after)
	}
	after := s.armAfter(a, d.view.pick)
	s.armWrite(a, t, d.view, pair{}, pair{})
	return r.write(s, a.place, t, d.x, after)
}

// storeEx is a successful STXR.
func (r *runner) storeEx(s *state, op *litmus.Op, a *access) bool {
	t := r.slot(s, a.place)
	between := r.on[a.place] &^ r.mine & (1<<t - 1) &^ (2<<s.loaded - 1)
	if s.monitor != a.place+1 || between != 0 {
		return false
	}
	d := s.get(op.A)
	after := s.armAfter(a, d.view.pick)
	s.armWrite(a, t, d.view, pair{}, s.link)
	s.monitor = 0
	s.set(op.Dst, value{})
	return r.write(s, a.place, t, litmus.FnMove.Apply(op.Width, 0, d.x), after)
}

// last is the newest message of a place before time t.
func (r *runner) last(place int, t view) view {
	return view(bits.Len64(r.on[place]&(1<<t-1)) - 1)
}

// update is a read-modify-write: it reads the message before the one that it writes.
func (r *runner) update(s *state, op *litmus.Op, a *access) bool {
	t := r.slot(s, a.place)
	from := r.last(a.place, t)
	if r.readable(s, a)>>from&1 == 0 {
		return false
	}
	d := s.get(op.A)
	x := op.Fn.Apply(op.Width, r.old(a.place, from), d.x)
	if r.th.isa == litmus.X86_64 {
		s.set(op.Dst, value{x: r.old(a.place, from)})
		return r.lock(s, a.place, t, x)
	}
	v, read := r.read(s, a, from)
	s.set(op.Dst, v)
	var dep pair
	if op.Fn != litmus.FnMove {
		dep = v.view
	}
	after := s.armAfter(a, d.view.pick)
	s.armWrite(a, t, d.view, dep, read)
	s.armFull(a, t)
	return r.write(s, a.place, t, x, after)
}

// lock is the write of a locked instruction of x86-64, which is a full barrier.
func (r *runner) lock(s *state, place int, t view, x uint64) bool {
	after := s.writes
	s.x86Write(place, t)
	s.x86Drain()
	return r.write(s, place, t, x, after)
}
