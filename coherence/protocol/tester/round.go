package tester

import (
	"fmt"

	"github.com/fusedos/stramash/coherence/protocol"
)

// round is a test of one line, from the beginning until it rests.
type round struct {
	*test
	rand   rand
	line   []byte
	steps  *[]string // noted here; or nil
	active []port
	words  []word
	stored uint64        // the last value of a word
	latest uint8         // the value of the line since the last store
	holds  [256][]uint64 // the words of the line for each of its values

	weight [classes]uint64 // of each class of steps
	left   int             // operations to begin
	idle   int             // messages that have arrived since an operation began or was done
	loads  int             // of a word, after each store

	arrivals []protocol.Delivery
	moves    []move
}

// port is where a processor makes one access at a time. It has several, so that a load
// can hit while a store waits.
type port struct {
	number int // of the processor
	busy   bool
	event  protocol.ProcessorEvent
	word   int
	last   bool // it has begun its last load
}

// word is a word of the line.
type word struct {
	value   uint64 // that was stored last
	by      string // and by whom
	storing bool   // a store is under way
	loading int    // so many loads are
	due     int    // loads before the next store
}

// The classes of steps.
const (
	begins = iota // a load or a store
	goesOn
	evicts
	happens // by itself
	arrives
	classes
)

// move is a step that could be next.
type move struct {
	class int
	at    int // in active, or in arrivals
	event protocol.ProcessorEvent
	word  int
	upTo  uint64 // sum of the weights up to it
}

// ports are how many each processor has.
const ports = 2

// After patience messages without an operation that begins or is done, every step is as
// likely as any other, so that what still can't be done after watchdog messages is not kept
// from it by chance.
const (
	patience = 1_000
	watchdog = 20_000
)

// round runs the next round, and notes its steps if it is told where.
func (t *test) round(steps *[]string) *protocol.Violation {
	r := &round{test: t, rand: newRand(t.o.Seed, t.Rounds), line: t.s.NewLine(), steps: steps}
	r.draw()
	v := r.run()
	if steps != nil {
		t.Line = t.s.Describe(r.line)
		t.Line[len(t.Line)-1].Value = fmt.Sprint(r.latest) // what was written last is kept here, not there
	}
	return v
}

// draw draws what the round is like.
func (r *round) draw() {
	n := r.s.Processors()
	take := min(n, 2+r.rand.below(max(1, n-1)))
	for p := range n {
		if r.rand.below(n-p) >= take {
			continue
		}
		take--
		for range ports {
			r.active = append(r.active, port{number: p})
		}
	}
	r.words = make([]word, len(r.active)+1) // one is free at any time
	r.holds[0] = make([]uint64, len(r.words))
	r.left = 4 << r.rand.below(5)
	r.loads = 1 + r.rand.below(2)
	for c := range r.weight {
		r.weight[c] = 1 << r.rand.below(5)
	}
}

// run makes steps until the line rests.
func (r *round) run() *protocol.Violation {
	for r.find() {
		if v := r.make(r.pick()); v != nil {
			return v
		}
		if v := r.look(); v != nil {
			return v
		}
		if r.idle > watchdog {
			return r.stuck(fmt.Sprintf("%d messages have arrived, and nothing is done", watchdog))
		}
	}
	for _, p := range r.active {
		switch {
		case p.busy:
			return r.stuck(fmt.Sprintf("%s waits for its %s, and nothing can happen", r.s.Name(p.number), names[p.event]))
		case !p.last:
			return r.stuck(fmt.Sprintf("%s can't begin to load, and nothing can happen", r.s.Name(p.number)))
		}
	}
	for _, d := range r.arrivals {
		if !d.ByItself() {
			return r.stuck("a message waits for ever: " + r.s.DeliveryName(r.line, d))
		}
	}
	return nil
}

func (r *round) stuck(why string) *protocol.Violation {
	return &protocol.Violation{Property: "deadlock", Detail: why}
}

// find lists the steps that could be next, and says whether there are any.
func (r *round) find() bool {
	r.moves = r.moves[:0]
	for i := range r.active {
		p := &r.active[i]
		if p.busy {
			r.ask(move{class: goesOn, at: i, event: p.event, word: p.word})
			continue
		}
		if r.left > 0 || !p.last {
			w := r.free()
			r.ask(move{class: begins, at: i, event: r.words[w].next(r.left == 0), word: w})
		}
		if r.left > 0 {
			r.ask(move{class: evicts, at: i, event: protocol.EvictEvent})
		}
	}
	r.arrivals = r.s.Arrivals(r.line, r.arrivals[:0])
	for i, d := range r.arrivals {
		switch {
		case !d.ByItself():
			r.add(move{class: arrives, at: i}, d.Rule())
		case r.left > 0:
			r.add(move{class: happens, at: i}, d.Rule())
		}
	}
	return len(r.moves) > 0
}

// free is a word that nobody is storing to.
func (r *round) free() int {
	w := r.rand.below(len(r.words))
	for r.words[w].storing {
		w = (w + 1) % len(r.words)
	}
	return w
}

// next is what a processor does with the word, which nobody is storing to.
func (w *word) next(onlyLoads bool) protocol.ProcessorEvent {
	if onlyLoads || w.due > 0 || w.loading > 0 {
		return protocol.LoadEvent
	}
	return protocol.StoreEvent
}

// ask adds a processor's step, if its controller would take the event.
func (r *round) ask(m move) {
	if rule := r.s.Rule(r.line, r.active[m.at].number, m.event); rule >= 0 {
		r.add(m, rule)
	}
}

// add adds a step by a rule, unless the rule only says that it must wait.
func (r *round) add(m move, rule int) {
	weight := uint64(1) << 40 // the impossible
	if rule >= 0 {
		r.Used[rule]++
		if r.rules[rule].Stalls {
			return
		}
		weight = r.weight[m.class]
		if r.idle > patience {
			weight = 1
		}
	}
	m.upTo = weight
	if n := len(r.moves); n > 0 {
		m.upTo += r.moves[n-1].upTo
	}
	r.moves = append(r.moves, m)
}

// pick draws a step.
func (r *round) pick() move {
	x := r.rand.under(r.moves[len(r.moves)-1].upTo)
	for _, m := range r.moves {
		if x < m.upTo {
			return m
		}
	}
	panic("tester: a number is not under its bound")
}
