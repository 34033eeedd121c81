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

// watch looks at a runner until the function that it answers is called.
func (w *Watchdog) watch(r *runner) (stop func()) {
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
		var seen uint64
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			runs := r.runs.Load()
			if runs == seen && runs%2 == 1 { // the same run as at the last tick
				w.Hung(hangReport(r.target.Name, runs/2, patience))
				return
			}
			seen = runs
		}
	}()
	return func() { close(done) }
}

func hangReport(target string, runs uint64, patience time.Duration) string {
	return fmt.Sprintf("target %s computes without an operation of its thread (run %d of its worker, for over %v); a loop must use the machine, and nothing may wait for a Go lock or channel:\n%s",
		target, runs, patience, computing())
}

// computing is the stack of the simulated code that runs now.
func computing() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		head, _, _ := strings.Cut(g, "\n")
		simulated := strings.Contains(g, "machine.(*Thread).runBody") || strings.Contains(g, "fuzz.(*runner).")
		if simulated && !strings.Contains(head, "[coroutine") && !strings.Contains(head, "[chan") {
			return g
		}
	}
	return "(its stack was not found)"
}
