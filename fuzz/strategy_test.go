package fuzz

import (
	"fmt"
	"math"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/google/go-cmp/cmp"
)

// lanes is a target of threads that each write words of their own, or the same
// one, so often: straight-line programs without waits.
func lanes(writes []int, shared bool, pad int) Target {
	return Target{
		Name: "lanes", Platform: machine.Pairs(2),
		Setup: func(m *machine.Machine) Program {
			word, own := m.Alloc(8), m.Alloc(64)
			threads := m.Starts(len(writes))
			for i, n := range writes {
				threads[i] = machine.Start{CPU: i, Body: func(t *machine.Thread) {
					mine := own + machine.VA(8*i)
					for k := range n {
						for range pad {
							t.Store64(mine, uint64(k))
						}
						if shared {
							t.FetchAdd(word, machine.Size64, 1, machine.Plain)
						} else {
							t.Store64(mine, uint64(k))
						}
					}
				}}
			}
			return Program{Threads: threads}
		},
	}
}

// runs makes n runs of a strategy and calls f after each with what it chose.
func runs(t *testing.T, target Target, s Strategy, n int, f func(v *verdict, asked []question)) {
	t.Helper()
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	w := &witness{Strategy: s}
	for run := range n {
		w.asked = w.asked[:0]
		w.Start(Plan{Seed: 1, Run: uint64(run), Profile: r.profile()})
		v := r.run(w)
		f(v, w.asked)
	}
}

// witness notes the moves that a strategy chooses.
type witness struct {
	Strategy
	asked []question
}

type question struct {
	options         machine.Set
	current, answer int
}

func (w *witness) Choose(c *machine.Choice) int {
	k := w.Strategy.Choose(c)
	if c.Kind == machine.Move {
		w.asked = append(w.asked, question{options: c.Options, current: int(c.Current), answer: k})
	}
	return k
}

// preemptions counts the moves of others than who could have gone on.
func preemptions(asked []question) (n int) {
	for _, q := range asked {
		if q.current >= 0 && q.answer != q.current {
			n++
		}
	}
	return n
}

func TestPCTPreemptsOnlyAtChangePoints(t *testing.T) {
	most := [pctDepths]int{}
	run := 0
	runs(t, lanes([]int{8, 8, 8}, true, 0), &pct{}, 2000, func(_ *verdict, asked []question) {
		depth := run % pctDepths
		most[depth] = max(most[depth], preemptions(asked))
		run++
		if depth == 0 && preemptedReturns(asked) {
			t.Fatal("whoever was preempted at the only change point moved before the others had ended")
		}
	})
	for i, n := range most {
		if want := i + 1; n != want {
			t.Errorf("depth %d: at most %d preemptions, want %d", i+2, n, want)
		}
	}
}

// preemptedReturns says whether someone moves by choice after being preempted.
func preemptedReturns(asked []question) bool {
	gone := -1
	for _, q := range asked {
		if q.current >= 0 && q.answer != q.current {
			gone = q.current
		}
		if q.answer == gone {
			return true
		}
	}
	return false
}

func TestDelayHasNoMoreDelays(t *testing.T) {
	most := [maxDelays]int{}
	run := 0
	runs(t, lanes([]int{8, 8, 8}, true, 0), &delay{}, 2000, func(_ *verdict, asked []question) {
		d := run % maxDelays
		most[d] = max(most[d], preemptions(asked))
		run++
	})
	for i, n := range most {
		if want := i + 1; n != want {
			t.Errorf("%d delays: at most %d preemptions", want, n)
		}
	}
}

// spread is the chi-square statistic of counts that should be equal, in standard
// deviations above its mean.
func spread[K comparable](counts map[K]int, cells, n int) float64 {
	want := float64(n) / float64(cells)
	sum := float64(cells-len(counts)) * want
	for _, c := range counts {
		sum += (float64(c) - want) * (float64(c) - want) / want
	}
	free := float64(cells - 1)
	return (sum - free) / math.Sqrt(2*free)
}

func TestURWIsUniform(t *testing.T) {
	for _, test := range []struct {
		writes []int
		all    int
	}{{[]int{4, 4}, 70}, {[]int{6, 2}, 28}, {[]int{2, 2, 2}, 90}, {[]int{1, 2, 3}, 60}} {
		n := 100 * test.all
		for _, s := range []Strategy{&urw{}, &randomWalk{}} {
			counts := map[uint64]int{}
			runs(t, lanes(test.writes, true, 0), s, n, func(v *verdict, _ []question) { counts[v.TraceHash]++ })
			if len(counts) > test.all {
				t.Fatalf("%v: %d interleavings of %d", test.writes, len(counts), test.all)
			}
			_, uniform := s.(*urw)
			if x := spread(counts, test.all, n); uniform != (x < 5) {
				t.Errorf("%v: %T is %.1f deviations from uniform", test.writes, s, x)
			}
		}
	}
}

