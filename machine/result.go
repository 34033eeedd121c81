package machine

import (
	"fmt"
	"runtime"
	"strings"
)

// Outcome is how a run ended.
type Outcome uint8

// The outcomes. All but Finished and Stopped are violations.
const (
	// Finished: every thread came to its end.
	Finished Outcome = iota
	// Deadlock: nothing can move.
	Deadlock
	// LostWakeup: threads don't finish, and one sleeps with its condition true.
	LostWakeup
	// Livelock: threads move, but did not finish within the fair steps.
	Livelock
	// Panicked: simulated code panicked, or did what no machine can.
	Panicked
	// Stopped: a tracer or a recorder ended the run with Machine.Stop. That is
	// no violation by itself.
	Stopped
	// Incoherent: on a storage of messages, a copy of a line does not hold what was
	// written last, or the protocol is violated.
	Incoherent
)

var outcomeNames = [...]string{"finished", "deadlock", "lost wake-up", "livelock", "panic", "stopped", "incoherence"}

// String returns the outcome's name, in lower case.
func (o Outcome) String() string { return outcomeNames[o] }

// Site is a line of source.
type Site struct {
	Func string
	File string
	Line int
}

// String returns the site as function (file:line), without directories.
func (s Site) String() string {
	return fmt.Sprintf("%s (%s:%d)", s.Func[strings.LastIndex(s.Func, "/")+1:], s.File[strings.LastIndex(s.File, "/")+1:], s.Line)
}

// Result is what a run came to. Its slices are valid until the next Begin.
type Result struct {
	Outcome     Outcome
	Detail      string // of a violation: what happened, in a sentence
	Stack       []Site // of a panic: where, innermost first
	Steps       int
	Threads     int     // how many were started or spawned
	Fair        bool    // the chooser's phase was not enough
	Guessed     string  // what happened that depends on more than the order of dependent steps; empty if nothing did
	TraceHash   uint64  // of every event with its values, in order
	Fingerprint uint64  // of the partial order of conflicting events
	HistoryHash uint64  // of the history
	History     History // what the threads recorded
	Workload    []WorkloadAnswer
}

func (m *Machine) result() Result {
	if m.isTimed() {
		m.hash, m.steps = m.hashCounters()
	}
	return Result{
		Outcome: m.outcome, Detail: m.detail, Stack: m.stack, Steps: m.steps, Threads: m.used,
		Fair: m.turnedFair, Guessed: m.guessed, TraceHash: m.hash, Fingerprint: m.fingerprint(),
		HistoryHash: m.histHash, History: m.history, Workload: m.workload,
	}
}

// fingerprint is equal for two runs that differ only in the order of
// independent events: the sum, over the contexts, of the hash of each one's
// last event, which covers all events that happened before it.
func (m *Machine) fingerprint() uint64 {
	var sum uint64
	for _, x := range m.contexts[:m.nctx] {
		sum += mix(x.hash, uint64(x.name))
	}
	for i := len(m.cpus); i < m.nagents; i++ {
		if l := m.agents[i].line; l != nil {
			sum += mix(l.hash, uint64(m.agents[i].name))
		}
	}
	return sum
}

// ClientName names the client of a record of the last run.
func (m *Machine) ClientName(client int32) string {
	if int(client) >= m.nctx || client < 0 {
		return fmt.Sprintf("client %d", client)
	}
	return m.contexts[client].path
}

// stuck ends a run in which nothing can move.
func (m *Machine) stuck() {
	o, detail := Deadlock, m.situation()
	if who := m.sleeper(); who != "" {
		o, detail = LostWakeup, who+"; "+detail
	}
	m.over(o, detail, nil)
	panic(unwind{})
}

// unfinished ends a run that did not finish within its fair steps.
func (m *Machine) unfinished() {
	o, detail := Livelock, fmt.Sprintf("not finished after %d steps, of which the last %d were fair (Limits.FairSteps gives more): %s",
		m.steps, m.limits.FairSteps, m.situation())
	if who := m.sleeper(); who != "" {
		o, detail = LostWakeup, who+"; "+detail
	}
	m.over(o, detail, nil)
	panic(unwind{})
}

