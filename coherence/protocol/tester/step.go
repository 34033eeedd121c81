package tester

import (
	"fmt"

	"github.com/fusedos/stramash/coherence/protocol"
)

var names = map[protocol.ProcessorEvent]string{
	protocol.LoadEvent: "load", protocol.StoreEvent: "store", protocol.EvictEvent: "eviction",
}

// note notes a step for the reader.
func (r *round) note(format string, args ...any) {
	if r.steps != nil {
		*r.steps = append(*r.steps, fmt.Sprintf(format, args...))
	}
}

// make makes a step.
func (r *round) make(m move) *protocol.Violation {
	if m.class == arrives || m.class == happens {
		d := r.arrivals[m.at]
		if !d.ByItself() {
			r.Messages++
			r.idle++
		}
		if r.steps != nil {
			r.note("%s", r.s.DeliveryName(r.line, d))
		}
		return r.s.Deliver(r.line, d)
	}
	p := &r.active[m.at]
	if m.class != goesOn {
		r.idle = 0
		r.Operations++
		p.last = r.left == 0
		r.left = max(0, r.left-1)
	}
	if m.class == evicts {
		r.note("%s evicts", r.s.Name(p.number))
		_, v := r.s.Do(r.line, p.number, protocol.EvictEvent)
		return v
	}
	w := &r.words[m.word]
	if m.class == begins {
		p.busy, p.event, p.word = true, m.event, m.word
		if p.event == protocol.StoreEvent {
			w.storing = true
		} else {
			w.loading++
			w.due = max(0, w.due-1)
		}
	}
	out, v := r.s.Do(r.line, p.number, p.event)
	if v != nil || out != protocol.Hit {
		r.note("%s begins to %s word %d", r.s.Name(p.number), names[p.event], p.word)
		return v
	}
	p.busy, r.idle = false, 0
	if p.event == protocol.StoreEvent {
		return r.store(p, w)
	}
	return r.load(p, w)
}

// store performs the store of a value that no word had before.
func (r *round) store(p *port, w *word) *protocol.Violation {
	fresh := r.fresh()
	if fresh == 0 {
		return &protocol.Violation{Property: "values", Detail: "the line holds every value that there is at once"}
	}
	r.stored++
	r.holds[fresh] = append(r.holds[fresh][:0], r.holds[r.s.Value(r.line, p.number)]...)
	r.holds[fresh][p.word] = r.stored
	r.s.SetValue(r.line, p.number, fresh)
	r.latest = fresh
	w.value, w.by, w.storing, w.due = r.stored, r.s.Name(p.number), false, r.loads
	r.note("%s stores %d to word %d: the line is now #%d", w.by, r.stored, p.word, fresh)
	return nil
}

// fresh is a value that the line holds nowhere. Value 0 is the initial one for ever.
func (r *round) fresh() uint8 {
	used := r.s.Used(r.line)
	used[r.latest] = true
	for v := 1; v < r.s.Values; v++ {
		if !used[v] {
			return uint8(v)
		}
	}
	return 0
}

// load performs a load, and judges what it returns.
func (r *round) load(p *port, w *word) *protocol.Violation {
	w.loading--
	got := r.holds[r.s.Value(r.line, p.number)][p.word]
	r.note("%s loads %d from word %d", r.s.Name(p.number), got, p.word)
	if got == w.value {
		return nil
	}
	return &protocol.Violation{Property: "data value", Detail: fmt.Sprintf("%s loads %d from word %d, to which %s stored %d",
		r.s.Name(p.number), got, p.word, w.by, w.value)}
}

// look judges the copies that caches hold: what may be read is what was stored last, and
// what may be written nobody else may read or write.
func (r *round) look() *protocol.Violation {
	if r.o.LoadsOnly {
		return nil
	}
	holder, writer := -1, -1
	for p := range r.s.Processors() {
		writes := r.s.Writable(r.line, p)
		if !writes && !r.s.Readable(r.line, p) {
			continue
		}
		if holder >= 0 && (writer >= 0 || writes) {
			return &protocol.Violation{Property: "single writer", Detail: fmt.Sprintf("%s and %s hold the line, and one of them may write it",
				r.s.Name(holder), r.s.Name(p))}
		}
		if writes {
			writer = p
		}
		holder = p
	}
	for p := range r.s.Processors() {
		if v := r.s.Value(r.line, p); r.s.Readable(r.line, p) && v != r.latest {
			return &protocol.Violation{Property: "data value", Detail: fmt.Sprintf("%s holds the line as #%d, but stores made it #%d",
				r.s.Name(p), v, r.latest)}
		}
	}
	return nil
}
