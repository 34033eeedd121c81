package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/checkers/histories"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// judged are the objects of experiment judges.
func judged() []spec.Spec[any] {
	return []spec.Spec[any]{
		spec.Register(0).Erase(), spec.Queue().Erase(), spec.Mutex().Erase(), spec.Set().Erase(),
		spec.Stack().Erase(), spec.RWLock().Erase(), spec.Semaphore(3).Erase(),
	}
}

const (
	benchObject  machine.VA = 0x1000
	busyClients             = 8
	sweepBudget             = 1 << 26 // steps that the frontier may take for a short history
	sweepBatch              = 500     // short histories of one seed
	spoilAtMost             = 1000    // attempts to break a long history
	leastIllegal            = 5       // one in so many short histories must be illegal
)

// resultLine is the JSON of one judge's work on one long history.
type resultLine struct {
	Type       string  `json:"type"` // result
	Object     string  `json:"object"`
	Judge      string  `json:"judge"`
	By         string  `json:"by,omitempty"` // what gave the verdict
	History    string  `json:"history"`      // valid or broken
	Operations int     `json:"operations"`
	Clients    int     `json:"clients"`
	Seconds    float64 `json:"seconds"`
	Verdict    string  `json:"verdict"` // pass, violation or unknown
	Why        string  `json:"why,omitempty"`
}

func (l resultLine) text() string {
	return fmt.Sprintf("%-10s %-7s %-24s %-9s %9.4f s  %s", l.Object, l.History, l.Judge, l.By, l.Seconds, l.Verdict)
}

// agreementLine is the JSON of the comparison of judges on short histories.
type agreementLine struct {
	Type          string  `json:"type"` // agreement
	Object        string  `json:"object"`
	Histories     int     `json:"histories"`
	Illegal       int     `json:"illegal"`
	Declined      int     `json:"declined"` // more, on which the monitor has no opinion
	Disagreements int     `json:"disagreements"`
	Seconds       float64 `json:"seconds"`
}

func (l agreementLine) text() string {
	return fmt.Sprintf("%-10s monitor, frontier and porcupine on %s short histories: %d disagreements (%s illegal, %s more declined) %9.1f s",
		l.Object, grouped(uint64(l.Histories)), l.Disagreements, grouped(uint64(l.Illegal)), grouped(uint64(l.Declined)), l.Seconds)
}

// benchJudges measures the judges of histories and compares them.
func benchJudges(b *bench) ([]figure, error) {
	slowest, sweep, compared := 0.0, 0.0, 0
	for i, s := range judged() {
		for _, broken := range []bool{false, true} {
			took, err := b.judgeLong(s, uint64(i), broken)
			if err != nil {
				return nil, err
			}
			slowest = max(slowest, took)
		}
		if b.stop() {
			return nil, nil
		}
	}
	for i, s := range judged() {
		line, err := b.compare(s, uint64(i))
		if err != nil {
			return nil, err
		}
		sweep += line.Seconds
		compared += line.Histories
		if b.stop() {
			return nil, nil
		}
	}
	return []figure{
		{"judges_slowest_seconds", slowest, "the longest that a long history took; porcupine apart"},
		{"agreement_histories", float64(compared), "short histories on which all agree"},
		{"agreement_seconds", sweep, "for these, on all cores"},
	}, nil
}

// longHistory is one of clients that are hardly ever idle. A broken one has a
// small mistake in the middle.
func (b *bench) longHistory(s spec.Spec[any], seed uint64, broken bool) (machine.History, error) {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := histories.Obeying(rng.IntN, s, histories.Shape{
		Object: benchObject, Clients: busyClients, Operations: b.operations, Duration: 100, Think: 20,
	})
	if !broken {
		return h, nil
	}
	judge := checkers.Linearizable(s)
	for range spoilAtMost {
		spoilt := slices.Clone(h)
		histories.Spoil(rng.IntN, s, spoilt, len(h)/2, len(h)/2+min(100, len(h)/2))
		if judge.Check(spoilt).Violation != nil {
			return spoilt, nil
		}
	}
	return nil, errors.New("no mistake breaks the history of a " + s.Name)
}

// judgeLong lets the judge and porcupine judge a long history, and answers the
// seconds that the judge took in the fastest of the rounds.
func (b *bench) judgeLong(s spec.Spec[any], seed uint64, broken bool) (float64, error) {
	h, err := b.longHistory(s, seed, broken)
	if err != nil {
		return 0, err
	}
	judge := checkers.Linearizable(s)
	line := resultLine{
		Type: "result", Object: s.Name, Judge: judge.Name(), History: "valid", Operations: calls(h), Clients: busyClients,
	}
	want := "pass"
	if broken {
		line.History, want = "broken", "violation"
	}
	var all []float64
	for range b.rounds {
		began := time.Now()
		v := judge.Check(h)
		all = append(all, seconds(began))
		line.By = v.By
		line.Verdict, line.Why = wordVerdict(v)
		if b.stop() {
			break
		}
	}
	line.Seconds = slices.Min(all) // what else the host did is not the judge's
	b.result(line, line.text())
	if line.Verdict != want {
		return 0, fmt.Errorf("%s says %s of a %s history: %s", line.Judge, line.Verdict, line.History, line.Why)
	}
	return line.Seconds, b.porcupineLong(s, h, line, want)
}

