package firmware

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A tree written by hand: a root with cells of one word, RAM at 0x40000000, a
// NOP, a reservation in the block of reservations.
const goldenTree = "\xd0\x0d\xfe\xed" + "\x00\x00\x00\xdf" + "\x00\x00\x00\x48" + "\x00\x00\x00\xb4" + "\x00\x00\x00\x28" +
	"\x00\x00\x00\x11" + "\x00\x00\x00\x10" + "\x00\x00\x00\x00" + "\x00\x00\x00\x2b" + "\x00\x00\x00\x6c" +
	"\x00\x00\x00\x00\x40\x00\x10\x00" + "\x00\x00\x00\x00\x00\x00\x20\x00" + // at 0x28: reservations
	"\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x01" + "\x00\x00\x00\x00" + // at 0x48: the root
	"\x00\x00\x00\x03" + "\x00\x00\x00\x04" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01" +
	"\x00\x00\x00\x03" + "\x00\x00\x00\x04" + "\x00\x00\x00\x0f" + "\x00\x00\x00\x01" +
	"\x00\x00\x00\x04" + // at 0x70: NOP
	"\x00\x00\x00\x01" + "memory\x00\x00" +
	"\x00\x00\x00\x03" + "\x00\x00\x00\x07" + "\x00\x00\x00\x1b" + "memory\x00\x00" +
	"\x00\x00\x00\x03" + "\x00\x00\x00\x08" + "\x00\x00\x00\x27" + "\x40\x00\x00\x00" + "\x20\x00\x00\x00" +
	"\x00\x00\x00\x02" + "\x00\x00\x00\x02" + "\x00\x00\x00\x09" +
	"#address-cells\x00" + "#size-cells\x00" + "device_type\x00" + "reg\x00"

func golden() []byte { return []byte(goldenTree) }

// seal writes the sizes and places of the blocks into the header of a changed golden.
func seal(b []byte) []byte {
	binary.BigEndian.PutUint32(b[4:], uint32(len(b)))
	strings := uint32(bytes.Index(b, []byte("#address-cells")))
	binary.BigEndian.PutUint32(b[12:], strings)
	binary.BigEndian.PutUint32(b[32:], uint32(len(b))-strings)
	binary.BigEndian.PutUint32(b[36:], strings-0x48)
	return b
}

func TestTreeGolden(t *testing.T) {
	want := []Range{{0x40000000, 0x20000000, RAM}, {0x40001000, 0x2000, Reserved}}
	got, err := ParseTree(golden())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// What EncodeTree writes for one range, byte by byte.
func TestTreeGoldenWritten(t *testing.T) {
	b, err := EncodeTree([]Range{{4 << 30, 1 << 30, Pool}})
	if err != nil {
		t.Fatal(err)
	}
	structure := "\x00\x00\x00\x01\x00\x00\x00\x00" +
		"\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x02" +
		"\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x0f\x00\x00\x00\x02" +
		"\x00\x00\x00\x03\x00\x00\x00\x11\x00\x00\x00\x1bfusedos,stramash\x00\x00\x00\x00" +
		"\x00\x00\x00\x03\x00\x00\x00\x18\x00\x00\x00\x26Stramash simulated node\x00" +
		"\x00\x00\x00\x01memory@100000000\x00\x00\x00\x00" +
		"\x00\x00\x00\x03\x00\x00\x00\x07\x00\x00\x00\x2cmemory\x00\x00" +
		"\x00\x00\x00\x03\x00\x00\x00\x10\x00\x00\x00\x38" +
		"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00" +
		"\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x3c" +
		"\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x09"
	names := "#address-cells\x00#size-cells\x00compatible\x00model\x00device_type\x00reg\x00stramash,pool\x00"
	if got := string(b[56:]); got != structure+names {
		t.Errorf("got  %q\nwant %q", got, structure+names)
	}
}

// Cells that are not given, the two words for yes, other words for no, and a node that is
// called memory where memory cannot be.
func TestTreeByTheRules(t *testing.T) {
	w := &treeWriter{}
	node := func(name, status string, base byte) {
		w.begin(name)
		w.text("device_type", "memory")
		w.prop("reg", []byte{0, 0, 0, base, 0, 0, 0, 0, 0, 0, 16, 0})
		if status != "" {
			w.text("status", status)
		}
	}
	w.begin("")
	for i, status := range []string{"", "okay", "ok", "fail"} {
		node(fmt.Sprintf("memory@%x", i<<32), status, byte(i))
		w.end()
	}
	w.begin("bus")
	node("memory@900000000", "", 9)
	w.end()
	w.end()
	w.end()
	w.cell(tokenEnd)
	want := []Range{{0, 4096, RAM}, {1 << 32, 4096, RAM}, {2 << 32, 4096, RAM}}
	got, err := ParseTree(w.blob())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// boardRanges is what testdata/board.dts says.
var boardRanges = []Range{
	{0x60000000, 0x40000000, RAM}, {0x60000000, 0x20000, Reserved}, {0x90000000, 0x4000000, Reserved},
	{0x180000000, 0x80000000, RAM}, {0x200000000, 0x80000000, Pool},
}

func TestTreeOfDtc(t *testing.T) {
	b, err := os.ReadFile("testdata/board.dtb")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseTree(b)
	if diff := cmp.Diff(boardRanges, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// dtc runs the compiler of the device tree's own project.
func dtc(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("dtc"); errors.Is(err, exec.ErrNotFound) {
		t.Skip("dtc is not installed (apt-get install device-tree-compiler): its trees are not compared with ours")
	}
	cmd := exec.Command("dtc", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("dtc %s: %v\n%s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out
}

func TestDtcAgain(t *testing.T) {
	got, err := ParseTree(dtc(t, nil, "-q", "-I", "dts", "-O", "dtb", "testdata/board.dts"))
	if diff := cmp.Diff(boardRanges, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, model := range []Model{Separated, Shared, FullyShared} {
		x86, arm := Paper(model)
		for _, list := range [][]Range{x86, arm, sampleSorted} {
			ours, err := EncodeTree(list)
			if err != nil {
				t.Fatal(err)
			}
			source := dtc(t, ours, "-I", "dtb", "-O", "dts") // a warning is an error
			theirs := dtc(t, source, "-I", "dts", "-O", "dtb")
			if !bytes.Equal(ours, theirs) {
				t.Errorf("%s: dtc writes another blob than EncodeTree for\n%s", model, source)
			}
		}
	}
}
