package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	campaigns "github.com/fusedos/stramash/campaign"
	"github.com/fusedos/stramash/fuzz"
)

// campaign hunts in targets, one after another.
type campaign struct {
	a        *app
	options  fuzz.Options
	outputs  *outputs
	deadline time.Time            // of the wall clock; zero means none
	whole    bool                 // print every step of a violation
	dir      *campaigns.Dir       // that keeps the results, or nil
	exhaust  *fuzz.ExhaustOptions // not nil to explore rather than hunt
}

// outcome is what came of one target.
type outcome struct {
	fuzz.Summary
	target    fuzz.Target
	asked     uint64 // runs
	why       string // it is inconclusive
	seconds   float64
	found     []found         // the violations
	metrics   *metrics        // may be nil
	exhausted *fuzz.Exhausted // of an exhaustive search
	err       error
}

// found is a violation made small, and its report.
type found struct {
	small  *fuzz.Shrunk
	report string
}

// campaignFlags are the flags that gate and run have in common.
type campaignFlags struct {
	runs, workers, seed *count
	budget              wait
	shard               shard
	all                 *bool
	outputs             *outputs
}

// maxWorkers bounds -workers.
const maxWorkers = 1024

// campaign defines the flags; each target gets so many runs by default.
func (f *flags) campaign(runs uint64) *campaignFlags {
	c := &campaignFlags{
		runs:    f.count("runs", runs, maxRuns, "how many `runs` each target gets; with -exhaustive, how many at most (then the default is any number)"),
		workers: f.count("workers", uint64(min(runtime.NumCPU(), maxWorkers)), maxWorkers, "how many `machines` are at work at a time; no result depends on it"),
		seed:    f.orNone("seed", 0, math.MaxUint64, "the `seed` of all random decisions"),
	}
	f.Var(&c.budget, "budget", "end early after this `time`, with the verdict inconclusive (default none)")
	f.Var(&c.shard, "shard", "do the `I/N`-th part only, of blocks of 4,096 runs or of subtrees: 1/N to N/N together do exactly what one does without it")
	c.all = f.Bool("all", false, "go on behind a violation, to find others")
	c.outputs = f.outputs()
	return c
}

// recall sets the flags that the campaign in a directory says and the user does
// not, and answers the names of the targets.
func (f *flags) recall(dir string, names []string, fixed *pins) ([]string, error) {
	p, targets, err := campaigns.Read(dir)
	if err != nil || len(targets) == 0 {
		return names, err
	}
	values := map[string]string{"strategy": p.Strategy, "seed": fmt.Sprint(p.Seed), "runs": fmt.Sprint(p.Runs)}
	if p.Strategy == campaigns.Exhaustive {
		values = map[string]string{"exhaustive": "true"}
		if p.Bounded {
			values["preemptions"] = fmt.Sprint(p.Preemptions)
		}
	} else if f.isSet("exhaustive") {
		values = nil // it is refused in the end
	}
	for name, value := range values {
		if f.isSet(name) {
			continue
		}
		if err := f.Set(name, value); err != nil {
			return nil, fmt.Errorf("%s: its %s is %s: %w", dir, name, value, err)
		}
	}
	if !f.isSet("param") {
		*fixed = p.Pins
	}
	if len(names) == 0 {
		names = targets
	}
	return names, nil
}

// keepIn has the results kept in a directory.
func (c *campaign) keepIn(dir string, targets []fuzz.Target) (err error) {
	o := c.options
	p := campaigns.Plan{Strategy: o.Strategy, Seed: o.Seed, Runs: o.Runs, Pins: o.Pins}
	if x := c.exhaust; x != nil {
		p = campaigns.Plan{Strategy: campaigns.Exhaustive, Pins: o.Pins, Bounded: x.Bounded, Preemptions: x.Preemptions}
	}
	c.dir, err = campaigns.Open(dir, p, targets, o.Watchdog)
	return err
}

// start makes the campaign that the flags ask for.
func (c *campaignFlags) start(a *app) *campaign {
	out := &campaign{a: a, outputs: c.outputs}
	if c.budget > 0 {
		out.deadline = time.Now().Add(time.Duration(c.budget))
	}
	out.options = fuzz.Options{
		Seed: c.seed.n, Runs: c.runs.n, Workers: int(c.workers.n),
		Shard: fuzz.Shard(c.shard), All: *c.all, Stop: out.stop, Watchdog: a.watchdog,
	}
	return out
}

