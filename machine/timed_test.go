package machine_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine"
)

// timedPair is a pair of nodes of n CPUs with the paper's hardware.
func timedPair(n int, memory uint64) machine.Platform {
	p := machine.Pairs(n)
	for i := range p.Nodes {
		p.Nodes[i].Memory = memory
	}
	p.Hardware = machine.PaperHardware(p)
	return p
}

// rng is xorshift64.
type rng uint64

func (r *rng) next(n uint64) uint64 {
	*r ^= *r << 13
	*r ^= *r >> 7
	*r ^= *r << 17
	return uint64(*r>>11) % n
}

// mixed starts threads that compute, access memory of their own and of all in every
// way, meet at barriers, interrupt each other, and move.
func mixed(m *machine.Machine, threads, rounds, length int, seed uint64, translated bool) []machine.Start {
	const words = 1 << 13
	shared, own := m.Alloc(8*words), make([]machine.VA, threads)
	window := machine.VA(0)
	if translated {
		window = translate(m, words)
	}
	barriers := m.Alloc(uint64(64 * rounds))
	taken := m.Alloc(64)
	for i := range own {
		own[i] = m.AllocOn(m.NodeOf(i), 8*words)
	}
	m.HandleAll(machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) {
		t.FetchAdd(taken, machine.Size64, 1, machine.Relaxed)
	})
	m.HandleAll(machine.VectorTimer, func(t *machine.Thread, _ *machine.Frame) { t.Compute(100) })
	var starts []machine.Start
	for i := range threads {
		starts = append(starts, machine.Start{CPU: i, Body: func(t *machine.Thread) {
			r := rng(seed + uint64(i)*0x9e3779b97f4a7c15 + 1)
			for round := range rounds {
				for range length {
					a := own[i]
					if r.next(8) == 0 {
						a = shared
					}
					word := r.next(words)
					if r.next(2) == 0 {
						word %= 64 // some sets more often than others
					}
					a += machine.VA(8 * word)
					if translated && r.next(2) == 0 {
						a = window + machine.VA(8*(word+words*r.next(2)))
					}
					switch r.next(16) {
					default:
						r += rng(t.Load64(a) & 1)
					case 0, 1, 2, 3:
						t.Store64(a, r.next(100))
					case 4:
						r += rng(t.Load32(a+4) & 1)
					case 5:
						t.Store32(a+4, uint32(r.next(100)))
					case 6:
						t.FetchAdd(a, machine.Size64, 1, machine.AcqRel)
					case 7:
						t.Compute(r.next(50))
						if translated && r.next(16) == 0 {
							t.InvalidatePage(window + machine.VA(8*word))
						}
					}
				}
				switch r.next(4) {
				case 0:
					t.SendIPI(int(r.next(uint64(threads))), machine.VectorIPI)
				case 1:
					t.ArmTimerIn(r.next(5000))
				}
				at := barriers + machine.VA(64*round)
				t.FetchAdd(at, machine.Size64, 1, machine.AcqRel)
				t.Await(machine.Until(at, uint64(threads)))
			}
		}})
	}
	return starts
}

// translate gives every CPU an MMU with a small TLB, and maps a window of words, of
// which every page stands twice.
func translate(m *machine.Machine, words int) (window machine.VA) {
	const at = 5 << 30
	n := 8 * words / 4096
	frames, leaves, top, root := m.AllocPages(0, n), m.AllocPages(0, 1), m.AllocPages(0, 1), m.AllocPages(0, 1)
	for i := range 2 * n {
		flags := machine.PagePresent | machine.PageWrite
		m.Poke64(leaves+machine.VA(8*i), uint64(frames)+uint64(i%n)*4096|flags)
	}
	m.Poke64(top, uint64(leaves)|machine.PagePresent|machine.PageWrite)
	m.Poke64(root+8*(at>>30), uint64(top)|machine.PagePresent|machine.PageWrite)
	for cpu := range m.CPUs() {
		m.SetMMU(cpu, machine.MMU{Format: machine.Pages{Levels: 3, Bits: 9}, From: at, To: at + 1<<30, Sets: 2, Ways: 2})
		m.SetRoot(cpu, machine.PA(root))
	}
	return at
}

