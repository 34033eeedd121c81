package fuzz

import "github.com/fusedos/stramash/machine"

// coverage is what the runs of a block have reached: which write each read saw,
// by the contexts and the kinds of both (reads-from pairs; Wolff et al., ASPLOS
// 2024, and Jeong et al., S&P 2023, use such pairs to guide fuzzers), and the
// states that the shared words went through. Words that the profile knows as
// private do not count.
type coverage struct {
	seen  [coverageBits / 64]uint64 // hashes of what was reached
	words []coveredWord             // open addressing
	used  int
	run   uint32

	state    uint64 // of memory, in the run
	fresh    int    // what it reached first
	accesses []Access
}

// coverageBits is the number of bits that stand for what was reached. Two
// things may share one.
const coverageBits = 1 << 16

// maxAccesses bounds the accesses of a run that are kept.
const maxAccesses = 1 << 10

// Access is an access to shared memory in a run that is over.
type Access struct {
	Context machine.ContextName
	Index   uint32 // events that the context had made before
	Word    machine.VA
	Writes  bool
}

// coveredWord is a word of memory.
type coveredWord struct {
	addr    machine.VA // zero is free
	run     uint32     // in which the rest holds; private words are in none
	private bool
	writer  uint64 // who wrote it last, by context and kind
	value   uint64
	hash    uint64 // of the value
}

func newCoverage(p *Profile) *coverage {
	c := &coverage{words: make([]coveredWord, 64)}
	for _, a := range p.private.slots {
		if a != 0 {
			c.word(a).private = true
		}
	}
	return c
}

// start begins a run.
func (c *coverage) start() {
	c.run++
	c.state, c.fresh, c.accesses = 0, 0, c.accesses[:0]
}

// word finds the record of a word, or makes one.
func (c *coverage) word(a machine.VA) *coveredWord {
	mask := uint64(len(c.words) - 1)
	i := uint64(a>>3) * 0x9e3779b97f4a7c15 >> 32 & mask
	for ; c.words[i].addr != a; i = (i + 1) & mask {
		if c.words[i].addr == 0 {
			return c.newWord(a, i)
		}
	}
	return &c.words[i]
}

func (c *coverage) newWord(a machine.VA, i uint64) *coveredWord {
	if c.used++; 2*c.used <= len(c.words) {
		c.words[i].addr = a
		return &c.words[i]
	}
	old := c.words
	c.words, c.used = make([]coveredWord, 2*len(old)), 1
	for _, w := range old {
		if w.addr != 0 {
			*c.word(w.addr) = w
		}
	}
	return c.word(a)
}

// observe is told of each event.
func (c *coverage) observe(e *machine.Event) {
	if e.PA == 0 {
		return
	}
	w := c.word(wordOf(e))
	if w.private {
		return
	}
	if w.run != c.run {
		w.run, w.writer, w.value, w.hash = c.run, 0, 0, 0
	}
	writes := e.OK && e.Op.Kind.Writes()
	if len(c.accesses) < maxAccesses {
		c.accesses = append(c.accesses, Access{e.Name, e.Index, w.addr, writes})
	}
	who := scramble(uint64(e.Name) + uint64(e.Op.Kind))
	if e.Op.Kind != machine.OpStore {
		c.reach(scramble(w.writer+who) ^ uint64(w.addr)*readsFrom)
	}
	if writes {
		w.writer = who * readsFrom
		c.write(w, e)
	}
}

const readsFrom = 0xd1342543de82ef95 // keeps the two sides of a pair apart

// wordOf is the word of memory that an event is about: where an address was
// translated, the physical one.
func wordOf(e *machine.Event) machine.VA {
	if k := e.Op.Kind; k == machine.OpAlloc || k == machine.OpFree {
		return e.Op.Addr &^ 7
	}
	return machine.VA(e.PA &^ 7)
}

// write accounts the new state of memory.
func (c *coverage) write(w *coveredWord, e *machine.Event) {
	shift := uint64(e.Op.Addr) % 8 * 8
	mask := ^uint64(0) >> (64 - 8*uint64(e.Op.Size)) << shift
	v := w.value&^mask | e.Wrote<<shift&mask
	if v == w.value {
		return
	}
	w.value = v
	c.state ^= w.hash
	w.hash = scramble(v ^ uint64(w.addr)*readsFrom)
	c.state ^= w.hash
	c.reach(c.state)
}

// reach notes that the run reached something, by a hash.
func (c *coverage) reach(h uint64) {
	h = h * 0x9e3779b97f4a7c15 >> 48
	if bit := uint64(1) << (h % 64); c.seen[h/64]&bit == 0 {
		c.seen[h/64] |= bit
		c.fresh++
	}
}
