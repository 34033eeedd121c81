package targets

import (
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// scheduler is a small kernel that multiplexes threads on CPUs of several ISAs:
// a run queue for each CPU, preemption by timer, sleep, and wake-up on any CPU
// by interrupt. The switch under a lock is that of xv6 (R. Cox, F. Kaashoek and
// R. Morris, "xv6", chapter Scheduling), the idle contexts, the states and the
// wake-up those of Linux's kernel/sched/core.c.
//
// All of its state is in simulated memory, at machine-global addresses, in one
// format for all ISAs:
//
//	run queue   u64 head and u64 tail, tasks linked by next; u64 current, the
//	            CPU's task, zero while it is idle. In the memory of the CPU's node.
//	task        u64 handle, u64 next, u64 state, u64 queued, u64 cpu
//
// A task belongs to the CPU that it last ran on or was woken on. This queue's lock
// guards the queue and the task's next, queued and cpu; whoever moves the task
// holds both queues' locks. The state is written by the task itself and, under
// the lock, by wakers: its races are intended. Interrupts are disabled while a lock is held.
//
// Lock order: all locks are of one class, and are taken by address.
//
// The lock stays held across a switch, and the thread that is switched to gives
// it up. So a waker that gets it finds the task either still on its way or gone
// from its CPU, and no other CPU can run a task too early.
type scheduler struct {
	queues []runQueue // of each CPU
	tasks  []machine.VA
	ticks  bool // threads are preempted
}

type runQueue struct {
	lock *locks.QSpinlock
	at   machine.VA
}

// The layout of a run queue and of a task, and what a state may be.
const (
	queueHead    = 0
	queueTail    = 8
	queueCurrent = 16
	queueSize    = 24

	taskHandle = 0
	taskNext   = 8
	taskState  = 16
	taskQueued = 24 // 1 while it is in the queue, or runs
	taskCPU    = 32
	taskSize   = 40

	stateRunning  = 0 // or ready to run
	stateSleeping = 1
	stateDead     = 2
)

// runQueueClass is the class of the run queues' locks.
const runQueueClass = 1

// newScheduler makes a scheduler for all CPUs, which start idle. Its tasks run
// the body, with their number; they are in the queues, by turns.
func newScheduler(m *machine.Machine, tasks int, ticks bool, body func(t *machine.Thread, s *scheduler, self int)) *scheduler {
	s := &scheduler{ticks: ticks}
	nodes := locks.NewQNodes(m)
	for cpu := range m.CPUs() {
		home := locks.Home{Name: "run-queue lock", Class: runQueueClass, Node: m.NodeOf(cpu)}
		q := runQueue{locks.NewQSpinlock(m, home, nodes), m.AllocOn(home.Node, queueSize)}
		m.Label(q.at, queueSize, "run queue")
		s.queues = append(s.queues, q)
		m.Idle(cpu, s.idle)
		m.Handle(cpu, machine.VectorTimer, s.tick)
		m.Handle(cpu, machine.VectorIPI, func(*machine.Thread, *machine.Frame) {}) // it ends a halt
	}
	for self := range tasks {
		s.add(m, self%m.CPUs(), func(t *machine.Thread) {
			s.begin(t)
			body(t, s, self)
			s.exit(t)
		})
	}
	return s
}

// add makes a task and puts it at the end of a CPU's queue.
func (s *scheduler) add(m *machine.Machine, cpu int, body func(*machine.Thread)) {
	task, q := m.Alloc(taskSize), s.queues[cpu].at
	m.Label(task, taskSize, "task")
	m.Poke64(task+taskHandle, uint64(m.Spawn(body)))
	m.Poke64(task+taskQueued, 1)
	m.Poke64(task+taskCPU, uint64(cpu))
	if tail := m.Peek64(q + queueTail); tail == 0 {
		m.Poke64(q+queueHead, uint64(task))
	} else {
		m.Poke64(machine.VA(tail)+taskNext, uint64(task))
	}
	m.Poke64(q+queueTail, uint64(task))
	s.tasks = append(s.tasks, task)
}

// here is the queue of the thread's CPU. Unless interrupts are disabled, that
// may be another one a moment later.
func (s *scheduler) here(t *machine.Thread) runQueue { return s.queues[t.CPU()] }

// begin is where a new thread starts: inside the switch that led to it.
func (s *scheduler) begin(t *machine.Thread) {
	t.DisableInterrupts()
	s.here(t).lock.TakeOver(t)
	s.here(t).lock.Release(t)
	t.EnableInterrupts()
	if s.ticks {
		t.ArmTimer()
	}
}

// exit is where a thread ends: its CPU goes on in the idle context, inside the
// switch that left it.
func (s *scheduler) exit(t *machine.Thread) {
	t.DisableInterrupts()
	q := s.here(t)
	q.lock.Acquire(t)
	task := q.running(t)
	setState(t, task, stateDead)
	t.Store64(task+taskQueued, 0)
	t.Store64(q.at+queueCurrent, 0)
	q.lock.HandOver(t)
}

// schedule has the CPU go on with the first task of its queue, or idle, and
// returns when the task that called it is run again, perhaps on another CPU. A
// preempted task stays in the queue whatever its state, for it has not come to
// the end of going to sleep. The lock of the CPU's queue is held before and after.
func (s *scheduler) schedule(t *machine.Thread, preempted bool) {
	q := s.here(t)
	task := q.running(t)
	if preempted || state(t, task) == stateRunning {
		q.enqueue(t, task)
	} else {
		t.Store64(task+taskQueued, 0)
	}
	if next := q.dequeue(t); next != task {
		s.switchTo(t, next)
	}
}

// switchTo has the CPU go on with a task, or idle if it is zero.
func (s *scheduler) switchTo(t *machine.Thread, task machine.VA) {
	q := s.here(t)
	t.Store64(q.at+queueCurrent, uint64(task))
	handle := t.IdleHandle()
	if task != 0 {
		handle = machine.Handle(t.Load64(task + taskHandle))
	}
	q.lock.HandOver(t)
	t.SwitchTo(handle)
	s.here(t).lock.TakeOver(t)
}

// idle is what a CPU executes that has no task. From the look at the queue to
// the halt interrupts are disabled, so that one which says that there is a task
// ends the halt.
func (s *scheduler) idle(t *machine.Thread) {
	t.DisableInterrupts()
	for q := s.here(t); ; {
		q.lock.Acquire(t)
		for task := q.dequeue(t); task != 0; task = q.dequeue(t) {
			s.switchTo(t, task)
		}
		q.lock.Release(t)
		t.AsleepUntil(machine.While(q.at+queueHead, 0))
		t.WaitForInterrupt()
	}
}

// tick is the handler of the timer: the task goes to the end of the queue.
func (s *scheduler) tick(t *machine.Thread, _ *machine.Frame) {
	q := s.here(t)
	if q.running(t) == 0 {
		return
	}
	q.lock.Acquire(t)
	if t.Load64(q.at+queueHead) != 0 {
		s.schedule(t, true)
	}
	s.here(t).lock.Release(t)
}

// sleepUntil lets the task sleep until the 8 bytes at a are v. Who makes them so
// must call wake afterwards. The state is written before the condition is looked
// at, with a full fence between them: a waker that comes in between turns the
// state back, and the task goes on (Linux's set_current_state).
func (s *scheduler) sleepUntil(t *machine.Thread, self int, a machine.VA, v uint64) {
	task := s.tasks[self]
	for {
		setState(t, task, stateSleeping)
		t.Fence(machine.FullFence)
		if t.Load(a, machine.Size64, machine.AcquirePC) == v {
			break
		}
		enabled := t.DisableInterrupts()
		s.here(t).lock.Acquire(t)
		t.AsleepUntil(machine.Until(a, v))
		s.schedule(t, false)
		locks.ReleaseIRQRestore(t, s.here(t).lock, enabled)
	}
	setState(t, task, stateRunning)
}

// wake ends the sleep of a task, if it sleeps; it then goes on on the given CPU.
// The fence keeps the caller's writes before the look at its state. A task that
// has not left its CPU, or that was preempted on its way, is in the hands of its
// scheduler already: its state is all there is to change.
func (s *scheduler) wake(t *machine.Thread, task machine.VA, cpu int) {
	t.Fence(machine.FullFence)
	enabled := t.DisableInterrupts()
	from, to := s.acquireFor(t, task, cpu), s.queues[cpu]
	if state(t, task) == stateSleeping {
		setState(t, task, stateRunning)
		if t.Load64(task+taskQueued) == 0 {
			s.resume(t, task, cpu)
		}
	}
	s.release(t, from, to)
	t.RestoreInterrupts(enabled)
}

// resume puts a task that is nowhere into the queue of a CPU, and interrupts
// that CPU if it is idle. Both queues' locks are held.
func (s *scheduler) resume(t *machine.Thread, task machine.VA, cpu int) {
	t.Store64(task+taskQueued, 1)
	t.Store64(task+taskCPU, uint64(cpu))
	s.queues[cpu].enqueue(t, task)
	if s.queues[cpu].running(t) == 0 {
		t.SendIPI(cpu, machine.VectorIPI)
	}
}

// acquireFor acquires the locks of the task's queue, which it answers, and of
// the queue of a CPU. The task may move before the lock of its queue is held
// (Linux's task_rq_lock); each new turn means that somebody else has woken it.
func (s *scheduler) acquireFor(t *machine.Thread, task machine.VA, cpu int) runQueue {
	to := s.queues[cpu]
	for {
		home := t.Load(task+taskCPU, machine.Size64, machine.Relaxed)
		from := s.queues[home]
		s.acquire(t, from, to)
		if t.Load64(task+taskCPU) == home {
			return from
		}
		s.release(t, from, to)
	}
}

// acquire acquires the locks of two queues, which may be the same.
func (s *scheduler) acquire(t *machine.Thread, from, to runQueue) {
	if from == to {
		from.lock.Acquire(t)
	} else {
		locks.AcquirePair(t, from.lock, to.lock)
	}
}

// release releases the locks of two queues, which may be the same.
func (s *scheduler) release(t *machine.Thread, from, to runQueue) {
	if from == to {
		from.lock.Release(t)
	} else {
		locks.ReleasePair(t, from.lock, to.lock)
	}
}

// state and setState are the state of a task.
func state(t *machine.Thread, task machine.VA) uint64 {
	return t.Load(task+taskState, machine.Size64, machine.Relaxed)
}

func setState(t *machine.Thread, task machine.VA, state uint64) {
	t.Store(task+taskState, machine.Size64, state, machine.Relaxed)
}

// running is the task of the queue's CPU, zero if it is idle.
func (q runQueue) running(t *machine.Thread) machine.VA {
	return machine.VA(t.Load64(q.at + queueCurrent))
}

// enqueue puts a task at the end of the queue.
func (q runQueue) enqueue(t *machine.Thread, task machine.VA) {
	t.Store64(task+taskNext, 0)
	tail := machine.VA(t.Load64(q.at + queueTail))
	if tail == 0 {
		t.Store64(q.at+queueHead, uint64(task))
	} else {
		t.Store64(tail+taskNext, uint64(task))
	}
	t.Store64(q.at+queueTail, uint64(task))
}

// dequeue takes the first task off the queue; it answers zero if there is none.
func (q runQueue) dequeue(t *machine.Thread) machine.VA {
	head := machine.VA(t.Load64(q.at + queueHead))
	if head == 0 {
		return 0
	}
	next := t.Load64(head + taskNext)
	t.Store64(q.at+queueHead, next)
	if next == 0 {
		t.Store64(q.at+queueTail, 0)
	}
	return head
}
