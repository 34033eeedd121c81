package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
	"github.com/fusedos/stramash/cmd/verify/internal/input"
	"github.com/fusedos/stramash/fuzz"
)

// survivorsFile says of mutants that no hunt can catch why not.
const survivorsFile = "corpus/litmus/locks/survivors.txt"

// mutantPaths are where mutants are looked for.
var mutantPaths = []string{"locks", "targets"}

// mutantOrders are the memory orders under which mutants are hunted.
var mutantOrders = []string{"sc", "native"}

// mutants is verify mutants.
func (a *app) mutants(args []string) (status, error) {
	f := a.newFlags("mutants")
	runs := f.count("runs", fuzz.DefaultRuns, maxRuns, "how many `runs` each mutant has in each target under each memory order")
	workers := f.count("workers", uint64(min(runtime.NumCPU(), maxWorkers)), maxWorkers, "how many `mutants` are at work at a time")
	strategy := f.String("strategy", fuzz.DefaultStrategy, "how choices are made; verify list strategies describes them")
	paths, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	if err := checkStrategy(*strategy); err != nil {
		return 0, err
	}
	wd, err := os.Getwd()
	if err != nil {
		return 0, fault{err}
	}
	h := &mutantHunt{a: a, effort: bugs.Effort{Strategy: *strategy, Runs: runs.n, Seeds: 1, AsFound: true}}
	if h.root, err = bugs.Root(wd); err != nil {
		return 0, err
	}
	if len(paths) == 0 {
		paths = mutantPaths
	}
	if err := h.load(paths); err != nil {
		return 0, err
	}
	return h.hunt(int(workers.n), f.json)
}

// mutantHunt hunts for mutants of the source.
type mutantHunt struct {
	a         *app
	root      string
	mutants   []bugs.Mutant
	survivors map[string]string // by the name of the mutant
	effort    bugs.Effort
}

// load finds the mutants in files and directories below the module's root.
func (h *mutantHunt) load(paths []string) (err error) {
	for _, p := range paths {
		found, err := bugs.Mutants(h.root, filepath.Clean(p))
		if err != nil {
			return err
		}
		h.mutants = append(h.mutants, found...)
	}
	if len(h.mutants) == 0 {
		return fmt.Errorf("no memory order or fence stands in %s: name files or folders of Go source below %s", strings.Join(paths, ", "), h.root)
	}
	h.survivors, err = readSurvivors(filepath.Join(h.root, survivorsFile))
	return err
}

// readSurvivors reads lines of the form mutant: why. Those that are empty or begin
// with # say nothing.
func readSurvivors(file string) (map[string]string, error) {
	text, err := input.ReadFile(file)
	if err != nil {
		return nil, err
	}
	why := map[string]string{}
	for s, line := bufio.NewScanner(strings.NewReader(string(text))), 1; s.Scan(); line++ {
		if s.Text() == "" || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		name, reason, ok := strings.Cut(s.Text(), ": ")
		if !ok {
			return nil, fmt.Errorf("%s:%d: %.60q is no line of the form mutant: why", file, line, s.Text())
		}
		why[name] = reason
	}
	return why, nil
}

// mutantLine is the JSON of a mutant.
type mutantLine struct {
	Type    string     `json:"type"`
	Mutant  string     `json:"mutant"`
	File    string     `json:"file"`
	Line    int        `json:"line"`
	Func    string     `json:"func"`
	From    string     `json:"from"`
	To      string     `json:"to"`
	Caught  bool       `json:"caught"`
	Hunts   []caughtBy `json:"hunts"`
	Why     string     `json:"why,omitempty"` // it cannot be caught
	Verdict string     `json:"verdict"`       // caught, explained, survived or error
	Seconds float64    `json:"seconds"`
	Error   string     `json:"error,omitempty"`
}

