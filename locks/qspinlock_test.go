package locks_test

import (
	"testing"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// The word's bits are those of Linux 5.2: a watcher sees each state.
func TestQSpinlockWord(t *testing.T) {
	m := newMachine(t, kernels())
	m.Begin(machine.Natural{}, machine.Limits{})
	l := locks.NewQSpinlock(m, locks.Home{}, locks.NewQNodes(m))
	stage := m.Alloc(8)
	word := func(th *machine.Thread, want uint64) {
		th.Await(machine.Cond{Addr: l.Addr(), Size: machine.Size32, Mask: ^uint64(0), Want: want})
	}
	contender := func(n uint64) func(*machine.Thread) {
		return func(th *machine.Thread) {
			th.Await(machine.Until(stage, n))
			l.Acquire(th)
			l.Release(th)
		}
	}
	finish(t, m, 0, machine.Start{CPU: 0, Body: func(th *machine.Thread) {
		l.Acquire(th)
		word(th, 0x1)
		th.Store64(stage, 1)
		word(th, 0x101) // locked, pending
		th.Store64(stage, 2)
		word(th, (2+1)<<18|0x101) // the tail is CPU 2
		th.Store64(stage, 3)
		word(th, (4+1)<<18|0x101)
		l.Release(th)
	}},
		machine.Start{CPU: 1, Body: contender(1)},
		machine.Start{CPU: 2, Body: contender(2)},
		machine.Start{CPU: 4, Body: contender(3)})
	if got := m.Peek64(l.Addr()); got != 0 {
		t.Errorf("word is %#x in the end, want 0", got)
	}
}

// Nested contexts of one CPU use nodes of their own: the thread waits in the
// queue of one lock while its handler waits in the queue of another.
func TestQSpinlockNests(t *testing.T) {
	const device = machine.FirstInterrupt + 8
	m := newMachine(t, machine.Pairs(2))
	nested := 0
	for seed := range uint64(2000) {
		m.Begin(&random{seed}, machine.Limits{})
		nodes := locks.NewQNodes(m)
		outer, inner := locks.NewQSpinlock(m, locks.Home{}, nodes), locks.NewQSpinlock(m, locks.Home{Node: 1}, nodes)
		a, b := section{counter: m.Alloc(8)}, section{counter: m.Alloc(8)}
		m.HandleAll(device, func(th *machine.Thread, _ *machine.Frame) {
			inner.Acquire(th)
			b.run(th)
			inner.Release(th)
		})
		var threads []machine.Start
		for cpu := range m.CPUs() {
			m.Raise(cpu, device)
			threads = append(threads, machine.Start{CPU: cpu, Body: func(th *machine.Thread) {
				outer.Acquire(th)
				a.run(th)
				outer.Release(th)
			}})
		}
		m.SetTracer(func(e *machine.Event) {
			// A count that goes from 1 to 2 is a second node of the CPU.
			if e.Op.Kind == machine.OpStore && e.Op.Size == machine.Size32 && e.Op.Addr%64 == 12 && e.Wrote == 2 {
				nested++
			}
		})
		finish(t, m, seed, threads...)
	}
	if nested == 0 {
		t.Error("no handler queued while its thread was queued")
	}
}
