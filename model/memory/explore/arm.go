package explore

import "github.com/fusedos/stramash/model/litmus"

// armFloor is the view that a read of a starts from.
func (s *state) armFloor(a *access) view {
	v := max(a.addr.all, s.reads)
	if a.acquire {
		v = max(v, s.released)
	}
	return v
}

// armRead has the thread read the message at time t; it is the view of the read, and
// that of the result, which depends on what a message of the thread's own did, too.
func (s *state) armRead(a *access, t view) (read, result pair) {
	p := &s.places[a.place]
	post := pair{all: max(s.armFloor(a), t)}
	var dep pair
	if t != 0 && t == p.own {
		post.all = max(s.armFloor(a), p.fwd)
		dep = p.dep
		if a.acquire || a.acquirePC {
			post = post.join(p.update)
		}
	}
	post.pick = max(post.all, post.pick, dep.pick)
	p.coh = max(p.coh, post.all)
	if !a.noRet {
		s.read = s.read.join(post)
	}
	s.moved = max(s.moved, post.all)
	s.ctrl = max(s.ctrl, a.addr.pick)
	if a.acquire || a.acquirePC {
		s.reads = max(s.reads, post.all)
		s.writes = max(s.writes, post.pick)
	}
	return post, post.join(dep)
}

// armAfter is the view that a write of a comes after; pick is that of its data. What
// orders a read orders all later writes as well: so that a write comes after the read
// of its own instruction, or of its location, needs no rule.
func (s *state) armAfter(a *access, pick view) view {
	s.ctrl = max(s.ctrl, a.addr.pick)
	v := max(pick, s.ctrl, s.writes)
	if a.release {
		v = max(v, s.moved)
	}
	return v
}

// armWrite has the thread write the message at time t. The data depends on data;
// what reads it depends on dep as well; update is the view of the read if it is
// of a read-modify-write.
func (s *state) armWrite(a *access, t view, data, dep, update pair) {
	p := &s.places[a.place]
	dep = dep.join(data)
	*p = place{coh: t, own: t, fwd: max(a.addr.all, data.all), dep: dep, update: update}
	s.wrote = max(s.wrote, t)
	s.moved = max(s.moved, t)
	if a.release {
		s.released = max(s.released, t)
	}
}

// armFull is the barrier that a read-modify-write with acquire and release is.
func (s *state) armFull(a *access, t view) {
	if a.acquire && a.release {
		s.reads, s.writes = max(s.reads, t), max(s.writes, t)
	}
}

func (s *state) armFence(k litmus.FenceKind) {
	switch k {
	case litmus.FenceFull:
		s.reads = max(s.reads, s.moved)
		s.writes = max(s.writes, s.moved)
	case litmus.FenceLoad:
		s.reads = max(s.reads, s.read.all)
		s.writes = max(s.writes, s.read.pick)
	case litmus.FenceStore:
		s.writes = max(s.writes, s.wrote)
	case litmus.FenceStoreAny:
		s.reads, s.writes = max(s.reads, s.wrote), max(s.writes, s.wrote)
	case litmus.FenceISB:
		s.reads = max(s.reads, s.ctrl)
	}
}