// outcomeOf is what a timed run came to, in full.
func outcomeOf(m *machine.Machine, res machine.Result) (out []machine.Counters) {
	for cpu := range m.CPUs() {
		out = append(out, m.Counters(cpu))
	}
	return append(out, machine.Counters{Instructions: uint64(res.Steps), Runtime: res.TraceHash})
}

// TestTimedShortWay: the short way of plain accesses changes nothing but the speed:
// a run that is traced, and so goes the long way, ends with the same counters.
func TestTimedShortWay(t *testing.T) {
	for _, skew := range []uint64{0, 100, 10_000} {
		for n := 1; n <= 2; n++ {
			m := newMachine(t, timedPair(n, 1<<20))
			for seed := range uint64(6) {
				run := func(traced bool) []machine.Counters {
					events := 0
					if m.SetTracer(nil); traced {
						m.SetTracer(func(*machine.Event) { events++ })
					}
					m.Begin(machine.Earliest{Skew: skew}, machine.Limits{})
					res := m.Run(mixed(m, 2*n, 5, 400, seed, seed%2 == 1)...)
					if res.Outcome != machine.Finished {
						t.Fatalf("%s: %s", res.Outcome, res.Detail)
					}
					if traced != (events > 0) {
						t.Fatal("traced, but no event was seen")
					}
					return outcomeOf(m, res)
				}
				want := run(false)
				if d := cmp.Diff(want, run(true)); d != "" {
					t.Fatalf("skew %d, %d CPUs, seed %d: short way, long way:\n%s", skew, 2*n, seed, d)
				}
				if d := cmp.Diff(want, run(false)); d != "" {
					t.Fatalf("skew %d, %d CPUs, seed %d: once more:\n%s", skew, 2*n, seed, d)
				}
			}
		}
	}
}

// smallCaches have all that can happen in caches happen soon.
func smallCaches(h *machine.Hardware) {
	for i := range h.Nodes {
		n := &h.Nodes[i]
		n.L1I, n.L1D = coherence.Cache{Size: 512, Ways: 2}, coherence.Cache{Size: 512, Ways: 2}
		n.L2, n.L3 = coherence.Cache{Size: 1024, Ways: 2}, coherence.Cache{Size: 8192, Ways: 4}
	}
}

// TestCountersOnDemand: what a run that explores costs is found out when somebody asks. It
// does not matter when, nor how often, and is what the caches say of its accesses, one
// after the other.
func TestCountersOnDemand(t *testing.T) {
	p := timedPair(2, 1<<20)
	smallCaches(p.Hardware)
	for seed := range uint64(8) {
		p.Hardware.Code = seed % 2 * 4096
		m := newMachine(t, p)
		run := func(tracer func(*machine.Event)) []machine.Counters {
			m.SetTracer(tracer)
			m.Begin(newRandom(seed), machine.Limits{Steps: 1 << 20})
			res := m.Run(mixed(m, 4, 2, 4000, seed, seed%4 > 1)...)
			if res.Outcome != machine.Finished {
				t.Fatalf("%s: %s", res.Outcome, res.Detail)
			}
			return outcomeOf(m, res)
		}
		caches, err := coherence.New(m.CacheConfig())
		if err != nil {
			t.Fatal(err)
		}
		got := run(func(e *machine.Event) {
			switch o := e.Op.Kind; {
			case o == machine.OpStore, o >= machine.OpCAS && o <= machine.OpTestSet && e.OK:
				caches.Store(e.CPU, uint64(e.PA))
			case o == machine.OpLoad, o == machine.OpAwait, o == machine.OpCAS:
				caches.Load(e.CPU, uint64(e.PA))
			}
		})
		for cpu := range m.CPUs() { // of those that neither fetch nor translate
			if want := caches.Counters(cpu); seed%4 == 0 && got[cpu].Counters != want {
				t.Fatalf("seed %d, CPU %d:\n%+v, by its accesses\n%+v", seed, cpu, got[cpu].Counters, want)
			}
		}
		m.SetTracer(nil)
		m.Begin(newRandom(seed), machine.Limits{})
		m.Run(mixed(m, 4, 1, 10, seed, false)...) // nobody asks what it cost, and the next run does not know of it
		for _, every := range []int{0, 1, 1000} {
			events := 0
			asked := run(func(*machine.Event) {
				if events++; every > 0 && events%every == 0 {
					m.Counters(0)
				}
			})
			if d := cmp.Diff(got, asked); d != "" {
				t.Fatalf("seed %d, read after each %d events:\n%s", seed, every, d)
			}
		}
	}
}

