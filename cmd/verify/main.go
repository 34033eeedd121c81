// Command verify runs the verification of operating-system mechanisms: it hunts
// for violations in targets, runs them again, makes them small, shows that
// seeded bugs are found, and measures. Without a subcommand it is the gate that
// a change must pass. See verify help.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/targets"
	"github.com/fusedos/stramash/targets/suite"
)

func main() {
	// Runs make little garbage beside little live memory: collect it in larger
	// portions. The heap stays within a few megabytes.
	debug.SetGCPercent(400)
	a := newApp(targets.All(), map[string][]fuzz.Target{"FuzzLocks": targets.Locks()})
	a.suite = suite.Programs()
	os.Exit(a.main(os.Args[1:]))
}

// newApp is the command on this process's streams and signals. The groups are
// the targets of each function of go test -fuzz, by its name.
func newApp(all []fuzz.Target, groups map[string][]fuzz.Target) *app {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	a := &app{
		ctx:      ctx,
		stdout:   &output{to: os.Stdout},
		stderr:   os.Stderr,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
		targets:  all,
		groups:   groups,
		engines:  engines(),
		grace:    10 * time.Second,
		github:   os.Getenv("GITHUB_ACTIONS") == "true",
		summary:  os.Getenv("GITHUB_STEP_SUMMARY"),
	}
	context.AfterFunc(ctx, func() {
		time.AfterFunc(time.Second, stop) // then another Ctrl-C ends the process at once
		time.AfterFunc(a.grace, a.giveUp)
	})
	a.watchdog = &fuzz.Watchdog{Hung: func(report string) {
		a.complain("verify: %s", report)
		first, _, _ := strings.Cut(report, "\n")
		a.lastWord("violation", first)
		os.Exit(int(statusViolation))
	}}
	return a
}

// giveUp ends a process that does not end by itself after a signal, because it
// reads what does not come or computes without looking up.
func (a *app) giveUp() {
	a.complain("verify: interrupted; what was under way did not end within %v", a.grace)
	a.lastWord("inconclusive", "interrupted")
	os.Exit(int(statusInconclusive))
}

// lastWord is the summary of a process that has to end at once.
func (a *app) lastWord(verdict, why string) {
	if a.json {
		a.emit(map[string]string{"type": "summary", "verdict": verdict, "why": why})
	}
}
