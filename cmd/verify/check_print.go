package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/model/transition"
)

// checkLine is the JSON of a protocol that was explored or tested.
type checkLine struct {
	Type       string         `json:"type"`
	Model      string         `json:"model"`
	Parameters map[string]int `json:"parameters,omitempty"`
	Addresses  int            `json:"addresses,omitempty"`
	Values     int            `json:"values,omitempty"`
	Verdict    string         `json:"verdict"`
	Why        string         `json:"why,omitempty"`
	Violations int            `json:"violations"`
	Property   string         `json:"property,omitempty"` // that is violated
	CPUSeconds float64        `json:"cpu_seconds"`
	Seconds    float64        `json:"seconds"`
	*exploredLine
	*testedLine
}

// exploredLine is the part of a protocol that was explored.
type exploredLine struct {
	Mode                 string   `json:"mode"`
	Symmetry             bool     `json:"symmetry"`
	Workers              int      `json:"workers"`
	Complete             bool     `json:"complete"` // every state was explored
	States               int64    `json:"states"`
	Rules                int64    `json:"rules"` // fired
	Depth                int      `json:"depth"` // levels, of which the initial state is one
	Checked              []string `json:"checked"`
	NotChecked           []string `json:"not_checked"`
	NotCheckedWhy        string   `json:"not_checked_why,omitempty"`
	CollisionProbability *float64 `json:"collision_probability,omitempty"`
	GraphCPUSeconds      float64  `json:"graph_cpu_seconds,omitempty"` // of the properties of the whole graph, if they were checked apart
	StatesPerCPUSecond   float64  `json:"states_per_cpu_second"`
	PeakMB               float64  `json:"peak_mb"`
}

// checkTotal is the JSON of several protocols.
type checkTotal struct {
	Type         string  `json:"type"`
	Models       int     `json:"models"`
	States       int64   `json:"states,omitempty"`
	Rules        int64   `json:"rules,omitempty"`
	Operations   uint64  `json:"operations,omitempty"`
	Messages     uint64  `json:"messages,omitempty"`
	Violations   int     `json:"violations"`
	Inconclusive int     `json:"inconclusive"`
	Refused      int     `json:"refused"`
	Verdict      string  `json:"verdict"`
	Why          string  `json:"why,omitempty"`
	CPUSeconds   float64 `json:"cpu_seconds"`
	Seconds      float64 `json:"seconds"`
	PeakMB       float64 `json:"peak_mb,omitempty"`
}

// counterexampleLine is the JSON of a violation.
type counterexampleLine struct {
	Type      string     `json:"type"`
	Model     string     `json:"model"`
	Property  string     `json:"property"`
	Message   string     `json:"message"`
	Steps     int        `json:"steps"`
	Initial   []partLine `json:"initial,omitempty"`
	Trace     []stepLine `json:"trace"`
	Last      []partLine `json:"last,omitempty"` // state, of a random test
	Reproduce string     `json:"reproduce"`
}

type stepLine struct {
	Step    string       `json:"step"`
	Rule    string       `json:"rule,omitempty"`
	Changes []changeLine `json:"changes,omitempty"`
}

type changeLine struct {
	Part string `json:"part"`
	From string `json:"before"`
	To   string `json:"after"`
}

type partLine struct {
	Name  string `json:"part"`
	Value string `json:"value"`
}

// The modes of an exploration.
const (
	modeExact        = "exact"
	modeFingerprints = "fingerprints"
)

// newCheckLine begins the JSON of a protocol: what it was built with.
func newCheckLine(name string, s *protocol.System) checkLine {
	l := checkLine{Model: name, Parameters: map[string]int{}, Addresses: s.Addresses, Values: s.Values}
	for _, p := range numbersOf(s) {
		l.Parameters[p.name] = p.value
	}
	return l
}

