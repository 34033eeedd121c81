package main

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// The sizes of a round: long enough that a clock's grain does not show, short
// enough that a drift of the host's speed hits all figures of a round alike.
const (
	benchSwitches = 1 << 18
	benchRuns     = 1 << 14
)

// The accesses of each of the 4 threads: few, as in most targets, and many, so
// that steps of which the running thread is not the one chosen are less than 1
// in 200.
const (
	fewAccesses  = 16
	manyAccesses = 256
)

// load is what is measured: 4 threads that load and store 8 shared words by turns.
type load struct {
	accesses int // of each thread
	strategy string
	workers  int
	judged   bool // of data races
	costs    bool // accounted
	read     bool // the counters of every run are read
	order    machine.MemoryOrder
}

func (l load) target() fuzz.Target {
	t := fuzz.Target{
		Name: "bench/engine", Doc: "loads and stores of shared words", Platform: machine.Pairs(2), IntendedRaces: !l.judged,
		Setup: func(m *machine.Machine) fuzz.Program {
			const words = 8
			at := m.Alloc(8 * words)
			p := fuzz.Program{Threads: fuzz.Each(m, func(t *machine.Thread) {
				for i := range machine.VA(l.accesses / 2) {
					word := at + 8*(i%words)
					v := t.Load(word, machine.Size64, machine.Relaxed)
					t.Store(word, machine.Size64, v+1, machine.Relaxed)
				}
			})}
			if l.read {
				p.After = func() error {
					for cpu := range m.CPUs() {
						m.Counters(cpu)
					}
					return nil
				}
			}
			return p
		},
	}
	if l.costs {
		t.Platform.Hardware = machine.PaperHardware(t.Platform)
	}
	return t.Under(l.order)
}

// round is one measurement of everything, one after the other.
type round struct {
	bareSwitch, stepRandom, stepPortfolio, stepJudged, stepContinue, stepNatural float64 // ns
	stepTSO, stepNative, stepNativeNatural, stepAccounted                        float64 // ns
	stepRead, stepMeasured                                                       float64 // ns
	runs, runs2                                                                  float64 // a second
}

// benchEngine measures the engine with all that verify run turns on; the judge of
// data races, which sees every event, by itself.
func benchEngine(b *bench) ([]figure, error) {
	var all []round
	for range b.rounds {
		if b.stop() {
			break
		}
		r, err := benchRound()
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return engineFigures(all), nil
}

func benchRound() (r round, err error) {
	r.bareSwitch = bareSwitch()
	random := load{accesses: fewAccesses, strategy: "random", workers: 1}
	natural := load{accesses: fewAccesses, strategy: "natural", workers: 1}
	judged, portfolio, two, tso, native, accounted := random, random, random, random, random, random
	accounted.costs = true
	read, measured := random, accounted
	read.read, measured.read = true, true
	judged.judged, portfolio.strategy, two.workers = true, fuzz.DefaultStrategy, 2
	tso.order, native.order = machine.TSO, machine.Native
	long, nativeNatural := natural, natural
	long.accesses, nativeNatural.order = manyAccesses, machine.Native
	for _, m := range []struct {
		load
		runs, step *float64
	}{
		{random, &r.runs, &r.stepRandom}, {judged, nil, &r.stepJudged}, {portfolio, nil, &r.stepPortfolio},
		{accounted, nil, &r.stepAccounted}, {read, nil, &r.stepRead}, {measured, nil, &r.stepMeasured}, {tso, nil, &r.stepTSO}, {native, nil, &r.stepNative}, {nativeNatural, nil, &r.stepNativeNatural},
		{long, nil, &r.stepContinue}, {natural, nil, &r.stepNatural}, {two, &r.runs2, nil},
	} {
		runs, step, err := m.speed()
		if err != nil {
			return r, err
		}
		if m.runs != nil {
			*m.runs = runs
		}
		if m.step != nil {
			*m.step = step
		}
	}
	return r, nil
}

// bareSwitch is the time of a round trip into an iter.Pull coroutine and back.
func bareSwitch() (ns float64) {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for yield(0) {
		}
	})
	defer stop()
	next()
	began := time.Now()
	for range benchSwitches {
		next()
	}
	return float64(time.Since(began).Nanoseconds()) / benchSwitches
}

