package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
)

// bugsDir is where the seeded bugs are in the module.
const bugsDir = "corpus/bugs"

// maxSeeds bounds -seeds.
const maxSeeds = 1 << 16

// bugs is verify bugs.
func (a *app) bugs(args []string) (status, error) {
	f := a.newFlags("bugs")
	seeds := f.count("seeds", 10, maxSeeds, "how many `seeds` must find each bug")
	first := f.orNone("seed", 0, math.MaxUint64-maxSeeds, "the first `seed`")
	runs := f.count("runs", fuzz.DefaultRuns, maxRuns, "how many `runs` each seed has in each target")
	operations := f.count("operations", 1_000_000, maxRuns, "how many `operations` of processors each seed has in the random test of a protocol")
	workers := f.count("workers", uint64(min(runtime.NumCPU(), maxWorkers)), maxWorkers, "how many `bugs` are at work at a time")
	strategy := f.String("strategy", fuzz.DefaultStrategy, "how choices are made; verify list strategies describes them")
	dir := f.String("dir", "", "the `directory` of the bugs (default "+bugsDir+" in the module)")
	verbose := f.Bool("v", false, "print the report of each bug's longest schedule, and of what was found in its place")
	outputs := f.outputs()
	names, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	if err := checkStrategy(*strategy); err != nil {
		return 0, err
	}
	b := &bugHunt{a: a, outputs: outputs, effort: bugs.Effort{Strategy: *strategy, Runs: runs.n, Seeds: seeds.n, First: first.n, Operations: operations.n}, json: f.json, verbose: *verbose}
	if err := b.load(*dir, names); err != nil {
		return 0, err
	}
	if err := outputs.begin(bugNames(b.bugs)); err != nil {
		return 0, err
	}
	s := b.hunt(int(workers.n))
	if err := outputs.end(); err != nil {
		return worst(s, statusOf(err)), err
	}
	return s, nil
}

func bugNames(all []bugs.Bug) (names []string) {
	for _, b := range all {
		names = append(names, b.Name)
	}
	return names
}

// bugHunt shows that seeded bugs are found.
type bugHunt struct {
	a             *app
	outputs       *outputs
	root          string
	bugs          []bugs.Bug
	patched       []bugs.Patched // the files of each
	effort        bugs.Effort
	json, verbose bool
}

// load reads the bugs of these names, or all.
func (b *bugHunt) load(dir string, names []string) error {
	wd, err := os.Getwd()
	if err != nil {
		return fault{err}
	}
	if b.root, err = bugs.Root(wd); err != nil {
		return err
	}
	if dir == "" {
		dir = filepath.Join(b.root, bugsDir)
	}
	all, err := bugs.LoadAll(dir)
	if err != nil {
		return err
	}
	name := func(b bugs.Bug) string { return b.Name }
	if b.bugs, err = (catalogue[bugs.Bug]{"bug", all, name, "verify list bugs names them"}).pick(names); err != nil {
		return err
	}
	if len(b.bugs) == 0 {
		return fmt.Errorf("%s holds no bug: each is a directory with bug.diff and bug.txt", dir)
	}
	if err := b.checkTargets(); err != nil {
		return err
	}
	return b.patch()
}

// patch applies all diffs, so that a bad one shows before the first hunt.
func (b *bugHunt) patch() error {
	for _, bug := range b.bugs {
		p, err := bug.Patch(b.root)
		if err != nil {
			return err
		}
		b.patched = append(b.patched, p)
	}
	return nil
}

// checkTargets makes sure that the bugs name targets that there are.
func (b *bugHunt) checkTargets() error {
	for _, bug := range b.bugs {
		for _, name := range bug.Targets {
			if _, err := b.a.target(name); err != nil {
				return fmt.Errorf("bug %s: %w", bug.Name, err)
			}
		}
	}
	return nil
}

// shown is what came of one bug.
type shown struct {
	bug bugs.Bug
	bugs.Shown
	protocol bugs.ProtocolShown // in the place of the other, but for Found, if it is a bug of a protocol
	seconds  float64
	err      error
}

