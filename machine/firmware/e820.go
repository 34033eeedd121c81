package firmware

import (
	"encoding/binary"
	"fmt"
)

// entryBytes is the size of struct boot_e820_entry, which is packed.
const entryBytes = 20

// Types of e820 entries, of enum e820_type in Linux's
// arch/x86/include/asm/e820/types.h; the first five are those of the ACPI
// Specification, table "Address Range Types".
const (
	e820RAM          = 1
	e820Reserved     = 2
	e820ACPI         = 3
	e820NVS          = 4
	e820Unusable     = 5
	e820Persistent   = 7
	e820SoftReserved = 0xefffffff
)

// EncodeE820 returns the e820 map of ranges, which may be in any order; its entries
// are by ascending base. It is an error if there are more than [MaxRanges], if
// none is RAM or Pool, if one is empty or ends beyond 64 bits, or if two that are RAM
// or Pool overlap.
func EncodeE820(ranges []Range) ([]byte, error) {
	list, err := checked(ranges)
	if err != nil {
		return nil, fmt.Errorf("e820: %w", err)
	}
	types := [...]uint32{RAM: e820RAM, Reserved: e820Reserved, Pool: e820SoftReserved}
	b := make([]byte, 0, len(list)*entryBytes)
	for _, r := range list {
		b = binary.LittleEndian.AppendUint64(b, r.Base)
		b = binary.LittleEndian.AppendUint64(b, r.Size)
		b = binary.LittleEndian.AppendUint32(b, types[r.Kind])
	}
	return b, nil
}

// ParseE820 reads an e820 map, whose entries may be in any order, and returns its
// ranges by ascending base; Reserved ranges that overlap are one. Where Reserved overlaps
// RAM or Pool both are in the result: [Usable] takes the one from the other, as
// e820__update_table of Linux does.
//
// Its errors name the offset: a length that is not whole entries or above the limits,
// a type that the package comment does not list, and those of [EncodeE820].
func ParseE820(b []byte) ([]Range, error) {
	n := len(b) / entryBytes
	switch {
	case len(b) > MaxBytes:
		return nil, fmt.Errorf("e820: %d bytes, of at most %d: is this an e820 map?", len(b), MaxBytes)
	case len(b)%entryBytes != 0:
		return nil, fmt.Errorf("e820: offset %#x: %d bytes are no whole entry: give %d for each",
			n*entryBytes, len(b)%entryBytes, entryBytes)
	case n > MaxRanges:
		return nil, fmt.Errorf("e820: offset %#x: %d entries, of at most %d: join neighbours",
			MaxRanges*entryBytes, n, MaxRanges)
	}
	list := make([]placed, 0, n)
	for at := 0; at < len(b); at += entryBytes {
		kind, ok := e820Kind(binary.LittleEndian.Uint32(b[at+16:]))
		if !ok {
			return nil, fmt.Errorf("e820: offset %#x: unknown type %#x: use 1 to 5, 7 or 0xefffffff",
				at+16, binary.LittleEndian.Uint32(b[at+16:]))
		}
		list = append(list, placed{
			Range{binary.LittleEndian.Uint64(b[at:]), binary.LittleEndian.Uint64(b[at+8:]), kind},
			fmt.Sprintf("offset %#x", at),
		})
	}
	ranges, err := canonical(list)
	if err != nil {
		return nil, fmt.Errorf("e820: %w", err)
	}
	return ranges, nil
}

func e820Kind(t uint32) (Kind, bool) {
	switch t {
	case e820RAM:
		return RAM, true
	case e820Reserved, e820ACPI, e820NVS, e820Unusable, e820Persistent:
		return Reserved, true
	case e820SoftReserved:
		return Pool, true
	}
	return 0, false
}
