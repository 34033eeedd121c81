package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/checkers/history"
	"github.com/fusedos/stramash/cmd/verify/internal/input"
	"github.com/fusedos/stramash/machine"
)

const (
	// historyBudget is how many steps a judge of a history takes unless the
	// flag -budget says otherwise: some seconds.
	historyBudget = 1 << 22
	maxBudget     = 1 << 40

	// A chart of more operations than this says nothing to a person, and takes
	// porcupine too much memory.
	maxCharted = 4096
	// chartTime bounds porcupine's search for the orders that a chart shows.
	chartTime = 10 * time.Second
)

// recorded is a history that was judged.
type recorded struct {
	*history.Recording
	file    string
	verdict checkers.Verdict
	judge   string
	seconds float64
}

// history is verify history.
func (a *app) history(args []string) (status, error) {
	f := a.newFlags("history")
	format := f.String("format", "", "the `format`: "+strings.Join(history.Formats(), ", ")+" (default: what the first line looks like)")
	model := f.String("model", "", "the `specification` of the objects; verify list specifications names them (default: what the history says)")
	budget := f.count("budget", historyBudget, maxBudget, "give up after so many `steps`")
	chart := f.String("html", "", "draw the history with porcupine's visualiser in this `file`")
	rest, err := f.parse(args)
	if err != nil {
		return 0, err
	}
	if len(rest) != 1 {
		return 0, fmt.Errorf("give one file, or - for the standard input: %s -h tells more", "verify history")
	}
	// A long history is live memory, where main expects little of it.
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	r := recorded{file: rest[0]}
	if r.Recording, err = readHistory(rest[0], history.Options{Format: *format, Model: *model}); err != nil {
		return 0, err
	}
	if *chart != "" {
		if err := r.draw(*chart); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	r.verdict, r.judge = r.Check(int(budget.n)), r.Judge(1).Name()
	r.seconds = seconds(began)
	if f.json {
		r.emit(a)
	} else {
		r.print(a)
	}
	return r.status(), nil
}

// readHistory reads a file, or the standard input if its name is "-". Its
// errors begin with the file and the line.
func readHistory(name string, o history.Options) (*history.Recording, error) {
	var in io.Reader = os.Stdin
	if name != "-" {
		file, err := input.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	r, err := history.Parse(in, o)
	var bad *history.Error
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("%s:%d: %s", name, bad.Line, bad.Problem)
	}
	return r, err
}

// why says why the verdict is inconclusive, if it is.
func (r *recorded) why() string {
	switch {
	case r.verdict.Violation != nil:
		return ""
	case r.verdict.Unknown != "":
		return r.verdict.Unknown + ": raise -budget, or judge a part of the history"
	case r.Returns() == 0:
		return "no operation in it was answered, so nothing was judged"
	}
	return ""
}

func (r *recorded) status() status {
	switch {
	case r.verdict.Violation != nil:
		return statusViolation
	case r.why() != "":
		return statusInconclusive
	}
	return statusOK
}

// word is the verdict in a word.
func (r *recorded) word() string {
	return map[status]string{
		statusViolation: "violation", statusInconclusive: "inconclusive", statusOK: "pass",
	}[r.status()]
}

func (r *recorded) print(a *app) {
	if v := r.verdict.Violation; v != nil {
		a.printf("VIOLATION %s:%d: %s\n%s%s\n", r.file, r.line(v), v.Rule, r.prefix(v.Object), v.Message)
	}
	if why := r.why(); why != "" {
		a.printf("%s: inconclusive: %s\n", r.file, why)
	}
	a.printf("%s: %s; %s of %s on %s (%s), judged by %s, %.3f s\n", r.word(), r.file,
		counted(r.Operations(), "operation"), counted(r.Clients, "client"), counted(len(r.Objects), "object"),
		r.Spec.Name, strings.TrimSpace(r.judge+" "+r.verdict.By), r.seconds)
}

// counted is so many things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return grouped(uint64(n)) + " " + thing + "s"
}

// line is the line that a violation shows in.
func (r *recorded) line(v *checkers.Violation) int { return r.Lines[v.At] }

// prefix names the object, if it has a name.
func (r *recorded) prefix(at machine.VA) string {
	if o, _ := r.Object(at); o.String() != "" {
		return o.String() + ": "
	}
	return ""
}

// historyLine is the JSON of a violation in a history.
type historyLine struct {
	Type    string `json:"type"`
	File    string `json:"file"`
	Line    int    `json:"line"` // of the return that no order explains
	Client  int32  `json:"client"`
	Object  string `json:"object"`
	Key     string `json:"key,omitempty"`
	Judge   string `json:"judge"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// historySummary is the JSON of a judged history.
type historySummary struct {
	Type       string  `json:"type"`
	Verdict    string  `json:"verdict"`
	Why        string  `json:"why,omitempty"`
	File       string  `json:"file"`
	Format     string  `json:"format"`
	Model      string  `json:"model"`
	Operations int     `json:"operations"`
	Clients    int     `json:"clients"`
	Objects    int     `json:"objects"`
	Judge      string  `json:"judge"`
	By         string  `json:"by,omitempty"` // see checkers.Verdict
	Seconds    float64 `json:"seconds"`
}

func (r *recorded) emit(a *app) {
	if v := r.verdict.Violation; v != nil {
		o, _ := r.Object(v.Object)
		a.emit(historyLine{
			Type: "violation", File: r.file, Line: r.line(v), Client: r.Records[v.At].Client,
			Object: o.Name, Key: o.Key, Judge: v.Judge, Rule: v.Rule, Message: v.Message,
		})
	}
	a.emit(historySummary{
		Type: "summary", Verdict: r.word(), Why: r.why(), File: r.file, Format: r.Format, Model: r.Spec.Name,
		Operations: r.Operations(), Clients: r.Clients, Objects: len(r.Objects), Judge: r.judge, By: r.verdict.By, Seconds: r.seconds,
	})
}

// draw writes porcupine's chart of the history, object by object.
func (r *recorded) draw(path string) error {
	if n := r.Operations(); n > maxCharted {
		return fmt.Errorf("-html draws %d operations at most, and there are %d: leave it out", maxCharted, n)
	}
	var parts [][]porcupine.Operation
	for i := range r.Objects {
		ops, err := checkers.Operations(r.Records, machine.VA(i+1))
		if err != nil {
			return fault{err}
		}
		for j := range ops { // an open one ends behind the last record
			ops[j].Return = min(ops[j].Return, int64(len(r.Records)))
		}
		if len(ops) > 0 {
			parts = append(parts, ops)
		}
	}
	model := checkers.Porcupine(r.Spec)
	model.Partition = func([]porcupine.Operation) [][]porcupine.Operation { return parts }
	_, info := porcupine.CheckOperationsVerbose(model, nil, chartTime)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := porcupine.Visualize(model, info, file); err != nil {
		file.Close()
		return fault{err}
	}
	return file.Close()
}
