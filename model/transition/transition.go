// Package transition checks transition systems by visiting every state that they can
// reach: breadth first, so that a counterexample is a shortest one.
//
// A system is a [Model]: states that pack to a fixed number of bytes, and steps between
// them that have names. The checker knows nothing else of it.
package transition

// Step names a step of a model: a rule and whom it is about, encoded as the model likes.
// The checker compares steps and hands them back to [Model.StepName].
type Step uint32

// Model is a transition system.
type Model struct {
	Name string
	// Size is how many bytes a state has, 1 to 4096. Two states are the same if their
	// bytes are.
	Size int
	// Initial are the states to begin with.
	Initial [][]byte
	// Properties are the names of what a state or a step can violate; [Worker] answers
	// with indices of it.
	Properties []string
	// NewWorker makes what one goroutine of the checker explores with. Workers share
	// nothing that changes.
	NewWorker func() Worker

	// StepName is a step in words: the rule and its process.
	StepName func(Step) string
	// Describe is a state in words: the same parts in the same order for every state,
	// so that two can be compared.
	Describe func(state []byte) []Part
	// Rule is what made a step from one state to another, in words: for a reader who wants
	// to know where to mend it. Nil if the names of the steps say it all.
	Rule func(s Step, from, to []byte) string

	// Fair says of a step that it can't be possible for ever again and again, and never
	// be made: a message arrives. Nil says it of no step.
	Fair func(Step) bool
	// Pending are requests that a run which is fair must serve; see [Pending].
	Pending []Pending
	// Permutations are a generating part of the symmetries by which Worker.Canonical
	// identifies states: each changes a state in place. They serve the check that
	// symmetry is one; nil if the model has none.
	Permutations []func(state []byte)
}

// Part is a part of a state that a reader knows by name.
type Part struct {
	Name, Value string
}

// Pending is a request that must be served.
type Pending struct {
	Name string
	// Holds says whether the request is pending in a state. It must not be for ever.
	Holds func(state []byte) bool
}

// NoProperty is the answer that nothing is violated.
const NoProperty = -1

// Worker explores a model. Its methods must not keep the states they are given.
type Worker interface {
	// Next makes every step that is possible in a state, in an order that depends on the
	// state only. For each it calls yield with the state after it, which is valid during
	// the call and may be changed by it. A step that is itself a violation is yielded
	// with the index of the property, others with NoProperty.
	Next(state []byte, yield func(step Step, next []byte, violated int))
	// Check is the index of a property that the state violates, or NoProperty. It must
	// give the same answer for all states that are the same by symmetry.
	Check(state []byte) int
	// Quiescent says whether nothing is in progress in a state.
	Quiescent(state []byte) bool
	// Canonical changes a state into the one that stands for all that are the same by
	// symmetry. It is not called if the symmetry is not used.
	Canonical(state []byte)
}
