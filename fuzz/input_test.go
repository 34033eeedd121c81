package fuzz

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseCorpus(t *testing.T) {
	in, err := ParseCorpus([]byte("go test fuzz v1\n[]byte(\"0\\x01z\")\n"))
	if err != nil || string(in) != "0\x01z" {
		t.Errorf("got %q, %v", in, err)
	}
	for _, bad := range []string{
		"", "go test fuzz v2\n[]byte(\"0\")", "go test fuzz v1\n", "go test fuzz v1\nstring(\"0\")",
		"go test fuzz v1\n[]byte(\"0)", "go test fuzz v1\n[]byte(0)", "go test fuzz v1\n[]byte(\"0\")\n[]byte(\"1\")",
	} {
		if _, err := ParseCorpus([]byte(bad)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseCorpus(f *testing.F) {
	f.Add([]byte("go test fuzz v1\n[]byte(\"0\")\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := ParseCorpus(b)
		if err != nil {
			return
		}
		again, err := ParseCorpus(fmt.Appendf(nil, "%s\n[]byte(%q)\n", corpusHeader, string(in)))
		if err != nil || string(again) != string(in) {
			t.Errorf("%q: read again as %q, %v", in, again, err)
		}
	})
}

// Every byte string is an input, and so is each with a byte less.
func FuzzInput(f *testing.F) {
	f.Add([]byte("0"))
	f.Add([]byte("10000111"))
	group := []Target{correct(), interrupted()}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := Input(b)
		s := newScript(in)
		r, err := newRunner(group[in.pick(len(group))], nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.close()
		r.run(s)
	})
}

func TestInputsScriptRuns(t *testing.T) {
	r, err := newRunner(checkThenAct(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	// Thread 0, which is the second to decide, gives way at its event 1.
	in := Input("00\x01\x01\x01")
	if f := r.tryInput(in, r.profile()); f == nil || f.Signature != "final state" {
		t.Errorf("found %+v", f)
	}
	if f := r.tryInput(Input("0"), r.profile()); f != nil {
		t.Errorf("a seed ran: %+v", f)
	}
	// It is the same every time.
	a, b := r.tryInput(in, r.profile()), r.tryInput(in, r.profile())
	if a.TraceHash != b.TraceHash {
		t.Error("an input made two different runs")
	}
	if _, f, err := ReplayInput([]Target{correct(), checkThenAct()}, Input("10"), nil); err != nil || f == nil {
		t.Errorf("replay: %v, %v", f, err)
	}
}
