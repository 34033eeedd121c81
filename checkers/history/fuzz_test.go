package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzJSONLines(f *testing.F)  { fuzzFormat(f, JSONLines) }
func FuzzJepsenLog(f *testing.F)  { fuzzFormat(f, JepsenLog) }
func FuzzJepsenMaps(f *testing.F) { fuzzFormat(f, JepsenMaps) }

// fuzzFormat checks that any text gets a recording that can be judged, and is
// the same when it is written and read back, or an error of one line.
func fuzzFormat(f *testing.F, format string) {
	for _, m := range malformed {
		f.Add([]byte(m.text))
	}
	for _, good := range []string{
		infoThen(`"value":1`), queue(enqueue, dequeue), log(`9 :ok :read 4`, `9 :invoke :cas [4 2]`, `9 :fail :cas [4 2]`),
		edn(`{:process 9, :type :ok, :f :get, :key "x", :value "a\tb"}`),
		"{\"model\":\"kv\"}\n" + `{"client":1,"event":"call","op":"put","key":"","value":"a"}` + "\n" + `{"client":1,"event":"return"}`,
	} {
		f.Add([]byte(good))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(bytes.NewReader(data), Options{Format: format})
		if err != nil {
			checkError(t, err, data)
			return
		}
		r.Check(1 << 10)
		var text bytes.Buffer
		if err := r.Write(&text); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(bytes.NewReader(text.Bytes()), Options{})
		if err != nil {
			t.Fatalf("%v in what was written:\n%s", err, &text)
		}
		var twice bytes.Buffer
		if err := again.Write(&twice); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text.String(), twice.String()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func checkError(t *testing.T, err error, data []byte) {
	var bad *Error
	if !errors.As(err, &bad) {
		t.Fatalf("%T: %v", err, err)
	}
	if last := bytes.Count(data, []byte("\n")) + 1; bad.Line < 1 || bad.Line > last {
		t.Fatalf("line %d of %d: %v", bad.Line, last, err)
	}
	if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") || len(err.Error()) > 500 {
		t.Fatalf("%q is not one plain line", err)
	}
}
