package firmware

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// blocks are the parts of a flattened device tree: Devicetree Specification v0.4, 5.1.
type blocks struct {
	structure   []byte
	structureAt int // its offset, for errors
	strings     []byte
	reserved    []placed // the memory reservation block
}

// span is a block's place in the file.
type span struct {
	name     string
	at, size uint64
	align    uint64
}

// split checks the header and finds the blocks.
func split(b []byte) (blocks, error) {
	if err := checkHeader(b); err != nil {
		return blocks{}, err
	}
	word := func(i int) uint64 { return uint64(binary.BigEndian.Uint32(b[4*i:])) }
	reservations := span{"memory reservation block", word(4), 16, 8}
	structure := span{"structure block", word(2), word(9), 4}
	names := span{"strings block", word(3), word(8), 1}
	for i, s := range []span{structure, names, reservations} {
		field := [...]int{8, 12, 16}[i] // where the header says it
		switch {
		case s.at%s.align != 0:
			return blocks{}, fmt.Errorf("offset %#x: the %s begins at %#x, no multiple of %d: align it", field, s.name, s.at, s.align)
		case s.at < treeHeaderBytes || s.at+s.size > uint64(len(b)):
			return blocks{}, fmt.Errorf("offset %#x: the %s, %d bytes at %#x, is not between the header and the end at %#x: correct the header",
				field, s.name, s.size, s.at, len(b))
		}
	}
	out := blocks{
		structure:   b[structure.at : structure.at+structure.size],
		structureAt: int(structure.at),
		strings:     b[names.at : names.at+names.size],
	}
	var err error
	if out.reserved, reservations.size, err = readReservations(b, reservations.at); err != nil {
		return blocks{}, err
	}
	return out, checkApart(reservations, structure, names)
}

func checkHeader(b []byte) error {
	if len(b) > MaxBytes {
		return fmt.Errorf("%d bytes, of at most %d: is this a device tree?", len(b), MaxBytes)
	}
	if len(b) < treeHeaderBytes {
		return fmt.Errorf("offset %#x: the file ends in the header, which has %d bytes: give the whole file", len(b), treeHeaderBytes)
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	switch {
	case word(0) != treeMagic:
		return fmt.Errorf("offset 0x0: magic %#x, not %#x: is this a file of dtc?", word(0), treeMagic)
	case word(1) != uint32(len(b)):
		return fmt.Errorf("offset 0x4: the header says %d bytes and the file has %d: give it whole and nothing behind it", word(1), len(b))
	case word(5) < treeVersion || word(6) > treeVersion:
		return fmt.Errorf("offset 0x14: version %d, compatible with %d: write version %d, as dtc -V %d does",
			word(5), word(6), treeVersion, treeVersion)
	}
	return nil
}

// readReservations returns the memory reservation block and its size in bytes:
// pairs of 64 bits up to one that is zero (5.3).
func readReservations(b []byte, from uint64) (out []placed, size uint64, err error) {
	for at := from; ; at += 16 {
		if at+16 > uint64(len(b)) {
			return nil, 0, fmt.Errorf("offset %#x: the memory reservation block has no end: close it with 16 bytes of zero", at)
		}
		base, size := binary.BigEndian.Uint64(b[at:]), binary.BigEndian.Uint64(b[at+8:])
		if base == 0 && size == 0 {
			return out, at + 16 - from, nil
		}
		p := placed{Range{base, size, Reserved}, fmt.Sprintf("memory reservation at offset %#x", at)}
		if out = append(out, p); len(out) > MaxRanges {
			return nil, 0, fmt.Errorf("%s: a table has at most %d ranges: join neighbours", p.where, MaxRanges)
		}
	}
}

// checkApart sees to it that no byte has two meanings.
func checkApart(all ...span) error {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.at < b.at+b.size && b.at < a.at+a.size {
				return fmt.Errorf("offset %#x: the %s overlaps the %s: correct the header", max(a.at, b.at), a.name, b.name)
			}
		}
	}
	return nil
}

// maxName is the length of the longest name that is read. The specification allows 31
// characters and trees in use have more; without a limit a file could have each
// of its properties named by the same megabyte.
const maxName = 255

// text returns the NUL-terminated string at the beginning of b.
func text(b []byte) (string, error) {
	n := bytes.IndexByte(b[:min(len(b), maxName+1)], 0)
	switch {
	case n >= 0:
		return string(b[:n]), nil
	case len(b) > maxName:
		return "", fmt.Errorf("the name has more than %d characters: shorten it", maxName)
	}
	return "", fmt.Errorf("the name has no end: close it with a byte of zero")
}

// checkNodeName allows the characters of 2.2.1, and the @ before a unit address.
func checkNodeName(name string) error {
	if name == "" {
		return fmt.Errorf("the node has no name: only the root has none")
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && bytes.IndexByte([]byte(",._+-@"), c) < 0 {
			return fmt.Errorf("a node cannot be called %q: use letters, digits and ,._+-@", name)
		}
	}
	return nil
}