// hunt shows the bugs, several at a time, and prints each in its turn.
func (b *bugHunt) hunt(workers int) status {
	began := time.Now()
	results := b.start(workers)
	line := b.a.newProgress()
	var all []shown
	for i, result := range results {
		line.draw(fmt.Sprintf("bug %d of %d: %s", i+1, len(results), b.bugs[i].Name))
		s := <-result
		line.clear()
		all = append(all, s)
		b.print(s)
		b.outputs.bug(s)
	}
	if b.json {
		b.a.emit(bugSummary(all, seconds(began)))
	} else {
		code, protocols := ofProtocols(all)
		if len(code) > 0 {
			b.a.table(func(w io.Writer) { bugTable(w, code) })
		}
		if len(protocols) > 0 {
			b.a.table(func(w io.Writer) { protocolBugTable(w, protocols) })
		}
		b.a.printf("\n%s\n", bugText(all, b.effort, seconds(began)))
	}
	var statuses []status
	for _, s := range all {
		statuses = append(statuses, s.status())
	}
	return worst(statuses...)
}

// start begins to show all bugs, so many at a time.
func (b *bugHunt) start(workers int) []chan shown {
	out := make([]chan shown, len(b.bugs))
	slots := make(chan struct{}, workers)
	for i := range out {
		out[i] = make(chan shown, 1)
	}
	go func() {
		for i, bug := range b.bugs {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				began := time.Now()
				s := b.show(bug, b.patched[i])
				s.seconds = seconds(began)
				out[i] <- s
			}()
		}
	}()
	return out
}

// show shows one bug.
func (b *bugHunt) show(bug bugs.Bug, p bugs.Patched) shown {
	s := shown{bug: bug}
	if bug.OfProtocol() {
		s.protocol, s.err = bug.ShowProtocol(b.a.ctx, p, b.effort)
		s.Found = s.err == nil && s.protocol.Wrong == ""
	} else {
		s.Shown, s.err = bug.Show(b.a.ctx, b.root, p, b.effort)
	}
	return s
}

// status is the exit status that the bug calls for.
func (s shown) status() status {
	var hunter *bugs.HunterError
	switch {
	case errors.Is(s.err, context.Canceled):
		return statusInconclusive
	case errors.As(s.err, &hunter):
		return statusFault
	case s.err != nil:
		return statusUsage
	case !s.Found || !s.Sizes.Small() || s.Elsewhere.Found:
		return statusViolation
	}
	return statusOK
}

// verdict is what came of the bug in a word or two.
func (s shown) verdict() string {
	switch s.status() {
	case statusOK:
		return "pass"
	case statusInconclusive:
		return "inconclusive"
	case statusViolation:
		switch {
		case !s.Found:
			return "not found"
		case s.Elsewhere.Found:
			return "found elsewhere"
		}
		return "not small"
	}
	return "error"
}

// bugLine is the JSON of a bug.
type bugLine struct {
	Type       string         `json:"type"`
	Bug        string         `json:"bug"`
	Found      bool           `json:"found"`
	Small      bool           `json:"small"` // every seed's shrunk schedule can be followed
	Target     string         `json:"target,omitempty"`
	Rule       string         `json:"rule,omitempty"`
	Expected   []string       `json:"expected"`
	Orders     []string       `json:"orders,omitempty"`    // of memory, under which it shows and no others
	ByOrder    []bugs.InOrder `json:"by_order"`            // the figures of each; those of the line are the worst
	Elsewhere  string         `json:"elsewhere,omitempty"` // a target under an order in which it should not have been found
	Seeds      int            `json:"seeds"`
	FoundSeeds int            `json:"seeds_found"`
	RunsMedian uint64         `json:"runs_median"`
	RunsMax    uint64         `json:"runs_max"`
	find.Sizes
	Certified int     `json:"seeds_certified"` // with a proof that no failing schedule has fewer preemptions
	Caused    int     `json:"seeds_caused"`    // with a race whose reversal makes the run pass
	Cause     string  `json:"cause,omitempty"`
	Otherwise string  `json:"other_rule,omitempty"` // found in place of the expected one
	Token     string  `json:"token,omitempty"`
	Source    string  `json:"source"`
	Seconds   float64 `json:"seconds"`
	Error     string  `json:"error,omitempty"`
}