// speed measures a hunt: the runs a second, and the time of one step.
func (l load) speed() (runsPerSecond, nsPerStep float64, err error) {
	runs := uint64(benchRuns * fewAccesses / l.accesses)
	began := time.Now()
	s, err := fuzz.Hunt(l.target(), fuzz.Options{Strategy: l.strategy, Runs: runs, Workers: l.workers})
	took := time.Since(began)
	if s.Finding != nil { // it would have ended the hunt
		err = fmt.Errorf("the program that is measured has a violation: %w", s.Finding)
	}
	return float64(s.Runs) / took.Seconds(), float64(took.Nanoseconds()) / float64(max(s.Steps, 1)), err
}

// engineFigures takes the medians. Ratios are within a round, whose figures
// were measured side by side.
func engineFigures(all []round) []figure {
	of := func(name, doc string, f func(round) float64) figure { return figure{name, median(all, f), doc} }
	return []figure{
		of("bare_switch_ns", "a round trip of iter.Pull", func(r round) float64 { return r.bareSwitch }),
		of("step_random_ns", "a step of 4 threads of 16 accesses, strategy random", func(r round) float64 { return r.stepRandom }),
		of("step_portfolio_ns", "the same, strategy portfolio: with what it learns by", func(r round) float64 { return r.stepPortfolio }),
		of("step_random_ratio", "to a bare switch; at most 1.4", func(r round) float64 { return r.stepRandom / r.bareSwitch }),
		of("step_judged_ns", "the same with data races judged", func(r round) float64 { return r.stepJudged }),
		of("step_judged_ratio", "to a step whose races are not judged", func(r round) float64 { return r.stepJudged / r.stepRandom }),
		of("step_accounted_ns", "the same as step_random_ns with its costs accounted, on the paper's hardware", func(r round) float64 { return r.stepAccounted }),
		of("step_accounted_ratio", "to a step without; at most 1.5", func(r round) float64 { return r.stepAccounted / r.stepRandom }),
		of("step_measured_ns", "the same when the counters of every run are read, for which the caches make all its accesses", func(r round) float64 { return r.stepMeasured }),
		of("step_measured_ratio", "to a step without; also at most 1.5", func(r round) float64 { return r.stepMeasured / r.stepRead }),
		of("step_continue_ns", "a step in which the running thread goes on: 4 threads of 256 accesses, strategy natural", func(r round) float64 { return r.stepContinue }),
		of("step_continue_ratio", "to a bare switch; at most 0.3", func(r round) float64 { return r.stepContinue / r.bareSwitch }),
		of("step_natural_ns", "a step of 4 threads of 16 accesses, strategy natural: with the start and end of threads and runs", func(r round) float64 { return r.stepNatural }),
		of("step_tso_ns", "the same as step_random_ns under the memory order tso", func(r round) float64 { return r.stepTSO }),
		of("step_native_ns", "under native", func(r round) float64 { return r.stepNative }),
		of("step_native_ratio", "to a step under sc; at most 4", func(r round) float64 { return r.stepNative / r.stepRandom }),
		of("step_native_natural_ratio", "of the natural runs, to those under sc", func(r round) float64 { return r.stepNativeNatural / r.stepNatural }),
		of("runs_per_second", "one worker, strategy random", func(r round) float64 { return r.runs }),
		of("runs_per_second_2", "two workers", func(r round) float64 { return r.runs2 }),
		of("speedup_2", "of two workers", func(r round) float64 { return r.runs2 / r.runs }),
	}
}

func median(all []round, f func(round) float64) float64 {
	var values []float64
	for _, r := range all {
		values = append(values, f(r))
	}
	slices.Sort(values)
	mid := values[len(values)/2]
	if len(values)%2 == 0 {
		mid = (mid + values[len(values)/2-1]) / 2
	}
	return math.Round(mid*1e3) / 1e3
}
