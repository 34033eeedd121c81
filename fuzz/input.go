package fuzz

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/machine"
)

// Input is a small program of choices in bytes, for fuzzers that mutate bytes.
// Every byte string is one, and deleting a byte leaves one. The first byte
// picks the target of a group, the second the variant of the random runs behind
// the scripted one; without the second nothing is run, because go test keeps
// no file of a seed input that fails, and so seeds must not. Each three bytes
// that follow are one scripted choice:
//
//	context  which context decides, by its number
//	index    at which of its events, modulo 64
//	answer   which option, modulo how many there are
type Input []byte

// inputRuns is how many random runs one input stands for besides its scripted
// one: an execution of the fuzzer costs as much as ten runs.
const inputRuns = 64

// at is byte i, or '0' beyond the end.
func (in Input) at(i int) byte {
	if i < len(in) {
		return in[i]
	}
	return '0'
}

// pick is the number of the target in a group of n that the input is for.
func (in Input) pick(n int) int { return int(in.at(0)-'0') % n }

// script answers the choices that an input describes.
type script struct {
	answers  map[[2]byte]byte
	contexts []machine.ContextName
}

// maxScript bounds the scripted choices of an input.
const maxScript = 1 << 10

func newScript(in Input) *script {
	s := &script{answers: map[[2]byte]byte{}}
	for i := 2; i+2 < len(in) && len(s.answers) < maxScript; i += 3 {
		s.answers[[2]byte{in[i] & 7, in[i+1] & 63}] = in[i+2]
	}
	return s
}

// number gives contexts numbers in the order in which they first decide.
func (s *script) number(name machine.ContextName) byte {
	for i, n := range s.contexts {
		if n == name {
			return byte(i & 7)
		}
	}
	s.contexts = append(s.contexts, name)
	return byte((len(s.contexts) - 1) & 7)
}

func (s *script) Choose(c *machine.Choice) int {
	a, ok := s.answers[[2]byte{s.number(c.Context), byte(c.Index & 63)}]
	if !ok {
		return int(c.Plain)
	}
	return c.Options.Nth(int(a) % c.Options.Len())
}

// tryInput runs what an input stands for, and answers the first violation.
func (r *runner) tryInput(in Input, p *Profile) *Finding {
	if len(in) < 2 {
		return nil
	}
	if v := r.run(newScript(in)); v.violation != nil {
		f := r.finding(v)
		f.Strategy = "input"
		return f
	}
	s := newPortfolio()
	for run := range uint64(inputRuns) {
		seed := inputSeed(in)
		s.Start(Plan{Seed: seed, Run: run, Profile: p})
		if v := r.run(s); v.violation != nil {
			f := r.finding(v)
			f.Strategy, f.Seed, f.Run = DefaultStrategy, seed, run
			return f
		}
	}
	return nil
}

// inputSeed hashes an input, so that each one tries other runs.
func inputSeed(in Input) uint64 {
	h := uint64(len(in))
	for _, b := range in {
		h = scramble(h ^ uint64(b))
	}
	return h
}

// ReplayInput runs what an input stands for on the target that it picks. The
// finding is nil if no run has a violation.
func ReplayInput(group []Target, in Input, w *Watchdog) (Target, *Finding, error) {
	if len(group) == 0 {
		return Target{}, nil, errors.New("no targets to replay on")
	}
	t := group[in.pick(len(group))]
	r, err := newRunner(t, nil, w)
	if err != nil {
		return t, nil, err
	}
	defer r.close()
	return t, r.tryInput(in, r.profile()), nil
}

const corpusHeader = "go test fuzz v1"

// ParseCorpus reads a corpus file of go test -fuzz for a fuzz function with one
// argument of type []byte. The error says in one line what is wrong with it.
func ParseCorpus(file []byte) (Input, error) {
	head, rest, _ := strings.Cut(strings.TrimSpace(string(file)), "\n")
	if strings.TrimSpace(head) != corpusHeader {
		return nil, fmt.Errorf("corrupt corpus file: line 1 must be %q", corpusHeader)
	}
	line := strings.TrimSpace(rest)
	quoted, ok := strings.CutPrefix(line, "[]byte(")
	quoted, ok2 := strings.CutSuffix(quoted, ")")
	if !ok || !ok2 || strings.Contains(line, "\n") {
		return nil, errors.New(`corrupt corpus file: line 2 must be one []byte("...") and nothing may follow`)
	}
	s, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, errors.New("corrupt corpus file: line 2 does not hold a quoted string")
	}
	return Input(s), nil
}
