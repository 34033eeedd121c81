package main

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

// litmusLine is the JSON of a test.
type litmusLine struct {
	Type       string   `json:"type"`
	File       string   `json:"file"`
	Path       string   `json:"path"`
	Name       string   `json:"name"`
	States     []string `json:"states"`
	Obs        string   `json:"obs"`
	Verdict    string   `json:"verdict"`
	Condition  string   `json:"condition"`
	Method     string   `json:"method"`
	StateCount int      `json:"state_count"`
	Complete   bool     `json:"complete"`
	Why        string   `json:"why,omitempty"` // it is not complete
	Cut        bool     `json:"cut,omitempty"` // loops were
	Explored   int64    `json:"explored"`      // candidate executions or memories, of all engines
	Steps      int64    `json:"steps"`
	*comparedLine
	*onMachine
	*explainedLine
}

// comparedLine is the part that says how the states differ from those expected.
type comparedLine struct {
	Missing []string `json:"missing"`
	Extra   []string `json:"extra"`
}

// disagreementLine is the JSON of a test on which engines differ.
type disagreementLine struct {
	Type   string              `json:"type"`
	File   string              `json:"file"`
	Path   string              `json:"path"`
	Name   string              `json:"name"`
	States map[string][]string `json:"states"` // by engine
	Test   string              `json:"test"`
}

// refusedLine is the JSON of a test that is malformed or not supported.
type refusedLine struct {
	Type string `json:"type"`
	File string `json:"file"`
	Path string `json:"path"`
	Why  string `json:"why"`
}

// litmusSummary is the last line.
type litmusSummary struct {
	Type          string `json:"type"`
	Method        string `json:"method"`
	Tests         int    `json:"tests"`
	Refused       int    `json:"refused"`
	Inconclusive  int    `json:"inconclusive"`
	Disagreements int    `json:"disagreements"`
	Compared      int    `json:"compared"`  // with the states expected
	Different     int    `json:"different"` // of those
	StateCount    int    `json:"state_count"`
	// With -storage: tests that show a state which is not allowed, the weak states that are
	// seen, those that as many runs on flat memory show, and the first over the second.
	Outside   int     `json:"outside_tests"`
	Weak      int     `json:"weak_count,omitempty"`
	WeakFlat  int     `json:"weak_flat_count,omitempty"`
	WeakShare float64 `json:"weak_share,omitempty"`
	Verdict   string  `json:"verdict"`
	Why       string  `json:"why,omitempty"`
	Seconds   float64 `json:"seconds"`
}

// share is how many of the weak states of flat memory a storage shows.
func (s *litmusSummary) share() {
	if s.WeakFlat > 0 {
		s.WeakShare = float64(s.Weak) / float64(s.WeakFlat)
	}
}

// verdict is the test's observation and verdict, which need all states.
func (j *tested) verdict() (obs, verdict string) {
	if j.why != "" {
		return "Inconclusive", "Inconclusive"
	}
	v := j.test.Judge(j.states)
	return v.Obs, v.Verdict
}

// print prints what came of a test.
func (l *litmusRun) print(j *tested) {
	if j.err != nil {
		l.a.complain("verify litmus: %s", j.problem())
	}
	if l.json {
		l.emit(j)
	} else if j.err == nil {
		l.write(j)
	}
}

func (l *litmusRun) emit(j *tested) {
	switch {
	case j.err != nil:
		l.a.emit(refusedLine{"refused", j.file, j.path, j.problem()})
	case j.disagree:
		d := disagreementLine{Type: "disagreement", File: j.file, Path: j.path, Name: j.test.Name, States: map[string][]string{}}
		for _, c := range j.by {
			d.States[c.engine] = spell(j.test, c.states)
		}
		d.Test = j.test.String()
		l.a.emit(d)
	default:
		l.a.emit(l.line(j))
	}
}

func (l *litmusRun) line(j *tested) litmusLine {
	out := litmusLine{
		Type: "test", File: j.file, Path: j.path, Name: j.test.Name, States: j.shown(), Condition: condition(j.test),
		Method: l.method, StateCount: len(j.shown()), Complete: j.why == "", Why: j.why, Cut: j.cut,
	}
	out.Obs, out.Verdict = j.verdict()
	for _, c := range j.by {
		out.Explored += c.Explored
		out.Steps += c.Steps
	}
	if j.expected {
		out.comparedLine = &comparedLine{append([]string{}, j.missing...), append([]string{}, j.extra...)}
	}
	out.onMachine = j.onMachine
	if x := j.explanation; x != nil {
		out.explainedLine = &explainedLine{x.Allowed, x.Text(), x.Dot()}
	}
	return out
}

