package history

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

const kvName = "kv"

// builder makes a recording of events, whatever form they have.
type builder struct {
	Recording
	at      int // the line
	events  int
	clients map[int32]client
	objects map[Object]machine.VA
	texts   map[string]uint64 // the number of each text
	kept    int               // bytes of different strings
	left    []bool            // of each record: it is left out
}

// client is what a client is at.
type client struct {
	open int // index of the call of its operation in progress, or -1
	gone int // the line that left its last operation open; zero if none did
}

func newBuilder(o Options) *builder {
	return &builder{
		Recording: Recording{Format: o.Format},
		clients:   map[int32]client{}, objects: map[Object]machine.VA{}, texts: map[string]uint64{},
	}
}

// setModel takes the specification of a name.
func (b *builder) setModel(name string) error {
	var known []string
	for _, s := range spec.All() {
		if alike(s.Name, name) {
			b.Spec = s
			return nil
		}
		known = append(known, s.Name)
	}
	return fmt.Errorf("no model is called %.40q: use %s", name, strings.Join(known, ", "))
}

// alike says whether two names differ in nothing that matters in names.
func alike(a, b string) bool {
	return strings.EqualFold(a, b) || strings.EqualFold(unjoin.Replace(a), unjoin.Replace(b))
}

var unjoin = strings.NewReplacer("-", "", "_", "", " ", "")

// op finds an operation of the model.
func (b *builder) op(name string) (spec.Op, error) {
	var known []string
	for i, sig := range b.Spec.Ops {
		if alike(sig.Name, name) {
			return spec.Op(i + 1), nil
		}
		known = append(known, strings.ToLower(sig.Name))
	}
	return 0, fmt.Errorf("a %s has no operation %.40q: use %s", b.Spec.Name, name, strings.Join(known, ", "))
}

// event counts an event of a client, and answers what the client is at.
func (b *builder) event(id int32) (client, error) {
	if b.events++; b.events > maxEvents {
		return client{}, fmt.Errorf("there are more than %d events: judge a part of them", maxEvents)
	}
	c, known := b.clients[id]
	if !known {
		c.open = -1
	}
	if c.gone > 0 {
		return c, fmt.Errorf("client %d has ended: line %d leaves its operation open; give who goes on a new number", id, c.gone)
	}
	return c, nil
}

// current is the operation in progress of a client, which an event ends.
func (b *builder) current(id int32) (*machine.Record, error) {
	c, err := b.event(id)
	if err != nil {
		return nil, err
	}
	if c.open < 0 {
		return nil, fmt.Errorf("client %d has no operation in progress: is its call missing?", id)
	}
	return &b.Records[c.open], nil
}

// call begins an operation.
func (b *builder) call(id int32, o Object, op spec.Op, args [2]uint64) error {
	c, err := b.event(id)
	if err != nil {
		return err
	}
	if c.open >= 0 {
		return fmt.Errorf("client %d has called already, in line %d: its return is missing, or two clients share the number",
			id, b.Lines[c.open])
	}
	va, err := b.object(o)
	if err != nil {
		return err
	}
	b.clients[id] = client{open: len(b.Records)}
	b.add(machine.Record{
		Kind: machine.CallRecord, Client: id, CPU: machine.NoCPU, Object: va, Op: op, Arg: args[0], Arg2: args[1],
	})
	return nil
}

// end ends the operation in progress of a client with its answer.
func (b *builder) end(id int32, r spec.Ret) {
	b.add(machine.Record{
		Kind: machine.ReturnRecord, Client: id, CPU: machine.NoCPU, Object: b.Records[b.clients[id].open].Object,
		Val: r.Val, OK: r.OK,
	})
	b.clients[id] = client{open: -1}
}

// undo leaves out the operation in progress of a client.
func (b *builder) undo(id int32) {
	b.left[b.clients[id].open] = true
	b.clients[id] = client{open: -1}
}

// abandon leaves the operation in progress of a client open.
func (b *builder) abandon(id int32) {
	b.clients[id] = client{open: b.clients[id].open, gone: b.at}
}

func (b *builder) add(r machine.Record) {
	b.Records, b.Lines, b.left = append(b.Records, r), append(b.Lines, b.at), append(b.left, false)
}

func (b *builder) object(o Object) (machine.VA, error) {
	if va, known := b.objects[o]; known {
		return va, nil
	}
	if err := b.keep(len(o.Name) + len(o.Key)); err != nil {
		return 0, err
	}
	b.Objects = append(b.Objects, Object{strings.Clone(o.Name), strings.Clone(o.Key)})
	va := machine.VA(len(b.Objects))
	b.objects[b.Objects[va-1]] = va
	return va, nil
}

