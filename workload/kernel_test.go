package workload_test

import (
	"flag"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// patient are limits that let a run have as many steps as it likes.
var patient = machine.Limits{Steps: 1 << 60, Spins: 1 << 40}

// pair makes a machine of two nodes with memory for a kernel.
func pair(tb testing.TB, memory uint64, hardware func(machine.Platform) *machine.Hardware) *machine.Machine {
	tb.Helper()
	p := machine.Pair()
	for i := range p.Nodes {
		p.Nodes[i].Memory = (memory + 1<<20) &^ 4095
	}
	if hardware != nil {
		p.Hardware = hardware(p)
	}
	m, err := machine.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(m.Close)
	return m
}

// alone begins an untimed run, which one thread can have for itself.
func alone(tb testing.TB, memory uint64) *machine.Machine {
	m := pair(tb, memory, nil)
	m.Begin(machine.Natural{}, patient)
	return m
}

// timed begins a timed run.
func timed(tb testing.TB, memory uint64) *machine.Machine {
	m := pair(tb, memory, machine.PaperHardware)
	m.Begin(machine.Earliest{}, machine.Limits{})
	return m
}

var className = flag.String("class", "S", "the class of TestKernelsVerify: S, W (a minute) or A (ten)")

// digests are what the arrays hold in the end, to the bit.
var digests = map[workload.Class]map[string]uint64{
	workload.S: {"IS": 0x9f93b930f705f66a, "CG": 0x6406a4958d11a690, "MG": 0x92043dd9fb36f43, "FT": 0xc9927d15ba820b05},
	workload.W: {"IS": 0x5f7431d14b5b75d7, "CG": 0xb5da2d3c863ddebd, "MG": 0x9f30d52a9dadc2af, "FT": 0x4365e386401d3adf},
	workload.A: {"IS": 0x531f9e16da987da6, "CG": 0xaf565d71a670b517, "MG": 0xd4170231fcc181ce, "FT": 0x7cc9c51fd461202f},
}

func TestKernelsVerify(t *testing.T) {
	class, err := workload.ParseClass(*className)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range workload.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			m := timed(t, k.Memory(class))
			body, result := k.Program(m, class, workload.Options{})
			if result.Verified {
				t.Fatal("verified before it has run")
			}
			run := m.Run(machine.Start{CPU: 0, Body: body})
			if run.Outcome != machine.Finished || !result.Verified {
				t.Errorf("%v %s: %+v", run.Outcome, run.Detail, *result)
			}
			if result.Digest != digests[class][k.Name] {
				t.Errorf("the digest is %#x, want %#x", result.Digest, digests[class][k.Name])
			}
			t.Logf("%d steps, guessed %q: %+v", run.Steps, run.Guessed, *result)
		})
	}
}

// A kernel that finds one wrong element does not verify: one bit of one array is
// flipped between two procedures. What the official checks cannot see, the digest
// does.
func TestWrongElementsFail(t *testing.T) {
	type wrong struct {
		kernel string
		array  int // in the order of allocation
		offset uint64
		flip   uint64
		phase  int
	}
	const sign = 1 << 63
	for _, w := range []wrong{
		{"IS", 0, 4 * 1000, 1 << 10, 4},         // a key
		{"IS", 1, 4 * 1000, 1, 19},              // a key in its bucket, before the full check
		{"IS", 2, 4 * 1000, 1, 19},              // a count
		{"CG", 8, 8 * 100, 1 << 45, 29},         // the answer of the last solver
		{"MG", 0, 8 * 12345, sign, 0},           // the right side
		{"MG", 12, 8 * 12345, sign, 7},          // the solution, after its last use
		{"FT", 2, 8 * (65*65 + 56), 1 << 52, 3}, // a twiddle factor that the checksum sees
	} {
		k, err := workload.ByName(w.kernel)
		if err != nil {
			t.Fatal(err)
		}
		m := timed(t, k.Memory(workload.S))
		var arrays []machine.VA
		flipped := false
		body, result := k.Program(m, workload.S, workload.Options{
			Alloc: func(n uint64) machine.VA {
				arrays = append(arrays, m.Alloc(n))
				return arrays[len(arrays)-1]
			},
			Move: func(th *machine.Thread, phase int) {
				if phase == w.phase {
					at := (arrays[w.array] + machine.VA(w.offset)) &^ 7
					flip := w.flip << (w.offset % 8 * 8)
					if old := th.Load64(at); old == 0 {
						flip = 0x3ff << 52 // of a zero the sign is no error
						th.Store64(at, old|flip)
					} else {
						th.Store64(at, old^flip)
					}
					flipped = true
				}
			},
		})
		run := m.Run(machine.Start{CPU: 0, Body: body})
		if !flipped || run.Outcome != machine.Finished {
			t.Errorf("%+v: flipped %t, %v %s", w, flipped, run.Outcome, run.Detail)
		}
		if unseen := w.kernel == "MG" && w.array == 12; result.Verified != unseen {
			t.Errorf("%+v: verified %t: %+v", w, result.Verified, *result)
		}
		if result.Digest == digests[workload.S][w.kernel] {
			t.Errorf("%+v: the digest is the same", w)
		}
	}
}

