package checkers

import (
	"context"
	"errors"
	"hash/maphash"
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Answer is the output of an operation in a [Porcupine] model.
type Answer struct {
	Ret  spec.Ret // what it answered; zero if it is open
	Open bool     // it never returned: it may have any effect that is legal, or none
}

// Porcupine returns the model of s for the checker and the visualiser of
// package github.com/anishathalye/porcupine. Its inputs are of type
// [spec.Call] and its outputs of type [Answer], as [Operations] makes them.
//
// It judges the parts that s.Key names each by itself, at the same time. Its
// state is the set of states that are possible, because an operation that
// never returned may have done several things.
func Porcupine[S comparable](s spec.Spec[S]) porcupine.Model {
	seed := maphash.MakeSeed() // picks buckets only, so no result depends on it
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{s.Initial} },
		Step: func(state, input, output any) []any {
			return possible(s, state.(S), input.(spec.Call), output.(Answer))
		},
		Hash: func(state any) uint64 { return maphash.Comparable(seed, state) },
		DescribeOperation: func(input, output any) string {
			if a := output.(Answer); !a.Open {
				return s.DescribeOp(input.(spec.Call), a.Ret)
			}
			return s.DescribeCall(input.(spec.Call)) + " never returned"
		},
		DescribeState: func(state any) string { return s.DescribeState(state.(S)) },
	}
	out := model.ToModel()
	if s.Key != nil {
		out.Partition = func(ops []porcupine.Operation) [][]porcupine.Operation { return partition(s.Key, ops) }
	}
	return out
}

// partition cuts operations by key, unless one concerns all of the object.
func partition(key func(spec.Call) (uint64, bool), ops []porcupine.Operation) [][]porcupine.Operation {
	var keys table[uint64]
	var out [][]porcupine.Operation
	for _, op := range ops {
		k, ok := key(op.Input.(spec.Call))
		if !ok {
			return [][]porcupine.Operation{ops}
		}
		n, fresh := keys.find(k)
		if fresh {
			out = append(out, nil)
		}
		out[n] = append(out[n], op)
	}
	return out
}

// possible returns the states that may follow state.
func possible[S comparable](s spec.Spec[S], state S, c spec.Call, a Answer) []any {
	if !a.Open {
		if next, ok := s.Step(state, c, a.Ret); ok {
			return []any{next}
		}
		return nil
	}
	states := []any{state}
	for _, r := range s.Completions(nil, state, c) {
		if next, ok := s.Step(state, c, r); ok {
			states = append(states, next)
		}
	}
	return states
}

// Operations returns the operations on object in h, for a [Porcupine] model.
// Their times are indices of h; an operation that never returned ends at
// [math.MaxInt64]. The error says what is wrong with a malformed history.
func Operations(h machine.History, object machine.VA) ([]porcupine.Operation, error) {
	var o operations
	if v := o.read(h, []machine.VA{object}); v != nil {
		return nil, errors.New("checkers: " + v.Rule + ": " + v.Message)
	}
	return o.export(o.events), nil
}

// export returns the operations that events belong to.
func (o *operations) export(events []event) []porcupine.Operation {
	var out []porcupine.Operation
	for _, e := range events {
		if e.isReturn {
			continue
		}
		op := &o.ops[e.op]
		p := porcupine.Operation{
			ClientId: op.call.Client,
			Input:    op.call, Call: int64(op.callAt),
			Output: Answer{Open: true}, Return: math.MaxInt64,
		}
		if op.retAt >= 0 {
			p.Output, p.Return = Answer{Ret: op.ret}, int64(op.retAt)
		}
		out = append(out, p)
	}
	return out
}

// confirm asks porcupine whether the operations, all of one part, are
// linearizable. It gives up
// once the work exceeds budget, in which a step from k states counts k², as
// porcupine compares states in pairs; then decided is false. (Porcupine's own
// limit is a time, on which no verdict of ours may depend.)
func confirm(model porcupine.Model, ops []porcupine.Operation, budget int) (ok, decided bool) {
	model.Partition = nil // what is one part needs no cutting
	step := model.StepContext
	model.StepContext = func(ctx context.Context, state, input, output any) (bool, any) {
		k := len(state.([]any))
		if budget -= k * k; budget < 0 {
			budget = -1       // below zero for good
			return false, nil // refusing every further step makes the search end soon
		}
		return step(ctx, state, input, output)
	}
	ok = porcupine.CheckOperations(model, ops)
	return ok, ok || budget >= 0
}