// line begins the JSON of the exploration.
func (e *exploration) line() checkLine {
	c, l := e.c, newCheckLine(e.name, e.system)
	l.exploredLine = &exploredLine{Mode: modeExact, Symmetry: *c.symmetry, Workers: int(c.workers.n)}
	if *c.fingerprints {
		l.Mode = modeFingerprints
	}
	return l
}

// fill adds what came of it; ended is why the context has, or nil.
func (l *checkLine) fill(e *exploration, ended error) {
	r := e.result
	l.States, l.Rules, l.Depth = r.States, r.Rules, r.Depth
	l.Checked, l.NotChecked = append([]string{}, r.Checked...), append([]string{}, r.NotChecked...)
	l.Property = r.Property
	if l.Mode == modeFingerprints {
		l.CollisionProbability = &r.Omission
	}
	l.StatesPerCPUSecond = rate(uint64(r.States), l.CPUSeconds)
	if len(l.NotChecked) > 0 {
		l.NotCheckedWhy = l.notCheckedWhy(e)
	}
	switch r.Verdict {
	case transition.Holds:
		l.Verdict = "pass"
	case transition.Violated:
		l.Verdict, l.Violations = "violation", 1
	default:
		l.Verdict, l.Why = "inconclusive", r.Reason
		if ended != nil {
			l.Why = e.c.whyEnded(ended)
		}
	}
}

// whyEnded says why a context has ended.
func (c *checkRun) whyEnded(cause error) string {
	if errors.Is(cause, errLimit) {
		return fmt.Sprintf("the limit of %v is used up", &c.limit)
	}
	return "interrupted"
}

// notCheckedWhy is why some properties were not checked, none of which is of a single
// state or step.
func (l *checkLine) notCheckedWhy(e *exploration) string {
	c, r := e.c, e.result
	switch {
	case r.Verdict == transition.Violated:
		return "a violation was found before"
	case r.Verdict == transition.Inconclusive && l.Complete:
		return "all states were explored, but not the ways between them"
	case r.Verdict == transition.Inconclusive:
		return "they need all states"
	case *c.fingerprints:
		return "they need the whole states, of which -fingerprints keeps 64 bits"
	case r.States > graphStates && !c.isSet("quiescence") && !c.isSet("progress"):
		return fmt.Sprintf("there are more than %s states: -quiescence and -progress ask for them", grouped(graphStates))
	case *c.symmetry:
		return "-symmetry does not tell controllers apart"
	default:
		return "the flags leave them out"
	}
}

// print prints the outcome.
func (e *exploration) print(l checkLine) {
	a := e.c.a
	violated := e.result.Verdict == transition.Violated
	switch {
	case e.c.json && violated:
		a.emit(e.counterexample())
	case e.c.json:
	default:
		if violated {
			e.printCounterexample()
		}
		a.printf("%s: %s\n", l.Model, l.text(numbersOf(e.system)))
	}
}

// text is the outcome in some lines.
func (l *checkLine) text(numbers settings) string {
	var b strings.Builder
	b.WriteString(l.Verdict)
	if l.Why != "" {
		b.WriteString(": " + l.Why)
	}
	all := map[bool]string{true: "all "}[l.Complete]
	same := map[bool]string{true: " that are not the same but for names"}[l.Symmetry]
	fmt.Fprintf(&b, "\n  explored     %s%s%s, %s fired, %s; with %s\n", all, counted(int(l.States), "state"), same,
		counted(int(l.Rules), "rule"), counted(l.Depth, "level"), spellNumbers(numbers, l.Addresses, l.Values))
	ended := map[bool]string{true: ", as far as it came"}[l.Verdict == "inconclusive" && !l.Complete]
	fmt.Fprintf(&b, "  checked      %s%s\n", strings.Join(l.Checked, ", "), ended)
	if len(l.NotChecked) > 0 {
		fmt.Fprintf(&b, "  not checked  %s: %s\n", strings.Join(l.NotChecked, ", "), l.NotCheckedWhy)
	}
	if l.CollisionProbability != nil {
		fmt.Fprintf(&b, "  missed       a state with a probability of %.1g, as 64 bits of each are kept\n", *l.CollisionProbability)
	}
	fmt.Fprintf(&b, "  took         %.2f s of CPU, %s states a second of it; %.0f MB; %s\n", l.CPUSeconds,
		grouped(uint64(l.StatesPerCPUSecond)), l.PeakMB, counted(l.Workers, "worker"))
	return strings.TrimSuffix(b.String(), "\n")
}

