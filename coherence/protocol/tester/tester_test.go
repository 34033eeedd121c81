package tester_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/coherence/protocol/tester"
)

// system is a protocol in which some words of its text are changed.
func system(t testing.TB, name string, parameters map[string]int, changes ...string) *protocol.System {
	t.Helper()
	text, err := protocol.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(text, changes[i]) != 1 {
			t.Fatalf("%q is not once in the table of %s", changes[i], name)
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	p, err := protocol.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(protocol.Config{Parameters: parameters, Values: 255})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t testing.TB, s *protocol.System, o tester.Options) tester.Result {
	t.Helper()
	r, err := tester.Run(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestProtocolsPass(t *testing.T) {
	for _, c := range []struct {
		name       string
		parameters map[string]int
	}{
		{"mesi", map[string]int{"caches": 1}},
		{"mesi", map[string]int{"caches": 3}},
		{"mesi", map[string]int{"caches": 8, "forwards": 8}},
		{"hdmdb", map[string]int{"hosts": 3}},
		{"hdmdb", map[string]int{"hosts": 3, "upgrades": 1}},
		{"hdmdb", map[string]int{"hosts": 4, "upgrades": 1, "blocks": 1}},
	} {
		t.Run(fmt.Sprint(c.name, c.parameters), func(t *testing.T) {
			r := run(t, system(t, c.name, c.parameters), tester.Options{Operations: 20_000, Seed: 3})
			if r.Violation != nil {
				t.Errorf("%v\n%s", r.Violation, strings.Join(r.Steps, "\n"))
			}
			if r.Operations < 20_000 || r.Rounds == 0 || c.parameters["caches"] != 1 && r.Messages < r.Operations {
				t.Errorf("%d operations and %d messages in %d rounds", r.Operations, r.Messages, r.Rounds)
			}
		})
	}
}

// What each judge is there for, found by it.
func TestBrokenTables(t *testing.T) {
	for name, c := range map[string]struct {
		loadsOnly bool
		property  string
		changes   []string
	}{
		"stale load":         {true, "data value", []string{"memory := msg.value -> S", "-> S"}},
		"two writers":        {false, "single writer", []string{"SM_AD on Inv: send Inv-Ack to msg.requester; value := 0 -> IM_AD", "SM_AD on Inv: send Inv-Ack to msg.requester"}},
		"cache that sticks":  {true, "deadlock", []string{"I, E, M on PutM, PutE: send Put-Ack to sender", "I, E, M on PutM, PutE: owner := owner"}},
		"access that sticks": {true, "deadlock", []string{"S_D on Data-Dir: memory := msg.value -> S", "S_D on Data-Dir: memory := msg.value"}},
		"store that never is": {true, "deadlock", []string{"IM_AD, SM_AD on Data if acks + msg.acks = 0: value := msg.value; acks := 0 -> M", "IM_AD, SM_AD on Data if acks + msg.acks = 0: value := msg.value; acks := 0 -> I",
			"E, M on GetM: send Fwd-GetM(sender) to owner; owner := sender -> M", "E, M on GetM: send Data(memory, 0) to sender"}},
		"impossible message":    {true, "impossible event", []string{"IS_D on Data: value := msg.value -> S\n", ""}},
		"message to nobody":     {true, "no receiver", []string{"I on GetS: send Data-E(memory) to sender; owner := sender -> E", "I on GetS: send Data-E(memory) to sender -> E"}},
		"channel that is small": {true, "overflow", []string{"channel forward to cache fifo forwards", "channel forward to cache fifo 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := system(t, "mesi", nil, c.changes...)
			r := run(t, s, tester.Options{Operations: 20_000, LoadsOnly: c.loadsOnly})
			if r.Violation == nil {
				t.Fatal("nothing was found")
			}
			if r.Violation.Property != c.property {
				t.Errorf("%v, want %s", r.Violation, c.property)
			}
			if len(r.Steps) == 0 || len(r.Line) == 0 {
				t.Fatal("it is not told what happened")
			}
			last := "0"
			for _, x := range r.Steps {
				if _, v, ok := strings.Cut(x, "the line is now #"); ok {
					last = v
				}
			}
			if got := r.Line[len(r.Line)-1]; got.Name != "written last" || got.Value != last {
				t.Errorf("in the end %v, want %s", got, last)
			}
		})
	}
}

// TestWritersWhoCantRead: two copies that may be written, and not read, are two writers.
func TestWritersWhoCantRead(t *testing.T) {
	text, err := os.ReadFile("../testdata/one.protocol")
	if err != nil {
		t.Fatal(err)
	}
	p, err := protocol.Parse("one", strings.NewReplacer(
		"M on load, store: hit\n", "M on store: hit\nM on load: -> L\nL on store: stall\nL on load: hit\nL on evict: -> M\nL on Recall: send Back(value) to memory; value := 0 -> I\n",
		"stable I M", "stable I M L", "M on Recall: send Back(value) to memory; value := 0 -> I\n", "M on Recall: send Back(value) to memory\n",
	).Replace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(protocol.Config{Values: 255})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for seed := range uint64(20) {
		if v := run(t, s, tester.Options{Operations: 20_000, Seed: seed}).Violation; v != nil {
			found[v.Property] = true
		}
	}
	if len(found) != 1 || !found["single writer"] {
		t.Errorf("found %v", found)
	}
}

func TestDependsOnTheSeedOnly(t *testing.T) {
	s := system(t, "mesi", nil, "SM_AD on Inv: send Inv-Ack to msg.requester; value := 0 -> IM_AD", "SM_AD on Inv: send Inv-Ack to msg.requester")
	first := run(t, s, tester.Options{Operations: 100_000, Seed: 7})
	if d := cmp.Diff(first, run(t, s, tester.Options{Operations: 100_000, Seed: 7})); d != "" || first.Violation == nil {
		t.Errorf("violation %v; the same seed again: (-first +again)\n%s", first.Violation, d)
	}
	if other := run(t, s, tester.Options{Operations: 100_000, Seed: 8}); cmp.Equal(first.Steps, other.Steps) {
		t.Error("another seed tests the same")
	}
}

// All rules that a complete exploration uses are used by the tester, too.
func TestUsesEveryRule(t *testing.T) {
	s := system(t, "mesi", nil)
	r := run(t, s, tester.Options{Operations: 200_000, Seed: 1})
	for i, x := range s.Rules() {
		if r.Used[i] == 0 {
			t.Errorf("line %d, %s in %s on %s was never used: %s", x.Line, x.Kind, x.State, x.Event, x.Text)
		}
	}
}

func TestWrongUse(t *testing.T) {
	p, err := protocol.Load("mesi")
	if err != nil {
		t.Fatal(err)
	}
	small, err := p.Build(protocol.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		s *protocol.System
		o tester.Options
	}{
		"ask for at least one":                            {system(t, "mesi", nil), tester.Options{}},
		"1 address and 64 or more values, not of 1 and 2": {small, tester.Options{Operations: 1}},
	} {
		if _, err := tester.Run(context.Background(), c.s, c.o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tester.Run(ctx, system(t, "mesi", nil), tester.Options{Operations: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a cancelled test", err)
	}
}

func BenchmarkRun(b *testing.B) {
	s := system(b, "mesi", nil)
	for b.Loop() {
		run(b, s, tester.Options{Operations: 1000})
	}
}
