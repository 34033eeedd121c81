package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fusedos/stramash/machine"
)

// experiment measures something.
type experiment struct {
	name, doc string
	// run prints results as it goes, if it has any, and answers the figures in
	// the order in which a person reads them; none if it was stopped too early
	// to know any.
	run    func(b *bench) ([]figure, error)
	traits traits
}

// traits say what is special about an experiment.
type traits uint8

const (
	long    traits = 1 << iota // it takes minutes: it is run when it is named
	draws                      // it draws pictures
	repeats                    // it heeds -rounds
)

// is says whether the experiment has a trait.
func (e experiment) is(t traits) bool { return e.traits&t != 0 }

// bench is what an experiment is given.
type bench struct {
	rounds int         // how often to measure; fewer if stop says so
	stop   func() bool // the user wants the command to end

	operations int           // of experiment judges: operations of a long history
	histories  int           // how many short ones
	limit      time.Duration // how long porcupine may take for a long one
	search     searchEffort

	ctx    context.Context // ends when stop says so
	caches int             // of experiment check

	engines []engine // of experiment litmus
	tests   [][]byte // besides those that the experiment has itself

	platforms []machine.Platform // of experiments npb, platform, ipi and validate
	models    models             // of the platforms
	skew      uint64             // cycles
	npb       npbEffort
	validate  validateEffort
	ipiCPUs   uint64 // of each node
	plots     string // a folder, or empty

	// progress says what is being done, on a terminal.
	progress func(experiment, what string)

	// result prints what was found out: as JSON the object, which says its type,
	// else the text, which is one line. Without an object it is a headline.
	result func(object any, text string)
}

// figure is one number that was measured.
type figure struct {
	name  string // snake_case, with its unit
	value float64
	doc   string
}

func experiments() []experiment {
	return []experiment{
		{"engine", "what a step and a run cost, beside a bare switch of coroutines", benchEngine, repeats},
		{"judges", "how long judges take for long histories, beside porcupine, and whether they agree on short ones", benchJudges, repeats},
		{"litmus", "how long the engines take for litmus tests", benchLitmus, repeats},
		{"search", "how many runs each strategy needs for the bugs of the suite", benchSearch, 0},
		{"platform", "how fast a simulated platform makes accesses, beside the same loops over a slice of Go", benchPlatform, long | draws | repeats},
		{"npb", "kernels of the NAS Parallel Benchmarks on simulated platforms, verified officially", benchNPB, long | draws},
		{"ipi", "how long interrupts take between all pairs of CPUs", benchIPI, draws},
		{"micro", "latencies on simulated platforms: pointer chases, lines that nodes hand to each other", benchMicro, draws},
		{"check", "how fast the states of a protocol are explored, beside Rumur on the same model", benchExplore, long | repeats},
		{"validate", "the caches beside a plain model, reference by reference, and beside cachegrind", benchValidate, long | draws},
	}
}

// maxRounds bounds -rounds.
const maxRounds = 1000

// bench is verify bench.
func (a *app) bench(args []string) (status, error) {
	f := a.newFlags("bench")
	f.heading("engine, judges, litmus, search, check: measurements of the verification")
	rounds := f.count("rounds", 25, maxRounds, "engine, judges, litmus, platform, check: how many `rounds`; each figure is the median of them, the time of a judge or a check the shortest (of a check of at most 3)")
	operations := f.count("operations", 100_000, 10_000_000, "judges: how many `operations` a long history has")
	histories := f.count("histories", 200_000, 1<<32, "judges: on how many short `histories` of each object judges are compared")
	limit := wait(10 * time.Second)
	f.Var(&limit, "limit", "judges: how long porcupine may take for a long history")
	effort := f.searchEffort()
	corpus := f.String("litmus", "", "litmus: measure the tests of this `folder`, too")
	caches := f.count("caches", 4, 8, "check: of how many `caches` the protocol is")
	simulation := f.simulation()
	names, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	name := func(e experiment) string { return e.name }
	chosen, err := catalogue[experiment]{"experiment", experiments(), name, ""}.pick(names)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		chosen = slices.DeleteFunc(chosen, func(e experiment) bool { return e.is(long) })
	}
	search, err := effort(a.suite)
	if err != nil {
		return 0, err
	}
	tests, err := litmusTexts(*corpus)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	sum := map[string]any{"type": "summary", "experiments": len(chosen)}
	if slices.ContainsFunc(chosen, func(e experiment) bool { return e.is(repeats) }) {
		sum["rounds"] = rounds.n
	}
	b := &bench{
		rounds: int(rounds.n), ctx: a.ctx, caches: int(caches.n), stop: a.interrupted, result: a.resultPrinter(f.json),
		engines: a.engines, tests: tests, operations: int(operations.n), histories: int(histories.n), limit: time.Duration(limit), search: search,
	}
	if err := simulation(b, chosen); err != nil {
		return 0, err
	}
	line := a.newProgress()
	b.progress = func(experiment, what string) { line.draw(experiment + ": " + what) }
	for _, e := range chosen {
		if a.interrupted() {
			break
		}
		if !f.json {
			a.printf("%s: %s\n", e.name, e.doc)
		}
		figures, err := e.measure(b)
		line.clear()
		if err != nil {
			return 0, statusOfRun(err)
		}
		if len(figures) == 0 && !a.interrupted() {
			return 0, fault{fmt.Errorf("%s has come to nothing", e.name)}
		}
		a.printFigures(e, figures, sum, f.json)
	}
	return a.endBench(sum, began, f.json), nil
}

// endBench prints the summary. Of what was interrupted it says what was finished.
func (a *app) endBench(sum map[string]any, began time.Time, json bool) status {
	s := statusOK
	if a.interrupted() {
		const why = "interrupted: the figures are of what was finished"
		s, sum["verdict"], sum["why"] = statusInconclusive, "inconclusive", why
		a.complain("verify bench: %s", why)
	}
	sum["seconds"] = seconds(began)
	if json {
		a.emit(sum)
	}
	return s
}

// resultPrinter prints results as JSON or as text; what has no object is text only.
func (a *app) resultPrinter(json bool) func(object any, text string) {
	return func(object any, text string) {
		switch {
		case !json:
			a.printf("  %s\n", text)
		case object != nil:
			a.emit(object)
		}
	}
}

// printFigures prints the end of an experiment; its figures are in the summary too.
func (a *app) printFigures(e experiment, figures []figure, sum map[string]any, json bool) {
	line := map[string]any{"type": "experiment", "experiment": e.name}
	for _, f := range figures {
		line[f.name], sum[f.name] = f.value, f.value
	}
	if json {
		a.emit(line)
		return
	}
	for _, f := range figures {
		a.printf("  %-22s %12s  %s\n", f.name, number(f.value), f.doc)
	}
}

// number writes large figures whole and small ones with a fraction.
func number(v float64) string {
	if v >= 1000 {
		return grouped(uint64(v))
	}
	return fmt.Sprintf("%.2f", v)
}
