package fuzz

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/machine"
)

// RacingPair is two conflicting accesses of a run, by different CPUs or
// contexts, in the order in which they happened.
type RacingPair struct{ First, Second Row }

// String names both by CPU, operation and site.
func (p RacingPair) String() string { return fmt.Sprintf("%s  before  %s", p.First, p.Second) }

// String names CPU, operation and site.
func (r Row) String() string {
	s := fmt.Sprintf("P%d %s", r.CPU, r.text())
	if r.Site.File != "" {
		s += " (" + r.Site.Short() + ")"
	}
	return s
}

// access is one event of a run, as far as its order matters.
type access struct {
	agent  machine.Agent
	place  eventPlace
	client int32 // the context
	thread machine.Handle
	word   machine.PA // zero if it accesses none
	writes bool
}

// cause looks for the one race whose reversal makes a failing run pass: two
// conflicting accesses of different threads, ordered by nothing else, such that
// the run in which the second one goes before the first, and all else is as it
// was where that is possible, has no violation. An interrupt
// races with the events of the interrupted context between which it lands. It
// answers false if no single reversal does it.
//
// The reversal is that of partial-order reduction (Flanagan and Godefroid, POPL
// 2005): what happened between the two and does not depend on the first is kept
// before them. The idea to name a cause by it is from A. Zeller, "Isolating
// cause-effect chains", FSE 2002. The schedule must show a violation.
func (r *runner) cause(s Schedule) (RacingPair, bool) {
	run := r.accesses(s)
	for _, c := range reversals(run) {
		if r.passes(c, run, s) {
			return r.pair(s, c.first, c.second), true
		}
	}
	return RacingPair{}, false
}

// reversal is two events that raced, and the order of agents in which the
// second one goes before the first.
type reversal struct {
	first, second int
	order         []machine.Agent
	late          int // events that come later than they did, with the first
}

// reversals lists what can be reversed in a run. Those that change the least
// come first: a race for who begins would change nearly all.
func reversals(run []access) (out []reversal) {
	for j := range run {
		for _, i := range rivals(run, j) {
			if c, direct := reversed(run, i, j); direct {
				out = append(out, c)
			}
		}
		out = append(out, moved(run, j)...)
		if len(out) >= maxReversals {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b reversal) int { return a.late - b.late })
	return out
}

// passes makes a run in which the agents move in the reversal's order as far as
// they can, and answers whether it comes to its end without a violation, and the
// two events have come the other way round.
func (r *runner) passes(c reversal, run []access, s Schedule) bool {
	f := &follower{
		order: slices.Clone(c.order), others: NewReplayer(s.otherThan(machine.Move)),
		first: run[c.first].place, second: run[c.second].place,
	}
	r.traced = f.observe
	v := r.run(f)
	r.traced = nil
	return v.violation == nil && v.unknown == "" && f.reversed
}

// maxReversals bounds the races that the search for a cause looks at.
const maxReversals = 1000

// otherThan is the schedule without the exceptions of a kind.
func (s Schedule) otherThan(k machine.ChoiceKind) Schedule {
	return slices.DeleteFunc(slices.Clone(s), func(e machine.Exception) bool { return e.Kind == k })
}

// accesses lists the events of a run.
func (r *runner) accesses(s Schedule) []access {
	var out []access
	r.traced = func(e *machine.Event) {
		a := access{agent: e.Agent(), place: placeOfEvent(e), client: e.Client, thread: e.Thread, writes: e.Op.Kind.Writes() && e.OK}
		if e.PA != 0 {
			a.word = e.PA &^ 7
		}
		out = append(out, a)
	}
	r.run(NewReplayer(s))
	r.traced = nil
	return out
}

// rivals are the events before j that conflict with it by other threads, the
// last one first, back to the last write: what is before that is no race.
func rivals(run []access, j int) (out []int) {
	b := run[j]
	if b.word == 0 {
		return nil
	}
	for i := j - 1; i >= 0; i-- {
		a := run[i]
		if a.word != b.word || !a.writes && !b.writes {
			continue
		}
		if a.agent != b.agent && a.thread != b.thread {
			out = append(out, i)
		}
		if a.writes {
			break
		}
	}
	return out
}

