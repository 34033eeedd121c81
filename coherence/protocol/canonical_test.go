package protocol

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// nested is a protocol with controllers in others, sets, and names in bags of several
// messages: what the built-in ones do not have all at once.
const nested = `
protocol nested
parameter nodes 2 from 1 to 8
parameter cores 2 from 1 to 8
kind l3 many nodes
kind core many cores in l3
kind home
channel up from core to l3 bag 1 per sender
channel down to core bag 3
channel out from l3 to home bag 1 per sender
channel back to l3 fifo 2
message Get on up
message Tell(whom: core) on down
message Ask on out
message Go(node: l3) on back
states core stable I W
variable core friend: core
rules core
I on load: send Get to l3 -> W
W on load: stall
W on Tell: friend := msg.whom -> I
states l3 stable F B
variable l3 seen: set of core
variable l3 other: l3
rules l3
F on Get: add sender to seen; send Tell(sender) to seen; send Ask to home -> B
B on Get: stall
B on Go: other := msg.node; clear seen -> F
states home stable H
variable home last: l3
rules home
H on Ask: send Go(last) to sender; last := sender
`

// TestCanonical: random renumberings of states on random paths have one canonical form,
// which is itself a renumbering.
func TestCanonical(t *testing.T) {
	custom, err := Parse("nested", nested)
	if err != nil {
		t.Fatal(err)
	}
	mesi, _ := Load("mesi")
	hdmdb, _ := Load("hdmdb")
	for _, c := range []struct {
		p *Protocol
		c Config
	}{
		{mesi, Config{Parameters: map[string]int{"caches": 4}}},
		{mesi, Config{Parameters: map[string]int{"caches": 3}, Addresses: 2}},
		{hdmdb, Config{Parameters: map[string]int{"hosts": 3, "upgrades": 1}, Addresses: 3}},
		{custom, Config{Parameters: map[string]int{"nodes": 3, "cores": 3}, Addresses: 2}},
		{custom, Config{Parameters: map[string]int{"nodes": 2, "cores": 4}}},
	} {
		s, err := c.p.Build(c.c)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		w := s.newWorker(nil)
		swaps := s.permutations()
		forms := map[string]bool{}
		for range 300 {
			state := walk(w, s, r, r.IntN(40))
			want := bytes.Clone(state)
			w.Canonical(want)
			forms[string(want)] = true
			orbit := map[string]bool{string(state): true}
			for range 30 {
				swaps[r.IntN(len(swaps))](state)
				orbit[string(state)] = true
				got := bytes.Clone(state)
				if w.Canonical(got); !bytes.Equal(got, want) {
					t.Fatalf("%s: two forms\n%v\n%v\nof\n%v", s.Protocol.Name, s.Describe(want), s.Describe(got), s.Describe(state))
				}
			}
			again := bytes.Clone(want)
			if w.Canonical(again); !bytes.Equal(again, want) {
				t.Fatalf("%s: the form of the form is another", s.Protocol.Name)
			}
			if len(orbit) == 30 {
				continue
			}
			for range 100_000 {
				if orbit[string(want)] {
					break
				}
				swaps[r.IntN(len(swaps))](state)
				orbit[string(state)] = true
			}
			if !orbit[string(want)] {
				t.Fatalf("%s: the form is not in the orbit\n%v\n%v", s.Protocol.Name, s.Describe(want), s.Describe(state))
			}
		}
		if len(forms) < 50 {
			t.Errorf("%s: %d forms only: the walks are too much alike", s.Protocol.Name, len(forms))
		}
	}
}

// walk is a state after some random steps.
func walk(w *worker, s *System, r *rand.Rand, steps int) []byte {
	state := make([]byte, s.size)
	for range steps {
		var all [][]byte
		w.Next(state, func(_ transition.Step, next []byte, violated int) {
			if violated < 0 {
				all = append(all, bytes.Clone(next))
			}
		})
		if len(all) == 0 {
			break
		}
		state = all[r.IntN(len(all))]
	}
	return state
}
