package fuzz

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// pairTarget runs two bodies on a pair of CPUs, with the words x and y.
func pairTarget(after func(x, y uint64) error, bodies func(x, y machine.VA) [2]func(*machine.Thread)) Target {
	return Target{Name: "pair", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		x, y := m.Alloc(8), m.Alloc(8)
		b := bodies(x, y)
		return Program{
			Threads: []machine.Start{{CPU: 0, Body: b[0]}, {CPU: 1, Body: b[1]}},
			After:   func() error { return after(m.Peek64(x), m.Peek64(y)) },
		}
	}}
}

// A poll that gives up after some looks can do so while its peer could still
// move, though it looks like a spin until then.
func TestBoundedPollsComeToTheirEnd(t *testing.T) {
	for _, looks := range []int{1, 6, 20, 50, 100} {
		target := pairTarget(func(_, y uint64) error { return Want(y, 0) }, func(x, y machine.VA) [2]func(*machine.Thread) {
			return [2]func(*machine.Thread){
				func(t *machine.Thread) {
					for range looks {
						if t.Load64(x) != 0 {
							return
						}
					}
					t.Store64(y, 1) // gave up
				},
				func(t *machine.Thread) { t.Store64(x, 1) },
			}
		})
		mustFind(t, target, Options{})
	}
}

// A thread that only reads, beside one that polls for it, is no livelock.
func TestLongReadsFinish(t *testing.T) {
	target := pairTarget(func(x, _ uint64) error { return Want(x, 1) }, func(x, y machine.VA) [2]func(*machine.Thread) {
		return [2]func(*machine.Thread){
			func(t *machine.Thread) {
				for {
					if _, _, ok := t.AwaitTimeout(machine.Until(x, 1)); ok {
						return
					}
				}
			},
			func(t *machine.Thread) {
				for range 300 {
					t.Load64(y)
				}
				t.Store(x, machine.Size64, 1, machine.Release)
			},
		}
	})
	if s := mustHunt(t, target, Options{Runs: 200}); s.Finding != nil {
		t.Error(s.Finding.Message)
	}
}

// An interrupt lands between an access and the masking that comes too late.
func TestInterruptBeforeMask(t *testing.T) {
	target := Target{Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		counter, taken := m.Alloc(8), m.Alloc(8)
		const device = machine.FirstInterrupt + 8
		m.Handle(0, device, func(t *machine.Thread, _ *machine.Frame) {
			t.Store64(counter, t.Load64(counter)+1)
			t.Store64(taken, 1)
		})
		m.Raise(0, device)
		return Program{
			Threads: Some(m, 1, func(t *machine.Thread) {
				v := t.Load64(counter)
				enabled := t.DisableInterrupts()
				t.Store64(counter, v+1)
				t.RestoreInterrupts(enabled)
			}),
			After: func() error { return Want(m.Peek64(counter), 1+m.Peek64(taken)) },
		}
	}}
	target.Name = "late-mask"
	mustFind(t, target, Options{Runs: 100})
}

// What runs outside of simulated code may fail too, and must not pass for no
// violation.
func TestFailuresOutsideOfRuns(t *testing.T) {
	good := func(*machine.Machine) Program { return Program{} }
	for want, target := range map[string]Target{
		"runtime.Goexit": {Setup: func(*machine.Machine) Program { runtime.Goexit(); return Program{} }},
		"two threads start on CPU 0": {Setup: func(*machine.Machine) Program {
			body := func(t *machine.Thread) {}
			return Program{Threads: []machine.Start{{CPU: 0, Body: body}, {CPU: 0, Body: body}}}
		}},
		"nothing was explored": {Setup: good},
		"nothing was judged": {
			Judges: []checkers.Judge{checkers.Linearizable(spec.Mutex())},
			Setup: func(m *machine.Machine) Program {
				return Program{Threads: Each(m, func(t *machine.Thread) { t.Fence(machine.FullFence) })}
			},
		},
	} {
		target.Name, target.Platform = "outside", machine.Pair()
		s, err := Hunt(target, Options{Runs: 100})
		got := s.Inconclusive()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || err == nil && s.Passed() {
			t.Errorf("got %q, passed %t; want %q", got, s.Passed(), want)
		}
	}
}

func TestPanicOfTheFinalCheckIsAViolation(t *testing.T) {
	target := Target{Name: "wild", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		return Program{
			Threads: Each(m, func(t *machine.Thread) { t.Fence(machine.FullFence) }),
			After:   func() error { return Want(m.Peek64(0), 0) },
		}
	}}
	if f := mustFind(t, target, Options{}); f.Judge != "panic" || !strings.Contains(f.Message, "final state") {
		t.Errorf("%s: %s", f.Judge, f.Message)
	}
}

type panickingJudge struct{}

func (panickingJudge) Name() string                             { return "wild" }
func (panickingJudge) Check(h machine.History) checkers.Verdict { panic("no idea") }

func TestPanicOfAJudgeIsInconclusive(t *testing.T) {
	target := Target{
		Name: "judged", Platform: machine.Pair(), Judges: []checkers.Judge{panickingJudge{}},
		Setup: func(m *machine.Machine) Program {
			return Program{Threads: Each(m, func(t *machine.Thread) { t.Note(machine.NoteUser, 0, 0, 0) })}
		},
	}
	s := mustHunt(t, target, Options{Runs: 10})
	if s.Passed() || s.Unknown != 10 || !strings.Contains(s.Inconclusive(), "wild: it panicked: no idea") {
		t.Errorf("passed %t: %s", s.Passed(), s.Inconclusive())
	}
}

// A loop that records and takes no step ends before memory does.
func TestEndlessRecordsAreAViolation(t *testing.T) {
	for name, loop := range map[string]func(*machine.Thread){
		"notes":   func(t *machine.Thread) { t.Note(machine.NoteUser, 0, 0, 0) },
		"calls":   func(t *machine.Thread) { t.Call(0, spec.MutexLock) },
		"choices": func(t *machine.Thread) { t.Choose("x", 2) },
	} {
		target := bodyTarget(func(t *machine.Thread) {
			for {
				loop(t)
			}
		})
		if f := mustFind(t, target, Options{Runs: 1, Audit: -1, Strategy: "natural"}); !strings.Contains(f.Message, "more than 1048576") {
			t.Errorf("%s: %s", name, f.Message)
		}
	}
}
