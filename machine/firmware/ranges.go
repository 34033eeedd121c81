package firmware

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Limits of a table.
const (
	// MaxRanges is the number of ranges of a table: that of
	// E820_MAX_ENTRIES_ZEROPAGE in Linux's arch/x86/include/uapi/asm/bootparam.h.
	MaxRanges = 128
	// MaxBytes is the size of the largest table that the parsers read, in bytes.
	MaxBytes = 1 << 20
)

// Kind says what a range of memory is for.
type Kind uint8

// The kinds of memory.
const (
	// RAM belongs to the node that the table is for.
	RAM Kind = iota
	// Reserved is memory or address space that the node must leave alone.
	Reserved
	// Pool is memory that all nodes share, as of a CXL expander.
	Pool
)

var kindNames = [...]string{"RAM", "reserved", "pool"}

// String returns RAM, reserved or pool.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Range is the physical addresses from Base to Base+Size-1, in bytes. In a
// table Size is not zero and Base+Size at most 2^64-1.
type Range struct {
	Base, Size uint64
	Kind       Kind
}

// String returns the range in the form "0x1000-0x9ffff RAM", with the last
// address and not the one behind it.
func (r Range) String() string {
	return fmt.Sprintf("%#x-%#x %v", r.Base, r.Base+r.Size-1, r.Kind)
}

func (r Range) end() uint64 { return r.Base + r.Size }

// placed is a range with the place in its table that an error names.
type placed struct {
	Range
	where string
}

func (p placed) check() error {
	switch {
	case int(p.Kind) >= len(kindNames):
		return fmt.Errorf("%s: there is no %v: use RAM, Reserved or Pool", p.where, p.Kind)
	case p.Size == 0:
		return fmt.Errorf("%s: the range at %#x has size 0: give it a size or leave it out", p.where, p.Base)
	case p.Size > math.MaxUint64-p.Base:
		return fmt.Errorf("%s: %#x bytes at %#x end beyond 64 bits of address: make the range smaller", p.where, p.Size, p.Base)
	}
	return nil
}

// canonical returns the ranges by ascending base, a Reserved one behind what begins
// where it does, with Reserved ranges that overlap joined. It is what makes two tables
// that mean the same the same list.
func canonical(in []placed) ([]Range, error) {
	if len(in) > MaxRanges {
		return nil, fmt.Errorf("%s: a table has at most %d ranges: join neighbours", in[MaxRanges].where, MaxRanges)
	}
	for _, p := range in {
		if err := p.check(); err != nil {
			return nil, err
		}
	}
	sorted := slices.Clone(in)
	slices.SortStableFunc(sorted, func(a, b placed) int { return cmp.Compare(a.Base, b.Base) })
	var memory, reserved []placed
	for _, p := range sorted {
		if p.Kind != Reserved {
			if n := len(memory); n > 0 && p.Base < memory[n-1].end() {
				return nil, fmt.Errorf("%s: %v overlaps %v of %s: give each byte to one of them",
					p.where, p.Range, memory[n-1].Range, memory[n-1].where)
			}
			memory = append(memory, p)
			continue
		}
		if n := len(reserved); n > 0 && p.Base < reserved[n-1].end() {
			last := &reserved[n-1]
			last.Size = max(last.end(), p.end()) - last.Base
			continue
		}
		reserved = append(reserved, p)
	}
	if len(memory) == 0 {
		return nil, fmt.Errorf("no range is RAM or pool: give the node memory")
	}
	out := make([]Range, 0, len(memory)+len(reserved))
	for _, p := range append(memory, reserved...) {
		out = append(out, p.Range)
	}
	slices.SortStableFunc(out, func(a, b Range) int { return cmp.Compare(a.Base, b.Base) })
	return out, nil
}

// checked is canonical for a list that comes from Go code.
func checked(in []Range) ([]Range, error) {
	list := make([]placed, len(in))
	for i, r := range in {
		list[i] = placed{r, fmt.Sprintf("range %d", i)}
	}
	return canonical(list)
}

// Usable returns what a node may use: the ranges that are RAM or Pool less those that
// are Reserved, by ascending base, with neighbours of the same kind joined. It is empty if
// all is reserved. The errors are those of [EncodeE820].
func Usable(ranges []Range) ([]Range, error) {
	list, err := checked(ranges)
	if err != nil {
		return nil, fmt.Errorf("usable memory: %w", err)
	}
	var reserved, out []Range
	for _, r := range list {
		if r.Kind == Reserved {
			reserved = append(reserved, r)
		}
	}
	for _, r := range list {
		if r.Kind != Reserved {
			out = appendWithout(out, r, reserved)
		}
	}
	return out, nil
}

// appendWithout appends the parts of r that no range of reserved covers, which are by
// ascending base and apart.
func appendWithout(out []Range, r Range, reserved []Range) []Range {
	at := r.Base
	for _, hole := range reserved {
		if hole.end() <= at || hole.Base >= r.end() {
			continue
		}
		if hole.Base > at {
			out = appendJoined(out, Range{at, hole.Base - at, r.Kind})
		}
		at = hole.end()
	}
	if at < r.end() {
		out = appendJoined(out, Range{at, r.end() - at, r.Kind})
	}
	return out
}

func appendJoined(out []Range, r Range) []Range {
	if n := len(out); n > 0 && out[n-1].end() == r.Base && out[n-1].Kind == r.Kind {
		out[n-1].Size += r.Size
		return out
	}
	return append(out, r)
}

// Parse reads a table of either format: a flattened device tree by its magic number,
// else an e820 map.
func Parse(b []byte) ([]Range, error) {
	if len(b) >= 4 && binary.BigEndian.Uint32(b) == treeMagic {
		return ParseTree(b)
	}
	return ParseE820(b)
}
