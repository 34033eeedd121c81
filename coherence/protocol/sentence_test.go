package protocol_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/model/transition"
)

// checkText checks a protocol of two caches and one line.
func checkText(t *testing.T, text string) (*protocol.System, transition.Result) {
	t.Helper()
	p, err := protocol.Parse("one.protocol", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(protocol.Config{})
	if err != nil {
		t.Fatal(err)
	}
	o := transition.Options{Workers: 1, Quiescence: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited}
	r, err := transition.Check(context.Background(), s.Model(nil), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// Each property is violated by a mistake of its own, and the sentence says how.
func TestSentence(t *testing.T) {
	data, err := os.ReadFile("testdata/one.protocol")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if _, r := checkText(t, text); r.Verdict != transition.Holds {
		t.Fatalf("without a mistake: %+v", r)
	}
	for _, c := range []struct{ right, wrong, property, sentence string }{
		{"; value := 0 -> I", "", "single writer", "cache0 (M) and cache1 (M) may write at the same time"},
		{"value := 0 -> I", "value := 0", "data value", "cache0 (M) may read 0, but 1 was written last"},
		{"W on load, store, Recall", "W on load, store", "impossible event", "Recall arrives at cache0 in state W, and the table has no rule for that"},
		{"send Back(value) to memory;", "send Back(value) to memory; send Back(value) to memory;", "overflow",
			"cache0: Recall arrives: then there is a message that its channel has no room for, or a number that its variable or field has none for"},
		{"Here on Get: owner := sender;", "Here on Get:", "no receiver", "memory: Get arrives from cache1: then a message is sent to a controller that is none"},
		{"; send Data(content) to owner", "", transition.Deadlock, ""},
	} {
		s, r := checkText(t, strings.Replace(text, c.right, c.wrong, 1))
		if r.Property != c.property || len(r.Trace) < 2 {
			t.Errorf("%s instead of %s: %+v", c.wrong, c.right, r)
			continue
		}
		last := r.Trace[len(r.Trace)-1]
		if got := s.Sentence(r.Property, last.ID, r.Trace[len(r.Trace)-2].State, last.State); got != c.sentence {
			t.Errorf("%s instead of %s: %s", c.wrong, c.right, got)
		}
	}
}
