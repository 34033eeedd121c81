package protocol

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
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
	for _, s := range []*System{
		build(t, "mesi", Config{Parameters: map[string]int{"caches": 4}}),
		build(t, "mesi", Config{Parameters: map[string]int{"caches": 3}, Addresses: 2}),
		build(t, "hdmdb", Config{Parameters: map[string]int{"hosts": 3, "upgrades": 1}, Addresses: 3}),
		buildText(t, nested, Config{Parameters: map[string]int{"nodes": 3, "cores": 3}, Addresses: 2}),
		buildText(t, nested, Config{Parameters: map[string]int{"nodes": 2, "cores": 4}}),
	} {
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

// friends is a protocol whose states can hold any names: caches with friends, and a bag of
// messages that name others.
const friends = `
protocol friends
parameter caches 6 from 1 to 8
kind cache many caches
channel gossip to cache bag 3
message Tell(whom: cache) on gossip
message Ask(whom: cache) on gossip
states cache stable I
variable cache friend: cache
variable cache circle: set of cache
rules cache
I on Tell, Ask: friend := msg.whom
`

// TestCanonicalOfSymmetricStates: states of which every controller looks alike, and that
// differ in who names whom, need more than colours.
func TestCanonicalOfSymmetricStates(t *testing.T) {
	s := buildText(t, friends, Config{})
	n := len(s.controls)
	w := s.newWorker(nil)
	r := rand.New(rand.NewPCG(3, 4))
	swaps := s.permutations()
	forms, byCycles := map[string]bool{}, map[string]string{}
	for i := range 400 {
		state := make([]byte, s.size)
		perm := r.Perm(n)
		for c, f := range perm {
			state[s.controls[c].base+1] = uint8(f + 1)
		}
		if i%2 == 0 { // and each is told of three others
			for c := range s.controls {
				for _, whom := range r.Perm(n)[:3] {
					x := &s.sources[c]
					var run run
					run.s, run.state = s, state
					run.begin(state, &s.controls[c], 0)
					run.push(x.place, &s.controls[c], uint32(1+whom%2)|uint32(whom+1)<<x.forms[1].shifts[0])
				}
			}
		}
		want := bytes.Clone(state)
		w.Canonical(want)
		forms[string(want)] = true
		for _, x := range s.sources {
			if a, b := x.get(want, x.at, 0), x.get(want, x.at, 1); a > b && b != 0 {
				t.Fatalf("a bag that is not in order: %v", s.Describe(want))
			}
		}
		if cycles := lengths(perm); i%2 == 1 && byCycles[cycles] == "" {
			byCycles[cycles] = string(want)
		} else if i%2 == 1 && byCycles[cycles] != string(want) {
			t.Fatalf("two forms of cycles of %s", cycles)
		}
		for range 20 {
			swaps[r.IntN(len(swaps))](state)
			got := bytes.Clone(state)
			if w.Canonical(got); !bytes.Equal(got, want) {
				t.Fatalf("two forms\n%v\n%v", s.Describe(want), s.Describe(got))
			}
		}
	}
	if len(forms) < 200 {
		t.Errorf("%d forms of 400 states", len(forms))
	}
	if len(byCycles) < 9 {
		t.Errorf("%d of the 11 types of permutations of six", len(byCycles))
	}
}

// lengths are those of the cycles of a permutation, in order.
func lengths(perm []int) string {
	seen := make([]bool, len(perm))
	var out []int
	for i := range perm {
		n := 0
		for j := i; !seen[j]; j = perm[j] {
			seen[j] = true
			n++
		}
		if n > 0 {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}
