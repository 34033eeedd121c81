package axiomatic

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// Explanation is why some final states are allowed or forbidden.
type Explanation struct {
	// Allowed: Execution ends in such a state, and satisfies the axioms.
	Allowed bool
	// Complete: if not Allowed, all candidates have been looked at, so it is forbidden.
	Complete bool
	// Candidates is how many candidate executions that end in such a state were
	// looked at.
	Candidates int64
	// Execution is the witness; or of the candidates, one with a shortest Cycle; or nil,
	// if there is none. Then no choice of writes for the reads makes those values.
	Execution *Execution
	Cycle     *Cycle
	Outcome   memory.Outcome // of the search
}

// Explain looks among the candidate executions of a program for one that ends in a
// state that is wanted and satisfies the axioms, and else for the shortest cycle
// that forbids one. It prefers candidates that are coherent at each location, and
// looks at others only if none is. The budget counts for each of the two searches.
// The state is valid during the call of wanted.
func Explain(p *litmus.Program, wanted func(litmus.State) bool, b memory.Budget) (*Explanation, error) {
	x := &Explanation{}
	err := x.search(p, wanted, b, false)
	x.Complete = x.Outcome.Complete && !x.Allowed
	if x.Complete && x.Candidates == 0 && err == nil {
		o := x.Outcome
		err = x.search(p, wanted, b, true)
		x.Outcome = o
	}
	return x, err
}

// search looks at the candidates, or with blind, also at those that are not coherent at
// each location.
func (x *Explanation) search(p *litmus.Program, wanted func(litmus.State) bool, b memory.Budget, blind bool) error {
	s := newSearch(p, b, nil)
	s.blind = blind
	s.visitor = func() bool {
		if !wanted(s.state) {
			return true
		}
		x.Candidates++
		e := s.execution()
		cycle := Check(e)
		if cycle != nil && x.Cycle != nil && len(cycle.Edges) >= len(x.Cycle.Edges) {
			return true
		}
		if cycle == nil {
			s.err = s.unsupported()
		}
		x.Execution, x.Cycle, x.Allowed = e, cycle, cycle == nil
		return cycle != nil
	}
	s.collect()
	s.choose(0)
	var err error
	x.Outcome, err = s.outcome()
	return err
}

// execution is the candidate that the search is at.
func (s *search) execution() *Execution {
	x := &Execution{}
	for l := range s.p.Locations {
		x.Names = append(x.Names, s.p.Locations[l].Name)
	}
	for _, r := range s.pick {
		x.Events = append(x.Events, r.events...)
	}
	x.From = make([]int, len(x.Events))
	for l, c := range s.choice {
		var order []int
		for _, w := range c.writes {
			order = append(order, s.event(l, w))
		}
		x.Order = append(x.Order, order)
		for k, r := range c.reads {
			x.From[s.event(l, r)] = Initial
			if c.from[k].t >= 0 {
				x.From[s.event(l, r)] = s.event(l, c.from[k])
			}
		}
	}
	return x
}

// Text is the explanation for people: what the execution does, thread by thread, and
// the cycle, with the rule that each edge stands for.
func (x *Explanation) Text() string {
	var b strings.Builder
	switch {
	case x.Allowed:
		b.WriteString("allowed: this execution ends so, and no axiom is against it\n")
	case !x.Complete:
		fmt.Fprintf(&b, "inconclusive: %s; none of %d candidate executions that end so is allowed\n", x.Outcome.Why, x.Candidates)
	case x.Execution == nil:
		b.WriteString("forbidden: no candidate execution ends so, whatever write each read reads\n")
	case x.Candidates == 1:
		b.WriteString("forbidden: the one candidate execution that ends so breaks an axiom\n")
	default:
		fmt.Fprintf(&b, "forbidden: each of the %d candidate executions that end so breaks an axiom; the shortest cycle is in this one\n", x.Candidates)
	}
	if x.Execution != nil {
		b.WriteString("\n" + x.Execution.Text())
	}
	if x.Cycle != nil {
		b.WriteString("\n" + x.Cycle.Text(x.Execution))
	}
	return b.String()
}

