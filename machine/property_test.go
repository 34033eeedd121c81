package machine_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMain has rapid start from one seed, so that a test run depends on nothing
// but the source; -rapid.seed=N or 0 (the time) tries others.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.seed": "1", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// random chooses evenly, and checks that no place is asked twice in a run.
type random struct {
	state uint64
	asked map[place]bool
	twice *place
}

func newRandom(seed uint64) *random { return &random{state: seed, asked: map[place]bool{}} }

// next is splitmix64.
func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) Choose(c *machine.Choice) int {
	at := place{c.Context, c.Index, c.Visit, c.Kind}
	if r.asked[at] && r.twice == nil {
		r.twice = &at
	}
	r.asked[at] = true
	return c.Options.Nth(int(r.next() % uint64(c.Options.Len())))
}

// kernelOps are statements for random programs that need handlers, threads
// and a scheduler of sorts; memoryOps need nothing.
var (
	memoryOps = []string{
		"load x", "load y", "load32 x+4", "store8 x+5 1", "store x 1", "store y 1", "store y 0", "store8 x+1 7",
		"cas x 0 2", "cas y 1 0", "swap x 1", "add x 1", "add y 1", "fence", "lladd x 1", "lladd y 1",
		"if arm\n ldx x\n store y 3\n stx x 4\n end", "await-timeout x==1", "await-timeout y!=0",
		"repeat 5\n load x\n end", "load p", "store q 1", "if x == 1\n store y 2\n end",
	}
	interruptOps = []string{"send 0 v33", "send 1 v33", "arm", "mask", "unmask", "await x!=0"}
	recordOps    = []string{
		"call x 1", "return x 1", "note 2 x", "note 3 x", "note 5 x", "note 64 y",
		"if arm\n ldx p\n fence\n stx p 2\n end", "store q 2",
	}
	kernelOps = []string{
		"halt", "syscall 1", "switch w", "switch idle", "switch t0", "spawn v", "switch v", "asleep x==1",
		"call x 1", "return x 1", "choose a 3", "await-any x==1 y==1", "store 8 1", "spin y 1",
	}
)

// randomProgram is the text of a program of two or three CPUs.
func randomProgram(t *rapid.T, ops ...string) string {
	var b strings.Builder
	cpus := rapid.IntRange(2, 3).Draw(t, "cpus")
	b.WriteString("cpus " + strings.Join([]string{"x86", "arm", "arm"}[:cpus], " ") + "\n")
	fmt.Fprintf(&b, "order %s\n", rapid.SampledFrom([]string{"sc", "tso", "native"}).Draw(t, "order"))
	b.WriteString("limits steps=120 fair=200\nvar x y\nwords p q\n")
	statements := func(head string, most int) {
		b.WriteString(head + "\n")
		for _, op := range rapid.SliceOfN(rapid.SampledFrom(ops), 1, most).Draw(t, head) {
			b.WriteString(" " + op + "\n")
		}
	}
	for _, head := range []string{"handler * v32", "handler * v33", "handler * v40"} {
		statements(head, 3)
	}
	for cpu := range cpus {
		statements(fmt.Sprintf("thread %d", cpu), 6)
		if rapid.Bool().Draw(t, "raise") {
			fmt.Fprintf(&b, "raise %d v40\n", cpu)
		}
	}
	return b.String()
}

// withKernel adds what kernelOps need.
const withKernel = `
handler * v1
 add x 1
 ret 1
handler * v0
 load y
spawn w
spawn t0
spawn v
body w
 add x 1
 switch t0
 add y 1
body t0
 store x 1
body v
 store y 1
`

// outcome is what must be equal between two runs that are the same.
type outcome struct {
	Result     machine.Result
	Exceptions []machine.Exception
}

func observe(p *program, m *machine.Machine, c machine.Chooser) outcome {
	_, res := p.run(m, c)
	res.Stack = nil
	res.History = append(machine.History{}, res.History...)
	res.Workload = append([]machine.WorkloadAnswer{}, res.Workload...)
	return outcome{res, m.Exceptions()}
}

// machines keeps one machine for each number of CPUs and memory order: coroutines are
// reused.
type machines map[sort]*machine.Machine

type sort struct {
	cpus  int
	order machine.MemoryOrder
}

func (ms machines) of(t *testing.T, p *program) *machine.Machine {
	key := sort{len(p.platform.Nodes), p.platform.Order}
	m := ms[key]
	if m == nil {
		m = newMachine(t, p.platform)
		ms[key] = m
	}
	return m
}

func kernelProgram(rt *rapid.T) *program {
	ops := append(append(append([]string{}, memoryOps...), interruptOps...), kernelOps...)
	return parse(randomProgram(rt, ops...) + withKernel)
}

// TestDeterminism: the same program with the same answers is the same run, on
// a used machine, on a new one, and with a tracer.
func TestDeterminism(t *testing.T) {
	used := machines{}
	rapid.Check(t, func(rt *rapid.T) {
		p := kernelProgram(rt)
		seed := rapid.Uint64().Draw(rt, "seed")
		first := newRandom(seed)
		want := observe(p, used.of(t, p), first)
		if first.twice != nil {
			rt.Fatalf("asked twice at %+v", *first.twice)
		}
		if got := observe(p, used.of(t, p), newRandom(seed)); !cmp.Equal(want, got) {
			rt.Fatalf("run again: %s", cmp.Diff(want, got))
		}
		m, _ := machine.New(p.platform)
		defer m.Close()
		m.SetTracer(func(*machine.Event) {})
		if got := observe(p, m, newRandom(seed)); !cmp.Equal(want, got) {
			rt.Fatalf("on a new machine with a tracer: %s", cmp.Diff(want, got))
		}
	})
}

// TestReplay: the exceptions of a random run reproduce it, and if one is
// dropped the others are at their places or nowhere.
func TestReplay(t *testing.T) {
	used := machines{}
	rapid.Check(t, func(rt *rapid.T) {
		p := kernelProgram(rt)
		m := used.of(t, p)
		want := observe(p, m, newRandom(rapid.Uint64().Draw(rt, "seed")))
		if got := replay(rt, p, m, want.Exceptions); !cmp.Equal(want, got) {
			rt.Fatalf("replayed: %s", cmp.Diff(want, got))
		}
		for i := range min(len(want.Exceptions), 8) {
			rest := append(append([]machine.Exception{}, want.Exceptions[:i]...), want.Exceptions[i+1:]...)
			replay(rt, p, m, rest)
		}
	})
}

// replay runs with exceptions, and checks that those of them that were matched
// are just the ones that the run reports.
func replay(t *rapid.T, p *program, m *machine.Machine, exceptions []machine.Exception) outcome {
	c := scripted(exceptions)
	got := observe(p, m, c)
	for _, e := range got.Exceptions {
		if answer, ok := c.answers[placeOf(e)]; !ok || answer != e.Answer || !c.matched[placeOf(e)] {
			t.Fatalf("exception %v was not asked for", e)
		}
	}
	return got
}

// TestNaturalEnds: the run without exceptions ends within its limits.
func TestNaturalEnds(t *testing.T) {
	used := machines{}
	rapid.Check(t, func(rt *rapid.T) {
		p := kernelProgram(rt)
		got := observe(p, used.of(t, p), machine.Natural{})
		if len(got.Exceptions) != 0 {
			rt.Fatalf("natural run has exceptions: %v", got.Exceptions)
		}
		if got.Result.Steps > 120+200+1 {
			rt.Fatalf("natural run took %d steps", got.Result.Steps)
		}
	})
}
