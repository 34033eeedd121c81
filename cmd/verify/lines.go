package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
)

// summaryLine is the JSON of a target's runs, or of several targets'.
type summaryLine struct {
	Type              string    `json:"type"`
	Target            string    `json:"target,omitempty"`
	Targets           int       `json:"targets,omitempty"`
	Strategy          string    `json:"strategy"`
	Seed              uint64    `json:"seed"`
	Shard             string    `json:"shard,omitempty"`
	Runs              uint64    `json:"runs"`
	Steps             uint64    `json:"steps"`
	DistinctSchedules uint64    `json:"distinct_schedules"`
	DistinctAtLeast   bool      `json:"distinct_schedules_at_least,omitempty"` // there are more
	Violations        int       `json:"violations"`
	TraceHash         string    `json:"trace_hash"`
	RunsPerSecond     float64   `json:"runs_per_second"`
	Verdict           string    `json:"verdict"`
	Why               string    `json:"why,omitempty"`
	Seconds           float64   `json:"seconds"`
	Laws              int       `json:"laws,omitempty"`
	Metrics           *metrics  `json:"metrics,omitempty"`
	Arms              []armLine `json:"arms,omitempty"`
	*exhaustLine
	hash uint64
}

// line is the outcome as JSON.
func (o *outcome) line(kind string) summaryLine {
	l := summaryLine{
		Type: kind, Target: o.target.Name, Strategy: o.Strategy, Seed: o.Seed, Runs: o.Runs, Steps: o.Steps,
		DistinctSchedules: o.Distinct, DistinctAtLeast: o.DistinctUp, TraceHash: hex(o.TraceHash),
		RunsPerSecond: rate(o.Runs, o.seconds), Verdict: o.verdict(), Why: o.why, Seconds: o.seconds,
		Metrics:    o.metrics,
		Violations: len(o.found), hash: o.TraceHash,
		Arms: armLines(o.Arms),
	}
	if o.exhausted != nil {
		l.exhaustLine = exhausted(o.exhausted)
	}
	if o.Shard != (fuzz.Shard{}) {
		l.Shard = o.Shard.String()
	}
	if o.err != nil {
		l.Why = o.err.Error()
	}
	return l
}

// total adds up the lines of several targets.
func total(lines []summaryLine) summaryLine {
	sum := summaryLine{Type: "summary", Targets: len(lines), Verdict: "inconclusive"}
	verdicts := map[string]int{}
	for i, l := range lines {
		sum.Strategy, sum.Seed, sum.Shard = l.Strategy, l.Seed, l.Shard
		sum.Runs += l.Runs
		sum.Steps += l.Steps
		sum.DistinctSchedules += l.DistinctSchedules
		sum.DistinctAtLeast = sum.DistinctAtLeast || l.DistinctAtLeast
		sum.Violations += l.Violations
		sum.Arms = addArms(sum.Arms, l.Arms)
		sum.Seconds = math.Round((sum.Seconds+l.Seconds)*1e6) / 1e6
		sum.hash += l.hash * uint64(2*i+1) // a sum, so that shards add up; but not of any order
		verdicts[l.Verdict]++
	}
	for _, v := range []string{"error", "violation", "inconclusive", "pass"} {
		if verdicts[v] > 0 {
			sum.Verdict = v
			break
		}
	}
	sum.TraceHash = hex(sum.hash)
	sum.RunsPerSecond = rate(sum.Runs, sum.Seconds)
	return sum
}

func hex(n uint64) string { return fmt.Sprintf("%016x", n) }

// rate is so many a second.
func rate(n uint64, seconds float64) float64 { return math.Round(float64(n) / max(seconds, 1e-6)) }

// violationLine is the JSON of a violation.
type violationLine struct {
	Type        string `json:"type"`
	Target      string `json:"target"`
	Judge       string `json:"judge"`
	Rule        string `json:"rule"`
	Message     string `json:"message"`
	Strategy    string `json:"strategy,omitempty"`
	Seed        uint64 `json:"seed"`
	Run         uint64 `json:"run"`
	ShrunkFrom  int    `json:"shrunk_from_exceptions"`
	ShrinkTried int    `json:"shrink_runs"`
	find.Sizes
	Choices     []string `json:"choices"`
	Cause       []string `json:"cause,omitempty"`     // the two accesses, in the order that fails
	Witnesses   []string `json:"witnesses,omitempty"` // the events that show it
	Certificate string   `json:"certificate"`
	Certified   bool     `json:"certified"` // no failing schedule has fewer preemptions
	Token       string   `json:"token"`
	Replay      string   `json:"replay"`
	Report      string   `json:"report"`
}

func violation(s *fuzz.Shrunk, report string) violationLine {
	token := s.Token().String()
	l := violationLine{
		Type: "violation", Target: s.Target, Judge: s.Judge, Rule: s.Rule, Message: s.Message,
		Strategy: s.Strategy, Seed: s.Seed, Run: s.Run, ShrunkFrom: len(s.From), ShrinkTried: s.Tried,
		Sizes: find.Measure(&s.Finding), Choices: describe(s.Schedule),
		Certificate: s.Certificate.String(), Certified: s.Certificate.Complete(),
		Token: token, Replay: "verify replay '" + token + "'", Report: report,
	}
	if c := s.Cause; c != nil {
		l.Cause = []string{c.First.String(), c.Second.String()}
	}
	for _, w := range s.Witnesses {
		l.Witnesses = append(l.Witnesses, w.String())
	}
	return l
}

// describe writes each exception; the list is never nil, so that JSON has one.
func describe(s fuzz.Schedule) []string {
	out := []string{}
	for _, e := range s {
		out = append(out, e.String())
	}
	return out
}

// table aligns cells that are separated by tabs.
func (a *app) table(fill func(w io.Writer)) {
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fill(w)
	w.Flush()
}
