package checkers

import (
	"strings"
	"sync"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

func TestLinearizableMutex(t *testing.T) {
	lock, try, unlock := spec.MutexLock, spec.MutexTryLock, spec.MutexUnlock
	expect(t, Linearizable(spec.Mutex()), []expectation{
		{name: "empty"},
		{name: "in turn", h: machine.History{
			call(0, lock), ret(0, 0, true), call(0, unlock), ret(0, 0, true),
			call(1, lock), ret(1, 0, true), call(1, unlock), ret(1, 0, true)}},
		{name: "unlock takes effect before it returns", h: machine.History{
			call(0, lock), ret(0, 0, true), call(0, unlock),
			call(1, lock), ret(1, 0, true), ret(0, 0, true)}},
		{name: "two holders", h: machine.History{
			call(0, lock), call(1, lock), ret(0, 0, true), ret(1, 0, true)},
			rule: ruleLinearizable, at: 3,
			message: "client 1 (CPU 1) got Lock(), which no order…the mutex could only be held by client 0"},
		{name: "stray unlock", h: machine.History{call(0, unlock), ret(0, 0, true)},
			rule: ruleLinearizable, at: 1, message: "got Unlock()…could only be free"},
		{name: "try-lock beside a holder", h: machine.History{
			call(0, lock), ret(0, 0, true), call(1, try), ret(1, 0, false)}},
		{name: "try-lock fails without cause", h: machine.History{call(1, try), ret(1, 0, false)},
			rule: ruleLinearizable, at: 1, message: "TryLock() = busy…free"},
		{name: "the lock of a client that never returned", h: machine.History{
			call(0, lock), call(1, try), ret(1, 0, false)}},
		{name: "the unlock of a client that never returned", h: machine.History{
			call(0, lock), ret(0, 0, true), call(0, unlock), call(1, lock), ret(1, 0, true)}},
		{name: "a lock that never returns need not take effect", h: machine.History{
			call(0, lock), call(1, lock), ret(1, 0, true), call(1, unlock), ret(1, 0, true),
			call(1, lock), ret(1, 0, true)}},
		{name: "a lock that never returned is not two", h: machine.History{
			call(0, lock), call(1, unlock), ret(1, 0, true)},
			rule: ruleLinearizable, at: 2, message: "held by client 0"},
	})
	passes(t, Linearizable(spec.WeakMutex()), machine.History{call(1, try), ret(1, 0, false)})
}

func TestLinearizableQueue(t *testing.T) {
	enq, deq := spec.QueueEnqueue, spec.QueueDequeue
	overlapping := machine.History{call(0, enq, 1), call(1, enq, 2), call(2, enq, 3), call(3, enq, 4),
		ret(0, 0, true), ret(1, 0, true), ret(2, 0, true), ret(3, 0, true)}
	expect(t, Linearizable(spec.Queue()), []expectation{
		{name: "either order", h: machine.History{
			call(0, enq, 1), call(1, enq, 2), ret(0, 0, true), ret(1, 0, true),
			call(0, deq), ret(0, 2, true), call(0, deq), ret(0, 1, true)}},
		{name: "out of order", h: machine.History{
			call(0, enq, 1), ret(0, 0, true), call(1, enq, 2), ret(1, 0, true),
			call(0, deq), ret(0, 2, true)},
			rule: ruleLinearizable, at: 5, message: "Dequeue() = 2…the queue could only be [1 2]"},
		{name: "one value twice", h: machine.History{
			call(0, enq, 1), ret(0, 0, true),
			call(0, deq), call(1, deq), ret(1, 1, true), ret(0, 1, true)},
			// the other answer is known already when the first returns
			rule: ruleLinearizable, at: 5, message: "[]"},
		{name: "never put in, many states", h: join(overlapping, machine.History{call(0, deq), ret(0, 9, true)}),
			rule: ruleLinearizable, at: 9, message: "the queue could only be [2 3 4 1], or …, or one of some more"},
		{name: "a value of a call that never returned", h: machine.History{
			call(0, enq, 1), call(1, deq), ret(1, 1, true)}},
		{name: "an answer that never came", h: machine.History{
			call(0, enq, 1), ret(0, 0, true), call(1, deq),
			call(0, deq), ret(0, 0, false)}},
	})
}

func TestLinearizableRWLock(t *testing.T) {
	rlock, tryR, runlock, lock, try := spec.RWLockRLock, spec.RWLockTryRLock, spec.RWLockRUnlock, spec.RWLockLock, spec.RWLockTryLock
	one := machine.History{call(0, rlock), ret(0, 0, true), call(0, runlock),
		call(1, lock), ret(1, 0, true), call(1, spec.RWLockUnlock), ret(1, 0, true), ret(0, 0, true)}
	expect(t, Linearizable(spec.RWLock()), []expectation{
		{name: "a reader leaves for a writer", h: one},
		{name: "and leaves once", h: join(one, machine.History{call(0, runlock), ret(0, 0, true)}),
			rule: ruleLinearizable, at: 9, message: "free"},
		{name: "and comes back", h: join(one, machine.History{call(0, rlock), ret(0, 0, true), call(0, runlock), ret(0, 0, true)})},
		{name: "two readers", h: machine.History{call(0, rlock), call(1, tryR), ret(1, 0, true), ret(0, 0, true)}},
		// A reader that never returned explains the first failure, but not both.
		{name: "who never returned", h: machine.History{call(0, rlock), call(1, lock),
			call(2, try), ret(2, 0, false), call(2, tryR), ret(2, 0, false)}},
		{name: "who never returned reads", h: machine.History{call(0, rlock), call(1, lock),
			call(2, try), ret(2, 0, false), call(2, tryR), ret(2, 0, true)}},
	})
}

func TestLinearizableObjects(t *testing.T) {
	lock := spec.MutexLock
	bad := machine.History{call(0, lock), call(1, lock), ret(0, 0, true), ret(1, 0, true)}
	good := machine.History{call(2, lock), ret(2, 0, true)}
	j := Linearizable(spec.Mutex())
	expect(t, j, []expectation{
		{name: "one lock each", h: join(good, on(other, call(3, lock), ret(3, 0, true)))},
		{name: "the other lock", h: join(good, on(other, join(bad)...)),
			rule: ruleLinearizable, at: 5},
		{name: "the first of two violations", h: join(on(other, join(bad)...), bad),
			rule: ruleLinearizable, at: 3},
		{name: "the first again", h: join(bad, on(other, join(bad)...)),
			rule: ruleLinearizable, at: 3},
		{name: "a call within a call", h: join(on(other, call(0, lock)), machine.History{call(0, lock), ret(0, 0, true)},
			on(other, ret(0, 0, true)))},
	})
	twice := j.Check(join(on(other, join(bad)...), bad)).Violation
	if twice.Object != other || twice.Signature() != "linearizable/mutex: linearizability: 0x80" {
		t.Errorf("got %+v with signature %q", *twice, twice.Signature())
	}
	mixed := join(on(other, call(0, 77), ret(0, 1, true), ret(0, 1, true)), good)
	passes(t, Linearizable(spec.Mutex(), object), mixed)
	passes(t, Linearizable(spec.Mutex(), object), on(other, join(bad)...))
	if Linearizable(spec.Mutex(), other, object).Check(mixed).Violation == nil {
		t.Error("a judge of both objects passes")
	}
}

func TestLinearizableMalformed(t *testing.T) {
	lock := spec.MutexLock
	expect(t, Linearizable(spec.Mutex()), []expectation{
		{name: "return without call", h: machine.History{ret(1, 0, true)},
			rule: ruleMalformed, at: 0, message: "client 1 (CPU 1) returned from an operation that it had not called"},
		{name: "second return", h: machine.History{call(1, lock), ret(1, 0, true), ret(1, 0, true)},
			rule: ruleMalformed, at: 2},
		{name: "two open calls", h: machine.History{call(0, lock), call(1, lock), call(1, lock)},
			rule: ruleMalformed, at: 2, message: "while the one of record 1 was in progress"},
		{name: "unknown operation", h: machine.History{call(1, 9)},
			rule: ruleMalformed, at: 0, message: "called operation 9, which a mutex does not have"},
		{name: "no operation", h: machine.History{call(1, 0)}, rule: ruleMalformed, at: 0},
		{name: "unknown kind", h: machine.History{{Kind: 9, InIRQ: true}},
			rule: ruleMalformed, at: 0, message: "interrupt handler 0 (CPU 0) made a record of kind 9"},
	})
}

func TestLinearizableUnknown(t *testing.T) {
	var crowd, calls, returns, long machine.History
	for i := range int32(maxOverlap + 1) {
		crowd = append(crowd, call(i, spec.RegisterWrite, 1))
		calls, returns = append(calls, call(i, spec.CounterGet)), append(machine.History{ret(i, 5, true)}, returns...)
	}
	for range maxConfirmOps {
		long = append(long, call(0, spec.RegisterRead), ret(0, 0, true))
	}
	register := spec.Register(0)
	j := LinearizableBy(byFrontier, DefaultBudget, register)
	passes(t, j, crowd[:maxOverlap])
	passes(t, j, long)
	wantUnknown(t, j.Check(crowd), "overlap")
	wantUnknown(t, LinearizableBy(byFrontier, maxConfirmOps/2, register).Check(long), "within 1024 steps")
	wantUnknown(t, LinearizableBy(byMonitor, 0, register).Check(crowd), "declines") // a value twice

	// Porcupine decides what neither monitor nor frontier does.
	if v := Linearizable(register).Check(crowd); v != (Verdict{By: byPorcupine}) {
		t.Errorf("got %+v, want a pass by porcupine", v)
	}
	wrong := Linearizable(spec.Counter(0)).Check(join(calls, returns))
	if v := wrong.Violation; v == nil || wrong.By != byPorcupine || v.At != 2*maxOverlap+1 || !strings.Contains(v.Message, "got Get() = 5") {
		t.Errorf("got %+v, want a violation by porcupine", wrong)
	}
	wantUnknown(t, LinearizableWithin(3, spec.Counter(0)).Check(join(calls, returns)), "overlap")

	unconfirmed := Linearizable(register).Check(append(long, call(0, spec.RegisterRead), ret(0, 1, true))).Violation
	if unconfirmed == nil || !strings.Contains(unconfirmed.Message, "too long for porcupine") {
		t.Errorf("got %+v, want an unconfirmed violation", unconfirmed)
	}

	// A specification that calls a write a read misleads us, but not porcupine.
	lying := register
	lying.Ops = append([]spec.Signature(nil), register.Ops...)
	lying.Ops[spec.RegisterWrite-1].Reads = true
	h := machine.History{call(0, spec.RegisterWrite, 1), ret(0, 0, true), call(0, spec.RegisterRead), ret(0, 1, true)}
	wantUnknown(t, Linearizable(lying).Check(h), "porcupine does")

	// A monitor of another object contradicts the frontier.
	lying = spec.Register(0)
	lying.Kind = spec.SemaphoreKind
	wantUnknown(t, Linearizable(lying).Check(h[:2]), "the frontier does")

	// One violation is worth more than any number of doubts.
	bad := on(other, call(0, spec.RegisterRead), ret(0, 1, true))
	if v := j.Check(join(crowd, bad)); v.Violation == nil || v.Unknown != "" {
		t.Errorf("got %+v, want the violation on the other object", v)
	}
}

// TestLinearizableBounded asks for more orders than anyone could try: of many
// operations that never return, and a wrong answer among them.
func TestLinearizableBounded(t *testing.T) {
	open := func(op spec.Op, n int32) (h machine.History) {
		for i := range n {
			h = append(h, call(i, op, uint64(i)))
		}
		return h
	}
	register := Linearizable(spec.Register(0))
	bad := machine.History{call(99, spec.RegisterRead), ret(99, 1000, true)}
	if v := register.Check(join(open(spec.RegisterWrite, 10), bad)); v.Violation == nil {
		t.Errorf("register: got %+v, want a violation", v)
	}
	passes(t, register, open(spec.RegisterWrite, 10)) // with what is left in memory

	bad = machine.History{call(99, spec.QueueDequeue), ret(99, 1000, true)}
	wantUnknown(t, LinearizableBy(byFrontier, DefaultBudget, spec.Queue()).Check(join(open(spec.QueueEnqueue, 14), bad)), "no order found within")
}

func wantUnknown(t *testing.T, v Verdict, why string) {
	t.Helper()
	if v.Violation != nil || !strings.Contains(v.Unknown, why) {
		t.Errorf("got %+v, want unknown because of %q", v, why)
	}
}

// TestLinearizableBy checks who gives a verdict.
func TestLinearizableBy(t *testing.T) {
	write := func(client int32, v uint64) machine.History {
		return machine.History{call(client, spec.RegisterWrite, v), ret(client, 0, true)}
	}
	var long, again machine.History
	for i := range uint64(shortHistory) {
		long, again = append(long, write(0, i+1)...), append(again, write(0, i%3)...)
	}
	j := Linearizable(spec.Register(0))
	for _, test := range []struct {
		name string
		h    machine.History
		by   string
	}{
		{"nothing", nil, ""},
		{"short", write(0, 1), byFrontier},
		{"long", long, byMonitor},
		{"values again", again, byFrontier},
		{"two objects", join(on(other, join(long)...), again), byMonitor + " and " + byFrontier},
		{"three", join(on(other, join(long)...), again, on(0, join(long)...)), byMonitor + " and " + byFrontier},
		{"wrong", join(long, machine.History{call(0, spec.RegisterRead), ret(0, 5, true)}), byMonitor},
		{"wrong again", join(again, machine.History{call(0, spec.RegisterRead), ret(0, 5, true)}), byFrontier},
	} {
		if v := j.Check(test.h); v.By != test.by || (v.Violation != nil) != strings.Contains(test.name, "wrong") {
			t.Errorf("%s: got %+v, want it by %q", test.name, v, test.by)
		}
	}
	// The monitor of a register is asked where the frontier gives up at once.
	odd := machine.History{call(0, spec.RegisterRead), call(1, spec.RegisterCAS, 1, 2), call(2, spec.RegisterCAS, 1, 2),
		ret(0, 0, true), ret(2, 3, true), ret(1, 0, false)}
	if v := LinearizableWithin(0, spec.Register(0)).Check(odd); v.By != byMonitor || v.Violation == nil || v.Violation.At != 4 {
		t.Errorf("got %+v, want a violation by the monitor", v)
	}
	for _, way := range []string{"guess", byMonitor} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for a counter judged by %s", way)
				}
			}()
			LinearizableBy(way, 0, spec.Counter(0))
		}()
	}
}

