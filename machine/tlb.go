package machine

// tlbEntry is a translation: of one smallest page, also if the tables map a larger one
// around it.
type tlbEntry struct {
	page  VA // its address, or noPage
	frame PA
	mask  VA // of the bits that tell the page of the tables from others
	write bool
	dirty bool // a write has nothing left to set in the tables
}

// noPage is no page's address: an empty way. Pages are aligned.
const noPage = ^VA(0)

// tlb is a translation lookaside buffer: sets of ways, in each of which the entry that
// was put there first is replaced first.
type tlb struct {
	ways   []tlbEntry
	next   []uint8 // of each set: the way that is replaced next
	shift  uint    // of a smallest page
	per    int     // ways of a set
	used   bool
	large  bool // there may be parts of larger pages
	counts TLBCounts
}

// reset empties the TLB, and gives it its geometry.
func (b *tlb) reset(sets, ways int, shift uint) {
	b.counts, b.shift = TLBCounts{}, shift
	if len(b.ways) == sets*ways && b.per == ways && !b.used {
		return
	}
	if len(b.ways) != sets*ways || b.per != ways {
		b.ways, b.next, b.per = make([]tlbEntry, sets*ways), make([]uint8, sets), ways
	}
	b.clear()
	clear(b.next)
	b.used = false
}

func (b *tlb) clear() {
	for i := range b.ways {
		b.ways[i].page = noPage
	}
	b.large = false
}

// set is the first way of an address's set, and its number.
func (b *tlb) set(va VA) (ways []tlbEntry, number int) {
	number = int(uint64(va)>>b.shift) & (len(b.next) - 1)
	return b.ways[number*b.per : (number+1)*b.per], number
}

// find is the entry of an address, or nil.
func (b *tlb) find(va VA) *tlbEntry {
	page := va &^ (1<<b.shift - 1)
	ways, _ := b.set(va)
	for i := range ways {
		if ways[i].page == page {
			return &ways[i]
		}
	}
	return nil
}

// fill puts the translation of an address in, by a leaf.
func (b *tlb) fill(va VA, e PageEntry, write bool) {
	t := b.find(va)
	if t == nil {
		ways, set := b.set(va)
		t = &ways[b.next[set]]
		b.next[set] = uint8((int(b.next[set]) + 1) % b.per)
	}
	small := VA(1)<<b.shift - 1
	within := VA(1)<<e.Shift - 1
	*t = tlbEntry{page: va &^ small, frame: e.Addr + PA(va&within&^small), mask: ^within, write: write, dirty: e.Dirty}
	b.used = true
	b.large = b.large || e.Shift != b.shift
}

// drop takes an address's translation out, with all that belongs to one page of the
// tables; everything for noPage.
func (b *tlb) drop(va VA) {
	switch {
	case va == noPage:
		b.clear()
	case b.large:
		for i := range b.ways {
			if t := &b.ways[i]; t.page != noPage && (t.page^va)&t.mask == 0 {
				t.page = noPage
			}
		}
	default:
		if t := b.find(va); t != nil {
			t.page = noPage
		}
	}
}

// use is where an address is by an entry.
func (t *tlbEntry) use(va VA) PA { return t.frame + PA(va-t.page) }

// translateFast translates for a run in which no access is a step: it looks the TLB
// up, and walks the tables with read, which answers the 8 bytes at an address, and
// write. It is the walker of throughTLB and walk without their events. Present is of a
// fault: the tables have the page, and do not let it be written.
func (c *cpu) translateFast(va VA, write bool, read func(PA) uint64, update func(PA, uint64)) (pa PA, ok, present bool) {
	u := c.mmu
	if u == nil || !u.covers(va) {
		return PA(va), true, false
	}
	if e := u.tlb.find(va); e != nil {
		if !write || e.write && e.dirty {
			u.tlb.counts.Hits++
			return e.use(va), true, false
		}
		if !e.write {
			u.tlb.counts.Faults++
			u.denied(va)
			return 0, false, true
		}
	}
	u.tlb.counts.Misses++
	u.tlb.counts.Walks++
	w := u.begin(va, write)
	for {
		at, ok := w.slot()
		if !ok {
			break
		}
		entry := read(at)
		if next := w.marked(entry); next != entry {
			update(at, next)
			entry = next
		}
		switch w.take(entry) {
		case walkOn:
		case walkDone:
			return u.tlb.find(va).use(va), true, false
		default:
			return 0, false, w.present
		}
	}
	u.tlb.counts.Faults++
	return 0, false, false
}
