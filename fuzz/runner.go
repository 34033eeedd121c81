package fuzz

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// Violation is what a run did wrong.
type Violation struct {
	Judge   string         // who says so: a judge's name, "progress", "panic" or "final state"
	Rule    string         // what was broken, in a few words that are the same in every run
	Message string         // what happened, in a sentence
	Stack   []machine.Site // of a panic: where in the program, innermost first
	// Events are those that show it, if a judge of events found it.
	Events []checkers.Witness
	// Signature is equal for two violations that are the same bug, as far as
	// that can be told.
	Signature string
}

// Error makes a violation an error.
func (v *Violation) Error() string { return v.Judge + ": " + v.Message }

// verdict is what came of one run.
type verdict struct {
	machine.Result
	violation *Violation
	unknown   string // a judge that gave up, and why
}

// runner runs one target, again and again, on a machine of its own.
type runner struct {
	target  Target
	machine *machine.Machine
	passed  map[uint64]struct{} // histories that all judges passed
	runs    atomic.Uint64       // twice those finished, and one more during a run: for the watchdog
	out     verdict             // of the last run
	unwatch func()

	known    *Profile        // see profile; nil until it is known
	covered  *coverage       // to fill in, or nil
	evidence *Evidence       // to fill in, or nil
	meets    conflicts       // of the run
	races    *checkers.Races // nil if races are intended
	memory   checkers.Memory
	heap     bool                 // a run has used it
	traced   func(*machine.Event) // told of every event, or nil
	online   online
	conforms *checkers.Conformance // to fill in, or nil
	cut      bool                  // the run was given up, and is not to be judged
	wanted   func(uint64) bool     // whether runs of a class are to be judged; nil for all
}

// maxPassed bounds the memory of verdicts.
const maxPassed = 1 << 18

// newRunner fails if the target can't run. Pins fix answers to the target's
// workload questions. The watchdog may be nil.
func newRunner(t Target, pins []machine.Pin, w *Watchdog) (*runner, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	m, err := machine.New(t.Platform)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Name, err)
	}
	m.SetPins(pins)
	r := &runner{target: t, machine: m, passed: map[uint64]struct{}{}, online: newOnline(t.Judges)}
	if len(r.online.sessions) > 0 {
		m.SetRecorder(r.recorded)
	}
	if !t.IntendedRaces {
		r.races = new(checkers.Races)
	}
	r.unwatch = w.watch(r)
	if err := r.checkPins(pins); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *runner) close() {
	r.unwatch()
	r.machine.Close()
}

// Validate says what keeps the target from running, or nil.
func (t Target) Validate() error {
	switch {
	case t.Name == "" || strings.ContainsAny(t.Name, "@ \t\r\n"):
		return fmt.Errorf("target name %q: use a name without '@' and white space", t.Name)
	case t.Setup == nil:
		return fmt.Errorf("target %s has no Setup: it builds the program of each run", t.Name)
	}
	if err := t.Platform.Validate(); err != nil {
		return fmt.Errorf("target %s: %w", t.Name, err)
	}
	return nil
}

// checkPins makes sure that the target asks for what is pinned.
func (r *runner) checkPins(pins []machine.Pin) error {
	if len(pins) == 0 {
		return nil
	}
	asked := r.run(machine.Natural{}).Workload
	clear(r.passed) // this run's history has not been looked at for evidence
	for _, p := range pins {
		if err := checkPin(r.target.Name, p, asked); err != nil {
			return err
		}
	}
	return nil
}

func checkPin(target string, p machine.Pin, asked []machine.WorkloadAnswer) error {
	var names []string
	for _, a := range asked {
		if a.Name != p.Name {
			name := fmt.Sprintf("%s (0 to %d)", a.Name, a.N-1)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			continue
		}
		if p.Value < 0 || p.Value >= a.N {
			return fmt.Errorf("target %s: parameter %s is %d: use 0 to %d", target, p.Name, p.Value, a.N-1)
		}
		return nil
	}
	if len(names) == 0 {
		return fmt.Errorf("target %s has no parameter %s: it has none", target, p.Name)
	}
	return fmt.Errorf("target %s has no parameter %s: it has %s", target, p.Name, strings.Join(names, ", "))
}

