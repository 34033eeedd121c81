package machine

import "fmt"

// PageFormat is a format of page tables, as the walker of an MMU reads them. An entry
// has 8 bytes. Its methods are functions of their arguments alone.
type PageFormat interface {
	// Shift is the binary logarithm of the size in bytes of the smallest page, from 4.
	Shift() uint
	// Slot is the offset in bytes of an address's entry in the table that a walk meets
	// at a level, from 0; false if the format has no such address.
	Slot(level int, va VA) (offset uint64, ok bool)
	// Decode reads an entry that a walk has met at a level. Every entry of the last
	// level is a leaf.
	Decode(level int, entry uint64) PageEntry
	// Mark is a present entry with what the hardware sets when it uses it: accessed,
	// and dirty for a leaf through which it writes. It is the entry as it is where
	// nothing is left to set, or the hardware sets nothing.
	Mark(level int, entry uint64, write bool) uint64
}

// PageEntry is what an entry says.
type PageEntry struct {
	Present bool
	Leaf    bool // it maps a page, and not a table of the next level
	Write   bool // a write may go through it; all levels must agree
	Dirty   bool // of a leaf: a write through it has nothing left to set
	Shift   uint // of a leaf: the binary logarithm of its page's size in bytes
	Addr    PA   // of the page or the table
}

// The bits of an entry of [Pages].
const (
	PagePresent  uint64 = 1 << 0
	PageWrite    uint64 = 1 << 1 // writes are allowed
	PageAccessed uint64 = 1 << 2 // set by the walker
	PageDirty    uint64 = 1 << 3 // set by the walker for a write
	PageLarge    uint64 = 1 << 63
	pageAddr     uint64 = 1<<52 - 16
)

// Pages is a small page-table format of no particular ISA: entries of 8 bytes with
// the address of a page or a table in bits 4 to 51, the bits above, and PageLarge in
// an entry above the last level that maps a page. The real formats differ in nothing
// that matters to translation in general: x86-64's levels and bits are in Intel's SDM,
// volume 3, 4.5.
type Pages struct {
	Levels int // 1 to 5
	Bits   int // of the address, that each level takes: 1 to 9
	Bytes  int // the binary logarithm of the size of a page: 4 to 12; zero means 12
}

// Shift is the binary logarithm of the size of the smallest page.
func (p Pages) Shift() uint {
	if p.Bytes == 0 {
		return 12
	}
	return uint(p.Bytes)
}

// at is the lowest bit of the address that a level takes.
func (p Pages) at(level int) uint { return p.Shift() + uint(p.Levels-1-level)*uint(p.Bits) }

// Slot is where in its table an address's entry stands. Addresses have no bits above
// those that the levels take.
func (p Pages) Slot(level int, va VA) (offset uint64, ok bool) {
	if va>>(p.at(0)+uint(p.Bits)) != 0 {
		return 0, false
	}
	return uint64(va) >> p.at(level) & (1<<p.Bits - 1) * 8, true
}

// Decode reads an entry.
func (p Pages) Decode(level int, entry uint64) PageEntry {
	return PageEntry{
		Present: entry&PagePresent != 0,
		Leaf:    level == p.Levels-1 || entry&PageLarge != 0,
		Write:   entry&PageWrite != 0,
		Dirty:   entry&PageDirty != 0,
		Shift:   p.at(level),
		Addr:    PA(entry & pageAddr),
	}
}

// Mark sets PageAccessed, and PageDirty for a write.
func (p Pages) Mark(_ int, entry uint64, write bool) uint64 {
	if write {
		entry |= PageDirty
	}
	return entry | PageAccessed
}

// Validate says what is wrong with the format, or nil.
func (p Pages) Validate() error {
	if p.Levels < 1 || p.Levels > 5 || p.Bits < 1 || p.Bits > 9 || p.Shift() < 4 || p.Shift() > 12 {
		return fmt.Errorf("page tables of %d levels of %d bits, and pages of 1<<%d bytes: use 1 to 5 levels of 1 to 9 bits, and 4 to 12",
			p.Levels, p.Bits, p.Shift())
	}
	return nil
}

// MMU is how the hardware of a CPU translates: it walks tables in memory, and keeps
// what it finds in a TLB, from where it vanishes by invalidation, by replacement, or
// when a chooser says so (see Evict).
type MMU struct {
	Format PageFormat
	// From and To bound the addresses that are translated: From to To-1; both zero
	// means all. The others are physical, like the direct map of a kernel, whose
	// tables never change.
	From, To VA
	// Sets and Ways are the geometry of the TLB: powers of two up to 1<<16 and 64;
	// zero means 16 and 4. In each set the entry that was put there first goes
	// first: hits and invalidations change nothing in that order, so that a run which
	// does not look the TLB up for each access replaces the same entries.
	Sets, Ways int
}

