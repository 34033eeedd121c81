package asm

import (
	"encoding/binary"
	"math/bits"

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

// Sample runs a program so often on the machine with a memory order, each time by
// other choices, which follow from the seed. It calls found for each final state when
// it is first seen; if found answers false it ends. Err is for programs that do what
// is not supported.
func Sample(p *litmus.Program, o machine.MemoryOrder, runs int, seed uint64, found func(litmus.State) bool) (Sampled, error) {
	var out Sampled
	b, err := NewBench(p, o)
	if err != nil {
		return out, err
	}
	defer b.Close()
	states := stateSet{}
	c := &random{state: seed}
	for out.Runs < runs && !out.Ended {
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

// random answers every question with one of its options, all alike.
type random struct{ state uint64 }

// Choose answers a question.
func (r *random) Choose(c *machine.Choice) int {
	// SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	n, _ := bits.Mul64(z^z>>31, uint64(c.Options.Len()))
	return c.Options.Nth(int(n))
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