func spellNumbers(numbers settings, addresses, values int) string {
	out := counted(addresses, "line") + " of " + counted(values, "value")
	if len(numbers) > 0 {
		out = strings.ReplaceAll(numbers.spell(), ",", ", ") + ", " + out
	}
	return out
}

// sentence says how the property is violated.
func (e *exploration) sentence() string {
	r, t := e.result, e.result.Trace
	switch {
	case len(t) == 0:
		return r.Reason
	case r.Property == transition.Deadlock:
		return "then nothing can happen any more"
	case r.Property == transition.Quiescence:
		return fmt.Sprintf("from there, no way leads to where all is at rest; that is so of %s of %s", grouped(uint64(r.Stuck)), counted(int(r.States), "state"))
	case len(r.Cycle) > 0:
		return "a run can go on for ever in which messages arrive fairly, and it is not true that " + r.Property
	case len(t) == 1:
		return e.system.Sentence(r.Property, t[0].ID, t[0].State, t[0].State)
	}
	return e.system.Sentence(r.Property, t[len(t)-1].ID, t[len(t)-2].State, t[len(t)-1].State)
}

func (e *exploration) counterexample() counterexampleLine {
	r := e.result
	l := counterexampleLine{
		Type: "violation", Model: e.name, Property: r.Property, Message: e.sentence(), Steps: len(r.Trace) - 1,
		Reproduce: e.c.command(e.name),
	}
	for i, t := range r.Trace {
		if i == 0 {
			for _, p := range e.model.Describe(t.State) {
				l.Initial = append(l.Initial, partLine(p))
			}
			continue
		}
		step := stepLine{Step: t.Step, Rule: e.system.StepRule(t.ID, r.Trace[i-1].State, t.State)}
		for _, x := range t.Changed {
			step.Changes = append(step.Changes, changeLine(x))
		}
		l.Trace = append(l.Trace, step)
	}
	return l
}

// printCounterexample prints the violation: what, how, step by step, and how to see it
// again.
func (e *exploration) printCounterexample() {
	a, x := e.c.a, e.counterexample()
	a.printf("VIOLATION %s: %s\n%s\n\n", x.Model, x.Property, x.Message)
	a.printf("%s", e.model.Transcript(&e.result))
	a.printf("\nreproduce  %s\n\n", x.Reproduce)
}

// summaryOf is the last line: the one protocol's own, or the sum of several.
func summaryOf(lines []checkLine, asked int, s status, took float64) any {
	if len(lines) == 1 && asked == 1 {
		lines[0].Type = "summary"
		return lines[0]
	}
	sum := checkTotal{Type: "summary", Models: len(lines), Verdict: verdictOf(s), Seconds: took}
	if len(lines) < asked {
		sum.Why = "interrupted"
	}
	for _, l := range lines {
		sum.Violations += l.Violations
		sum.CPUSeconds += l.CPUSeconds
		if x := l.exploredLine; x != nil {
			sum.States += x.States
			sum.Rules += x.Rules
			sum.PeakMB = max(sum.PeakMB, x.PeakMB)
		}
		if x := l.testedLine; x != nil {
			sum.Operations += x.Operations
			sum.Messages += x.Messages
		}
		switch l.Verdict {
		case "inconclusive":
			sum.Inconclusive++
		case "error":
			sum.Refused++
		}
	}
	return sum
}

// statusOfVerdict is the exit status that a protocol's verdict calls for.
func statusOfVerdict(verdict string) status {
	return map[string]status{"pass": statusOK, "violation": statusViolation, "inconclusive": statusInconclusive}[verdict]
}
