package targets

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// shootdown is a target for what two kernels of different ISA must do before they can
// give the frame of a page away: all CPUs of both forget it. Threads add to a counter
// in the page, and others page it out meanwhile. By the plain choices the first thread
// pages out and the others add.
func shootdown() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/shootdown", Doc: "a page that is taken away is used by no CPU's TLB, and loses no write",
		Platform: machine.Platform{Nodes: []machine.Node{{ISA: machine.X86, CPUs: 1}, {ISA: machine.AArch64, CPUs: 2}}},
		Judges:   onLocks(),
		Setup: func(m *machine.Machine) fuzz.Program {
			p, added, lost := newPager(m), uint64(0), 0
			n, rounds := 2+m.Choose("threads", 2), 1+m.Choose("rounds", 2)
			starts := m.Starts(n)
			for self := range starts {
				starts[self] = machine.Start{CPU: self, Body: func(t *machine.Thread) {
					own := uint64(0)
					for range rounds {
						if (self == 0) == (t.Choose("role", 2) == 0) {
							p.pageOut(t)
							continue
						}
						for range 2 {
							v := t.FetchAdd(pagerPage, machine.Size64, 1, machine.Plain)
							if v < own {
								lost++
							}
							own, added = v+1, added+1
						}
					}
				}}
			}
			return fuzz.Program{Threads: starts, After: func() error {
				if lost > 0 {
					return fmt.Errorf("%d reads of the counter are older than an addition of the same thread", lost)
				}
				return fuzz.Want(p.content(m), added)
			}}
		},
	}
}

// pager is what two kernels that share an address space have of a page in it, which
// they page out and in again. Each has its own table that maps it, and both must be
// changed. A page that was not written since it was paged in is not copied back.
//
// Memory: u64 frame, zero while the page is out; u64 copy, what it then has; u64
// request, the number of the last shootdown; for each CPU, in a line of its own, u64
// done, the last one that it has answered; for each node, a first-level table of 4
// entries with the last-level table of 4 behind it. Frames are on the heap. The lock
// guards all but done, and entries, which the walkers mark.
type pager struct {
	lock    locks.Ordered
	at      machine.VA
	done    []machine.VA
	entries []machine.VA // of each node: that of the page
}

const (
	pagerFrame   = 0
	pagerCopy    = 8
	pagerRequest = 16
	pagerPage    = machine.VA(0x10)
	pagerMapped  = machine.PagePresent | machine.PageWrite | machine.PageAccessed
)

func newPager(m *machine.Machine) pager {
	p := pager{lock: locks.NewTAS(m, locks.Home{Name: "pager's lock"}), at: m.Alloc(64)}
	m.Label(p.at+pagerFrame, 8, "frame")
	m.Label(p.at+pagerCopy, 8, "copy")
	m.Label(p.at+pagerRequest, 8, "request")
	for node := range m.Nodes() {
		root := m.AllocOn(node, 64)
		m.Poke64(root, uint64(root+32)|pagerMapped)
		m.Label(root, 64, fmt.Sprintf("table %d", node))
		p.entries = append(p.entries, root+32+pagerPage/16*8)
	}
	for cpu := range m.CPUs() {
		node := m.NodeOf(cpu)
		p.done = append(p.done, m.AllocOn(node, 64))
		m.Label(p.done[cpu], 8, "done")
		m.SetMMU(cpu, machine.MMU{Format: machine.Pages{Levels: 2, Bits: 2, Bytes: 4}, To: 0x100, Sets: 1, Ways: 2})
		m.SetRoot(cpu, machine.PA(p.entries[node]-32-pagerPage/16*8))
	}
	m.HandleAll(machine.VectorFault, func(t *machine.Thread, _ *machine.Frame) { p.pageIn(t) })
	m.HandleAll(machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) { p.handle(t) })
	return p
}

// content is what the page has in the end.
func (p pager) content(m *machine.Machine) uint64 {
	if frame := m.Peek64(p.at + pagerFrame); frame != 0 {
		return m.Peek64(machine.VA(frame))
	}
	return m.Peek64(p.at + pagerCopy)
}

