package machine

import "github.com/fusedos/stramash/coherence"

// port is a CPU's way to memory, with its clock. Of each of the 64 sets of lines
// that differ in the bits of a page offset it knows one line which is the most
// recently used one of its set in the CPU's L1 data cache, translated already: an
// access to it changes nothing in the caches, so it needs no more than the compare
// with the tag, and is accounted later. In a run that explores the lines are empty,
// and every access goes the long way.
//
// Times are in thousandths of a cycle.
type port struct {
	lines [64]mruLine
	left  int64 // until the clock is at limit: less than zero when the engine must decide
	step  int64 // what an access by one of the lines takes

	// Of a timed run: whether plain accesses may take the short way, and must be looked
	// at for what they may touch.
	quick, guarded bool
	core           int
	caches         *coherence.System

	limit    int64
	milliCPI int64
	other    int64 // what the clock has counted beside those accesses
	waited   int64 // of it: for others
	insts    uint64
	sends    [2]uint64 // interrupts sent within the node, and to other ones
	devices  [2]uint64 // accesses to devices of the node, and of other ones
	pc       uint64
	sets     int // of the L1 data cache
}

// mruLine is one line. Tags are addresses of the line; noLine is none.
type mruLine struct {
	read, write VA // what loads and stores must be to
	words       *[8]uint64
	line        PA
}

const (
	lineBytes = 64
	noLine    = 1 // no address of a line
)

// reset has the CPU's clock begin anew.
func (p *port) reset() {
	if p.quick {
		p.forget()
		p.quick = false
	}
	if p.other == 0 && p.insts == 0 {
		return
	}
	p.left, p.limit, p.other, p.waited, p.insts, p.pc = -1, -1, 0, 0, 0, 0
	p.sends, p.devices = [2]uint64{}, [2]uint64{}
}

// forget empties the lines.
func (p *port) forget() {
	for i := range p.lines {
		p.lines[i].read, p.lines[i].write, p.lines[i].line = noLine, noLine, noLine
	}
}

// lose forgets a line that the L1 data cache has lost, or may no longer write.
func (p *port) lose(line uint64) {
	if f := &p.lines[line&63]; f.line == PA(line) {
		f.read, f.write, f.line = noLine, noLine, noLine
	}
}

// clock is the CPU's time.
func (p *port) clock() int64 { return p.limit - p.left }

// until moves the limit.
func (p *port) until(limit int64) {
	p.left += limit - p.limit
	p.limit = limit
}

// cut has the engine decide at the next access.
func (p *port) cut() {
	if p.left >= 0 {
		p.until(p.clock() - 1)
	}
}

// spend lets time pass.
func (p *port) spend(d int64) {
	p.left -= d
	p.other += d
}

// wait lets time pass until another CPU's now.
func (p *port) wait(now int64) {
	if d := now - p.clock(); d > 0 {
		p.spend(d)
		p.waited += d
	}
}

// settle accounts the accesses by the lines.
func (p *port) settle() {
	if n := uint64((p.clock() - p.other) / p.step); n > 0 {
		p.caches.MRUHits(p.core, n)
		p.insts += n
		p.other = p.clock()
	}
}

// Load64 is a plain 8-byte load.
func (t *Thread) Load64(a VA) uint64 {
	p := t.port
	p.left -= p.step
	f := &p.lines[a/64%64]
	if a&^56 != f.read || p.left < 0 {
		return t.load64Slowly(a)
	}
	return f.words[a/8%8]
}

func (t *Thread) load64Slowly(a VA) uint64 {
	t.port.left += t.port.step
	if f, v := t.reach(a, Size64, false); f != nil {
		return v
	}
	return t.load64(announced{uint64(OpLoad) | uint64(Size64)<<8, a})
}

// Store64 is a plain 8-byte store.
func (t *Thread) Store64(a VA, v uint64) {
	p := t.port
	p.left -= p.step
	f := &p.lines[a/64%64]
	if a&^56 != f.write || p.left < 0 {
		t.store64Slowly(a, v)
		return
	}
	f.words[a/8%8] = v
}

func (t *Thread) store64Slowly(a VA, v uint64) {
	t.port.left += t.port.step
	if f, _ := t.reach(a, Size64, true); f != nil {
		f.words[a/8%8] = v
		return
	}
	t.store64(announced{uint64(OpStore) | uint64(Size64)<<8, a}, v)
}

// Load32 is a plain 4-byte load.
func (t *Thread) Load32(a VA) uint32 {
	p := t.port
	p.left -= p.step
	f := &p.lines[a/64%64]
	if a&^60 != f.read || p.left < 0 {
		return t.load32Slowly(a)
	}
	return uint32(f.words[a/8%8] >> (a % 8 * 8))
}

func (t *Thread) load32Slowly(a VA) uint32 {
	t.port.left += t.port.step
	if f, v := t.reach(a, Size32, false); f != nil {
		return uint32(v >> (a % 8 * 8))
	}
	return uint32(t.Load(a, Size32, Plain))
}

