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

// armRead has the thread read the message at time t; it is the view of the result.
func (s *state) armRead(a *access, t view) pair {
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
	post.pick = max(post.all, post.pick, a.addr.pick, dep.pick)
	p.coh = max(p.coh, post.all)
	if !a.noRet {
		s.read = s.read.join(post)
	}
	s.moved = s.moved.join(post)
	s.ctrl = max(s.ctrl, a.addr.pick)
	if a.acquire || a.acquirePC {
		s.reads = max(s.reads, post.all)
		s.writes = max(s.writes, post.pick)
	}
	return post.join(dep)
}

// armAfter is the view that a write of a comes after; pick is that of its data,
// and of the read that it belongs to.
func (s *state) armAfter(a *access, pick view) view {
	v := max(a.addr.pick, pick, s.ctrl, s.writes, s.places[a.place].coh)
	if a.release {
		v = max(v, s.moved.pick)
	}
	return v
}

// armWrite has the thread write the message at time t. The data depends on data;
// what reads it depends on dep as well; update is the view of the read if it is
// of a read-modify-write.
func (s *state) armWrite(a *access, t view, data, dep, update pair) {
	p := &s.places[a.place]
	dep = dep.join(a.addr).join(data)
	*p = place{coh: t, own: t, fwd: max(a.addr.all, data.all), dep: dep, update: update}
	s.wrote = max(s.wrote, t)
	s.moved = s.moved.join(pair{t, t})
	s.ctrl = max(s.ctrl, a.addr.pick)
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
		s.reads = max(s.reads, s.moved.all)
		s.writes = max(s.writes, s.moved.pick)
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
