package main

import (
	"errors"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory/axiomatic"
)

// explaining is what -explain is to explain.
type explaining struct {
	dot   bool
	state string // a final state, or empty for the condition
}

// explainedLine is the part of a test's JSON that explains.
type explainedLine struct {
	Allowed bool   `json:"allowed"`
	Why     string `json:"explanation"`
	Dot     string `json:"dot"`
}

func (o *litmusFlags) explaining() (*explaining, error) {
	switch {
	case !*o.explain && (*o.dot || *o.state != ""):
		return nil, errors.New("-dot and -state are for explanations: give -explain as well")
	case !*o.explain:
		return nil, nil
	}
	return &explaining{*o.dot, normalised(*o.state)}, nil
}

// normalised is a final state with one space between its components.
func normalised(state string) string { return strings.Join(strings.Fields(state), " ") }

// explainTest finds out why the outcome that is asked about is allowed or forbidden.
func (l *litmusRun) explainTest(j *tested) error {
	p, err := j.test.Program(l.unroll)
	if err != nil {
		return err
	}
	wanted := func(s litmus.State) bool { // what breaks a forall, or makes the others true
		holds := j.test.Judge([]litmus.State{s}).Obs == "Always"
		return holds != (j.test.Quantifier == litmus.Forall)
	}
	if state := strings.TrimSuffix(l.explain.state, ";"); state != "" {
		wanted = func(s litmus.State) bool {
			return strings.TrimSuffix(normalised(j.test.Format(s)), ";") == state
		}
	}
	j.explanation, err = axiomatic.Explain(p, wanted, l.budget)
	return err
}