// reversed puts event j before event i, with all that does not depend on i
// before both. It answers false if j depends on i by way of a third event: then
// the two are no race.
func reversed(run []access, i, j int) (c reversal, direct bool) {
	var order []machine.Agent
	var after dependents
	after.add(run[i])
	late := []machine.Agent{run[i].agent}
	for _, a := range run[:i] {
		order = append(order, a.agent)
	}
	for _, a := range run[i+1 : j] {
		if after.has(a) {
			after.add(a)
			late = append(late, a.agent)
		} else {
			order = append(order, a.agent)
		}
	}
	// The first of the late ones does conflict with j: only the rest count.
	if after.hasBesides(run[j], run[i]) {
		return reversal{}, false
	}
	order = append(append(order, run[j].agent), late...)
	for _, a := range run[j+1:] {
		order = append(order, a.agent)
	}
	return reversal{i, j, order, len(late)}, true
}

// moved has the interrupt of event i land one event of the interrupted context
// earlier or later.
func moved(run []access, i int) (out []reversal) {
	if !run[i].agent.IsLine() {
		return nil
	}
	before := i - 1
	for before >= 0 && run[before].agent != machine.CPUAgent(run[i].agent.CPU()) {
		before--
	}
	if before < 0 {
		return nil
	}
	out = append(out, reversal{before, i, reorder(run, i, before), i - before})
	for j := i + 1; j < len(run); j++ {
		if run[j].agent == run[before].agent && run[j].client == run[before].client {
			return append(out, reversal{i, j, reorder(run, j, i), j - i})
		}
	}
	return out
}

// reorder is the order of agents in which event from goes before event to.
func reorder(run []access, from, to int) (order []machine.Agent) {
	for k, a := range run {
		if k == to {
			order = append(order, run[from].agent)
		}
		if k != from {
			order = append(order, a.agent)
		}
	}
	return order
}

// dependents are events that depend on a first one, by what they touched.
type dependents struct {
	cpus    machine.Set
	threads map[machine.Handle]bool
	words   map[machine.PA]touched
}

// touched counts the accesses of dependents to a word.
type touched struct{ all, writes int }

func (d *dependents) add(a access) {
	if d.words == nil {
		d.words, d.threads = map[machine.PA]touched{}, map[machine.Handle]bool{}
	}
	d.cpus |= machine.Only(a.agent.CPU())
	if a.thread != 0 {
		d.threads[a.thread] = true
	}
	if a.word == 0 {
		return
	}
	w := d.words[a.word]
	w.all++
	if a.writes {
		w.writes++
	}
	d.words[a.word] = w
}

// has says whether a later event depends on one of them: it is of the same
// thread or CPU, or it conflicts.
func (d *dependents) has(a access) bool { return d.hasBesides(a, access{}) }

// hasBesides is has, not counting the access that one of them made.
func (d *dependents) hasBesides(a, one access) bool {
	if d.cpus.Has(a.agent.CPU()) || d.threads[a.thread] {
		return true
	}
	w := d.words[a.word]
	if a.word == 0 {
		return false
	}
	if a.word == one.word {
		w.all--
		if one.writes {
			w.writes--
		}
	}
	return w.writes > 0 || a.writes && w.all > 0
}

// follower has the agents move in a given order as far as they can, and
// answers all other questions as a schedule does.
type follower struct {
	order    []machine.Agent // who is still to move
	others   *Replayer
	first    eventPlace
	second   eventPlace
	met      bool // the second event came, and the first had not
	reversed bool // and then the first one came
}

// Choose answers one question of the run.
func (f *follower) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return f.others.Choose(c)
	}
	for _, a := range f.order {
		if k := c.Find(uint32(a)); k >= 0 {
			return k
		}
	}
	return int(c.Plain)
}

// observe strikes off who has moved.
func (f *follower) observe(e *machine.Event) {
	if i := slices.Index(f.order, e.Agent()); i >= 0 {
		f.order = slices.Delete(f.order, i, i+1)
	}
	switch placeOfEvent(e) {
	case f.second:
		f.met = true
	case f.first:
		f.reversed = f.met
	}
}

// eventPlace finds an event again in another run, by its context, or the line of
// an interrupt that fires.
type eventPlace struct {
	context machine.ContextName
	index   uint32
}

func placeOfEvent(e *machine.Event) eventPlace { return eventPlace{e.Name, e.Index} }

// pair describes events i and j of a run.
func (r *runner) pair(s Schedule, i, j int) RacingPair {
	_, account := r.account(NewReplayer(s))
	events := account.events()
	return RacingPair{events[i], events[j]}
}
