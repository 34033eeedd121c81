package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// The limits of what Parse reads.
const (
	maxLine   = 1 << 20  // bytes
	maxEvents = 1 << 21  // lines that are events
	maxText   = 64 << 20 // bytes of different strings
)

// What a kv that breaks the rules is looked at with once more.
const (
	fullText   = 1 << 16 // bytes of a text that is told apart
	fullBudget = 1 << 16 // steps
)

// The formats that [Parse] reads.
const (
	JSONLines  = "jsonl"  // one JSON object a line
	JepsenLog  = "jepsen" // lines of Jepsen's log
	JepsenMaps = "edn"    // one map of Jepsen's a line
)

// Formats lists the formats.
func Formats() []string { return []string{JSONLines, JepsenLog, JepsenMaps} }

// Object is what operations are done to: the register, queue, key …
type Object struct {
	Name string // empty if the recording does not name it
	Key  string // of a kv only
}

// Recording is a history with what is needed to judge it and to speak of it.
// Operations that failed, and those that only read and were never answered, say
// nothing and are left out.
type Recording struct {
	Format  string         // the format that it was read in
	Spec    spec.Spec[any] // what its objects are
	Records machine.History
	Lines   []int    // of each record: the number of its line, from 1
	Objects []Object // in the order of their first use; object i is machine.VA(i+1)
	Clients int      // how many clients there are
	Texts   []string // of a kv: the texts that its values number
}

// Options say how to read a history. What is empty is told by the history.
type Options struct {
	Format string // one of Formats
	Model  string // the name of a specification; it wins over what the history names
}

// Error says what is wrong with a line.
type Error struct {
	Line    int // from 1
	Problem string
}

// Error is the problem behind the number of its line.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// Judge returns the judge of the recording, which takes the given number of
// steps at most: see [checkers.LinearizableWithin].
func (r *Recording) Judge(budget int) checkers.Judge {
	return checkers.LinearizableWithin(budget, r.Spec)
}

// Check has the recording judged with the given number of steps. The verdict of
// a kv names the texts that a key could have, if they are few and short.
func (r *Recording) Check(budget int) checkers.Verdict {
	v := r.Judge(budget).Check(r.Records)
	if v.Violation == nil || r.Spec.Name != kvName {
		return v
	}
	full := spec.KVInFull(fullText, r.Texts...)
	again := checkers.LinearizableWithin(min(budget, fullBudget), full, v.Violation.Object).Check(r.Records)
	if w := again.Violation; w != nil && w.At == v.Violation.At {
		v.Violation = w
	}
	return v
}

// Object is the object of a record, and false if there is none.
func (r *Recording) Object(at machine.VA) (Object, bool) {
	if at == 0 || at > machine.VA(len(r.Objects)) {
		return Object{}, false
	}
	return r.Objects[at-1], true
}

// String writes the object's name with its key; it is empty if it has neither.
func (o Object) String() string {
	if o.Key == "" {
		return printable(o.Name)
	}
	return strings.TrimSpace(fmt.Sprintf("%s key %.60q", printable(o.Name), o.Key))
}

// printable is s, between quotes if it would not read as a name.
func printable(s string) string {
	if quoted := fmt.Sprintf("%.60q", s); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// Operations is how many operations were called.
func (r *Recording) Operations() int { return len(r.Records) - r.Returns() }

// Returns is how many operations were answered.
func (r *Recording) Returns() int {
	n := 0
	for i := range r.Records {
		if r.Records[i].Kind == machine.ReturnRecord {
			n++
		}
	}
	return n
}

// reader takes the lines of one format.
type reader interface {
	// line takes a line that is not blank.
	line(text string) error
}

// Parse reads a recording. It fails with an [Error] where a line is malformed or
// contradicts another, and with that of in if it fails. It holds a line at a
// time beside what it has understood.
func Parse(in io.Reader, o Options) (*Recording, error) {
	b := newBuilder(o)
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	var r reader
	err := b.start(o)
	for err == nil && lines.Scan() {
		b.at++
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if r == nil {
			if r, err = b.reader(text); err != nil {
				break
			}
		}
		err = r.line(text)
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		b.at++
		err = fmt.Errorf("the line is longer than %d bytes", maxLine)
	case lines.Err() != nil:
		return nil, lines.Err()
	case err == nil && r == nil:
		b.at, err = max(b.at, 1), errors.New("there is no event: is this the right file?")
	case err == nil && b.Spec.Step == nil:
		err = errors.New("no operation says what is modelled: is this the right file? -model names one")
	}
	if err != nil {
		return nil, &Error{max(b.at, 1), err.Error()}
	}
	return b.finish(), nil
}

// start takes what the options say.
func (b *builder) start(o Options) error {
	if o.Model == "" {
		return nil
	}
	return b.setModel(o.Model)
}

// reader is that of the format of which text is the first line.
func (b *builder) reader(text string) (reader, error) {
	if b.Format == "" {
		b.Format = detect(text)
	}
	switch b.Format {
	case JSONLines:
		return &jsonReader{builder: b}, nil
	case JepsenLog:
		return &logReader{jepsen{builder: b}}, nil
	case JepsenMaps:
		return &mapReader{jepsen{builder: b}}, nil
	case "":
		return nil, fmt.Errorf("%.40q begins no history: use JSON lines, a log of Jepsen, or its maps (formats %s)",
			text, strings.Join(Formats(), ", "))
	}
	return nil, fmt.Errorf("no format is called %.40q: use %s", b.Format, strings.Join(Formats(), ", "))
}

// detect tells the format by the first line.
func detect(text string) string {
	switch inner, isMap := strings.CutPrefix(text, "{"); {
	case isMap && strings.HasPrefix(strings.TrimSpace(inner), ":"):
		return JepsenMaps
	case isMap:
		return JSONLines
	case strings.Contains(text, jepsenLogger):
		return JepsenLog
	}
	return ""
}
