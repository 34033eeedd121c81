package machine_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := machine.Set(rapid.Uint64Min(1).Draw(rt, "set"))
		n := 0
		for rest := s; rest != 0; rest = rest.Rest() {
			if k := rest.First(); !s.Has(k) || s.Nth(n) != k || machine.Only(k)&s == 0 {
				rt.Fatalf("option %d of %b is %d or %d", n, s, k, s.Nth(n))
			}
			n++
		}
		if n != s.Len() {
			rt.Fatalf("%b has %d options, not %d", s, n, s.Len())
		}
	})
}

func TestAgents(t *testing.T) {
	line := machine.LineAgent(31, 63)
	if !line.IsLine() || line.CPU() != 31 || line.String() != "cpu31/v63" {
		t.Errorf("line: %v", line)
	}
	if a := machine.CPUAgent(31); a.IsLine() || a.CPU() != 31 || a.String() != "cpu31" {
		t.Errorf("CPU: %v", a)
	}
}

func TestLabels(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	y := m.AllocOn(1, 100)
	m.Label(x, 8, "x")
	m.Label(y, 100, "y")
	m.Label(y+8, 8, "y.next") // a later label goes before
	for a, want := range map[machine.VA]string{
		x: "x", x + 7: "x+7", y: "y", y + 8: "y.next", y + 9: "y.next+1", y + 16: "y+16", y + 99: "y+99", 64: "0x40",
	} {
		if got := m.NameAddr(a); got != want {
			t.Errorf("%#x is named %s, want %s", uint64(a), got, want)
		}
	}
	begin(m)
	if got := m.NameAddr(x); got != "0x100000" {
		t.Errorf("labels survive Begin: %s", got)
	}
}

func TestAlloc(t *testing.T) {
	m := newPair(t)
	m.Begin(machine.Natural{}, machine.Limits{})
	got := []machine.VA{m.Alloc(1), m.Alloc(24), m.Alloc(100), m.Alloc(0), m.AllocOn(1, 8)}
	want := []machine.VA{0x100000, 0x100020, 0x100040, 0x1000a8, 0x200000}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestTranslation runs with a table in memory: the word at root is the offset
// of what lies above 1<<40. The fault handler fills it in.
func TestTranslation(t *testing.T) {
	const high = 1 << 40
	m := newPair(t)
	root := begin(m)
	data := m.Alloc(64)
	for cpu := range m.CPUs() {
		m.SetTranslator(cpu, func(t *machine.Thread, va machine.VA, write bool) (machine.PA, bool) {
			if va < high {
				return machine.PA(va), true
			}
			base := t.Load64(root)
			return machine.PA(base) + machine.PA(va-high), base != 0
		})
	}
	var faults []machine.VA
	m.HandleAll(machine.VectorFault, func(t *machine.Thread, f *machine.Frame) {
		faults = append(faults, f.Addr)
		t.Store64(root, uint64(data))
	})
	res := m.Run(
		machine.Start{CPU: 0, Body: func(t *machine.Thread) {
			t.Store64(high+8, 5)
			for t.Load64(high+16) != 6 { // a spin through the translator
			}
		}},
		machine.Start{CPU: 1, Body: func(t *machine.Thread) {
			t.Await(machine.Until(high+8, 5))
			t.Store64(data+16, 6)
		}})
	if res.Outcome != machine.Finished || m.Peek64(data+8) != 5 {
		t.Errorf("%v: %s", res.Outcome, res.Detail)
	}
	if d := cmp.Diff([]machine.VA{high + 8}, faults); d != "" {
		t.Error(d)
	}
}

func TestTranslationMustKeepAlignment(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	m.SetTranslator(0, func(_ *machine.Thread, va machine.VA, _ bool) (machine.PA, bool) { return machine.PA(va) + 4, true })
	res := m.Run(machine.Start{Body: func(t *machine.Thread) { t.Load64(x) }})
	if res.Detail != "the translator of CPU 0 maps 0x100000 to 0x100004, which is not aligned alike" {
		t.Errorf("%v: %s", res.Outcome, res.Detail)
	}
}

// TestLimitsDefaults: zero takes the default, negative means none.
func TestLimitsDefaults(t *testing.T) {
	m := newPair(t)
	loop := func(x machine.VA) machine.Start {
		return machine.Start{Body: func(t *machine.Thread) {
			for {
				t.FetchAdd(x, machine.Size64, 1, machine.Plain)
			}
		}}
	}
	d := machine.DefaultLimits()
	for _, test := range []struct {
		limits machine.Limits
		steps  int
	}{
		{machine.Limits{}, d.Steps + d.FairSteps},
		{machine.Limits{Steps: 5}, 5 + d.FairSteps},
		{machine.Limits{Steps: -1, FairSteps: 3}, 3},
		{machine.Limits{Steps: 3, FairSteps: -1}, 3},
	} {
		m.Begin(machine.Natural{}, test.limits)
		if res := m.Run(loop(m.Alloc(8))); res.Steps != test.steps || !res.Fair || res.Outcome != machine.Livelock {
			t.Errorf("%+v: %v after %d steps, want %d", test.limits, res.Outcome, res.Steps, test.steps)
		}
	}
}

// TestStaleThreads: what threads of an earlier run left behind is no part of a
// verdict.
func TestStaleThreads(t *testing.T) {
	m := newPair(t)
	sleepy := parse("cpus x86 arm\nvar x\nspawn v\nspawn w\nbody v\n fence\nbody w\n asleep x==0\n switch t0\nthread 0\n name t0\n load x\n switch w\n")
	if _, res := sleepy.run(m, machine.Natural{}); res.Outcome != machine.LostWakeup {
		t.Fatalf("%v: %s", res.Outcome, res.Detail)
	}
	waits := parse("cpus x86 arm\nvar x\nthread 0\n await x==1\n")
	if _, res := waits.run(m, machine.Natural{}); res.Outcome != machine.Deadlock {
		t.Errorf("%v: %s", res.Outcome, res.Detail)
	}
}

// A tracer or a recorder can end a run; what it has seen until then is the run.
func TestStop(t *testing.T) {
	m := newPair(t)
	defer m.SetTracer(nil)
	defer m.SetRecorder(nil)
	run := func() machine.Result {
		x := begin(m)
		body := func(th *machine.Thread) {
			th.Store64(x, 1)
			th.Note(machine.NoteUser, x, 7, 0)
			th.Store64(x, 2)
		}
		return m.Run(machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 1, Body: body})
	}
	m.SetTracer(func(e *machine.Event) {
		if e.PA == machine.PA(e.Op.Addr) && e.Wrote == 2 {
			m.Stop("2 was written")
		}
	})
	if r := run(); r.Outcome != machine.Stopped || r.Detail != "2 was written" || r.Steps != 2 || len(r.History) != 1 {
		t.Errorf("by the tracer: %+v", r)
	}
	m.SetTracer(nil)
	m.SetRecorder(func(r *machine.Record) { m.Stop("record") })
	if r := run(); r.Outcome != machine.Stopped || r.Steps != 1 || len(r.History) != 1 || r.History[0].Arg != 7 {
		t.Errorf("by the recorder: %+v", r)
	}
	m.SetRecorder(nil)
	if r := run(); r.Outcome != machine.Finished || len(r.History) != 2 {
		t.Errorf("and then: %+v", r)
	}
}
