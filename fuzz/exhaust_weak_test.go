package fuzz

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// TestExhaustUnderWeakOrders is TestExhaustAgreesWithEnumeration under the weak
// memory orders, for shorter programs: there are more runs of each.
func TestExhaustUnderWeakOrders(t *testing.T) {
	programs := 300
	if testing.Short() {
		programs = 25
	}
	for name, ops := range map[string][]string{
		"plain":      slices.Concat(plainOps, orderedOps),
		"awaits":     slices.Concat(plainOps, awaitOps, awaitOps, orderedOps),
		"exclusives": slices.Concat(plainOps, exclusiveOps),
		"interrupts": slices.Concat(plainOps, orderedOps, interruptOps),
	} {
		for o := machine.TSO; o <= machine.Native; o++ {
			t.Run(name+"/"+o.String(), func(t *testing.T) {
				done, classes := 0, 0
				for seed := range uint64(programs) {
					r := NewRand(seed, 78)
					p := draw(&r, ops, name == "interrupts")
					for i := range p.threads {
						p.threads[i] = p.threads[i][:min(len(p.threads[i]), 3)]
					}
					target := p.target().Under(o)
					want, _, ok := enumerate(t, target, -1, 6000)
					if !ok {
						continue
					}
					done, classes = done+1, classes+len(want)
					agree(t, fmt.Sprintf("seed %d: %s", seed, p), target, want)
				}
				if done < programs/4 || classes < 2*done {
					t.Errorf("only %d programs compared, with %d classes", done, classes)
				}
			})
		}
	}
}
