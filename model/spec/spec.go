// Package spec holds sequential specifications: what an object does when its
// operations happen one at a time. A specification is a value of pure
// functions over an immutable state, so that a linearizability checker, a
// sequential conformance test and a person can all read the same few lines.
//
// The operations of a specification called X are the constants XName:
// [MutexLock], [QueueEnqueue] and so on. Most specifications are written as
// one function from a state and a call to the next state and the answer, see
// [Deterministic]; where several answers are right ([WeakMutex], [Pool]) the
// fields of [Spec] are filled in directly.
package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is the code of an operation of one specification: Lock, Unlock, Read …
// Codes are small and belong to their specification; zero is no operation.
type Op uint16

// Call is an operation as it is invoked.
type Call struct {
	Client    int // who calls; a client has one operation in progress at most
	Op        Op
	Arg, Arg2 uint64 // as the operation defines them; zero where it takes none
}

// Ret is what an operation answers.
type Ret struct {
	Val uint64 // as the operation defines it; zero where it answers nothing
	OK  bool   // whether it did what it was asked; true for operations that can't fail
}

// Answer says when [Ret].Val carries a value.
type Answer uint8

// The kinds of answer.
const (
	NoValue     Answer = iota // never; Val is zero
	ValueIfOK                 // when OK is true; Val is zero otherwise
	ValueAlways               // whether OK is true or false
)

// Signature says how an operation is written and what it may answer.
type Signature struct {
	Name    string
	Args    int    // how many of Arg and Arg2 it takes, 0 to 2
	Value   Answer // when its answer carries a value
	Failure string // what OK=false means, in a word; empty if it can't fail
	Reads   bool   // it never changes the state
}

// Kind says which well-known object a specification is, so that a checker may
// use what is known about that object instead of asking Step.
type Kind uint8

// The kinds of specification. One of a kind has the operations, arguments,
// answers and states of the function that the comment names, and any value of
// it as its Initial.
const (
	OtherKind     Kind = iota // only its functions tell what it is
	MutexKind                 // Mutex
	WeakMutexKind             // WeakMutex
	RWLockKind                // RWLock
	SemaphoreKind             // Semaphore
	RegisterKind              // Register
	QueueKind                 // Queue
	StackKind                 // Stack
	SetKind                   // Set
)

// Spec is a sequential specification. S is its state: an immutable value
// whose equality is ==, so that it can be a key without any further hash. S
// should be a [fmt.Stringer] where its plain form does not read well.
//
// All functions must be pure. Step and Completions are required.
type Spec[S comparable] struct {
	Name    string
	Initial S

	// Ops describes the operations; the entry of operation code op is
	// Ops[op-1]. A failed operation and one whose Signature says that it
	// reads must leave the state as it was.
	Ops []Signature

	// Step reports whether the call c may answer r in state s, and if so the
	// state that follows. It must answer false for an unknown operation, for
	// one that would have to wait in s, and for one that is illegal in s.
	Step func(s S, c Call, r Ret) (next S, ok bool)

	// Completions appends to dst all the answers that c may get in state s
	// and returns the result: those for which Step would say yes. A checker
	// uses them for an operation that was still in progress when the
	// recording ended.
	Completions func(dst []Ret, s S, c Call) []Ret

	// Kind is OtherKind unless the specification is exactly one of those that
	// the kinds name: a copy with another Step must not keep it.
	Kind Kind

	// Key says which part of the object a call concerns, where the object
	// consists of parts that know nothing of each other, as a set does of its
	// values: what a call does and answers depends only on the calls with the
	// same key. Its ok is false for a call that concerns all parts. Nil if the
	// object has no parts.
	Key func(c Call) (key uint64, ok bool)

	// Show writes an argument or an answer for people; nil writes the number.
	Show func(v uint64) string
}

