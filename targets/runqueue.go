package targets

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// runqueueTasks is the number of threads in kernel/runqueue.
const runqueueTasks = 3

// runqueue is a target for the scheduler: three threads on two CPUs of different
// ISA pass a turn around, and each sleeps until it comes. Who is woken may find
// itself on another CPU.
func runqueue() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/runqueue", Doc: "threads are scheduled, preempted, put to sleep and woken across ISAs",
		Platform: machine.Pair(),
		Judges:   onLocks(),
		Setup: func(m *machine.Machine) fuzz.Program {
			rounds, ticks := 1+m.Choose("rounds", 2), m.Choose("ticks", 2) == 1
			r := relay{m.Alloc(8), m.Alloc(8), rounds, m.Choose("wake-all", 2) == 1}
			m.Label(r.turn, 8, "turn")
			m.Label(r.counter, 8, "counter")
			s := newScheduler(m, runqueueTasks, ticks, r.run)
			return fuzz.Program{After: func() error { return r.check(m, s) }}
		},
	}
}

// relay is the program of the threads. The turn protects the counter.
type relay struct {
	turn, counter machine.VA
	rounds        int
	wakeAll       bool // those whose turn it is not, too
}

func (r relay) run(t *machine.Thread, s *scheduler, self int) {
	for round := range r.rounds {
		turn := uint64(round*runqueueTasks + self)
		s.sleepUntil(t, self, r.turn, turn)
		t.Store64(r.counter, t.Load64(r.counter)+1)
		t.Store(r.turn, machine.Size64, turn+1, machine.Release)
		r.wake(t, s, (self+1)%runqueueTasks)
		if r.wakeAll {
			r.wake(t, s, (self+2)%runqueueTasks)
		}
	}
}

// wake wakes a task, by the plain choice on the CPU where it started.
func (r relay) wake(t *machine.Thread, s *scheduler, task int) {
	cpu := (task + t.Choose("other-cpu", 2)) % len(s.queues)
	s.wake(t, s.tasks[task], cpu)
}

// check looks at what should be left: nothing in the queues.
func (r relay) check(m *machine.Machine, s *scheduler) error {
	if err := fuzz.Want(m.Peek64(r.counter), uint64(r.rounds*runqueueTasks)); err != nil {
		return fmt.Errorf("counter: %w", err)
	}
	for cpu, q := range s.queues {
		if err := fuzz.Want(m.Peek64(q.at+queueHead), 0); err != nil {
			return fmt.Errorf("head of the run queue of CPU %d: %w", cpu, err)
		}
	}
	return nil
}
