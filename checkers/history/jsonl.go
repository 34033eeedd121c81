package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// jsonReader reads JSON lines.
type jsonReader struct {
	*builder
	begun bool // a line was read
}

// The events of a client.
const (
	eventCall   = "call"
	eventReturn = "return"
	eventFail   = "fail"
	eventInfo   = "info"
)

func (r *jsonReader) line(s string) error {
	f, err := parseJSON(s)
	if err != nil {
		return err
	}
	_, isHeader := f.values["model"]
	switch {
	case isHeader && r.begun:
		return errors.New("only the first line names the model")
	case isHeader:
		r.begun = true
		return r.header(&f)
	case r.Spec.Name == "":
		return errors.New(`no model is named: let the first line be, for example, {"model":"queue"}`)
	}
	r.begun = true
	return r.take(&f)
}

func (r *jsonReader) header(f *fields) error {
	if err := f.only("the line that names the model", "model", "initial"); err != nil {
		return err
	}
	name, err := f.of("model", aText, "a string")
	if err != nil {
		return err
	}
	if r.Spec.Name == "" {
		if err := r.setModel(name.text); err != nil {
			return err
		}
	}
	if _, given := f.values["initial"]; !given {
		return nil
	}
	initial, err := f.of("initial", aNumber, "a number from 0 to 2⁶⁴-1")
	if err != nil {
		return err
	}
	if _, numeric := r.Spec.Initial.(uint64); !numeric {
		return fmt.Errorf("field initial is given, and a %s always begins as %s", r.Spec.Name, r.Spec.DescribeState(r.Spec.Initial))
	}
	r.Spec.Initial = initial.number
	return nil
}

// take takes an event.
func (r *jsonReader) take(f *fields) error {
	kind, err := f.of("event", aText, "call, return, fail or info")
	if err != nil {
		return err
	}
	client, err := f.of("client", aNumber, "a number")
	if err == nil && client.number > math.MaxInt32 {
		err = fmt.Errorf("client %d is too large a number: use one up to 2³¹-1", client.number)
	}
	if err != nil {
		return err
	}
	id := int32(client.number)
	switch kind.text {
	case eventCall:
		return r.takeCall(id, f)
	case eventReturn:
		return r.takeReturn(id, f)
	case eventFail:
		if _, err = r.takeEnd(id, f, eventFail); err == nil {
			r.undo(id)
		}
	case eventInfo:
		if _, err = r.takeEnd(id, f, eventInfo); err == nil {
			r.abandon(id)
		}
	default:
		err = fmt.Errorf("there is no event %s: use call, return, fail or info", kind)
	}
	return err
}

func (r *jsonReader) takeCall(id int32, f *fields) error {
	if err := f.only("a call", "client", "event", "object", "key", "op", "value"); err != nil {
		return err
	}
	name, err := f.of("op", aText, "the name of an operation")
	if err != nil {
		return err
	}
	op, err := r.op(name.text)
	if err != nil {
		return err
	}
	var o Object
	if err := r.place(&o, f); err != nil {
		return err
	}
	if _, keyed := f.values["key"]; r.Spec.Name == kvName && !keyed {
		return errors.New("field key is missing: a call on a kv names one")
	}
	args, err := r.args(op, f.values["value"])
	if err != nil {
		return err
	}
	return r.call(id, o, op, args)
}

// place sets what the fields object and key say.
func (r *jsonReader) place(o *Object, f *fields) error {
	name, named, err := f.text("object")
	if err != nil {
		return err
	}
	key, keyed, err := f.text("key")
	switch {
	case err != nil:
		return err
	case keyed && r.Spec.Name != kvName:
		return fmt.Errorf("field key is given, and a %s has none: name the object in field object", r.Spec.Name)
	}
	if named {
		o.Name = name
	}
	if keyed {
		o.Key = key
	}
	return nil
}

// takeEnd checks an event that ends an operation, which it answers.
func (r *jsonReader) takeEnd(id int32, f *fields, kind string, more ...string) (*machine.Record, error) {
	allowed := append([]string{"client", "event", "object", "key", "op"}, more...)
	if err := f.only("the event "+kind, allowed...); err != nil {
		return nil, err
	}
	op, _, err := f.text("op")
	if err != nil {
		return nil, err
	}
	open, err := r.current(id)
	if err != nil {
		return nil, err
	}
	o := r.Objects[open.Object-1]
	if err := r.place(&o, f); err != nil {
		return nil, err
	}
	return open, r.same(open, op, o)
}

func (r *jsonReader) takeReturn(id int32, f *fields) error {
	open, err := r.takeEnd(id, f, eventReturn, "value", "ok")
	if err != nil {
		return err
	}
	ok := f.values["ok"]
	if ok.kind != absent && (ok.kind != aWord || ok.text != "true" && ok.text != "false") {
		return fmt.Errorf("field ok is %s: it must be true or false", ok)
	}
	ret, err := r.answer(open.Op, f.values["value"], ok.text != "false")
	if err != nil {
		return err
	}
	r.end(id, ret)
	return nil
}

