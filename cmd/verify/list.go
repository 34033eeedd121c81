package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// item is one thing that list knows.
type item struct {
	Type       string      `json:"type"`
	Name       string      `json:"name"`
	Doc        string      `json:"doc,omitempty"`
	Parameters []parameter `json:"parameters,omitempty"`
	Numbers    []dimension `json:"numbers,omitempty"`
	CPUs       int         `json:"cpus,omitempty"`
	Source     string      `json:"source,omitempty"`
	Targets    []string    `json:"targets,omitempty"`
	Models     []string    `json:"models,omitempty"`
	Threads    int         `json:"threads,omitempty"`
	Classes    uint64      `json:"classes,omitempty"` // of runs, if known
}

// parameter is a question of a target's workload.
type parameter struct {
	Name   string `json:"name"`
	Values int    `json:"values"` // it takes 0 to Values-1
}

// dimension is a number that a protocol is built with.
type dimension struct {
	Name    string `json:"name"`
	Default int    `json:"default"`
	Least   int    `json:"least"`
	Most    int    `json:"most"`
}

// kind is a list of one sort of thing.
type kind struct {
	name  string
	items func(a *app) ([]item, error)
}

func kinds() []kind {
	return []kind{
		{"targets", (*app).listTargets},
		{"strategies", (*app).listStrategies},
		{"judges", (*app).listJudges},
		{"specifications", (*app).listSpecs},
		{"engines", (*app).listEngines},
		{"protocols", (*app).listProtocols},
		{"bugs", (*app).listBugs},
		{"suite", (*app).listSuite},
	}
}

// list is verify list.
func (a *app) list(args []string) (status, error) {
	f := a.newFlags("list")
	wanted, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	name := func(k kind) string { return k.name }
	chosen, err := catalogue[kind]{"list", kinds(), name, ""}.pick(wanted)
	if err != nil {
		return 0, err
	}
	counts := map[string]any{"type": "summary"}
	for _, k := range chosen {
		items, err := k.items(a)
		if err != nil {
			return 0, err
		}
		counts[k.name] = len(items)
		if f.json {
			for _, i := range items {
				a.emit(i)
			}
		} else {
			a.table(func(w io.Writer) { k.print(w, items) })
		}
	}
	if f.json {
		a.emit(counts)
	}
	return statusOK, nil
}

func (k kind) print(w io.Writer, items []item) {
	fmt.Fprintf(w, "%s\n", k.name)
	for _, i := range items {
		fmt.Fprintf(w, "  %s\t%s\n", i.Name, i.text())
		if len(i.Parameters) > 0 {
			fmt.Fprintf(w, "  \t  -param %s\n", i.ranges())
		}
		if len(i.Numbers) > 0 {
			fmt.Fprintf(w, "  \t  -set %s\n", i.numbers())
		}
	}
	fmt.Fprintln(w)
}

// text is what a list says beside the item's name.
func (i item) text() string {
	if i.Type == "judge" && len(i.Targets) > 0 {
		return i.Doc + "; in " + strings.Join(i.Targets, ", ")
	}
	return i.Doc
}

// ranges are the parameters with their values.
func (i item) ranges() string {
	var out []string
	for _, p := range i.Parameters {
		name := p.Name
		if strings.Contains(name, " ") {
			name = "'" + name + "'"
		}
		out = append(out, fmt.Sprintf("%s=0…%d", name, p.Values-1))
	}
	return strings.Join(out, ", ")
}

// numbers are those of a protocol, with what they may be.
func (i item) numbers() string {
	var out []string
	for _, n := range i.Numbers {
		out = append(out, fmt.Sprintf("%s=%d…%d (%d)", n.Name, n.Least, n.Most, n.Default))
	}
	return strings.Join(out, ", ")
}

func (a *app) listTargets() ([]item, error) {
	var out []item
	for _, t := range a.targets {
		answers, err := fuzz.Parameters(t)
		if err != nil {
			return nil, fault{err}
		}
		i := item{Type: "target", Name: t.Name, Doc: t.Doc, CPUs: t.Platform.CPUs()}
		for _, p := range answers {
			i.Parameters = append(i.Parameters, parameter{p.Name, p.N})
		}
		out = append(out, i)
	}
	return out, nil
}

