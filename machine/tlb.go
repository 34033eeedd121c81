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

// fill puts the translation of an address in, by a leaf, and answers which page's
// translation it has taken the place of.
func (b *tlb) fill(va VA, e PageEntry, write bool) (old VA) {
	t := b.find(va)
	if t == nil {
		ways, set := b.set(va)
		t = &ways[b.next[set]]
		b.next[set] = uint8((int(b.next[set]) + 1) % b.per)
	}
	old = t.page
	small := VA(1)<<b.shift - 1
	within := VA(1)<<e.Shift - 1
	*t = tlbEntry{page: va &^ small, frame: e.Addr + PA(va&within&^small), mask: ^within, write: write, dirty: e.Dirty}
	b.used = true
	b.large = b.large || e.Shift != b.shift
	return old
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
