package machine_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fusedos/stramash/machine"
)

func newPair(t testing.TB) *machine.Machine { return newMachine(t, machine.Pair()) }

func begin(m *machine.Machine) machine.VA {
	m.Begin(machine.Natural{}, machine.Limits{})
	return m.Alloc(8)
}

// checkReusable runs a small program on a machine that has been through a lot.
func checkReusable(t *testing.T, m *machine.Machine) {
	t.Helper()
	x := begin(m)
	add := func(t *machine.Thread) { t.FetchAdd(x, machine.Size64, 1, machine.Plain) }
	res := m.Run(machine.Start{CPU: 0, Body: add}, machine.Start{CPU: 1, Body: add})
	if res.Outcome != machine.Finished || m.Peek64(x) != 2 {
		t.Fatalf("the next run: %v, %s, x = %d", res.Outcome, res.Detail, m.Peek64(x))
	}
}

// awaitGoroutines waits until there are no more than want goroutines: the
// end of one is not synchronous with what ends it.
func awaitGoroutines(t *testing.T, want int) {
	t.Helper()
	for range 1000 {
		if runtime.NumGoroutine() <= want {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d goroutines, of which %d before", runtime.NumGoroutine(), want)
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		m := newPair(t)
		checkReusable(t, m)
		m.Close()
		m.Close()
	}
	awaitGoroutines(t, before)
}

// TestAbortedRuns ends runs in every way, many times over, on one machine.
func TestAbortedRuns(t *testing.T) {
	before := runtime.NumGoroutine()
	m := newPair(t)
	ends := []func(*machine.Thread, machine.VA){
		func(*machine.Thread, machine.VA) { panic("no") },
		func(*machine.Thread, machine.VA) { runtime.Goexit() },
		func(t *machine.Thread, x machine.VA) { t.Await(machine.Until(x, 7)) },
		func(t *machine.Thread, x machine.VA) { t.Load64(8) },
		func(t *machine.Thread, x machine.VA) { t.SwitchTo(t.Spawn(func(*machine.Thread) { panic("no") })) },
	}
	for i := range 10_000 {
		x := begin(m)
		res := m.Run(
			machine.Start{CPU: 0, Body: func(t *machine.Thread) { t.Await(machine.Until(x, 9)) }},
			machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.Load64(x); ends[i%len(ends)](t, x) }})
		if res.Outcome == machine.Finished {
			t.Fatal("finished")
		}
	}
	checkReusable(t, m)
	if n := runtime.NumGoroutine(); n > before+10 {
		t.Errorf("%d goroutines after many aborted runs, %d before", n, before)
	}
	m.Close()
	awaitGoroutines(t, before)
}

func TestPanicHasItsStack(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	res := m.Run(machine.Start{Body: func(t *machine.Thread) { t.Load64(x); panic(errors.New("no cheese")) }})
	if res.Outcome != machine.Panicked || res.Detail != "no cheese" {
		t.Fatalf("%v: %s", res.Outcome, res.Detail)
	}
	if len(res.Stack) == 0 || !strings.Contains(res.Stack[0].String(), "machine_test.TestPanicHasItsStack.func1 (hygiene_test.go:") {
		t.Errorf("stack: %v", res.Stack)
	}
	checkReusable(t, m)
}

// TestRecoverDoesNotResurrect: a body that recovers from everything can't go on.
func TestRecoverDoesNotResurrect(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	after := 0
	stubborn := func(t *machine.Thread) {
		for {
			func() {
				defer func() { recover() }()
				t.Await(machine.Until(x, 1))
				after++
			}()
		}
	}
	res := m.Run(machine.Start{CPU: 0, Body: stubborn}, machine.Start{CPU: 1, Body: stubborn})
	if res.Outcome != machine.Deadlock || after != 0 {
		t.Fatalf("%v, %d operations after the end", res.Outcome, after)
	}
	checkReusable(t, m)
}

func TestRecoveredAndReturned(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	body := func(t *machine.Thread) {
		defer func() { recover() }()
		t.Await(machine.Until(x, 1))
	}
	res := m.Run(machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 1, Body: body})
	if res.Outcome != machine.Deadlock {
		t.Fatalf("%v: %s", res.Outcome, res.Detail)
	}
	checkReusable(t, m)
}

