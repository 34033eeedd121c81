package firmware

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// swapped is golden with the first old for another, and its header made right.
func swapped(old, new string) func() []byte {
	return func() []byte {
		b := golden()
		if !bytes.Contains(b, []byte(old)) {
			panic("golden does not hold " + old)
		}
		return seal(bytes.Replace(b, []byte(old), []byte(new), 1))
	}
}

// poked is golden with one word of it changed.
func poked(at int, v uint32) func() []byte {
	return func() []byte {
		b := golden()
		binary.BigEndian.PutUint32(b[at:], v)
		return b
	}
}

// made is a tree of the structure that build writes, without the FDT_END behind it.
func made(build func(*treeWriter)) func() []byte {
	return func() []byte {
		w := &treeWriter{}
		build(w)
		w.cell(tokenEnd)
		return w.blob()
	}
}

const nop = "\x00\x00\x00\x04"

var refused = []struct {
	name string
	in   func() []byte
	want string
}{
	{"short", func() []byte { return golden()[:39] }, "offset 0x27: the file ends in the header, which has 40 bytes: give the whole file"},
	{"huge", func() []byte { return make([]byte, MaxBytes+1) }, "1048577 bytes, of at most 1048576: is this a device tree?"},
	{"magic", poked(0, 0xedfe0dd0), "offset 0x0: magic 0xedfe0dd0, not 0xd00dfeed: is this a file of dtc?"},
	{"cut", func() []byte { return golden()[:100] }, "offset 0x4: the header says 223 bytes and the file has 100: give it whole and nothing behind it"},
	{"version", poked(20, 16), "offset 0x14: version 16, compatible with 16: write version 17, as dtc -V 17 does"},
	{"compatible", poked(24, 18), "offset 0x14: version 17, compatible with 18: write version 17, as dtc -V 17 does"},
	{"align", poked(8, 0x4a), "offset 0x8: the structure block begins at 0x4a, no multiple of 4: align it"},
	{"outside", poked(36, 0xffffffff), "offset 0x8: the structure block, 4294967295 bytes at 0x48, is not between the header and the end at 0xdf: correct the header"},
	{"in the header", poked(12, 4), "offset 0xc: the strings block, 43 bytes at 0x4, is not between the header and the end at 0xdf: correct the header"},
	{"overlap", poked(12, 0xb3), "offset 0xb3: the strings block overlaps the structure block: correct the header"},
	{"reservations", poked(16, 0xc8), "offset 0xd8: the memory reservation block has no end: close it with 16 bytes of zero"},
	{"end cut off", poked(36, 0x68), "offset 0xb0 in /: the structure block ends before the next token: correct its size, or end it with FDT_END"},
	{"two ends", poked(0xac, 9), "offset 0xac in /: FDT_END while a node is open: close it with FDT_END_NODE"},
	{"behind the end", swapped("\x00\x00\x00\x09#", "\x00\x00\x00\x09"+nop+"#"), "offset 0xb0 in /: 4 bytes follow FDT_END: correct the size of the structure block"},
	{"two roots", swapped("\x00\x00\x00\x09#", "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x09#"), "offset 0xb0 in /: token 0x1 behind the root: end the tree with FDT_END"},
	{"no root", poked(0x48, 2), "offset 0x48 in /: token 0x2 before the root: begin with FDT_BEGIN_NODE"},
	{"root's name", poked(0x4c, 0x41000000), `offset 0x4c in /: the root is called "A": leave its name empty`},
	{"token", poked(0x70, 5), "offset 0x70 in /: there is no token 0x5: use 1, 2, 3, 4 or 9"},
	{"no name", swapped("memory\x00\x00", "\x00\x00\x00\x00"), "offset 0x78 in /: the node has no name: only the root has none"},
	{"odd name", swapped("memory\x00\x00", "mem\nry\x00\x00"), `offset 0x78 in /: a node cannot be called "mem\nry": use letters, digits and ,._+-@`},
	{"long name", swapped("memory\x00\x00", strings.Repeat("m", 256)+"\x00\x00\x00\x00"), "offset 0x78 in /: the name has more than 255 characters: shorten it"},
	{"name without end", func() []byte { return poked(36, 0x34)() }, "offset 0x78 in /: the name has no end: close it with a byte of zero"},
	{"name without padding", poked(36, 0x37), "offset 0x78 in /: the structure block ends in a name: correct its length"},
	{"property's place", poked(0x58, 43), "offset 0x50 in /: a property's name is at 0x2b of the strings block, which has 0x2b bytes: correct one of them"},
	{"property without end", func() []byte { return seal(golden()[:len(goldenTree)-1]) }, "offset 0x94 in /memory: at 0x27 of the strings block: the name has no end: close it with a byte of zero"},
	{"property's length", poked(0x98, 7000), `offset 0x94 in /memory: property "reg" has 7000 bytes, more than are left of the structure block: correct its length`},
	{"deep", made(func(w *treeWriter) {
		w.begin("")
		for range maxDepth {
			w.begin("n")
		}
	}), "offset 0x238 in " + strings.Repeat("/n", 63) + ": nodes nest deeper than 64: make the tree flatter"},
	{"deep and long", made(func(w *treeWriter) {
		w.begin("")
		for range maxDepth {
			w.begin(strings.Repeat("n", maxName-1))
		}
	}), "offset 0x403c in …" + strings.Repeat("/"+strings.Repeat("n", maxName-1), 2) + ": nodes nest deeper than 64: make the tree flatter"},
	{"second reg", made(func(w *treeWriter) {
		w.begin("")
		w.reg(Range{0, 1, RAM})
		w.reg(Range{0, 1, RAM})
	}), `offset 0x5c in /: a second property "reg": leave one of them`},
	{"property behind a child", made(func(w *treeWriter) {
		w.begin("")
		w.begin("a")
		w.end()
		w.text("model", "x")
	}), `offset 0x4c in /: property "model" behind a child: put properties first`},
	{"no memory", made(func(w *treeWriter) { w.begin(""); w.end() }), "no range is RAM or pool: give the node memory"},
	{"cells", poked(0x5c, 3), "/memory: its parent's #address-cells or #size-cells is neither 1 nor 2: make it one of them"},
	{"reg's size", poked(0x5c, 2), "/memory: reg has 8 bytes, no multiple of 12: give 2 cells of address and 1 of size for each range"},
	{"no device_type", swapped("device_type\x00", "Device_type\x00"), `/memory: no device_type "memory": give it one, or another name`},
	{"no reg", swapped("reg\x00", "rag\x00"), "/memory: no reg: say where the memory is"},
	{"size 0", poked(0xa4, 0), "/memory: the range at 0x40000000 has size 0: give it a size or leave it out"},
	{"overflow", made(func(w *treeWriter) {
		w.begin("")
		w.cells()
		w.begin("memory@2")
		w.text("device_type", "memory")
		w.reg(Range{2, math.MaxUint64, RAM})
		w.end()
		w.end()
	}), "/memory@2: 0xffffffffffffffff bytes at 0x2 end beyond 64 bits of address: make the range smaller"},
	{"size 0 reserved", poked(0x34, 0), "memory reservation at offset 0x28: the range at 0x40001000 has size 0: give it a size or leave it out"},
	{"two memories", made(func(w *treeWriter) {
		w.begin("")
		w.cells()
		for _, name := range []string{"memory@0", "other"} {
			w.begin(name)
			w.text("device_type", "memory")
			w.reg(Range{0x10, 0x10, RAM})
			w.end()
		}
		w.end()
	}), "/other: 0x10-0x1f RAM overlaps 0x10-0x1f RAM of /memory@0: give each byte to one of them"},
	{"pool's value", made(func(w *treeWriter) {
		w.begin("")
		w.begin("memory@0")
		w.text("device_type", "memory")
		w.text("stramash,pool", "yes")
		w.end()
	}), "/memory@0: stramash,pool has a value: leave it empty"},
	{"many", made(func(w *treeWriter) {
		w.begin("")
		w.cells()
		w.begin("memory")
		w.text("device_type", "memory")
		w.prop("reg", make([]byte, 129*16))
		w.end()
		w.end()
	}), "/memory: a table has at most 128 ranges: join neighbours"},
	{"no ranges", made(reservedMemory(nil, 2, 2)), "/reserved-memory: its ranges are missing or not empty: give it an empty property ranges"},
	{"ranges", made(reservedMemory([]byte{1}, 2, 2)), "/reserved-memory: its ranges are missing or not empty: give it an empty property ranges"},
	{"other address cells", made(reservedMemory([]byte{}, 1, 2)), "/reserved-memory: its #address-cells or #size-cells differ from the root's: make them the same"},
	{"other size cells", made(reservedMemory([]byte{}, 2, 1)), "/reserved-memory: its #address-cells or #size-cells differ from the root's: make them the same"},
	{"dynamic", made(reservedMemory([]byte{}, 2, 2)), "/reserved-memory/region: no reg: say where the memory is"},
}

