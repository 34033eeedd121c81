package fuzz

import (
	"fmt"
)

// ReplayStatus is how a replay compares with the run that its token names.
type ReplayStatus uint8

// The statuses of a replay.
const (
	// Reproduced: the same steps to the last bit, and the same violation.
	Reproduced ReplayStatus = iota
	// Passes: the same steps, but no violation, or another: the judges
	// have changed, or the token was made of a run without one.
	Passes
	// Drifted: the steps are not those of the token, because the program
	// has changed. Whether there is a violation says nothing about the one
	// that was found.
	Drifted
)

var statusNames = [...]string{"reproduced", "passes", "drifted"}

// String returns the status in a word.
func (s ReplayStatus) String() string { return statusNames[s] }

// Replay is what came of a replay.
type Replay struct {
	Status    ReplayStatus
	Finding   *Finding  // the violation that this run showed, or nil
	Unmatched Schedule  // exceptions for which the run had no place
	Account   Account   // what happened, step by step
	Witnesses []Witness // the events that show the violation
}

// Explain says in a sentence what the status means here.
func (r Replay) Explain() string {
	switch {
	case r.Status == Reproduced:
		return "reproduced: the same steps and the same violation"
	case r.Status == Passes && r.Finding == nil:
		return "passes: the same steps, but no violation; what judged it has changed"
	case r.Status == Passes:
		return "passes: the same steps, but another violation: " + r.Finding.Message
	}
	s := "drifted: the program's steps have changed since the token was made"
	if n := len(r.Unmatched); n > 0 {
		s += fmt.Sprintf(", and %d of its exceptions have no place now", n)
	}
	if r.Finding != nil {
		return s + "; this run has a violation: " + r.Finding.Message
	}
	return s + "; this run has no violation"
}

// ReplayToken runs what a token names. The target must be the token's. It
// fails if the target can't run.
func ReplayToken(t Target, k Token, w *Watchdog) (Replay, error) {
	r, err := newRunner(t, k.Pins, w)
	if err != nil {
		return Replay{}, err
	}
	defer r.close()
	return r.replay(k), nil
}

func (r *runner) replay(k Token) Replay {
	c := NewReplayer(k.Schedule)
	v, account := r.account(c)
	out := Replay{Unmatched: c.Unmatched(), Account: account}
	if v.violation != nil {
		out.Finding = r.finding(v)
		out.Finding.Pins = k.Pins
		out.Witnesses = account.witnesses(v.violation)
	}
	same := v.violation != nil && hashSignature(v.violation.Signature) == k.Signature
	switch {
	case v.TraceHash != k.TraceHash || len(out.Unmatched) > 0:
		out.Status = Drifted
	case !same:
		out.Status = Passes
	}
	return out
}

// try runs a schedule and answers the violation if it has the signature.
func (r *runner) try(s Schedule, signature string) *Finding {
	c := NewReplayer(s)
	return r.caught(r.run(c), signature)
}

func (r *runner) caught(v *verdict, signature string) *Finding {
	if v.violation == nil || v.violation.Signature != signature {
		return nil
	}
	return r.finding(v)
}
