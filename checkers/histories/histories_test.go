package histories_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/checkers/histories"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

const object machine.VA = 0x40

// A queue loses the order of two values.
func Example() {
	rng := rand.New(rand.NewPCG(1, 2))
	queue := spec.Queue()
	h := histories.Obeying(rng.IntN, queue.Erase(), histories.Shape{
		Object: object, Clients: 8, Operations: 100_000, Duration: 100, Think: 20,
	})
	judge := checkers.Linearizable(queue)
	v := judge.Check(h)
	fmt.Println(len(h), "records:", v.Violation == nil, "says the", v.By)
	// Output: 200000 records: true says the monitor
}

// What obeys a specification is linearizable, complete but for what may stay
// open, and the same for the same choices.
func TestObeying(t *testing.T) {
	for i, s := range append(spec.All(), spec.Semaphore(2).Erase()) {
		make := func() machine.History {
			rng := rand.New(rand.NewPCG(uint64(i), 1))
			return histories.Obeying(rng.IntN, s, histories.Shape{
				Object: object, Clients: 3, Operations: 60, Duration: 10, Think: 5, Open: 2,
			})
		}
		h := make()
		if v := checkers.LinearizableWithin(1<<22, s).Check(h); v.Violation != nil || v.Unknown != "" {
			t.Errorf("%s: got %+v", s.Name, v)
		}
		if !slices.Equal(h, make()) {
			t.Errorf("%s: another history from the same choices", s.Name)
		}
		calls, open := 0, 0
		for _, r := range h {
			if r.Kind == machine.CallRecord {
				calls++
				open++
			} else {
				open--
			}
		}
		if (calls < 60 || open > 3) && !(s.Kind == spec.SemaphoreKind && s.Initial == uint64(0)) {
			t.Errorf("%s: %d calls, %d of them open", s.Name, calls, open)
		}
	}
}

// Spoilt histories stay well formed, and many are wrong.
func TestShort(t *testing.T) {
	for i, s := range spec.All() {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		judge := checkers.LinearizableWithin(1<<22, s)
		wrong := 0
		for range 200 {
			v := judge.Check(histories.Short(rng.IntN, s, object))
			switch {
			case v.Violation == nil:
			case v.Violation.Rule != "linearizability":
				t.Fatalf("%s: %+v", s.Name, *v.Violation)
			default:
				wrong++
			}
		}
		if wrong < 20 || wrong > 180 {
			t.Errorf("%s: %d of 200 are wrong", s.Name, wrong)
		}
	}
}
