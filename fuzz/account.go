package fuzz

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Account is what happened in a run, step by step.
type Account struct {
	Lanes []string // by CPU: its number and ISA; empty if it did nothing
	Rows  []Row
}

// Row is one event or record of an account.
type Row struct {
	Step    int
	CPU     int
	Context string       // path of the context; see machine.NameOf
	Text    string       // what it did
	Site    machine.Site // where the program did it; zero for records
}

// account runs with a tracer.
func (r *runner) account(c machine.Chooser) (*verdict, Account) {
	m := r.machine
	a := Account{Lanes: make([]string, m.CPUs())}
	r.traced = func(e *machine.Event) {
		row := Row{Step: e.Step, CPU: e.CPU, Context: m.ContextOf(e), Text: describe(m, e)}
		if e.Client >= 0 && e.Op.Kind != machine.OpDrain && e.Op.Kind != machine.OpInvalidated && e.Op.Kind != machine.OpMessage { // an interrupt that fires has no site
			if sites := programSites(machine.Sites()); len(sites) > 0 {
				row.Site = sites[0]
			}
		}
		a.Rows = append(a.Rows, row)
	}
	v := r.run(c)
	r.traced = nil
	a.mergeHistory(m, v.History, r.target.Judges)
	for _, row := range a.Rows {
		a.Lanes[row.CPU] = fmt.Sprintf("P%d %s", row.CPU, m.ISA(row.CPU).Name)
	}
	return v, a
}

// programSites is the stack without this package's own frames.
func programSites(stack []machine.Site) []machine.Site {
	return slices.DeleteFunc(slices.Clone(stack), func(s machine.Site) bool {
		return strings.HasPrefix(s.Func, "github.com/fusedos/stramash/fuzz.(*")
	})
}

// mergeHistory puts the records behind the events that they follow.
func (a *Account) mergeHistory(m *machine.Machine, h machine.History, judges []checkers.Judge) {
	events := a.Rows
	a.Rows = make([]Row, 0, len(events)+len(h))
	d := recordDescriber{m: m, judges: judges, open: map[openCall]spec.Call{}}
	for _, rec := range h {
		for len(events) > 0 && events[0].Step <= int(rec.Step) {
			a.Rows = append(a.Rows, events[0])
			events = events[1:]
		}
		a.Rows = append(a.Rows, Row{
			Step: int(rec.Step), CPU: int(rec.CPU), Context: m.ClientName(rec.Client), Text: "* " + d.describe(rec),
		})
	}
	a.Rows = append(a.Rows, events...)
}

// describe says what an event did.
func describe(m *machine.Machine, e *machine.Event) string {
	at, op := m.NameAddr(e.Op.Addr), e.Op.Kind.String()
	if o := e.Op.Order.String(); o != "" {
		op += "." + o
	}
	switch e.Op.Kind {
	case machine.OpLoad, machine.OpLoadEx, machine.OpAwait:
		if !e.OK {
			return fmt.Sprintf("%s %s = %#x, in vain", op, at, e.Read)
		}
		return fmt.Sprintf("%s %s = %#x", op, at, e.Read) + stale(e)
	case machine.OpStore:
		if e.Held {
			return fmt.Sprintf("%s %s := %#x, held back", op, at, e.Wrote)
		}
		return fmt.Sprintf("%s %s := %#x", op, at, e.Wrote)
	case machine.OpDrain:
		return fmt.Sprintf("%s %s := %#x takes effect", op, at, e.Wrote)
	case machine.OpCAS, machine.OpStoreEx:
		if !e.OK {
			return fmt.Sprintf("%s %s = %#x, failed", op, at, e.Read) + stale(e)
		}
		return fmt.Sprintf("%s %s %#x -> %#x", op, at, e.Read, e.Wrote)
	case machine.OpSwap, machine.OpAdd, machine.OpAnd, machine.OpOr, machine.OpTestSet, machine.OpXor:
		return fmt.Sprintf("%s %s %#x -> %#x", op, at, e.Read, e.Wrote)
	case machine.OpMessage:
		return e.Note
	case machine.OpWalk:
		return fmt.Sprintf("walker reads %s = %#x", at, e.Read)
	case machine.OpMark:
		if !e.OK {
			return fmt.Sprintf("walker leaves %s = %#x", at, e.Read)
		}
		return fmt.Sprintf("walker marks %s %#x -> %#x", at, e.Read, e.Wrote)
	case machine.OpInvalidate, machine.OpBroadcast, machine.OpInvalidated:
		if e.Op.Addr == machine.AllPages {
			at = "all pages"
		}
		return fmt.Sprintf("%s %s", op, at)
	case machine.OpTranslate, machine.OpRoot:
		return fmt.Sprintf("%s %s", op, at)
	case machine.OpSend, machine.OpDeliver:
		return fmt.Sprintf("%s interrupt %d of P%d", op, e.Op.Addr&0xff, e.Op.Addr>>8)
	case machine.OpVector, machine.OpVectorReturn:
		return fmt.Sprintf("%s handler %d", op, uint64(e.Op.Addr))
	case machine.OpAlloc:
		return fmt.Sprintf("%s of %d bytes = %s", op, e.Read, at)
	case machine.OpFree:
		return fmt.Sprintf("%s %s", op, at)
	case machine.OpSwitch, machine.OpSpawn:
		return fmt.Sprintf("%s thread %d", op, uint64(e.Op.Addr))
	}
	return op
}

