package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// run is verify run.
func (a *app) run(args []string) (status, error) {
	f := a.newFlags("run")
	shared := f.campaign(fuzz.DefaultRuns)
	strategy := f.String("strategy", fuzz.DefaultStrategy, "how choices are made; verify list strategies describes them")
	whole := f.Bool("v", false, "print every step of a violation, not only the last ones")
	everything := f.Bool("exhaustive", false, "explore all schedules, rather than so many of a strategy; -runs bounds it then")
	preemptions := f.orNone("preemptions", 0, maxPreemptions, "with -exhaustive: explore the schedules with at most so many `preemptions` (default any number)")
	storage := f.String("storage", "", "run the targets on a storage of messages: this coherence `protocol`, which verify list names")
	order := f.String("order", "", "run the targets under this memory `order`: sc, tso or native (default as each target has it: sc)")
	var fixed pins
	f.Var(&fixed, "param", "fix a parameter of the targets, as `NAME=NUMBER`; may be repeated")
	dir := f.String("campaign", "", "keep the results in this `directory`: what is there already is not done again, and -all is on")
	names, err := f.parse(args)
	if err == nil && *dir != "" {
		names, err = f.recall(*dir, names, &fixed)
	}
	if err != nil {
		return 0, err
	}
	c := shared.start(a)
	c.options.Strategy, c.options.Pins, c.whole = *strategy, fixed, *whole
	if *strategy == "natural" && !f.isSet("runs") {
		c.options.Runs = 1 // all are the same
	}
	if *everything {
		c.exhaust, err = f.exhaust(c, preemptions)
	} else if f.isSet("preemptions") {
		err = errors.New("-preemptions bounds a search with -exhaustive: give both")
	}
	if err != nil {
		return 0, err
	}
	chosen, err := c.choose(*dir, *order, *storage, names)
	if err != nil {
		return 0, err
	}
	if err := c.outputs.begin(targetNames(chosen)); err != nil {
		return 0, err
	}
	s := a.printRun(c, chosen, f.json)
	if err := c.outputs.end(); err != nil {
		return worst(s, statusOf(err)), err
	}
	return s, nil
}

// choose finds the targets, and checks what is asked of them. It opens the
// directory, if one is given.
func (c *campaign) choose(dir, order, storage string, names []string) (chosen []fuzz.Target, err error) {
	if err := checkStrategy(c.options.Strategy); err != nil {
		return nil, err
	}
	if chosen, err = c.a.pick(names); err != nil {
		return nil, err
	}
	if chosen, err = under(order, storage, chosen); err != nil {
		return nil, err
	}
	if err = checkPins(chosen, c.options.Pins); err == nil && dir != "" {
		err = c.keepIn(dir, chosen)
	}
	return chosen, err
}

// under is the targets under a memory order and on a storage, if they are named.
func under(order, storage string, targets []fuzz.Target) ([]fuzz.Target, error) {
	out := slices.Clone(targets)
	if order != "" {
		o, err := machine.ParseMemoryOrder(order)
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i] = out[i].Under(o)
		}
	}
	if storage != "" {
		if isProtocolFile(storage) {
			return nil, fmt.Errorf("-storage: a token that replays a run can't name the file %s: use one of %s, or in Go the field Storage of machine.Platform",
				storage, strings.Join(protocol.Names(), ", "))
		}
		p, err := readProtocol(storage)
		if err != nil {
			return nil, fmt.Errorf("-storage: %w", err)
		}
		for i := range out {
			out[i] = out[i].On(p)
		}
	}
	return out, nil
}

func targetNames(targets []fuzz.Target) (names []string) {
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return names
}

func checkStrategy(wanted string) error {
	name := func(s fuzz.StrategyInfo) string { return s.Name }
	_, err := catalogue[fuzz.StrategyInfo]{"strategy", fuzz.Strategies(), name, "verify list strategies names them"}.pick([]string{wanted})
	return err
}

