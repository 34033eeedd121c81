package fuzz

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// translatedProgram is a random program on CPUs with MMUs.
type translatedProgram struct {
	platform machine.Platform
	threads  [][]string
	raised   []int // CPUs that an interrupt may land in, to read x and to forget its page
}

var translatedOps = []string{
	"vload x", "vload y", "vload x", "vstore x", "vstore y", "load x", "store x",
	"remap x", "clean x", "unmap x", "drop x", "drop all", "cast x", "sync", "root", "vawait x",
}

var translatedAwaits = append([]string{"vawait x", "vawait x", "vawait x", "drop x", "cast x", "drop all", "remap x", "remap x"}, translatedOps...)

var translatedWaits = append([]string{"vwait x", "vwait x", "vwait y", "sync", "sync", "drop x", "cast x", "remap x"}, translatedOps...)

func drawTranslated(r *Rand, ops []string) *translatedProgram {
	p := &translatedProgram{}
	switch r.Below(3) {
	case 0:
		p.platform.Nodes = []machine.Node{{ISA: machine.X86, CPUs: 1}, {ISA: machine.AArch64, CPUs: 1}}
	case 1:
		p.platform.Nodes = []machine.Node{{ISA: machine.AArch64, CPUs: 2}}
	case 2:
		p.platform.Nodes = []machine.Node{{ISA: machine.X86, CPUs: 2}}
	}
	for range 2 {
		var t []string
		for range 1 + r.Below(3) {
			t = append(t, ops[r.Below(len(ops))])
		}
		p.threads = append(p.threads, t)
	}
	return p
}

func (p *translatedProgram) String() string {
	var b strings.Builder
	for i, t := range p.threads {
		fmt.Fprintf(&b, "%s: %s\n", p.platform.Nodes[i%len(p.platform.Nodes)].ISA.Name, strings.Join(t, "; "))
	}
	if len(p.raised) > 0 {
		fmt.Fprintf(&b, "raised %v\n", p.raised)
	}
	return b.String()
}

// target has pages 0x10 and 0x20 map x and y.
func (p *translatedProgram) target() Target {
	return Target{
		Name: "translated", Platform: p.platform, IntendedRaces: true,
		Limits: machine.Limits{Steps: 400, FairSteps: 400, Interrupts: 1, Spurious: 1, Evictions: 1, Polls: -1},
		Setup: func(m *machine.Machine) Program {
			table, x := m.Alloc(64), m.Alloc(64)
			format := machine.Pages{Levels: 1, Bits: 2, Bytes: 4}
			m.Poke64(table+8, uint64(x)|machine.PagePresent|machine.PageWrite|machine.PageAccessed)
			m.Poke64(table+16, uint64(x+16)|machine.PagePresent)
			m.HandleAll(machine.VectorFault, func(t *machine.Thread, f *machine.Frame) {
				t.Store64(table+f.Addr/16*8, uint64(x)+uint64(f.Addr&^15)-16|machine.PagePresent|machine.PageWrite|machine.PageAccessed)
				if f.Present && t.ISA().TLBI {
					t.InvalidatePage(f.Addr)
					t.Fence(machine.SyncFence)
				}
			})
			for cpu := range m.CPUs() {
				m.SetMMU(cpu, machine.MMU{Format: format, To: 0x40, Sets: 1, Ways: 1 + cpu})
				m.SetRoot(cpu, machine.PA(table))
			}
			m.HandleAll(testVector, func(t *machine.Thread, _ *machine.Frame) {
				t.Load64(x)
				doTranslated(t, "cast x", table, x)
			})
			for _, c := range p.raised {
				m.Raise(c, testVector)
			}
			return Program{Threads: Some(m, 2, func(t *machine.Thread) {
				for _, op := range p.threads[t.CPU()] {
					doTranslated(t, op, table, x)
				}
			})}
		},
	}
}

func doTranslated(t *machine.Thread, op string, table, x machine.VA) {
	va, entry := machine.VA(0x10), table+8
	if strings.HasSuffix(op, "y") {
		va, entry = 0x20, table+16
	}
	word, _, _ := strings.Cut(op, " ")
	switch word {
	case "vload":
		t.Load64(va)
	case "vstore":
		t.Store64(va, uint64(t.CPU())+1)
	case "vwait":
		t.Await(machine.While(va, 0))
	case "vawait":
		t.AwaitTimeout(machine.While(va, 0))
	case "load":
		t.Load64(x)
	case "store":
		t.Store64(x, 7)
	case "remap":
		t.Store64(entry, uint64(x+32)|machine.PagePresent|machine.PageWrite)
	case "clean":
		if t.ISA().RMW {
			t.AtomicAnd(entry, machine.Size64, ^machine.PageDirty, machine.Plain)
		}
	case "unmap":
		t.Store64(entry, 0)
	case "drop":
		if strings.HasSuffix(op, "all") {
			t.InvalidateAll()
		} else {
			t.InvalidatePage(va)
		}
	case "cast":
		if t.ISA().TLBI {
			t.BroadcastPage(va)
		} else {
			t.InvalidatePage(va)
		}
	case "sync":
		t.Fence(machine.SyncFence)
	case "root":
		t.SetRoot(machine.PA(table))
	}
}

// TestExhaustTranslated is TestExhaustAgreesWithEnumeration for programs whose
// addresses are translated.
func TestExhaustTranslated(t *testing.T) {
	programs := 200
	if testing.Short() {
		programs = 15
	}
	for o := machine.SC; o <= machine.Native; o++ {
		for name, ops := range map[string][]string{"plain": translatedOps, "awaits": translatedAwaits, "interrupts": translatedWaits} {
			t.Run(name+"/"+o.String(), func(t *testing.T) { agreeTranslated(t, ops, o, programs, name == "interrupts") })
		}
	}
}

func agreeTranslated(t *testing.T, ops []string, o machine.MemoryOrder, programs int, interrupts bool) {
	done, classes := 0, 0
	for seed := range uint64(programs) {
		r := NewRand(seed, 79)
		p := drawTranslated(&r, ops)
		if interrupts {
			p.raised = []int{r.Below(2)}
		}
		target := p.target().Under(o)
		want, _, ok := enumerate(t, target, -1, 6000)
		if !ok {
			continue
		}
		done, classes = done+1, classes+len(want)
		agree(t, fmt.Sprintf("seed %d: %s", seed, p), target, want)
		if seed%4 > 0 {
			continue
		}
		want, _, _ = enumerate(t, target, 1, 6000)
		if x := exhaust(t, target, ExhaustOptions{Bounded: true, Preemptions: 1}); x.Finding == nil && x.Guessed == "" && x.Classes != uint64(len(want)) {
			t.Errorf("seed %d: %s: %d classes with a preemption at most, want %d", seed, p, x.Classes, len(want))
		}
	}
	t.Logf("%d programs with %d classes", done, classes)
	if done < programs/4 || classes < 2*done {
		t.Errorf("only %d programs compared, with %d classes", done, classes)
	}
}
