package checkers_test

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// raceOf runs threads one after the other, in the order of their CPUs unless one
// has to wait, and answers what the judge says: empty if there is no race.
func raceOf(t *testing.T, p machine.Platform, setup func(m *machine.Machine) []func(*machine.Thread)) string {
	t.Helper()
	m, err := machine.New(p)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var d checkers.Races
	m.SetTracer(d.Observe)
	for range 2 { // the second run finds what the first one has left
		m.Begin(machine.Natural{}, machine.Limits{})
		d.Begin()
		starts := m.Starts(0)
		for cpu, body := range setup(m) {
			starts = append(starts, machine.Start{CPU: cpu, Body: body})
		}
		// A thread that nobody switches back to does not come to its end.
		if r := m.Run(starts...); r.Outcome != machine.Finished && r.Outcome != machine.Deadlock {
			t.Fatalf("%v: %s", r.Outcome, r.Detail)
		}
	}
	f := d.Fault(m)
	if f == nil {
		return ""
	}
	return f.Message
}

const w64 = machine.Size64

type (
	th = machine.Thread
	at = machine.VA
)

// Each program passes a message by way of a flag: x is written, the flag set,
// the flag awaited, x read.
var messages = map[string]struct {
	send, receive func(t *th, x, flag at)
	race          string // the message's end; empty for none
}{
	"release and acquire": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, "",
	},
	"release and acquire-pc": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Load(f, w64, machine.AcquirePC); t.Load64(x) }, "",
	},
	"missing release": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, "both are plain",
	},
	"missing acquire": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Load64(x) }, "both are plain",
	},
	"plain flag": {
		func(t *th, x, f at) { t.Store64(f, 1) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)) }, "the earlier one is plain",
	},
	"plain look": {
		func(t *th, x, f at) { t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Load64(f) }, "the later one is plain",
	},
	"intended by the writer": {
		func(t *th, x, f at) { t.Store(x, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Load64(x) }, "",
	},
	"intended by the reader": {
		func(t *th, x, f at) { t.Store64(x, 1) },
		func(t *th, x, f at) { t.Load(x, w64, machine.Relaxed) }, "",
	},
	"reads only": {
		func(t *th, x, f at) { t.Load64(x) },
		func(t *th, x, f at) { t.Load64(x) }, "",
	},
	"atomics only": {
		func(t *th, x, f at) { t.FetchAdd(x, w64, 1, machine.Plain) },
		func(t *th, x, f at) { t.Swap(x, w64, 1, machine.Plain) }, "",
	},
	"written, then released": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(x, w64, 2, machine.Release) },
		func(t *th, x, f at) { t.Await(machine.Until(x, 2)); t.Store64(x, 3) }, "",
	},
	"full fences": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Fence(machine.FullFence); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Fence(machine.FullFence); t.Load64(x) }, "",
	},
	"store fence, load fence": {
		func(t *th, x, f at) {
			t.Store64(x, 1)
			t.Fence(machine.StoreFence)
			t.Store(f, w64, 1, machine.Relaxed)
		},
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Fence(machine.LoadFence); t.Load64(x) }, "",
	},
	"store fence behind a read": {
		func(t *th, x, f at) { t.Load64(x); t.Fence(machine.StoreFence); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Store64(x, 1) }, "both are plain",
	},
	"full fence behind a read": {
		func(t *th, x, f at) { t.Load64(x); t.Fence(machine.FullFence); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Store64(x, 1) }, "",
	},
	"load fence where a store fence must be": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Fence(machine.LoadFence); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, "both are plain",
	},
	"store fence where a load fence must be": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Fence(machine.StoreFence); t.Load64(x) }, "both are plain",
	},
	"instruction fences": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Fence(machine.InstFence); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Fence(machine.InstFence); t.Load64(x) }, "both are plain",
	},
	"fence before the write": {
		func(t *th, x, f at) { t.Fence(machine.FullFence); t.Store64(x, 1); t.Store(f, w64, 1, machine.Relaxed) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, "both are plain",
	},
	"fence before the look": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Fence(machine.FullFence); t.Load(f, w64, machine.Relaxed); t.Load64(x) }, "both are plain",
	},
	"fence and a plain flag": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Fence(machine.FullFence); t.Store64(f, 1) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Relaxed); t.Fence(machine.FullFence); t.Load64(x) }, "both are plain",
	},
	"written behind the release": {
		func(t *th, x, f at) { t.Store(f, w64, 1, machine.Release); t.Store64(x, 1) },
		func(t *th, x, f at) { t.Await(machine.Until(f, 1)); t.Load64(x) }, "both are plain",
	},
	"swap that releases, swap that acquires": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Swap(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.Swap(f, w64, 2, machine.Acquire); t.Load64(x) }, "",
	},
	"swap that acquires where one must release": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Swap(f, w64, 1, machine.Acquire) },
		func(t *th, x, f at) { t.Swap(f, w64, 2, machine.AcqRel); t.Load64(x) }, "both are plain",
	},
	"swap that releases where one must acquire": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Swap(f, w64, 1, machine.AcqRel) },
		func(t *th, x, f at) { t.Swap(f, w64, 2, machine.Release); t.Load64(x) }, "both are plain",
	},
	"a failed compare-and-swap acquires": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
		func(t *th, x, f at) { t.CompareAndSwap(f, w64, 7, 8, machine.AcqRel); t.Load64(x) }, "",
	},
	"a failed compare-and-swap does not release": {
		func(t *th, x, f at) { t.Store64(x, 1); t.CompareAndSwap(f, w64, 7, 8, machine.AcqRel) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Acquire); t.Load64(x) }, "both are plain",
	},
	"a failed compare-and-swap does not write": {
		func(t *th, x, f at) { t.CompareAndSwap(x, w64, 7, 8, machine.AcqRel) },
		func(t *th, x, f at) { t.Load64(x) }, "",
	},
	"other bytes of the word": {
		func(t *th, x, f at) { t.Store(x, machine.Size16, 1, machine.Plain) },
		func(t *th, x, f at) { t.Store(x+2, machine.Size16, 1, machine.Plain); t.Load32(x + 4) }, "",
	},
	"some bytes of the word": {
		func(t *th, x, f at) { t.Store(x+2, machine.Size16, 1, machine.Plain) },
		func(t *th, x, f at) { t.Load32(x) }, "x+2, which P0 (x86-64) wrote before: nothing orders the two, and both are plain",
	},
	"released to other bytes": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f, machine.Size32, 1, machine.Release) },
		func(t *th, x, f at) { t.Load(f+4, machine.Size32, machine.Acquire); t.Load64(x) }, "both are plain",
	},
	"released to some of the bytes": {
		func(t *th, x, f at) { t.Store64(x, 1); t.Store(f+2, machine.Size16, 1, machine.Release) },
		func(t *th, x, f at) { t.Load(f, w64, machine.Acquire); t.Load64(x) }, "",
	},
	"overwritten in part": {
		func(t *th, x, f at) {
			t.Store64(x, 1)
			t.Store(f, w64, 1, machine.Release)
			t.Store(f, machine.Size32, 1, machine.Relaxed)
		},
		func(t *th, x, f at) { t.Load(f, machine.Size16, machine.Acquire); t.Load64(x) }, "both are plain",
	},
	"overwritten in another part": {
		func(t *th, x, f at) {
			t.Store64(x, 1)
			t.Store(f, w64, 1, machine.Release)
			t.Store(f, machine.Size32, 1, machine.Relaxed)
		},
		func(t *th, x, f at) { t.Load(f+4, machine.Size16, machine.Acquire); t.Load64(x) }, "",
	},
}

func TestRacesMessagePassing(t *testing.T) {
	for name, test := range messages {
		got := raceOf(t, machine.Pair(), func(m *machine.Machine) []func(*th) {
			x, flag := m.Alloc(8), m.Alloc(8)
			m.Label(x, 8, "x")
			return []func(*th){
				func(t *th) { test.send(t, x, flag) },
				func(t *th) { test.receive(t, x, flag) },
			}
		})
		if (got == "") != (test.race == "") || !strings.HasSuffix(got, test.race) {
			t.Errorf("%s: %q, want %q", name, got, test.race)
		}
	}
}