// porcupineLong lets porcupine judge a long history.
func (b *bench) porcupineLong(s spec.Spec[any], h machine.History, line resultLine, want string) error {
	ops, err := checkers.Operations(h, benchObject)
	if err != nil {
		return err
	}
	line.Judge, line.By, line.Why = "porcupine", "", ""
	began := time.Now()
	switch porcupine.CheckOperationsTimeout(checkers.Porcupine(s), ops, max(b.limit, 1)) {
	case porcupine.Ok:
		line.Verdict = "pass"
	case porcupine.Illegal:
		line.Verdict = "violation"
	default:
		line.Verdict, line.Why = "unknown", fmt.Sprintf("gave up after %v", b.limit)
	}
	line.Seconds = seconds(began)
	b.result(line, line.text())
	if line.Verdict != want && line.Verdict != "unknown" {
		return fmt.Errorf("porcupine says %s of a %s history of a %s", line.Verdict, line.History, s.Name)
	}
	return nil
}

func wordVerdict(v checkers.Verdict) (verdict, why string) {
	switch {
	case v.Violation != nil:
		return "violation", v.Violation.Message
	case v.Unknown != "":
		return "unknown", v.Unknown
	}
	return "pass", ""
}

// calls is the number of operations in a history.
func calls(h machine.History) (n int) {
	for _, r := range h {
		if r.Kind == machine.CallRecord {
			n++
		}
	}
	return n
}

// compare lets monitor, frontier and porcupine judge short histories, on all
// cores. Which histories it makes up depends on the object and their number only.
func (b *bench) compare(s spec.Spec[any], seed uint64) (agreementLine, error) {
	began := time.Now()
	line := agreementLine{Type: "agreement", Object: s.Name}
	var (
		group sync.WaitGroup
		mu    sync.Mutex // of line and first
		first string     // a disagreement
		batch atomic.Int64
	)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			c := newComparison(s)
			for !b.stop() {
				n := int(batch.Add(1) - 1)
				size := min(sweepBatch, b.histories-n*sweepBatch)
				if size <= 0 {
					break
				}
				c.run(seed, n, size)
			}
			mu.Lock()
			defer mu.Unlock()
			line.Histories += c.Histories
			line.Illegal += c.Illegal
			line.Declined += c.Declined
			line.Disagreements += c.Disagreements
			if first == "" {
				first = c.first
			}
		})
	}
	group.Wait()
	line.Seconds = seconds(began)
	b.result(line, line.text())
	switch {
	case line.Disagreements > 0:
		return line, errors.New("judges disagree: " + first)
	case line.Illegal*leastIllegal < line.Histories:
		return line, fmt.Errorf("only %d of %d histories of a %s are illegal", line.Illegal, line.Histories, s.Name)
	}
	return line, nil
}

// comparison is what one worker of compare does.
type comparison struct {
	spec              spec.Spec[any]
	monitor, frontier checkers.Judge
	model             porcupine.Model
	agreementLine
	first string // a disagreement
}

func newComparison(s spec.Spec[any]) *comparison {
	return &comparison{
		spec: s, model: checkers.Porcupine(s),
		monitor:  checkers.LinearizableBy("monitor", 0, s),
		frontier: checkers.LinearizableBy("frontier", sweepBudget, s),
	}
}

// run compares the verdicts on so many histories that the monitor judges.
func (c *comparison) run(seed uint64, batch, size int) {
	rng := rand.New(rand.NewPCG(seed<<32|uint64(batch), 2))
	for n := 0; n < size; {
		h := histories.Short(rng.IntN, c.spec, benchObject)
		m := c.monitor.Check(h)
		if m.Unknown != "" {
			c.Declined++
			continue
		}
		n++
		c.Histories++
		f := c.frontier.Check(h)
		ops, err := checkers.Operations(h, benchObject)
		legal := err == nil && porcupine.CheckOperations(c.model, ops)
		if !legal {
			c.Illegal++
		}
		if err != nil || f.Unknown != "" || legal != (f.Violation == nil) || legal != (m.Violation == nil) {
			c.Disagreements++
			c.first = fmt.Sprintf("%s history %d of batch %d: porcupine %v, monitor %+v, frontier %+v: %+v",
				c.spec.Name, n, batch, legal, m, f, h)
		}
	}
}