func TestLinearizableWantsFunctions(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for a specification without functions")
		}
	}()
	Linearizable(spec.Spec[int]{Name: "nothing"})
}

// TestConcurrentUse lets the race detector look at a judge in several goroutines.
func TestConcurrentUse(t *testing.T) {
	bad := machine.History{call(0, spec.MutexLock), call(1, spec.MutexLock), ret(0, 0, true), ret(1, 0, true)}
	for _, j := range []Judge{Linearizable(spec.Mutex()), Exclusion(), LockOrder()} {
		want := j.Check(bad)
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 50 {
					if got := j.Check(bad); (got.Violation == nil) != (want.Violation == nil) {
						t.Errorf("%s: got %+v, want %+v", j.Name(), got, want)
					}
				}
			})
		}
		group.Wait()
	}
}

// TestMonitorReasons checks what monitors say where nobody else is asked.
func TestMonitorReasons(t *testing.T) {
	const read, write, cas, swap = spec.RegisterRead, spec.RegisterWrite, spec.RegisterCAS, spec.RegisterSwap
	do := func(client int32, op spec.Op, val uint64, ok bool, args ...uint64) machine.History {
		return machine.History{call(client, op, args...), ret(client, val, ok)}
	}
	reasons(t, spec.Register(0), []expectation{
		{h: do(0, read, 5, true), at: 1, message: "Read() = 5, but what it found was never written"},
		{h: do(0, cas, 1, true, 0, 2), at: 1, message: "CAS(0, 2) = 1, ok, which contradicts itself"},
		{h: join(do(0, read, 5, true), do(1, write, 0, true, 5)), at: 3,
			message: "Write(5), but what it wrote was found before it was called"},
		{h: join(do(0, read, 5, true), machine.History{call(1, write, 5)}), at: 1,
			message: "Read() = 5, but what it found was written only later"},
		{h: join(do(0, swap, 0, true, 5), do(1, read, 0, true)), at: 3,
			message: "client 1 (CPU 1) got Read() = 0, but the value was replaced before it was called"},
		{h: join(do(0, swap, 0, true, 5), do(1, swap, 0, true, 6)), at: 3, message: "two operations found and replaced 0"},
		{h: join(do(0, write, 0, true, 1), do(0, write, 0, true, 2), do(0, read, 1, true)), at: 5,
			message: "Read() = 1, but of the values 1 and 2 each would have to replace the other"},
		// Of the blocks before a conflict, it is not the last one that is in it.
		{h: join(machine.History{call(0, write, 1), call(1, write, 2), ret(0, 0, true), ret(1, 0, true)},
			do(1, write, 0, true, 3), do(0, read, 1, true)), at: 7, message: "of the values 1 and 3"},
		{h: do(0, read, 0, false), at: 1, message: "Read() = 0, failed, which it never may answer"},
	})
	enq, deq := spec.QueueEnqueue, spec.QueueDequeue
	two := join(do(0, enq, 0, true, 1), do(0, enq, 0, true, 2))
	reasons(t, spec.Queue(), []expectation{
		{h: join(two, do(0, deq, 2, true)), at: 5, message: "Dequeue() = 2, but 1 was enqueued before it and not dequeued yet"},
		// Of the values behind 1, it is not the first one that overtakes it.
		{h: join(two, do(0, enq, 0, true, 3), machine.History{call(1, deq)}, do(0, deq, 3, true), do(0, deq, 1, true),
			machine.History{ret(1, 2, true)}), at: 8, message: "Dequeue() = 3, but 1 was enqueued before it"},
		{h: join(two, do(0, deq, 1, true), do(1, deq, 1, true)), at: 7, message: "but the value was dequeued twice"},
		{h: join(two, do(0, deq, 3, true)), at: 5, message: "but nobody enqueued it"},
		{h: join(do(0, deq, 1, true), two), at: 1, message: "but it was not enqueued yet"},
		{h: join(two, do(0, deq, 0, false)), at: 5, message: "Dequeue() = empty, but at every moment of the call there was a value in the queue"},
	})
	push, pop := spec.StackPush, spec.StackPop
	two = join(do(0, push, 0, true, 1), do(0, push, 0, true, 2))
	reasons(t, spec.Stack(), []expectation{
		{h: join(two, do(0, pop, 1, true)), at: 5, message: "Pop() = 1, but of the values 1, 2 none can have been the lowest"},
		{h: join(two, do(0, pop, 2, true), do(1, pop, 2, true)), at: 7, message: "but the value was popped twice"},
		{h: join(two, do(0, pop, 3, true)), at: 5, message: "but nobody pushed it"},
		{h: join(do(0, pop, 1, true), two), at: 1, message: "but it was not pushed yet"},
		{h: join(two, do(0, pop, 0, false)), at: 5, message: "Pop() = empty, but at every moment of the call there was a value on the stack"},
	})
	reasons(t, spec.Mutex(), []expectation{
		{h: join(do(0, spec.MutexLock, 0, true), do(1, spec.MutexTryLock, 0, true)), at: 3, message: "but client 0 held the mutex"},
		{h: do(0, spec.MutexUnlock, 0, true), at: 1, message: "but it did not hold the mutex"},
		{h: do(0, spec.MutexTryLock, 0, false), at: 1, message: "TryLock() = busy, but nobody could hold the mutex meanwhile"},
	})
	reasons(t, spec.RWLock(), []expectation{
		{h: join(do(0, spec.RWLockRLock, 0, true), do(1, spec.RWLockLock, 0, true)), at: 3, message: "but the lock was held for reading"},
		{h: join(do(0, spec.RWLockLock, 0, true), do(1, spec.RWLockRLock, 0, true)), at: 3, message: "but client 0 wrote"},
		{h: do(0, spec.RWLockUnlock, 0, true), at: 1, message: "but it did not write"},
		{h: do(0, spec.RWLockRUnlock, 0, true), at: 1, message: "but it did not read"},
		{h: do(0, spec.RWLockTryLock, 0, false), at: 1, message: "but nobody could hold the lock meanwhile"},
		{h: do(0, spec.RWLockTryRLock, 0, false), at: 1, message: "but nobody could write meanwhile"},
	})
	reasons(t, spec.Semaphore(1), []expectation{
		{h: join(do(0, spec.SemaphoreP, 0, true), do(1, spec.SemaphoreP, 0, true)), at: 3, message: "but there can't have been a unit left"},
		{h: do(0, spec.SemaphoreTryP, 0, false), at: 1, message: "but there was a unit all the while"},
	})
	reasons(t, spec.Set(), []expectation{
		{h: join(do(0, spec.SetInsert, 0, true, 4), do(1, spec.SetInsert, 0, true, 4)), at: 3, message: "Insert(4) = ok, but the value was in the set"},
		{h: do(0, spec.SetRemove, 0, true, 4), at: 1, message: "but the value was not in the set"},
	})
}

func reasons[S comparable](t *testing.T, s spec.Spec[S], tests []expectation) {
	t.Helper()
	for i := range tests {
		tests[i].name, tests[i].rule = s.Name+": "+tests[i].message, ruleLinearizable
	}
	expect(t, LinearizableBy(byMonitor, 0, s), tests)
}
