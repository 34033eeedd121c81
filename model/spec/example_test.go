package spec_test

import (
	"fmt"

	"github.com/fusedos/stramash/model/spec"
)

// A specification answers whether an operation may have gone as recorded.
func ExampleMutex() {
	m := spec.Mutex()
	lock := spec.Call{Client: 1, Op: spec.MutexLock}
	held, _ := m.Step(m.Initial, lock, spec.Ret{OK: true})
	fmt.Println(m.DescribeState(held))

	_, legal := m.Step(held, spec.Call{Client: 2, Op: spec.MutexUnlock}, spec.Ret{OK: true})
	fmt.Println("unlock by client 2 is legal:", legal)
	// Output:
	// held by client 1
	// unlock by client 2 is legal: false
}

// Completions tells what an operation answers, which turns a specification
// into the oracle of a sequential test.
func ExampleSpec() {
	q := spec.Queue()
	state := q.Initial
	for _, c := range []spec.Call{
		{Op: spec.QueueEnqueue, Arg: 7},
		{Op: spec.QueueDequeue},
		{Op: spec.QueueDequeue},
	} {
		answer := q.Completions(nil, state, c)[0]
		state, _ = q.Step(state, c, answer)
		fmt.Println(q.DescribeOp(c, answer))
	}
	// Output:
	// Enqueue(7)
	// Dequeue() = 7
	// Dequeue() = empty
}

// A specification of one's own needs a state, names and one function.
func ExampleDeterministic() {
	const set, test spec.Op = 1, 2
	flag := spec.Deterministic("flag", false,
		[]spec.Signature{{Name: "Set"}, {Name: "Test", Failure: "clear", Reads: true}},
		func(s bool, c spec.Call) (bool, spec.Ret, bool) {
			if c.Op == set {
				return true, spec.Ret{OK: true}, true
			}
			return s, spec.Ret{OK: s}, c.Op == test
		})
	_, ok := flag.Step(flag.Initial, spec.Call{Op: test}, spec.Ret{OK: true})
	fmt.Println("a clear flag may test as set:", ok)
	// Output: a clear flag may test as set: false
}
