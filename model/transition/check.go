package transition

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
)

// Unlimited is a budget without an end.
const Unlimited = int64(1) << 62

// Options say how to check.
type Options struct {
	// Workers is how many goroutines explore, at least 1. It changes nothing of the result.
	Workers int
	// Symmetry identifies the states that Worker.Canonical identifies. The check begins with
	// a look at whether that is a symmetry; see CheckSymmetry.
	Symmetry bool
	// Fingerprints keeps 64 bits of each state instead of all of it. Two states with the
	// same fingerprint are taken for one: see Result.Omission.
	Fingerprints bool
	// Quiescence checks that a quiescent state can be reached from every reachable one.
	// It needs the whole states.
	Quiescence bool
	// Progress checks that each of Model.Pending is served in every fair run. It needs the
	// whole states, and cannot be checked with symmetry.
	Progress bool
	// MaxStates and MaxBytes are budgets: the check ends without a verdict before it
	// exceeds one. Unlimited is none. MaxBytes is of what the checker itself keeps.
	MaxStates, MaxBytes int64
	// Report, if it is not nil, is told after each level how far the check has come.
	Report func(Progress)
}

// Progress is how far a check has come.
type Progress struct {
	Level    int   // levels that are complete
	States   int64 // found
	Rules    int64 // steps made
	Frontier int64 // states of the next level
	Bytes    int64 // kept by the checker
}

// Verdict is the outcome of a check.
type Verdict uint8

// The verdicts.
const (
	// Inconclusive: the check ended before it had seen every reachable state.
	Inconclusive Verdict = iota
	// Holds: everything that Result.Checked names holds in all reachable states.
	Holds
	// Violated: Result.Property does not hold.
	Violated
)

// String returns the verdict in lower case.
func (v Verdict) String() string { return [...]string{"inconclusive", "holds", "violated"}[v] }

// Properties that the checker itself knows.
const (
	// Deadlock: no step is possible.
	Deadlock = "deadlock"
	// Quiescence: no quiescent state can be reached any more.
	Quiescence = "quiescence"
)

// Result is what a check has found.
type Result struct {
	Verdict Verdict
	Reason  string // why it is inconclusive
	// The next three are of the levels that were completed: the states found, all
	// reachable ones if the verdict is Holds; the steps made, also those to states that
	// were known; and the number of levels, of which the initial states are the first.
	States int64
	Rules  int64
	Depth  int
	Bytes  int64 // kept by the checker at most

	// Checked are the properties that were looked at: those of states and steps as far as
	// the exploration came, those of the whole graph only if it came to its end and found no
	// violation before. NotChecked are the others.
	Checked, NotChecked []string

	Property string // that is violated
	// Found is how many steps from an initial one those states are that were being left when
	// the violation was seen: the state before the step that breaks a property; a deadlock;
	// a state from which there is no way to quiescence; the first state of a cycle.
	Found int
	// Stuck is how many states there are from which quiescence can't be reached.
	Stuck int64
	// Trace is a shortest run to the violation, from an initial state. It is empty if the
	// memory did not suffice to find it.
	Trace []TraceStep
	// Cycle is, of a pending request that is never served, what goes on for ever after
	// Trace.
	Cycle []TraceStep
	// Omission bounds the probability that two states shared a fingerprint, in which case
	// states may have been missed. It is 0 without Fingerprints.
	Omission float64
}

// TraceStep is a step of a counterexample; the first of a trace is the initial state and
// has no name.
type TraceStep struct {
	ID      Step
	Step    string
	Changed []Change
	State   []byte
}

// Change is a part of the state that a step has changed.
type Change struct {
	Part, From, To string
}

// Check explores a model. The error says what is wrong with the model or the options, and
// is then all that the result is worth; that the context ended is no error but a reason
// for an inconclusive verdict.
func Check(ctx context.Context, m *Model, o Options) (Result, error) {
	if err := m.validate(o); err != nil {
		return Result{}, err
	}
	if o.Symmetry && len(m.Permutations) > 0 {
		if _, err := CheckSymmetry(ctx, m, selfChecked); err != nil {
			return Result{}, fmt.Errorf("%w (the symmetry is none: check without it)", err)
		}
	}
	r, err := m.check(ctx, o)
	if err != nil {
		return Result{}, err
	}
	return r, nil
}

func (m *Model) check(ctx context.Context, o Options) (r Result, err error) {
	defer m.caught(&err)
	x := newExplorer(ctx, m, o)
	if err := x.explore(); err != nil {
		return r, err
	}
	r = x.result()
	if r.Verdict == Holds && x.graph {
		x.checkGraph(&r)
	}
	if r.Verdict == Violated {
		err = m.explain(ctx, o, &r)
	}
	return r, err
}

// selfChecked is at how many states every check with symmetry begins by looking whether it
// is one.
const selfChecked = 50

// maxSize is how many bytes a state may have.
const maxSize = 4096

func (m *Model) validate(o Options) error {
	bad := m.fault
	switch {
	case m.Size < 1 || m.Size > maxSize:
		return bad("a state has %d bytes: use 1 to %d", m.Size, maxSize)
	case len(m.Initial) == 0:
		return bad("it has no initial state")
	case m.NewWorker == nil || m.StepName == nil || m.Describe == nil:
		return bad("NewWorker, StepName and Describe must be given")
	case o.Workers < 1 || o.Workers > 256:
		return bad("%d workers: use 1 to 256", o.Workers)
	case o.MaxStates < 1 || o.MaxBytes < 1:
		return bad("a budget of %d states and %d bytes allows nothing: use more, or Unlimited", o.MaxStates, o.MaxBytes)
	case (o.Quiescence || o.Progress) && o.Fingerprints:
		return bad("quiescence and progress need the whole states: do without fingerprints, or without them")
	case o.Progress && o.Symmetry:
		return bad("progress can't be checked with symmetry, which forgets who is served: do without one of them")
	case o.Progress && (m.Fair == nil || len(m.Pending) == 0):
		return bad("progress needs Fair and Pending")
	}
	for i, s := range m.Initial {
		if len(s) != m.Size {
			return bad("initial state %d has %d bytes, not %d", i, len(s), m.Size)
		}
	}
	names := append([]string{Deadlock, Quiescence}, m.Properties...)
	for i := range m.Pending {
		if m.Pending[i].Holds == nil {
			return bad("Holds of %q must be given", m.Pending[i].Name)
		}
		names = append(names, m.Pending[i].Name)
	}
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return bad("two properties have the name %q", n)
		}
	}
	return nil
}

// fault is an error of a model.
func (m *Model) fault(format string, args ...any) error {
	return fmt.Errorf("model %s: %s", m.Name, fmt.Sprintf(format, args...))
}

// PanicError is the error of a check during which a model has panicked.
type PanicError struct {
	Model string
	Value any    // of the panic
	Stack []byte // where it was
}

// Error is one line.
func (e *PanicError) Error() string { return fmt.Sprintf("model %s: it panics: %v", e.Model, e.Value) }

// caught is the error of a panic, or err if there is none. It must be deferred.
func (m *Model) caught(err *error) {
	if p := recover(); p != nil {
		*err = &PanicError{m.Name, p, debug.Stack()}
	}
}
