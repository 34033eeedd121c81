package axiomatic

import (
	"fmt"
	"slices"
)

// Cycle is why an execution is not allowed: events each of which comes before the
// next, all the way round.
type Cycle struct {
	Axiom string // internal, atomic or external
	Edges []Edge // each starts where the one before ends, the first where the last does
}

// Edge orders two events of an execution.
type Edge struct {
	From, To int    // among Execution.Events
	Rule     string // in the manner of the cat files: rfe, po-loc, DMB SY …
	Words    string // the rule in the words of the architecture
}

// communicationWords say what the relations mean that no instruction set has to itself.
var communicationWords = map[string]string{
	"rf":     "reads-from: it reads this write",
	"rfe":    "reads-from: it reads this write of another thread",
	"co":     "coherence: the write takes effect before this one",
	"coe":    "coherence: the write takes effect before this one of another thread",
	"fr":     "from-read: it reads what was there before this write",
	"fre":    "from-read: it reads what was there before this write of another thread",
	"po-loc": "program order at one location",
	"rmw":    "a read-modify-write reads before it writes",
}

// part is a relation between all events of an execution, under its name.
type part struct {
	name string
	relation
}

// checker has what the axioms speak of.
type checker struct {
	x       *Execution
	threads []*thread
	first   []int // of each thread: its first event
	without []string
	comm
}

// Check judges an execution by the axioms: nil says that it is allowed, and else the
// cycle is one that has no shorter one in it. The execution must be well formed (see
// Execution.Err). It takes time and memory in the square of the number of events, by
// the word of 64 bits: some 4,000 events are no matter.
func Check(x *Execution) *Cycle { return check(x) }

// check leaves out clauses of the axioms, which shows what they are good for.
func check(x *Execution, without ...string) *Cycle {
	c := checker{x: x, without: without}
	for i := 0; i < len(x.Events); {
		k := i + 1
		for k < len(x.Events) && x.Events[k].Thread == x.Events[i].Thread {
			k++
		}
		c.first, c.threads = append(c.first, i), append(c.threads, newThread(x.Events[i:k]))
		i = k
	}
	c.comm = communication(len(x.Events), x, func(i int) bool { return x.Events[i].Kind == Read })
	for _, axiom := range []func() *Cycle{c.internal, c.atomic, c.external} {
		if cycle := axiom(); cycle != nil {
			return cycle
		}
	}
	return nil
}

// everywhere is a relation of all threads.
func (c *checker) everywhere(of func(t *thread) relation) relation {
	out := newRelation(len(c.x.Events))
	for t, th := range c.threads {
		out.shifted(of(th), c.first[t])
	}
	return out
}

// between is the part of a relation that goes from one thread to another.
func (c *checker) between(r relation) relation {
	out := union(r)
	for t, th := range c.threads {
		own := newRelation(1)
		own.w = r.w
		own.bits = make([]uint64, r.w)
		for i := range th.events {
			own.add(0, c.first[t]+i)
		}
		for i := range th.events {
			row := out.row(c.first[t] + i)
			copy(row, row.without(own.row(0)))
		}
	}
	return out
}

// acyclic is the axiom that some relations together have no cycle.
func (c *checker) acyclic(axiom string, parts ...part) *Cycle {
	all := newRelation(len(c.x.Events))
	kept := parts[:0]
	for _, p := range parts {
		if !slices.Contains(c.without, axiom+" "+p.name) {
			all.include(p.relation)
			kept = append(kept, p)
		}
	}
	way := all.cycle()
	if way == nil {
		return nil
	}
	cycle := &Cycle{Axiom: axiom}
	for k, i := range way {
		cycle.Edges = append(cycle.Edges, c.edge(i, way[(k+1)%len(way)], kept))
	}
	return cycle
}

// edge names what relates two events.
func (c *checker) edge(i, j int, parts []part) Edge {
	k := slices.IndexFunc(parts, func(p part) bool { return p.has(i, j) })
	e := Edge{From: i, To: j, Rule: parts[k].name, Words: communicationWords[parts[k].name]}
	if e.Rule == "lob" {
		t, _ := slices.BinarySearch(c.first, i+1)
		e.Rule, e.Words = why(c.threads[t-1], i-c.first[t-1], j-c.first[t-1])
	}
	return e
}