// What CPUs do to memory does not matter to a kernel that finds garbage where an
// index should be: the run ends with a violation.
func TestGarbageEndsTheRun(t *testing.T) {
	k, _ := workload.ByName("IS")
	m := alone(t, k.Memory(workload.S))
	var keys machine.VA
	body, result := k.Program(m, workload.S, workload.Options{
		Alloc: func(n uint64) machine.VA {
			at := m.Alloc(n)
			if keys == 0 {
				keys = at
			}
			return at
		},
		Move: func(t *machine.Thread, phase int) { t.Store32(keys+4000, 1<<31) },
	})
	if run := m.Run(machine.Start{CPU: 0, Body: body}); run.Outcome != machine.Panicked || result.Verified {
		t.Errorf("%v %s: %+v", run.Outcome, run.Detail, *result)
	}
}

// counter counts the accesses of the timed part.
type counter struct {
	on            bool
	loads, stores int
}

func (c *counter) count(e *machine.Event) {
	switch {
	case !c.on:
	case e.Op.Kind == machine.OpLoad:
		c.loads++
	case e.Op.Kind == machine.OpStore:
		c.stores++
	}
}

func (c *counter) options() workload.Options {
	return workload.Options{
		Started: func(*machine.Thread) { c.on = true },
		Stopped: func(*machine.Thread) { c.on = false },
	}
}

// The references of IS are those of its definition: for n keys of k values in b
// buckets.
func TestReferences(t *testing.T) {
	k, _ := workload.ByName("IS")
	m := alone(t, k.Memory(workload.S))
	c := &counter{}
	m.SetTracer(c.count)
	m.Begin(machine.Natural{}, patient)
	body, result := k.Program(m, workload.S, c.options())
	m.Run(machine.Start{CPU: 0, Body: body})
	const n, keys, buckets = 1 << 16, 1 << 11, 1 << 9
	loads := 10 * (5 + 2*n + (buckets - 1) + 2*n + 2*n + keys + 5)
	stores := 10 * (2 + buckets + n + buckets + 2*n + keys + n + keys - 1)
	// Of the five test keys of class S, the ranks of all are checked.
	if !result.Verified || c.loads != loads || c.stores != stores {
		t.Errorf("%d loads and %d stores, want %d and %d: %+v", c.loads, c.stores, loads, stores, *result)
	}
}

func TestNames(t *testing.T) {
	for _, k := range workload.Kernels() {
		if got, err := workload.ByName(k.Name); err != nil || got.Name != k.Name || got.About == "" {
			t.Errorf("ByName(%q): %v %v", k.Name, got.Name, err)
		}
	}
	for _, c := range workload.Classes() {
		if got, err := workload.ParseClass(c.String()); err != nil || got != c {
			t.Errorf("ParseClass(%q): %v %v", c, got, err)
		}
	}
	_, err := workload.ByName("EP")
	if want := `no kernel is called "EP": use one of IS CG MG FT`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = workload.ParseClass("B")
	if want := `no class is called "B": use S, W or A`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
