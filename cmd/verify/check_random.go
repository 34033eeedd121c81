package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/coherence/protocol/tester"
)

// randomValues is how many values a line has in a random test unless a flag says else: each
// store makes a new one.
const randomValues = 255

// shownSteps is how many of a random test's last steps are printed; JSON has them all.
const shownSteps = 40

// testedLine is the part of a protocol that was tested at random.
type testedLine struct {
	Seed                uint64  `json:"seed"`
	Operations          uint64  `json:"operations"` // of processors
	Messages            uint64  `json:"messages"`   // that arrived
	Rounds              uint64  `json:"rounds"`
	RulesUsed           int     `json:"rules_used"`
	RulesThere          int     `json:"rules_there"`
	OperationsPerSecond float64 `json:"operations_per_second"`
}

// test makes random operations on a protocol, and prints what it finds.
func (c *checkRun) test(name string, s *protocol.System) (checkLine, error) {
	ctx, cancel := c.context()
	defer cancel()
	cpu, began := cpuTime(), time.Now()
	r, err := tester.Run(ctx, s, tester.Options{Operations: c.random.n, Seed: c.seed.n})
	l := newCheckLine(name, s)
	l.CPUSeconds, l.Seconds = (cpuTime() - cpu).Seconds(), seconds(began)
	ended := context.Cause(ctx)
	if err != nil && ended == nil {
		return l, err
	}
	l.testedLine = &testedLine{Seed: c.seed.n, Operations: r.Operations, Messages: r.Messages, Rounds: r.Rounds,
		RulesThere: len(r.Used), OperationsPerSecond: rate(r.Operations, l.Seconds)}
	for _, n := range r.Used {
		l.RulesUsed += int(min(n, 1))
	}
	switch {
	case r.Violation != nil:
		l.Verdict, l.Violations, l.Property = "violation", 1, r.Violation.Property
	case err != nil:
		l.Verdict, l.Why = "inconclusive", c.whyEnded(ended)
	default:
		l.Verdict = "pass"
	}
	c.printTest(l, s, r)
	return l, nil
}

func (c *checkRun) printTest(l checkLine, s *protocol.System, r tester.Result) {
	if *c.cover {
		c.printCoverage(rulesUsed(l.Model, s, r.Used))
	}
	if r.Violation != nil {
		c.printTestViolation(l.Model, r)
	}
	if c.json {
		return
	}
	why := ""
	if l.Why != "" {
		why = ": " + l.Why
	}
	c.a.printf("%s: %s%s\n", l.Model, l.Verdict, why)
	c.a.printf("  tested       %s of processors at random, %s, %s; seed %d; with %s\n", counted(int(l.Operations), "operation"),
		counted(int(l.Messages), "message"), counted(int(l.Rounds), "round"), l.Seed, spellNumbers(numbersOf(s), s.Addresses, s.Values))
	c.a.printf("  used         %s of %s\n", grouped(uint64(l.RulesUsed)), counted(l.RulesThere, "rule"))
	c.a.printf("  took         %.2f s, %s operations a second\n", l.Seconds, grouped(uint64(l.OperationsPerSecond)))
}

func (c *checkRun) printTestViolation(name string, r tester.Result) {
	x := counterexampleLine{
		Type: "violation", Model: name, Property: r.Violation.Property, Message: r.Violation.Detail, Steps: len(r.Steps),
		Reproduce: c.command(name),
	}
	for _, s := range r.Steps {
		x.Trace = append(x.Trace, stepLine{Step: s})
	}
	for _, p := range r.Line {
		if p.Value != "" {
			x.Last = append(x.Last, partLine(p))
		}
	}
	if c.json {
		c.a.emit(x)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "VIOLATION %s: %s\n%s\n\n", name, x.Property, x.Message)
	first := max(0, len(x.Trace)-shownSteps)
	if first > 0 {
		fmt.Fprintf(&b, "     %s before\n", counted(first, "step"))
	}
	for i, s := range x.Trace[first:] {
		fmt.Fprintf(&b, "%3d  %s\n", first+i+1, s.Step)
	}
	width := 0
	for _, p := range x.Last {
		width = max(width, len(p.Name))
	}
	b.WriteString("     in the end\n")
	for _, p := range x.Last {
		fmt.Fprintf(&b, "       %-*s  %s\n", width, p.Name, p.Value)
	}
	c.a.printf("%s\nreproduce  %s\n\n", b.String(), x.Reproduce)
}
