package fuzz

import "sync"

// hashSet is a set of hashes that several goroutines may use. The zero value is
// empty.
type hashSet struct {
	parts [64]struct {
		mu    sync.Mutex
		slots []uint64 // open addressing; zero is free
		used  int
		zero  bool
	}
}

// add adds a hash, and answers whether it was not there.
func (s *hashSet) add(h uint64) bool {
	p := &s.parts[h>>58]
	p.mu.Lock()
	defer p.mu.Unlock()
	if h == 0 {
		had := p.zero
		p.zero = true
		p.used += int(one(!had))
		return !had
	}
	if 2*p.used >= len(p.slots) {
		old := p.slots
		p.slots = make([]uint64, max(16, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				p.slots[slot(p.slots, o)] = o
			}
		}
	}
	at := slot(p.slots, h)
	if p.slots[at] == h {
		return false
	}
	p.slots[at] = h
	p.used++
	return true
}

// slot is where a hash is, or would be.
func slot(slots []uint64, h uint64) uint64 {
	mask := uint64(len(slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		if slots[at] == h || slots[at] == 0 {
			return at
		}
	}
}

// len counts the hashes.
func (s *hashSet) len() uint64 {
	n := 0
	for i := range s.parts {
		p := &s.parts[i]
		p.mu.Lock()
		n += p.used
		p.mu.Unlock()
	}
	return uint64(n)
}
