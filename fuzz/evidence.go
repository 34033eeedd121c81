package fuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Evidence is what gives a run set the power to find something. One that lacks
// it proves nothing, however many runs it has.
type Evidence struct {
	// Conflict: two contexts accessed one word, and one of them wrote.
	Conflict bool
	// Overlap: two operations that were recorded overlapped.
	Overlap bool
	// Operations that were called, by name and object, and whether any of
	// their calls has succeeded.
	Operations map[string]bool `json:",omitempty"`
}

// merge adds the evidence of other runs.
func (e *Evidence) merge(o Evidence) {
	e.Conflict = e.Conflict || o.Conflict
	e.Overlap = e.Overlap || o.Overlap
	for name, ok := range o.Operations {
		e.note(name, ok)
	}
}

func (e *Evidence) note(name string, ok bool) {
	if e.Operations == nil {
		e.Operations = map[string]bool{}
	}
	e.Operations[name] = e.Operations[name] || ok
}

// vacuous says why runs with this evidence prove nothing, or nothing if they
// do. It is told how many classes of schedules they came to.
func (e *Evidence) vacuous(classes int) string {
	switch {
	case classes <= 1:
		return "it explored one class of schedules only: nothing was ordered in two ways"
	case !e.Conflict:
		return "no two threads met: nothing that one wrote did another one access"
	case len(e.Operations) > 0 && !e.Overlap:
		return "no two operations ever overlapped"
	}
	var failed []string
	for name, ok := range e.Operations {
		if !ok {
			failed = append(failed, name)
		}
	}
	if len(failed) == 0 {
		return ""
	}
	slices.Sort(failed)
	return strings.Join(failed, ", ") + " never succeeded"
}

// conflicts finds out whether contexts meet in the run that it watches.
type conflicts struct {
	words map[machine.PA]visitor
	met   bool
}

// visitor is the context that was at a word first.
type visitor struct {
	client int32
	wrote  bool // somebody has written
	others bool // other contexts have been there
}

func (c *conflicts) reset() {
	if c.words == nil {
		c.words = map[machine.PA]visitor{}
	}
	clear(c.words)
}

func (c *conflicts) observe(e *machine.Event) {
	if e.PA == 0 {
		return
	}
	word := e.PA &^ 7
	v, known := c.words[word]
	if !known {
		v.client = e.Client
	}
	v.wrote = v.wrote || e.Op.Kind.Writes() && e.OK
	v.others = v.others || v.client != e.Client
	c.words[word] = v
	c.met = v.wrote && v.others
}

// noteOperations takes the operations of a history into account.
func (r *runner) noteOperations(h machine.History) {
	d := recordDescriber{m: r.machine, judges: r.target.Judges, open: map[openCall]spec.Call{}}
	open := map[int32]int{} // calls of each client
	for _, rec := range h {
		id := openCall{rec.Client, rec.Object}
		switch rec.Kind {
		case machine.CallRecord:
			d.open[id] = spec.Call{Client: int(rec.Client), Op: rec.Op, Arg: rec.Arg, Arg2: rec.Arg2}
			r.evidence.note(d.operation(rec.Object, d.open[id]), false)
			open[rec.Client]++
			r.evidence.Overlap = r.evidence.Overlap || len(open) > 1
		case machine.ReturnRecord:
			r.evidence.note(d.operation(rec.Object, d.open[id]), rec.OK)
			if open[rec.Client]--; open[rec.Client] <= 0 {
				delete(open, rec.Client)
			}
		}
	}
}

// operation names an operation of an object, without its arguments.
func (d recordDescriber) operation(object machine.VA, c spec.Call) string {
	name, _, _ := strings.Cut(d.inWords(object, c, nil), "(")
	at, _, _ := strings.Cut(d.m.NameAddr(object), "+")
	return fmt.Sprintf("%s of %s", name, at)
}
