package fuzz

import (
	"fmt"
	"slices"
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

// parseProgram reads a program as smallProgram.String writes it, but for the line of the
// handler: "raised CPU: what it does", or "timer: what it does" if no line is raised.
func parseProgram(text string) *smallProgram {
	p := &smallProgram{handler: []int{}, ops: append(slices.Clone(mixedOps), "swap y")}
	for _, line := range strings.Split(text, " | ") {
		who, what, _ := strings.Cut(line, ":")
		at, all := &p.handler, &plainOps
		if cpu, ok := strings.CutPrefix(who, "raised "); ok {
			p.raised = append(p.raised, int(cpu[0]-'0'))
		} else if who != "timer" {
			isas := map[string]machine.ISA{"x86": machine.X86, "arm": machine.AArch64, "llsc": machine.AArch64LLSC}
			p.platform.Nodes = append(p.platform.Nodes, machine.Node{ISA: isas[who], CPUs: 1})
			p.threads = append(p.threads, nil)
			at, all = &p.threads[len(p.threads)-1], &p.ops
		}
		for _, op := range strings.FieldsFunc(what, func(r rune) bool { return r == ';' }) {
			if op = strings.TrimSpace(op); !slices.Contains(*all, op) {
				panic("no operation of " + text + " is " + op)
			}
			*at = append(*at, slices.Index(*all, op))
		}
	}
	return p
}

// mixedOps is everything.
var mixedOps = slices.Concat(plainOps, awaitOps, exclusiveOps, recordOps, orderedOps, interruptOps, interruptOps)

// TestExhaustMixed compares the search with enumeration for programs in which interrupts
// meet all else: those of which classes were once missed, and random ones.
func TestExhaustMixed(t *testing.T) {
	for _, text := range []string{
		// An interrupt that lands in a CPU that awaits goes ahead of what would let it go on.
		"arm: wait x | arm: store y | arm: release x; full | raised 0: cas y",
		// Somebody awaits in vain in a run that is given up.
		"x86: | x86: await y | llsc: stores; await x | raised 0: cas x",
		"arm: choose | x86: arm | arm: full; await x | timer: cas x",
		// What sleeps is woken by what comes before a step that was not made: by the order
		// of writes, and by a record.
		"x86: | arm: cas y; load x | x86: store y | raised 0: add y; store x",
		"x86: await y; acquired | llsc: load x; load x | x86: return | raised 1: store y",
		// A store that is held back has an await time out.
		"x86: | llsc: release y; timeout x | raised 1: store x",
		// A handler holds back what the operation that it interrupted has to wait for.
		"arm: send0; ldx x; stx x | raised 0: store x",
		// A look in vain has seen the conditions before the one that it read.
		"x86: release y; store x; load p; any | x86: swap y; release x; stores | raised 0: load y",
		// An exclusive fails, and nobody has read the word since its last write.
		"arm: ldx x; store x; stx x",
	} {
		p := parseProgram(text)
		for o := machine.SC; o <= machine.Native; o++ {
			want, _, ok := enumerate(t, p.target().Under(o), -1, 10000)
			if !ok {
				t.Fatalf("%v: %s: too many runs", o, text)
			}
			agree(t, fmt.Sprintf("%v: %s", o, text), p.target().Under(o), want)
		}
	}
	want, _, _ := enumerate(t, timers(), -1, 10000)
	agree(t, "timers", timers(), want)
	for o := machine.SC; o <= machine.Native; o++ {
		t.Run(o.String(), func(t *testing.T) { agreeMixed(t, o) })
	}
}

func agreeMixed(t *testing.T, o machine.MemoryOrder) {
	programs := 300
	if testing.Short() {
		programs = 40
	}
	done, classes := 0, 0
	for seed := range uint64(programs) {
		r := NewRand(seed, 81)
		p := draw(&r, mixedOps, true)
		for i := range p.threads {
			p.threads[i] = p.threads[i][:min(len(p.threads[i]), 3)]
		}
		want, _, ok := enumerate(t, p.target().Under(o), -1, 1000)
		if !ok {
			continue
		}
		done, classes = done+1, classes+len(want)
		agree(t, fmt.Sprintf("seed %d: %s", seed, p), p.target().Under(o), want)
	}
	if done < programs/3 || classes < 2*done {
		t.Errorf("only %d programs compared, with %d classes", done, classes)
	}
}

// timers has the handlers of two CPUs be the first to write what one of them awaits.
func timers() Target {
	return Target{Name: "timers", Platform: machine.Platform{Nodes: []machine.Node{{ISA: machine.X86, CPUs: 2}}}, IntendedRaces: true, Setup: func(m *machine.Machine) Program {
		x := m.Alloc(8)
		h := func(t *machine.Thread, _ *machine.Frame) {
			t.CompareAndSwap(x, machine.Size64, 0, uint64(t.CPU())+1, machine.Plain)
		}
		m.HandleAll(testVector, h)
		m.HandleAll(machine.VectorTimer, h)
		m.Raise(0, testVector)
		return Program{Threads: Each(m, func(t *machine.Thread) {
			if t.CPU() == 0 {
				t.Await(machine.While(x, 0))
			} else {
				t.ArmTimer()
			}
		})}
	}}
}
