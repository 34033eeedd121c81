package main

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
)

const (
	// mixed is the architecture of a test with threads of both ISAs.
	mixed = "MIXED"

	// generateMost is how many tests -gen makes of shapes unless -most says otherwise.
	generateMost = 1000
	maxGenerate  = 1 << 24
)

// generatedLine is the JSON of a test that was made.
type generatedLine struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Arch  string `json:"arch"`
	Cycle string `json:"cycle"`
	Path  string `json:"path,omitempty"`
	Test  string `json:"test"`
}

// making is what verify litmus -gen is asked for.
type making struct {
	what string // a cycle, or shapes with commas between them, or all
	isa  string // of the tests of shapes: x86_64, aarch64, mixed, or empty for any
	dir  string // to write them to, or empty
	most uint64
}

// generate is verify litmus -gen: it prints the test of a cycle, lists the tests
// of shapes, or writes either to a directory.
func (l *litmusRun) generate(m making) (status, error) {
	cycles, one, err := m.cycles()
	if err != nil {
		return 0, err
	}
	made, more := uint64(0), false
	for c := range cycles {
		t, err := c.Test()
		if err != nil {
			return 0, err
		}
		if m.isa != "" && !strings.EqualFold(t.Arch, m.isa) {
			continue
		}
		if made == m.most || l.ctx.Err() != nil {
			more = true
			break
		}
		if err := l.printGenerated(c, t, m.dir, one); err != nil {
			return 0, err
		}
		made++
	}
	return l.endGenerate(m, made, more, one), nil
}

// cycles are those asked for; one says that it is a single one.
func (m making) cycles() (all iter.Seq[*generate.Cycle], one bool, err error) {
	if strings.ContainsAny(strings.TrimSpace(m.what), " \t\n") {
		c, err := generate.ParseCycle(m.what)
		return slices.Values([]*generate.Cycle{c}), true, err
	}
	var s generate.Spec
	if m.what != "all" {
		s.Shapes = splitNames(m.what)
	}
	switch m.isa {
	case "", strings.ToLower(mixed):
	case litmus.X86_64.String():
		s.ISAs = []litmus.ISA{litmus.X86_64}
	case litmus.AArch64.String():
		s.ISAs = []litmus.ISA{litmus.AArch64}
	default:
		return nil, false, fmt.Errorf("-isa %q: use x86_64, aarch64 or mixed", m.isa)
	}
	if all, err = generate.Generate(s); err != nil {
		err = fmt.Errorf("%w; or write a cycle of edges with spaces between them, such as 'x:PodWW Rfe a:PodRR Fre'", err)
	}
	return all, false, err
}

// printGenerated prints a test: whole, or on a line of a list.
func (l *litmusRun) printGenerated(c *generate.Cycle, t *litmus.Test, dir string, whole bool) error {
	line := generatedLine{Type: "generated", Name: t.Name, Arch: t.Arch, Cycle: c.String(), Test: t.String()}
	if dir != "" {
		var err error
		if line.Path, err = writeTest(dir, t); err != nil {
			return err
		}
	}
	switch {
	case l.json:
		l.a.emit(line)
	case dir != "":
	case whole:
		l.a.printf("%s", line.Test)
	default:
		l.a.printf("%-40s %s\n", line.Name, line.Cycle)
	}
	return nil
}

func (l *litmusRun) endGenerate(m making, made uint64, more, one bool) status {
	s, why := statusOK, ""
	switch {
	case l.ctx.Err() != nil:
		s, why = statusInconclusive, "interrupted"
	case made == 0:
		s, why = statusInconclusive, "no cycle is of these shapes and ISAs"
	case more:
		why = fmt.Sprintf("the first %s; -most gives more", grouped(made))
	}
	if l.json {
		l.a.emit(map[string]any{"type": "summary", "tests": made, "verdict": verdictOf(s), "why": why})
	} else if !one || m.dir != "" {
		out := counted(int(made), "test")
		if m.dir != "" {
			out += " in " + m.dir
		}
		if why != "" {
			out += ": " + why
		}
		l.a.printf("%s\n", out)
	}
	return s
}

// writeTest writes a test to a file of its name. It makes the directory.
func writeTest(dir string, t *litmus.Test) (string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	path := filepath.Join(dir, strings.ReplaceAll(t.Name, "/", "_")+".litmus")
	return path, os.WriteFile(path, []byte(t.String()), 0o666)
}
