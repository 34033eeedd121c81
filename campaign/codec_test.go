package campaign

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

func sampleFinding() *fuzz.Finding {
	return &fuzz.Finding{
		Violation: fuzz.Violation{Judge: "panic", Rule: "panic", Message: "see test/x@v1:AAAA", Signature: "panic/f", Stack: []machine.Site{{Func: "f", File: "f.go", Line: 3}}},
		Target:    "test/x", Strategy: "mixed", Seed: 1<<64 - 1, Run: 2*fuzz.BlockRuns + 5, Pins: []machine.Pin{{Name: "threads", Value: 2}},
		Schedule: fuzz.Schedule{{Context: "t0@5v33", Index: 1 << 30, Visit: 2, Kind: machine.Spurious, Class: machine.SpuriousFailure, Answer: 1}},
		Threads:  2, Operations: 3, Steps: 4, TraceHash: 1<<63 + 1,
	}
}

func sampleBlock() *fuzz.Block {
	return &fuzz.Block{
		Number: 2, Runs: fuzz.BlockRuns, Steps: 9, Records: 8, TraceHash: 1<<64 - 2, Fingerprints: []uint64{1<<64 - 1, 0, 5},
		Arms:    []fuzz.ArmEarned{{Name: "pct", Runs: 3, New: 2, Found: 1}},
		Unknown: 1, UnknownWhy: "why", Findings: []*fuzz.Finding{sampleFinding()},
		Evidence: fuzz.Evidence{Conflict: true, Overlap: true, Operations: map[string]bool{"Lock of x": true, "TryLock of x": false}},
	}
}

func TestBlockRoundTrip(t *testing.T) {
	for _, want := range []*fuzz.Block{sampleBlock(), {Runs: 1}} {
		data, err := encodeBlock("c", "test/x", want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBlock(data, "c", "test/x", want.Number)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(fuzz.Block{})); diff != "" {
			t.Error(diff)
		}
	}
}

// A field that is added to a block is in the sample, too, so that it is known
// to survive.
func TestSampleIsComplete(t *testing.T) {
	for _, v := range []reflect.Value{reflect.ValueOf(*sampleBlock()), reflect.ValueOf(*sampleFinding()), reflect.ValueOf(*sampleSubtree())} {
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && v.Field(i).IsZero() {
				t.Errorf("%v has no %s", v.Type(), f.Name)
			}
		}
	}
}

func sampleSubtree() *fuzz.Subtree {
	return &fuzz.Subtree{
		Number: 3, Runs: 1, Blocked: 2, Classes: 3, States: 4, Hash: 1<<64 - 1, Steps: 5, Broken: 6, Long: 7, Guessed: "why", Records: 8, Threads: 9,
		Operations: 10, Asked: 11, Unknown: 12, UnknownWhy: "why", Evidence: sampleBlock().Evidence, Finding: sampleFinding(),
	}
}