// TestResidual: the law of the artifact's sample holds for every CPU, exactly.
func TestResidual(t *testing.T) {
	p := timedPair(2, 1<<20)
	h := p.Hardware
	h.MilliCPI = []uint64{1500, 667}
	for i := range h.Nodes {
		h.Nodes[i].Latency.WriteBackL2, h.Nodes[i].Latency.WriteBackL3, h.Nodes[i].Latency.WriteBackMemory = 3, 5, 7
	}
	for _, code := range []uint64{0, 4096} {
		h.Code = code
		m := newMachine(t, p)
		for _, c := range []machine.Chooser{machine.Earliest{Skew: 50}, machine.Natural{}} {
			m.Begin(c, machine.Limits{Steps: 1 << 40, FairSteps: 1 << 40})
			m.Run(mixed(m, 4, 5, 400, 7, code == 0)...)
			for cpu := range m.CPUs() {
				got := m.Counters(cpu)
				if r := got.Residual(h, m.NodeOf(cpu)); r != 0 || got.Runtime == 0 {
					t.Errorf("%T, %d bytes of code: CPU %d: residual %d of %+v", c, code, cpu, r, got)
				}
			}
		}
	}
}

// TestEarliest: CPUs keep together, and wait where hardware would.
func TestEarliest(t *testing.T) {
	m := newMachine(t, timedPair(1, 1<<20))
	m.Begin(machine.Earliest{}, machine.Limits{})
	flag, mark := m.Alloc(8), m.AllocOn(1, 8)
	var landed, sent uint64
	m.Handle(1, machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) { landed = now(t) })
	res := m.Run(
		machine.Start{CPU: 0, Body: func(t *machine.Thread) {
			t.Compute(10_000)
			sent = now(t)
			t.SendIPI(1, machine.VectorIPI)
			t.Store64(flag, 1)
		}},
		machine.Start{CPU: 1, Body: func(t *machine.Thread) {
			t.Store64(mark, 1)
			t.Await(machine.Until(flag, 1))
		}})
	if res.Outcome != machine.Finished {
		t.Fatal(res.Detail)
	}
	if d := landed - sent; d < machine.DefaultIPI || d > machine.DefaultIPI+100 {
		t.Errorf("the interrupt landed %d cycles after it was sent: want %d and some instructions", d, machine.DefaultIPI)
	}
	c := m.Counters(1)
	if c.Waited < 10_000 || c.Runtime > 3000 || m.Counters(0).IPIs != 1 {
		t.Errorf("CPU 1: %+v, CPU 0 sent %d", c, m.Counters(0).IPIs)
	}
}

func now(t *machine.Thread) uint64 {
	c := t.Machine().Counters(t.CPU())
	return c.Runtime + c.Waited
}

// TestMoveTo: time goes on where a thread moves to, and data is where it was.
func TestMoveTo(t *testing.T) {
	m := newMachine(t, timedPair(1, 1<<20))
	m.Begin(machine.Earliest{}, machine.Limits{})
	x := m.Alloc(64)
	res := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		for i := range uint64(1000) {
			at := now(t)
			t.MoveTo(int(i+1) % 2)
			if now(t) < at {
				panic(fmt.Sprintf("went back in time, from %d to %d", at, now(t)))
			}
			t.Store64(x, t.Load64(x)+1)
		}
	}})
	if res.Outcome != machine.Finished || m.Peek64(x) != 1000 {
		t.Fatalf("%s: %s; counted %d", res.Outcome, res.Detail, m.Peek64(x))
	}
	for cpu := range 2 {
		if c := m.Counters(cpu); c.L1DAccesses != 1000 || c.Transfers < 499 || c.Waited == 0 {
			t.Errorf("CPU %d: %+v", cpu, c)
		}
	}
}

