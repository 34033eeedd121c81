package main

import (
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
	run func(b *bench) ([]figure, error)
	// long says that it takes minutes: it is run when it is named.
	long bool
}

// bench is what an experiment is given.
type bench struct {
	rounds int         // how often to measure; fewer if stop says so
	stop   func() bool // the user wants the command to end

	operations int           // of experiment judges: operations of a long history
	histories  int           // how many short ones
	limit      time.Duration // how long porcupine may take for a long one
	search     searchEffort

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
	// else the text, which is one line.
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
		{"engine", "what a step and a run cost, beside a bare switch of coroutines", benchEngine, false},
		{"judges", "how long judges take for long histories, beside porcupine, and whether they agree on short ones", benchJudges, false},
		{"litmus", "how long the engines take for litmus tests", benchLitmus, false},
		{"search", "how many runs each strategy needs for the bugs of the suite", benchSearch, false},
		{"platform", "how fast a simulated platform makes accesses, beside the same loops over a slice of Go", benchPlatform, true},
		{"npb", "kernels of the NAS Parallel Benchmarks on simulated platforms, verified officially", benchNPB, true},
		{"ipi", "how long interrupts take between all pairs of CPUs", benchIPI, false},
		{"micro", "latencies on simulated platforms: pointer chases, lines that nodes hand to each other", benchMicro, false},
		{"validate", "the caches beside a plain model, reference by reference, and beside cachegrind", benchValidate, true},
	}
}

// maxRounds bounds -rounds.
const maxRounds = 1000

// bench is verify bench.
func (a *app) bench(args []string) (status, error) {
	f := a.newFlags("bench")
	rounds := f.count("rounds", 25, maxRounds, "how many `rounds`; each figure is the median of them, the time of a judge the shortest")
	operations := f.count("operations", 100_000, 10_000_000, "judges: how many `operations` a long history has")
	histories := f.count("histories", 200_000, 1<<32, "judges: on how many short `histories` of each object judges are compared")
	limit := wait(10 * time.Second)
	f.Var(&limit, "limit", "judges: how long porcupine may take for a long history")
	effort := f.searchEffort()
	simulation := f.simulation()
	corpus := f.String("litmus", "", "of litmus: measure the tests of this `folder`, too")
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
		chosen = slices.DeleteFunc(chosen, func(e experiment) bool { return e.long })
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
	sum := map[string]any{"type": "summary", "experiments": len(chosen), "rounds": rounds.n}
	b := &bench{
		rounds: int(rounds.n), stop: a.interrupted, result: a.resultPrinter(f.json),
		engines: a.engines, tests: tests, operations: int(operations.n), histories: int(histories.n), limit: time.Duration(limit), search: search,
	}
	if err := simulation(b, chosen); err != nil {
		return 0, err
	}
	line := a.newProgress()
	b.progress = func(experiment, what string) { line.draw(experiment + ": " + what) }
	for _, e := range chosen {
		if !f.json {
			a.printf("%s: %s\n", e.name, e.doc)
		}
		figures, err := e.run(b)
		line.clear()
		if err != nil {
			return 0, fault{err}
		}
		if len(figures) == 0 {
			return statusInconclusive, fmt.Errorf("interrupted before the first round of %s was done", e.name)
		}
		a.printFigures(e, figures, sum, f.json)
	}
	sum["seconds"] = seconds(began)
	if f.json {
		a.emit(sum)
	}
	if a.interrupted() {
		return statusInconclusive, nil
	}
	return statusOK, nil
}

// resultPrinter prints results as JSON or as text.
func (a *app) resultPrinter(json bool) func(object any, text string) {
	return func(object any, text string) {
		if json {
			a.emit(object)
		} else {
			a.printf("  %s\n", text)
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
