package protocol

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var write = flag.Bool("write", false, "write doc and testdata/never.txt anew")

// TestTablesAreCurrent: doc holds the tables of each protocol as they are.
func TestTablesAreCurrent(t *testing.T) {
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("doc", name+".md"), p.Markdown())
	}
}

// golden compares with a file, which -write writes anew.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *write {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s is not current: go test ./coherence/protocol -write makes it anew (-want +got)\n%s", file, d)
	}
}

// TestTextRoundTrip: a protocol's text reads as the same protocol.
func TestTextRoundTrip(t *testing.T) {
	texts := []string{nested}
	for _, name := range Names() {
		text, _ := Text(name)
		texts = append(texts, text)
	}
	for _, text := range texts {
		p, err := Parse("x", text)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse("y", p.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, p)
		}
		if d := cmp.Diff(p.String(), q.String()); d != "" {
			t.Error(d)
		}
		a, err := p.Build(Config{Addresses: 2})
		if err != nil {
			t.Fatal(err)
		}
		b, err := q.Build(Config{Addresses: 2})
		if err != nil {
			t.Fatal(err)
		}
		if a.Murphi() != b.Murphi() {
			t.Errorf("%s: the text that was written means something else", p.Name)
		}
	}
}