func TestTreesThatAreRefused(t *testing.T) {
	for _, c := range refused {
		_, err := ParseTree(c.in())
		if err == nil || err.Error() != "device tree: "+c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%s: more than a line: %q", c.name, err)
		}
	}
}

func reservedMemory(ranges []byte, address, size byte) func(*treeWriter) {
	return func(w *treeWriter) {
		w.begin("")
		w.cells()
		w.begin("reserved-memory")
		w.prop("#address-cells", []byte{0, 0, 0, address})
		w.prop("#size-cells", []byte{0, 0, 0, size})
		if ranges != nil {
			w.prop("ranges", ranges)
		}
		w.begin("region")
		w.end()
	}
}

// Every prefix of a tree is refused, whether the header has been told or not.
func TestTreeCutAnywhere(t *testing.T) {
	whole, err := EncodeTree(sample)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		cut := bytes.Clone(whole[:n])
		if _, err := ParseTree(cut); err == nil {
			t.Errorf("%d of %d bytes are a tree", n, len(whole))
		}
		if n >= treeHeaderBytes {
			binary.BigEndian.PutUint32(cut[4:], uint32(n))
			if _, err := ParseTree(cut); err == nil {
				t.Errorf("%d of %d bytes are a tree by their header", n, len(whole))
			}
		}
	}
}

