package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

const (
	// entryBytes is what an entry of memory.Budget takes.
	entryBytes = 256

	// A test has so many steps, about a minute of each engine, and so much memory
	// unless flags say otherwise.
	litmusSteps  = 60_000_000
	litmusMemory = 512

	// litmusUnroll is how many rounds of a loop are run, as in herd.
	litmusUnroll = 2
	maxUnroll    = 64

	// both is the method by both engines, which must agree.
	both = "both"
)

// litmusRun judges litmus tests.
type litmusRun struct {
	a        *app
	ctx      context.Context
	json     bool
	method   string
	engines  []engine
	budget   memory.Budget // of each engine, for each test
	unroll   int
	workers  int
	expected expectations
	machine  *engine                                          // the simulated machine, if it is to run the tests
	beside   func(*tested, *litmus.Program, *onMachine) error // compares its storage, if it has one
	flat     *engine                                          // see litmusFlags.flat
	explain  *explaining
}

// litmusFlags are the flags of verify litmus.
type litmusFlags struct {
	*flags
	method                         *string
	unroll, steps, memory, workers *count
	expected                       repeated
	gen, isa, dir                  *string
	differ, seed, most, runs       *count
	explain, dot                   *bool
	state, order, storage          *string
}

func (a *app) litmusFlags() *litmusFlags {
	f := a.newFlags("litmus")
	o := &litmusFlags{
		flags:   f,
		method:  f.String("method", both, "axiomatic, explore, or both: the engine, or both, which must agree; fuzz: random runs on the simulated machine; native: all of its runs"),
		unroll:  f.count("unroll", litmusUnroll, maxUnroll, "how many `rounds` of a loop are run, at most 64; states that need more are not found, and the report says so"),
		steps:   f.count("steps", litmusSteps, maxBudget, "give up a test, as inconclusive, after so many `steps` of an engine, of a microsecond or less each"),
		memory:  f.count("memory", litmusMemory, 1<<20, "give up a test, as inconclusive, when an engine needs more `MiB`; each worker may need that much"),
		workers: f.count("workers", uint64(min(runtime.NumCPU(), maxWorkers)), maxWorkers, "how many `tests` are at work at a time; no result depends on it"),
		gen:     f.String("gen", "", "make tests: of a `cycle` such as 'x:PodWW Rfe a:PodRR Fre', of shapes such as MP,SB, or of all"),
		isa:     f.String("isa", "", "with -gen: make only tests of this `ISA`: x86_64, aarch64, or mixed"),
		most:    f.count("most", generateMost, maxGenerate, "with -gen: make so many `tests` at most"),
		dir:     f.String("o", "", "with -gen and -differ: write tests to this `directory`"),
		differ:  f.count("differ", 0, maxDiffer, "run so many random `programs` by both engines, until they disagree"),
		seed:    f.orNone("seed", 0, maxDiffer, "with -differ and -method fuzz: the `seed`"),
		runs:    f.count("runs", litmusRuns, maxRuns, "with -method fuzz: how many `runs` of each test"),
		order:   f.String("order", "native", "with -method fuzz and native: the machine's memory `order`: sc, tso or native"),
		storage: f.String("storage", "", "with -method fuzz: run on a storage of messages, this coherence `protocol`, or one in a file, and as often on flat memory, and compare"),
		explain: f.Bool("explain", false, "say why: an execution with the outcome of the condition, or the cycle that forbids it"),
		dot:     f.Bool("dot", false, "with -explain: draw it, as Graphviz, and print nothing else"),
		state:   f.String("state", "", "with -explain: another outcome, as a final state's `text` such as '0:rax=0; [x]=2;'"),
	}
	f.Var(&o.expected, "expected", "compare the final states with those in this `file` of JSON lines, of which file and states are read; give it once, or once for each path")
	return o
}

