package fuzz_test

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// A hunt finds a lost update, and shrinking leaves the one preemption that it
// takes. The same seed gives the same report everywhere.
func Example() {
	target := fuzz.Target{
		Name:     "lost-update",
		Platform: machine.Pair(),
		Setup: func(m *machine.Machine) fuzz.Program {
			counter := m.Alloc(8)
			m.Label(counter, 8, "counter")
			return fuzz.Program{
				Threads: fuzz.Each(m, func(t *machine.Thread) {
					t.Store64(counter, t.Load64(counter)+1)
				}),
				After: func() error { return fuzz.Want(m.Peek64(counter), 2) },
			}
		},
		IntendedRaces: true, // or the report is that nothing orders the accesses
	}
	summary, err := fuzz.Hunt(target, fuzz.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	small, err := fuzz.Shrink(target, summary.Finding, fuzz.ShrinkOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := small.Report(target, "replay it with %s", nil)
	for line := range strings.Lines(report) {
		fmt.Print(strings.TrimRight(line, " \n"), "\n")
	}
	fmt.Println("error:", err)
	// Output:
	// VIOLATION lost-update: final state
	// the final state is wrong: got 1, want 2
	//
	//  step  P0 x86-64             P1 aarch64
	//     1  load counter = 0x0                          example_test.go:22
	//     2                        load counter = 0x0    example_test.go:22
	//     3                        store counter := 0x1  example_test.go:22
	//     4  store counter := 0x1                        example_test.go:22
	//
	// choice  t0@1: move cpu1 (preemption)
	// cause   P0 load counter = 0x0 (example_test.go:22)  before  P1 store counter := 0x1 (example_test.go:22)
	//         with these two in the other order the run passes
	// found   run 0 of portfolio, seed 1; shrunk from 2 exceptions to 1 (1 preemption); no failing schedule has fewer preemptions (all 2 classes with fewer were explored)
	// replay  replay it with 'lost-update@v1:8arBkWauIkl_Pv9YAAJ0MAEBAQABiVfhgA'
	// error: <nil>
}