// A megabyte that is made to cost: properties that are all named by one long string.
// Their names alone, were they read whole, would be 24 GB.
func TestTreeCostsWhatItsSizeSays(t *testing.T) {
	w := &treeWriter{strings: bytes.Repeat([]byte("s"), MaxBytes/2)}
	w.strings[maxName] = 0
	w.begin("")
	for len(w.structure) < MaxBytes/2-200 {
		w.cell(tokenProp)
		w.cell(0)
		w.cell(0)
	}
	w.end()
	w.cell(tokenEnd)
	b := w.blob()
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := ParseTree(b); err == nil || !strings.Contains(err.Error(), "no range is RAM") {
			t.Error(err)
		}
	})
	if allocated > 100000 {
		t.Errorf("%v allocations for %d bytes", allocated, len(b))
	}
}

// Tens of thousands of ranges are refused at the first too many, before they are kept.
func TestTreeOfTooManyRanges(t *testing.T) {
	const n = 50000
	reservations := bytes.Repeat([]byte{1}, 16*n)
	reg := &treeWriter{}
	reg.begin("")
	reg.cells()
	reg.begin("memory")
	reg.text("device_type", "memory")
	reg.prop("reg", reservations)
	reg.end()
	reg.end()
	reg.cell(tokenEnd)

	// The blob with all of the reservations between the header and what follows it.
	b := golden()
	b = append(append(bytes.Clone(b[:0x28]), reservations...), b[0x38:]...)
	for _, at := range []int{4, 8, 12} {
		binary.BigEndian.PutUint32(b[at:], binary.BigEndian.Uint32(b[at:])+16*(n-1))
	}
	for where, b := range map[string][]byte{"memory reservation at offset 0x828": b, "/memory": reg.blob()} {
		allocated := testing.AllocsPerRun(1, func() {
			want := "device tree: " + where + ": a table has at most 128 ranges: join neighbours"
			if _, err := ParseTree(b); err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
		if allocated > 1000 {
			t.Errorf("%s: %v allocations", where, allocated)
		}
	}
}
