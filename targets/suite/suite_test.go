package suite

import (
	"flag"
	"strings"
	"testing"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

var (
	brute = flag.Int("suite.brute", 6000, "runs after which counting a program's classes one by one gives up")
	fixed = flag.Uint64("suite.fixed", 5000, "runs of each mended program")
)

func hunt(t *testing.T, target fuzz.Target, o fuzz.Options) fuzz.Summary {
	t.Helper()
	s, err := fuzz.Hunt(target, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// found hunts with one strategy after the other, the default one first, up to one
// that finds the bug.
func found(t *testing.T, target fuzz.Target) fuzz.Summary {
	t.Helper()
	s := hunt(t, target, fuzz.Options{Seed: 1})
	for _, other := range fuzz.Strategies() {
		if s.Finding != nil {
			break
		}
		s = hunt(t, target, fuzz.Options{Seed: 1, Strategy: other.Name})
	}
	return s
}

func TestBugsAreFound(t *testing.T) {
	for _, p := range Programs() {
		s := found(t, p.Target)
		if s.Finding == nil {
			t.Errorf("%s: no strategy finds the bug", p.Target.Name)
			continue
		}
		if f := s.Finding; f.Judge != "final state" && f.Judge != "progress" || f.Threads != p.Threads {
			t.Errorf("%s: %s found it with %d threads; want its effect, with %d", p.Target.Name, f.Judge, f.Threads, p.Threads)
		}
		again := hunt(t, p.Target, fuzz.Options{Seed: 1, Strategy: s.Strategy, Workers: 2})
		if again.Runs != s.Runs || again.TraceHash != s.TraceHash {
			t.Errorf("%s: found in run %d, and in run %d by two workers", p.Target.Name, s.Runs, again.Runs)
		}
	}
}

// What is mended is the bug.
func TestFixedTwinsPass(t *testing.T) {
	runs := *fixed
	if testing.Short() {
		runs /= 10
	}
	for _, p := range Programs() {
		s := hunt(t, p.Fixed, fuzz.Options{Seed: 1, Runs: runs})
		if s.Finding != nil {
			t.Errorf("%s: run %d: %s", p.Fixed.Name, s.Runs, s.Finding.Message)
		}
		if s.Steps > 200*s.Runs {
			t.Errorf("%s takes %d steps a run: too many to try it often", p.Fixed.Name, s.Steps/s.Runs)
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Programs() {
		name := p.Target.Name
		if err := p.Target.Validate(); err != nil || seen[name] || !strings.HasPrefix(name, "suite/") {
			t.Errorf("%s: %v, or it is not the first of its name, or not of the suite", name, err)
		}
		seen[name] = true
		if p.Fixed.Name != name+"-fixed" || p.Target.Doc == "" || p.Source == "" {
			t.Errorf("%s: its twin is %s, its Doc %q, its Source %q", name, p.Fixed.Name, p.Target.Doc, p.Source)
		}
	}
	if len(seen) < 24 {
		t.Errorf("%d programs: want 24 or more", len(seen))
	}
}

// Classes are what brute force counts, or more than that where it gives up.
func TestClasses(t *testing.T) {
	most := *brute
	if testing.Short() {
		most /= 10
	}
	for _, p := range Programs() {
		if p.Classes == 0 {
			continue
		}
		all, broken, ok := classes(t, p.Target, most)
		if all > p.Classes || ok && all < p.Classes || broken == all || ok && broken == 0 {
			t.Errorf("%s: %d classes (all of them: %t), of which %d show the bug; want %d, and some of them",
				p.Target.Name, all, ok, broken, p.Classes)
		}
		if !ok {
			t.Logf("%s: saw %d of %d classes in %d runs; -suite.brute gives more", p.Target.Name, all, p.Classes, most)
		}
	}
}

// classes counts the classes of all runs of a program, and those that show the
// bug; ok is false if there are more runs than it may try.
func classes(t *testing.T, target fuzz.Target, most int) (all, broken uint64, ok bool) {
	m, err := machine.New(target.Platform)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	seen := map[uint64]bool{}
	e := &everything{m: m}
	m.SetTracer(e.wakeUp)
	for range most {
		m.Begin(e, target.Limits)
		p := target.Setup(m)
		r := m.Run(p.Threads...)
		bad := r.Outcome != machine.Finished || p.After != nil && p.After() != nil
		was, known := seen[r.Fingerprint]
		if known && was != bad {
			t.Errorf("%s: of two runs of one class, one shows the bug", target.Name)
		}
		if seen[r.Fingerprint] = bad; bad && !known {
			broken++
		}
		if ok = !e.next(); ok {
			break
		}
	}
	return uint64(len(seen)), broken, ok
}

// everything answers the questions of all runs, one run after the other: it
// keeps a path through the tree of answers, and from run to run changes the last
// answer that has an alternative. Sleep sets (P. Godefroid, 1990) keep it from
// trying again what it has tried, in another order of independent operations.
type everything struct {
	m       *machine.Machine
	path    []node
	at      int
	sleep   machine.Set                   // agents that need not move, for it has been tried
	pending [machine.MaxAgents]machine.Op // what they would do
}

// node is a question: its answer, the ones that have not been tried, and those
// that sleep, with what they would do.
type node struct {
	move        bool // it asks who moves
	pick        int
	rest, sleep machine.Set
	pending     [machine.MaxAgents]machine.Op
}

func (e *everything) Choose(c *machine.Choice) int {
	if e.at == len(e.path) {
		n := node{move: c.Kind == machine.Move, sleep: e.sleep, pending: e.pending}
		options := c.Options
		if n.move {
			for o := options; o != 0; o = o.Rest() {
				n.pending[o.First()] = c.Op(o.First())
			}
			if options &^= e.sleep; options == 0 {
				options = machine.Only(c.Options.First()) // the rest of the run is known
			}
		}
		n.pick, n.rest = options.First(), options.Rest()
		e.path = append(e.path, n)
	}
	n := &e.path[e.at]
	e.at++
	e.sleep, e.pending = n.sleep, n.pending
	if n.move {
		e.sleep &^= machine.Only(n.pick)
	}
	return n.pick
}

// wakeUp is told of each operation: those that it does not commute with must be
// tried again.
func (e *everything) wakeUp(v *machine.Event) {
	for s := e.sleep; s != 0; s = s.Rest() {
		if k := s.First(); !e.commute(v.Op, e.pending[k]) {
			e.sleep &^= machine.Only(k)
		}
	}
}

// commute says that two operations of different CPUs commute, when in doubt no.
func (e *everything) commute(a, b machine.Op) bool {
	memory := func(o machine.Op) bool {
		return o.Kind.Reads() || o.Kind.Writes() || o.Kind == machine.OpTimeout
	}
	if !memory(a) || !memory(b) {
		return false
	}
	if !a.Kind.Writes() && !b.Kind.Writes() || e.private(a) || e.private(b) {
		return true
	}
	for _, o := range []machine.Op{a, b} {
		switch o.Kind {
		case machine.OpAwait, machine.OpTimeout: // there may be more addresses than the first one
			return false
		case machine.OpLoadEx, machine.OpStoreEx:
			return a.Addr>>6 != b.Addr>>6 // the granule
		}
	}
	return a.Addr != b.Addr
}

// private says that an operation accesses a pad.
func (e *everything) private(o machine.Op) bool {
	name, _ := e.m.LabelOf(o.Addr)
	return strings.HasPrefix(name, "pad")
}

// next prepares the next run, and answers whether there is one.
func (e *everything) next() bool {
	e.at, e.sleep = 0, 0
	for k := len(e.path); k > 0; k-- {
		if n := &e.path[k-1]; n.rest != 0 {
			if n.move {
				n.sleep |= machine.Only(n.pick)
			}
			n.pick, n.rest = n.rest.First(), n.rest.Rest()
			e.path = e.path[:k]
			return true
		}
	}
	return false
}

// The exhaustive search visits each class once, and finds no bug where it is
// mended.
func TestExhaustiveSearchAgrees(t *testing.T) {
	const most = 5000
	for _, p := range Programs() {
		if p.Classes == 0 || p.Classes > most || testing.Short() && p.Classes > most/10 {
			continue
		}
		x, err := fuzz.Exhaust(p.Target, fuzz.ExhaustOptions{All: true, Runs: 2 * most})
		if err != nil || x.Classes != p.Classes || x.Runs != p.Classes || x.Finding == nil {
			t.Errorf("%s: %d classes in %d runs, finding %v, error %v; want %d and a finding", p.Target.Name, x.Classes, x.Runs, x.Finding, err, p.Classes)
		}
		x, err = fuzz.Exhaust(p.Fixed, fuzz.ExhaustOptions{Runs: 2 * most})
		if err != nil || x.Finding != nil {
			t.Errorf("%s: error %v, finding %v", p.Fixed.Name, err, x.Finding)
		}
	}
}