// TestCountersSwitch: what is done while counters rest is not counted.
func TestCountersSwitch(t *testing.T) {
	m := newMachine(t, timedPair(1, 1<<20))
	m.Begin(machine.Earliest{}, machine.Limits{})
	x := m.Alloc(64)
	m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		for i := range 100 {
			t.Load64(x)
			switch i {
			case 9, 59:
				t.StopCounters()
			case 49:
				t.StartCounters()
			case 89:
				t.StartCounters()
				t.ClearCounters()
			}
		}
	}})
	if c := m.Counters(0); c.Instructions != 10 || c.L1DHits != 10 || c.Runtime != 50 {
		t.Errorf("%+v", c)
	}
}

// TestPrivateMemory: what is a node's own faults when another node touches it.
func TestPrivateMemory(t *testing.T) {
	for _, c := range []machine.Chooser{machine.Earliest{}, machine.Natural{}} {
		p := timedPair(1, 1<<20)
		p.Nodes[0].Private = true
		m := newMachine(t, p)
		m.Begin(c, machine.Limits{})
		x, y := m.AllocOn(0, 8), m.AllocShared(8)
		faults := 0
		m.Handle(1, machine.VectorFault, func(t *machine.Thread, f *machine.Frame) {
			if faults++; faults > 1 {
				panic("again")
			}
		})
		res := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) { t.Store64(x, 1); t.Store64(y, 2) }},
			machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.Await(machine.Until(y, 2)); t.Load64(x) }})
		if res.Outcome != machine.Panicked || faults != 2 || res.Detail != "again" {
			t.Errorf("%T: %s: %s, after %d faults", c, res.Outcome, res.Detail, faults)
		}
	}
}

// TestDevices: every node reaches a device, at its price.
func TestDevices(t *testing.T) {
	p := timedPair(1, 1<<20)
	for _, c := range []machine.Chooser{machine.Earliest{}, machine.Natural{}} {
		m := newMachine(t, p)
		m.Begin(c, machine.Limits{})
		console := &machine.Console{}
		tty, clock, bell := m.Attach(0, console), m.Attach(1, machine.Timer{}), m.Attach(1, &machine.Doorbell{Latency: 2000})
		word, rung, ticked := m.Alloc(8), 0, 0
		m.Handle(1, machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) { rung++ })
		m.Handle(0, machine.VectorTimer, func(t *machine.Thread, _ *machine.Frame) { ticked++ })
		res := m.Run(
			machine.Start{CPU: 0, Body: func(t *machine.Thread) {
				t.DisableInterrupts()
				first := t.ReadDevice(clock, machine.Size64)
				second := t.ReadDevice(clock, machine.Size64)
				t.Load64(word)
				before := t.ReadDevice(clock, machine.Size64)
				if load := before - second - (second - first); c == (machine.Natural{}) && load != 0 || c != (machine.Natural{}) && load != 301 { // from memory; there is no time in a run that explores
					panic(fmt.Sprintf("a load takes %d cycles", load))
				}
				for _, b := range []byte("hi") {
					t.WriteDevice(tty, machine.Size8, uint64(b))
				}
				t.WriteDevice(clock+8, machine.Size64, 500)
				t.WriteDevice(bell+12, machine.Size32, 1<<16|uint64(machine.VectorIPI))
				t.WaitForInterrupt()
				if after := t.ReadDevice(clock, machine.Size64); after-before < 500 && c != (machine.Natural{}) {
					panic(fmt.Sprintf("%d cycles", after-before))
				}
				if t.ReadDevice(bell+4, machine.Size32) != 1 || t.ReadDevice(bell+8, machine.Size32) != 0 {
					panic("doorbell")
				}
			}},
			machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.DisableInterrupts(); t.WaitForInterrupt() }})
		if res.Outcome != machine.Finished || string(console.Output) != "hi" || rung != 1 || ticked != 1 {
			t.Errorf("%T: %s: %s; %q, rung %d, ticked %d", c, res.Outcome, res.Detail, console.Output, rung, ticked)
		}
		if got := m.Counters(0); got.DeviceAccesses != 2 || got.RemoteDevices != 8 || got.Residual(p.Hardware, 0) != 0 {
			t.Errorf("%T: %+v", c, got)
		}
	}
}