// caughtBy is what the hunts under a memory order came to.
type caughtBy struct {
	Order  string `json:"order"`
	Target string `json:"target,omitempty"`
	Judge  string `json:"judge,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Runs   uint64 `json:"runs,omitempty"`
}

// String is the cell of a table.
func (c caughtBy) String() string {
	if c.Rule == "" {
		return "-"
	}
	return fmt.Sprintf("%s in %s (%s)", c.Rule, grouped(c.Runs), c.Target)
}

// mutantTotal is the JSON of all mutants together.
type mutantTotal struct {
	Type      string  `json:"type"`
	Mutants   int     `json:"mutants"`
	Caught    int     `json:"caught"`
	Explained int     `json:"explained"`
	Survived  int     `json:"survived"`
	Errors    int     `json:"errors"`
	Verdict   string  `json:"verdict"`
	Seconds   float64 `json:"seconds"`
}

// hunt hunts for all mutants, several at a time, and prints each in its turn.
func (h *mutantHunt) hunt(workers int, json bool) (status, error) {
	began, progress := time.Now(), h.a.newProgress()
	results := h.start(workers)
	var lines []mutantLine
	t := mutantTotal{Type: "summary", Mutants: len(results), Verdict: "pass"}
	for i, r := range results {
		progress.draw(fmt.Sprintf("mutant %d of %d: %v", i+1, len(results), h.mutants[i]))
		l := <-r
		progress.clear()
		if lines = append(lines, l); json {
			h.a.emit(l)
		}
		*map[string]*int{"caught": &t.Caught, "explained": &t.Explained, "survived": &t.Survived, "error": &t.Errors}[l.Verdict]++
	}
	s := statusOK
	switch t.Seconds = seconds(began); {
	case h.a.ctx.Err() != nil:
		s, t.Verdict = statusInconclusive, "inconclusive"
	case t.Errors > 0:
		s, t.Verdict = statusFault, "error"
	case t.Survived > 0:
		s, t.Verdict = statusViolation, "survived"
	}
	if json {
		h.a.emit(t)
		return s, nil
	}
	h.a.table(func(w io.Writer) { mutantTable(w, lines) })
	h.a.printf("\n%s: %d mutants: %d caught, %d explained, %d survived, %d errors; %.1f s\n", t.Verdict, t.Mutants, t.Caught, t.Explained, t.Survived, t.Errors, t.Seconds)
	return s, nil
}

func mutantTable(w io.Writer, lines []mutantLine) {
	fmt.Fprintln(w, "line\tmutant\tunder sc\tunder native\tverdict")
	for _, l := range lines {
		fmt.Fprintf(w, "%d\t%s", l.Line, l.Mutant)
		for _, c := range l.Hunts {
			fmt.Fprintf(w, "\t%s", c)
		}
		fmt.Fprintf(w, "\t%s\n", strings.TrimSuffix(l.Verdict+": "+l.Why+l.Error, ": "))
	}
}

// start begins to hunt for all mutants, so many at a time.
func (h *mutantHunt) start(workers int) []chan mutantLine {
	out := make([]chan mutantLine, len(h.mutants))
	for i := range out {
		out[i] = make(chan mutantLine, 1)
	}
	slots := make(chan struct{}, workers)
	go func() {
		for i, m := range h.mutants {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				out[i] <- h.try(m)
			}()
		}
	}()
	return out
}

// try hunts for one mutant.
func (h *mutantHunt) try(m bugs.Mutant) mutantLine {
	began := time.Now()
	l := mutantLine{Type: "mutant", Mutant: m.String(), File: m.File, Line: m.Line, Func: m.Func, From: m.From, To: m.To, Why: h.survivors[m.String()]}
	shown, err := m.Hunt(h.a.ctx, h.root, h.targetsOf(m.File), mutantOrders, h.effort)
	for i, s := range shown {
		c := caughtBy{Order: mutantOrders[i]}
		if s.Found {
			l.Caught = true
			c = caughtBy{c.Order, s.Target, s.Worst.Judge, s.Rule, s.RunsMax}
		}
		l.Hunts = append(l.Hunts, c)
	}
	switch l.Seconds = seconds(began); {
	case err != nil:
		l.Verdict, l.Error = "error", err.Error()
	case l.Caught:
		l.Verdict = "caught"
	case l.Why != "":
		l.Verdict = "explained"
	default:
		l.Verdict = "survived"
	}
	return l
}

// targetsOf are the targets that are called as a file is; or all.
func (h *mutantHunt) targetsOf(file string) (names []string) {
	base := strings.TrimSuffix(path.Base(file), ".go")
	for _, t := range h.a.targets {
		names = append(names, t.Name)
	}
	if i := slices.IndexFunc(names, func(n string) bool { return path.Base(n) == base }); i >= 0 {
		return names[i : i+1]
	}
	return names
}
