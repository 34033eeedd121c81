package fuzz

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// certifyRuns is how many runs the search for a schedule with fewer preemptions
// makes by default.
const certifyRuns = 200_000

// Certificate is what a shrunk schedule's number of preemptions is known to be:
// the search for one with fewer has explored the reduced program, in which the
// workload is fixed to the schedule's, within the target's limits.
type Certificate struct {
	// Below: no schedule with fewer preemptions than this shows the violation.
	Below int
	// Preemptions is how many the schedule has. The certificate is complete if
	// that is Below.
	Preemptions int
	Runs        uint64 // that the search made
	Classes     uint64 // that it came to
}

// Complete says that no failing schedule has fewer preemptions.
func (c Certificate) Complete() bool { return c.Below == c.Preemptions }

// String says in words what was proved.
func (c Certificate) String() string {
	switch {
	case c.Preemptions == 0:
		return "it needs no preemption"
	case c.Complete():
		return fmt.Sprintf("no failing schedule has fewer preemptions (all %s classes with fewer were explored)", grouped(c.Classes))
	case c.Below == 0:
		return fmt.Sprintf("whether one with fewer preemptions fails is not known after %s runs", grouped(c.Runs))
	}
	return fmt.Sprintf("no schedule with fewer than %s fails; beyond that the search ended after %s runs", plural(c.Below, "preemption"), grouped(c.Runs))
}

// certify searches for a schedule of the best one's program with fewer
// preemptions, with the fewest first, and makes it the best if it finds one. It
// answers whether it did, and what is known then.
func (s *shrinker) certify() (better bool, c Certificate, err error) {
	p := s.best.Schedule.Count(machine.Preemption)
	c = Certificate{Preemptions: p}
	workload := s.best.Schedule.only(machine.Workload)
	for ; c.Below < p && c.Runs < s.runsLeft(); c.Below++ {
		found, err := Exhaust(s.r.target, ExhaustOptions{
			Bounded: true, Preemptions: c.Below, Only: s.signature, Workload: &workload,
			Pins: s.pins, Runs: s.runsLeft() - c.Runs, Stop: s.Stop, Watchdog: s.Watchdog,
		})
		if err != nil {
			return false, c, err
		}
		c.Runs, c.Classes = c.Runs+found.Runs, found.Classes
		if found.Finding != nil {
			s.best, c.Preemptions = found.Finding, c.Below
			better = true
			break
		}
		if found.Stopped || found.Guessed != "" || found.Long > 0 || found.Unknown > 0 {
			break
		}
	}
	s.certified += c.Runs
	return better, c, nil
}

// runsLeft is how many runs are left to certify with.
func (s *shrinker) runsLeft() uint64 {
	if s.Certify < 0 || s.certified >= uint64(s.Certify) {
		return 0
	}
	return uint64(s.Certify) - s.certified
}

// only is the schedule's exceptions of a kind.
func (s Schedule) only(k machine.ChoiceKind) Schedule {
	var out Schedule
	for _, e := range s {
		if e.Kind == k {
			out = append(out, e)
		}
	}
	return out
}
