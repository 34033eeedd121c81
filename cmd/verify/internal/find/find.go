// Package find is the form in which a violation goes from the hunter of seeded
// bugs to the command, and into JSON lines.
package find

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// Sizes say how much a reader of a violation has to follow. Exceptions is the
// sum of the classes behind it.
type Sizes struct {
	Threads          int `json:"threads"`
	Operations       int `json:"operations"`
	Steps            int `json:"steps"`
	Exceptions       int `json:"exceptions"`
	Preemptions      int `json:"preemptions"`
	Handovers        int `json:"handovers"`
	Interrupts       int `json:"interrupts"`
	SpuriousFailures int `json:"spurious_failures"`
	WorkloadChoices  int `json:"workload_choices"`
	OtherChoices     int `json:"other_choices"`
}

// Measure counts a finding.
func Measure(f *fuzz.Finding) Sizes {
	return Sizes{
		Threads: f.Threads, Operations: f.Operations, Steps: f.Steps,
		Exceptions:       len(f.Schedule),
		Preemptions:      f.Schedule.Count(machine.Preemption),
		Handovers:        f.Schedule.Count(machine.Handover),
		Interrupts:       f.Schedule.Count(machine.Interrupt),
		SpuriousFailures: f.Schedule.Count(machine.SpuriousFailure),
		WorkloadChoices:  f.Schedule.Count(machine.WorkloadChoice),
		OtherChoices:     f.Schedule.Count(machine.OtherChoice),
	}
}

// The most that a shrunk violation of a seeded bug may have.
const (
	MaxPreemptions = 4
	MaxExceptions  = 6
)

// Small says whether a reader can follow: a larger schedule means that the
// shrinker has got stuck.
func (s Sizes) Small() bool { return s.Preemptions <= MaxPreemptions && s.Exceptions <= MaxExceptions }

// Max is the larger of both, field by field.
func (s Sizes) Max(t Sizes) Sizes {
	return Sizes{
		max(s.Threads, t.Threads), max(s.Operations, t.Operations), max(s.Steps, t.Steps),
		max(s.Exceptions, t.Exceptions), max(s.Preemptions, t.Preemptions), max(s.Handovers, t.Handovers),
		max(s.Interrupts, t.Interrupts), max(s.SpuriousFailures, t.SpuriousFailures),
		max(s.WorkloadChoices, t.WorkloadChoices), max(s.OtherChoices, t.OtherChoices),
	}
}

// Find is what one hunt in one target came to.
type Find struct {
	Target  string `json:"target"`
	Seed    uint64 `json:"seed"`
	Found   bool   `json:"found"`
	Runs    uint64 `json:"runs"` // made, up to and with the violation
	Judge   string `json:"judge,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Message string `json:"message,omitempty"`
	Sizes
	Certified bool   `json:"certified"`       // no failing schedule has fewer preemptions
	Cause     string `json:"cause,omitempty"` // the race whose reversal makes the run pass
	Token     string `json:"token,omitempty"`
	Report    string `json:"report,omitempty"`
}

// Describe fills in what was found.
func (f *Find) Describe(s *fuzz.Shrunk, report string) {
	f.Found, f.Report = true, report
	f.Judge, f.Rule, f.Message = s.Judge, s.Rule, s.Message
	f.Sizes, f.Token = Measure(&s.Finding), s.Token().String()
	f.Certified = s.Certificate.Complete()
	if s.Cause != nil {
		f.Cause = s.Cause.String()
	}
}