// Parameters lists what the target asks of its workload in the natural run:
// what Options.Pins can fix. It fails if the target can't run.
func Parameters(t Target) ([]machine.WorkloadAnswer, error) {
	r, err := newRunner(t, nil, nil)
	if err != nil {
		return nil, err
	}
	defer r.close()
	var out []machine.WorkloadAnswer
	for _, a := range r.run(machine.Natural{}).Workload {
		if !slices.ContainsFunc(out, func(b machine.WorkloadAnswer) bool { return a.Name == b.Name }) {
			out = append(out, a)
		}
	}
	return out, nil
}

// run executes and judges one run. The verdict is valid until the next one.
func (r *runner) run(c machine.Chooser) *verdict {
	r.runs.Add(1)
	watched := r.attach()
	r.online.records = 0
	r.machine.Begin(c, r.target.Limits)
	r.out = verdict{}
	if program, ok := r.setUp(); ok {
		r.out.Result = r.machine.Run(program.Threads...)
		if !watched && r.machine.HeapUsed() {
			r.heap = true // from here on the heap is watched, beginning with this run
			r.runs.Add(1)
			return r.run(NewReplayer(r.machine.Exceptions()))
		}
		if !r.cut && (r.wanted == nil || r.wanted(r.out.Fingerprint)) {
			r.judge(program)
		}
	}
	if v := r.out.violation; v != nil { // it must survive every form of output
		v.Message, v.Signature = strings.ToValidUTF8(v.Message, "\ufffd"), strings.ToValidUTF8(v.Signature, "\ufffd")
	}
	if r.evidence != nil {
		r.evidence.Conflict = r.evidence.Conflict || r.meets.met
	}
	r.runs.Add(1)
	return &r.out
}

// attach makes those ready who are told of the run's events, and answers whether
// there are any.
func (r *runner) attach() bool {
	if r.meets.met = r.evidence == nil || r.evidence.Conflict; !r.meets.met {
		r.meets.reset()
	}
	if r.covered != nil {
		r.covered.start()
	}
	r.memory.Begin(r.machine)
	if r.races != nil {
		r.races.Begin()
	}
	watched := r.heap || r.races != nil || r.covered != nil || !r.meets.met || r.traced != nil || r.conforms != nil
	if watched {
		r.machine.SetTracer(r.observe)
	} else {
		r.machine.SetTracer(nil)
	}
	return watched
}

// observe is told of each event.
func (r *runner) observe(e *machine.Event) {
	r.memory.Observe(e)
	if r.races != nil {
		r.races.Observe(e)
	}
	if r.covered != nil {
		r.covered.observe(e)
	}
	if !r.meets.met {
		r.meets.observe(e)
	}
	if r.conforms != nil {
		r.conforms.Observe(e)
	}
	if r.traced != nil {
		r.traced(e)
	}
}

// setUp builds the program. A panic of the set-up is a violation like any.
func (r *runner) setUp() (p Program, ok bool) {
	defer func() {
		if e := recover(); e != nil {
			r.out.TraceHash = r.machine.TraceHash()
			r.out.violation = panicked(fmt.Sprint("set-up: ", e), machine.Sites())
		}
	}()
	p = r.target.Setup(r.machine)
	return p, true
}

