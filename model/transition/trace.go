package transition

import (
	"bytes"
	"context"
	"slices"
)

// explain explores again, alone and in order, to find the run to a violation, which thus
// does not depend on the number of workers.
func (m *Model) explain(ctx context.Context, o Options, r *Result) error {
	pending := slices.IndexFunc(m.Pending, func(p Pending) bool { return p.Name == r.Property })
	o.Workers, o.Report, o.Fingerprints, o.MaxStates = 1, nil, false, Unlimited
	o.Quiescence, o.Progress = r.Property == Quiescence, pending >= 0
	y := newExplorer(ctx, m, o)
	y.parents = true
	if err := y.explore(); err != nil {
		return err
	}
	var path [][]byte
	var cycle *part
	switch {
	case y.found != nil:
		r.Property = y.found.property
		if y.found.id != noParent {
			path = y.path(y.found.id)
		}
		if y.found.state != nil {
			path = append(path, y.found.state)
		}
	case y.reason != "":
	case o.Quiescence:
		if n, first := y.stuck(); n > 0 {
			path = y.path(first)
		}
	case o.Progress:
		if _, cycle = y.unserved(m.Pending[pending : pending+1]); cycle != nil {
			path = y.path(cycle.ids[0])
		}
	}
	switch {
	case path == nil && y.reason == "":
		return m.fault("the violation of %q is not found a second time: its steps depend on more than the state", r.Property)
	case path == nil:
		r.Reason = "the way to the violation was not found: " + y.reason
		return nil
	}
	if cycle != nil {
		r.Cycle = y.lasso(cycle)
	}
	return m.trace(r, path, o.Symmetry, y.found != nil && y.found.byStep)
}

// path is the states from an initial one to that of an id.
func (x *explorer) path(id uint32) [][]byte {
	var out [][]byte
	for ; id != noParent; id = x.workers[0].origin.at(id) {
		out = append(out, x.state(id)[:x.m.Size])
	}
	slices.Reverse(out)
	return out
}

// trace makes a run of a path. With symmetry the path is of canonical forms, and of each
// state that successor is taken whose form is the next: so the run is a real one. byStep
// says that its last step is the violation, and not a state.
func (m *Model) trace(r *Result, path [][]byte, symmetry, byStep bool) error {
	w := m.NewWorker()
	form := func(s []byte) []byte {
		s = bytes.Clone(s)
		if symmetry {
			w.Canonical(s)
		}
		return s
	}
	first := slices.IndexFunc(m.Initial, func(s []byte) bool { return bytes.Equal(form(s), form(path[0])) })
	if first < 0 {
		return m.fault("the canonical form of an initial state is that of no other: see CheckSymmetry")
	}
	state := bytes.Clone(m.Initial[first])
	r.Trace = []TraceStep{{State: state}}
	for i, want := range path[1:] {
		property := NoProperty
		if byStep && i == len(path)-2 {
			property = slices.Index(m.Properties, r.Property)
		}
		want = form(want)
		var name Step
		var next []byte
		w.Next(state, func(s Step, n []byte, violated int) {
			if next == nil && violated == property && (property >= 0 || bytes.Equal(form(n), want)) {
				name, next = s, bytes.Clone(n)
			}
		})
		if next == nil {
			return m.fault("a state has other successors than its canonical form: see CheckSymmetry")
		}
		r.Trace = append(r.Trace, m.traceStep(name, state, next))
		state = next
	}
	r.Found = len(r.Trace) - 1
	if slices.Contains(m.Properties, r.Property) {
		r.Found = max(0, r.Found-1)
	}
	return nil
}

func (m *Model) traceStep(name Step, from, to []byte) TraceStep {
	return TraceStep{ID: name, Step: m.StepName(name), Changed: m.changes(from, to), State: to}
}

// changes are the parts of a state that differ in the next.
func (m *Model) changes(from, to []byte) []Change {
	var out []Change
	a, b := m.Describe(from), m.Describe(to)
	for i := range min(len(a), len(b)) {
		if a[i].Value != b[i].Value {
			out = append(out, Change{a[i].Name, a[i].Value, b[i].Value})
		}
	}
	return out
}
