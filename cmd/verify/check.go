package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/fusedos/stramash/coherence/protocol"
)

const (
	// checkMemory is how many MB the states of a model may take unless a flag says else.
	checkMemory = 4096

	// graphStates is up to how many states the properties of the whole graph are checked
	// unasked: they take as much time again, and more memory.
	graphStates = 1_000_000

	maxCheckStates = 1 << 40
	maxCheckMemory = 1 << 20

	// maxCheckWorkers is what the checker takes.
	maxCheckWorkers = 256

	// checkGarbage is how much garbage there may be, in percent of what lives: the heap
	// of a check is large, and quick to look through, as it has few pointers.
	checkGarbage = 20
)

// checkFlags are the flags of verify check.
type checkFlags struct {
	*flags
	model                   *modelFlags
	symmetry, fingerprints  *bool
	quiescence, progress    *bool
	workers, states, memory *count
	limit                   wait
	cover, explain, murphi  *bool
	random, seed            *count
}

func (a *app) checkFlags() *checkFlags {
	f := a.newFlags("check")
	o := &checkFlags{flags: f}
	f.heading("the numbers that the protocol is built with")
	o.model = f.model()
	f.heading("how its states are explored, and for what")
	o.symmetry = f.Bool("symmetry", false, "take states as one that differ only in which controller of a kind is which")
	o.fingerprints = f.Bool("fingerprints", false, "keep 64 bits of each state rather than all of it: less memory, and a small chance, which is reported, that a state is missed")
	o.quiescence = f.Bool("quiescence", false, "check that from every state all can come to rest; not with -fingerprints (default where there are at most "+grouped(graphStates)+" states)")
	o.progress = f.Bool("progress", false, "check that what a processor waits for comes, if messages arrive fairly; also not with -symmetry (default as -quiescence)")
	o.cover = f.Bool("cover", false, "also print how often each rule was used, in each state it is for, and which never")
	o.workers = f.count("workers", uint64(min(runtime.NumCPU(), maxCheckWorkers)), maxCheckWorkers, "how many `goroutines` explore; no result depends on it")
	f.heading("when it is given up, as inconclusive")
	o.states = f.count("max-states", 0, maxCheckStates, "after so many `states` (default any number)")
	o.memory = f.count("max-mb", checkMemory, maxCheckMemory, "when the states take more `MB`")
	f.Var(&o.limit, "limit", "after this `time`, such as 30s (default any)")
	f.heading("what is done instead")
	o.random = f.count("random", 0, maxRuns, "do not explore, but make so many random `operations` of processors; of a line with 255 values, or as many as -values says")
	o.seed = f.orNone("seed", 0, math.MaxUint64, "with -random: the `seed`")
	o.explain = f.Bool("explain", false, "print the protocol's tables, as Markdown")
	o.murphi = f.Bool("murphi", false, "print the model in Murphi, which other checkers read, such as Rumur")
	return o
}

// check is verify check.
func (a *app) check(args []string) (status, error) {
	o := a.checkFlags()
	names, err := o.parse(args)
	if err == nil {
		err = o.unfit(names)
	}
	if err != nil {
		return 0, err
	}
	c := &checkRun{a: a, checkFlags: o}
	switch {
	case *o.explain:
		return c.print(names, tables)
	case *o.murphi:
		return c.print(names, murphi)
	}
	if o.isSet("random") && !o.isSet("values") {
		o.model.values = &count{n: randomValues}
	}
	systems := make([]*protocol.System, len(names))
	for i, name := range names {
		if systems[i], err = o.model.build(name); err != nil {
			return 0, err
		}
	}
	debug.SetGCPercent(checkGarbage)
	if o.isSet("random") {
		return c.all(names, systems, c.test), nil
	}
	return c.all(names, systems, c.explore), nil
}

// unfit says what of the flags does not go together, or nil.
func (o *checkFlags) unfit(names []string) error {
	numbers := []string{"n", "addresses", "values", "set"}
	ways := []string{"symmetry", "fingerprints", "quiescence", "progress", "workers", "max-states", "max-mb"}
	rest := []string{"cover", "limit"}
	for _, x := range []struct {
		instead bool
		name    string
		useless []string
	}{
		{o.isSet("random"), "random", ways},
		{*o.murphi, "murphi", append(ways, rest...)},
		{*o.explain, "explain", append(append(ways, rest...), numbers...)},
	} {
		for _, name := range x.useless {
			if x.instead && o.isSet(name) {
				return fmt.Errorf("-%s is of no use with -%s, which does not explore: leave it out", name, x.name)
			}
		}
	}
	switch {
	case len(names) == 0:
		return fmt.Errorf("give a protocol, one of %s, or a file with one of your own", strings.Join(protocol.Names(), ", "))
	case o.isSet("limit") && o.limit == 0:
		return errors.New("-limit 0s leaves no time for anything: give more, or leave it out for as long as it takes")
	case *o.progress && *o.symmetry:
		return errors.New("-progress tells controllers apart, and -symmetry does not: leave one of them out")
	case *o.explain && *o.murphi, o.isSet("random") && (*o.explain || *o.murphi):
		return errors.New("-explain, -murphi and -random are a use each: give one of them")
	case o.isSet("seed") && !o.isSet("random"):
		return errors.New("-seed is of use with -random only: leave it out")
	case (*o.progress || *o.quiescence) && *o.fingerprints:
		return errors.New("-quiescence and -progress need the whole states: leave out -fingerprints, or them")
	}
	return nil
}

// command is the command that checks one of the protocols again.
func (o *checkFlags) command(name string) string {
	if strings.HasPrefix(name, "-") {
		name = "./" + name // or it would be a flag
	}
	out := "verify check " + quoteArgument(name)
	o.Visit(func(g *flag.Flag) {
		switch value := g.Value.String(); {
		case g.Name == "json" || g.Name == "workers" || g.Name == "limit":
		case value == "true":
			out += " -" + g.Name
		case value == "false":
			out += " -" + g.Name + "=false"
		default:
			out += " -" + g.Name + " " + value
		}
	})
	return out
}

// quoteArgument writes an argument as a shell takes it.
func quoteArgument(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// checkRun checks protocols one after the other.
type checkRun struct {
	a *app
	*checkFlags
}

// all does something with each protocol, and prints what comes of it.
func (c *checkRun) all(names []string, systems []*protocol.System, do func(string, *protocol.System) (checkLine, error)) status {
	began := time.Now()
	var lines []checkLine
	var statuses []status
	for i, name := range names {
		if c.a.interrupted() {
			statuses = append(statuses, statusInconclusive)
			break
		}
		l, err := do(name, systems[i])
		if err != nil {
			c.a.complain("verify check: %v", err)
			l = checkLine{Model: name, Verdict: "error", Why: err.Error()}
			statuses = append(statuses, statusOf(err))
		} else {
			statuses = append(statuses, statusOfVerdict(l.Verdict))
		}
		if lines = append(lines, l); c.json && len(names) > 1 {
			l.Type = "model"
			c.a.emit(l)
		}
	}
	s := worst(statuses...)
	if c.json {
		c.a.emit(summaryOf(lines, len(names), s, seconds(began)))
	} else if len(names) > 1 {
		c.a.printf("%s: %s of %s\n", verdictOf(s), counted(len(lines), "protocol"), grouped(uint64(len(names))))
	}
	return s
}
