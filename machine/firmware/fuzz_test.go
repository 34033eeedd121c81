package firmware

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func seeds(f *testing.F, of format) {
	f.Helper()
	lists := [][]Range{sample, many(3), {{0, 100, RAM}, {10, 20, Reserved}, {20, 20, Reserved}}}
	for _, m := range []Model{Separated, Shared, FullyShared} {
		x86, arm := Paper(m)
		lists = append(lists, x86, arm)
	}
	for _, list := range lists {
		b, err := of.encode(list)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
	}
}

// checkParsed holds an error to one short line, and what parses to the round trip.
func checkParsed(t *testing.T, of format, b []byte) {
	list, err := of.parse(b)
	if err != nil {
		if s := err.Error(); strings.ContainsAny(s, "\n\r") || len(s) > 2000 || !strings.HasPrefix(s, of.name+": ") {
			t.Errorf("no short line: %q", s)
		}
		return
	}
	for _, other := range formats {
		again, err := other.encode(list)
		if err != nil {
			t.Fatalf("%v parses and does not encode as %s: %v", list, other.name, err)
		}
		got, err := other.parse(again)
		if diff := cmp.Diff(list, got); err != nil || diff != "" {
			t.Fatalf("%s: %v\n%s", other.name, err, diff)
		}
		if third, err := other.encode(got); err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s: encoded twice, two tables: %v", other.name, err)
		}
	}
	checkUsable(t, list)
}

func FuzzParseE820(f *testing.F) {
	seeds(f, formats[0])
	f.Fuzz(func(t *testing.T, b []byte) { checkParsed(t, formats[0], b) })
}

func FuzzParseTree(f *testing.F) {
	seeds(f, formats[1])
	f.Add(golden())
	board, err := os.ReadFile("testdata/board.dtb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(board)
	f.Fuzz(func(t *testing.T, b []byte) { checkParsed(t, formats[1], b) })
}
