package workload_test

import (
	"math/bits"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// watch counts accesses of the timed part, and where they go.
type watch struct {
	counter
	words map[machine.PA]int
}

// watched runs a body with a watch.
func watched(t *testing.T, program func(*machine.Machine, workload.Options) func(*machine.Thread)) *watch {
	t.Helper()
	m := alone(t, 0)
	w := &watch{words: map[machine.PA]int{}}
	m.SetTracer(func(e *machine.Event) {
		w.count(e)
		if w.on {
			w.words[e.PA]++
		}
	})
	m.Begin(machine.Natural{}, patient)
	body := program(m, w.options())
	if run := m.Run(machine.Start{CPU: 0, Body: body}); run.Outcome != machine.Finished {
		t.Fatalf("%v %s", run.Outcome, run.Detail)
	}
	return w
}

func TestStreams(t *testing.T) {
	for _, s := range []workload.Stream{
		{Range: 4096, LoadsPerStore: 3, Count: 4096, WarmUp: 512},
		{Range: 4096, LoadsPerStore: 3, Count: 4096, WarmUp: 13},
		{Range: 4096, LoadsPerStore: 1, Count: 4096},
		{Range: 4096, LoadsPerStore: 6, Count: 4095},
		{Range: 4096, Count: 1024},
		{Range: 8, LoadsPerStore: 3, Count: 100},
		{Range: 4096, LoadsPerStore: 3, Count: 16384, Random: true},
		{Range: 4096 - 8, Count: 16384, Random: true},
	} {
		w := watched(t, s.Program)
		stores := 0
		if s.LoadsPerStore > 0 {
			k := s.LoadsPerStore + 1
			stores = (s.WarmUp+s.Count)/k - s.WarmUp/k
		}
		if w.stores != stores || w.loads != s.Count-stores {
			t.Errorf("%+v: %d loads and %d stores, want %d stores", s, w.loads, w.stores, stores)
		}
		least, most := s.Count, 0
		for _, n := range w.words {
			least, most = min(least, n), max(most, n)
		}
		words := int(s.Range / 8)
		if s.Random && (least < s.Count/words/4 || most > 4*s.Count/words) || !s.Random && most-least > 1 || len(w.words) != words {
			t.Errorf("%+v: %d words of %d, each %d to %d times", s, len(w.words), words, least, most)
		}
	}
}

// The chase is one cycle: each line is loaded as often as any other one.
func TestChaseVisitsEveryLine(t *testing.T) {
	for _, size := range []uint64{64, 128, 1 << 10, 1<<14 + 64} {
		lines := int(size / 64)
		w := watched(t, workload.Chase{Range: size, Count: 2 * lines}.Program)
		if w.loads != 2*lines || w.stores != 0 || len(w.words) != lines {
			t.Errorf("%d loads of %d lines, %d stores: want %d of %d", w.loads, len(w.words), w.stores, 2*lines, lines)
		}
		for pa, n := range w.words {
			if n != 2 {
				t.Errorf("the line at %#x was loaded %d times, want 2", pa, n)
			}
		}
	}
}

// anything answers all questions at random.
type anything struct{ x uint64 }

func (a *anything) Choose(c *machine.Choice) int {
	a.x ^= a.x << 13
	a.x ^= a.x >> 7
	a.x ^= a.x << 17
	high, _ := bits.Mul64(a.x, uint64(c.Options.Len()))
	return c.Options.Nth(int(high))
}

// schedules runs a program naturally, and at random under each memory order.
func schedules(t *testing.T, n int, program func(*machine.Machine) ([]machine.Start, *workload.Result)) {
	t.Helper()
	for _, order := range []machine.MemoryOrder{machine.SC, machine.TSO, machine.Native} {
		p := machine.Pair()
		p.Order = order
		m, err := machine.New(p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			var c machine.Chooser = &anything{0x9e3779b97f4a7c15 * uint64(i)}
			if i == 0 {
				c = machine.Natural{}
			}
			m.Begin(c, machine.Limits{Steps: 2000, FairSteps: 1 << 20})
			starts, result := program(m)
			if run := m.Run(starts...); run.Outcome != machine.Finished || !result.Verified {
				t.Fatalf("%v, schedule %d: %v %s: %+v", order, i, run.Outcome, run.Detail, *result)
			}
		}
		m.Close()
	}
}

func two(bodies [2]func(*machine.Thread)) []machine.Start {
	return []machine.Start{{CPU: 0, Body: bodies[0]}, {CPU: 1, Body: bodies[1]}}
}

// The pairs verify with either ISA on either side: only on AArch64 does it matter
// that a store releases.
func TestPairsVerify(t *testing.T) {
	swapped := func(bodies [2]func(*machine.Thread)) []machine.Start {
		return two([2]func(*machine.Thread){bodies[1], bodies[0]})
	}
	for _, place := range []func([2]func(*machine.Thread)) []machine.Start{two, swapped} {
		for _, free := range []bool{false, true} {
			schedules(t, 100, func(m *machine.Machine) ([]machine.Start, *workload.Result) {
				bodies, result := workload.PingPong{Rounds: 5, Free: free}.Program(m, workload.Options{})
				return place(bodies), result
			})
		}
		schedules(t, 100, func(m *machine.Machine) ([]machine.Start, *workload.Result) {
			bodies, result := workload.ProducerConsumer{Buffer: 64, Rounds: 3}.Program(m, workload.Options{})
			return place(bodies), result
		})
	}
}

// A wrong word in the buffer, and a write too many, are told.
func TestPairsFindErrors(t *testing.T) {
	m := alone(t, 0)
	var at []machine.VA
	o := workload.Options{Alloc: func(n uint64) machine.VA {
		at = append(at, m.Alloc(n))
		return at[len(at)-1]
	}}
	o.Stopped = func(t *machine.Thread) { t.FetchAdd(at[0], machine.Size64, 1, machine.Plain) }
	bodies, result := workload.PingPong{Rounds: 5, Free: true}.Program(m, o)
	m.Run(two(bodies)...)
	if result.Verified || result.Failed != 1 || result.Detail != "the word is 11, want 10" {
		t.Errorf("%+v", *result)
	}

	m = alone(t, 0)
	at = nil
	o.Stopped = nil
	p, result := workload.ProducerConsumer{Rounds: 1}.Program(m, o)
	wrong := func(t *machine.Thread) {
		t.Await(machine.Until(at[1], 1))
		t.Store64(at[0]+800, 7)
		p[1](t)
	}
	m.Run(two([2]func(*machine.Thread){p[0], wrong})...)
	if result.Verified || result.Failed != 1 || result.Checks != 8192 {
		t.Errorf("%+v", *result)
	}
}

// A kernel whose procedures run on the other node computes the same to the bit.
func TestKernelsMigrate(t *testing.T) {
	for _, k := range workload.Kernels() {
		m := timed(t, k.Memory(workload.S))
		result, run := k.Run(m, workload.S, workload.How{Migrating: true})
		if run.Outcome != machine.Finished || !result.Verified || result.Digest != digests[workload.S][k.Name] {
			t.Errorf("%s: %v %s: %+v", k.Name, run.Outcome, run.Detail, result)
		}
		here, there := m.NodeCounters(0), m.NodeCounters(1)
		if there.Instructions < 5*here.Instructions {
			t.Errorf("%s: %d instructions at home and %d away, of a kernel that is nearly all procedures", k.Name, here.Instructions, there.Instructions)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		what interface{ Validate() error }
		want string
	}{
		{workload.Stream{Range: 12, Count: 1}, "stream over 12 bytes: use a multiple of 8 up to 68719476736"},
		{workload.Stream{Range: 8, LoadsPerStore: -1, Count: 1}, "stream with -1 loads for each store: use 0 for no stores, or 1 and more"},
		{workload.Stream{Range: 8}, "stream of 0 references after 0: use up to 1099511627776"},
		{workload.Stream{Range: 8, Count: 1}, ""},
		{workload.Chase{Range: 96, Count: 1}, "chase through 96 bytes: use a multiple of 64 up to 68719476736"},
		{workload.Chase{Range: 64}, "chase of 0 loads: use 1 to 1099511627776"},
		{workload.Chase{Range: 64, Count: 1}, ""},
		{workload.PingPong{}, "ping-pong of 0 rounds: use 1 to 1099511627776"},
		{workload.PingPong{Rounds: 1}, ""},
		{workload.ProducerConsumer{Buffer: 4, Rounds: 1}, "buffer of 4 bytes: use a multiple of 8 up to 68719476736"},
		{workload.ProducerConsumer{Rounds: -1}, "-1 rounds of producer and consumer: use 1 to 1099511627776"},
		{workload.ProducerConsumer{Rounds: 1}, ""},
	} {
		if err := c.what.Validate(); err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("%+v: %v, want %s", c.what, err, c.want)
		}
	}
}
