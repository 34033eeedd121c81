package asm

import (
	"encoding/binary"
	"math/bits"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/litmus"
)

// Sampled is what Sample did.
type Sampled struct {
	Runs   int  // that it made
	Cut    int  // of these, the runs in which a loop was cut short
	Ended  bool // the caller has seen enough
	States int  // different ones
}

// Sample runs a program so often on the machine with a memory order and a storage, each time by
// other choices, which follow from the seed. It calls found for each final state when
// it is first seen; if found answers false it ends. Err is for programs that do what
// is not supported.
func Sample(p *litmus.Program, o machine.MemoryOrder, storage *protocol.Protocol, runs int, seed uint64, found func(litmus.State) bool) (Sampled, error) {
	var out Sampled
	b, err := NewBench(p, o, storage)
	if err != nil {
		return out, err
	}
	defer b.Close()
	states := stateSet{}
	c := &random{state: seed}
	for out.Runs < runs && !out.Ended {
		c.begin()
		s, cut, err := b.Run(c)
		if err != nil {
			return out, err
		}
		out.Runs++
		switch {
		case cut:
			out.Cut++
		case states.add(s):
			out.States++
			out.Ended = !found(s)
		}
	}
	return out, nil
}

// random answers all questions but who moves with one of their options, all alike.
// Who moves is as the weights of the agents have it, which are drawn for each run:
// some threads and some store buffers are fast, and others slow. With the same weight
// for all, long delays that a state of four threads needs are rare: 10,000 runs of each
// of a tenth of herd's tests reach 2,331 of the 2,344 states that Reach finds, and
// with the same weights 2,316.
type random struct {
	state   uint64
	weights uint64 // two bits of each agent
}

// begin draws what is drawn for each run.
func (r *random) begin() { r.weights = r.next() }

// next is SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// Choose answers a question.
func (r *random) Choose(c *machine.Choice) int {
	if c.Kind != machine.Move {
		return c.Options.Nth(r.below(c.Options.Len()))
	}
	total := 0
	for o := c.Options; o != 0; o = o.Rest() {
		total += r.weight(c, o.First())
	}
	x, o := r.below(total), c.Options
	for {
		if x -= r.weight(c, o.First()); x < 0 {
			return o.First()
		}
		o = o.Rest()
	}
}

// weight is 1, 4, 16 or 64. In three runs of four messages arrive promptly: a line that
// takes long to come keeps its CPU from what the test is about.
func (r *random) weight(c *machine.Choice, agent int) int {
	if r.weights>>62 != 0 && c.Agent(agent).IsCache() {
		return 1 << 12
	}
	return 1 << (2 * (r.weights >> (2 * uint(agent) % 64) & 3))
}

// stateSet is a set of final states.
type stateSet map[string]struct{}

// add says whether the state was not in the set.
func (s stateSet) add(st litmus.State) bool {
	var buf [128]byte
	key := buf[:0]
	for _, x := range st {
		key = binary.AppendUvarint(key, x)
	}
	if _, ok := s[string(key)]; ok {
		return false
	}
	s[string(key)] = struct{}{}
	return true
}