// TestDeferredOperations: what deferred functions do while a run is being
// unwound changes nothing, whichever operation it is.
func TestDeferredOperations(t *testing.T) {
	operations := map[string]func(*machine.Thread, machine.VA){
		"none":    func(*machine.Thread, machine.VA) {},
		"load":    func(t *machine.Thread, x machine.VA) { t.Load64(x) },
		"store":   func(t *machine.Thread, x machine.VA) { t.Store64(x, 1) },
		"swap":    func(t *machine.Thread, x machine.VA) { t.Swap(x, 8, 1, 0) },
		"ldx":     func(t *machine.Thread, x machine.VA) { t.LoadExclusive(x, 8, 0) },
		"await":   func(t *machine.Thread, x machine.VA) { t.Await(machine.Until(x, 0)) },
		"halt":    func(t *machine.Thread, x machine.VA) { t.WaitForInterrupt() },
		"send":    func(t *machine.Thread, x machine.VA) { t.SendIPI(0, machine.VectorIPI) },
		"arm":     func(t *machine.Thread, x machine.VA) { t.ArmTimer() },
		"mask":    func(t *machine.Thread, x machine.VA) { t.RestoreInterrupts(t.DisableInterrupts()) },
		"switch":  func(t *machine.Thread, x machine.VA) { t.SwitchTo(t.IdleHandle()) },
		"spawn":   func(t *machine.Thread, x machine.VA) { t.Spawn(func(*machine.Thread) {}) },
		"syscall": func(t *machine.Thread, x machine.VA) { t.Syscall(1) },
		"record":  func(t *machine.Thread, x machine.VA) { t.Call(x, 1); t.Return(x, 1, true) },
		"choose":  func(t *machine.Thread, x machine.VA) { t.Choose("a", 2) },
		"where":   func(t *machine.Thread, x machine.VA) { _ = t.ISA().Name; t.CPU(); t.Node() },
		"panic":   func(*machine.Thread, machine.VA) { panic("again") },
		"goexit":  func(*machine.Thread, machine.VA) { runtime.Goexit() },
	}
	m := newPair(t)
	var want machine.Result
	for _, name := range append([]string{"none"}, keys(operations)...) {
		got := runWithDeferred(m, operations[name])
		if want.Steps == 0 {
			want = got
		}
		if got.TraceHash != want.TraceHash || got.Fingerprint != want.Fingerprint || got.HistoryHash != want.HistoryHash || got.Detail != want.Detail {
			t.Errorf("%s in a deferred function: %+v, want %+v", name, got, want)
		}
		checkReusable(t, m)
	}
}

func keys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// runWithDeferred deadlocks with four threads: one waits, one is in a handler,
// one is switched out, one has been switched to.
func runWithDeferred(m *machine.Machine, op func(*machine.Thread, machine.VA)) machine.Result {
	x := begin(m)
	m.HandleAll(machine.VectorTimer, func(t *machine.Thread, _ *machine.Frame) {
		defer op(t, x)
		t.Await(machine.Until(x, 3))
	})
	m.HandleAll(machine.VectorIPI, func(*machine.Thread, *machine.Frame) {})
	m.HandleAll(machine.VectorSyscall, func(*machine.Thread, *machine.Frame) {})
	wait := func(t *machine.Thread) { defer op(t, x); t.Await(machine.Until(x, 1)) }
	return m.Run(
		machine.Start{CPU: 0, Body: func(t *machine.Thread) { defer op(t, x); t.ArmTimer(); t.Await(machine.Until(x, 2)) }},
		machine.Start{CPU: 1, Body: func(t *machine.Thread) { defer op(t, x); t.SwitchTo(t.Spawn(wait)) }})
}

type badChooser struct{}

func (badChooser) Choose(*machine.Choice) int { return 17 }

// TestBadChooser: an answer that is no option is the tool's fault, not the
// program's.
func TestBadChooser(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	m.Begin(badChooser{}, machine.Limits{})
	load := func(t *machine.Thread) { t.Load64(x) }
	text := panicOf(func() { m.Run(machine.Start{CPU: 0, Body: load}, machine.Start{CPU: 1, Body: load}) })
	if !strings.Contains(text, "chooser machine_test.badChooser answered 17, which is not an option") {
		t.Errorf("panic: %q", text)
	}
	checkReusable(t, m)
}

func panicOf(f func()) (text string) {
	defer func() {
		if p, ok := recover().(string); ok {
			text = p
		}
	}()
	f()
	return ""
}

