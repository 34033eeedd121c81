package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/laws"
)

// lawSeed is the seed of the laws: the gate is the same on every host.
const lawSeed = 1

// gateRuns is how many runs each target gets in the gate.
const gateRuns = 100_000

// gate is verify alone: every target, the laws, the metrics.
func (a *app) gate(args []string) (status, error) {
	f := a.newFlags("")
	shared := f.campaign(gateRuns)
	rest, err := f.parse(args)
	if err == nil && len(rest) > 0 {
		err = misplaced(rest[0], args)
	}
	if err != nil {
		return 0, err
	}
	c := shared.start(a)
	if err := c.outputs.begin(slices.Concat(targetNames(a.targets), laws.Names())); err != nil {
		return 0, err
	}
	began := time.Now()
	all := c.all(a.targets, func(o *outcome) {
		if err := o.measure(); err != nil && o.err == nil {
			o.err = err
		}
		a.printOutcome(o, f.json, true)
	})
	results := a.laws(f.json)
	for _, r := range results {
		c.outputs.law(r)
	}
	sum := summarise(all)
	sum.Type, sum.Laws, sum.Seconds = "summary", len(results), seconds(began)
	sum.judge(results)
	if f.json {
		a.emit(sum)
	} else {
		a.table(func(w io.Writer) { outcomeTable(w, all, true) })
		a.printf("\n%s\n", sum.text())
	}
	s := worst(statusOfAll(all), lawStatus(results))
	if err := c.outputs.end(); err != nil {
		return worst(s, statusOf(err)), err
	}
	return s, nil
}

// misplaced is the error for a word among the flags of the gate.
func misplaced(word string, args []string) error {
	if _, ok := lookUp(word); !ok || word == "" {
		return fmt.Errorf("the gate takes no targets: use verify run %s", word)
	}
	at := slices.Index(args, word)
	others := slices.Delete(slices.Clone(args), at, at+1)
	return fmt.Errorf("put the subcommand first: verify %s %s", word, strings.Join(others, " "))
}

// judge makes the laws part of the verdict.
func (s *summaryLine) judge(results []laws.Result) {
	switch {
	case lawStatus(results) == statusViolation && s.Verdict != "error":
		s.Verdict = "violation"
	case lawStatus(results) == statusInconclusive && s.Verdict == "pass":
		s.Verdict, s.Why = "inconclusive", "interrupted before all laws were tried"
	}
	for _, r := range results {
		if r.Failure != "" {
			s.Violations++
		}
	}
}

// lawLine is the JSON of a law.
type lawLine struct {
	Type    string `json:"type"`
	Law     string `json:"law"`
	Cases   int    `json:"cases"`
	Verdict string `json:"verdict"`
	Failure string `json:"failure,omitempty"`
}

// laws checks the laws and prints those that fail.
func (a *app) laws(json bool) []laws.Result {
	results := laws.Check(lawSeed, a.interrupted)
	for _, r := range results {
		verdict := map[bool]string{true: "pass", false: "violation"}[r.Failure == ""]
		switch {
		case json:
			a.emit(lawLine{"law", r.Law, r.Cases, verdict, r.Failure})
		case r.Failure != "":
			a.printf("VIOLATION law: %s\n%s\n\n", r.Law, r.Failure)
		}
	}
	return results
}

// lawStatus is the exit status that the laws call for.
func lawStatus(results []laws.Result) status {
	if slices.ContainsFunc(results, func(r laws.Result) bool { return r.Failure != "" }) {
		return statusViolation
	}
	if len(results) < len(laws.Names()) {
		return statusInconclusive
	}
	return statusOK
}
