package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
)

// protocolBugLine is the JSON of a bug in the table of a protocol.
type protocolBugLine struct {
	Type     string          `json:"type"`
	Bug      string          `json:"bug"`
	Found    bool            `json:"found"` // in each model, by the tester with each seed, and by nothing less than it needs
	Expected []string        `json:"expected"`
	Needs    []string        `json:"needs,omitempty"`
	Models   []bugs.Explored `json:"models"`
	Tester   []bugs.Tested   `json:"tester"`          // one, or none if all models have several addresses
	Wrong    string          `json:"wrong,omitempty"` // why it is not found
	Source   string          `json:"source"`
	Seconds  float64         `json:"seconds"`
	Error    string          `json:"error,omitempty"`
}

func (s shown) protocolLine(problem string) protocolBugLine {
	return protocolBugLine{
		Type: "bug", Bug: s.bug.Name, Found: s.Found, Expected: s.bug.Shows, Needs: s.bug.Needs, Models: s.protocol.Explored,
		Tester: s.protocol.Tested, Wrong: s.protocol.Wrong, Source: s.bug.Source, Seconds: s.seconds, Error: problem,
	}
}

// protocolReport is the counterexample of each model.
func (s shown) protocolReport() string {
	var out strings.Builder
	for _, x := range s.protocol.Explored {
		fmt.Fprintf(&out, "%s: %s, in a state %d steps from the initial one\n%s", x.Model, x.Property, x.Depth, x.Trace)
	}
	return out.String()
}

// protocolFound says with how much of what was tried the bug was found.
func (s shown) protocolFound() string {
	if s.protocol.Wrong != "" {
		return "no: " + s.protocol.Wrong
	}
	for _, t := range s.protocol.Tested {
		return fmt.Sprintf("yes, and %d of %d seeds", t.FoundSeeds, t.Seeds)
	}
	return "yes; no system for the tester"
}

// protocolBugTable has a row for each bug of a protocol, and for each of its models.
func protocolBugTable(w io.Writer, all []shown) {
	fmt.Fprintln(w, "bug of a protocol\tfound\tneeds\tmodel\tproperty\tdepth\tstates\ttester\toperations, median\toperations, most")
	for _, s := range all {
		name, found := s.bug.Name, s.found()
		if len(s.protocol.Explored) == 0 {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\t\t\t\t\n", name, found)
		}
		for i, x := range s.protocol.Explored {
			tester := "\t\t"
			if n := len(s.protocol.Explored); i == n-1 && len(s.protocol.Tested) > 0 {
				t := s.protocol.Tested[0]
				tester = fmt.Sprintf("%s\t%s\t%s", t.Property, grouped(t.Median), grouped(t.Max))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", name, found, strings.Join(s.bug.Needs, " "), x.Model, x.Property,
				x.Depth, grouped(uint64(x.States)), tester)
			name, found = "", ""
		}
	}
}

// ofProtocols splits bugs into those of code and those of protocols.
func ofProtocols(all []shown) (code, protocols []shown) {
	for _, s := range all {
		if s.bug.OfProtocol() {
			protocols = append(protocols, s)
		} else {
			code = append(code, s)
		}
	}
	return code, protocols
}