// TestSetupMisuse: what is wrong in the set-up panics with a clear line.
func TestSetupMisuse(t *testing.T) {
	nop := func(*machine.Thread, *machine.Frame) {}
	body := func(t *machine.Thread) {}
	for want, f := range map[string]func(*machine.Machine){
		"CPU 9 of 2":                        func(m *machine.Machine) { m.Handle(9, 33, nop) },
		"taken already":                     func(m *machine.Machine) { m.Handle(0, 33, nop); m.Handle(0, 33, nop) },
		"not below 64":                      func(m *machine.Machine) { m.Handle(0, 64, nop) },
		"interrupt 40 of CPU 0 has no":      func(m *machine.Machine) { m.Raise(0, 40) },
		"interrupt 40 of CPU 7 has no":      func(m *machine.Machine) { m.Raise(7, 40) },
		"CPU -1 of 2":                       func(m *machine.Machine) { m.Idle(-1, body) },
		"it has an idle body already":       func(m *machine.Machine) { m.Idle(0, body); m.Idle(0, body) },
		"CPU 2 of 2":                        func(m *machine.Machine) { m.SetTranslator(2, nil) },
		"node 0 has 1048576":                func(m *machine.Machine) { m.Alloc(1<<20 + 1) },
		"node 2 of 2":                       func(m *machine.Machine) { m.AllocOn(2, 1) },
		"not an aligned address":            func(m *machine.Machine) { m.Poke64(m.Alloc(8)+4, 1) },
		"at 0x8: not an aligned address":    func(m *machine.Machine) { m.Peek64(8) },
		"two threads start on CPU 0":        func(m *machine.Machine) { m.Run(machine.Start{Body: body}, machine.Start{Body: body}) },
		"thread 0 starts on CPU 5 of 2":     func(m *machine.Machine) { m.Run(machine.Start{CPU: 5, Body: body}) },
		"with a body: false":                func(m *machine.Machine) { m.Run(machine.Start{}) },
		"Alloc during the run":              func(m *machine.Machine) { m.Run(); m.Alloc(1) },
		"Run during the run":                func(m *machine.Machine) { m.Run(); m.Run() },
		"ask for 1 to 64 values":            func(m *machine.Machine) { m.Choose("a", 65) },
		"Begin after Close":                 func(m *machine.Machine) { m.Close(); m.Begin(machine.Natural{}, machine.Limits{}) },
		"without a page-table format":       func(m *machine.Machine) { m.SetMMU(0, machine.MMU{}) },
		"page tables of 6 levels of 9 bits": func(m *machine.Machine) { m.SetMMU(0, machine.MMU{Format: machine.Pages{Levels: 6, Bits: 9}}) },
		"pages of 1<<3 bytes": func(m *machine.Machine) {
			m.SetMMU(0, machine.MMU{Format: machine.Pages{Levels: 1, Bits: 9, Bytes: 3}})
		},
		"TLB of 3 sets and 1 ways":   func(m *machine.Machine) { m.SetMMU(0, machine.MMU{Format: testPages, Sets: 3, Ways: 1}) },
		"TLB of 1 sets and 128 ways": func(m *machine.Machine) { m.SetMMU(0, machine.MMU{Format: testPages, Sets: 1, Ways: 128}) },
		"from 0x20 to 0x10":          func(m *machine.Machine) { m.SetMMU(0, machine.MMU{Format: testPages, From: 0x20, To: 0x10}) },
		"has a translator or an MMU": func(m *machine.Machine) { m.SetMMU(0, testMMU()); m.SetMMU(0, testMMU()) },
		"SetTranslator of CPU 1: it has an MMU": func(m *machine.Machine) {
			m.SetMMU(1, testMMU())
			m.SetTranslator(1, func(*machine.Thread, machine.VA, bool) (machine.PA, bool) { return 0, false })
		},
		"SetMMU during the run": func(m *machine.Machine) { m.Run(); m.SetMMU(0, testMMU()) },
		"CPU 0 has no MMU":      func(m *machine.Machine) { m.SetRoot(0, 0) },
		"more than 64 CPUs, store buffers, TLBs and interrupt": func(m *machine.Machine) { fillLines(m) },
	} {
		m := newPair(t)
		if got := panicOf(func() { f(m) }); !strings.Contains(got, want) || !strings.HasPrefix(got, "machine: ") && !strings.HasPrefix(got, "interrupt") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func fillLines(m *machine.Machine) {
	for v := machine.FirstInterrupt; v < 64; v++ {
		m.HandleAll(v, func(*machine.Thread, *machine.Frame) {})
	}
}

// TestSetupMisuseInTheRun is a violation of the program's.
func TestSetupMisuseInTheRun(t *testing.T) {
	m := newPair(t)
	x := begin(m)
	res := m.Run(machine.Start{Body: func(t *machine.Thread) { t.Load64(x); t.Machine().Poke64(x, 1) }})
	if res.Outcome != machine.Panicked || !strings.Contains(res.Detail, "Poke64 during the run") {
		t.Errorf("%v: %s", res.Outcome, res.Detail)
	}
}

// TestParallelMachines is for the race detector: machines share nothing.
func TestParallelMachines(t *testing.T) {
	p := parse("cpus x86 arm\nvar x\nhandler * v33\n add x 1\nthread 0\n send 1 v33\n lladd x 1\n await x==3\nthread 1\n lladd x 1\n")
	var want machine.Result
	var wg sync.WaitGroup
	results := make([]machine.Result, 4)
	for i := range results {
		wg.Go(func() {
			m, err := machine.New(p.platform)
			if err != nil {
				panic(err)
			}
			defer m.Close()
			for range 200 {
				_, results[i] = p.run(m, newRandom(7))
			}
		})
	}
	wg.Wait()
	want = results[0]
	for _, r := range results {
		if r.TraceHash != want.TraceHash || r.Outcome != machine.Finished {
			t.Errorf("%v %x, want %x", r.Outcome, r.TraceHash, want.TraceHash)
		}
	}
}

// TestMachineMovesBetweenGoroutines: a worker may take over another's machine.
func TestMachineMovesBetweenGoroutines(t *testing.T) {
	m := newPair(t)
	for range 20 {
		done := make(chan struct{})
		go func() {
			defer close(done)
			checkReusable(t, m)
		}()
		<-done
	}
}
