package spec

import (
	"strings"
	"testing"
)

// move is one step of a table test: whether call may answer ret.
type move struct {
	call  Call
	ret   Ret
	legal bool
}

var yes, no = Ret{OK: true}, Ret{}

// value is the answer of an operation that succeeds with v.
func value(v uint64) Ret { return Ret{Val: v, OK: true} }

// follow makes the moves from the initial state of s; an illegal one must
// leave the state alone.
func follow[S comparable](t *testing.T, s Spec[S], moves []move) {
	t.Helper()
	state := s.Initial
	for i, m := range moves {
		next, ok := s.Step(state, m.call, m.ret)
		if ok != m.legal {
			t.Errorf("move %d: client %d: %s in state %s: legal %v, want %v", i,
				m.call.Client, s.DescribeOp(m.call, m.ret), s.DescribeState(state), ok, m.legal)
		}
		if ok {
			state = next
		}
	}
}

func by(client int, op Op, args ...uint64) Call {
	c := Call{Client: client, Op: op}
	if len(args) > 0 {
		c.Arg = args[0]
	}
	if len(args) > 1 {
		c.Arg2 = args[1]
	}
	return c
}

func TestMutex(t *testing.T) {
	follow(t, Mutex(), []move{
		{by(1, MutexUnlock), yes, false},
		{by(1, MutexTryLock), no, false},
		{by(1, MutexLock), no, false},
		{by(1, MutexLock), yes, true},
		{by(1, MutexLock), yes, false},
		{by(2, MutexLock), yes, false},
		{by(2, MutexTryLock), yes, false},
		{by(2, MutexTryLock), no, true},
		{by(2, MutexUnlock), yes, false},
		{by(1, MutexUnlock), yes, true},
		{by(1, MutexUnlock), yes, false},
		{by(2, MutexTryLock), yes, true},
		{by(2, MutexUnlock), value(1), false},
	})
}

func TestWeakMutex(t *testing.T) {
	follow(t, WeakMutex(), []move{
		{by(1, MutexTryLock), no, true},
		{by(1, MutexTryLock), Ret{Val: 1}, false},
		{by(1, MutexTryLock), yes, true},
		{by(2, MutexTryLock), no, true},
		{by(2, MutexTryLock), yes, false},
		{by(2, MutexUnlock), yes, false},
	})
}

func TestRWLock(t *testing.T) {
	follow(t, RWLock(), []move{
		{by(1, RWLockRUnlock), yes, false},
		{by(1, RWLockUpgrade), yes, false},
		{by(1, RWLockDowngrade), yes, false},
		{by(1, RWLockRLock), yes, true},
		{by(2, RWLockTryRLock), yes, true},
		{by(2, RWLockTryRLock), no, false},
		{by(3, RWLockLock), yes, false},
		{by(3, RWLockTryLock), no, true},
		{by(3, RWLockRUnlock), yes, false},
		{by(1, RWLockUpgrade), yes, false},
		{by(1, RWLockUpgrade), no, true},
		{by(3, RWLockUpgrade), no, false},
		{by(2, RWLockRUnlock), yes, true},
		{by(1, RWLockUpgrade), no, false},
		{by(1, RWLockUpgrade), yes, true},
		{by(2, RWLockRLock), yes, false},
		{by(2, RWLockTryRLock), no, true},
		{by(1, RWLockTryRLock), no, true},
		{by(2, RWLockUnlock), yes, false},
		{by(2, RWLockDowngrade), yes, false},
		{by(1, RWLockDowngrade), yes, true},
		{by(1, RWLockUnlock), yes, false},
		{by(1, RWLockRLock), yes, true},
		{by(1, RWLockUpgrade), no, true}, // its own second hold is in the way
		{by(1, RWLockRUnlock), yes, true},
		{by(1, RWLockRUnlock), yes, true},
		{by(1, RWLockRUnlock), yes, false},
		{by(2, RWLockTryLock), yes, true},
		{by(2, RWLockUnlock), yes, true},
		{by(3, RWLockLock), yes, true},
	})
}

func TestRegister(t *testing.T) {
	follow(t, Register(5), []move{
		{by(1, RegisterRead), value(0), false},
		{by(1, RegisterRead), value(5), true},
		{by(1, RegisterRead), Ret{Val: 5}, false},
		{by(1, RegisterWrite, 6), yes, true},
		{by(2, RegisterSwap, 7), value(5), false},
		{by(2, RegisterSwap, 7), value(6), true},
		{by(2, RegisterCAS, 6, 8), value(7), false},
		{by(2, RegisterCAS, 6, 8), Ret{Val: 7}, true},
		{by(2, RegisterCAS, 7, 8), Ret{Val: 7}, false},
		{by(2, RegisterCAS, 7, 8), value(7), true},
		{by(1, RegisterRead), value(8), true},
	})
}

func TestCASRegister(t *testing.T) {
	follow(t, CASRegister(), []move{
		{by(1, CASRegisterRead), value(0), false},
		{by(1, CASRegisterRead), no, true},
		{by(1, CASRegisterCAS, 0, 1), yes, false},
		{by(1, CASRegisterCAS, 0, 1), no, true},
		{by(1, CASRegisterWrite, 0), yes, true},
		{by(2, CASRegisterRead), no, false},
		{by(2, CASRegisterRead), value(0), true},
		{by(2, CASRegisterCAS, 0, 4), no, false},
		{by(2, CASRegisterCAS, 0, 4), yes, true},
		{by(1, CASRegisterCAS, 0, 5), no, true},
		{by(1, CASRegisterRead), value(4), true},
	})
}