func (c *checker) internal() *Cycle {
	return c.acyclic("internal",
		part{"po-loc", c.everywhere(func(t *thread) relation { return t.sameLoc })},
		part{"rmw", c.everywhere(func(t *thread) relation { return t.rmw })},
		part{"rf", c.rf}, part{"co", c.co}, part{"fr", c.fr})
}

func (c *checker) external() *Cycle {
	return c.acyclic("external",
		part{"rfe", c.between(c.rf)}, part{"coe", c.between(c.co)}, part{"fre", c.between(c.fr)},
		part{"lob", c.everywhere(func(t *thread) relation { return lob(t, c.without...) })})
}

// atomic says that no write of another thread comes between what a read-modify-write
// reads and what it writes.
func (c *checker) atomic() *Cycle {
	if slices.Contains(c.without, "atomic") {
		return nil
	}
	place := make([]int, len(c.x.Events))
	for _, order := range c.x.Order {
		for k, w := range order {
			place[w] = k
		}
	}
	for w := range c.x.Events {
		e := &c.x.Events[w]
		if e.Pair == 0 {
			continue
		}
		r, k := w-e.Pair, 0
		if from := c.x.From[r]; from != Initial {
			k = place[from] + 1
		}
		for ; k < place[w]; k++ {
			if v := c.x.Order[e.Loc][k]; c.x.Events[v].Thread != e.Thread {
				return &Cycle{Axiom: "atomic", Edges: []Edge{
					{r, v, "fre", communicationWords["fre"]},
					{v, w, "coe", communicationWords["coe"]},
					{w, r, "rmw", "and yet they are one read-modify-write, which nothing may come into"},
				}}
			}
		}
	}
	return nil
}

// Err says what is wrong with an execution that is not well formed: the events of each
// thread stand together; a read reads a write of the same location and value, or
// Initial; each location's order has its writes, each once; a pair is a read and a
// write of one location.
func (x *Execution) Err() error {
	if len(x.From) != len(x.Events) {
		return fmt.Errorf("%d events, and From has %d: give each event one, which counts for reads only", len(x.Events), len(x.From))
	}
	seen, ordered := map[int]bool{}, make([]bool, len(x.Events))
	for l, order := range x.Order {
		for _, w := range order {
			if w < 0 || w >= len(x.Events) || x.Events[w].Kind != Write || x.Events[w].Loc != l || ordered[w] {
				return fmt.Errorf("the order of location %d has %d, which is no write there, or is there twice", l, w)
			}
			ordered[w] = true
		}
	}
	for i := range x.Events {
		e := &x.Events[i]
		if i > 0 && e.Thread != x.Events[i-1].Thread && seen[e.Thread] {
			return fmt.Errorf("event %d: the events of thread %d don't stand together", i, e.Thread)
		}
		seen[e.Thread] = true
		if err := x.wrong(i, e, ordered[i]); err != nil {
			return err
		}
	}
	return nil
}

func (x *Execution) wrong(i int, e *Event, ordered bool) error {
	switch {
	case e.Kind == Fence:
		return nil
	case e.Loc < 0 || e.Loc >= len(x.Order):
		return fmt.Errorf("event %d: there is no location %d", i, e.Loc)
	case e.Kind == Write && !ordered:
		return fmt.Errorf("event %d: the write is not in the order of its location", i)
	case e.Pair != 0:
		r := i - e.Pair
		if r < 0 || r >= i || e.Kind != Write || x.Events[r].Kind != Read || x.Events[r].Thread != e.Thread || x.Events[r].Loc != e.Loc {
			return fmt.Errorf("event %d: it is no pair with event %d", i, r)
		}
	case e.Kind == Read && x.From[i] != Initial:
		if w := x.From[i]; w < 0 || w >= len(x.Events) || x.Events[w].Kind != Write || x.Events[w].Loc != e.Loc || x.Events[w].Value != e.Value {
			return fmt.Errorf("event %d: it reads event %d, which does not write that value there", i, w)
		}
	}
	return nil
}
