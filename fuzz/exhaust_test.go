package fuzz

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// enumerator makes all runs, without any reduction: it shares nothing with the
// search but the machine and the runner.
type enumerator struct {
	script []int
	limit  []machine.Set // what is left to try
	pos    int
	most   int // preemptions; negative is no bound
	used   int
}

func (e *enumerator) Choose(c *machine.Choice) int {
	if e.pos == len(e.script) {
		opts := c.Options
		if c.Kind == machine.Move && c.Current >= 0 && e.most >= 0 && e.used >= e.most {
			for s := opts; s != 0; s = s.Rest() {
				if k := s.First(); k != int(c.Current) && c.Agent(k) == machine.CPUAgent(k) {
					opts &^= machine.Only(k)
				}
			}
		}
		e.script = append(e.script, opts.First())
		e.limit = append(e.limit, opts.Rest())
	}
	pick := e.script[e.pos]
	e.pos++
	if c.Kind == machine.Move && c.Current >= 0 && pick != int(c.Current) && c.Agent(pick) == machine.CPUAgent(pick) {
		e.used++
	}
	return pick
}

func (e *enumerator) next() bool {
	for at := len(e.script) - 1; at >= 0; at-- {
		if l := e.limit[at]; l != 0 {
			e.script[at], e.limit[at] = l.First(), l.Rest()
			e.script, e.limit = e.script[:at+1], e.limit[:at+1]
			return true
		}
	}
	return false
}

// enumerate answers the classes of all runs with at most so many preemptions.
func enumerate(t testing.TB, target Target, preemptions, most int) (classes map[uint64]bool, runs int, ok bool) {
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	e := &enumerator{most: preemptions}
	classes = map[uint64]bool{}
	for {
		e.pos, e.used = 0, 0
		v := r.run(e)
		runs++
		classes[v.Fingerprint] = true
		if !e.next() {
			return classes, runs, true
		}
		if runs == most {
			return classes, runs, false
		}
	}
}