// Store32 is a plain 4-byte store.
func (t *Thread) Store32(a VA, v uint32) {
	p := t.port
	p.left -= p.step
	f := &p.lines[a/64%64]
	if a&^60 != f.write || p.left < 0 {
		t.store32Slowly(a, v)
		return
	}
	w, sh := &f.words[a/8%8], a%8*8
	*w = *w&^(0xffffffff<<sh) | uint64(v)<<sh
}

func (t *Thread) store32Slowly(a VA, v uint32) {
	t.port.left += t.port.step
	if f, _ := t.reach(a, Size32, true); f != nil {
		w, sh := &f.words[a/8%8], a%8*8
		*w = *w&^(0xffffffff<<sh) | uint64(v)<<sh
		return
	}
	t.Store(a, Size32, uint64(v), Plain)
}

// reach makes an access of a timed run, but for what it stores. It answers the line,
// and what the word held; or nil if the access must go the long way: the run is not of
// that kind, or the engine must decide, or the address is not what it should be. It is
// the hottest function of all, and spelled out for that.
func (t *Thread) reach(a VA, s Size, write bool) (f *mruLine, old uint64) {
	m, p := t.m, t.port
	if !p.quick || a&VA(s-1) != 0 || p.left < 0 && !m.mayGoOn(t.cpu) {
		return nil, 0
	}
	pa := PA(a)
	mayWrite := true
	if p.guarded {
		ok := false
		if pa, mayWrite, ok = t.passes(a, write); !ok {
			return nil, 0
		}
	}
	if write && m.alert != 0 && m.isWatched(pa) {
		return nil, 0
	}
	found := &m.mem.found[pa/extentBytes%foundExtents]
	x := found.extent
	if found.number != pa/extentBytes+1 {
		x = m.mem.findExtent(pa, found)
	}
	if x == nil { // tested here for all ways, or else the compiler has the host read its first word
		return nil, 0
	}
	words := &x.lines[pa/lineBytes%(extentBytes/lineBytes)]
	old = words[pa/8%8] // now, so that the host waits for it while the caches are searched
	cycles, owned := uint64(0), true
	if write {
		cycles = p.caches.Store(p.core, uint64(pa))
	} else {
		cycles, owned = p.caches.Load(p.core, uint64(pa))
	}
	if p.sets < 64 {
		p.displace(pa)
	}
	d := 1000*int64(cycles) + p.milliCPI
	p.insts++
	p.left -= d
	p.other += d
	f = &p.lines[a/64%64]
	f.read, f.write, f.words, f.line = a&^63, noLine, words, pa/64
	if owned && mayWrite && (m.alert == 0 || !m.isWatched(pa)) {
		f.write = f.read
	}
	return f, old
}

// passes is where an address is, and whether it may be written, by what the CPU's TLB
// knows already, if it is memory that the CPU may touch.
func (t *Thread) passes(a VA, write bool) (pa PA, mayWrite, ok bool) {
	c := t.cpu
	if c.translate != nil || c.mmu != nil && c.mmu.tlb.shift < 12 { // a line's place must not depend on the page
		return 0, false, false
	}
	pa, mayWrite = PA(a), true
	if u := c.mmu; u != nil && u.covers(a) {
		e := u.tlb.find(a)
		if e == nil || write && !(e.write && e.dirty) {
			return 0, false, false
		}
		u.tlb.counts.Hits++
		pa, mayWrite = e.use(a), e.write && e.dirty
	}
	return pa, mayWrite, !(t.m.mem.closed && t.m.mem.forbids(c.node, pa))
}

// losePage forgets the lines of a page of 1<<shift bytes.
func (p *port) losePage(page VA, shift uint) {
	for i := range p.lines {
		if f := &p.lines[i]; f.read>>shift == page>>shift {
			f.read, f.write, f.line = noLine, noLine, noLine
		}
	}
}

// displace forgets what was the line of the set of an address, unless it is that of
// the address.
func (p *port) displace(pa PA) {
	for i := int(pa/64%64) % p.sets; i < 64; i += p.sets {
		if f := &p.lines[i]; f.line != pa/64 {
			f.read, f.write, f.line = noLine, noLine, noLine
		}
	}
}

// isWatched says whether a write to the line of an address may concern a wait, a
// spinner or a reservation.
func (m *Machine) isWatched(pa PA) bool {
	if len(m.monitors) > 0 {
		return true
	}
	for _, c := range m.cpus {
		t := c.cur
		if c.reservation && m.granuleOf(access{pa: pa}) == c.granule ||
			t.resting && (t.restOn == anywhere || t.restOn/64 == pa/64) {
			return true
		}
		if t.wait == nil {
			continue
		}
		for i := range t.wait.at {
			if t.wait.at[i].pa/64 == pa/64 {
				return true
			}
		}
	}
	return false
}

// watch has the stores to what is watched from now on go the long way.
func (m *Machine) watch() {
	if !m.isTimed() {
		return
	}
	for _, c := range m.cpus {
		for i := range c.port.lines {
			c.port.lines[i].write = noLine
		}
	}
}
