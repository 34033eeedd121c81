package locks_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// step is an operation of a script, with the answer that the specification gives.
type step struct {
	call spec.Call
	want spec.Ret
}

// script is a state machine for rapid: its actions are the operations that the
// specification allows in its state, each by one of the CPUs.
type script[S comparable] struct {
	spec  spec.Spec[S]
	state S
	steps []step
	cpus  int
	legal func(s S, c spec.Call) bool // forbids what only the model allows; may be nil
}

func (s *script[S]) do(t *rapid.T, op spec.Op, arg func(*rapid.T) uint64) {
	c := spec.Call{Client: rapid.IntRange(0, s.cpus-1).Draw(t, "cpu"), Op: op}
	if arg != nil {
		c.Arg = arg(t)
	}
	answers := s.spec.Completions(nil, s.state, c)
	if len(answers) == 0 || s.legal != nil && !s.legal(s.state, c) {
		t.Skip("not now")
	}
	s.state, _ = s.spec.Step(s.state, c, answers[0])
	s.steps = append(s.steps, step{c, answers[0]})
}

// actions has an action for each operation of the specification.
func (s *script[S]) actions(arg func(*rapid.T) uint64) map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){}
	for i, sig := range s.spec.Ops {
		actions[sig.Name] = func(t *rapid.T) {
			if sig.Args > 0 {
				s.do(t, spec.Op(i+1), arg)
			} else {
				s.do(t, spec.Op(i+1), nil)
			}
		}
	}
	return actions
}

// replay executes the script, each step on its CPU, and compares the answers.
func (s *script[S]) replay(t *rapid.T, m *machine.Machine, setup func() func(*machine.Thread, spec.Call) spec.Ret) {
	m.Begin(&random{uint64(len(s.steps))}, machine.Limits{Steps: 1 << 14, FairSteps: 1 << 16})
	object, turn := setup(), m.Alloc(8)
	var threads []machine.Start
	for cpu := range s.cpus {
		threads = append(threads, machine.Start{CPU: cpu, Body: func(th *machine.Thread) {
			for i, step := range s.steps {
				if step.call.Client != cpu {
					continue
				}
				th.Await(machine.Until(turn, uint64(i)))
				if got := object(th, step.call); got != step.want {
					panic(s.spec.DescribeOp(step.call, got) + ", but the specification says " + s.spec.DescribeOp(step.call, step.want))
				}
				th.Store64(turn, uint64(i+1))
			}
		}})
	}
	if r := m.Run(threads...); r.Outcome != machine.Finished {
		t.Fatalf("%v: %s", r.Outcome, r.Detail)
	}
}

func TestMutexesConform(t *testing.T) {
	for _, test := range mutexes {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, kernels())
			rapid.Check(t, func(rt *rapid.T) {
				s := script[spec.MutexState]{spec: spec.Mutex(), cpus: m.CPUs()}
				rt.Repeat(s.actions(nil))
				s.replay(rt, m, func() func(*machine.Thread, spec.Call) spec.Ret {
					l := test.make(m)
					return func(th *machine.Thread, c spec.Call) spec.Ret { return mutexOp(th, l, c.Op) }
				})
			})
		})
	}
}

func mutexOp(t *machine.Thread, l locks.Lock, op spec.Op) spec.Ret {
	switch op {
	case spec.MutexLock:
		l.Acquire(t)
	case spec.MutexTryLock:
		return spec.Ret{OK: l.TryAcquire(t)}
	case spec.MutexUnlock:
		l.Release(t)
	}
	return spec.Ret{OK: true}
}

func TestRWLockConforms(t *testing.T) {
	m := newMachine(t, kernels())
	rapid.Check(t, func(rt *rapid.T) {
		s := script[spec.RWLockState]{spec: spec.RWLock(), cpus: m.CPUs()}
		rt.Repeat(s.actions(nil))
		s.replay(rt, m, func() func(*machine.Thread, spec.Call) spec.Ret {
			l := locks.NewRWLock(m, locks.Home{})
			return func(th *machine.Thread, c spec.Call) spec.Ret { return rwlockOp(th, l, c.Op) }
		})
	})
}

func rwlockOp(t *machine.Thread, l *locks.RWLock, op spec.Op) spec.Ret {
	switch op {
	case spec.RWLockRLock:
		l.AcquireRead(t)
	case spec.RWLockTryRLock:
		return spec.Ret{OK: l.TryAcquireRead(t)}
	case spec.RWLockRUnlock:
		l.ReleaseRead(t)
	case spec.RWLockLock:
		l.Acquire(t)
	case spec.RWLockTryLock:
		return spec.Ret{OK: l.TryAcquire(t)}
	case spec.RWLockUnlock:
		l.Release(t)
	case spec.RWLockUpgrade:
		return spec.Ret{OK: l.Upgrade(t)}
	case spec.RWLockDowngrade:
		l.Downgrade(t)
	}
	return spec.Ret{OK: true}
}

func TestFreeListConforms(t *testing.T) {
	const blocks = 4
	m := newMachine(t, kernels())
	rapid.Check(t, func(rt *rapid.T) {
		s := script[spec.List]{spec: spec.Stack(), cpus: m.CPUs()}
		s.spec.Initial = spec.ListOf(3, 2, 1, 0)
		s.state = s.spec.Initial
		s.legal = func(free spec.List, c spec.Call) bool {
			for i := range free.Len() {
				if c.Op == spec.StackPush && free.At(i) == c.Arg {
					return false
				}
			}
			return true
		}
		rt.Repeat(s.actions(func(rt *rapid.T) uint64 { return rapid.Uint64Range(0, blocks-1).Draw(rt, "block") }))
		s.replay(rt, m, func() func(*machine.Thread, spec.Call) spec.Ret {
			f := locks.NewFreeList(m, locks.Home{}, blocks, 16)
			return func(th *machine.Thread, c spec.Call) spec.Ret {
				if c.Op == spec.StackPush {
					f.Push(th, f.Block(int(c.Arg)))
					return spec.Ret{OK: true}
				}
				b, ok := f.Pop(th)
				if !ok {
					return spec.Ret{}
				}
				return spec.Ret{Val: uint64(b-f.Block(0)) / 16, OK: true}
			}
		})
	})
}

func TestSeqLockConforms(t *testing.T) {
	m := newMachine(t, kernels())
	rapid.Check(t, func(rt *rapid.T) {
		s := script[uint64]{spec: spec.Register(0), cpus: m.CPUs()}
		s.legal = func(_ uint64, c spec.Call) bool { return c.Op == spec.RegisterRead || c.Op == spec.RegisterWrite }
		rt.Repeat(s.actions(func(rt *rapid.T) uint64 { return rapid.Uint64().Draw(rt, "value") }))
		s.replay(rt, m, func() func(*machine.Thread, spec.Call) spec.Ret {
			l := locks.NewSeqLock(m, locks.Home{}, 2)
			return func(th *machine.Thread, c spec.Call) spec.Ret {
				if c.Op == spec.RegisterWrite {
					l.Write(th, c.Arg, ^c.Arg)
					return spec.Ret{OK: true}
				}
				var got [2]uint64
				l.Read(th, got[:])
				if got[0] != ^got[1] && (got[0] != 0 || got[1] != 0) {
					panic("torn read")
				}
				return spec.Ret{Val: got[0], OK: true}
			}
		})
	})
}