// sleeper describes a thread that sleeps with its condition true.
func (m *Machine) sleeper() string {
	for _, t := range m.threads[:len(m.cpus)+m.used] {
		if !t.sleeping || t.done || t.cpu != nil && t.cpu.cur == t && t.wait != forInterrupt {
			continue
		}
		a := m.mem.at(PA(t.asleep.Addr), t.asleep.Size)
		if a.loc == nil {
			continue
		}
		if v := m.stored(nil, a); t.asleep.holds(v) {
			return fmt.Sprintf("thread %s sleeps although %s, which it waits for, is %#x", t.path(), m.NameAddr(t.asleep.Addr), v)
		}
	}
	return ""
}

// situation says what every unfinished thread is doing.
func (m *Machine) situation() string {
	var b strings.Builder
	told := 0
	for _, t := range m.threads[len(m.cpus) : len(m.cpus)+m.used] {
		if t.done {
			continue
		}
		if told++; told > toldThreads {
			b.WriteString("; and others")
			break
		}
		if told > 1 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "thread %s ", t.path())
		if t.cpu == nil {
			b.WriteString("is not running")
			continue
		}
		fmt.Fprintf(&b, "on CPU %d (%s) ", t.cpu.id, t.cpu.isa.Name)
		switch {
		case t.wait == forInterrupt:
			b.WriteString("waits for an interrupt")
		case t.wait != nil && t.wait.blocked.Kind != OpNone:
			what := "its store buffer or TLBs"
			if t.wait.fetches {
				what = "its cache to have the line"
			}
			b.WriteString("waits for " + what + " at " + m.describe(t.wait.blocked))
		case t.wait != nil:
			m.describeWait(&b, t.wait)
		default:
			b.WriteString("is at " + m.describe(t.cpu.op.op()))
		}
	}
	return b.String()
}

// toldThreads is how many threads a situation names.
const toldThreads = 8

// describe says what an operation does, for a reader.
func (m *Machine) describe(op Op) string {
	switch op.Kind {
	case OpSend:
		return fmt.Sprintf("send of interrupt %d to CPU %d", op.Addr&0xff, op.Addr>>8)
	case OpInvalidate, OpBroadcast:
		if op.Addr == AllPages {
			return op.Kind.String() + " of all pages"
		}
	case OpFence, OpHalt, OpSpawn, OpSwitch, OpVector, OpAlloc:
		return op.Kind.String()
	}
	return op.Kind.String() + " " + m.NameAddr(op.Addr)
}

func (m *Machine) describeWait(b *strings.Builder, w *waiting) {
	for i, c := range w.conds {
		if i > 0 {
			b.WriteString(" or ")
		}
		rel := "=="
		if c.Relation == NotEqual {
			rel = "!="
		}
		at := m.NameAddr(c.Addr)
		if full := c.Size.mask(); c.Mask&full != full {
			at = fmt.Sprintf("%s & %#x", at, c.Mask)
		}
		fmt.Fprintf(b, "awaits %s %s %#x (it is %#x)", at, rel, c.Want, m.stored(nil, w.at[i]))
	}
}

// sites is the stack of the caller, without this package and the runtime.
func sites() []Site {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var out []Site
	for {
		f, more := frames.Next()
		if keepFrame(f.Function) {
			out = append(out, Site{f.Function, f.File, f.Line})
		}
		if !more || len(out) == 16 {
			return out
		}
	}
}

const thisPackage = "github.com/fusedos/stramash/machine."

func keepFrame(fn string) bool {
	return fn != "" && !strings.HasPrefix(fn, thisPackage) && !strings.HasPrefix(fn, "runtime.") &&
		!strings.HasPrefix(fn, "runtime/") && !strings.HasPrefix(fn, "iter.")
}

// Short returns the site as file:line, without directories.
func (s Site) Short() string {
	return fmt.Sprintf("%s:%d", s.File[strings.LastIndex(s.File, "/")+1:], s.Line)
}
