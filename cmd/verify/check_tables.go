package main

import (
	"fmt"
	"io"

	"github.com/fusedos/stramash/coherence/protocol"
)

// textLine is the JSON of a protocol in another form.
type textLine struct {
	Type  string `json:"type"` // explanation or murphi
	Model string `json:"model"`
	Text  string `json:"text"`
}

// form is a protocol in another form.
type form struct {
	kind string
	make func(m *modelFlags, name string) (string, error)
}

var (
	tables = form{"explanation", func(_ *modelFlags, name string) (string, error) {
		p, err := readProtocol(name)
		if err != nil {
			return "", err
		}
		return p.Markdown(), nil
	}}
	murphi = form{"murphi", func(m *modelFlags, name string) (string, error) {
		s, err := m.build(name)
		if err != nil {
			return "", err
		}
		return s.Murphi(), nil
	}}
)

// print prints protocols in another form.
func (c *checkRun) print(names []string, f form) (status, error) {
	for _, name := range names {
		text, err := f.make(c.model, name)
		if err != nil {
			return 0, err
		}
		if c.json {
			c.a.emit(textLine{f.kind, name, text})
		} else {
			c.a.printf("%s", text)
		}
	}
	if c.json {
		c.a.emit(map[string]any{"type": "summary", "models": len(names)})
	}
	return statusOK, nil
}

// ruleLine is the JSON of a rule of a table, for one state and event.
type ruleLine struct {
	Type  string `json:"type"` // rule
	Model string `json:"model"`
	Kind  string `json:"kind"`
	State string `json:"state"`
	Event string `json:"event"`
	Line  int    `json:"line"` // in the text
	Rule  string `json:"rule"`
	Used  uint64 `json:"used"` // times
}

// rulesUsed is how often the rules of a system's tables were used.
func rulesUsed(name string, s *protocol.System, counts []uint64) []ruleLine {
	var out []ruleLine
	for i, r := range s.Rules() {
		l := ruleLine{Type: "rule", Model: name, Kind: r.Kind, State: r.State, Event: r.Event, Line: r.Line, Rule: r.Text}
		if i < len(counts) {
			l.Used = counts[i]
		}
		out = append(out, l)
	}
	return out
}

// printCoverage prints how often each rule was used, and which never.
func (c *checkRun) printCoverage(rules []ruleLine) {
	if c.json {
		for _, r := range rules {
			c.a.emit(r)
		}
		return
	}
	never := uint64(0)
	c.a.table(func(w io.Writer) {
		fmt.Fprintf(w, "kind\tstate\tevent\tline\tused\t\n")
		for _, r := range rules {
			times := grouped(r.Used)
			if r.Used == 0 {
				times, never = "never", never+1
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t\n", r.Kind, r.State, r.Event, r.Line, times)
		}
	})
	c.a.printf("%s, of which %s were never used\n\n", counted(len(rules), "rule"), grouped(never))
}
