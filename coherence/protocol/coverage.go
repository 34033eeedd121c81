package protocol

import "sync"

// Rule is a rule of a table for one of its states and events.
type Rule struct {
	Kind, State, Event string
	Line               int    // in the protocol's text
	Text               string // of the whole rule
	Stalls             bool
}

// Rules are those of the system's tables for each state and event, in the order of the
// tables. Their indices number them.
func (s *System) Rules() []Rule {
	var out []Rule
	for i := range s.tables {
		t := &s.tables[i]
		names := s.eventNames(t.kind)
		for at, cell := range t.cells {
			for _, x := range cell {
				r := t.kind.rows[x.row]
				out = append(out, Rule{t.kind.name, t.kind.states[at/t.events], names[at%t.events], r.line, r.text, x.how == stalls})
			}
		}
	}
	return out
}

// number numbers the rules, in the order of Rules.
func (s *System) number() {
	n := 0
	for i := range s.tables {
		for _, cell := range s.tables[i].cells {
			for j := range cell {
				cell[j].number = n
				n++
			}
		}
	}
}

// Coverage counts how often the rules of one system were used. The zero value is ready
// for use, by any number of goroutines.
type Coverage struct {
	mu    sync.Mutex
	parts [][]uint64 // one for each worker
}

// Used is how often each rule was used, in the order of Rules; empty if none was counted.
// It must not be called while a check is at work.
func (c *Coverage) Used() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var sum []uint64
	for _, p := range c.parts {
		if sum == nil {
			sum = make([]uint64, len(p))
		}
		for i, n := range p {
			sum[i] += n
		}
	}
	return sum
}

// part is what one worker counts in, by the number of the rule; nil if nobody counts.
func (c *Coverage) part(s *System) []uint64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := make([]uint64, s.rules)
	c.parts = append(c.parts, p)
	return p
}

// count notes that a rule was used.
func (w *worker) count(x *rule) {
	if w.used != nil {
		w.used[x.number]++
	}
}

// rest counts what a processor may ask for in a state and is no step: loads that hit, and
// what is stalled.
func (w *worker) rest(state []byte) {
	for i := range w.s.actors {
		a := &w.s.actors[i]
		for e := range evOwn {
			w.run.begin(state, a.controller, a.addr)
			if x := w.run.find(e); x != nil && (x.how == stalls || x.how == hits && e == evLoad) {
				w.count(x)
			}
		}
	}
}
