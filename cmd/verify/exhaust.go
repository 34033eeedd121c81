package main

import (
	"fmt"
	"time"

	campaigns "github.com/fusedos/stramash/campaign"
	"github.com/fusedos/stramash/fuzz"
)

// exhaustive stands for the strategy of a search that leaves nothing to chance.
const exhaustive = campaigns.Exhaustive

// maxPreemptions bounds -preemptions.
const maxPreemptions = 64

// exhaust is the options of an exhaustive search, as the flags of run say.
func (f *flags) exhaust(c *campaign, preemptions *count) (*fuzz.ExhaustOptions, error) {
	for _, name := range []string{"strategy", "seed"} {
		if f.isSet(name) {
			return nil, fmt.Errorf("-%s is of no use with -exhaustive, which leaves nothing to chance", name)
		}
	}
	o := &fuzz.ExhaustOptions{
		Bounded: f.isSet("preemptions"), Preemptions: int(preemptions.n), Workers: c.options.Workers,
		Shard: c.options.Shard, All: c.options.All, Pins: c.options.Pins, Stop: c.stop, Watchdog: c.a.watchdog,
	}
	if f.isSet("runs") {
		o.Runs = c.options.Runs
	}
	return o, nil
}

// try hunts in a target or explores it, and makes its violations small.
func (c *campaign) try(t fuzz.Target) outcome {
	if c.exhaust == nil {
		return c.hunt(t)
	}
	line := c.a.newProgress()
	o := *c.exhaust
	o.Progress = func(p fuzz.ExhaustProgress) { line.classes(t.Name, p) }
	began := time.Now()
	explore := fuzz.Exhaust
	if c.dir != nil {
		explore = c.dir.Exhaust
	}
	x, err := explore(t, o)
	out := outcome{target: t, exhausted: &x, err: err, seconds: seconds(began), why: x.Inconclusive()}
	out.Summary = fuzz.Summary{
		Target: t.Name, Strategy: exhaustive, Runs: x.Runs, Steps: x.Steps, Records: x.Records,
		TraceHash: x.Hash, Distinct: x.Classes, Judges: x.Judges, Unknown: x.Unknown, UnknownWhy: x.UnknownWhy,
		Stopped: x.Stopped, Shard: x.Shard, Evidence: x.Evidence, Finding: x.Finding,
	}
	if x.Finding != nil {
		line.draw(t.Name + ": making the violation small")
		out.Findings = []*fuzz.Finding{x.Finding}
		out.shrink(c, x.Finding)
	}
	if x.Stopped && c.stop() {
		out.why = c.whyStop() + ": " + out.why
	}
	line.clear()
	return out
}

// classes tells how far an exhaustive search is.
func (p *progress) classes(what string, e fuzz.ExhaustProgress) {
	if !p.due() {
		return
	}
	took := time.Since(p.began)
	text := fmt.Sprintf("%s: %s classes", what, grouped(e.Classes))
	if e.Estimate > 0 {
		text += fmt.Sprintf(" of about %s", grouped(uint64(e.Estimate)))
	}
	p.draw(fmt.Sprintf("%s, %s runs a second, %v", text, grouped(uint64(float64(e.Runs)/max(took.Seconds(), 1e-3))), took.Round(time.Second)))
}

// exhaustLine is what an exhaustive search adds to a summary's JSON.
type exhaustLine struct {
	Classes     uint64 `json:"classes"`
	Blocked     uint64 `json:"blocked"`
	States      uint64 `json:"states,omitempty"`
	Preemptions *int   `json:"preemptions,omitempty"`
	Claim       string `json:"claim"`
}

func exhausted(x *fuzz.Exhausted) *exhaustLine {
	l := &exhaustLine{Classes: x.Classes, Blocked: x.Blocked, States: x.States, Claim: x.Claim()}
	if x.Bounded {
		l.Preemptions = &x.Preemptions
	}
	return l
}