func (u MMU) validate() error {
	if u.Format == nil {
		return fmt.Errorf("MMU without a page-table format: set MMU.Format, as to machine.Pages{Levels: 2, Bits: 9}")
	}
	if v, ok := u.Format.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return err
		}
	}
	power := func(n, most int) bool { return n > 0 && n <= most && n&(n-1) == 0 }
	switch {
	case u.Format.Shift() < 4 || u.Format.Shift() > 30:
		return fmt.Errorf("MMU with pages of 1<<%d bytes: use 4 to 30", u.Format.Shift())
	case !power(u.Sets, 1<<16) || !power(u.Ways, 64):
		return fmt.Errorf("TLB of %d sets and %d ways: use powers of two up to %d and 64", u.Sets, u.Ways, 1<<16)
	case u.From&(1<<u.Format.Shift()-1) != 0 || u.To != ^VA(0) && u.To&(1<<u.Format.Shift()-1) != 0:
		return fmt.Errorf("MMU for addresses from %#x to %#x: use whole pages", uint64(u.From), uint64(u.To))
	case u.From > u.To:
		return fmt.Errorf("MMU for addresses from %#x to %#x: nothing is between", uint64(u.From), uint64(u.To))
	}
	return nil
}

// mmu is the MMU of a CPU in a run.
type mmu struct {
	MMU
	cpu       *cpu
	tlb       tlb
	root      PA       // of the tables; zero while nothing is translated
	evictions int      // so far
	epoch     uint64   // moves on when a translation that was made before must not be used
	state     location // what the hashes of a run must know of the TLB and the root

	// Invalidations that have been posted and not completed, in their order, and the
	// agent that completes them; see Thread.Broadcast. An ISA whose invalidations are
	// complete when they return has no agent.
	bit     Set
	ctx     *context
	pending []invalidation
	queue   location // what the hashes must know of them
}

// SetMMU gives a CPU an MMU, in the set-up; see SetRoot. A CPU has an MMU or a
// Translator. It panics if the MMU is not valid.
func (m *Machine) SetMMU(cpu int, u MMU) {
	m.mustBeSettingUp("SetMMU")
	m.mustBeCPU(cpu)
	if u.Sets == 0 && u.Ways == 0 {
		u.Sets, u.Ways = 16, 4
	}
	if u.From == 0 && u.To == 0 {
		u.To = ^VA(0)
	}
	if err := u.validate(); err != nil {
		panic("machine: " + err.Error())
	}
	c := m.cpus[cpu]
	if c.translate != nil || c.mmu != nil {
		panic(fmt.Sprintf("machine: SetMMU of CPU %d: it has a translator or an MMU already", cpu))
	}
	if c.spare == nil {
		c.spare = &mmu{cpu: c}
	}
	w := c.spare
	*w = mmu{MMU: u, cpu: c, tlb: w.tlb, pending: w.pending[:0]}
	w.tlb.reset(u.Sets, u.Ways, u.Format.Shift())
	c.mmu, m.translates = w, true
	if c.isa.TLBI {
		w.addAgent()
	}
}

// SetRoot sets the root of a CPU's page tables, in the set-up: the physical address
// of the first level's table. While it is zero, addresses are physical.
func (m *Machine) SetRoot(cpu int, root PA) {
	m.mustBeSettingUp("SetRoot")
	m.mustBeCPU(cpu)
	m.mustHaveMMU(m.cpus[cpu]).root = root
}

func (m *Machine) mustHaveMMU(c *cpu) *mmu {
	if c.mmu == nil {
		panic(fmt.Sprintf("machine: CPU %d has no MMU: give it one with Machine.SetMMU", c.id))
	}
	return c.mmu
}

// AllocPages reserves n pages of 4096 bytes of a node's memory, as AllocOn does,
// aligned to their size.
func (m *Machine) AllocPages(node, n int) VA {
	return (m.AllocOn(node, 4096*uint64(n)+4095) + 4095) &^ 4095
}

// covers says whether the MMU translates an address now.
func (u *mmu) covers(va VA) bool { return u.root != 0 && va >= u.From && va < u.To }

// TLBCounts is what the MMU of a CPU has done in a run.
type TLBCounts struct {
	Hits, Misses uint64 // look-ups; of a timed run without the hits of accesses that took the short way
	Walks        uint64 // of the tables, those after which there was a fault with them
	Faults       uint64
}

// TLBCounts is what the MMU of a CPU has done in the run so far; nothing if it has
// none.
func (m *Machine) TLBCounts(cpu int) TLBCounts {
	if u := m.cpus[cpu].mmu; u != nil {
		return u.tlb.counts
	}
	return TLBCounts{}
}

// fill puts the translation of an address into the TLB. The CPU's port forgets the
// lines of the page that had the place, and of the page itself.
func (u *mmu) fill(va VA, e PageEntry, write bool) {
	old := u.tlb.fill(va, e, write)
	if u.cpu.m.isTimed() {
		u.cpu.port.losePage(va, u.tlb.shift)
		if old != noPage {
			u.cpu.port.losePage(old, u.tlb.shift)
		}
	}
}

// drop takes an address's translation out of the TLB; everything for noPage.
func (u *mmu) drop(va VA) {
	u.tlb.drop(va)
	if u.cpu.m.isTimed() {
		u.cpu.port.forget()
	}
}
