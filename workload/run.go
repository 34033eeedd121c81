package workload

import "github.com/fusedos/stramash/machine"

// How says how a kernel runs by itself.
type How struct {
	// Migrating has it go over to the first CPU of another node where a procedure
	// begins, and back where it ends, as in section 9.2 of the paper; its data are
	// then where both nodes reach them.
	Migrating bool
	// Paged has its data be translated, by page tables of three levels that map each
	// page to itself, through the TLBs of a [machine.MMU]. Walks go through the caches.
	Paged bool
	// The schedule.
	machine.Earliest
}

// Run runs the kernel by itself on a machine whose platform has Hardware, on CPU 0,
// as a timed run. Counters begin with the timed part and end with it: see
// [machine.Machine.Counters]. It panics if the machine has too little memory.
func (k Kernel) Run(m *machine.Machine, c Class, h How) (Result, machine.Result) {
	m.Begin(h.Earliest, machine.Limits{})
	o := Options{
		Alloc:   m.Alloc,
		Started: func(t *machine.Thread) { t.ClearCounters() },
		Stopped: func(t *machine.Thread) { t.StopCounters() },
	}
	if h.Migrating {
		away := 0
		for m.NodeOf(away) == m.NodeOf(0) && away < m.CPUs()-1 {
			away++
		}
		o.Alloc = m.AllocShared
		o.Move = func(t *machine.Thread, phase int) { t.MoveTo((1 - phase%2) * away) }
	}
	if h.Paged {
		arena, size := pages(o.Alloc, k.Memory(c))
		mapPages(m, o.Alloc, arena, size)
		o.Alloc = func(n uint64) machine.VA {
			at := arena
			arena += machine.VA(n)
			return at
		}
	}
	body, result := k.Program(m, c, o)
	res := m.Run(machine.Start{CPU: 0, Body: body})
	return *result, res
}

const pageBytes = 4096

// pages reserves at least n bytes as whole pages.
func pages(alloc func(uint64) machine.VA, n uint64) (at machine.VA, size uint64) {
	size = (n + pageBytes - 1) &^ (pageBytes - 1)
	return (alloc(size+pageBytes-1) + pageBytes - 1) &^ (pageBytes - 1), size
}

// mapPages gives every CPU an MMU that translates whole pages by one set of tables.
func mapPages(m *machine.Machine, alloc func(uint64) machine.VA, at machine.VA, size uint64) {
	format := machine.Pages{Levels: 3, Bits: 9}
	root, _ := pages(alloc, pageBytes)
	for va := at; va < at+machine.VA(size); va += pageBytes {
		table := root
		for level := range format.Levels {
			slot, _ := format.Slot(level, va)
			entry := table + machine.VA(slot)
			next := machine.VA(m.Peek64(entry) &^ (pageBytes - 1))
			if next == 0 {
				if next = va; level < format.Levels-1 {
					next, _ = pages(alloc, pageBytes)
				}
				m.Poke64(entry, uint64(next)|machine.PagePresent|machine.PageWrite)
			}
			table = next
		}
	}
	for cpu := range m.CPUs() {
		m.SetMMU(cpu, machine.MMU{Format: format, From: at, To: at + machine.VA(size)})
		m.SetRoot(cpu, machine.PA(root))
	}
}
