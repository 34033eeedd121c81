package fuzz

import (
	"fmt"
	"slices"

	"github.com/fusedos/stramash/machine"
)

// Shrunk is a finding made small.
type Shrunk struct {
	Finding          // the smallest run found that shows the same violation
	From    Schedule // what it was made from
	Tried   int      // runs that it took
	// Certificate is what is known of schedules with fewer preemptions.
	Certificate Certificate
	// Cause is the race whose reversal makes the run pass, nil if no single
	// one does.
	Cause *RacingPair
	// Witnesses are the events that show the violation, with their sites.
	Witnesses []Witness
}

// ShrinkOptions bound the work of shrinking. The zero value is the default.
type ShrinkOptions struct {
	Search   int         // runs of random search for a smaller schedule; zero means 3000, negative none
	Certify  int         // runs of the search for fewer preemptions; zero means 200,000, negative none
	Stop     func() bool // asked now and then whether to stop with what there is; may be nil
	Watchdog *Watchdog
}

// searchSteps bounds the steps of the random search, for runs that hang are long.
const searchSteps = 4 << 20

// Shrink makes a finding small: it removes all exceptions that are not needed
// (Zeller's ddmin, on exceptions that stay in their places when others go),
// prefers simpler answers, searches at random for a run with fewer, and then
// explores all schedules with fewer preemptions, for one that fails or a proof
// that there is none. The oracle is the signature of the violation. It fails if
// the finding does not reproduce.
func Shrink(t Target, f *Finding, o ShrinkOptions) (*Shrunk, error) {
	r, err := newRunner(t, f.Pins, o.Watchdog)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if f.Judge != r.races.Name() {
		r.races = nil // a race would not count: what is broken beside it comes first
	}
	s := &shrinker{r: r, signature: f.Signature, pins: f.Pins, ShrinkOptions: o.withDefaults()}
	if s.best = s.attempt(f.Schedule); s.best == nil {
		return nil, fmt.Errorf("target %s: the violation does not show when its run is repeated", t.Name)
	}
	certificate, err := s.shrink()
	if err != nil {
		return nil, err
	}
	out := &Shrunk{Finding: *s.best, From: f.Schedule, Tried: s.tried, Certificate: certificate}
	out.Strategy, out.Seed, out.Run, out.Pins = f.Strategy, f.Seed, f.Run, f.Pins
	if pair, ok := r.cause(s.best.Schedule); ok {
		out.Cause = &pair
	}
	if len(out.Events) > 0 {
		_, account := r.account(NewReplayer(s.best.Schedule))
		out.Witnesses = account.witnesses(&out.Violation)
	}
	return out, nil
}

type shrinker struct {
	ShrinkOptions
	r         *runner
	signature string
	pins      []machine.Pin
	best      *Finding
	tried     int
	steps     int
	certified uint64 // runs that certify has made
}

// attempt runs a schedule and answers the finding if it shows the violation.
func (s *shrinker) attempt(sched Schedule) *Finding {
	s.tried++
	f := s.r.try(sched, s.signature)
	return f
}

// accept makes a schedule the best if it shows the violation with less.
func (s *shrinker) accept(sched Schedule) bool {
	f := s.attempt(sched)
	if f == nil || !smaller(f, s.best) {
		return false
	}
	s.best = f
	return true
}

// smaller compares by what a reader has to follow.
func smaller(a, b *Finding) bool {
	for _, size := range []func(*Finding) int{
		func(f *Finding) int { return f.Schedule.Count(machine.Preemption) },
		func(f *Finding) int { return len(f.Schedule) },
		func(f *Finding) int { return f.Schedule.answers() },
		func(f *Finding) int { return f.Steps },
	} {
		if x, y := size(a), size(b); x != y {
			return x < y
		}
	}
	return false
}

// answers is the sum of the workload's answers: zero is the simplest.
func (s Schedule) answers() int {
	n := 0
	for _, e := range s {
		if e.Kind == machine.Workload {
			n += int(e.Answer)
		}
	}
	return n
}

func (s *shrinker) stopped() bool { return s.Stop != nil && s.Stop() }

func (o ShrinkOptions) withDefaults() ShrinkOptions {
	if o.Search == 0 {
		o.Search = 3000
	}
	if o.Certify == 0 {
		o.Certify = certifyRuns
	}
	return o
}

// shrink makes the best as small as it can, and answers what is known of its
// number of preemptions.
func (s *shrinker) shrink() (Certificate, error) {
	s.reduce()
	for s.search() || s.restart() {
		s.reduce()
	}
	for {
		better, c, err := s.certify()
		if err != nil {
			return c, err
		}
		before := s.best.Schedule.only(machine.Workload)
		if better {
			s.reduce()
		}
		// In a smaller workload fewer preemptions may do.
		if slices.Equal(before, s.best.Schedule.only(machine.Workload)) {
			return c, nil
		}
	}
}

// reduce makes the best smaller without leaving its neighbourhood.
func (s *shrinker) reduce() {
	s.minimise()
	s.simplify()
}

