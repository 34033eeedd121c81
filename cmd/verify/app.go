package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/targets/suite"
)

// app is the command with everything outside of it that it touches.
type app struct {
	ctx      context.Context // ends when the user wants the command to end
	stdout   *output
	stderr   io.Writer
	terminal bool // stderr is one
	targets  []fuzz.Target
	suite    []suite.Program // of which each has a bug: known by name, and not part of the gate
	groups   map[string][]fuzz.Target
	engines  []engine // that compute the final states of litmus tests
	watchdog *fuzz.Watchdog
	grace    time.Duration // how long the command may take to end after ctx has
	json     bool          // the arguments ask for JSON
	github   bool          // GitHub Actions runs the command
	summary  string        // the file to which its summary is added, or empty
}

// output remembers the first error, so that a full disk is not a success.
type output struct {
	to  io.Writer
	err error
}

// Write writes to the stream, unless that has failed before.
func (o *output) Write(p []byte) (int, error) {
	if o.err == nil {
		_, o.err = o.to.Write(p)
	}
	return len(p), nil
}

// status is an exit status.
type status int

const (
	statusOK           status = 0 // nothing found
	statusViolation    status = 1
	statusUsage        status = 2 // bad usage or input
	statusInconclusive status = 3 // or nothing explored
	statusFault        status = 4 // of the tool itself, or of a target that is not deterministic
)

// worst is the status to exit with where several hold.
func worst(all ...status) status {
	for _, s := range []status{statusFault, statusUsage, statusViolation, statusInconclusive} {
		if slices.Contains(all, s) {
			return s
		}
	}
	return statusOK
}

// subcommand is one of the things that verify does.
type subcommand struct {
	name, group, args, doc string
	run                    func(a *app, args []string) (status, error)
}

// subcommands lists them in the order of the help.
func subcommands() []subcommand {
	return []subcommand{
		{"", "", "", "the gate: every target for its number of runs, the laws, then the metrics", (*app).gate},
		{"run", "Find", "[TARGET…]", "hunt for a violation in targets", (*app).run},
		{"bugs", "Find", "[BUG…]", "build each seeded bug and show that it is found", (*app).bugs},
		{"mutants", "Find", "[FILE or FOLDER…]", "weaken each memory order and fence of the source, and show that it is found", (*app).mutants},
		{"replay", "Look into", "TOKEN or FILE", "run one violation again: the step-by-step account", (*app).replay},
		{"shrink", "Look into", "TOKEN or FILE", "make a violation smaller, and say what was tried", (*app).shrink},
		{"history", "Look into", "FILE", "judge a history that was recorded elsewhere", (*app).history},
		{"litmus", "Prove", "PATH… | -gen CYCLE | -differ N", "final states of litmus tests of x86-64, AArch64, or both in one, by two engines", (*app).litmus},
		{"check", "Prove", "PROTOCOL or FILE…", "explore every state of a coherence protocol, message by message", (*app).check},
		{"list", "Know", "[KIND…]", "targets, strategies, judges, specifications, engines, protocols, bugs, suite (programs with bugs)", (*app).list},
		{"bench", "Know", "[EXPERIMENT…]", "measure: engine, judges, litmus, search, ipi, micro; only by name: platform, npb, validate, check", (*app).bench},
	}
}

// lookUp is the subcommand of a name; ok is false if there is none.
func lookUp(name string) (c subcommand, ok bool) {
	all := subcommands()
	i := slices.IndexFunc(all, func(c subcommand) bool { return c.name == name })
	if i < 0 {
		return subcommand{}, false
	}
	return all[i], true
}

// main runs the command with its arguments and answers the exit status.
func (a *app) main(args []string) int {
	s := a.dispatch(args)
	if a.stdout.err != nil && !errors.Is(a.stdout.err, syscall.EPIPE) {
		a.complain("verify: can't write the output: %v", a.stdout.err)
		s = worst(s, statusFault)
	}
	return int(s)
}

func (a *app) dispatch(args []string) status {
	a.json = asksJSON(args)
	if len(args) > 0 && (args[0] == "help" || isHelp(args[0])) {
		return a.help(args)
	}
	c, rest, err := choose(args)
	s := statusOK
	if err == nil {
		s, err = c.run(a, rest)
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return s
	}
	a.complain("%s: %v", c.title(), err)
	if s == statusOK {
		s = statusOf(err)
	}
	if a.json {
		verdict := map[bool]string{true: "inconclusive", false: "error"}[s == statusInconclusive]
		a.emit(map[string]string{"type": "summary", "verdict": verdict, "why": err.Error()})
	}
	return s
}

// choose finds the subcommand that the arguments begin with, and answers those
// that are left. It is the gate if they begin with a flag or there are none.
func choose(args []string) (c subcommand, rest []string, err error) {
	all := subcommands()
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return all[0], args, nil
	}
	name := func(c subcommand) string { return c.name }
	found, err := catalogue[subcommand]{"subcommand", all[1:], name, "verify help lists them"}.pick(args[:1])
	if err != nil {
		return all[0], nil, err
	}
	return found[0], args[1:], nil
}

// asksJSON says whether -json is among the arguments, whatever else they are.
func asksJSON(args []string) bool {
	return slices.ContainsFunc(args, func(s string) bool { return s == "-json" || s == "--json" })
}

// title is how the command calls itself.
func (c subcommand) title() string { return strings.TrimSpace("verify " + c.name) }

// statusOf says what an error means for the exit status. What is not known to
// be a fault is bad input.
func statusOf(err error) status {
	var loose *fuzz.NotDeterministic
	var unsound *fuzz.Unsound
	var f fault
	if errors.As(err, &loose) || errors.As(err, &unsound) || errors.As(err, &f) {
		return statusFault
	}
	return statusUsage
}

// fault is an error that is not the user's.
type fault struct{ error }

// Unwrap is the error itself.
func (f fault) Unwrap() error { return f.error }

// complain prints one message on the standard error.
func (a *app) complain(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

// printf prints on the standard output.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }

// emit prints a JSON object on a line.
func (a *app) emit(v any) {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && a.stdout.err == nil {
		a.stdout.err = err
	}
}

// seconds is the time since then, to the microsecond.
func seconds(since time.Time) float64 {
	return time.Since(since).Round(time.Microsecond).Seconds()
}