// stale says that a read was not of the newest write.
func stale(e *machine.Event) string {
	if e.Stale == 0 {
		return ""
	}
	return fmt.Sprintf(", stale: %d newer", e.Stale)
}

// recordDescriber puts records into words. It remembers the calls that are
// open, so that a return can name its own.
type recordDescriber struct {
	m      *machine.Machine
	judges []checkers.Judge
	open   map[openCall]spec.Call
}

type openCall struct {
	client int32
	object machine.VA
}

func (d recordDescriber) describe(r machine.Record) string {
	at, id := d.m.NameAddr(r.Object), openCall{r.Client, r.Object}
	switch r.Kind {
	case machine.CallRecord:
		c := spec.Call{Client: int(r.Client), Op: r.Op, Arg: r.Arg, Arg2: r.Arg2}
		d.open[id] = c
		return fmt.Sprintf("calls %s of %s", d.inWords(r.Object, c, nil), at)
	case machine.ReturnRecord:
		return "returns " + d.inWords(r.Object, d.open[id], &spec.Ret{Val: r.Val, OK: r.OK})
	}
	return describeNote(at, r)
}

// inWords has a judge describe an operation, if one can.
func (d recordDescriber) inWords(object machine.VA, c spec.Call, r *spec.Ret) string {
	for _, j := range d.judges {
		if j, ok := j.(checkers.Describer); ok {
			if text, ok := j.Describe(object, c, r); ok {
				return text
			}
		}
	}
	if r == nil {
		return fmt.Sprintf("operation %d(%#x)", c.Op, c.Arg)
	}
	return fmt.Sprintf("operation %d(%#x) = %#x, ok %t", c.Op, c.Arg, r.Val, r.OK)
}

func describeNote(at string, r machine.Record) string {
	shared := ""
	if r.Arg2&machine.SharedLock != 0 {
		shared = ", shared"
	}
	switch r.Note {
	case machine.NoteAcquire:
		return "wants " + at + shared
	case machine.NoteAcquired:
		return "has " + at + shared
	case machine.NoteRelease:
		return "gives up " + at + shared
	case machine.NoteRead:
		return fmt.Sprintf("read %#x under %s", r.Arg, at)
	case machine.NoteWrite:
		return fmt.Sprintf("wrote %#x under %s", r.Arg, at)
	}
	return fmt.Sprintf("note %d of %s: %#x", r.Note, at, r.Arg)
}

var clientNumber = regexp.MustCompile(`\bclient (\d+)`)

// nameClients replaces the numbers by which judges know clients by the paths of
// their contexts.
func nameClients(m *machine.Machine, text string) string {
	return clientNumber.ReplaceAllStringFunc(text, func(s string) string {
		n, err := strconv.ParseInt(strings.TrimPrefix(s, "client "), 10, 32)
		if err != nil {
			return s
		}
		return m.ClientName(int32(n))
	})
}

// Text draws the account with a lane for each CPU: the last rows, or all if
// last is zero.
func (a Account) Text(last int) string {
	rows := a.Rows
	var b strings.Builder
	lanes, widths := a.layout()
	head := " step"
	for i, cpu := range lanes {
		head += fmt.Sprintf("  %-*s", widths[i], a.Lanes[cpu])
	}
	b.WriteString(strings.TrimRight(head, " ") + "\n")
	if last > 0 && len(rows) > last {
		fmt.Fprintf(&b, "      (%d earlier rows are not shown)\n", len(rows)-last)
		rows = rows[len(rows)-last:]
	}
	for _, row := range rows {
		line := fmt.Sprintf("%5d", row.Step)
		if strings.HasPrefix(row.Text, "*") {
			line = "     "
		}
		for i, cpu := range lanes {
			text := ""
			if cpu == row.CPU {
				text = row.text()
			}
			line += fmt.Sprintf("  %-*s", widths[i], text)
		}
		if row.Site.File != "" {
			line += "  " + row.Site.Short()
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// text says who acts where it is not plain from the lane.
func (r Row) text() string {
	if strings.ContainsAny(r.Context, ".@") {
		return r.Context + ": " + r.Text
	}
	return r.Text
}

// layout is the CPUs that did something, and the width of each one's lane.
func (a Account) layout() (lanes, widths []int) {
	for cpu, name := range a.Lanes {
		if name == "" {
			continue
		}
		width := len(name)
		for _, row := range a.Rows {
			if row.CPU == cpu {
				width = max(width, len(row.text()))
			}
		}
		lanes, widths = append(lanes, cpu), append(widths, width)
	}
	return lanes, widths
}
