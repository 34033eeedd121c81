package fuzz

import (
	"cmp"
	"slices"

	"github.com/fusedos/stramash/machine"
)

// Profile is what a few random runs of a target showed: what strategies know of
// it beforehand. It depends on the target and its pins only. The nil Profile
// knows nothing.
type Profile struct {
	// Moves is how many questions who moves each of the runs asked. A question
	// has at least two options, so moves without a choice do not count.
	Moves []int
	// Steps is how many steps each agent made in a run, the mean rounded up.
	Steps [machine.MaxAgents]int32
	// Shared are the words that contexts contended for: at least two accessed
	// it in one run, and one of them wrote. They are in the order of their
	// addresses.
	Shared []SharedWord
	// Interrupted are the CPUs that interrupts landed on, or could have.
	Interrupted []int

	private words // those that only one context accessed, or none wrote
}

// SharedWord is a word of memory that contexts contend for.
type SharedWord struct {
	Addr machine.VA
	// Accesses is how many each agent made in a run, the mean rounded up.
	Accesses [machine.MaxAgents]int32
}

// profileRuns is how many runs make a profile, and profileSeed is theirs.
const (
	profileRuns = 8
	profileSeed = 0x6d656173757265
)

// most is the most moves that a run asked for; at least one.
func (p *Profile) most() int {
	if p == nil || len(p.Moves) == 0 {
		return 1
	}
	return max(slices.Max(p.Moves), 1)
}

// some is how many moves one of the runs asked for; at least one. Workloads
// differ in length: what is drawn from a length that most of them have is not
// drawn in vain.
func (p *Profile) some(r *Rand) int {
	if p == nil || len(p.Moves) == 0 {
		return 1
	}
	return max(p.Moves[r.Below(len(p.Moves))], 1)
}

// isPrivate says whether no order of accesses to a word is known to matter.
func (p *Profile) isPrivate(a machine.VA) bool { return p != nil && p.private.has(a&^7) }

// tally attributes the steps of a run to agents, as far as the questions who
// moves tell. The first step behind a question is the chosen agent's. Those
// behind it were made without a choice: by whoever asks next, if it can go on.
type tally struct {
	steps  [machine.MaxAgents]int32
	chosen int
	at     int // steps of the run, with the chosen agent's
}

// ask accounts the steps before a question.
func (t *tally) ask(c *machine.Choice) {
	if more := c.Step() - t.at; more > 0 {
		who := t.chosen
		if c.Current >= 0 {
			who = int(c.Current)
		}
		t.steps[who] += int32(more)
	}
	t.at = c.Step()
}

// answer accounts who was chosen.
func (t *tally) answer(k int) int {
	t.chosen = k
	t.steps[k]++
	t.at++
	return k
}

// profiler makes a profile: it is the strategy of its runs, and their tracer.
type profiler struct {
	walk  randomWalk
	steps [machine.MaxAgents]int32 // of all runs
	lines machine.Set              // CPUs that had an interrupt line among the options
	met   machine.Set              // options so far
	moves []int
	words map[machine.VA]*profiledWord
	order []machine.VA // of words, as they came
}

// profiledWord is what is known of a word.
type profiledWord struct {
	run           int
	first         int32 // context of the run that accessed it first
	wrote, others bool  // in this run
	shared        bool  // in any
	accesses      [machine.MaxAgents]int32
}

func (p *profiler) start(run int) {
	p.walk.Start(Plan{Seed: profileSeed, Run: uint64(run)})
	p.moves = append(p.moves, 0)
}

func (p *profiler) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return p.walk.Choose(c)
	}
	p.moves[len(p.moves)-1]++
	for o := c.Options &^ p.met; o != 0; o = o.Rest() {
		if a := c.Agent(o.First()); a.IsLine() {
			p.lines |= machine.Only(a.CPU())
		}
	}
	p.met |= c.Options
	k := p.walk.Choose(c)
	if a := c.Agent(k); a.IsLine() || a.IsBuffer() || a.IsTLB() {
		p.steps[k]++
	}
	return k
}

// observe is the tracer.
func (p *profiler) observe(e *machine.Event) {
	switch e.Op.Kind {
	case machine.OpDeliver, machine.OpVector, machine.OpVectorReturn, machine.OpDrain, machine.OpInvalidated, machine.OpMessage: // the CPU makes no step
	default:
		p.steps[e.CPU]++
	}
	if e.PA == 0 {
		return
	}
	at := e.Op.Addr &^ 7
	w := p.words[at]
	if w == nil {
		w = &profiledWord{run: -1}
		p.words[at] = w
		p.order = append(p.order, at)
	}
	if run := len(p.moves); w.run != run {
		w.run, w.first, w.wrote, w.others = run, e.Client, false, false
	}
	w.wrote = w.wrote || e.Op.Kind.Writes()
	w.others = w.others || e.Client != w.first || wordOf(e) != at // others may have another address for it
	w.shared = w.shared || w.wrote && w.others
	w.accesses[e.CPU]++
}

func (p *profiler) profile() *Profile {
	runs := int32(len(p.moves))
	mean := func(sum [machine.MaxAgents]int32) [machine.MaxAgents]int32 {
		for k := range sum {
			sum[k] = (sum[k] + runs - 1) / runs
		}
		return sum
	}
	out := &Profile{Moves: p.moves, Steps: mean(p.steps)}
	for _, at := range p.order {
		if w := p.words[at]; w.shared {
			out.Shared = append(out.Shared, SharedWord{at, mean(w.accesses)})
		} else {
			out.private.add(at)
		}
	}
	for o := p.lines; o != 0; o = o.Rest() {
		out.Interrupted = append(out.Interrupted, o.First())
	}
	slices.SortFunc(out.Shared, func(a, b SharedWord) int { return cmp.Compare(a.Addr, b.Addr) })
	return out
}

// profile measures the target, once.
func (r *runner) profile() *Profile {
	if r.known != nil {
		return r.known
	}
	p := &profiler{words: map[machine.VA]*profiledWord{}}
	evidence, traced := r.evidence, r.traced
	r.evidence, r.traced = nil, p.observe
	for run := range profileRuns {
		p.start(run)
		r.run(p)
	}
	r.evidence, r.traced = evidence, traced
	clear(r.passed) // they have not been looked at for evidence
	r.known = p.profile()
	return r.known
}

// words is a set of addresses of words, for look-ups in every step: a hash table
// with open addressing.
type words struct {
	slots []machine.VA // zero is free: nothing is mapped there
	n     int
}

func (w *words) has(a machine.VA) bool {
	if w.n == 0 {
		return false
	}
	return w.slots[w.find(a)] == a
}

func (w *words) find(a machine.VA) uint64 {
	mask := uint64(len(w.slots) - 1)
	i := uint64(a>>3) * 0x9e3779b97f4a7c15 >> 32 & mask
	for w.slots[i] != 0 && w.slots[i] != a {
		i = (i + 1) & mask
	}
	return i
}

func (w *words) add(a machine.VA) {
	if w.n*2 >= len(w.slots) {
		old := w.slots
		w.slots, w.n = make([]machine.VA, max(2*len(old), 16)), 0
		for _, a := range old {
			if a != 0 {
				w.add(a)
			}
		}
	}
	if i := w.find(a); w.slots[i] == 0 {
		w.slots[i] = a
		w.n++
	}
}