// labels names the accesses of an execution: a, b, c …; fences have none.
func (x *Execution) labels() []string {
	out := make([]string, len(x.Events))
	n := 0
	for i := range x.Events {
		if x.Events[i].Kind == Fence {
			continue
		}
		if out[i] = fmt.Sprintf("e%d", n); n < 26 {
			out[i] = string(rune('a' + n))
		}
		n++
	}
	return out
}

// location is a location's name.
func (x *Execution) location(l int) string {
	if l < len(x.Names) {
		return x.Names[l]
	}
	return fmt.Sprintf("[%d]", l)
}

// effect says what an event does: R x=1 (acquire).
func (x *Execution) effect(e *Event) string {
	if e.Kind == Fence {
		if e.Text == "" {
			return [...]string{"full fence", "load fence", "store fence", "ISB", "store fence for all that follows"}[e.Fence]
		}
		return e.Text
	}
	s := fmt.Sprintf("%s %s=%d", [...]string{"R", "W"}[e.Kind], x.location(e.Loc), e.Value)
	for _, f := range []struct {
		on   bool
		name string
	}{
		{e.Acquire, "acquire"}, {e.AcquirePC, "acquire PC"}, {e.Release, "release"},
		{e.Locked && e.ISA == litmus.X86_64, "locked"}, {e.Pair > 0 && !e.One, "exclusive"},
	} {
		if f.on {
			s += " (" + f.name + ")"
		}
	}
	return s
}

// Text shows the execution in lanes, one for each thread, and below them the
// writes that reads read and the orders of writes.
func (x *Execution) Text() string {
	var b strings.Builder
	labels := x.labels()
	x.lanes(&b, labels)
	var reads []string
	for i := range x.Events {
		if e := &x.Events[i]; e.Kind == Read && x.From[i] == Initial {
			reads = append(reads, labels[i]+" the initial "+x.location(e.Loc))
		} else if e.Kind == Read {
			reads = append(reads, labels[i]+" "+labels[x.From[i]])
		}
	}
	if reads != nil {
		b.WriteString("reads: " + strings.Join(reads, ", ") + "\n")
	}
	for l, order := range x.Order {
		if len(order) < 2 {
			continue
		}
		var writes []string
		for _, w := range order {
			writes = append(writes, labels[w])
		}
		b.WriteString("writes of " + x.location(l) + ": " + strings.Join(writes, ", then ") + "\n")
	}
	return b.String()
}

// lanes writes the events in columns.
func (x *Execution) lanes(b *strings.Builder, labels []string) {
	var cells [][]string
	var widths []int
	for i := range x.Events {
		e := &x.Events[i]
		if i == 0 || e.Thread != x.Events[i-1].Thread {
			cells = append(cells, []string{fmt.Sprintf("P%d (%s)", e.Thread, e.ISA)})
			widths = append(widths, 0)
		}
		cell := x.effect(e)
		if labels[i] != "" {
			cell = labels[i] + ": " + cell
		}
		cells[len(cells)-1] = append(cells[len(cells)-1], cell)
	}
	rows := 0
	for t, lane := range cells {
		rows = max(rows, len(lane))
		for _, c := range lane {
			widths[t] = max(widths[t], len(c))
		}
	}
	for r := range rows {
		var line strings.Builder
		for t, lane := range cells {
			cell := ""
			if r < len(lane) {
				cell = lane[r]
			}
			fmt.Fprintf(&line, "%-*s   ", widths[t], cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// Text shows the cycle, an edge a line.
func (c *Cycle) Text(x *Execution) string {
	var b strings.Builder
	labels := x.labels()
	fmt.Fprintf(&b, "The axiom %s has each of these before the next, which goes round in a circle:\n", c.Axiom)
	name := func(i int) string {
		return fmt.Sprintf("P%d %s: %s", x.Events[i].Thread, labels[i], x.effect(&x.Events[i]))
	}
	for _, e := range c.Edges {
		fmt.Fprintf(&b, "  %s -> %s\n    %s (%s)\n", name(e.From), name(e.To), e.Words, e.Rule)
	}
	return b.String()
}
