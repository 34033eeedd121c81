package order

import (
	"encoding/binary"
	"slices"
)

// CopyFrom makes s a copy of another system of as many CPUs. It uses the memory of s.
func (s *System) CopyFrom(from *System) {
	s.Now = from.Now
	for len(s.words) < len(from.words) {
		s.AddWord(0)
	}
	s.words = s.words[:len(from.words)]
	for i := range from.words {
		w, f := &s.words[i], &from.words[i]
		w.messages, w.cpus = append(w.messages[:0], f.messages...), append(w.cpus[:0], f.cpus...)
	}
	for i := range from.cpus {
		held := s.cpus[i].held
		s.cpus[i] = from.cpus[i]
		s.cpus[i].held = append(held[:0], from.cpus[i].held...)
	}
}

// Compact rewrites the system to one that goes on in the same way, and to which as
// many others are rewritten as is easy: it forgets messages that no CPU can read any
// more, and numbers timestamps anew without gaps. Idle CPUs will do nothing any more,
// and hold nothing back. Deps are what else the user keeps of timestamps; they are
// rewritten, too.
//
// Views are compared with messages alone, so each becomes the newest message that it
// covers. What all CPUs must have seen is as old as the initial values.
func (s *System) Compact(idle func(cpu int) bool, deps []*TS) {
	floor := ^TS(0)
	for i := range s.cpus {
		c := &s.cpus[i]
		if idle(i) {
			*c = cpu{rules: c.rules, read: s.Now, held: c.held}
			for j := range s.words {
				s.words[j].cpus[i] = known{}
			}
			continue
		}
		floor = min(floor, c.read)
	}
	times := make([]TS, 0, 32)
	for i := range s.words {
		w := &s.words[i]
		w.messages = slices.Delete(w.messages, 0, w.hidden(s.cpus))
		for _, m := range w.messages {
			if m.At > floor {
				times = append(times, m.At)
			}
		}
	}
	slices.Sort(times)
	s.rewrite(func(t *TS) {
		n := TS(0)
		for int(n) < len(times) && times[n] <= *t {
			n++
		}
		*t = n
	})
	for _, d := range deps {
		n := TS(0)
		for int(n) < len(times) && times[n] <= *d {
			n++
		}
		*d = n
	}
}

// hidden counts the messages that no CPU can read any more.
func (w *word) hidden(cpus []cpu) int {
	n := len(w.messages) - 1
	for i := range cpus {
		floor := max(w.cpus[i].coherent, cpus[i].read)
		for n > 0 && w.messages[n].At > floor {
			n--
		}
	}
	return n
}

// rewrite does f to all timestamps.
func (s *System) rewrite(f func(*TS)) {
	f(&s.Now)
	for i := range s.words {
		w := &s.words[i]
		for j := range w.messages {
			f(&w.messages[j].At)
		}
		for j := range w.cpus {
			k := &w.cpus[j]
			for _, t := range []*TS{&k.coherent, &k.own, &k.order, &k.dep, &k.update} {
				f(t)
			}
		}
	}
	for i := range s.cpus {
		c := &s.cpus[i]
		for _, t := range []*TS{&c.read, &c.seen, &c.silent, &c.wrote, &c.control, &c.release, &c.link} {
			f(t)
		}
		for j := range c.held {
			f(&c.held[j].from)
		}
	}
}

// AppendState appends a text of bytes that tells the system from every other one of
// the same CPUs and words, but for the numbers of the stores.
func (s *System) AppendState(b []byte) []byte {
	for i := range s.words {
		w := &s.words[i]
		b = binary.AppendUvarint(b, uint64(len(w.messages)))
		for _, m := range w.messages {
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(m.At)), m.Value)
		}
	}
	for i := range s.cpus {
		held := s.cpus[i].held
		b = binary.AppendUvarint(b, uint64(len(held)))
		for j := range held {
			st := &held[j]
			b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(st.Word)), st.Mask)
			release := uint64(0)
			if st.Release {
				release = 1
			}
			b = binary.AppendUvarint(binary.AppendUvarint(b, st.Value), release)
		}
	}
	s.rewrite(func(t *TS) { b = binary.AppendUvarint(b, uint64(*t)) })
	return b
}