// The orders of the interesting accesses are uniform, however many others there
// are between them.
func TestSURWIsUniformOnItsWord(t *testing.T) {
	const all, n = 70, 7000
	for _, s := range []Strategy{&surw{}, &urw{}} {
		counts := map[string]int{}
		target := lanes([]int{4, 4}, true, 3)
		uneven := target.Setup
		target.Setup = func(m *machine.Machine) Program {
			p := uneven(m)
			own := m.Alloc(8)
			body := p.Threads[0].Body
			p.Threads[0].Body = func(t *machine.Thread) { // as many again, before the first
				for range 12 {
					t.Store64(own, 1)
				}
				body(t)
			}
			return p
		}
		r, err := newRunner(target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		profile := r.profile()
		if len(profile.Shared) != 1 {
			t.Fatalf("shared words %v", profile.Shared)
		}
		order := []byte{}
		r.traced = func(e *machine.Event) {
			if e.Op.Addr == profile.Shared[0].Addr {
				order = append(order, byte('0'+e.CPU))
			}
		}
		for run := range uint64(n) {
			order = order[:0]
			s.Start(Plan{Seed: 2, Run: run, Profile: profile})
			r.run(s)
			counts[string(order)]++
		}
		r.close()
		_, uniform := s.(*surw)
		if x := spread(counts, all, n); uniform != (x < 5) {
			t.Errorf("%T is %.1f deviations from uniform", s, x)
		}
	}
}

// posWitness checks each choice of a pos.
type posWitness struct {
	*pos
	t        *testing.T
	redrawn  int
	eagerest int
}

func (w *posWitness) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return w.pos.Choose(c)
	}
	before, drawn := w.pending, w.drawn
	k := w.pos.Choose(c)
	private := func(k int) bool { return w.profile.isPrivate(c.Op(k).Addr) }
	for o := c.Options; o != 0; o = o.Rest() {
		i := o.First()
		if private(i) && !private(k) {
			w.t.Errorf("a shared access goes before a private one")
		}
		if i == k || !drawn.Has(i) {
			continue
		}
		same := c.Op(i).Addr == c.Op(k).Addr && (c.Op(i).Kind.Writes() || c.Op(k).Kind.Writes())
		changed := before[i].priority != w.pending[i].priority
		if changed != (same && !private(k)) {
			w.t.Errorf("access to %#x pending when %#x is chosen: new priority %t", c.Op(i).Addr, c.Op(k).Addr, changed)
		}
		if changed {
			w.redrawn++
		}
	}
	if private(k) {
		w.eagerest++
	}
	return k
}

func TestPOSRedrawsRacesAndHurriesPrivateAccesses(t *testing.T) {
	target := lanes([]int{3, 3, 3}, true, 2)
	one := target.Setup
	target.Setup = func(m *machine.Machine) Program {
		p, other := one(m), m.Alloc(8)
		for i := range p.Threads {
			body := p.Threads[i].Body
			p.Threads[i].Body = func(t *machine.Thread) {
				t.Store64(other, 1)
				body(t)
				t.Load64(other)
			}
		}
		return p
	}
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	w := &posWitness{pos: &pos{}, t: t}
	for run := range uint64(200) {
		w.Start(Plan{Run: run, Profile: r.profile()})
		r.run(w)
	}
	if w.redrawn == 0 || w.eagerest == 0 {
		t.Errorf("%d priorities drawn anew, %d private accesses first", w.redrawn, w.eagerest)
	}
}

func TestProfileKnowsTheProgram(t *testing.T) {
	r, err := newRunner(lanes([]int{5, 2}, true, 1), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	p := r.profile()
	if p.Steps[0] != 10 || p.Steps[1] != 4 || p.Steps[2] != 0 {
		t.Errorf("steps %v", p.Steps[:3])
	}
	if len(p.Shared) != 1 || p.Shared[0].Accesses[0] != 5 || p.Shared[0].Accesses[1] != 2 {
		t.Errorf("shared words %v", p.Shared)
	}
	if own := p.Shared[0].Addr + 64; !p.isPrivate(own) || p.isPrivate(p.Shared[0].Addr) {
		t.Errorf("private words %v", p.private.slots)
	}
	if n := p.most(); n < 5 || n > 14 {
		t.Errorf("at most %d moves", n)
	}
	// A handler and the thread that it interrupts contend, though on one CPU.
	r2, err := newRunner(interrupted(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r2.close()
	if p := r2.profile(); len(p.Shared) != 1 {
		t.Errorf("a thread and a handler share %v", p.Shared)
	}
}

// counted is a chooser with a tally.
type counted struct {
	machine.Natural
	tally
}

func (c *counted) Choose(q *machine.Choice) int {
	c.ask(q)
	return c.answer(c.Natural.Choose(q))
}

// Steps that are made without a choice are their maker's.
func TestTallyAttributesForcedSteps(t *testing.T) {
	r, err := newRunner(Target{Name: "waits", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		word, own := m.Alloc(8), m.Alloc(8)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			if t.CPU() == 0 {
				t.Await(machine.Until(word, 1))
				t.Store64(word, 2)
				return
			}
			for range 10 {
				t.Store64(own, 1)
			}
			t.Store64(word, 1)
			t.Store64(own, 2)
		})}
	}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	c := &counted{}
	r.run(c)
	// Thread 1 makes 11 steps alone and is asked then; it is the current one, and
	// goes on to its end.
	if c.steps[1] != 12 || c.steps[0] != 0 {
		t.Errorf("steps %v", c.steps[:2])
	}
}

// The same seed makes the same runs, of every strategy, however many workers
// take its blocks.
func TestStrategiesDoNotDependOnWorkers(t *testing.T) {
	for _, s := range Strategies() {
		for _, target := range []Target{correct(), interrupted()} {
			o := Options{Strategy: s.Name, Seed: 3, Runs: 2*BlockRuns + 100, All: true}
			want := mustHunt(t, target, o)
			o.Workers = 2
			if diff := cmp.Diff(want, mustHunt(t, target, o)); diff != "" {
				t.Errorf("%s of %s with 2 workers (-one +two):\n%s", s.Name, target.Name, diff)
			}
		}
	}
}

func ExampleStrategies() {
	for _, s := range Strategies() {
		fmt.Println(s.Name)
	}
	// Output:
	// portfolio
	// random
	// pct
	// pos
	// urw
	// surw
	// delay
	// mutate
	// sparse
	// natural
}