// stop says whether time is up.
func (c *campaign) stop() bool { return c.whyStop() != "" }

func (c *campaign) whyStop() string {
	switch {
	case context.Cause(c.a.ctx) != nil:
		return "interrupted"
	case !c.deadline.IsZero() && time.Now().After(c.deadline):
		return "the budget of time is used up"
	}
	return ""
}

// hunt hunts in one target, and makes a violation small.
func (c *campaign) hunt(t fuzz.Target) outcome {
	out := outcome{target: t, asked: c.options.Shard.Runs(c.options.Runs)}
	o := c.options
	line := c.a.newProgress()
	o.Progress = func(n uint64) { line.runs(t.Name, n, out.asked) }
	began := time.Now()
	if c.dir != nil {
		out.Summary, out.err = c.dir.Hunt(t, o)
	} else {
		out.Summary, out.err = fuzz.Hunt(t, o)
	}
	out.seconds = seconds(began)
	out.Target = t.Name
	for i, f := range out.Findings {
		line.draw(fmt.Sprintf("%s: making violation %d of %d small", t.Name, i+1, len(out.Findings)))
		out.shrink(c, f)
	}
	if out.Stopped {
		out.why = fmt.Sprintf("%s after %s of %s runs", c.whyStop(), grouped(out.Runs), grouped(out.asked))
	} else if out.Unknown > 0 {
		out.why = fmt.Sprintf("a judge gave up in %s runs: %s", grouped(out.Unknown), out.UnknownWhy)
	} else {
		out.why = out.Inconclusive()
	}
	line.clear()
	return out
}

// shrink makes a finding small and describes it.
func (o *outcome) shrink(c *campaign, f *fuzz.Finding) {
	small, err := fuzz.Shrink(o.target, f, fuzz.ShrinkOptions{
		Stop: c.a.interrupted, Watchdog: c.a.watchdog,
	})
	if err != nil {
		o.err = errors.Join(o.err, fault{err})
		small = &fuzz.Shrunk{Finding: *f, From: f.Schedule}
	}
	report, err := c.a.report(o.target, small, c.whole)
	o.err = errors.Join(o.err, err)
	o.found = append(o.found, found{small, report})
	if c.dir != nil && !c.a.interrupted() {
		o.err = errors.Join(o.err, c.dir.Keep(f, report))
	}
}

func (a *app) interrupted() bool { return a.ctx.Err() != nil }

// report describes a violation; whole asks for every step.
func (a *app) report(t fuzz.Target, small *fuzz.Shrunk, whole bool) (string, error) {
	report, err := small.Report(t, "verify replay %s", a.watchdog)
	if err != nil || !whole {
		return report, err
	}
	r, err := fuzz.ReplayToken(t, small.Token(), a.watchdog)
	return report + "\nevery step:\n" + r.Account.Text(0), err
}

// verdict is the outcome in a word.
func (o *outcome) verdict() string {
	switch {
	case o.Finding != nil:
		return "violation"
	case o.err != nil:
		return "error"
	case o.exhausted != nil && o.exhausted.Passed(), o.exhausted == nil && o.Passed():
		return "pass"
	}
	return "inconclusive"
}

// status is the exit status that the outcome calls for.
func (o *outcome) status() status {
	s := map[string]status{"pass": statusOK, "violation": statusViolation, "inconclusive": statusInconclusive}[o.verdict()]
	if o.err != nil {
		return worst(s, statusOf(o.err))
	}
	return s
}

// print shows what a person needs beyond the table.
func (o *outcome) print(a *app) {
	for _, f := range o.found {
		a.printf("%s\n", f.report)
	}
	if o.err != nil {
		a.complain("verify: %v", o.err)
	}
	if o.exhausted != nil && o.err == nil {
		a.printf("explored: %s\n", o.exhausted.Claim())
	}
	if o.verdict() == "inconclusive" {
		a.printf("%s: inconclusive: %s\n", o.Target, o.why)
	}
}