// minimise removes parts of the schedule, large ones first, until no single
// exception can go.
func (s *shrinker) minimise() {
	for size := (len(s.best.Schedule) + 1) / 2; size > 0 && !s.stopped(); {
		removed := false
		for at := 0; at < len(s.best.Schedule); {
			if s.accept(s.best.Schedule.without(at, size)) {
				removed = true
			} else {
				at += size
			}
		}
		switch {
		case size > 1:
			size /= 2
		case !removed:
			return
		}
	}
}

// without is the schedule less n exceptions from at on.
func (s Schedule) without(at, n int) Schedule {
	end := min(at+n, len(s))
	return append(append(make(Schedule, 0, len(s)), s[:at]...), s[end:]...)
}

// simplify tries simpler answers in the same places.
func (s *shrinker) simplify() {
	for at := 0; at < len(s.best.Schedule) && !s.stopped(); at++ {
		e := s.best.Schedule[at]
		if e.Kind != machine.Workload {
			continue
		}
		for a := uint32(1); a < e.Answer; a++ {
			sched := append(Schedule(nil), s.best.Schedule...)
			sched[at].Answer = a
			if s.accept(sched) {
				break
			}
		}
	}
}

// search looks for a run with fewer exceptions in the same or a smaller
// workload, which removing alone can't find. It answers whether it did.
func (s *shrinker) search() bool {
	if len(s.best.Schedule) < 2 {
		return false
	}
	c := &sparseSearch{rand: NewRand(uint64(s.tried), uint64(len(s.best.Schedule)))}
	for i := 0; i < s.Search && s.steps < searchSteps && !s.stopped(); i++ {
		c.start(s.best)
		s.tried++
		v := s.r.run(c)
		s.steps += v.Steps
		if f := s.r.caught(v, s.signature); f != nil && len(f.Schedule) < len(s.best.Schedule) {
			s.best = f
			return true
		}
	}
	return false
}

// restarts is how many other runs restart reduces, and restartRuns how long it
// looks for each.
const (
	restarts    = 16
	restartRuns = 256
)

// restart finds the violation anew, in the same workload or another, and
// reduces what it found: removing exceptions ends in a local minimum, and the
// next one may be lower. It answers whether it was.
func (s *shrinker) restart() bool {
	if len(s.best.Schedule) < 3 || s.Search < 0 {
		return false
	}
	rand := NewRand(uint64(s.tried), 0)
	for seed := range uint64(restarts) {
		// Every second time the workload is drawn anew: its places are events of
		// the best run, which other schedules may not have.
		c := &fixedWorkload{portfolio: newPortfolio(), free: seed%2 == 1, workload: NewReplayer(s.best.Schedule.workload(&rand))}
		for run := uint64(0); run < restartRuns && s.steps < searchSteps && !s.stopped(); run++ {
			c.Start(Plan{Seed: seed, Run: run, Profile: s.r.profile()})
			s.tried++
			v := s.r.run(c)
			s.steps += v.Steps
			if f := s.r.caught(v, s.signature); f != nil {
				if s.adopt(f) {
					return true
				}
				break
			}
		}
	}
	return false
}

// adopt reduces another finding, and makes it the best if it is smaller.
func (s *shrinker) adopt(f *Finding) bool {
	other := &shrinker{ShrinkOptions: s.ShrinkOptions, r: s.r, signature: s.signature, best: f}
	other.reduce()
	s.tried += other.tried
	if !smaller(other.best, s.best) {
		return false
	}
	s.best = other.best
	return true
}

// workload is the schedule's workload choices: all of them, about half, or
// none.
func (s Schedule) workload(r *Rand) Schedule {
	var keep Schedule
	odds := r.Below(3)
	for _, e := range s {
		if e.Kind == machine.Workload && (odds == 0 || odds == 1 && r.Below(2) == 0) {
			keep = append(keep, e)
		}
	}
	return keep
}

// fixedWorkload is the portfolio on a given workload, unless that is free.
type fixedWorkload struct {
	*portfolio
	workload *Replayer
	free     bool
}

func (c *fixedWorkload) Choose(q *machine.Choice) int {
	if q.Kind == machine.Workload && !c.free {
		return c.workload.Choose(q)
	}
	return c.portfolio.Choose(q)
}

// sparseSearch keeps the workload of a run, or part of it, and makes fewer
// exceptions than it at random places.
type sparseSearch struct {
	rand     Rand
	workload *Replayer
	places   []int
	asked    int // questions in this run, and so how many to expect in the next
}

func (c *sparseSearch) start(best *Finding) {
	keep := best.Schedule.workload(&c.rand)
	expect := max(c.asked, 2)
	c.workload, c.asked, c.places = NewReplayer(keep), 0, c.places[:0]
	for range len(best.Schedule) - 1 - len(keep) {
		c.places = append(c.places, c.rand.Below(expect))
	}
}

func (c *sparseSearch) Choose(q *machine.Choice) int {
	if q.Kind == machine.Workload {
		return c.workload.Choose(q)
	}
	at := c.asked
	c.asked++
	for _, p := range c.places {
		if p == at {
			return c.rand.pick(q.Options &^ machine.Only(int(q.Plain)))
		}
	}
	return int(q.Plain)
}
