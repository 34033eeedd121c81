package machine_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

func TestHeap(t *testing.T) {
	m := newMachine(t, machine.Pairs(2))
	for range 2 { // the second run finds an empty heap
		m.Begin(machine.Natural{}, machine.Limits{Steps: 1 << 20})
		first := m.Alloc(8)
		var mine, theirs machine.VA
		res := m.Run(machine.Start{CPU: 0, Body: func(th *machine.Thread) {
			mine = th.Alloc(20)
			a, b := th.Alloc(16), th.Alloc(1)
			if a%16 != 0 || b%16 != 0 || a < mine+32 || b < a+32 || mine <= first {
				t.Errorf("blocks at %#x, %#x, %#x", mine, a, b)
			}
			if got := m.NameAddr(a + 3); got != "block 0.1+3" {
				t.Error(got)
			}
			th.Free(b)
			th.Free(b) // nothing happens
			th.Free(0)
			// A block's memory comes back when 32 others were freed after it, and
			// for its own size.
			for i := range 40 {
				c := th.Alloc(16)
				if (c == b) != (i == 32) {
					t.Errorf("allocation %d: %#x, freed was %#x", i, c, b)
				}
				th.Free(c)
			}
			if c := th.Alloc(1 << 30); c != 0 {
				t.Errorf("1 GiB at %#x", c)
			}
			if th.Alloc(0) != 0 || th.Alloc(^uint64(0)) != 0 {
				t.Error("a block of no size")
			}
			for th.Alloc(1<<16) != 0 {
			}
		}}, machine.Start{CPU: 1, Body: func(th *machine.Thread) { theirs = th.Alloc(20); th.Free(theirs) }})
		if res.Outcome != machine.Finished || theirs <= mine || theirs >= 2<<20 {
			t.Fatalf("%v %s: %#x, %#x", res.Outcome, res.Detail, mine, theirs)
		}
		if n := m.Allocated(); n < 9 || n > 11 {
			t.Errorf("%d blocks are allocated", n)
		}
	}
}

// What two CPUs allocate does not depend on who is first, and frees of one block
// are ordered: runs are alike or not accordingly.
func TestHeapFingerprints(t *testing.T) {
	m := newPair(t)
	run := func(share bool, order ...int) machine.Result {
		var block [2]machine.VA
		m.Begin(turns(order), machine.Limits{})
		return m.Run(
			machine.Start{CPU: 0, Body: func(th *machine.Thread) { block[0] = th.Alloc(16); th.Free(block[0]) }},
			machine.Start{CPU: 1, Body: func(th *machine.Thread) {
				block[1] = th.Alloc(16)
				if share {
					th.Load64(block[0])
				}
			}})
	}
	if a, b := run(false, 0, 0, 1), run(false, 1, 0, 0); a.Fingerprint != b.Fingerprint || a.TraceHash == b.TraceHash {
		t.Error("independent allocations are ordered")
	}
	if a, b := run(true, 0, 0, 1, 1), run(true, 0, 1, 1, 0); a.Fingerprint == b.Fingerprint {
		t.Error("a free and an access are not ordered")
	}
}

// turns lets CPUs move in an order, and those that are left as they come.
type order struct{ cpus []int }

func turns(cpus []int) *order { return &order{cpus} }

func (o *order) Choose(c *machine.Choice) int {
	if c.Kind == machine.Move && len(o.cpus) > 0 {
		k := c.Find(uint32(machine.CPUAgent(o.cpus[0])))
		if o.cpus = o.cpus[1:]; k >= 0 {
			return k
		}
	}
	return int(c.Plain)
}