// parseJSON reads a JSON object whose values are plain.
func parseJSON(s string) (f fields, err error) {
	if !utf8.ValidString(s) {
		return f, errors.New("the line is not UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return f, errors.New("the line is no JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return f, notJSON(err)
		}
		v, err := parseValue(d)
		if err != nil {
			return f, err
		}
		if err := f.add(name.(string), v); err != nil {
			return f, err
		}
	}
	if _, err := d.Token(); err != nil {
		return f, notJSON(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return f, errors.New("there is more behind the object: use one line for each")
	}
	return f, nil
}

// notJSON words an error of the decoder.
func notJSON(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the object has no end: is the line cut off?")
	}
	return fmt.Errorf("the line is not JSON: %w", err)
}

// parseValue reads a value.
func parseValue(d *json.Decoder) (value, error) {
	t, err := d.Token()
	if err != nil {
		return value{}, notJSON(err)
	}
	if t != json.Delim('[') {
		return plainValue(t)
	}
	v := value{kind: aList}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return v, notJSON(err)
		}
		n, err := plainValue(t)
		if err != nil {
			return v, err
		}
		if n.kind != aNumber {
			return v, fmt.Errorf("a list holds %s: it holds numbers from 0 to 2⁶⁴-1 only", n)
		}
		v.list = append(v.list, n.number)
	}
	if _, err := d.Token(); err != nil {
		return v, notJSON(err)
	}
	return v, nil
}

// plainValue is the value of a token.
func plainValue(t json.Token) (value, error) {
	switch t := t.(type) {
	case string:
		// The decoder puts this in the place of surrogates that stand alone, and
		// two strings that differ must not become one.
		if strings.ContainsRune(t, utf8.RuneError) {
			return value{}, errors.New("a string holds U+FFFD, or what is no character")
		}
		return value{kind: aText, text: t}, nil
	case json.Number:
		return parseNumber(t.String()), nil
	case bool:
		return value{kind: aWord, text: strconv.FormatBool(t)}, nil
	case nil:
		return value{kind: aNull}, nil
	}
	return value{}, errors.New("a value holds another: all are plain, or lists of numbers")
}

func parseNumber(s string) value {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return value{kind: aNumber, number: n}
	}
	return value{kind: oddity, text: s}
}

// Write writes the recording as JSON lines, which Parse reads back.
func (r *Recording) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	initial, _ := r.Spec.Initial.(uint64)
	if err := e.Encode(jsonHeader{r.Spec.Name, initial}); err != nil {
		return err
	}
	open := map[int32]spec.Op{}
	for i := range r.Records {
		rec := &r.Records[i]
		l := jsonLine{Client: rec.Client, Event: eventReturn}
		if rec.Kind == machine.CallRecord {
			open[rec.Client] = rec.Op
			r.fillCall(&l, rec)
		} else {
			r.fillReturn(&l, rec, r.Spec.Ops[open[rec.Client]-1])
		}
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// jsonHeader is the first line that Write writes.
type jsonHeader struct {
	Model   string `json:"model"`
	Initial uint64 `json:"initial,omitempty"`
}

// jsonLine is an event as Write writes it.
type jsonLine struct {
	Client int32   `json:"client"`
	Event  string  `json:"event"`
	Object string  `json:"object,omitempty"`
	Key    *string `json:"key,omitempty"`
	Op     string  `json:"op,omitempty"`
	Value  any     `json:"value,omitempty"`
	OK     *bool   `json:"ok,omitempty"`
}

func (r *Recording) fillCall(l *jsonLine, rec *machine.Record) {
	sig, o := r.Spec.Ops[rec.Op-1], r.Objects[rec.Object-1]
	l.Event, l.Op, l.Object = eventCall, strings.ToLower(sig.Name), o.Name
	if r.Spec.Name == kvName {
		l.Key = &o.Key
	}
	switch sig.Args {
	case 1:
		l.Value = r.plain(rec.Arg)
	case 2:
		l.Value = []any{r.plain(rec.Arg), r.plain(rec.Arg2)}
	}
}

func (r *Recording) fillReturn(l *jsonLine, rec *machine.Record, sig spec.Signature) {
	if sig.Failure != "" {
		l.OK = &rec.OK
	}
	if sig.Value == spec.ValueAlways || sig.Value == spec.ValueIfOK && rec.OK {
		l.Value = r.plain(rec.Val)
	}
}

// plain is what a number of the model stands for.
func (r *Recording) plain(n uint64) any {
	if r.Spec.Name == kvName {
		return r.Texts[n]
	}
	return n
}
