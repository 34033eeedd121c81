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

// Each step has a rule, of a state and an event that the step is about; but for an
// impossible one.
func TestStepRule(t *testing.T) {
	for _, c := range []protocol.Config{
		{}, {Addresses: 2, Parameters: map[string]int{"blocks": 1, "upgrades": 1}},
	} {
		p, err := protocol.Load("hdmdb")
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Build(c)
		if err != nil {
			t.Fatal(err)
		}
		m := s.Model(nil)
		w, seen, todo := m.NewWorker(), map[string]bool{}, []string{string(m.Initial[0])}
		for len(todo) > 0 && len(seen) < 3000 {
			state := todo[0]
			todo = todo[1:]
			w.Next([]byte(state), func(x transition.Step, next []byte, _ int) {
				rule, name := s.StepRule(x, []byte(state), next), s.StepName(x)
				_, about, _ := strings.Cut(name, ": ")
				event, _, _ := strings.Cut(about, " ")
				_, says, _ := strings.Cut(rule, " on ")
				if says, _, _ = strings.Cut(says, ":"); !strings.Contains(says, event) {
					t.Fatalf("%s: %q", name, rule)
				}
				if !seen[string(next)] {
					seen[string(next)] = true
					todo = append(todo, string(next))
				}
			})
		}
		if got := s.StepRule(0, m.Initial[0], m.Initial[0]); got == "" {
			t.Error("the first step has no rule")
		}
	}
	// Of two messages with one name, the one that the next state is without.
	p, err := protocol.Parse("two.protocol", two)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(protocol.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Model(nil)
	w := m.NewWorker()
	var both []byte
	w.Next(m.Initial[0], func(_ transition.Step, next []byte, _ int) { both = append(both, next...) })
	got := map[string]bool{}
	w.Next(both[:m.Size], func(x transition.Step, next []byte, _ int) { got[s.StepRule(x, both[:m.Size], next)] = true })
	if !got["line 10: X on Note if msg.to = none: -> Y"] || !got["line 11: X on Note: -> Z"] {
		t.Errorf("the rules of both are %v", got)
	}
}

// two is a protocol in which two messages differ in what they hold.
const two = `protocol two
kind node
channel notes to node bag 2
message Note(to: node) on notes
states node stable W X Y Z
event node begin

rules node
W on begin: send Note(none) to self; send Note(self) to self -> X
X on Note if msg.to = none: -> Y
X on Note: -> Z
Y, Z on Note: -> W
`
