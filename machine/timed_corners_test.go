package machine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// timedRun runs bodies on CPUs 0, 1 … as a timed run, untraced and traced; prepare
// may do more of the set-up. Both must finish, with the same counters.
func timedRun(t *testing.T, p machine.Platform, e machine.Earliest, prepare func(m *machine.Machine) []func(*machine.Thread)) {
	t.Helper()
	hash := uint64(0)
	for _, traced := range []bool{false, true} {
		m := newMachine(t, p)
		if traced {
			m.SetTracer(func(*machine.Event) {})
		}
		m.Begin(e, machine.Limits{})
		var starts []machine.Start
		for cpu, body := range prepare(m) {
			starts = append(starts, machine.Start{CPU: cpu, Body: body})
		}
		res := m.Run(starts...)
		if res.Outcome != machine.Finished {
			t.Errorf("traced: %t: %s: %s", traced, res.Outcome, res.Detail)
		}
		if traced && res.TraceHash != hash {
			t.Errorf("traced the counters have hash %#x, untraced %#x", res.TraceHash, hash)
		}
		hash = res.TraceHash
		for cpu := range m.CPUs() {
			if r := m.RunCounters(cpu).Residual(p.Hardware, m.NodeOf(cpu)); r != 0 {
				t.Errorf("traced: %t: CPU %d has a residual of %d", traced, cpu, r)
			}
		}
	}
}

// TestTimedAwaitThroughHandler: a thread that took an interrupt while it awaits is
// still told of the store that it awaits.
func TestTimedAwaitThroughHandler(t *testing.T) {
	timedRun(t, timedPair(1, 1<<20), machine.Earliest{}, func(m *machine.Machine) []func(*machine.Thread) {
		x, y := m.Alloc(64), m.Alloc(64)
		m.Handle(1, machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) {
			t.Load64(x + 8)
			t.Compute(5000)
			t.Load64(y)
		})
		return []func(*machine.Thread){func(t *machine.Thread) {
			t.Store64(x, 1)
			t.SendIPI(1, machine.VectorIPI)
			for i := range uint64(2000) {
				t.Load64(x + 16)
				t.Store64(x+24, i)
				t.Compute(10)
			}
			t.Store64(x, 5)
		}, func(t *machine.Thread) { t.Await(machine.Until(x, 5)) }}
	})
}

// TestTimedWeak: a timed run under a weak order computes what the order allows.
func TestTimedWeak(t *testing.T) {
	for o := machine.SC; o <= machine.Native; o++ {
		p := timedPair(1, 1<<20)
		p.Order = o
		timedRun(t, p, machine.Earliest{}, func(m *machine.Machine) []func(*machine.Thread) {
			x := m.Alloc(64)
			return []func(*machine.Thread){func(t *machine.Thread) {
				t.Store64(x, 1)
				t.Store64(x+8, 2)
				if v := t.Load64(x); v != 1 {
					panic(fmt.Sprintf("%s: read %d", o, v))
				}
			}}
		})
	}
}

// TestTimedWakers: who waits is not woken before what wakes it.
func TestTimedWakers(t *testing.T) {
	timedRun(t, timedPair(1, 1<<20), machine.Earliest{Skew: 1 << 63}, func(m *machine.Machine) []func(*machine.Thread) {
		x, wrote := m.Alloc(64), uint64(0)
		return []func(*machine.Thread){func(t *machine.Thread) {
			t.Load64(x + 8)
			t.Compute(1_000_000)
			wrote = now(t)
			t.Store64(x, 1)
		}, func(t *machine.Thread) {
			if _, _, ok := t.AwaitTimeout(machine.Until(x, 1)); ok && now(t) < wrote {
				panic(fmt.Sprintf("seen at %d, written at %d", now(t), wrote))
			}
		}}
	})
}

// TestTimedSetRoot: a line that was reached by other tables is not reached any more.
func TestTimedSetRoot(t *testing.T) {
	for cpu := range 2 {
		timedRun(t, timedPair(1, 1<<20), machine.Earliest{}, func(m *machine.Machine) []func(*machine.Thread) {
			table, page, frame := m.AllocPages(0, 1), m.AllocPages(0, 1), m.AllocPages(0, 1)
			m.Poke64(table+8*(page>>12), uint64(frame)|machine.PagePresent|machine.PageWrite)
			m.Poke64(page, 77)
			for c := range 2 {
				m.SetMMU(c, machine.MMU{Format: machine.Pages{Levels: 1, Bits: 9}, From: page, To: page + 4096})
				m.SetRoot(c, machine.PA(table))
			}
			bodies := []func(*machine.Thread){func(*machine.Thread) {}, func(*machine.Thread) {}}
			bodies[cpu] = func(t *machine.Thread) {
				for range 3 {
					if v := t.Load64(page); v != 0 {
						panic(fmt.Sprintf("before: %d", v))
					}
				}
				t.SetRoot(0)
				t.Load64(page + 64) // what comes first after it takes the long way
				for range 3 {
					if v := t.Load64(page); v != 77 {
						panic(fmt.Sprintf("untranslated: %d", v))
					}
				}
			}
			return bodies
		})
	}
}

