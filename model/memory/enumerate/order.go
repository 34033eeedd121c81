package enumerate

import "github.com/fusedos/stramash/model/litmus"

// order finds what is locally ordered in a run.
func (r *run) order(isa litmus.ISA) {
	r.lob = make([]uint64, len(r.events))
	if isa == litmus.X86_64 {
		r.tso()
		transitive(r.lob)
		return
	}
	for j, b := range r.events {
		if b.read || b.write {
			r.dependencies(j)
			r.barriers(j)
		}
	}
	transitive(r.lob)
	r.pickLob()
	transitive(r.lob)
}

// before orders a set of events before event j.
func (r *run) before(j int, set uint64) {
	for i := range r.lob[:j] {
		r.lob[i] |= set >> i & 1 << j
	}
}

// tso is x86-64's: all but a write before a read, which a fence and a locked
// operation order as well. Herd takes lfence and sfence for mfence.
func (r *run) tso() {
	for j, b := range r.events {
		fenced := false
		for i := j - 1; i >= 0; i-- {
			a := r.events[i]
			switch {
			case a.loc < 0:
				fenced = true
			case b.loc >= 0 && (!a.write || !b.read || fenced || a.locked() || b.locked()):
				r.lob[i] |= 1 << j
			}
		}
	}
}

// locked is for x86-64.
func (e event) locked() bool {
	return e.op.Kind == litmus.OpUpdate || e.op.Kind == litmus.OpCAS
}

// dependencies are dob, pob, aob and IFB-ob but for what ISB and what follows in
// program order needs, which is in barriers.
func (r *run) dependencies(j int) {
	b := r.events[j]
	r.before(j, b.addr.dep)
	if b.write {
		r.before(j, b.data.pick|b.ctrl.pick|b.addr.pick)
		if b.pair >= 0 {
			r.before(j, 1<<b.pair) // rmw
		}
	}
	if b.read && b.local >= 0 {
		w := r.events[b.local]
		r.before(j, w.addr.dep|w.data.dep)
		if w.pair >= 0 && (b.op.Acquire || b.op.AcquirePC) {
			r.before(j, 1<<w.pair)
		}
	}
}

// barriers are bob, DSB-ob, IFB-ob and lwfs.
func (r *run) barriers(j int) {
	b := r.events[j]
	var fences [litmus.FenceStoreAny + 1]bool // between the two
	for i := j - 1; i >= 0; i-- {
		a := r.events[i]
		if a.loc < 0 {
			fences[a.op.Fence] = true
			if a.op.Fence == litmus.FenceISB {
				r.before(j, a.ctrl.pick)
			}
			continue
		}
		if b.write || fences[litmus.FenceISB] {
			r.before(j, a.addr.pick) // addr; po; [W] and addr; po; [ISB]; po
		}
		acquire, release := a.read && a.op.Acquire, a.write && a.op.Release
		amo := a.write && a.pair >= 0 && a.op.Kind != litmus.OpStoreEx
		if fences[litmus.FenceFull] ||
			fences[litmus.FenceLoad] && a.read && !a.op.NoRet ||
			fences[litmus.FenceStore] && a.write && b.write ||
			fences[litmus.FenceStoreAny] && a.write ||
			release && b.read && b.op.Acquire ||
			acquire || a.read && a.op.AcquirePC ||
			b.write && b.op.Release ||
			amo && release && a.op.Acquire ||
			b.write && a.loc == b.loc {
			r.lob[i] |= 1 << j
		}
	}
}

// pickLob is pick-dep; lob; [W].
func (r *run) pickLob() {
	writes := uint64(0)
	for j, e := range r.events {
		if e.write {
			writes |= 1 << j
		}
	}
	var more []uint64
	for i, a := range r.events {
		m := uint64(0)
		for k, e := range r.events {
			if e.reach.pick>>i&1 != 0 && !(e.op == a.op) {
				m |= r.lob[k] & writes
			}
		}
		more = append(more, m)
	}
	for i := range more {
		r.lob[i] |= more[i]
	}
}
