package explore

// An x86-64 thread's writes come after all that it has read and written before:
// state.writes is the join of all of those. place.coh is its own newest write.

// x86Read has the thread read the message at time t. Its own newest write does not
// order its later reads: that is the store buffer.
func (s *state) x86Read(place int, t view) {
	p := &s.places[place]
	if t != p.coh {
		s.reads = max(s.reads, t)
	}
	s.writes = max(s.writes, t)
}

// x86Write has the thread write the message at time t.
func (s *state) x86Write(place int, t view) {
	s.places[place].coh = t
	s.writes = max(s.writes, t)
}

// x86Drain is mfence, and what a locked instruction does before it reads.
func (s *state) x86Drain() { s.reads = max(s.reads, s.writes) }