// judge fills in the rest of the run's verdict.
func (r *runner) judge(p Program) {
	out := &r.out
	// What comes behind a misuse of memory comes of it.
	if r.judgeFault(r.memory.Fault()); out.violation != nil {
		return
	}
	switch out.Outcome {
	case machine.Panicked:
		out.violation = panicked(out.Detail, out.Stack)
		return
	case machine.Incoherent:
		property, _, _ := strings.Cut(out.Detail, ":")
		rule := "coherence: " + property
		out.violation = &Violation{Judge: "coherence", Rule: rule, Message: "the storage is not coherent: " + out.Detail, Signature: rule}
		return
	case machine.Deadlock, machine.LostWakeup, machine.Livelock:
		rule := out.Outcome.String()
		out.violation = &Violation{Judge: "progress", Rule: rule, Message: rule + ": " + out.Detail, Signature: "progress/" + rule}
	}
	// A run that hangs has often broken something more telling before.
	if v := r.judgeHistory(out); v != nil {
		out.violation = v
	}
	switch {
	case out.violation != nil:
	case out.Outcome == machine.Stopped:
		out.unknown = "a judge ended the run (" + out.Detail + ") and then found nothing wrong with it"
	case p.After != nil:
		r.judgeState(p.After)
	}
	if out.violation == nil && r.races != nil {
		r.judgeFault(r.races.Fault(r.machine))
	}
}

// judgeFault takes what a judge of events has found, if it did.
func (r *runner) judgeFault(f *checkers.Fault) {
	if f != nil {
		r.out.violation = &Violation{
			Judge: f.Judge, Rule: f.Rule, Message: f.Message, Signature: r.signature(&f.Violation), Events: f.Witnesses,
		}
	}
}

// judgeState asks the program whether the final state is right. What a run has
// broken may well make it panic.
func (r *runner) judgeState(after func() error) {
	defer func() {
		if e := recover(); e != nil {
			r.out.violation = panicked(fmt.Sprint("the check of the final state: ", e), machine.Sites())
		}
	}()
	if err := after(); err != nil {
		r.out.violation = &Violation{
			Judge: "final state", Rule: "final state", Message: "the final state is wrong: " + err.Error(), Signature: "final state",
		}
	}
}

// judgeHistory asks the target's judges, unless they have seen the same
// history before: a judge costs more than a run.
func (r *runner) judgeHistory(out *verdict) *Violation {
	if len(out.History) == 0 || len(r.target.Judges) == 0 {
		return nil
	}
	if _, ok := r.passed[out.HistoryHash]; ok {
		return nil
	}
	if r.evidence != nil {
		r.noteOperations(out.History)
	}
	for _, j := range r.target.Judges {
		v := check(j, out.History)
		if v.Violation != nil {
			return &Violation{
				Judge: v.Violation.Judge, Rule: v.Violation.Rule, Message: nameClients(r.machine, v.Violation.Message),
				Signature: r.signature(v.Violation),
			}
		}
		if v.Unknown != "" {
			out.unknown = j.Name() + ": " + v.Unknown
		}
	}
	if out.unknown == "" {
		if len(r.passed) >= maxPassed {
			clear(r.passed)
		}
		r.passed[out.HistoryHash] = struct{}{}
	}
	return nil
}

// check asks one judge. One that panics has come to no conclusion.
func check(j checkers.Judge, h machine.History) (v checkers.Verdict) {
	defer func() {
		if e := recover(); e != nil {
			v = checkers.Verdict{Unknown: fmt.Sprint("it panicked: ", e)}
		}
	}()
	return j.Check(h)
}

// signature tells bugs apart. It names the object by its label only: the
// address may be another one in a smaller workload.
func (r *runner) signature(v *checkers.Violation) string {
	s := v.Judge + "/" + v.Rule
	if name, ok := r.machine.LabelOf(v.Object); ok {
		s += "/" + name
	}
	return s
}

// panicked describes a panic by the innermost function of the program.
func panicked(message string, stack []machine.Site) *Violation {
	v := &Violation{Judge: "panic", Rule: "panic", Message: message, Signature: "panic", Stack: programSites(stack)}
	if len(v.Stack) > 0 {
		v.Message += ", in " + v.Stack[0].String()
		v.Signature += "/" + v.Stack[0].Func
	}
	return v
}
