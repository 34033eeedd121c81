package history

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// jepsen takes the events of a Jepsen history, which process :nemesis makes too.
type jepsen struct {
	*builder
	calls map[int32]value // the value of each process's operation in progress
}

const nemesis = ":nemesis"

// models are the operations that Jepsen histories may have.
var jepsenModels = []struct {
	model string
	ops   []string
}{
	{"cas register", []string{":read", ":write", ":cas"}},
	{kvName, []string{":get", ":put", ":append"}},
}

// jepsenEvent is what an event says.
type jepsenEvent struct {
	process value
	kind    value // :invoke, :ok, :fail or :info
	f       value // the operation
	key     value
	value   value
	failed  bool // it says what the error is
}

func (j *jepsen) take(e jepsenEvent) error {
	if e.process.kind == aWord && e.process.text == nemesis {
		return nil
	}
	if e.process.kind != aNumber || e.process.number > math.MaxInt32 {
		return fmt.Errorf("the process is %s: use a number up to 2³¹-1", e.process)
	}
	id := int32(e.process.number)
	op, err := j.operation(e.f)
	if err != nil {
		return err
	}
	var o Object
	if j.Spec.Name == kvName {
		if e.key.kind != aText {
			return fmt.Errorf("the key is %s: it must be a string", e.key)
		}
		o.Key = e.key.text
	} else if e.key.given() {
		return fmt.Errorf("a key is given, and a %s has none", j.Spec.Name)
	}
	if e.kind.text == ":invoke" {
		return j.invoke(id, o, op, e.value)
	}
	if !slices.Contains([]string{":ok", ":fail", ":info"}, e.kind.text) {
		return fmt.Errorf("the type is %s: use :invoke, :ok, :fail or :info", e.kind)
	}
	open, err := j.current(id)
	if err == nil {
		err = j.same(open, j.Spec.Ops[op-1].Name, o)
	}
	if err != nil {
		return err
	}
	return j.complete(id, open, e)
}

// operation finds the operation, and the model at the first.
func (j *jepsen) operation(f value) (spec.Op, error) {
	var known []string
	for _, m := range jepsenModels {
		at := slices.Index(m.ops, f.text)
		known = append(known, m.ops...)
		switch {
		case f.kind != aWord || at < 0:
			continue
		case j.Spec.Name == "":
			if err := j.setModel(m.model); err != nil {
				return 0, err
			}
		case j.Spec.Name != m.model:
			return 0, fmt.Errorf("%s is of a %s, and this is the history of a %s", f, m.model, j.Spec.Name)
		}
		return j.op(f.text[1:])
	}
	return 0, fmt.Errorf("there is no operation %s: use %s", f, strings.Join(known, ", "))
}

func (j *jepsen) invoke(id int32, o Object, op spec.Op, v value) error {
	args, err := j.args(op, v)
	if err != nil {
		return err
	}
	if err := j.call(id, o, op, args); err != nil {
		return err
	}
	if j.calls == nil {
		j.calls = map[int32]value{}
	}
	j.calls[id] = v
	return nil
}

// complete ends the operation of a process.
func (j *jepsen) complete(id int32, open *machine.Record, e jepsenEvent) error {
	v, sig := e.value, j.Spec.Ops[open.Op-1]
	own := v.equal(j.calls[id])
	refused := e.kind.text == ":fail" && own && !e.failed && sig.Args == 2
	switch {
	case e.kind.text == ":info":
		j.abandon(id)
	case e.kind.text == ":fail" && !refused:
		j.undo(id)
	case sig.Args > 0 && !own:
		return fmt.Errorf("this is of %s with %s, and the operation in progress is with %s",
			strings.ToLower(sig.Name), v, j.calls[id])
	case sig.Args > 0:
		j.end(id, spec.Ret{OK: !refused})
	default:
		ok := v.kind != aNull || sig.Failure == ""
		r, err := j.answer(open.Op, v, ok)
		if err != nil {
			return err
		}
		j.end(id, r)
	}
	delete(j.calls, id)
	return nil
}

// mapReader reads maps in edn.
type mapReader struct {
	jepsen
}

func (r *mapReader) line(s string) error {
	f, err := parseMap(s)
	if err != nil {
		return err
	}
	if err := f.only("an event", ":process", ":type", ":f", ":key", ":value", ":time", ":index", ":error"); err != nil {
		return err
	}
	for _, name := range []string{":process", ":type", ":f", ":value"} {
		if f.values[name].kind == absent {
			return fmt.Errorf("field %s is missing", name)
		}
	}
	return r.take(jepsenEvent{
		process: f.values[":process"], kind: f.values[":type"], f: f.values[":f"],
		key: f.values[":key"], value: f.values[":value"], failed: f.values[":error"].given(),
	})
}

// jepsenLogger is the logger whose lines are events.
const jepsenLogger = "jepsen.util"

// logReader reads lines of a log.
type logReader struct {
	jepsen
}

// logForm is how such a line looks.
const logForm = "INFO " + jepsenLogger + " - PROCESS TYPE OPERATION VALUE"

func (r *logReader) line(s string) error {
	words := strings.Fields(s)
	if len(words) < 3 || words[0] != "INFO" || words[1] != jepsenLogger || words[2] != "-" {
		return errors.New("the line is no event, " + logForm + ": leave out other lines")
	}
	if len(words) < 7 {
		return errors.New("the line is cut off: it has the form " + logForm)
	}
	var e jepsenEvent
	for i, to := range []*value{&e.process, &e.kind, &e.f, &e.value} {
		word := words[3+i]
		if to == &e.value {
			word = strings.Join(words[3+i:], " ")
		}
		v, err := parsePlain(word)
		if err != nil {
			return err
		}
		*to = v
	}
	return r.take(e)
}