// TestTimedStop: Earliest.Stop is asked, whichever way accesses take.
func TestTimedStop(t *testing.T) {
	for _, code := range []uint64{0, 4096} {
		p := timedPair(1, 1<<20)
		p.Hardware.Code = code
		m := newMachine(t, p)
		asked := 0
		m.Begin(machine.Earliest{Stop: func() bool { asked++; return asked == 3 }}, machine.Limits{})
		x := m.Alloc(64)
		body := func(t *machine.Thread) {
			for {
				t.FetchAdd(x, machine.Size64, 1, machine.Relaxed)
				t.Load64(x)
			}
		}
		if res := m.Run(machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 1, Body: body}); res.Outcome != machine.Stopped || asked != 3 {
			t.Errorf("%s after Stop was asked %d times", res.Outcome, asked)
		}
	}
}

// TestTimedFractions: cycles are counted in thousandths, so that counters that were
// stopped and started in between still add up.
func TestTimedFractions(t *testing.T) {
	p := timedPair(1, 1<<20)
	p.Hardware.MilliCPI = []uint64{667, 1}
	m := newMachine(t, p)
	m.Begin(machine.Earliest{}, machine.Limits{})
	x := m.Alloc(64)
	m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		for i := range uint64(100) {
			t.StopCounters()
			t.Compute(i)
			t.StartCounters()
			t.Load64(x)
		}
	}})
	if c := m.Counters(0); c.Residual(p.Hardware, 0) != 0 || c.Instructions != 100 {
		t.Errorf("residual %d of %+v", c.Residual(p.Hardware, 0), c)
	}
}

// TestDriveIsGuarded: traffic may not touch memory that is another node's own.
func TestDriveIsGuarded(t *testing.T) {
	p := timedPair(1, 1<<20)
	p.Nodes[0].Private = true
	m := newMachine(t, p)
	m.Begin(machine.Earliest{}, machine.Limits{})
	x := m.AllocOn(0, 8)
	defer func() {
		if recover() == nil {
			t.Error("a store by node 1 to node 0's own memory went through")
		}
	}()
	m.Drive(func(ts []*machine.Thread) { ts[1].Store64(x, 1) })
}

// TestTimedTimers: a timer that is armed anew fires at its new time only, whatever else
// its line is sent.
func TestTimedTimers(t *testing.T) {
	timedRun(t, timedPair(1, 1<<20), machine.Earliest{}, func(m *machine.Machine) []func(*machine.Thread) {
		var at []uint64
		bell := m.Attach(0, &machine.Doorbell{Latency: 100_000})
		m.Handle(0, machine.VectorTimer, func(t *machine.Thread, _ *machine.Frame) { at = append(at, now(t)) })
		return []func(*machine.Thread){func(t *machine.Thread) {
			at = nil
			t.DisableInterrupts()
			t.ArmTimerIn(1000)
			t.ArmTimerIn(5000)
			t.WriteDevice(bell+12, machine.Size32, uint64(machine.VectorTimer))
			t.WaitForInterrupt()
			t.WaitForInterrupt()
			if len(at) != 2 || at[0] < 5000 || at[0] > 6000 || at[1] < 100_000 || at[1] > 101_000 {
				panic(fmt.Sprint("fired at ", at))
			}
		}}
	})
}

// TestFaultsSayWhy: a fault that nobody handles says what is wrong with the access.
func TestFaultsSayWhy(t *testing.T) {
	p := timedPair(1, 1<<20)
	p.Nodes[0].Private = true
	m := newMachine(t, p)
	for want, body := range map[string]func(t *machine.Thread, x machine.VA){
		"no memory there":     func(t *machine.Thread, _ machine.VA) { t.Load64(8) },
		"node 0's own memory": func(t *machine.Thread, x machine.VA) { t.Load64(x) },
		"map no page there":   func(t *machine.Thread, x machine.VA) { t.Load64(x + 8<<12) },
		"page may not be wr":  func(t *machine.Thread, x machine.VA) { t.Store64(x+9<<12, 1) },
	} {
		m.Begin(machine.Natural{}, machine.Limits{})
		x := m.AllocOn(0, 8)
		if strings.Contains(want, "page") {
			window := translateReadOnly(m)
			x = window - 8<<12
		}
		res := m.Run(machine.Start{CPU: 1, Body: func(t *machine.Thread) { body(t, x) }})
		if res.Outcome != machine.Panicked || !strings.Contains(res.Detail, want) {
			t.Errorf("%s: %s, want %q", res.Outcome, res.Detail, want)
		}
	}
}

// translateReadOnly gives CPU 1 an MMU with a window of two pages, of which the first
// is not mapped and the second can't be written.
func translateReadOnly(m *machine.Machine) machine.VA {
	table, frame, window := m.AllocPages(1, 1), m.AllocPages(1, 1), machine.VA(16<<12)
	m.Poke64(table+8*17, uint64(frame)|machine.PagePresent)
	m.SetMMU(1, machine.MMU{Format: machine.Pages{Levels: 1, Bits: 9}, From: window, To: window + 2<<12})
	m.SetRoot(1, machine.PA(table))
	return window
}
