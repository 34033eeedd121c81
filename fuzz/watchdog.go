package fuzz

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Watchdog notices simulated code that computes for ever without an operation,
// which no bound on steps can end. It is the only thing in the library that
// looks at a clock, and nothing but the process's end depends on it.
type Watchdog struct {
	// Patience is how long a run may take; zero means 20 seconds.
	Patience time.Duration
	// Hung is told which target hangs, and where. It must end the process:
	// the code that computes can't be stopped.
	Hung func(report string)
}

// watch looks at the runners until the function that it answers is called.
func (w *Watchdog) watch(target string, runners []*runner) (stop func()) {
	if w == nil {
		return func() {}
	}
	patience := w.Patience
	if patience == 0 {
		patience = 20 * time.Second
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(patience)
		defer tick.Stop()
		seen := make([]uint64, len(runners))
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			for i, r := range runners {
				runs := r.runs.Load()
				if runs == seen[i] && r.working.Load() {
					w.Hung(hangReport(target, runs, patience))
					return
				}
				seen[i] = runs
			}
		}
	}()
	return func() { close(done) }
}

func hangReport(target string, runs uint64, patience time.Duration) string {
	return fmt.Sprintf("target %s computes without an operation of its thread (run %d of its worker, for over %v); every loop must use the machine:\n%s",
		target, runs, patience, computing())
}

// computing is the stack of the simulated code that runs now.
func computing() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		simulated := strings.Contains(g, "machine.(*Thread).runBody") || strings.Contains(g, "fuzz.(*runner).setUp")
		if simulated && !strings.Contains(head, "[coroutine") && !strings.Contains(head, "[chan") {
			return g
		}
	}
	return "(its stack was not found)"
}
