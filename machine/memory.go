package machine

import "math/bits"

// location is one aligned 8-byte word of memory with what the machine knows
// of it beside its value: the hash of the last write, and the sum of the
// hashes of the reads since. Two runs with the same partial order of
// conflicting accesses compute the same hashes (see Machine.fingerprint).
type location struct {
	val    uint64
	writer uint64
	reads  uint64
	word   int32 // of the memory order, plus one; zero if it has not seen it
}

const (
	chunkBytes = 512
	chunkWords = chunkBytes / 8
)

// chunk is the unit in which memory is allocated and cleared.
type chunk struct {
	words [chunkWords]location
	dirty bool
}

// nodeMemory is the memory of one node, allocated as it is touched.
type nodeMemory struct {
	base   PA
	size   uint64
	next   uint64 // bytes allocated by Alloc
	chunks [][]*chunk
}

const directoryChunks = 2048 // chunks of one second-level directory: 1 MiB

func newNodeMemory(base PA, size uint64) *nodeMemory {
	const span = directoryChunks * chunkBytes
	return &nodeMemory{base: base, size: size, chunks: make([][]*chunk, (size+span-1)/span)}
}

// memory is the physical memory of the machine: flat storage, without caches.
type memory struct {
	nodes []*nodeMemory
	dirty []*chunk
	last  *chunk // the chunk found last, and its first address
	first PA
}

// near finds the location of an access in the chunk found last, or nil. There
// always is such a chunk, which spares it a test.
func (mm *memory) near(pa PA) *location {
	if off := uint64(pa - mm.first); off < chunkBytes {
		return &mm.last.words[off/8]
	}
	return nil
}

// word finds the location of an aligned access, or nil outside of memory.
func (mm *memory) word(pa PA) *location {
	if w := mm.near(pa); w != nil {
		return w
	}
	if !mm.find(pa) {
		return nil
	}
	return mm.near(pa)
}

// find makes the chunk of pa the last one, and marks it for reset.
func (mm *memory) find(pa PA) bool {
	for _, n := range mm.nodes {
		off := uint64(pa - n.base)
		if off >= n.size {
			continue
		}
		i := off / chunkBytes
		dir := n.chunks[i/directoryChunks]
		if dir == nil {
			dir = make([]*chunk, directoryChunks)
			n.chunks[i/directoryChunks] = dir
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
		mm.last, mm.first = c, n.base+PA(i*chunkBytes)
		return true
	}
	return false
}

// reset clears what was touched, and nothing else.
func (mm *memory) reset() {
	for _, c := range mm.dirty {
		c.words = [chunkWords]location{}
		c.dirty = false
	}
	mm.dirty = mm.dirty[:0]
	for _, n := range mm.nodes {
		n.next = 0
	}
	mm.find(mm.nodes[0].base)
}

// access is one access to memory, as the seams see it.
type access struct {
	loc  *location
	pa   PA
	size Size
}

// read and write are flat storage.
func (a access) read() uint64 { return a.loc.val >> (a.pa % 8 * 8) & a.size.mask() }

func (a access) write(v uint64) {
	sh := a.pa % 8 * 8
	m := a.size.mask() << sh
	a.loc.val = a.loc.val&^m | v<<sh&m
}

// mix hashes two words into one: the folded 128-bit product of their
// combination with an odd constant (the finaliser of wyhash).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd1342543de82ef95)
	return hi ^ lo
}
