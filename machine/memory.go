package machine

import "math/bits"

// location is what the machine knows of one aligned 8-byte word of memory beside
// its value: the hash of the last write, and the sum of the hashes of the reads
// since. Two runs with the same partial order of conflicting accesses compute the
// same hashes (see Machine.fingerprint).
type location struct {
	writer uint64
	reads  uint64
	word   int32 // of the memory order, plus one; zero if it has not seen it
}

const (
	chunkBytes  = 512
	chunkWords  = chunkBytes / 8
	extentBytes = 64 << 10
)

// chunk is the unit in which the memory of a run that explores is allocated and
// cleared.
type chunk struct {
	values [chunkWords]uint64
	words  [chunkWords]location
	dirty  bool
}

// extent is the same for a timed run, which keeps values only, and many of them.
type extent struct {
	lines [extentBytes / lineBytes][lineBytes / 8]uint64
	dirty bool
}

// region is a part of the physical memory, allocated as it is touched.
type region struct {
	base    PA
	size    uint64
	home    int // a node, everyone or pool
	closed  bool
	next    uint64 // bytes allocated by Alloc
	chunks  [][]*chunk
	extents []*extent // of timed runs
}

const directoryChunks = 2048 // chunks of one second-level directory: 1 MiB

// memory is the physical memory of the machine: flat storage, without caches.
type memory struct {
	regions []*region
	dirty   []*chunk
	last    *chunk // the chunk found last, and its first address
	first   PA
	closed  bool // some region is closed

	timed   bool
	used    []*extent // that are dirty
	found   [foundExtents]foundExtent
	unnamed location // of all words of a timed run
}

// foundExtents is how many extents are found without a search: those of 16 MB.
const foundExtents = 256

// foundExtent is an extent that was found, by its number plus one.
type foundExtent struct {
	number PA
	*extent
}

// near finds a word in the chunk found last, or nil. There always is such a chunk
// in a run that explores, which spares it a test.
func (mm *memory) near(pa PA) (*uint64, *location) {
	if off := uint64(pa - mm.first); off < chunkBytes {
		return &mm.last.values[off/8], &mm.last.words[off/8]
	}
	return nil, nil
}

// word finds an aligned word, or nil outside of memory.
func (mm *memory) word(pa PA) (*uint64, *location) {
	if mm.timed {
		if l := mm.line(pa); l != nil {
			return &l[pa/8%8], &mm.unnamed
		}
		return nil, nil
	}
	if v, w := mm.near(pa); w != nil {
		return v, w
	}
	if !mm.find(pa) {
		return nil, nil
	}
	return mm.near(pa)
}

// at is the access of a size at an address; its loc is nil outside of memory.
func (mm *memory) at(pa PA, s Size) access {
	v, w := mm.word(pa)
	return access{v, w, pa, s}
}

// regionOf finds the region of an address, or nil.
func (mm *memory) regionOf(pa PA) *region {
	for _, r := range mm.regions {
		if uint64(pa-r.base) < r.size {
			return r
		}
	}
	return nil
}

// find makes the chunk of pa the last one, and marks it for reset.
func (mm *memory) find(pa PA) bool {
	r := mm.regionOf(pa)
	if r == nil {
		return false
	}
	i := uint64(pa-r.base) / chunkBytes
	if r.chunks == nil {
		const span = directoryChunks * chunkBytes
		r.chunks = make([][]*chunk, (r.size+span-1)/span)
	}
	dir := r.chunks[i/directoryChunks]
	if dir == nil {
		dir = make([]*chunk, directoryChunks)
		r.chunks[i/directoryChunks] = dir
	}
	c := dir[i%directoryChunks]
	if c == nil {
		c = new(chunk)
		dir[i%directoryChunks] = c
	}
	if !c.dirty {
		c.dirty = true
		mm.dirty = append(mm.dirty, c)
	}
	mm.last, mm.first = c, r.base+PA(i*chunkBytes)
	return true
}

// line finds the line of an address in the memory of a timed run, or nil.
func (mm *memory) line(pa PA) *[lineBytes / 8]uint64 {
	f := &mm.found[pa/extentBytes%foundExtents]
	x := f.extent
	if f.number != pa/extentBytes+1 {
		if x = mm.findExtent(pa, f); x == nil {
			return nil
		}
	}
	return &x.lines[pa/lineBytes%(extentBytes/lineBytes)]
}

// findExtent finds the extent of an address, and marks it for reset. It is kept as found
// if all of it belongs to one region.
func (mm *memory) findExtent(pa PA, f *foundExtent) *extent {
	r := mm.regionOf(pa)
	if r == nil {
		return nil
	}
	n, first, end := pa/extentBytes, r.base/extentBytes, r.base+PA(r.size)
	if r.extents == nil {
		r.extents = make([]*extent, (end-1)/extentBytes-first+1)
	}
	x := r.extents[n-first]
	if x == nil {
		x = new(extent)
		r.extents[n-first] = x
	}
	if !x.dirty {
		x.dirty = true
		mm.used = append(mm.used, x)
	}
	if n*extentBytes >= r.base && (n+1)*extentBytes <= end {
		f.number, f.extent = n+1, x
	}
	return x
}

// reset clears what was touched, and nothing else.
func (mm *memory) reset(timed bool) {
	for _, c := range mm.dirty {
		c.values, c.words = [chunkWords]uint64{}, [chunkWords]location{}
		c.dirty = false
	}
	for _, b := range mm.used {
		*b = extent{}
	}
	mm.dirty, mm.used = mm.dirty[:0], mm.used[:0]
	for _, r := range mm.regions {
		r.next = 0
	}
	if mm.timed {
		mm.found = [foundExtents]foundExtent{}
	}
	mm.timed, mm.unnamed = timed, location{}
	mm.find(mm.regions[0].base)
}

// access is one access to memory, as the seams see it.
type access struct {
	val  *uint64
	loc  *location
	pa   PA
	size Size
}

// read and write are flat storage.
func (a access) read() uint64 { return *a.val >> (a.pa % 8 * 8) & a.size.mask() }

func (a access) write(v uint64) {
	sh := a.pa % 8 * 8
	m := a.size.mask() << sh
	*a.val = *a.val&^m | v<<sh&m
}

// mix hashes two words into one: the folded 128-bit product of their
// combination with an odd constant (the finaliser of wyhash).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1342543de82ef95)
	return hi ^ lo
}