func TestSubtreeRoundTrip(t *testing.T) {
	want := sampleSubtree()
	data, err := encodeSubtree("c", "test/x", "3-1of2", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeSubtree(data, "c", "test/x", "3-1of2", 3)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, wrong := range [][3]string{{"d", "test/x", "3-1of2"}, {"c", "test/y", "3-1of2"}, {"c", "test/x", "3"}} {
		if _, err := decodeSubtree(data, wrong[0], wrong[1], wrong[2], 3); err == nil {
			t.Errorf("%v is accepted", wrong)
		}
	}
	if _, err := decodeSubtree(data, "c", "test/x", "3-1of2", 4); err == nil {
		t.Error("another number is accepted")
	}
}

// A full block has the size that the documentation states.
func TestSizeOfABlock(t *testing.T) {
	b := sampleBlock()
	b.Findings, b.Fingerprints = nil, nil
	for i := range uint64(fuzz.BlockRuns) {
		b.Fingerprints = append(b.Fingerprints, ^i*i)
	}
	if data, err := encodeBlock("0123456789abcdef", "test/x", b); err != nil || len(data) > 44<<10 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestFindingRoundTrip(t *testing.T) {
	want := sampleFinding()
	data, err := encodeFinding("c", want, "text\nof two lines\n\n")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); !strings.HasPrefix(text, "text\nof two lines\n\nstramash-finding-v1 ") || strings.Contains(text, "@") {
		t.Errorf("%s", text)
	}
	got, err := decodeFinding(data, "c")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWrongBlocks(t *testing.T) {
	for want, change := range map[string]func(*fuzz.Block){
		"it is block 3":                       func(b *fuzz.Block) { b.Number = 3 },
		"impossible":                          func(b *fuzz.Block) { b.Runs = fuzz.BlockRuns + 1 },
		"numbers of runs and of fingerprints": func(b *fuzz.Block) { b.Runs = 2 },
		"is of \"other\"":                     func(b *fuzz.Block) { b.Findings[0].Target = "other" },
		"has no signature":                    func(b *fuzz.Block) { b.Findings[0].Signature = "" },
		"is not one of its own":               func(b *fuzz.Block) { b.Findings[0].Run = 1 },
	} {
		b := sampleBlock()
		change(b)
		data, err := encodeBlock("c", "test/x", b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeBlock(data, "c", "test/x", 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// sealed is a body with the right checksum.
func sealed(mark, body string) []byte {
	return fmt.Appendf(nil, "%s %08x %s\n", mark, crc32.ChecksumIEEE([]byte(body)), body)
}

// A small file can't ask for much memory.
func TestManyFindingsAreRefused(t *testing.T) {
	body := `{"Campaign":"c","Target":"test/x","Findings":[` + strings.Repeat("{},", 4<<20) + "{}]}"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decodeBlock(sealed(blockMark, body), "c", "test/x", 0)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err == nil || used > 64<<20 {
		t.Errorf("%v; %d MiB", err, used>>20)
	}
}

func TestEndlessRecordsAreRefused(t *testing.T) {
	f := sampleFinding()
	f.Message = strings.Repeat("x", maxSize)
	if _, err := encodeFinding("c", f, ""); err == nil || !strings.Contains(err.Error(), "is too large") {
		t.Error(err)
	}
}

// FuzzDecode: what is read without error is written so that it reads the same,
// and whatever is read does no harm.
func FuzzDecode(f *testing.F) {
	block, _ := encodeBlock("c", "test/x", sampleBlock())
	finding, _ := encodeFinding("c", sampleFinding(), "text")
	manifest, _ := (&manifest{Format: format, Strategy: "mixed", Runs: 1, Pins: []machine.Pin{{Name: "a"}}, Targets: []identity{{"t", "0"}}}).encode()
	subtree, _ := encodeSubtree("c", "test/x", "3", sampleSubtree())
	for _, data := range [][]byte{block, finding, manifest, subtree} {
		f.Add(data)
		f.Add(data[bytes.IndexByte(data, '{'):])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body := strings.ReplaceAll(string(data), "\n", " ")
		for _, in := range [][]byte{data, sealed(blockMark, body)} {
			if b, err := decodeBlock(in, "c", "test/x", 2); err == nil {
				again, err := encodeBlock("c", "test/x", b)
				if err != nil {
					t.Fatal(err)
				}
				if c, err := decodeBlock(again, "c", "test/x", 2); err != nil || !cmp.Equal(b, c, cmpopts.IgnoreUnexported(fuzz.Block{}), cmpopts.EquateEmpty()) {
					t.Errorf("%v\n%+v\n%+v", err, b, c)
				}
			}
		}
		for _, in := range [][]byte{data, sealed(findingMark, body)} {
			if x, err := decodeFinding(in, "c"); err == nil {
				again, err := encodeFinding("c", x, "")
				if err != nil {
					t.Fatal(err)
				}
				if y, err := decodeFinding(again, "c"); err != nil || !cmp.Equal(x, y, cmpopts.EquateEmpty()) {
					t.Errorf("%v\n%+v\n%+v", err, x, y)
				}
			}
		}
		for _, in := range [][]byte{data, sealed(subtreeMark, body)} {
			if x, err := decodeSubtree(in, "c", "test/x", "3", 3); err == nil {
				again, err := encodeSubtree("c", "test/x", "3", x)
				if err != nil {
					t.Fatal(err)
				}
				if y, err := decodeSubtree(again, "c", "test/x", "3", 3); err != nil || !cmp.Equal(x, y, cmpopts.EquateEmpty()) {
					t.Errorf("%v\n%+v\n%+v", err, x, y)
				}
			}
		}
		if m, err := decodeManifest(data); err == nil {
			again, err := m.encode()
			if err != nil {
				t.Fatal(err)
			}
			if n, err := decodeManifest(again); err != nil || n.id() != m.id() || n.Runs != m.Runs {
				t.Errorf("%v\n%+v\n%+v", err, m, n)
			}
		}
	})
}
