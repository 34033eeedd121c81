package suite

import (
	"errors"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// interrupting are the programs with interrupt handlers.
func interrupting() []row {
	return []row{
		{"irq-update", "a thread and an interrupt handler of its CPU count in two accesses",
			"textbook; Linux this_cpu_add, written as two instructions", 2, 1353, irqUpdate},
		{"irq-deadlock", "a handler wants the lock that the thread which it interrupts holds",
			"Linux lockdep: spin_lock where spin_lock_irqsave is due", 2, 240, irqDeadlock},
		{"halt-race", "a thread looks for work and halts; the interrupt falls in between",
			"the idle loop: STI and HLT must follow each other, WFI be masked", 2, 12, haltRace},
	}
}

const device = machine.FirstInterrupt + 8

func irqUpdate(m *machine.Machine, fixed bool) fuzz.Program {
	own := words(m, "pad", 2)
	counts := [2]*inside{newInside(m), newInside(m)} // of each CPU
	m.HandleAll(device, func(t *machine.Thread, _ *machine.Frame) { counts[t.CPU()].visit(t) })
	m.Raise(0, device)
	m.Raise(1, device)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 15)
			if fixed {
				t.DisableInterrupts()
			}
			counts[self].visit(t)
			if fixed {
				t.EnableInterrupts()
			}
			pad(t, at(own, self), 15)
		}),
		After: func() error { return errors.Join(counts[0].check(m), counts[1].check(m)) },
	}
}

func irqDeadlock(m *machine.Machine, fixed bool) fuzz.Program {
	mutex, own := words(m, "lock", 1), words(m, "pad", 2)
	in := newInside(m)
	count := func(t *machine.Thread) {
		lock(t, mutex)
		in.visit(t)
		unlock(t, mutex)
	}
	m.Handle(0, device, func(t *machine.Thread, _ *machine.Frame) { count(t) })
	m.Raise(0, device)
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) {
			pad(t, at(own, self), 10)
			if fixed {
				t.DisableInterrupts()
			}
			count(t)
			if fixed {
				t.EnableInterrupts()
			}
			pad(t, at(own, self), 5)
		}),
		After: func() error { return in.check(m) },
	}
}

func haltRace(m *machine.Machine, fixed bool) fuzz.Program {
	work, own := words(m, "work", 1), words(m, "pad", 2)
	m.Handle(0, machine.VectorIPI, func(*machine.Thread, *machine.Frame) {}) // it ends a halt
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			if fixed {
				t.DisableInterrupts()
			}
			for get(t, work) == 0 {
				t.AsleepUntil(machine.Until(work, 1))
				t.WaitForInterrupt()
			}
			if fixed {
				t.EnableInterrupts()
			}
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 8)
			put(t, work, 1)
			t.SendIPI(0, machine.VectorIPI)
		}),
	}
}