// print tells of one bug: as a JSON line, or what the table can't hold.
func (b *bugHunt) print(s shown) {
	l := bugLine{
		Type: "bug", Bug: s.bug.Name, Found: s.Found, Small: s.Found && s.Sizes.Small(), Target: s.Target, Rule: s.Rule, Expected: s.bug.Shows, Orders: s.bug.Orders, ByOrder: s.Orders, Elsewhere: s.Elsewhere.Target,
		Seeds: s.Seeds, FoundSeeds: s.FoundSeeds, RunsMedian: s.RunsMedian, RunsMax: s.RunsMax,
		Certified: s.Certified, Caused: s.Caused, Cause: s.Worst.Cause,
		Sizes: s.Sizes, Otherwise: s.Instead.Rule, Token: s.Worst.Token, Source: s.bug.Source, Seconds: s.seconds,
	}
	if s.status() == statusInconclusive {
		l.Error = "interrupted"
	} else if s.err != nil {
		l.Error = s.err.Error()
		b.a.complain("verify bugs: %v", s.err)
	}
	switch {
	case b.json && s.bug.OfProtocol():
		b.a.emit(s.protocolLine(l.Error))
	case b.json:
		b.a.emit(l)
	case b.verbose:
		b.a.printf("bug %s: %s\n%s\n", s.bug.Name, s.bug.What, s.report())
	}
}

// report is what was found, in full.
func (s shown) report() string {
	if s.bug.OfProtocol() {
		return s.protocolReport()
	}
	return s.Worst.Report + s.Instead.Report
}

// bugTotal is the JSON of all bugs together.
type bugTotal struct {
	Type    string  `json:"type"`
	Bugs    int     `json:"bugs"`
	Found   int     `json:"found"`
	Verdict string  `json:"verdict"`
	Seconds float64 `json:"seconds"`
}

func bugSummary(all []shown, took float64) bugTotal {
	t := bugTotal{Type: "summary", Bugs: len(all), Verdict: "pass", Seconds: took}
	order := []string{"pass", "inconclusive", "not small", "found elsewhere", "not found", "error"}
	worst := 0
	for _, s := range all {
		verdict := s.verdict()
		worst = max(worst, slices.Index(order, verdict))
		if verdict == "pass" {
			t.Found++
		}
	}
	t.Verdict = order[worst]
	return t
}

func bugTable(w io.Writer, all []shown) {
	fmt.Fprintln(w, "bug\tfound\ttarget\trule\truns, median\truns, most\tthreads\toperations\tpreemptions\texceptions\tcertified")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n", s.bug.Name, s.found(), s.Target, s.Rule,
			grouped(s.RunsMedian), grouped(s.RunsMax), s.Sizes.Threads, s.Sizes.Operations, s.Sizes.Preemptions,
			s.Sizes.Exceptions, s.Certified)
	}
}

// found says with how many seeds the bug was found.
func (s shown) found() string {
	switch {
	case s.err != nil:
		return s.verdict()
	case s.bug.OfProtocol():
		return s.protocolFound()
	case s.FoundSeeds < s.Seeds && s.Instead.Found:
		return fmt.Sprintf("%d of %d seeds; else %s, not %s", s.FoundSeeds, s.Seeds, s.Instead.Rule, strings.Join(s.bug.Shows, " or "))
	}
	if s.Elsewhere.Found {
		return fmt.Sprintf("%d of %d seeds; and in %s, where it should not show", s.FoundSeeds, s.Seeds, s.Elsewhere.Target)
	}
	large := ""
	if s.Found && !s.Sizes.Small() {
		large = fmt.Sprintf("; shrunk to more than %d preemptions or %d exceptions", find.MaxPreemptions, find.MaxExceptions)
	}
	return fmt.Sprintf("%d of %d seeds%s", s.FoundSeeds, s.Seeds, large)
}

func bugText(all []shown, e bugs.Effort, took float64) string {
	t := bugSummary(all, took)
	code, protocols := ofProtocols(all)
	var within []string
	if len(code) > 0 {
		within = append(within, fmt.Sprintf("%s runs of %s", grouped(e.Runs), e.Strategy))
	}
	if len(protocols) > 0 {
		within = append(within, grouped(e.Operations)+" operations on a protocol")
	}
	return fmt.Sprintf("%s: %d of %d bugs found by each of %d seeds, within %s; %.1f s",
		t.Verdict, t.Found, t.Bugs, e.Seeds, strings.Join(within, " or "), took)
}
