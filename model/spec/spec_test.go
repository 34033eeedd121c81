package spec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyCall draws a call of a few clients with small arguments, so that calls
// often meet; now and then its operation is unknown.
func anyCall(t *rapid.T, ops int) Call {
	return Call{
		Client: rapid.IntRange(0, 2).Draw(t, "client"),
		Op:     Op(rapid.IntRange(0, ops+1).Draw(t, "op")),
		Arg:    rapid.Uint64Range(0, 3).Draw(t, "arg"),
		Arg2:   rapid.Uint64Range(0, 3).Draw(t, "arg2"),
	}
}

func anyRet(t *rapid.T) Ret {
	return Ret{Val: rapid.Uint64Range(0, 3).Draw(t, "val"), OK: rapid.Bool().Draw(t, "ok")}
}

// TestLaws checks on random walks what the fields of Spec promise.
func TestLaws(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkLaws(t, s) })
		})
	}
}

func checkLaws(t *rapid.T, s Spec[any]) {
	state := s.Initial
	for range 20 {
		c := anyCall(t, len(s.Ops))
		answers := s.Completions(nil, state, c)
		if _, known := s.Signature(c.Op); !known && len(answers) > 0 {
			t.Fatalf("unknown operation %v may answer %v", c, answers)
		}
		for _, r := range answers {
			checkAnswer(t, s, state, c, r)
		}
		r := anyRet(t)
		if _, ok := s.Step(state, c, r); ok != contains(answers, r) {
			t.Fatalf("in %v, Step(%s) = %v, but the completions are %v",
				s.DescribeState(state), s.DescribeOp(c, r), ok, answers)
		}
		if len(answers) > 0 {
			state, _ = s.Step(state, c, answers[rapid.IntRange(0, len(answers)-1).Draw(t, "answer")])
		}
	}
}

// checkAnswer checks one of the answers that Completions gave.
func checkAnswer(t *rapid.T, s Spec[any], state any, c Call, r Ret) {
	next, ok := s.Step(state, c, r)
	again, _ := s.Step(state, c, r)
	sig, _ := s.Signature(c.Op)
	switch {
	case !ok:
		t.Fatalf("Step refuses the completion %s", s.DescribeOp(c, r))
	case next != again:
		t.Fatalf("%s leads to %v and to %v", s.DescribeOp(c, r), next, again)
	case s.Unchanging(c, r) && next != state:
		t.Fatalf("%s should change nothing, but turns %v into %v", s.DescribeOp(c, r), state, next)
	case !r.OK && sig.Failure == "":
		t.Fatalf("%s fails, which its signature rules out", s.DescribeOp(c, r))
	case r.Val != 0 && (sig.Value == NoValue || sig.Value == ValueIfOK && !r.OK):
		t.Fatalf("%s has a value, which its signature rules out", s.DescribeOp(c, r))
	}
}

func contains(answers []Ret, r Ret) bool {
	for _, a := range answers {
		if a == r {
			return true
		}
	}
	return false
}

// afterAppends is the state behind n appends of the first text.
func afterAppends(s Spec[KVState], n int) KVState {
	state := s.Initial
	for range n {
		state, _ = s.Step(state, Call{Op: KVAppend}, yes)
	}
	return state
}

func TestDescribe(t *testing.T) {
	var (
		register = Register(0)
		mutex    = Mutex()
		queue    = Queue()
		store    = KV("x", "")
	)
	for _, test := range []struct{ got, want string }{
		{register.DescribeOp(Call{Op: RegisterCAS, Arg: 1, Arg2: 2}, Ret{Val: 3}), "CAS(1, 2) = 3, refused"},
		{register.DescribeOp(Call{Op: RegisterCAS, Arg: 1, Arg2: 2}, Ret{Val: 1, OK: true}), "CAS(1, 2) = 1, ok"},
		{register.DescribeOp(Call{Op: RegisterRead}, Ret{OK: true}), "Read() = 0"},
		{register.DescribeOp(Call{Op: RegisterWrite, Arg: 7}, Ret{OK: true}), "Write(7)"},
		{register.DescribeOp(Call{Op: RegisterWrite, Arg: 7}, Ret{Val: 2}), "Write(7) = 2, failed"},
		{mutex.DescribeOp(Call{Op: MutexLock}, Ret{OK: true}), "Lock()"},
		{mutex.DescribeOp(Call{Op: MutexTryLock}, Ret{OK: true}), "TryLock() = ok"},
		{mutex.DescribeOp(Call{Op: MutexTryLock}, Ret{}), "TryLock() = busy"},
		{queue.DescribeOp(Call{Op: QueueDequeue}, Ret{}), "Dequeue() = empty"},
		{queue.DescribeOp(Call{Op: QueueDequeue}, Ret{Val: 5, OK: true}), "Dequeue() = 5"},
		{queue.DescribeCall(Call{Op: 9, Arg: 1}), "operation 9(1, 0)"},
		{queue.DescribeState(ListOf(1, 2)), "[1 2]"},
		{mutex.DescribeState(MutexState{}), "free"},
		{mutex.DescribeState(MutexState{true, 3}), "held by client 3"},
		{RWLock().DescribeState(RWLockState{Readers: ListOf(1, 2)}), "read by client 1 and client 2"},
		{RWLock().DescribeState(RWLockState{Written: true, Writer: 1}), "written by client 1"},
		{RWLock().DescribeState(RWLockState{}), "free"},
		{Counter(0).DescribeState(4), "4"},
		{CASRegister().DescribeState(CASRegisterState{}), "unset"},
		{CASRegister().DescribeState(CASRegisterState{true, 7}), "7"},
		{store.DescribeOp(Call{Op: KVGet}, Ret{Val: 1, OK: true}), `Get() = ""`},
		{store.DescribeOp(Call{Op: KVGet}, Ret{Val: 2, OK: true}), "Get() = another text"},
		{store.DescribeState(afterAppends(store, 2)), "a text with which none in the history begins"},
		{store.DescribeState(afterAppends(KVInFull(2, "x"), 2)), `"xx"`},
		{store.DescribeState(afterAppends(KVInFull(2, "x"), 3)), "a text with which none in the history begins"},
		{store.DescribeState(afterAppends(KVInFull(2, "x"), 4)), "a text with which none in the history begins"},
		{store.DescribeCall(Call{Op: KVAppend}), `Append("x")`},
		{store.DescribeCall(Call{Op: KVAppend, Arg: 3}), "Append(text 3 of 2)"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []uint64
		var got List
		for range 12 {
			place := rapid.IntRange(0, len(want)).Draw(t, "place")
			if place < len(want) && rapid.Bool().Draw(t, "remove") {
				want = append(want[:place:place], want[place+1:]...)
				got = got.Remove(place)
				continue
			}
			v := rapid.Uint64().Draw(t, "value")
			want = append(want[:place:place], append([]uint64{v}, want[place:]...)...)
			got = got.Insert(place, v)
		}
		if got != ListOf(want...) || got.Len() != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i, v := range want {
			if got.At(i) != v {
				t.Fatalf("value %d of %v is %d, want %d", i, got, got.At(i), v)
			}
		}
	})
}

func TestNames(t *testing.T) {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	want := []string{
		"cas register", "counter", "kv", "mutex", "pool", "queue", "register", "rwlock", "semaphore", "set",
		"stack", "weak mutex",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("All (-want +got):\n%s", diff)
	}
}
