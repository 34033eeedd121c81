package machine_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// outcomes runs two AArch64 threads at random under native, and counts what they
// leave in out.
func outcomes(t *testing.T, runs uint64, setup func(m *machine.Machine, x, y, z, out machine.VA) []machine.Start) map[uint64]int {
	t.Helper()
	m := newMachine(t, machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 2}}, Order: machine.Native})
	seen := map[uint64]int{}
	for seed := range runs {
		m.Begin(newRandom(seed), machine.Limits{})
		x, y, z, out := m.Alloc(64), m.Alloc(64), m.Alloc(64), m.Alloc(64)
		if r := m.Run(setup(m, x, y, z, out)...); r.Outcome != machine.Finished {
			t.Fatalf("seed %d: %v: %s", seed, r.Outcome, r.Detail)
		}
		seen[m.Peek64(out)]++
	}
	return seen
}

// message is the writer of a message behind a full fence; it then reads elsewhere.
func message(x, y, z machine.VA) func(*machine.Thread) {
	return func(t *machine.Thread) {
		t.Store64(x, 1)
		t.Fence(machine.FullFence)
		t.Store64(y, 1)
		t.Load64(z + 8)
	}
}

// TestDependencies: an address dependency orders two loads, whatever the thread, its
// translator, or another CPU does between them; without it they are not ordered.
func TestDependencies(t *testing.T) {
	const broken = 1 << 8 // the flag was seen to be 1, and the message to be 0
	for name, c := range map[string]struct {
		between func(t *machine.Thread, z machine.VA)
		depends bool
		walks   bool
	}{
		"no dependency":           {func(*machine.Thread, machine.VA) {}, false, false},
		"at once":                 {func(*machine.Thread, machine.VA) {}, true, false},
		"behind a store":          {func(t *machine.Thread, z machine.VA) { t.Store64(z, 7) }, true, false},
		"behind a fence":          {func(t *machine.Thread, _ machine.VA) { t.Fence(machine.StoreFence) }, true, false},
		"a translator that walks": {func(*machine.Thread, machine.VA) {}, true, true},
	} {
		seen := outcomes(t, 4000, func(m *machine.Machine, x, y, z, out machine.VA) []machine.Start {
			if c.walks {
				m.SetTranslator(1, func(t *machine.Thread, va machine.VA, _ bool) (machine.PA, bool) {
					if va == x { // its own accesses are translated, too
						t.Load64(z + 16)
					}
					return machine.PA(va), true
				})
			}
			return []machine.Start{{CPU: 0, Body: message(x, y, z)}, {CPU: 1, Body: func(t *machine.Thread) {
				flag := t.Load64(y)
				c.between(t, z)
				if c.depends {
					t.Address(t.Read())
				}
				got := t.Load64(x)
				t.Store64(out, flag<<8|got)
			}}}
		})
		if (seen[broken] > 0) == c.depends {
			t.Errorf("%s: broken in %d of 4000 runs", name, seen[broken])
		}
	}
}

// TestReadBelongsToTheRun: before a thread's first load there is nothing to depend on,
// whatever the machine has run before.
func TestReadBelongsToTheRun(t *testing.T) {
	m := newMachine(t, machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 2}}, Order: machine.Native})
	for range 2 {
		m.Begin(machine.Natural{}, machine.Limits{})
		x := m.Alloc(64)
		r := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) { t.Store64(x, 1) }}, machine.Start{CPU: 1, Body: func(t *machine.Thread) {
			if d := t.Read(); d != 0 {
				panic("depends on an earlier run")
			}
			t.Await(machine.Until(x, 1))
			if t.Read() == 0 {
				panic("depends on nothing")
			}
		}})
		if r.Outcome != machine.Finished {
			t.Error(r.Detail)
		}
	}
}

// TestTranslatorWaitsInAwait: a translator of an Await may have to wait for the store
// buffer itself.
func TestTranslatorWaitsInAwait(t *testing.T) {
	for name, hold := range map[string]func(t *machine.Thread, z machine.VA){
		"acquire behind a release": func(t *machine.Thread, z machine.VA) { t.Store(z, machine.Size64, 1, machine.Release) },
		"part of a word held back": func(t *machine.Thread, z machine.VA) { t.Store32(z+8, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			outcomes(t, 500, func(m *machine.Machine, x, y, z, out machine.VA) []machine.Start {
				m.SetTranslator(1, func(t *machine.Thread, va machine.VA, _ bool) (machine.PA, bool) {
					if va == y {
						t.Load(z+8, machine.Size64, machine.Acquire)
					}
					return machine.PA(va), true
				})
				return []machine.Start{{CPU: 0, Body: message(x, y, z)}, {CPU: 1, Body: func(t *machine.Thread) {
					hold(t, z)
					t.Await(machine.Until(y, 1))
				}}}
			})
		})
	}
}
