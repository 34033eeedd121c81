package main

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
)

// maxSearch bounds -search.
const maxSearch = 1 << 32

// shrink is verify shrink.
func (a *app) shrink(args []string) (status, error) {
	f := a.newFlags("shrink")
	search := f.orNone("search", 3000, maxSearch, "so many `runs` of random search for a smaller schedule, after each one found")
	whole := f.Bool("v", false, "print every step of the violation, not only the last ones")
	rest, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	s, err := a.subject(f.Name(), rest)
	if err != nil {
		return 0, err
	}
	if s.clean {
		return a.printClean(s, f.json), nil
	}
	r, err := fuzz.ReplayToken(s.target, s.token, a.watchdog)
	if err != nil {
		return 0, err
	}
	if r.Status != fuzz.Reproduced {
		return a.refuse(s, r, f.json), nil
	}
	o := fuzz.ShrinkOptions{Search: int(search.n), Stop: a.interrupted, Watchdog: a.watchdog}
	if o.Search == 0 {
		o.Search = -1 // none; zero would mean the default
	}
	return a.makeSmaller(s, r.Finding, o, *whole, f.json)
}

// refuse says that there is nothing to shrink, because the violation is not
// there any more.
func (a *app) refuse(s subject, r fuzz.Replay, json bool) status {
	if json {
		a.emitReplay(s, r, 1, lastRows, 0)
	} else {
		a.printf("nothing to shrink: %s\n", r.Explain())
	}
	return replayStatus(r, 1, 1)
}

func (a *app) makeSmaller(s subject, found *fuzz.Finding, o fuzz.ShrinkOptions, whole, json bool) (status, error) {
	small, err := fuzz.Shrink(s.target, found, o)
	if err != nil {
		return 0, fault{err}
	}
	report, err := a.report(s.target, small, whole)
	if err != nil {
		return 0, fault{err}
	}
	proved := a.proved(small)
	if json {
		l := violation(small, report)
		a.emit(l)
		a.emit(shrinkLine{
			"summary", s.target.Name, "violation", len(small.From), len(small.Schedule), small.Tried,
			!a.interrupted(), small.Certificate.Complete(), proved, l.Token,
		})
	} else {
		a.printf("%s\n%s\n", report, proved)
	}
	return statusViolation, nil
}

// shrinkLine is the JSON of what shrinking came to.
type shrinkLine struct {
	Type      string `json:"type"`
	Target    string `json:"target"`
	Verdict   string `json:"verdict"`
	From      int    `json:"shrunk_from_exceptions"`
	To        int    `json:"exceptions"`
	Tried     int    `json:"shrink_runs"`
	Minimal   bool   `json:"minimal"`   // no single exception can go
	Certified bool   `json:"certified"` // no failing schedule has fewer preemptions
	Proved    string `json:"proved"`
	Token     string `json:"token"`
}

// proved says what was tried, and what follows for the size.
func (a *app) proved(s *fuzz.Shrunk) string {
	tried := fmt.Sprintf("tried %s runs: ", grouped(uint64(s.Tried)+s.Certificate.Runs))
	switch n := len(s.Schedule); {
	case a.interrupted():
		return tried + "interrupted; a smaller schedule may be easy to find"
	case n == 0:
		return tried + "the natural run itself has the violation: nothing is smaller"
	case n == 1:
		return tried + "without its one exception the violation is gone; " + s.Certificate.String()
	default:
		return tried + fmt.Sprintf("without any one of its %d exceptions the violation is gone; %s", n, s.Certificate)
	}
}