// Deterministic makes a specification of objects that have at most one right
// answer in any state. The function apply gives that answer and the state
// behind it; its ok is false where the operation is unknown, illegal, or would
// have to wait.
func Deterministic[S comparable](name string, initial S, ops []Signature,
	apply func(s S, c Call) (next S, r Ret, ok bool)) Spec[S] {
	return Spec[S]{
		Name: name, Initial: initial, Ops: ops,
		Step: func(s S, c Call, r Ret) (S, bool) {
			next, want, ok := apply(s, c)
			return next, ok && want == r
		},
		Completions: func(dst []Ret, s S, c Call) []Ret {
			if _, r, ok := apply(s, c); ok {
				dst = append(dst, r)
			}
			return dst
		},
	}
}

// Signature returns the entry of op in s.Ops, and false if there is none.
func (s Spec[S]) Signature(op Op) (Signature, bool) {
	if op == 0 || int(op) > len(s.Ops) {
		return Signature{}, false
	}
	return s.Ops[op-1], true
}

// Unchanging reports whether the call c, if it answers r, leaves every state
// as it was. A checker may then order it as early as it fits.
func (s Spec[S]) Unchanging(c Call, r Ret) bool {
	sig, known := s.Signature(c.Op)
	return known && (sig.Reads || sig.Failure != "" && !r.OK)
}

// DescribeCall writes a call, as in "CAS(1, 2)".
func (s Spec[S]) DescribeCall(c Call) string {
	sig, known := s.Signature(c.Op)
	switch {
	case !known:
		return fmt.Sprintf("operation %d(%d, %d)", c.Op, c.Arg, c.Arg2)
	case sig.Args == 0:
		return sig.Name + "()"
	case sig.Args == 1:
		return fmt.Sprintf("%s(%s)", sig.Name, s.show(c.Arg))
	}
	return fmt.Sprintf("%s(%s, %s)", sig.Name, s.show(c.Arg), s.show(c.Arg2))
}

func (s Spec[S]) show(v uint64) string {
	if s.Show == nil {
		return strconv.FormatUint(v, 10)
	}
	return s.Show(v)
}

// DescribeOp writes a call with its answer, as in "CAS(1, 2) = 3, refused".
// An answer that the operation's Signature does not allow is written too.
func (s Spec[S]) DescribeOp(c Call, r Ret) string {
	sig, _ := s.Signature(c.Op)
	var parts []string
	if sig.Value == ValueAlways || sig.Value == ValueIfOK && r.OK || r.Val != 0 {
		parts = append(parts, s.show(r.Val))
	}
	switch {
	case !r.OK && sig.Failure != "":
		parts = append(parts, sig.Failure)
	case !r.OK:
		parts = append(parts, "failed")
	case sig.Failure != "" && sig.Value != ValueIfOK:
		parts = append(parts, "ok")
	}
	if len(parts) == 0 {
		return s.DescribeCall(c)
	}
	return s.DescribeCall(c) + " = " + strings.Join(parts, ", ")
}

// DescribeState writes a state as [fmt.Sprint] does.
func (s Spec[S]) DescribeState(state S) string { return fmt.Sprint(state) }

// Erase returns the same specification with its type of state hidden, so that
// specifications of different objects fit in one slice. It is slower to run.
func (s Spec[S]) Erase() Spec[any] {
	return Spec[any]{
		Name: s.Name, Initial: s.Initial, Ops: s.Ops, Kind: s.Kind, Key: s.Key, Show: s.Show,
		Step: func(state any, c Call, r Ret) (any, bool) {
			next, ok := s.Step(state.(S), c, r)
			return next, ok
		},
		Completions: func(dst []Ret, state any, c Call) []Ret {
			return s.Completions(dst, state.(S), c)
		},
	}
}

// All returns one of each specification of this package, in alphabetical
// order of their names; those with a parameter start from zero, and the texts of
// [KV] are a few short ones.
func All() []Spec[any] {
	return []Spec[any]{
		CASRegister().Erase(),
		Counter(0).Erase(),
		KV("", "a", "ab", "b").Erase(),
		Mutex().Erase(),
		Pool().Erase(),
		Queue().Erase(),
		Register(0).Erase(),
		RWLock().Erase(),
		Semaphore(0).Erase(),
		Set().Erase(),
		Stack().Erase(),
		WeakMutex().Erase(),
	}
}