// TestTimedHandOver: plain stores, which take the short way, wake who awaits them, at
// their time; and set the dirty bit of a page that was only read before.
func TestTimedHandOver(t *testing.T) {
	const last, length = 96, 5000
	var want []machine.Counters
	for _, traced := range []bool{false, true} {
		m := newMachine(t, timedPair(1, 1<<20))
		if traced {
			m.SetTracer(func(*machine.Event) {})
		}
		m.Begin(machine.Earliest{Skew: 1000}, machine.Limits{})
		window := translate(m, 4096)
		flag, wrote, seen := m.AllocPages(0, 1)+32*64, uint64(0), uint64(0) // in a set of its own
		res := m.Run(
			machine.Start{CPU: 0, Body: func(t *machine.Thread) {
				t.Store64(window+8, 7)
				for range 4 { // the same line, through a page that is clean
					t.Load64(window + 8*4096 + 8)
				}
				t.Store64(window+8*4096+8, 8)
				t.Store64(flag, 0) // from here on the line is this CPU's
				t.Compute(2 * length)
				for i := range uint64(last) {
					t.Store64(window+8*machine.VA(i%3*512), t.Load64(window+8*machine.VA(i%5*512)))
					t.Compute(200)
					t.Load64(flag + 16)
					t.Store64(flag, i+1)
				}
				wrote = now(t)
			}},
			machine.Start{CPU: 1, Body: func(t *machine.Thread) {
				t.Load64(flag + 64)
				t.Compute(length)
				t.Load64(flag + 64)
				for v := uint64(0); v < last; {
					c := machine.While(flag, v&^7)
					c.Mask = ^uint64(7)
					if v = t.Await(c); v%2 == 0 {
						t.Store64(flag+8, v)
					}
				}
				seen = now(t)
			}})
		if res.Outcome != machine.Finished || seen < wrote {
			t.Fatalf("traced: %t: %s: %s; written at %d, seen at %d", traced, res.Outcome, res.Detail, wrote, seen)
		}
		got := outcomeOf(m, res)
		if want != nil && !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		want = got
	}
}

// TestTimedGolden: the counters are the same on every host, on one core and on two,
// and under the race detector, also of caches that replace at random.
func TestTimedGolden(t *testing.T) {
	p := timedPair(2, 1<<20)
	p.Hardware.Seed = 9
	for i := range p.Hardware.Nodes {
		p.Hardware.Nodes[i].L1D.Policy = coherence.Random
		p.Hardware.Nodes[i].L2.Policy = coherence.FIFO
		p.Hardware.Nodes[i].L2.Size = 64 << 10
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for cores := 1; cores <= 2; cores++ {
		runtime.GOMAXPROCS(cores)
		m := newMachine(t, p)
		m.Begin(machine.Earliest{Skew: 100}, machine.Limits{})
		res := m.Run(mixed(m, 4, 5, 2000, 3, true)...)
		const want = 0x20dab42f034ea817
		if res.TraceHash != want || res.Steps != 99717 {
			t.Errorf("%d cores: hash %#x after %d instructions, want %#x", cores, res.TraceHash, res.Steps, uint64(want))
		}
	}
}

// TestArtifactSample: the counters that the artifact's appendix prints obey the law of
// ours, on both nodes, by its constants and with the terms that it lacks zero. (Its
// printed L2 hits contradict its own accesses, of which they are the difference.)
func TestArtifactSample(t *testing.T) {
	h := &machine.Hardware{Nodes: coherence.Artifact().Nodes, IPI: machine.DefaultIPI}
	var x86, arm machine.Counters
	x86.L1DHits, x86.L2Hits, x86.L3Hits = 5127379213, 348373373-327260331, 261230203
	x86.LocalHits, x86.RemoteHits, x86.IPIs, x86.Instructions, x86.Runtime = 59366, 65970762, 17, 8601072931, 91254395261
	arm.L1DHits, arm.L2Hits, arm.L3Hits = 5819027543, 386697336-349366385, 273466584
	arm.LocalHits, arm.RemoteHits, arm.IPIs, arm.Instructions, arm.Runtime = 37555, 75862246, 10, 10133480114, 97501520205
	if r := x86.Residual(h, 0); r != 0 {
		t.Errorf("x86-64: residual %d", r)
	}
	if r := arm.Residual(h, 1); r != 0 {
		t.Errorf("aarch64: residual %d", r)
	}
}
