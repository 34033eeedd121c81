package checkers

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// The objects of the tests.
const (
	object machine.VA = 0x40
	other  machine.VA = 0x80
)

// Records of a client, which runs on the CPU of its number.

func blank(kind machine.RecordKind, client int32) machine.Record {
	return machine.Record{Kind: kind, Client: client, CPU: uint8(client), Object: object, IRQsOff: true}
}

func call(client int32, op spec.Op, args ...uint64) machine.Record {
	r := blank(machine.CallRecord, client)
	r.Op = op
	for i, a := range args {
		*[]*uint64{&r.Arg, &r.Arg2}[i] = a
	}
	return r
}

func ret(client int32, val uint64, ok bool) machine.Record {
	r := blank(machine.ReturnRecord, client)
	r.Val, r.OK = val, ok
	return r
}

func note(client int32, kind machine.NoteKind, arg uint64, flags machine.LockFlags) machine.Record {
	r := blank(machine.NoteRecord, client)
	r.Note, r.Arg, r.Arg2 = kind, arg, flags
	return r
}

func acquired(client int32) machine.Record { return note(client, machine.NoteAcquired, 0, 0) }
func released(client int32) machine.Record { return note(client, machine.NoteRelease, 0, 0) }
func wrote(client int32, v uint64) machine.Record {
	return note(client, machine.NoteWrite, v, 0)
}
func saw(client int32, v uint64) machine.Record { return note(client, machine.NoteRead, v, 0) }

// on moves records to another object.
func on(where machine.VA, records ...machine.Record) machine.History {
	for i := range records {
		records[i].Object = where
	}
	return records
}

func join(parts ...machine.History) (h machine.History) {
	for _, p := range parts {
		h = append(h, p...)
	}
	return h
}

// expectation is a test of one judge with one history. The message must
// contain all parts that are separated by "…"; with no rule, h must pass.
type expectation struct {
	name    string
	h       machine.History
	rule    string
	at      int
	message string
}

func expect(t *testing.T, j Judge, tests []expectation) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := j.Check(test.h)
			if v.Unknown != "" {
				t.Fatalf("unknown: %s", v.Unknown)
			}
			if test.rule == "" {
				if v.Violation != nil {
					t.Fatalf("violation at %d: %s", v.Violation.At, v.Violation.Message)
				}
				return
			}
			if v.Violation == nil {
				t.Fatalf("passed, want a violation of %q", test.rule)
			}
			compare(t, j, *v.Violation, test)
		})
	}
}

func compare(t *testing.T, j Judge, got Violation, want expectation) {
	t.Helper()
	if got.Judge != j.Name() || got.Rule != want.rule || got.At != want.at {
		t.Errorf("%s broke %q at %d, want %s, %q at %d",
			got.Judge, got.Rule, got.At, j.Name(), want.rule, want.at)
	}
	rest := got.Message
	for part := range strings.SplitSeq(want.message, "…") {
		_, behind, found := strings.Cut(rest, part)
		if !found {
			t.Errorf("message %q lacks %q", got.Message, part)
		}
		rest = behind
	}
}

// passes fails the test unless j finds nothing wrong with h.
func passes(t *testing.T, j Judge, h machine.History) {
	t.Helper()
	if v := j.Check(h); v.Violation != nil || v.Unknown != "" {
		t.Errorf("got %+v, want a pass", v)
	}
}

// generate records what clients do with an object that obeys s, in a random
// order: such a history is linearizable. Some operations stay in progress.
func generate(rng *rand.Rand, s spec.Spec[any], clients, ops int) machine.History {
	const idle, waiting, answered = 0, 1, 2
	type actor struct {
		phase int
		call  spec.Call
		ret   spec.Ret
	}
	var (
		h      machine.History
		state  = s.Initial
		actors = make([]actor, clients)
	)
	for range 6 * ops {
		n := rng.IntN(clients)
		a := &actors[n]
		switch a.phase {
		case idle:
			if ops == 0 {
				continue
			}
			ops--
			a.call = spec.Call{Client: n, Op: spec.Op(1 + rng.IntN(len(s.Ops))),
				Arg: rng.Uint64N(3), Arg2: rng.Uint64N(3)}
			a.phase = waiting
			h = append(h, call(int32(n), a.call.Op, a.call.Arg, a.call.Arg2))
		case waiting:
			if answers := s.Completions(nil, state, a.call); len(answers) > 0 {
				a.ret = answers[rng.IntN(len(answers))]
				state, _ = s.Step(state, a.call, a.ret)
				a.phase = answered
			}
		case answered:
			a.phase = idle
			h = append(h, ret(int32(n), a.ret.Val, a.ret.OK))
		}
	}
	return h
}

// mutate changes an answer or the order of two records in place; the history
// stays well formed, and may stay linearizable.
func mutate(rng *rand.Rand, h machine.History) {
	for range 8 {
		i := rng.IntN(len(h))
		switch r := &h[i]; rng.IntN(3) {
		case 0:
			if r.Kind == machine.ReturnRecord {
				r.OK = !r.OK
				return
			}
		case 1:
			if r.Kind == machine.ReturnRecord {
				r.Val = rng.Uint64N(3)
				return
			}
		default:
			if i > 0 && h[i-1].Client != r.Client {
				h[i-1], h[i] = h[i], h[i-1]
				return
			}
		}
	}
}
