package main

import (
	"fmt"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// maxTimes bounds -times.
const maxTimes = 1 << 20

// lastRows is how many rows of an account are shown, unless all are asked for.
const lastRows = 40

// replay is verify replay.
func (a *app) replay(args []string) (status, error) {
	f := a.newFlags("replay")
	times := f.count("times", 1, maxTimes, "replay so many `times`; all must agree")
	whole := f.Bool("v", false, "show every step of the account, not only the last ones")
	rest, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	s, err := a.subject(f.Name(), rest)
	if err != nil {
		return 0, err
	}
	if s.clean {
		return a.printClean(s, f.json), nil
	}
	began := time.Now()
	r, agreed, err := a.repeat(s, times.n)
	if err != nil {
		return 0, err
	}
	rows := lastRows
	if *whole {
		rows = 0
	}
	if f.json {
		a.emitReplay(s, r, agreed, rows, seconds(began))
	} else {
		a.printReplay(s, r, agreed, rows)
	}
	return replayStatus(r, agreed, times.n), nil
}

// repeat replays so many times, or until the user ends it, and answers how
// often. It fails if two replays differ.
func (a *app) repeat(s subject, times uint64) (first fuzz.Replay, agreed uint64, err error) {
	line := a.newProgress()
	defer line.clear()
	for n := range times {
		r, err := fuzz.ReplayToken(s.target, s.token, a.watchdog)
		if err != nil {
			return r, n, err
		}
		if n == 0 {
			first = r
		} else if r.Explain() != first.Explain() || r.Account.Text(0) != first.Account.Text(0) {
			return r, n, fault{fmt.Errorf("replay %d of %d differs from the first: the target %s is not deterministic", n+1, times, s.target.Name)}
		}
		line.runs(s.target.Name, n+1, times)
		if a.interrupted() {
			return first, n + 1, nil
		}
	}
	return first, times, nil
}

// replayStatus is the exit status that a replay calls for.
func replayStatus(r fuzz.Replay, agreed, times uint64) status {
	switch {
	case r.Status == fuzz.Drifted:
		return statusInconclusive
	case r.Finding != nil:
		return statusViolation
	case agreed < times:
		return statusInconclusive
	}
	return statusOK
}

func (a *app) printReplay(s subject, r fuzz.Replay, agreed uint64, rows int) {
	if r.Finding != nil {
		a.printf("VIOLATION %s: %s\n%s\n\n", s.target.Name, r.Finding.Rule, r.Finding.Message)
	}
	a.printf("%s\n", r.Account.Text(rows))
	a.printf("%s", fuzz.WitnessText(r.Witnesses))
	for _, e := range s.token.Schedule {
		a.printf("choice  %s\n", e)
	}
	for _, e := range r.Unmatched {
		a.printf("without a place  %s\n", e)
	}
	if agreed > 1 {
		a.printf("%s, %s times out of %s\n", r.Explain(), grouped(agreed), grouped(agreed))
	} else {
		a.printf("%s\n", r.Explain())
	}
}

// rowLine is the JSON of a row of an account.
type rowLine struct {
	Type    string `json:"type"`
	Step    int    `json:"step"`
	CPU     int    `json:"cpu"`
	ISA     string `json:"isa"`
	Context string `json:"context"`
	Text    string `json:"text"`
	Site    string `json:"site,omitempty"`
}

// replayLine is the JSON of a replay.
type replayLine struct {
	Type      string   `json:"type"`
	Target    string   `json:"target"`
	Status    string   `json:"status"`
	Explain   string   `json:"explain"`
	Times     uint64   `json:"times"`
	Judge     string   `json:"judge,omitempty"`
	Rule      string   `json:"rule,omitempty"`
	Message   string   `json:"message,omitempty"`
	TraceHash string   `json:"trace_hash,omitempty"` // of the run that the token names
	Choices   []string `json:"choices"`
	Unmatched []string `json:"unmatched"`
	*find.Sizes
	Token   string  `json:"token,omitempty"`
	Seconds float64 `json:"seconds"`
}

func (a *app) emitReplay(s subject, r fuzz.Replay, agreed uint64, last int, took float64) {
	rows := r.Account.Rows
	if last > 0 && len(rows) > last {
		rows = rows[len(rows)-last:]
	}
	for _, row := range rows {
		l := rowLine{"row", row.Step, row.CPU, isaOf(s.target.Platform, row.CPU), row.Context, row.Text, ""}
		if row.Site.File != "" {
			l.Site = row.Site.Short()
		}
		a.emit(l)
	}
	l := replayLine{
		Type: "summary", Target: s.target.Name, Status: r.Status.String(), Explain: r.Explain(), Times: agreed,
		TraceHash: hex(s.token.TraceHash), Choices: describe(s.token.Schedule), Unmatched: describe(r.Unmatched),
		Token: s.token.String(), Seconds: took,
	}
	if r.Finding != nil {
		sizes := find.Measure(r.Finding)
		l.Judge, l.Rule, l.Message, l.Sizes = r.Finding.Judge, r.Finding.Rule, r.Finding.Message, &sizes
	}
	a.emit(l)
}

// isaOf is the name of a CPU's instruction set.
func isaOf(p machine.Platform, cpu int) string {
	for _, n := range p.Nodes {
		if cpu < n.CPUs {
			return n.ISA.Name
		}
		cpu -= n.CPUs
	}
	return ""
}

// printClean says that the input of a corpus file has no violation.
func (a *app) printClean(s subject, json bool) status {
	const explain = "passes: no run that this input stands for has a violation"
	if json {
		a.emit(replayLine{
			Type: "summary", Target: s.target.Name, Status: fuzz.Passes.String(), Explain: explain, Times: 1,
			Choices: []string{}, Unmatched: []string{},
		})
	} else {
		a.printf("%s: %s: %s\n", s.from, s.target.Name, explain)
	}
	return statusOK
}