func (a *app) listStrategies() ([]item, error) {
	var out []item
	for _, s := range fuzz.Strategies() {
		out = append(out, item{Type: "strategy", Name: s.Name, Doc: s.Doc})
	}
	return out, nil
}

// listJudges lists what judges runs: some things in every target, the rest
// where a target asks for it.
func (a *app) listJudges() ([]item, error) {
	progress := fmt.Sprintf("in every target: no %v, %v or %v", machine.Deadlock, machine.LostWakeup, machine.Livelock)
	out := []item{
		{Type: "judge", Name: "progress", Doc: progress},
		{Type: "judge", Name: "panic", Doc: "in every target: simulated code does not panic"},
		{Type: "judge", Name: new(checkers.Races).Name(), Doc: "in every target: of two accesses that are not both marked, one of which writes, one happens before the other"},
		{Type: "judge", Name: new(checkers.Memory).Name(), Doc: "in every target: no block of the heap is used when it was freed, nor beside it, nor freed twice"},
		{Type: "judge", Name: "final state", Doc: "where a target says what it must be"},
	}
	for _, t := range a.targets {
		for _, j := range t.Judges {
			at := slices.IndexFunc(out, func(i item) bool { return i.Name == j.Name() })
			if at < 0 {
				at = len(out)
				out = append(out, item{Type: "judge", Name: j.Name(), Doc: judgeDoc(j.Name())})
			}
			out[at].Targets = append(out[at].Targets, t.Name)
		}
	}
	return out, nil
}

// judgeDoc says what a judge of calls and critical sections asks for.
func judgeDoc(name string) string {
	if of, ok := strings.CutPrefix(name, "linearizable/"); ok {
		return "each call takes effect at once, between its start and its return, as specification " + of + " says; " +
			"by a monitor for its kind of object, else by the frontier of possible states; porcupine confirms violations"
	}
	doc := map[string]string{
		"exclusion": "nobody gets a lock that another holds, only its holder releases it, and what a holder reads is what the last one wrote",
		"lockorder": "locks are taken in an order without a cycle, none by who holds it, and those of interrupt handlers with interrupts off",
	}[name]
	return cmp.Or(doc, "what the target asks for")
}

func (a *app) listSpecs() ([]item, error) {
	var out []item
	for _, s := range spec.All() {
		var ops []string
		for _, o := range s.Ops {
			ops = append(ops, o.Name)
		}
		out = append(out, item{Type: "specification", Name: s.Name, Doc: strings.Join(ops, ", ")})
	}
	return out, nil
}

// listEngines lists what computes the final states of litmus tests.
func (a *app) listEngines() ([]item, error) {
	var out []item
	for _, e := range a.engines {
		out = append(out, item{Type: "engine", Name: e.name, Doc: e.doc})
	}
	return out, nil
}

// listProtocols lists the coherence protocols that are built in.
func (a *app) listProtocols() ([]item, error) {
	var out []item
	for _, name := range protocol.Names() {
		p, err := protocol.Load(name)
		if err != nil {
			return nil, fault{err}
		}
		about, _, _ := strings.Cut(p.About, ": ")
		about, _, _ = strings.Cut(about, ". ")
		i := item{Type: "protocol", Name: name, Doc: about}
		for _, n := range p.Parameters {
			i.Numbers = append(i.Numbers, dimension{n.Name, n.Default, n.Min, n.Max})
		}
		out = append(out, i)
	}
	return out, nil
}

// listBugs lists the seeded bugs, none outside of a checkout.
func (a *app) listBugs() ([]item, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fault{err}
	}
	root, err := bugs.Root(dir)
	if err != nil {
		return nil, nil
	}
	all, err := bugs.LoadAll(filepath.Join(root, bugsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []item
	for _, b := range all {
		i := item{Type: "bug", Name: b.Name, Doc: b.What, Source: b.Source, Targets: b.Targets}
		for _, m := range b.Models {
			i.Models = append(i.Models, m.Text)
		}
		out = append(out, i)
	}
	return out, nil
}

// listSuite lists the programs that strategies are compared by.
func (a *app) listSuite() ([]item, error) {
	var out []item
	for _, p := range a.suite {
		out = append(out, item{Type: "program", Name: p.Target.Name, Doc: p.Target.Doc, Source: p.Source,
			CPUs: p.Target.Platform.CPUs(), Threads: p.Threads, Classes: p.Classes})
	}
	return out, nil
}
