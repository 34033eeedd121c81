package transition

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Transcript is the counterexample of a result in words: the parts of the initial state
// that are not empty; and for each step its name, its rule if the model tells it, and the
// parts of the state that it changes.
func (m *Model) Transcript(r *Result) string {
	if len(r.Trace) == 0 {
		return ""
	}
	t := transcript{m: m, at: r.Trace[0].State}
	var parts []Change
	for _, p := range m.Describe(r.Trace[0].State) {
		if p.Value != "" {
			parts = append(parts, Change{Part: p.Name, To: p.Value})
		}
	}
	t.measure(parts)
	for _, s := range append(r.Trace[1:len(r.Trace):len(r.Trace)], r.Cycle...) {
		t.measure(s.Changed)
	}
	t.WriteString("     to begin with\n")
	for _, p := range parts {
		t.part(p.Part, p.To)
	}
	for i, s := range r.Trace[1:] {
		t.step(i+1, s)
	}
	if len(r.Cycle) > 0 {
		t.WriteString("     and from here on, for ever\n")
		for i, s := range r.Cycle {
			t.step(len(r.Trace)+i, s)
		}
	}
	return t.String()
}

type transcript struct {
	strings.Builder
	m     *Model
	at    []byte // the state before the next step
	width int    // of the longest name of a part
}

func (t *transcript) measure(parts []Change) {
	for _, p := range parts {
		t.width = max(t.width, utf8.RuneCountInString(p.Part))
	}
}

func (t *transcript) step(n int, s TraceStep) {
	fmt.Fprintf(t, "%3d  %s\n", n, s.Step)
	if t.m.Rule != nil {
		if rule := t.m.Rule(s.ID, t.at, s.State); rule != "" {
			fmt.Fprintf(t, "     %s\n", rule)
		}
	}
	t.at = s.State
	for _, c := range s.Changed {
		t.part(c.Part, orNothing(c.From)+" -> "+orNothing(c.To))
	}
}

func (t *transcript) part(name, value string) {
	fmt.Fprintf(t, "       %-*s  %s\n", t.width, name, value)
}

// orNothing is a value, or that it is empty.
func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}
