package firmware

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// format is an encoder with its parser: both hold the same.
type format struct {
	name   string
	encode func([]Range) ([]byte, error)
	parse  func([]byte) ([]Range, error)
}

var formats = []format{{"e820", EncodeE820, ParseE820}, {"device tree", EncodeTree, ParseTree}}

// sample has all kinds, out of order, and Reserved over RAM.
var sample = []Range{
	{4 << 30, 4 << 30, Pool}, {0, 3 << 29, RAM}, {0xa0000, 0x60000, Reserved}, {0, 0x1000, Reserved},
}

var sampleSorted = []Range{
	{0, 3 << 29, RAM}, {0, 0x1000, Reserved}, {0xa0000, 0x60000, Reserved}, {4 << 30, 4 << 30, Pool},
}

func TestRoundTrip(t *testing.T) {
	last := []Range{{0, 1, RAM}, {math.MaxUint64 - 1, 1, Pool}}
	for _, f := range formats {
		for in, want := range map[*[]Range][]Range{&sample: sampleSorted, &last: last} {
			b, err := f.encode(*in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.parse(b)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", f.name, err, diff)
			}
		}
	}
}

func TestReservedRangesThatOverlapAreJoined(t *testing.T) {
	in := []Range{{0, 100, RAM}, {10, 20, Reserved}, {20, 5, Reserved}, {29, 11, Reserved}, {40, 5, Reserved}}
	want := []Range{{0, 100, RAM}, {10, 30, Reserved}, {40, 5, Reserved}}
	for _, f := range formats {
		b, err := f.encode(in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.parse(b)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", f.name, err, diff)
		}
	}
}

// many has n ranges that touch.
func many(n int) []Range {
	out := make([]Range, n)
	for i := range out {
		out[i] = Range{uint64(i) * 4096, 4096, RAM}
	}
	return out
}

func TestListsThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		in         []Range
	}{
		{"nothing", "no range is RAM or pool: give the node memory", nil},
		{"no RAM", "no range is RAM or pool: give the node memory", []Range{{0, 1, Reserved}}},
		{"empty", "range 1: the range at 0x10 has size 0: give it a size or leave it out", []Range{{0, 1, RAM}, {16, 0, Reserved}}},
		{"wraps", "range 0: 0x2 bytes at 0xffffffffffffffff end beyond 64 bits of address: make the range smaller", []Range{{math.MaxUint64, 2, RAM}}},
		{"ends at 2^64", "range 0: 0x1 bytes at 0xffffffffffffffff end beyond 64 bits of address: make the range smaller", []Range{{math.MaxUint64, 1, RAM}}},
		{"overlap", "range 0: 0x1fff-0x2ffe RAM overlaps 0x1000-0x1fff pool of range 1: give each byte to one of them", []Range{{0x1fff, 0x1000, RAM}, {0x1000, 0x1000, Pool}}},
		{"many", "range 128: a table has at most 128 ranges: join neighbours", many(129)},
		{"kind", "range 0: there is no kind 3: use RAM, Reserved or Pool", []Range{{0, 1, 3}}},
	} {
		for _, f := range formats {
			if _, err := f.encode(c.in); err == nil || err.Error() != f.name+": "+c.want {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if _, err := Usable(c.in); err == nil || err.Error() != "usable memory: "+c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, f := range formats {
		b, err := f.encode(many(MaxRanges))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.parse(b); err != nil || len(got) != MaxRanges {
			t.Errorf("%s: %d of %d ranges: %v", f.name, len(got), MaxRanges, err)
		}
	}
}

func entry(base, size uint64, kind uint32) []byte {
	b := binary.LittleEndian.AppendUint64(nil, base)
	b = binary.LittleEndian.AppendUint64(b, size)
	return binary.LittleEndian.AppendUint32(b, kind)
}

// What QEMU gives a PC of 2 GB, and a pool: bytes as in struct boot_params.
func TestE820Golden(t *testing.T) {
	golden := "\x00\x00\x00\x00\x00\x00\x00\x00\x00\xfc\x09\x00\x00\x00\x00\x00\x01\x00\x00\x00" +
		"\x00\xfc\x09\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00" +
		"\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\xf0\x7f\x00\x00\x00\x00\x01\x00\x00\x00" +
		"\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xef"
	want := []Range{
		{0, 0x9fc00, RAM}, {0x9fc00, 0x400, Reserved}, {0x100000, 0x7ff00000, RAM}, {4 << 30, 4 << 30, Pool},
	}
	got, err := ParseE820([]byte(golden))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if b, err := EncodeE820(want); err != nil || string(b) != golden {
		t.Errorf("%x, %v", b, err)
	}
}

func TestE820Types(t *testing.T) {
	for kind, want := range map[uint32]Kind{2: Reserved, 3: Reserved, 4: Reserved, 5: Reserved, 7: Reserved, 1: RAM, 0xefffffff: Pool} {
		got, err := ParseE820(append(entry(0, 10, 1), entry(20, 10, kind)...))
		if err != nil || got[1].Kind != want {
			t.Errorf("type %d: %v, %v", kind, got, err)
		}
	}
}

func TestE820ThatIsRefused(t *testing.T) {
	ram := string(entry(0, 0x1000, 1))
	for _, c := range []struct{ in, want string }{
		{"", "no range is RAM or pool: give the node memory"},
		{ram + ram[:19], "offset 0x14: 19 bytes are no whole entry: give 20 for each"},
		{ram + string(entry(0x1000, 1, 6)), "offset 0x24: unknown type 0x6: use 1 to 5, 7 or 0xefffffff"},
		{ram + string(entry(0x1000, 0, 1)), "offset 0x14: the range at 0x1000 has size 0: give it a size or leave it out"},
		{ram + string(entry(0xfff, 1, 1)), "offset 0x14: 0xfff-0xfff RAM overlaps 0x0-0xfff RAM of offset 0x0: give each byte to one of them"},
		{ram + string(entry(2, math.MaxUint64, 2)), "offset 0x14: 0xffffffffffffffff bytes at 0x2 end beyond 64 bits of address: make the range smaller"},
		{strings.Repeat(ram, 129), "offset 0xa00: 129 entries, of at most 128: join neighbours"},
		{strings.Repeat("x", MaxBytes+1), "1048577 bytes, of at most 1048576: is this an e820 map?"},
	} {
		if _, err := ParseE820([]byte(c.in)); err == nil || err.Error() != "e820: "+c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestUsable(t *testing.T) {
	for _, c := range []struct{ in, want []Range }{
		{sample, []Range{{0x1000, 0x9f000, RAM}, {0x100000, 3<<29 - 0x100000, RAM}, {4 << 30, 4 << 30, Pool}}},
		{[]Range{{0, 10, RAM}, {10, 10, RAM}, {20, 10, Pool}, {30, 10, Pool}}, []Range{{0, 20, RAM}, {20, 20, Pool}}},
		{[]Range{{0, 10, RAM}, {10, 10, RAM}, {8, 4, Reserved}}, []Range{{0, 8, RAM}, {12, 8, RAM}}},
		{[]Range{{5, 10, RAM}, {0, 20, Reserved}}, nil},
		{[]Range{{0, 10, RAM}, {20, 5, Reserved}}, []Range{{0, 10, RAM}}},
		{[]Range{{5, 10, RAM}, {0, 5, Reserved}, {15, 5, Reserved}}, []Range{{5, 10, RAM}}},
	} {
		got, err := Usable(c.in)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%v: %v\n%s", c.in, err, diff)
		}
		checkUsable(t, c.in)
	}
}

// checkUsable asks of the addresses at and beside each bound what they are for, by the
// meaning of the words and not by intervals.
func checkUsable(t *testing.T, in []Range) {
	t.Helper()
	got, err := Usable(in)
	if err != nil {
		t.Fatal(err)
	}
	at := func(list []Range, address uint64, k Kind) bool {
		for _, r := range list {
			if r.Kind == k && address >= r.Base && address-r.Base < r.Size {
				return true
			}
		}
		return false
	}
	for _, r := range in {
		for _, a := range []uint64{r.Base - 1, r.Base, r.end() - 1, r.end()} {
			for _, k := range []Kind{RAM, Pool} {
				if want := at(in, a, k) && !at(in, a, Reserved); at(got, a, k) != want {
					t.Errorf("%v: %#x is usable as %v: %v", in, a, k, !want)
				}
			}
		}
	}
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		if b.Base < a.end() || b.Base == a.end() && a.Kind == b.Kind {
			t.Errorf("%v: %v and %v are not joined or not in order", in, a, b)
		}
	}
}

func TestPaperMaps(t *testing.T) {
	const page, video, rest = 0x1000, 0xa0000, 0x100000
	type span struct{ from, to float64 } // GB
	for _, c := range []struct {
		model            Model
		x86, arm, shared []span
	}{
		{Separated, []span{{0, 1.5}, {4, 6}}, []span{{1.5, 3}, {6, 8}}, nil},
		{Shared, []span{{0, 1.5}}, []span{{1.5, 3}}, []span{{4, 8}}},
		{FullyShared, []span{{0, 3}, {4, 8}}, []span{{0, 3}, {4, 8}}, nil},
	} {
		list := func(ram []span) []Range {
			var out []Range
			for i, s := range append(append([]span{}, ram...), c.shared...) {
				kind := RAM
				if i >= len(ram) {
					kind = Pool
				}
				base, end := uint64(s.from*(1<<30)), uint64(s.to*(1<<30))
				if base == 0 {
					out = append(out, Range{page, video - page, kind})
					base = rest
				}
				out = append(out, Range{base, end - base, kind})
			}
			return out
		}
		x86, arm := Paper(c.model)
		for i, maps := range [][2][]Range{{x86, list(c.x86)}, {arm, list(c.arm)}} {
			got, err := Usable(maps[0])
			if diff := cmp.Diff(maps[1], got); err != nil || diff != "" {
				t.Errorf("%s, node %d: %v\n%s", c.model, i, err, diff)
			}
			for _, f := range formats {
				b, err := f.encode(maps[0])
				if err != nil {
					t.Fatal(err)
				}
				if got, err := f.parse(b); err != nil || cmp.Diff(maps[0], got) != "" {
					t.Errorf("%s as %s: %v, %v", c.model, f.name, got, err)
				}
			}
		}
		if m, err := ParseModel(string(c.model)); err != nil || m != c.model {
			t.Errorf("%q: %q, %v", c.model, m, err)
		}
	}
	x86, _ := Paper(Separated)
	low := []Range{{0, page, Reserved}, {page, video - page, RAM}, {video, rest - video, Reserved}}
	if diff := cmp.Diff(low, x86[:3]); diff != "" {
		t.Errorf("the first MB: %s", diff)
	}
	if x86, arm := Paper("none"); x86 != nil || arm != nil {
		t.Error("a model that there is not has a map")
	}
	if _, err := ParseModel("fully"); err == nil {
		t.Error("fully is a model")
	}
}
