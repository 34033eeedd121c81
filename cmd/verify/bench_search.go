package main

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/targets/suite"
)

// searchEffort is how hard bench search looks for each bug.
type searchEffort struct {
	programs   []suite.Program
	strategies []string
	seeds      uint64
	runs       uint64 // the cap
	workers    int
}

// searchEffort defines the flags of bench search. What it answers reads them.
func (f *flags) searchEffort() func([]suite.Program) (searchEffort, error) {
	seeds := f.count("seeds", 60, maxSeeds, "search: how many `seeds` look for each bug")
	runs := f.count("cap", fuzz.DefaultRuns, maxRuns, "search: how many `runs` each seed has")
	programs := f.String("programs", "", "search: the `names` of programs, with commas between them (default all)")
	strategies := f.String("strategies", "", "search: the `names` of strategies (default all)")
	workers := f.count("workers", uint64(min(runtime.NumCPU(), maxWorkers)), maxWorkers, "search: how many `hunts` are at work at a time")
	return func(all []suite.Program) (searchEffort, error) {
		e := searchEffort{seeds: seeds.n, runs: runs.n, workers: int(workers.n)}
		for _, s := range splitNames(*strategies) {
			if err := checkStrategy(s); err != nil {
				return e, err
			}
			e.strategies = append(e.strategies, s)
		}
		var err error
		name := func(p suite.Program) string { return p.Target.Name }
		e.programs, err = catalogue[suite.Program]{"program", all, name, "verify list suite names them"}.pick(splitNames(*programs))
		return e, err
	}
}

// splitNames splits a list with commas; the empty one has no names.
func splitNames(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// searched is what came of one program under one strategy.
type searched struct {
	program, strategy string
	runs              []uint64 // up to the bug, of each seed; the cap where it was not found
	found             int
}

// searchLine is the JSON of it.
type searchLine struct {
	Type     string  `json:"type"`
	Program  string  `json:"program"`
	Strategy string  `json:"strategy"`
	Seeds    int     `json:"seeds"`
	Found    int     `json:"found"`
	Mean     float64 `json:"runs_mean"` // a seed that did not find it counts as the cap
	Median   float64 `json:"runs_median"`
}

func (s *searched) mean() float64 {
	sum := 0.0
	for _, n := range s.runs {
		sum += float64(n)
	}
	return sum / float64(len(s.runs))
}

func (s *searched) line() searchLine {
	runs := slices.Sorted(slices.Values(s.runs))
	median := float64(runs[(len(runs)-1)/2]+runs[len(runs)/2]) / 2
	round := func(x float64) float64 { return math.Round(x*100) / 100 }
	return searchLine{"result", s.program, s.strategy, len(runs), s.found, round(s.mean()), median}
}

// text is the result on a line.
func (s *searched) text() string {
	l := s.line()
	return fmt.Sprintf("%-34s %-10s %3d of %d seeds, %10.1f runs in the mean, %8.1f in the median",
		strings.TrimPrefix(s.program, "suite/"), s.strategy, l.Found, l.Seeds, l.Mean, l.Median)
}

// singles are the strategies that the portfolio is compared with.
func singles() []string {
	var out []string
	for _, s := range fuzz.Strategies() {
		if s.Name != fuzz.DefaultStrategy && s.Name != "natural" {
			out = append(out, s.Name)
		}
	}
	return out
}

// benchSearch counts the runs that each strategy needs for each bug of the suite.
func benchSearch(b *bench) ([]figure, error) {
	e := b.search
	if len(e.strategies) == 0 {
		e.strategies = append([]string{fuzz.DefaultStrategy}, singles()...)
	}
	var all []searched
	for _, pending := range e.start(b.stop) {
		s := <-pending
		if s.err != nil {
			return nil, s.err
		}
		if b.stop() {
			return nil, nil
		}
		b.result(s.line(), s.text())
		all = append(all, s.searched)
	}
	return searchFigures(all, e), nil
}

// searching is a result, or why there is none.
type searching struct {
	searched
	err error
}

// start begins all searches, so many hunts at a time. What comes of them is in
// the order of programs, then strategies.
func (e searchEffort) start(stop func() bool) []chan searching {
	var out []chan searching
	slots := make(chan struct{}, e.workers)
	var jobs []func()
	for _, p := range e.programs {
		for _, strategy := range e.strategies {
			done := make(chan searching, 1)
			out = append(out, done)
			jobs = append(jobs, func() { done <- e.search(p.Target, strategy, slots, stop) })
		}
	}
	go func() {
		ahead := make(chan struct{}, 2*e.workers)
		for _, job := range jobs {
			ahead <- struct{}{}
			go func() { job(); <-ahead }()
		}
	}()
	return out
}

// search hunts with every seed.
func (e searchEffort) search(t fuzz.Target, strategy string, slots chan struct{}, stop func() bool) searching {
	out := searching{searched: searched{program: t.Name, strategy: strategy, runs: make([]uint64, e.seeds)}}
	found := make([]bool, e.seeds)
	errs := make([]error, e.seeds)
	var wg sync.WaitGroup
	for seed := range e.seeds {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			s, err := fuzz.Hunt(t, fuzz.Options{Strategy: strategy, Seed: seed, Runs: e.runs, Audit: -1, Stop: stop})
			out.runs[seed], found[seed], errs[seed] = s.Runs, s.Finding != nil, err
		})
	}
	wg.Wait()
	for seed, ok := range found {
		if ok {
			out.found++
		} else {
			out.runs[seed] = e.runs
		}
		if errs[seed] != nil {
			out.err = errs[seed]
		}
	}
	return out
}

// searchFigures compare the portfolio with the others, program by program.
func searchFigures(all []searched, e searchEffort) []figure {
	var ratios []float64
	every := 0
	defeats := map[string]int{}
	for _, p := range e.programs {
		best, own := math.Inf(1), math.NaN()
		for i := range all {
			s := &all[i]
			switch {
			case s.program != p.Target.Name:
			case s.strategy == fuzz.DefaultStrategy:
				own = s.mean()
				if uint64(s.found)*60 >= e.seeds*58 {
					every++
				}
			default:
				best = min(best, s.mean())
				if uint64(s.found)*2 < e.seeds {
					defeats[s.strategy]++
				}
			}
		}
		if !math.IsNaN(own) && !math.IsInf(best, 1) {
			ratios = append(ratios, own/best)
		}
	}
	within := func(bound float64) float64 {
		n := 0
		for _, r := range ratios {
			if r <= bound {
				n++
			}
		}
		return float64(n) / float64(max(len(ratios), 1))
	}
	figures := []figure{
		{"programs", float64(len(e.programs)), "of the suite"},
		{"portfolio_found", float64(every), "programs whose bug the portfolio finds with at least 58 of each 60 seeds"},
	}
	if len(ratios) > 0 {
		figures = append(figures,
			figure{"ratio_max", slices.Max(ratios), "of the portfolio's mean to that of the best single strategy; at most 8"},
			figure{"within_2", within(2), "of the programs have a ratio of at most 2"},
			figure{"within_4", within(4), "of the programs have a ratio of at most 4; at least 0.8"})
	}
	for _, s := range e.strategies {
		if s != fuzz.DefaultStrategy {
			figures = append(figures, figure{"defeat_" + s, float64(defeats[s]), "programs that it finds with under half of the seeds; at least 1"})
		}
	}
	return figures
}