func searchAll(t testing.TB, target Target) (classes map[uint64]int) {
	r, err := newRunner(target, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	s := newSearch(r)
	b := &Subtree{}
	s.claim, s.all = func(uint64) *Subtree { return b }, true
	classes = map[uint64]int{}
	for more := true; more; {
		more = s.next()
		if s.drifted {
			t.Fatal("drifted")
		}
		if !s.cut {
			classes[r.out.Fingerprint]++
		}
	}
	return classes
}

// smallProgram is a random program: it is drawn operation by operation.
type smallProgram struct {
	platform machine.Platform
	threads  [][]int
	handler  []int
	raised   []int
	ops      []string
}

var plainOps = []string{"load x", "load y", "store x", "store y", "cas x", "cas y", "swap x", "add y", "load p", "store q"}
var awaitOps = []string{"await x", "await y", "timeout x", "any"}
var exclusiveOps = []string{"ldx x", "stx x", "ldx p", "stx p", "inc x"}
var orderedOps = []string{"release x", "release y", "acquire x", "acquire y", "full", "loads", "stores", "isb", "wait x"}
var interruptOps = []string{"send0", "send1", "mask", "unmask", "arm"}
var recordOps = []string{"call", "return", "acquired", "release", "note", "choose"}

func draw(r *Rand, ops []string, irq bool) *smallProgram {
	p := &smallProgram{ops: ops}
	cpus := 2 + r.Below(2)
	all := []machine.ISA{machine.X86, machine.AArch64, machine.AArch64LLSC}
	for range cpus {
		p.platform.Nodes = append(p.platform.Nodes, machine.Node{ISA: all[r.Below(3)], CPUs: 1})
	}
	total := 0
	for range cpus {
		n := 1 + r.Below(4)
		if cpus == 3 {
			n = 1 + r.Below(2)
		}
		total += n
		var t []int
		for range n {
			t = append(t, r.Below(len(ops)))
		}
		p.threads = append(p.threads, t)
	}
	if irq {
		for range 1 + r.Below(2) {
			p.handler = append(p.handler, r.Below(len(plainOps)))
		}
		for c := range cpus {
			if r.Below(3) == 0 {
				p.raised = append(p.raised, c)
			}
		}
	}
	return p
}

func (p *smallProgram) String() string {
	var b strings.Builder
	for i, t := range p.threads {
		fmt.Fprintf(&b, "%s:", p.platform.Nodes[i].ISA.Name)
		for _, o := range t {
			fmt.Fprintf(&b, " %s;", p.ops[o])
		}
		b.WriteString("\n")
	}
	if p.handler != nil {
		fmt.Fprintf(&b, "raised %v, handler:", p.raised)
		for _, o := range p.handler {
			fmt.Fprintf(&b, " %s;", plainOps[o])
		}
	}
	return b.String()
}

const testVector = machine.FirstInterrupt + 8

func (p *smallProgram) target() Target {
	return Target{Name: "random", Platform: p.platform, Limits: machine.Limits{Steps: 400, FairSteps: 400, Interrupts: 4, Spurious: 1, Polls: -1},
		Setup: func(m *machine.Machine) Program {
			x, y, pq := m.Alloc(64), m.Alloc(64), m.Alloc(64)
			if p.handler != nil {
				h := func(t *machine.Thread, _ *machine.Frame) {
					for _, o := range p.handler {
						do(t, plainOps[o], x, y, pq)
					}
				}
				m.HandleAll(testVector, h)
				m.HandleAll(machine.VectorTimer, h)
				for _, c := range p.raised {
					m.Raise(c, testVector)
				}
			}
			return Program{Threads: Some(m, len(p.threads), func(t *machine.Thread) {
				for _, o := range p.threads[t.CPU()] {
					do(t, p.ops[o], x, y, pq)
				}
			})}
		}}
}

func do(t *machine.Thread, op string, x, y, pq machine.VA) {
	at := x
	if strings.HasSuffix(op, "y") {
		at = y
	} else if strings.HasSuffix(op, "p") {
		at = pq
	} else if strings.HasSuffix(op, "q") {
		at = pq + 8
	}
	isa := t.ISA()
	word, _, _ := strings.Cut(op, " ")
	switch word {
	case "load":
		t.Load64(at)
	case "store":
		t.Store64(at, uint64(t.CPU())+1)
	case "cas":
		if isa.RMW {
			t.CompareAndSwap(at, machine.Size64, 0, 1, machine.Plain)
		} else {
			t.Load64(at)
		}
	case "swap":
		if isa.RMW {
			t.Swap(at, machine.Size64, 0, machine.Plain)
		} else {
			t.Store64(at, 0)
		}
	case "add":
		if isa.RMW {
			t.FetchAdd(at, machine.Size64, 1, machine.Plain)
		} else {
			t.Store64(at, 1)
		}
	case "await":
		t.Await(machine.Until(at, 0))
	case "timeout":
		t.AwaitTimeout(machine.While(at, 0))
	case "any":
		t.AwaitAny(machine.Until(x, 0), machine.While(y, 0))
	case "release":
		t.Store(at, machine.Size64, uint64(t.CPU())+1, machine.Release)
	case "acquire":
		t.Load(at, machine.Size64, machine.Acquire)
	case "wait":
		t.Await(machine.While(at, 0))
	case "ldx":
		if isa.Exclusives {
			t.LoadExclusive(at, machine.Size64, machine.Plain)
		}
	case "stx":
		if isa.Exclusives {
			t.StoreExclusive(at, machine.Size64, 5, machine.Plain)
		}
	case "inc":
		for isa.Exclusives {
			if v := t.LoadExclusive(at, machine.Size64, machine.Plain); t.StoreExclusive(at, machine.Size64, v+1, machine.Plain) {
				break
			}
		}
	default:
		doKernel(t, word, x, y, pq)
	}
}

// doKernel does what has to do with records, branches and interrupts.
func doKernel(t *machine.Thread, op string, x, y, pq machine.VA) {
	switch op {
	case "call":
		t.Call(x, 1)
		t.Load64(pq + 16)
	case "return":
		t.Load64(pq + 24)
		t.Return(x, 0, true)
	case "acquired":
		t.Note(machine.NoteAcquired, x, 0, 0)
	case "release":
		t.Note(machine.NoteRelease, x, 0, 0)
	case "note":
		t.Note(machine.NoteUser, x, 0, 0)
	case "choose":
		if t.Choose("c", 2) == 1 {
			t.Store64(y, 9)
		}
	case "full":
		t.Fence(machine.FullFence)
	case "loads":
		t.Fence(machine.LoadFence)
	case "stores":
		t.Fence(machine.StoreFence)
	case "isb":
		t.Fence(machine.InstFence)
	case "send0", "send1":
		t.SendIPI(int(op[4]-'0'), testVector)
	case "mask":
		t.DisableInterrupts()
	case "unmask":
		t.EnableInterrupts()
	case "arm":
		t.ArmTimer()
	default:
		panic(op)
	}
}

// agree compares the search with the enumerator.
func agree(t *testing.T, name string, target Target, want map[uint64]bool) {
	got := searchAll(t, target)
	missing, more := 0, 0
	for c := range want {
		if got[c] == 0 {
			missing++
		}
	}
	for c, k := range got {
		if !want[c] {
			t.Errorf("%s: a class that no run has", name)
		}
		more += k - 1
	}
	if missing > 0 || more > 0 {
		t.Errorf("%s: %d classes, want %d: %d missing, %d visited again", name, len(got), len(want), missing, more)
	}
	x := exhaust(t, target, ExhaustOptions{Workers: 2})
	if x.Finding == nil && x.Steps > 0 && x.Guessed == "" && (x.Classes != uint64(len(want)) || x.Runs != x.Classes || x.Stopped) {
		t.Errorf("%s: %d classes in %d runs, want %d; %s", name, x.Classes, x.Runs, len(want), x.Inconclusive())
	}
}

// TestExhaustAgreesWithEnumeration: the search finds the classes of all runs of
// small programs, and makes one run of each.
func TestExhaustAgreesWithEnumeration(t *testing.T) {
	programs := 400
	if testing.Short() {
		programs = 100
	}
	for name, ops := range map[string][]string{
		"plain":      plainOps,
		"awaits":     slices.Concat(plainOps, awaitOps, awaitOps),
		"exclusives": slices.Concat(plainOps, exclusiveOps),
		"records":    slices.Concat(plainOps, recordOps, recordOps),
		"all":        slices.Concat(plainOps, awaitOps, exclusiveOps, recordOps),
		"interrupts": slices.Concat(plainOps, interruptOps),
	} {
		t.Run(name, func(t *testing.T) {
			done, classes := 0, 0
			for seed := range uint64(programs) {
				r := NewRand(seed, 77)
				p := draw(&r, ops, name == "interrupts")
				want, _, ok := enumerate(t, p.target(), -1, 4000)
				if !ok {
					continue
				}
				done, classes = done+1, classes+len(want)
				agree(t, fmt.Sprintf("seed %d: %s", seed, p), p.target(), want)
			}
			if done < programs/2 || classes < 2*done {
				t.Errorf("only %d programs compared, with %d classes", done, classes)
			}
		})
	}
}

// private is a target of n threads with k writes each, to words of their own.
func private(n, k int) Target {
	return Target{Name: "private", Platform: machine.Pairs((n + 1) / 2), Setup: func(m *machine.Machine) Program {
		words := m.Alloc(uint64(64 * n))
		return Program{Threads: Some(m, n, func(t *machine.Thread) {
			for i := range k {
				t.Store64(words+machine.VA(64*t.CPU()), uint64(i+1))
			}
		})}
	}}
}

func TestIndependentAccessesAreOneClass(t *testing.T) {
	_, runs, ok := enumerate(t, private(2, 8), -1, 1<<20)
	if x := exhaust(t, private(2, 8), ExhaustOptions{}); x.Classes != 1 || x.Runs != 1 || x.Blocked != 0 || !ok || runs != 12870 {
		t.Errorf("%d classes in %d runs, %d of them blocked; and %d runs without reduction", x.Classes, x.Runs, x.Blocked, runs)
	}
}

func exhaust(t testing.TB, target Target, o ExhaustOptions) Exhausted {
	t.Helper()
	x, err := Exhaust(target, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestExhaustIsTheSame on any number of workers, and its shards add up.
func TestExhaustIsTheSame(t *testing.T) {
	pins := []machine.Pin{{Name: "threads", Value: 1}, {Name: "rounds"}}
	want := exhaust(t, correct(), ExhaustOptions{Pins: pins})
	if want.Classes != 60 || want.Runs != 60 || !want.Passed() {
		t.Errorf("%+v", want)
	}
	two := exhaust(t, correct(), ExhaustOptions{Pins: pins, Workers: 2})
	if !reflect.DeepEqual(two, want) {
		t.Errorf("two workers: %+v, want %+v", two, want)
	}
	var sum Subtree
	for i := range uint64(3) {
		x := exhaust(t, correct(), ExhaustOptions{Pins: pins, Workers: 2, Shard: Shard{i + 1, 3}})
		sum.add(&x.Subtree)
	}
	if !reflect.DeepEqual(sum, want.Subtree) {
		t.Errorf("three shards: %+v, want %+v", sum, want.Subtree)
	}
}

func TestExhaustFinds(t *testing.T) {
	var first *Finding
	for _, workers := range []int{1, 2} {
		x := exhaust(t, checkThenAct(), ExhaustOptions{Workers: workers, Pins: []machine.Pin{{Name: "threads"}}})
		if x.Finding == nil || x.Passed() {
			t.Fatalf("nothing found: %+v", x)
		}
		if first == nil {
			first = x.Finding
		}
		if !reflect.DeepEqual(first, x.Finding) {
			t.Errorf("%d workers found %+v, one %+v", workers, x.Finding, first)
		}
	}
	if _, err := Shrink(checkThenAct(), first, ShrinkOptions{}); err != nil {
		t.Error(err)
	}
}

func TestExhaustStops(t *testing.T) {
	x := exhaust(t, correct(), ExhaustOptions{Runs: 500})
	if why := x.Inconclusive(); !strings.HasPrefix(why, "stopped after") || x.Passed() {
		t.Errorf("%q: %+v", why, x)
	}
}

// TestBoundsAgreeWithEnumeration: a search with a bound finds the classes of all
// schedules within the bound.
func TestBoundsAgreeWithEnumeration(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 60
	}
	ops := slices.Concat(plainOps, awaitOps, exclusiveOps, recordOps)
	grown := 0
	for seed := range uint64(programs) {
		r := NewRand(seed, 78)
		use, interrupts := ops, seed%3 == 0
		if interrupts {
			use = slices.Concat(plainOps, interruptOps)
		}
		p := draw(&r, use, interrupts)
		last := uint64(0)
		for bound := range 4 {
			want, _, ok := enumerate(t, p.target(), bound, 5000)
			if !ok {
				continue
			}
			x := exhaust(t, p.target(), ExhaustOptions{Bounded: true, Preemptions: bound, Workers: 2, All: true})
			if x.Classes != uint64(len(want)) {
				t.Errorf("seed %d: %d classes with %d preemptions, want %d: %s", seed, x.Classes, bound, len(want), p)
			}
			grown += int(one(x.Classes > last))
			last = x.Classes
		}
	}
	if grown < programs {
		t.Errorf("the bounds made a difference %d times only", grown)
	}
}

// TestBoundIsTheSame on any number of workers; its shards add up, and its first
// violation has the fewest preemptions.
func TestBoundIsTheSame(t *testing.T) {
	o := ExhaustOptions{Bounded: true, Preemptions: 3, Pins: []machine.Pin{{Name: "threads", Value: 1}}}
	want := exhaust(t, correct(), o)
	if want.Classes < 1000 || !want.Passed() {
		t.Errorf("%+v: %s", want, want.Inconclusive())
	}
	o.Workers = 2
	if two := exhaust(t, correct(), o); !reflect.DeepEqual(two, want) {
		t.Errorf("two workers: %+v, want %+v", two, want)
	}
	var sum Subtree
	for i := range uint64(3) {
		o.Shard = Shard{i + 1, 3}
		x := exhaust(t, correct(), o)
		sum.Classes, sum.Runs = sum.Classes+x.Classes, sum.Runs+x.Runs
	}
	if sum.Classes != want.Classes || sum.Runs != want.Runs {
		t.Errorf("three shards: %+v, want %+v", sum, want.Subtree)
	}
	for _, workers := range []int{1, 2} {
		x := exhaust(t, checkThenAct(), ExhaustOptions{Bounded: true, Preemptions: 4, Workers: workers, Pins: []machine.Pin{{Name: "threads"}}})
		if x.Finding == nil || x.Finding.Schedule.Count(machine.Preemption) != 2 {
			t.Errorf("%d workers: %v", workers, x.Finding.Schedule)
		}
	}
}
