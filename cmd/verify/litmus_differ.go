package main

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
)

const (
	// differBlock is how many programs a worker tries before it reports.
	differBlock = 64
	// maxDiffer bounds -differ and -seed: a program's own seed is made of both.
	maxDiffer = 1<<32 - 1
	// differSteps is the budget of a random program. Larger ones are given up, for
	// others in their place.
	differSteps = 20_000
	// differSpare is how many programs are made at most for each that is compared.
	differSpare = 4
)

// differed is what came of random programs that both engines ran.
type differed struct {
	Type          string  `json:"type"`
	Programs      uint64  `json:"programs"`
	Seed          uint64  `json:"seed"`
	Mixed         uint64  `json:"mixed"` // with threads of both ISAs
	StateCount    uint64  `json:"state_count"`
	Refused       uint64  `json:"refused"`      // by an engine: what they do is not supported
	Inconclusive  uint64  `json:"inconclusive"` // an engine spent its budget
	Compared      uint64  `json:"compared"`
	Disagreements uint64  `json:"disagreements"`
	StatesHash    string  `json:"states_hash"` // of all states of all programs
	Verdict       string  `json:"verdict"`
	Why           string  `json:"why,omitempty"`
	Seconds       float64 `json:"seconds"`

	hash uint64
	bad  *litmus.Test // the first on which the engines disagree
	err  error        // a fault of the first engine that had one
}

// differ is verify litmus -differ: random programs, each run by both engines, until n
// have been compared, or the engines disagree.
func (l *litmusRun) differ(n, seed uint64, dir string) (status, error) {
	sum := differed{Type: "summary", Seed: seed}
	line, began := l.a.newProgress(), time.Now()
	inOrder(int((differSpare*n+differBlock-1)/differBlock), l.workers, func(i int) differed {
		return l.differBlock(seed<<32+uint64(i)*differBlock, min(differBlock, n))
	}, func(_ int, d differed) bool {
		sum.add(d)
		line.draw(fmt.Sprintf("litmus: %s of %s programs", grouped(sum.Compared), grouped(n)))
		return sum.bad == nil && sum.err == nil && sum.Compared < n && l.ctx.Err() == nil
	})
	line.clear()
	if sum.err != nil {
		return 0, sum.err
	}
	if sum.bad != nil {
		if err := l.printReduced(sum.bad, dir); err != nil {
			return statusFault, err
		}
	} else if l.ctx.Err() != nil {
		sum.Why = fmt.Sprintf("interrupted after %s of %s programs", grouped(sum.Compared), grouped(n))
	} else if sum.Compared < n {
		sum.Why = "the budget is too small for most: raise -steps"
	}
	s := sum.status()
	sum.Verdict, sum.StatesHash, sum.Seconds = verdictOf(s), hex(sum.hash), seconds(began)
	if l.json {
		l.a.emit(sum)
	} else {
		l.a.printf("%s\n", sum.text())
	}
	return s, nil
}

// differBlock runs the programs of n seeds.
func (l *litmusRun) differBlock(first, n uint64) (d differed) {
	h := fnv.New64a()
	for seed := first; seed < first+n && d.bad == nil && d.err == nil; seed++ {
		j := &tested{test: generate.Random(seed, generate.Config{})}
		j.err = l.compute(j)
		if l.ctx.Err() != nil {
			break
		}
		d.Programs++
		d.StateCount += uint64(len(j.spelled))
		if j.test.Arch == mixed {
			d.Mixed++
		}
		for _, s := range j.spelled {
			h.Write([]byte(s))
		}
		h.Write([]byte{'\n'})
		switch {
		case j.err != nil && j.status() == statusFault:
			d.err = fmt.Errorf("%s: %w", j.test.Name, j.err)
		case j.err != nil:
			d.Refused++
		case j.disagree:
			d.bad = j.test
			d.Disagreements++
		case j.why != "":
			d.Inconclusive++
		default:
			d.Compared++
		}
	}
	d.hash = h.Sum64()
	return d
}

// add adds a block, in the order of the blocks.
func (d *differed) add(b differed) {
	d.Programs += b.Programs
	d.Mixed += b.Mixed
	d.StateCount += b.StateCount
	d.Refused += b.Refused
	d.Inconclusive += b.Inconclusive
	d.Compared += b.Compared
	d.Disagreements += b.Disagreements
	d.hash = d.hash*31 + b.hash
	d.bad, d.err = b.bad, b.err
}

func (d *differed) status() status {
	switch {
	case d.bad != nil:
		return statusFault
	case d.Why != "":
		return statusInconclusive
	}
	return statusOK
}

// printReduced prints a program on which the engines disagree, made small, and
// keeps it in the directory if one is given.
func (l *litmusRun) printReduced(bad *litmus.Test, dir string) error {
	line := l.a.newProgress()
	line.draw("litmus: making the program small on which the engines disagree")
	small := generate.Reduce(bad, func(t *litmus.Test) bool {
		j := &tested{test: t}
		return l.ctx.Err() == nil && l.compute(j) == nil && j.disagree
	})
	j := &tested{litmusFile: litmusFile{path: small.Name, file: small.Name + ".litmus"}, test: small}
	if dir != "" {
		path, err := writeTest(dir, small)
		if err != nil {
			return err
		}
		j.path = path
	}
	if j.err = l.compute(j); !j.disagree {
		j.test = bad // interrupted
		j.by, j.states = nil, nil
		j.err = l.compute(j)
	}
	line.clear()
	l.print(j)
	return nil
}

// text is the summary in a sentence.
func (d *differed) text() string {
	out := fmt.Sprintf("%s: %s compared with seed %d; of %s made, %s were of both ISAs; %s; %s", d.Verdict,
		counted(int(d.Compared), "program"), d.Seed, grouped(d.Programs),
		grouped(d.Mixed), counted(int(d.StateCount), "final state"), counted(int(d.Disagreements), "disagreement"))
	if d.Refused > 0 {
		out += fmt.Sprintf("; %s refused", grouped(d.Refused))
	}
	if d.Inconclusive > 0 {
		out += fmt.Sprintf("; %s given up behind the budget", grouped(d.Inconclusive))
	}
	if d.Why != "" {
		out += "; " + d.Why
	}
	return fmt.Sprintf("%s; states %s; %.1f s", out, d.StatesHash, d.Seconds)
}
