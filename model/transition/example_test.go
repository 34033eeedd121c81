package transition_test

import (
	"context"
	"fmt"

	"github.com/fusedos/stramash/model/transition"
)

// doors is a lock of two doors, which must not both be open. A state is two bytes: 1 is an
// open door.
type doors struct{ interlocked bool }

// Next opens a door that is shut, and shuts one that is open.
func (d doors) Next(state []byte, yield func(transition.Step, []byte, int)) {
	for i := range state {
		next := []byte{state[0], state[1]}
		next[i] = 1 - next[i]
		if next[i] == 0 || !d.interlocked || state[1-i] == 0 {
			yield(transition.Step(i), next, transition.NoProperty)
		}
	}
}

// Check is property 0, that not both are open.
func (d doors) Check(state []byte) int {
	if state[0] == 1 && state[1] == 1 {
		return 0
	}
	return transition.NoProperty
}

func (d doors) Quiescent(state []byte) bool { return state[0]+state[1] == 0 }
func (d doors) Canonical([]byte)            {}

// A model is its states as bytes, the steps between them, and what must hold.
func ExampleCheck() {
	for _, d := range []doors{{true}, {false}} {
		m := &transition.Model{
			Name: "doors", Size: 2, Initial: [][]byte{{0, 0}}, Properties: []string{"one door at a time"},
			NewWorker: func() transition.Worker { return d },
			StepName:  func(s transition.Step) string { return fmt.Sprintf("door %d moves", s) },
			Describe: func(s []byte) []transition.Part {
				word := [...]string{"shut", "open"}
				return []transition.Part{{Name: "door 0", Value: word[s[0]]}, {Name: "door 1", Value: word[s[1]]}}
			},
		}
		r, err := transition.Check(context.Background(), m, transition.Options{
			Workers: 2, Quiescence: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%v: %d states %q\n", r.Verdict, r.States, r.Property)
		for _, s := range r.Trace[min(1, len(r.Trace)):] {
			fmt.Println(s.Step, s.Changed)
		}
	}
	// Output:
	// holds: 3 states ""
	// violated: 4 states "one door at a time"
	// door 0 moves [{door 0 shut open}]
	// door 1 moves [{door 1 shut open}]
}