// checkPins makes sure, before any target runs, that all have the parameters:
// each target makes one run with them.
func checkPins(targets []fuzz.Target, fixed []machine.Pin) error {
	if len(fixed) == 0 {
		return nil
	}
	for _, t := range targets {
		_, err := fuzz.Hunt(t, fuzz.Options{Strategy: "natural", Runs: 1, Audit: -1, Pins: fixed})
		if err != nil {
			return err
		}
	}
	return nil
}

// printRun hunts and prints what came of it.
func (a *app) printRun(c *campaign, chosen []fuzz.Target, json bool) status {
	all := c.all(chosen, func(o *outcome) { a.printOutcome(o, json, len(chosen) > 1) })
	sum := summarise(all)
	if json {
		a.emit(sum)
		return statusOfAll(all)
	}
	a.table(func(w io.Writer) { outcomeTable(w, all, false) })
	if len(sum.Arms) > 0 {
		a.printf("%s\n", armText(sum.Arms))
	}
	a.printf("%s\n", sum.text())
	return statusOfAll(all)
}

// all hunts in the targets, and tells of each outcome as it comes.
func (c *campaign) all(targets []fuzz.Target, tell func(*outcome)) []outcome {
	var out []outcome
	for _, t := range targets {
		o := c.try(t)
		tell(&o)
		c.outputs.target(&o)
		out = append(out, o)
	}
	return out
}

// printOutcome prints one target's outcome; line asks for a JSON line of it
// besides that of a violation.
func (a *app) printOutcome(o *outcome, json, line bool) {
	if !json {
		o.print(a)
		return
	}
	if o.err != nil {
		a.complain("verify: %v", o.err)
	}
	for _, f := range o.found {
		a.emit(violation(f.small, f.report))
	}
	if line {
		a.emit(o.line("target"))
	}
}

// summarise is the last line: one target's own, or the sum of several.
func summarise(all []outcome) summaryLine {
	if len(all) == 1 {
		return all[0].line("summary")
	}
	var lines []summaryLine
	for i := range all {
		lines = append(lines, all[i].line("target"))
	}
	return total(lines)
}

func statusOfAll(all []outcome) status {
	if len(all) == 0 {
		return statusInconclusive
	}
	var s []status
	for i := range all {
		s = append(s, all[i].status())
	}
	return worst(s...)
}

// outcomeTable writes a row for each target.
func outcomeTable(w io.Writer, all []outcome, withMetrics bool) {
	last := "steps/run"
	if withMetrics {
		last = metricsHead
	}
	fmt.Fprintf(w, "target\truns\tdistinct schedules\tverdict\t%s\n", last)
	for i := range all {
		o := &all[i]
		last = fmt.Sprintf("%.1f", float64(o.Steps)/float64(max(o.Runs, 1)))
		if withMetrics {
			last = o.metrics.row()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", o.target.Name, grouped(o.Runs), grouped(o.Distinct), o.verdict(), last)
	}
}

// text is the summary in a sentence.
func (s summaryLine) text() string {
	what := s.Target
	if what == "" {
		what = fmt.Sprintf("%d targets", s.Targets)
	}
	found := map[int]string{0: "no violation", 1: "1 violation"}[s.Violations]
	if found == "" {
		found = fmt.Sprintf("%d violations", s.Violations)
	}
	laws := ""
	if s.Laws > 0 {
		laws = fmt.Sprintf(", %d laws", s.Laws)
	}
	if s.Strategy == exhaustive {
		return fmt.Sprintf("%s: %s; %s, %s runs, %s classes, %s steps; %s runs a second, %.1f s", s.Verdict, found, what,
			grouped(s.Runs), grouped(s.DistinctSchedules), grouped(s.Steps), grouped(uint64(s.RunsPerSecond)), s.Seconds)
	}
	more := ""
	if s.DistinctAtLeast {
		more = "more than "
	}
	return fmt.Sprintf("%s: %s; %s, %s runs of %s with seed %d, %s%s distinct schedules, %s steps%s; %s runs a second, %.1f s",
		s.Verdict, found, what, grouped(s.Runs), s.Strategy, s.Seed, more, grouped(s.DistinctSchedules),
		grouped(s.Steps), laws, grouped(uint64(s.RunsPerSecond)), s.Seconds)
}
