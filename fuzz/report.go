package fuzz

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/machine"
)

// reportRows is how many rows of the account a report shows.
const reportRows = 40

// Report describes the finding for a person: what happened, a timeline with a
// lane for each CPU, how it was found, and the command that runs it again, which
// must contain %s for the token. It runs the schedule once more for the account.
func (s *Shrunk) Report(t Target, command string, w *Watchdog) (string, error) {
	token := s.Token()
	r, err := ReplayToken(t, token, w)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "VIOLATION %s: %s\n%s\n\n%s\n", s.Target, s.Rule, s.Message, r.Account.Text(reportRows))
	for _, site := range s.Stack {
		fmt.Fprintf(&b, "stack   %s\n", site)
	}
	for _, e := range s.Schedule {
		fmt.Fprintf(&b, "choice  %s\n", e)
	}
	b.WriteString(WitnessText(r.Witnesses))
	b.WriteString(s.cause())
	found := "given"
	if s.Strategy != "" {
		found = fmt.Sprintf("run %d of %s, seed %d", s.Run, s.Strategy, s.Seed)
	}
	fmt.Fprintf(&b, "found   %s; shrunk from %s to %d (%s); %s\n",
		found, plural(len(s.From), "exception"), len(s.Schedule), s.Schedule.Classes(), s.Certificate)
	if r.Status != Reproduced {
		fmt.Fprintf(&b, "warning the run did not repeat itself: %s\n", r.Explain())
	}
	fmt.Fprintf(&b, "replay  %s\n", fmt.Sprintf(command, "'"+token.String()+"'"))
	return b.String(), nil
}

// cause says which race is the cause, if one is.
func (s *Shrunk) cause() string {
	switch {
	case len(s.Events) > 0:
		return "" // its witnesses are the cause
	case s.Cause != nil:
		return fmt.Sprintf("cause   %s\n        with these two in the other order the run passes\n", s.Cause)
	case len(s.Schedule) == 0:
		return "cause   no race: the natural run fails\n"
	}
	return "cause   no single race: with any one of the run's races reversed, it fails all the same\n"
}

// Classes counts the exceptions by class, in words.
func (s Schedule) Classes() string {
	var parts []string
	for c := machine.Preemption; c <= machine.OtherChoice; c++ {
		if n := s.Count(c); n > 0 {
			parts = append(parts, plural(n, c.String()))
		}
	}
	if len(parts) == 0 {
		return "the natural run"
	}
	return strings.Join(parts, ", ")
}

// plural is so many things, in words.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(uint64(n)) + " " + what + "s"
}