// text is the number of a text.
func (b *builder) text(s string) (uint64, error) {
	if n, known := b.texts[s]; known {
		return n, nil
	}
	if err := b.keep(len(s)); err != nil {
		return 0, err
	}
	s = strings.Clone(s)
	n := uint64(len(b.Texts))
	b.texts[s] = n
	b.Texts = append(b.Texts, s)
	return n, nil
}

func (b *builder) keep(bytes int) error {
	if b.kept += bytes; b.kept > maxText {
		return fmt.Errorf("there are more than %d MiB of different strings: judge a part of the history", maxText>>20)
	}
	return nil
}

// number is the number that a value of the model has.
func (b *builder) number(v value) (uint64, error) {
	switch {
	case b.Spec.Name == kvName && v.kind == aText:
		return b.text(v.text)
	case b.Spec.Name == kvName:
		return 0, fmt.Errorf("the value is %s: those of a kv are strings", v)
	case v.kind != aNumber:
		return 0, fmt.Errorf("the value is %s: use a number from 0 to 2⁶⁴-1", v)
	}
	return v.number, nil
}

// args are the arguments of a call of op, as v gives them.
func (b *builder) args(op spec.Op, v value) (args [2]uint64, err error) {
	sig := b.Spec.Ops[op-1]
	name := strings.ToLower(sig.Name)
	switch {
	case sig.Args == 0 && v.given():
		return args, fmt.Errorf("%s takes no value, and %s is given", name, v)
	case sig.Args == 1 && !v.given():
		return args, fmt.Errorf("%s takes a value, and none is given", name)
	case sig.Args == 1:
		args[0], err = b.number(v)
	case sig.Args == 2 && (v.kind != aList || len(v.list) != 2):
		return args, fmt.Errorf("%s takes two numbers, as in [4, 2], and %s is given", name, v)
	case sig.Args == 2:
		args = [2]uint64(v.list)
	}
	return args, err
}

// answer is what the operation op answered.
func (b *builder) answer(op spec.Op, v value, ok bool) (spec.Ret, error) {
	sig := b.Spec.Ops[op-1]
	name := strings.ToLower(sig.Name)
	if !ok && sig.Failure == "" {
		return spec.Ret{}, fmt.Errorf("%s is never refused, and ok is false: "+
			"use the event fail for an operation that was not carried out, info if nobody knows", name)
	}
	if sig.Value == spec.NoValue || sig.Value == spec.ValueIfOK && !ok {
		if v.given() {
			return spec.Ret{}, fmt.Errorf("%s answers no value here, and %s is given: leave the value out", name, v)
		}
		return spec.Ret{OK: ok}, nil
	}
	if !v.given() {
		return spec.Ret{}, fmt.Errorf("%s answers a value, and none is given: add it as \"value\"", name)
	}
	n, err := b.number(v)
	return spec.Ret{Val: n, OK: ok}, err
}

// finish is the recording: without what says nothing.
func (b *builder) finish() *Recording {
	for _, c := range b.clients {
		if c.open >= 0 && b.Spec.Ops[b.Records[c.open].Op-1].Reads {
			b.left[c.open] = true
		}
	}
	kept := 0
	for i, r := range b.Records {
		if !b.left[i] {
			b.Records[kept], b.Lines[kept] = r, b.Lines[i]
			kept++
		}
	}
	b.Records, b.Lines = b.Records[:kept], b.Lines[:kept]
	b.Clients = len(b.clients)
	if b.Spec.Name == kvName {
		b.Spec = spec.KV(b.Texts...).Erase()
	}
	r := b.Recording
	return &r
}

// same says in which way an event that names an operation names another than
// the one in progress.
func (b *builder) same(open *machine.Record, op string, o Object) error {
	called, has := b.Spec.Ops[open.Op-1].Name, b.Objects[open.Object-1]
	switch {
	case op != "" && !alike(op, called):
		return fmt.Errorf("this is of %.40q, and the operation in progress is %s", op, strings.ToLower(called))
	case o != has:
		return fmt.Errorf("this is of %s, and the operation in progress is on %s", named(o), named(has))
	}
	return nil
}

func named(o Object) string {
	if s := o.String(); s != "" {
		return s
	}
	return "an object without a name"
}
