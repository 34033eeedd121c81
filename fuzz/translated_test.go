package fuzz

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// seen is a target whose runs are told apart by what the program sees and leaves.
func (p *smallProgram) seen(translated bool, outcomes map[string]bool) Target {
	t := p.target()
	t.IntendedRaces = true
	t.Setup = func(m *machine.Machine) Program {
		at := m.Alloc(256)
		x, y, pq := at, at+64, at+128
		if translated {
			x, y, pq = 0x40, 0x80, 0xc0
			for cpu := range m.CPUs() {
				m.SetMMU(cpu, machine.MMU{Format: machine.Pages{Levels: 2, Bits: 1, Bytes: 6}, To: 0x100, Sets: 1, Ways: 1 << (cpu % 2)})
				m.SetRoot(cpu, machine.PA(constantTables(m, at)))
			}
		}
		reads := make([][]uint64, len(p.threads))
		return Program{
			Threads: Some(m, len(p.threads), func(t *machine.Thread) {
				for _, op := range p.threads[t.CPU()] {
					reads[t.CPU()] = append(reads[t.CPU()], doSeen(t, p.ops[op], x, y, pq))
				}
			}),
			After: func() error {
				s := fmt.Sprint(reads)
				for off := machine.VA(0); off < 192; off += 8 {
					s += fmt.Sprint(" ", m.Peek64(at+off))
				}
				outcomes[s] = true
				return nil
			},
		}
	}
	return t
}

// constantTables has pages 0x40, 0x80 and 0xc0 be the three lines at an address. Nothing
// is left to mark.
func constantTables(m *machine.Machine, at machine.VA) machine.VA {
	const flags = machine.PagePresent | machine.PageWrite | machine.PageAccessed | machine.PageDirty
	root := m.Alloc(48)
	m.Poke64(root, uint64(root+16)|flags)
	m.Poke64(root+8, uint64(root+32)|flags)
	m.Poke64(root+24, uint64(at)|flags)
	m.Poke64(root+32, uint64(at+64)|flags)
	m.Poke64(root+40, uint64(at+128)|flags)
	return root
}

var seenOps = []string{"load x", "load y", "store x", "store y", "swap x", "add y", "load p", "store q", "await x"}

// doSeen is do for an operation of which it answers what it has read.
func doSeen(t *machine.Thread, op string, x, y, pq machine.VA) uint64 {
	at := map[byte]machine.VA{'x': x, 'y': y, 'p': pq, 'q': pq + 8}[op[len(op)-1]]
	switch word, _, _ := strings.Cut(op, " "); {
	case word == "load":
		return t.Load64(at)
	case word == "await":
		_, v, ok := t.AwaitTimeout(machine.While(at, 0))
		return v + 100*one(ok)
	case word == "swap" && t.ISA().RMW:
		return t.Swap(at, machine.Size64, 5, machine.Plain)
	case word == "add" && t.ISA().RMW:
		return t.FetchAdd(at, machine.Size64, 1, machine.Plain)
	}
	t.Store64(at, uint64(t.CPU())+1)
	return 0
}

// TestTranslationChangesNothing: where no table changes, and nothing is left to mark,
// a program can see and leave under translation what it can without.
func TestTranslationChangesNothing(t *testing.T) {
	programs := 150
	if testing.Short() {
		programs = 30
	}
	for o := machine.SC; o <= machine.Native; o++ {
		compared, several := 0, 0
		for seed := range uint64(programs) {
			r := NewRand(seed, 80)
			p := draw(&r, seenOps, false)
			for i := range p.threads {
				p.threads[i] = p.threads[i][:min(len(p.threads[i]), 5-len(p.threads))]
			}
			var out [2]map[string]bool
			for i := range out {
				out[i] = map[string]bool{}
				target := p.seen(i == 1, out[i]).Under(o)
				target.Limits.Evictions = -1 + 2*int(seed%2)
				if x := exhaust(t, target, ExhaustOptions{Runs: 20000}); x.Stopped || x.Finding != nil {
					out[i] = nil
				}
			}
			if out[0] == nil || out[1] == nil {
				continue
			}
			compared++
			if len(out[0]) > 1 {
				several++
			}
			if !maps.Equal(out[0], out[1]) {
				t.Errorf("%s, seed %d: %s\nwithout translation: %q\nwith it: %q", o, seed, p,
					slices.Sorted(maps.Keys(out[0])), slices.Sorted(maps.Keys(out[1])))
			}
		}
		if t.Logf("%s: %d programs compared, %d with several outcomes", o, compared, several); several < programs/3 {
			t.Errorf("%s: only %d programs compared, %d with several outcomes", o, compared, several)
		}
	}
}
