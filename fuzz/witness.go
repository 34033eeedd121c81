package fuzz

import (
	"fmt"
	"strings"
)

// Witness is an event that shows a violation, with its site.
type Witness struct {
	Role string // what it is: see checkers.Witness
	Row
}

// String returns the role, and the event by CPU, operation and site.
func (w Witness) String() string { return fmt.Sprintf("%-8s%s", w.Role, w.Row) }

// witnesses finds the events that show a violation of the run.
func (a Account) witnesses(v *Violation) (out []Witness) {
	if len(v.Events) == 0 {
		return nil
	}
	events := a.events()
	for _, w := range v.Events {
		out = append(out, Witness{w.Role, events[w.Event]})
	}
	return out
}

// events are the rows that are no records.
func (a Account) events() (out []Row) {
	for _, row := range a.Rows {
		if !strings.HasPrefix(row.Text, "*") {
			out = append(out, row)
		}
	}
	return out
}

// WitnessText lists witnesses, each on a line; the two of a race share one.
func WitnessText(all []Witness) string {
	var b strings.Builder
	for i, w := range all {
		switch {
		case w.Role == "with":
			fmt.Fprintf(&b, "  with  %s", w.Row)
		case i > 0:
			fmt.Fprintf(&b, "\n%s", w)
		default:
			b.WriteString(w.String())
		}
	}
	if len(all) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}