// start makes the run that the flags ask for.
func (o *litmusFlags) start() (*litmusRun, error) {
	a := o.a
	l := &litmusRun{
		a: a, ctx: a.ctx, json: o.json, method: *o.method, unroll: int(o.unroll.n), workers: int(o.workers.n),
		budget: memory.Budget{Steps: int64(o.steps.n), Entries: int64(o.memory.n << 20 / entryBytes)},
	}
	var err error
	if l.machine, err = o.onMachine(); err != nil {
		return nil, err
	}
	l.flat = o.flat()
	if *o.storage != "" {
		l.beside = o.beside
	}
	if l.explain, err = o.explaining(); err != nil {
		return nil, err
	}
	name := func(e engine) string { return e.name }
	all := catalogue[engine]{"method", a.engines, name, "use axiomatic, explore, both, fuzz or native"}
	switch l.engines = a.engines; {
	case l.machine != nil:
		l.engines, err = all.pick([]string{"explore"}) // tells what is allowed
	case l.method != both:
		l.engines, err = all.pick([]string{l.method})
	}
	if err != nil {
		return nil, err
	}

	// The budget counts what is live; the rest of the heap is garbage, which is
	// collected sooner when there is much.
	debug.SetMemoryLimit(int64(l.workers)*int64(o.memory.n)<<20 + 1<<28)
	return l, nil
}

// litmus is verify litmus.
func (a *app) litmus(args []string) (status, error) {
	o := a.litmusFlags()
	paths, err := o.parse(args)
	if err != nil {
		return 0, err
	}
	l, err := o.start()
	if err != nil {
		return 0, err
	}
	gen, differ := o.isSet("gen"), o.isSet("differ")
	switch {
	case (gen || differ) && len(paths) > 0, gen && differ:
		return 0, errors.New("give -gen, -differ, or paths: each is a use of its own")
	case gen:
		return l.generate(making{*o.gen, *o.isa, *o.dir, o.most.n})
	case differ:
		if len(l.engines) < 2 {
			return 0, errors.New("-differ compares both engines: leave out -method")
		}
		if !o.isSet("steps") {
			l.budget.Steps = differSteps
		}
		return l.differ(o.differ.n, o.seed.n, *o.dir)
	}
	files, err := litmusFiles(paths)
	if err != nil {
		return 0, err
	}
	if l.expected, err = readExpectations(o.expected, paths); err != nil {
		return 0, err
	}
	return l.all(files)
}

// all judges files, and prints what comes of each in their order.
func (l *litmusRun) all(files []litmusFile) (status, error) {
	sum := litmusSummary{Type: "summary", Method: l.method}
	statuses := []status{}
	line, began := l.a.newProgress(), time.Now()
	inOrder(len(files), l.workers, func(i int) *tested { return l.judge(files[i]) }, func(i int, j *tested) bool {
		if j == nil {
			return false // interrupted before it began
		}
		line.clear()
		l.print(j)
		sum.add(j)
		statuses = append(statuses, j.status())
		line.draw(fmt.Sprintf("litmus: %s of %s tests", grouped(uint64(i+1)), grouped(uint64(len(files)))))
		return true
	})
	line.clear()
	if len(statuses) < len(files) {
		sum.Why = fmt.Sprintf("interrupted after %s of %s tests", grouped(uint64(len(statuses))), grouped(uint64(len(files))))
		statuses = append(statuses, statusInconclusive)
	}
	if len(l.expected) > 0 && sum.Compared == 0 {
		return 0, fmt.Errorf("no test is in the file of -expected: its lines have a file each, such as %q", files[0].file)
	}
	sum.share()
	s := worst(statuses...)
	sum.Verdict, sum.Seconds = verdictOf(s), seconds(began)
	if l.json {
		l.a.emit(sum)
	} else if l.explain == nil || !l.explain.dot {
		l.a.printf("%s\n", sum.text())
	}
	return s, nil
}

// verdictOf is a status in a word.
func verdictOf(s status) string {
	return map[status]string{
		statusOK: "pass", statusViolation: "violation", statusInconclusive: "inconclusive",
		statusUsage: "error", statusFault: "error",
	}[s]
}

// inOrder does n jobs, so many at a time, and hands over what came of each in
// their order, until take answers false.
func inOrder[T any](n, workers int, do func(int) T, take func(int, T) bool) {
	type job struct {
		i   int
		got chan T
	}
	todo, begun, end := make(chan job), make(chan job, 2*workers), make(chan struct{})
	defer close(end)
	go func() {
		defer close(todo)
		defer close(begun)
		for i := range n {
			j := job{i, make(chan T, 1)}
			for _, to := range []chan job{begun, todo} {
				select {
				case to <- j:
				case <-end:
					return
				}
			}
		}
	}()
	for range workers {
		go func() {
			for j := range todo {
				j.got <- do(j.i)
			}
		}()
	}
	for j := range begun {
		if !take(j.i, <-j.got) {
			return
		}
	}
}
