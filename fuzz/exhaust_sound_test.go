package fuzz

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// What the searches once missed: each has a violation that both must find.
func TestSearchesMissNothing(t *testing.T) {
	for name, target := range map[string]Target{
		"behind many loads": storeBuffers(400),
		"bounded retries":   retries(),
		"a walker's loads":  walking(),
		"late handlers":     chosenLines(),
	} {
		for _, bounded := range []bool{false, true} {
			x := exhaust(t, target, ExhaustOptions{Bounded: bounded, Preemptions: 2, Workers: 2})
			if x.Finding == nil {
				t.Errorf("%s, bounded %t: not found in %s; %s", name, bounded, x.Claim(), x.Inconclusive())
			}
		}
	}
}

// storeBuffers has two CPUs look at so many words each, and then set a flag and
// look at the other's.
func storeBuffers(looks int) Target {
	return Target{Name: "store-buffers", Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		table, flags, seen := m.Alloc(8*uint64(looks)), m.Alloc(16), m.Alloc(16)
		return Program{
			Threads: Each(m, func(t *machine.Thread) {
				own := machine.VA(8 * t.CPU())
				for i := range looks {
					t.Load64(table + machine.VA(8*i))
				}
				t.Store64(flags+own, 1)
				t.Store64(seen+own, 1+t.Load64(flags+8-own))
			}),
			After: func() error {
				if m.Peek64(seen) == 2 && m.Peek64(seen+8) == 1 {
					return Want(1, 0)
				}
				return nil
			},
		}
	}}
}

// retries has CPUs look at a flag a few times before one of them sets it.
func retries() Target {
	return Target{Name: "retries", Platform: machine.Pairs(2), IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		flag, failed := m.Alloc(8), m.Alloc(8)
		return Program{
			Threads: Each(m, func(t *machine.Thread) {
				for try := 0; t.Load64(flag) == 0; try++ {
					if try == 5 {
						t.FetchAdd(failed, machine.Size64, 1, machine.Plain)
						break
					}
				}
				if t.CPU() == 0 {
					t.Store64(flag, 1)
				}
			}),
			After: func() error {
				if m.Peek64(failed) == 4 {
					return Want(4, 0)
				}
				return nil
			},
		}
	}}
}

// walking has a translator that looks into memory.
func walking() Target {
	return Target{Name: "walking", Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		a, b, table, seen := m.Alloc(8), m.Alloc(8), m.Alloc(8), m.Alloc(16)
		const virtual = 0x10
		m.Poke64(table, uint64(table))
		m.SetTranslator(1, func(t *machine.Thread, va machine.VA, _ bool) (machine.PA, bool) {
			if va == virtual {
				return machine.PA(t.Load64(table)), true
			}
			return machine.PA(va), true
		})
		return Program{
			Threads: []machine.Start{{CPU: 0, Body: func(t *machine.Thread) {
				t.Store64(a, 1)
				t.Store64(b, 1)
			}}, {CPU: 1, Body: func(t *machine.Thread) {
				t.Store64(seen, t.Load64(a))
				t.Load64(virtual)
				t.Store64(seen+8, t.Load64(b))
			}}},
			After: func() error {
				if m.Peek64(seen) == 1 && m.Peek64(seen+8) == 0 {
					return Want(1, 0)
				}
				return nil
			},
		}
	}}
}

// chosenLines has interrupt lines in some workloads only.
func chosenLines() Target {
	return Target{Name: "chosen-lines", Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		x := m.Alloc(8)
		if m.Choose("device", 2) == 1 {
			m.HandleAll(testVector, func(t *machine.Thread, _ *machine.Frame) { t.Store64(x, t.Load64(x)+1) })
			m.Raise(0, testVector)
		}
		return Program{
			Threads: Each(m, func(t *machine.Thread) { t.Store64(x, t.Load64(x)+1) }),
			After: func() error {
				if m.Peek64(x) == 3 {
					return Want(3, 2)
				}
				return nil
			},
		}
	}}
}

// Where a limit or a guess of the engine decides what can follow, all schedules
// of some order are not alike, and nothing is claimed.
func TestGuessesProveNothing(t *testing.T) {
	spin := Target{Name: "spin", Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		at := m.Alloc(8)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			if t.CPU() == 0 {
				t.Store64(at, 1)
			}
			for t.Load64(at) == 0 {
			}
		})}
	}}
	interrupts := chosenLines()
	interrupts.Limits.Interrupts = 1
	inner := interrupts.Setup
	interrupts.Setup = func(m *machine.Machine) Program {
		p := inner(m)
		p.After = nil
		m.HandleAll(testVector+1, func(*machine.Thread, *machine.Frame) {})
		m.Raise(0, testVector+1)
		m.Raise(1, testVector+1)
		return p
	}
	for want, target := range map[string]Target{"write the spin with Await": spin, "Limits.Interrupts": interrupts} {
		for _, bounded := range []bool{false, true} {
			x := exhaust(t, target, ExhaustOptions{Bounded: bounded, Preemptions: 1, Workers: 2})
			if x.Passed() || !strings.Contains(x.Inconclusive(), want) {
				t.Errorf("%s, bounded %t: %q", target.Name, bounded, x.Inconclusive())
			}
		}
	}
}

// What was decided in the top of the tree is in the claim, too, and it names the
// limits of the target.
func TestClaimNamesWhatWasCapped(t *testing.T) {
	target := impatient()
	target.Limits.Spurious = 1
	for _, bounded := range []bool{false, true} {
		for _, workers := range []int{1, 4} {
			x := exhaust(t, target, ExhaustOptions{Bounded: bounded, Workers: workers, All: true})
			if !strings.Contains(x.Claim(), "at most 1 spurious failure") {
				t.Errorf("bounded %t, %d workers: %s", bounded, workers, x.Claim())
			}
		}
	}
	if _, err := Exhaust(target, ExhaustOptions{Bounded: true, Preemptions: -1}); err == nil {
		t.Error("a bound of -1 preemptions is accepted")
	}
}
