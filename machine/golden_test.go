package machine_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/fusedos/stramash/machine"
)

// script answers as the exceptions say, and otherwise plainly.
type script struct {
	answers map[place]uint32
	matched map[place]bool
	first   func(*machine.Choice) // sees every question
}

type place struct {
	context machine.ContextName
	index   uint32
	visit   uint16
	kind    machine.ChoiceKind
}

func placeOf(e machine.Exception) place {
	return place{machine.NameOf(e.Context), e.Index, e.Visit, e.Kind}
}

func scripted(exceptions []machine.Exception) *script {
	s := &script{answers: map[place]uint32{}, matched: map[place]bool{}}
	for _, e := range exceptions {
		s.answers[placeOf(e)] = e.Answer
	}
	return s
}

func (s *script) Choose(c *machine.Choice) int {
	if s.first != nil {
		s.first(c)
	}
	at := place{c.Context, c.Index, c.Visit, c.Kind}
	if answer, ok := s.answers[at]; ok {
		if k := c.Find(answer); k >= 0 {
			s.matched[at] = true
			return k
		}
	}
	return int(c.Plain)
}

// TestGolden compares the transcripts of small programs with testdata. After an
// intended change: go test -run Golden ./machine -rewrite, and read the diff.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files:", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			datadriven.RunTest(t, path, transcript)
		})
	}
}

// transcript runs one case. Its arguments: "quiet" leaves out the events,
// "questions" prints each question that was asked.
func transcript(t *testing.T, d *datadriven.TestData) string {
	p := parse(d.Input)
	m, err := machine.New(p.platform)
	if err != nil {
		return "error: " + err.Error()
	}
	defer m.Close()
	var b strings.Builder
	if !d.HasArg("quiet") {
		m.SetTracer(func(e *machine.Event) { writeEvent(&b, m, e) })
	}
	c := scripted(p.except)
	if d.HasArg("questions") {
		c.first = func(q *machine.Choice) { writeQuestion(&b, m, q) }
	}
	r, res := p.run(m, c)
	r.finish(&b, c, res)
	checkUntraced(t, p, res, m.Exceptions())
	return b.String()
}

// checkUntraced checks that the tracer changed nothing, for each case.
func checkUntraced(t *testing.T, p *program, want machine.Result, exceptions []machine.Exception) {
	m := newMachine(t, p.platform)
	_, got := p.run(m, scripted(exceptions))
	if got.TraceHash != want.TraceHash || got.Fingerprint != want.Fingerprint || got.Steps != want.Steps {
		t.Errorf("without a tracer the run is another: %d steps, trace %x; with it %d steps, trace %x",
			got.Steps, got.TraceHash, want.Steps, want.TraceHash)
	}
}

func newMachine(t testing.TB, p machine.Platform) *machine.Machine {
	t.Helper()
	m, err := machine.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func writeEvent(b *strings.Builder, m *machine.Machine, e *machine.Event) {
	fmt.Fprintf(b, "%4d  cpu%d %-7s %-12s %s", e.Step, e.CPU, m.ISA(e.CPU).Name, m.ContextOf(e), describe(m, e.Op))
	switch k := e.Op.Kind; {
	case k == machine.OpMessage:
		b.WriteString(": " + e.Note)
	case !e.OK && k.Writes():
		fmt.Fprintf(b, " failed, it is %d", e.Read)
	case k == machine.OpStore || k == machine.OpStoreEx:
		fmt.Fprintf(b, " := %d", e.Wrote)
	case k.Writes():
		fmt.Fprintf(b, " %d -> %d", e.Read, e.Wrote)
	case k.Reads():
		fmt.Fprintf(b, " = %d", e.Read)
	case !e.OK:
		b.WriteString(" (not ok)")
	}
	b.WriteByte('\n')
}

// describe writes an operation as the transcripts show it.
func describe(m *machine.Machine, op machine.Op) string {
	s := op.Kind.String()
	if op.Size != 0 && op.Size != machine.Size64 {
		s += fmt.Sprint(8 * int(op.Size))
	}
	if op.Order != machine.Plain {
		s += "." + op.Order.String()
	}
	switch op.Kind {
	case machine.OpHalt, machine.OpFence, machine.OpNone:
		return s
	case machine.OpVector, machine.OpVectorReturn:
		return fmt.Sprintf("%s v%d", s, op.Addr)
	case machine.OpInvalidate, machine.OpBroadcast, machine.OpInvalidated:
		if op.Addr == machine.AllPages {
			return s + " all pages"
		}
	case machine.OpSend, machine.OpDeliver:
		return fmt.Sprintf("%s cpu%d/v%d", s, op.Addr>>8, op.Addr&0xff)
	case machine.OpSwitch, machine.OpSpawn:
		return fmt.Sprintf("%s handle %d", s, op.Addr)
	}
	return s + " " + m.NameAddr(op.Addr)
}

func writeQuestion(b *strings.Builder, m *machine.Machine, q *machine.Choice) {
	fmt.Fprintf(b, "      ? %s at %d+%d:", q.Kind, q.Index, q.Visit)
	for s := q.Options; s != 0; s = s.Rest() {
		k := s.First()
		mark := ""
		if k == int(q.Plain) {
			mark = "*"
		}
		if q.Kind == machine.Move {
			fmt.Fprintf(b, " [%s%s %s]", mark, q.Agent(k), describe(m, q.Op(k)))
		} else {
			fmt.Fprintf(b, " [%s%d]", mark, k)
		}
	}
	b.WriteByte('\n')
}

// finish writes what the run came to.
func (r *runner) finish(b *strings.Builder, c *script, res machine.Result) {
	m := r.m
	fmt.Fprintf(b, "%s after %d steps", res.Outcome, res.Steps)
	if res.Fair {
		b.WriteString(", fair at the end")
	}
	b.WriteByte('\n')
	if res.Detail != "" {
		fmt.Fprintf(b, "detail: %s\n", res.Detail)
	}
	for _, e := range m.Exceptions() {
		fmt.Fprintf(b, "exception: %s\n", e)
	}
	for _, e := range r.p.except {
		if !c.matched[placeOf(e)] {
			fmt.Fprintf(b, "unmatched: %s@%d+%d\n", e.Context, e.Index, e.Visit)
		}
	}
	for _, w := range res.Workload {
		fmt.Fprintf(b, "workload: %s = %d of %d\n", w.Name, w.Value, w.N)
	}
	for _, h := range res.History {
		writeRecord(b, m, h)
	}
	for _, name := range r.p.show {
		fmt.Fprintf(b, "%s = %d\n", name, m.Peek64(r.addr(name)))
	}
}

func writeRecord(b *strings.Builder, m *machine.Machine, h machine.Record) {
	fmt.Fprintf(b, "history: step %d cpu%d %s ", h.Step, h.CPU, m.ClientName(h.Client))
	switch h.Kind {
	case machine.CallRecord:
		fmt.Fprintf(b, "calls %d on %s", h.Op, m.NameAddr(h.Object))
	case machine.ReturnRecord:
		fmt.Fprintf(b, "returns %d from %s", h.Val, m.NameAddr(h.Object))
	case machine.NoteRecord:
		fmt.Fprintf(b, "notes %d of %s: %d", h.Note, m.NameAddr(h.Object), h.Arg)
	}
	if h.InIRQ {
		b.WriteString(", in an interrupt")
	}
	if h.IRQsOff {
		b.WriteString(", interrupts off")
	}
	b.WriteByte('\n')
}
