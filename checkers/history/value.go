package history

import (
	"fmt"
	"slices"
	"strings"
)

// value is a value as any of the formats writes it.
type value struct {
	kind   valueKind
	number uint64
	text   string // of a text; otherwise how it is written
	list   []uint64
}

type valueKind uint8

const (
	absent  valueKind = iota // the zero value: there is none
	aNull                    // null, nil
	aNumber                  // from 0 to 2⁶⁴-1
	aText
	aWord  // true, false, a keyword
	aList  // of numbers
	oddity // what no field takes, such as a fraction
)

func (v value) given() bool { return v.kind != absent && v.kind != aNull }

// String writes the value as a message does.
func (v value) String() string {
	switch v.kind {
	case absent, aNull:
		return "nothing"
	case aNumber:
		return fmt.Sprint(v.number)
	case aText:
		return fmt.Sprintf("%.40q", v.text)
	case aList:
		if len(v.list) > 4 {
			return fmt.Sprintf("a list of %d numbers", len(v.list))
		}
		return fmt.Sprint(v.list)
	}
	return printable(v.text)
}

func (v value) equal(w value) bool {
	return v.kind == w.kind && v.number == w.number && v.text == w.text && slices.Equal(v.list, w.list)
}

// fields are the fields of a line in their order, each of which has a name of
// its own.
type fields struct {
	names  []string
	values map[string]value
}

func (f *fields) add(name string, v value) error {
	if _, twice := f.values[name]; twice {
		return fmt.Errorf("field %s is given twice", printable(name))
	}
	if f.values == nil {
		f.values = map[string]value{}
	}
	f.names = append(f.names, name)
	f.values[name] = v
	return nil
}

// only fails if there is a field that is not among the allowed.
func (f *fields) only(what string, allowed ...string) error {
	for _, name := range f.names {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("%s has no field %s: it has %s", what, printable(name), strings.Join(allowed, ", "))
		}
	}
	return nil
}

// of is the value of a field that must be there and of a kind, which is called
// what.
func (f *fields) of(name string, kind valueKind, what string) (value, error) {
	v, given := f.values[name]
	switch {
	case !given:
		return v, fmt.Errorf("field %s is missing: it is %s", name, what)
	case v.kind != kind:
		return v, fmt.Errorf("field %s is %s: it must be %s", name, v, what)
	}
	return v, nil
}

// text is the text of a field; it is empty if the field is not there.
func (f *fields) text(name string) (s string, given bool, err error) {
	if !f.values[name].given() {
		return "", false, nil
	}
	v, err := f.of(name, aText, "a string")
	return v.text, true, err
}