// pageIn has the table of the CPU's node map the page.
func (p pager) pageIn(t *machine.Thread) {
	p.lock.Acquire(t)
	frame := machine.VA(t.Load(p.at+pagerFrame, machine.Size64, machine.Relaxed))
	if frame == 0 {
		frame = t.Alloc(16)
		t.Store64(frame, t.Load(p.at+pagerCopy, machine.Size64, machine.Relaxed))
		t.Store(p.at+pagerFrame, machine.Size64, uint64(frame), machine.Relaxed)
	}
	entry := p.entries[t.Node()]
	if t.Load(entry, machine.Size64, machine.Relaxed) == 0 {
		// Release, for the walkers of the node's other CPUs: else they find the frame
		// and not what is in it.
		t.Store(entry, machine.Size64, uint64(frame)|pagerMapped, machine.Release)
	}
	p.lock.Release(t)
}

// pageOut takes the page out of both tables, and its frame away.
func (p pager) pageOut(t *machine.Thread) {
	p.lock.Acquire(t)
	frame := machine.VA(t.Load(p.at+pagerFrame, machine.Size64, machine.Relaxed))
	if frame != 0 {
		bits := uint64(0)
		for _, entry := range p.entries {
			// In one step: else what a walker marks in between is lost (the other ISA's
			// too: facts/kernel.md, 0.5).
			bits |= t.Swap(entry, machine.Size64, 0, machine.Relaxed)
		}
		p.forget(t)
		p.others(t)
		if bits&machine.PageDirty != 0 {
			t.Store(p.at+pagerCopy, machine.Size64, t.Load64(frame), machine.Relaxed)
		}
		t.Free(frame)
		t.Store(p.at+pagerFrame, machine.Size64, 0, machine.Relaxed)
	}
	p.lock.Release(t)
}

// forget has the TLB of the CPU, and on AArch64 those of its node, forget the page
// (Linux's flush_tlb_one_user of x86, and __flush_tlb_page of arm64).
func (p pager) forget(t *machine.Thread) {
	if !t.ISA().TLBI {
		t.InvalidatePage(pagerPage)
		return
	}
	t.Fence(machine.SyncFence) // the entries first: DSB ISHST
	t.BroadcastPage(pagerPage)
	t.Fence(machine.SyncFence) // and all must be done: DSB ISH
}

// others has the CPUs of the other nodes forget the page: one of a node suffices
// where invalidations are broadcast, but no broadcast leaves its node.
func (p pager) others(t *machine.Thread) {
	request := t.Load(p.at+pagerRequest, machine.Size64, machine.Relaxed) + 1
	t.Store(p.at+pagerRequest, machine.Size64, request, machine.Relaxed)
	// The request comes before the interrupt, as in a rendezvous.
	t.Fence(machine.StoreFence)
	m := t.Machine()
	asks := func(cpu int) bool {
		first := cpu == 0 || m.NodeOf(cpu-1) != m.NodeOf(cpu)
		return cpu != t.CPU() && (m.NodeOf(cpu) != t.Node() && first || !m.ISA(cpu).TLBI)
	}
	for cpu := range p.done {
		if asks(cpu) {
			t.SendIPI(cpu, machine.VectorIPI)
		}
	}
	for cpu, at := range p.done {
		if asks(cpu) {
			// Acquire, for what the CPU did to the frame.
			t.Await(machine.Cond{Addr: at, Mask: ^uint64(0), Want: request, Order: machine.AcquirePC})
		}
	}
}

// handle answers a shootdown.
func (p pager) handle(t *machine.Thread) {
	request := t.Load(p.at+pagerRequest, machine.Size64, machine.Relaxed)
	p.forget(t)
	// Release, for who takes the frame: what the CPU did to it comes before.
	t.Store(p.done[t.CPU()], machine.Size64, request, machine.Release)
}