// write writes what came of the test as herd does.
func (l *litmusRun) write(j *tested) {
	a := l.a
	if j.disagree {
		a.printf("DISAGREEMENT %s: the engines differ on %s; one of them is wrong\n", j.path, j.test.Name)
		for _, c := range j.by {
			a.printf("%s: States %d\n%s", c.engine, len(c.states), listed(spell(j.test, c.states)))
		}
		a.printf("%s\n", j.test)
		return
	}
	if l.explain != nil && l.explain.dot {
		a.printf("%s", j.explanation.Dot())
		return
	}
	obs, verdict := j.verdict()
	a.printf("Test %s\nStates %d\n%s", j.test.Name, len(j.shown()), listed(j.shown()))
	if j.why != "" {
		a.printf("%s: inconclusive: %s; %s so far\n\n", j.path, j.why, counted(len(j.shown()), "state"))
	} else {
		a.printf("%s\nCondition %s\nObservation %s %s\n", verdict, condition(j.test), j.test.Name, obs)
		if j.cut {
			a.printf("Loops were cut after %s: raise -unroll for states that need more\n", counted(l.unroll, "round"))
		}
		a.printf("\n")
	}
	if j.onMachine != nil {
		a.printf("%s\n", j.onMachine.text(j.path, j.why == ""))
	}
	if j.explanation != nil {
		a.printf("%s\n", j.explanation.Text())
	}
	if len(j.missing)+len(j.extra) > 0 {
		a.printf("DIFFERENT %s: not the states expected\n", j.path)
		for _, s := range j.missing {
			a.printf("missing %s\n", s)
		}
		for _, s := range j.extra {
			a.printf("extra   %s\n", s)
		}
		a.printf("\n")
	}
}

// listed has a line for each.
func listed(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func (s *litmusSummary) add(j *tested) {
	s.Tests++
	s.StateCount += len(j.shown())
	switch {
	case j.err != nil:
		s.Refused++
	case j.disagree:
		s.Disagreements++
	case j.why != "":
		s.Inconclusive++
	}
	if m := j.onMachine; m != nil {
		s.Outside += min(1, len(m.Outside))
		if m.Weak != nil {
			s.Weak, s.WeakFlat = s.Weak+*m.Weak, s.WeakFlat+*m.WeakFlat
		}
	}
	if j.expected {
		s.Compared++
		if len(j.missing)+len(j.extra) > 0 {
			s.Different++
		}
	}
}

// text is the summary in a sentence.
func (s *litmusSummary) text() string {
	out := fmt.Sprintf("%s: %s by %s, %s", s.Verdict, counted(s.Tests, "test"), s.methods(), counted(s.StateCount, "final state"))
	for _, n := range []struct {
		n    int
		what string
	}{
		{s.Disagreements, "on which the engines disagree"}, {s.Refused, "refused"}, {s.Inconclusive, "inconclusive"},
	} {
		if n.n > 0 {
			out += fmt.Sprintf("; %s %s", grouped(uint64(n.n)), n.what)
		}
	}
	if s.Compared > 0 {
		out += fmt.Sprintf("; %s of %s compared are not as expected", grouped(uint64(s.Different)), grouped(uint64(s.Compared)))
	}
	if s.WeakFlat > 0 {
		out += fmt.Sprintf("; %s on the storage, %s on flat memory: %.0f %%", counted(s.Weak, "weak state"), grouped(uint64(s.WeakFlat)), 100*s.WeakShare)
	}
	if s.Why != "" {
		out += "; " + s.Why
	}
	return fmt.Sprintf("%s; %.1f s", out, s.Seconds)
}

func (s *litmusSummary) methods() string {
	if s.Method == both {
		return "both engines"
	}
	return "engine " + s.Method
}

// condition is what the test asks.
func condition(t *litmus.Test) string { return fmt.Sprintf("%s (%s)", t.Quantifier, t.Prop) }
