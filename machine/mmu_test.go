package machine_test

import (
	"strings"

	"github.com/fusedos/stramash/machine"
)

// testPages is the format of the test programs: addresses below 0x100 are translated,
// by two levels of four entries each, in pages of 16 bytes.
var testPages = machine.Pages{Levels: 2, Bits: 2, Bytes: 4}

func testMMU() machine.MMU { return machine.MMU{Format: testPages, To: 0x100, Sets: 2, Ways: 1} }

// prepareMMU executes the declarations about translation:
//
//	mmu 0 root                 gives CPU 0 an MMU, with the root of its tables
//	entry l1+8 x pw            an entry: what it maps, and its bits (p w a d, l large)
func (r *runner) prepareMMU(w stmt) {
	switch w[0] {
	case "mmu":
		cpu := int(number(w[1]))
		r.m.SetMMU(cpu, testMMU())
		r.m.SetRoot(cpu, machine.PA(r.addr(w[2])))
	case "entry":
		r.m.Poke64(r.addr(w[1]), r.entry(w))
	default:
		panic("test program: no declaration " + w[0])
	}
}

// entry is the value of an entry.
func (r *runner) entry(w stmt) uint64 {
	v := uint64(r.addr(w[2]))
	for i, bit := range []uint64{machine.PagePresent, machine.PageWrite, machine.PageAccessed, machine.PageDirty, machine.PageLarge} {
		if strings.ContainsRune(w[3], rune("pwadl"[i])) {
			v |= bit
		}
	}
	return v
}

// doMMU executes the statements about translation.
func (r *runner) doMMU(t *machine.Thread, w stmt) {
	switch w[0] {
	case "entry": // as the declaration, by a store
		t.Store64(r.addr(w[1]), r.entry(w))
	case "root":
		t.SetRoot(machine.PA(r.addr(w[1])))
	case "invalidate":
		t.InvalidatePage(r.addr(w[1]))
	case "invalidate-all":
		t.InvalidateAll()
	case "broadcast":
		t.BroadcastPage(r.addr(w[1]))
	case "broadcast-all":
		t.BroadcastAll()
	case "sync":
		t.Fence(machine.SyncFence)
	default:
		panic("test program: no statement " + w[0])
	}
}
