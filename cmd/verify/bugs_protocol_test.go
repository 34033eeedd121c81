package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
)

// What the checker and the random tester need for each bug of a protocol. With
// STRAMASH_UPDATE=1 the file is written anew.
func TestBugsOfProtocols(t *testing.T) {
	root, err := bugs.Root(mustGetwd(t))
	if err != nil {
		t.Fatal(err)
	}
	all, err := bugs.LoadAll(filepath.Join(root, bugsDir))
	if err != nil {
		t.Fatal(err)
	}
	h := &bugHunt{a: &app{ctx: t.Context()}, root: root, effort: bugs.Effort{Seeds: 11, Operations: 1_000_000}}
	var out []shown
	for _, b := range all {
		if !b.OfProtocol() {
			continue
		}
		p, err := b.Patch(root)
		if err != nil {
			t.Fatal(err)
		}
		s := h.show(b, p)
		if s.status() != statusOK {
			t.Errorf("%s: %s, %v", b.Name, s.found(), s.err)
		}
		out = append(out, s)
	}
	var buf bytes.Buffer
	w := tabwriter.NewWriter(&buf, 0, 0, 2, ' ', 0)
	protocolBugTable(w, out)
	w.Flush()
	lines := strings.Split(buf.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got := strings.Join(lines, "\n")
	golden := filepath.Join("testdata", "protocol_bugs.txt")
	if os.Getenv("STRAMASH_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("STRAMASH_UPDATE=1 writes it anew (-want +got)\n%s", d)
	}
}