func TestKV(t *testing.T) {
	const a, b, ab, abc, empty, none = 0, 1, 2, 3, 4, 5
	follow(t, KV("a", "b", "ab", "abc", ""), []move{
		{by(1, KVGet), value(a), false},
		{by(1, KVGet), value(empty), true},
		{by(1, KVAppend, a), yes, true},
		{by(1, KVGet), value(a), true},
		{by(2, KVAppend, b), yes, true},
		{by(1, KVGet), value(ab), true},
		{by(1, KVGet), value(none), false},
		{by(2, KVAppend, empty), yes, true},
		{by(1, KVGet), value(ab), true},
		{by(2, KVAppend, b), yes, true}, // abb, which begins no text
		{by(1, KVGet), value(ab), false},
		{by(1, KVGet), value(none), true},
		{by(2, KVAppend, empty), yes, true},
		{by(1, KVGet), value(none), true},
		{by(2, KVPut, none), yes, false},
		{by(2, KVPut, abc), yes, true},
		{by(1, KVGet), value(abc), true},
	})
}

func TestLongTextsAreShownWithoutTheirMiddle(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	s := KV(long)
	state, _ := s.Step(s.Initial, by(1, KVPut, 0), yes)
	head, tail := strings.Repeat("0123456789", 4), strings.Repeat("0123456789", 4)
	if want := `"` + head + `"…"` + tail + `" (200 bytes)`; s.DescribeState(state) != want {
		t.Errorf("got %s, want %s", s.DescribeState(state), want)
	}
}

func TestCounter(t *testing.T) {
	follow(t, Counter(1), []move{
		{by(1, CounterAdd, 2), value(3), false},
		{by(1, CounterAdd, 2), value(1), true},
		{by(1, CounterAdd, ^uint64(0)), value(3), true},
		{by(1, CounterGet), value(2), true},
		{by(1, CounterGet), value(3), false},
	})
}

func TestQueue(t *testing.T) {
	follow(t, Queue(), []move{
		{by(1, QueueDequeue), value(0), false},
		{by(1, QueueDequeue), no, true},
		{by(1, QueueEnqueue, 1), yes, true},
		{by(1, QueueEnqueue, 2), yes, true},
		{by(1, QueueDequeue), no, false},
		{by(1, QueueDequeue), value(2), false},
		{by(1, QueueDequeue), value(1), true},
		{by(1, QueueDequeue), value(2), true},
		{by(1, QueueDequeue), no, true},
	})
}

func TestStack(t *testing.T) {
	follow(t, Stack(), []move{
		{by(1, StackPop), no, true},
		{by(1, StackPush, 1), yes, true},
		{by(1, StackPush, 2), yes, true},
		{by(1, StackPop), value(1), false},
		{by(1, StackPop), value(2), true},
		{by(1, StackPop), no, false},
		{by(1, StackPop), value(1), true},
	})
}

func TestPool(t *testing.T) {
	follow(t, Pool(), []move{
		{by(1, PoolTake), value(0), false},
		{by(1, PoolPut, 2), yes, true},
		{by(1, PoolPut, 1), yes, true},
		{by(1, PoolPut, 1), yes, true},
		{by(1, PoolTake), no, false},
		{by(1, PoolTake), value(2), true},
		{by(1, PoolTake), value(2), false},
		{by(1, PoolTake), value(1), true},
		{by(1, PoolTake), value(1), true},
		{by(1, PoolTake), no, true},
	})
}

func TestSet(t *testing.T) {
	follow(t, Set(), []move{
		{by(1, SetContains, 5), yes, false},
		{by(1, SetContains, 5), no, true},
		{by(1, SetRemove, 5), yes, false},
		{by(1, SetRemove, 5), no, true},
		{by(1, SetInsert, 5), no, false},
		{by(1, SetInsert, 5), yes, true},
		{by(2, SetInsert, 5), yes, false},
		{by(2, SetInsert, 5), no, true},
		{by(2, SetInsert, 4), yes, true},
		{by(2, SetContains, 5), yes, true},
		{by(2, SetRemove, 5), value(5), false},
		{by(2, SetRemove, 5), yes, true},
		{by(1, SetContains, 4), yes, true},
		{by(1, SetContains, 5), yes, false},
	})
}

// The key of a set's calls is their value.
func TestSetKey(t *testing.T) {
	for op := SetInsert; op <= SetContains; op++ {
		if key, ok := Set().Key(by(1, op, 7)); !ok || key != 7 {
			t.Errorf("operation %d: got key %d, %v, want 7", op, key, ok)
		}
	}
}

func TestSemaphore(t *testing.T) {
	follow(t, Semaphore(1), []move{
		{by(1, SemaphoreTryP), no, false},
		{by(1, SemaphoreP), no, false},
		{by(1, SemaphoreP), yes, true},
		{by(1, SemaphoreP), yes, false},
		{by(2, SemaphoreTryP), no, true},
		{by(2, SemaphoreTryP), yes, false},
		{by(2, SemaphoreV), yes, true},
		{by(2, SemaphoreV), no, false},
		{by(2, SemaphoreV), yes, true},
		{by(1, SemaphoreTryP), yes, true},
		{by(1, SemaphoreP), yes, true},
		{by(1, SemaphoreP), yes, false},
	})
}
