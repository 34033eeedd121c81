package history

import (
	"errors"
	"strings"
	"testing"
)

// malformed is a text with the line that is wrong with it and a part of what is
// said about that. A text begins with a good line of its format.
var malformed = []struct {
	text string
	line int
	want string
}{
	{"", 1, "there is no event"},
	{"\n\n \n", 3, "there is no event"},
	{"hello", 1, `"hello" begins no history: use JSON lines`},
	{"<?xml", 1, "begins no history"},

	{`{"model":"quue"}`, 1, `no model is called "quue": use cas register, counter`},
	{`{"model":7}`, 1, "field model is 7: it must be a string"},
	{`{"model":"queue","version":1}`, 1, "has no field version: it has model, initial"},
	{`{"model":"queue","initial":1}`, 1, "field initial is given, and a queue always begins as []"},
	{`{"model":"register","initial":"1"}`, 1, `field initial is "1": it must be a number`},
	{`{"client":1,"event":"call","op":"enqueue","value":1}`, 1, `let the first line be, for example, {"model":"queue"}`},
	{queue(`{"model":"stack"}`), 2, "only the first line names the model"},
	{queue(`{"event":"call","op":"dequeue"}`), 2, "field client is missing"},
	{queue(`{"client":"1","event":"call","op":"dequeue"}`), 2, `field client is "1": it must be a number`},
	{queue(`{"client":-1,"event":"call","op":"dequeue"}`), 2, "field client is -1: it must be a number"},
	{queue(`{"client":1.5,"event":"call","op":"dequeue"}`), 2, "field client is 1.5"},
	{queue(`{"client":2147483648,"event":"call","op":"dequeue"}`), 2, "client 2147483648 is too large"},
	{queue(`{"client":1,"op":"dequeue"}`), 2, "field event is missing"},
	{queue(`{"client":1,"event":"invoke","op":"dequeue"}`), 2, `there is no event "invoke": use call, return`},
	{queue(`{"client":1,"event":"call"}`), 2, "field op is missing"},
	{queue(`{"client":1,"event":"call","op":"pop"}`), 2, `a queue has no operation "pop": use enqueue, dequeue`},
	{queue(`{"client":1,"event":"call","op":null}`), 2, "field op is nothing"},
	{queue(`{"client":1,"event":"call","op":"dequeue","value":1}`), 2, "dequeue takes no value, and 1 is given"},
	{queue(`{"client":1,"event":"call","op":"enqueue"}`), 2, "enqueue takes a value, and none is given"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":"7"}`), 2, `the value is "7": use a number`},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":18446744073709551616}`), 2, "the value is 18446744073709551616"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":[1]}`), 2, "the value is [1]"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":{"a":1}}`), 2, "a value holds another: all are plain"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":1,"ok":true}`), 2, "a call has no field ok"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":1,"key":"x"}`), 2, "field key is given, and a queue has none"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":1,"object":3}`), 2, "field object is 3: it must be a string"},
	{queue(`{"client":1,"event":"call","op":"enqueue","value":1,"client":2}`), 2, "field client is given twice"},
	{queue(`{"client":1,"event":"call","op":"dequeue"} x`), 2, "there is more behind the object"},
	{queue(`{"client":1,"event":"call","op":"dequeue"}{}`), 2, "there is more behind the object"},
	{queue(`{"client":1,"event":"call","op":"deq`), 2, "is the line cut off?"},
	{queue(`{"client":1,"event":"call"`), 2, "is the line cut off?"},
	{queue(`{"client":1 "event":"call"}`), 2, "the line is not JSON"},
	{queue(`[1,2]`), 2, "the line is no JSON object"},
	{queue(`null`), 2, "the line is no JSON object"},
	{queue("{\"client\":1,\"event\":\"call\",\"op\":\"\xff\"}"), 2, "the line is not UTF-8"},
	{queue(`{"client":1,"event":"call","op":"dequeue","object":"\ud800"}`), 2, "U+FFFD"},
	{queue(`{"client":1,"event":"return"}`), 2, "client 1 has no operation in progress"},
	{queue(enqueue, enqueue), 3, "client 1 has called already, in line 2"},
	{queue(enqueue, `{"client":1,"event":"return"}`, `{"client":1,"event":"return"}`), 4, "client 1 has no operation in progress"},
	{queue(enqueue, `{"client":1,"event":"return","op":"dequeue"}`), 3, `this is of "dequeue", and the operation in progress is enqueue`},
	{queue(enqueue, `{"client":1,"event":"return","object":"r"}`), 3, "this is of r, and the operation in progress is on q"},
	{queue(enqueue, `{"client":1,"event":"return","ok":false}`), 3, "enqueue is never refused, and ok is false: use the event fail"},
	{queue(enqueue, `{"client":1,"event":"return","ok":"yes"}`), 3, `field ok is "yes": it must be true or false`},
	{queue(enqueue, `{"client":1,"event":"return","value":7}`), 3, "enqueue answers no value here, and 7 is given"},
	{queue(enqueue, `{"client":1,"event":"info","value":7}`), 3, "the event info has no field value"},
	{queue(enqueue, `{"client":1,"event":"info"}`, enqueue), 4, "client 1 has ended: line 3 leaves its operation open"},
	{queue(enqueue, `{"client":1,"event":"info"}`, `{"client":1,"event":"return"}`), 4, "client 1 has ended"},
	{queue(dequeue, `{"client":1,"event":"return"}`), 3, "dequeue answers a value, and none is given"},
	{queue(dequeue, `{"client":1,"event":"return","ok":false,"value":7}`), 3, "dequeue answers no value here, and 7"},
	{"{\"model\":\"register\"}\n" + `{"client":1,"event":"call","op":"cas","value":4}`, 2, "cas takes two numbers, as in [4, 2], and 4 is given"},
	{"{\"model\":\"register\"}\n" + `{"client":1,"event":"call","op":"cas","value":[4,"2"]}`, 2, `a list holds "2"`},
	{"{\"model\":\"register\"}\n" + `{"client":1,"event":"call","op":"cas","value":[[4,2]]}`, 2, "a value holds another"},
	{"{\"model\":\"register\"}\n" + `{"client":1,"event":"call","op":"cas","value":[1,2,3,4,5]}`, 2, "a list of 5 numbers is given"},
	{"{\"model\":\"kv\"}\n" + `{"client":1,"event":"call","op":"get"}`, 2, "field key is missing"},
	{"{\"model\":\"kv\"}\n" + `{"client":1,"event":"call","op":"put","key":"x","value":7}`, 2, "the value is 7: those of a kv are strings"},

	{log(`0 :invoke :read`), 2, "the line is cut off: it has the form INFO jepsen.util - PROCESS"},
	{log(`0 :invoke :cas [4`), 2, "is it cut off?"},
	{log(`0 :invoke :cas [4 2] 7`), 2, `there is more behind the value: "7"`},
	{log(`0 :invoke :cas [[4 2]]`), 2, `"[" is out of place: values are plain`},
	{log(`0 :invoke :cas [4 :a]`), 2, "a vector holds :a"},
	{log(`0 :invoke :cas 4`), 2, "cas takes two numbers"},
	{log(`x :invoke :read nil`), 2, "the process is x: use a number"},
	{log(`2147483648 :invoke :read nil`), 2, "the process is 2147483648: use a number up to 2³¹-1"},
	{"INFO jepsen.util + 0 :invoke :read nil", 1, "the line is no event"},
	{`{:process 0, :type :invoke, :f :read, :key "x", :value nil}`, 1, "a key is given, and a cas register has none"},
	{log(`0 :invoke :enqueue 4`), 2, "there is no operation :enqueue: use :read, :write, :cas, :get"},
	{log(`0 :invoke :get nil`), 2, ":get is of a kv, and this is the history of a cas register"},
	{log(`0 :begin :read nil`), 2, "the type is :begin: use :invoke, :ok, :fail or :info"},
	{log(`0 :invoke :read 4`), 2, "read takes no value, and 4 is given"},
	{log(`0 :ok :read 4`), 2, "client 0 has no operation in progress"},
	{log(`9 :invoke :read nil`), 2, "client 9 has called already, in line 1"},
	{log(`9 :ok :write 4`), 2, `this is of "Write", and the operation in progress is read`},
	{log(`9 :ok :read :timed-out`), 2, "the value is :timed-out: use a number"},
	{log(`9 :info :read nil`, `9 :invoke :read nil`), 3, "client 9 has ended: line 2 leaves its operation open"},
	{log(`0 :invoke :write 4`, `0 :ok :write 5`), 3, "this is of write with 5, and the operation in progress is with 4"},
	{log() + "\nINFO  jepsen.core - Everything looks good!", 2, "the line is no event, INFO jepsen.util - PROCESS"},
	{log() + "\n}", 2, "the line is no event"},

	{edn(`{:process 0, :type :invoke, :f :get, :key "x"}`), 2, "field :value is missing"},
	{edn(`{:process 0, :type :invoke, :f :get, :value nil}`), 2, "the key is nothing: it must be a string"},
	{edn(`{:process 0, :type :invoke, :f :get, :key 7, :value nil}`), 2, "the key is 7: it must be a string"},
	{edn(`{:process 0, :type :invoke, :f :put, :key "x", :value nil}`), 2, "put takes a value, and none is given"},
	{edn(`{:process 0, :type :invoke, :f :put, :key "x", :value 1}`), 2, "the value is 1: those of a kv are strings"},
	{edn(`{:process 0, :type :invoke, :f :read, :value nil}`), 2, ":read is of a cas register"},
	{edn(`{:process 0, :process 0, :type :invoke, :f :get, :key "x", :value nil}`), 2, "field :process is given twice"},
	{edn(`{:process 0, :host "a", :type :invoke, :f :get, :key "x", :value nil}`), 2, "an event has no field :host"},
	{edn(`{:process 0, :type :invoke, :f :get, :key "x", :value nil} {}`), 2, "there is more behind the map"},
	{edn(`{:process 0, :type :invoke, :f :get, :key "x", :value`), 2, "is it cut off?"},
	{edn(`{:process 0, :type :invoke, :f :get, :key "x`), 2, "is the line cut off?"},
	{edn(`{:process 0, :type :invoke, :f :get, :key "\x", :value nil}`), 2, "unknown escape"},
	{edn("{:process 0, :type \"\\6\x1b"), 2, `unknown escape "\\6\x1b"`},
	{edn(`{:process 0, :type :invoke, :f :get, :key "\ud800", :value nil}`), 2, "unknown escape"},
	{edn(`{:process 0, :type :invoke, :f :get, :key {}, :value nil}`), 2, `"{" is out of place`},
	{edn(`{"process" 0}`), 2, `the map has "process" where a keyword`},
	{edn(`:process`), 2, "the line is no map"},
	{edn(`{:process 9, :type :ok, :f :get, :key "x", :value nil}`), 2, "get answers a value, and none is given"},
	{edn(`{:process 9, :type :ok, :f :get, :key "y", :value ""}`), 2, `this is of key "y", and the operation in progress is on key "x"`},
	{edn("{:process 9, :type :ok, :f :get, :key \"\xff\", :value \"\"}"), 2, "the line is not UTF-8"},
}

const (
	enqueue = `{"client":1,"event":"call","object":"q","op":"enqueue","value":7}`
	dequeue = `{"client":1,"event":"call","object":"q","op":"dequeue"}`
)

func queue(lines ...string) string {
	return `{"model":"queue"}` + "\n" + strings.Join(lines, "\n")
}

func log(lines ...string) string {
	out := "INFO  jepsen.util - 9 :invoke :read nil"
	for _, l := range lines {
		out += "\nINFO  jepsen.util - " + l
	}
	return out
}

func edn(line string) string {
	return `{:process 9, :type :invoke, :f :get, :key "x", :value nil}` + "\n" + line
}

func TestMalformed(t *testing.T) {
	for _, test := range malformed {
		_, err := Parse(strings.NewReader(test.text), Options{})
		var bad *Error
		if !errors.As(err, &bad) || bad.Line != test.line || !strings.Contains(bad.Problem, test.want) {
			t.Errorf("got  %v\nwant line %d: …%s… for\n%s", err, test.line, test.want, test.text)
		}
	}
}

func TestOptions(t *testing.T) {
	text := queue(`{"client":1,"event":"call","op":"push","value":7}`)
	r, err := Parse(strings.NewReader(text), Options{Format: JSONLines, Model: "stack"})
	if err != nil || r.Spec.Name != "stack" {
		t.Errorf("the option does not win: %v", err)
	}
	for _, test := range []struct {
		o          Options
		text, want string
	}{
		{Options{Model: "stak"}, text, `line 1: no model is called "stak"`},
		{Options{Format: "xml"}, text, `line 1: no format is called "xml": use jsonl, jepsen, edn`},
		{Options{Format: JepsenMaps}, text, "line 1: the map has"},
		{Options{Format: JepsenLog}, text, "line 1: the line is no event"},
		{Options{Model: "register"}, log(), "line 1: :read is of a cas register, and this is the history of a register"},
		{Options{Model: kvName}, edn(`{:process 9, :type :ok, :f :get, :key "x", :value 1}`), "line 2: the value is 1"},
	} {
		if _, err := Parse(strings.NewReader(test.text), test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %s", test.o, err, test.want)
		}
	}
}

// endless repeats a text.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e.text) <= len(p) {
		n += copy(p[n:], e.text)
	}
	return n, nil
}

func TestLimits(t *testing.T) {
	_, err := Parse(endless{"{"}, Options{})
	if want := "line 1: the line is longer than 1048576 bytes"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for bytes, want := range map[int]bool{maxLine - 1: true, maxLine + 1: false} {
		_, err := Parse(strings.NewReader(`{"model":"queue"}`+strings.Repeat(" ", bytes-17)+"\n"), Options{})
		if (err == nil) != want {
			t.Errorf("a line of %d bytes: got %v", bytes, err)
		}
	}
	for _, nested := range []string{`{"model":`, `{:process `} {
		text := nested + strings.Repeat("[", maxLine/2)
		if _, err := Parse(strings.NewReader(text), Options{}); err == nil || len(err.Error()) > 200 {
			t.Errorf("got %v", err)
		}
	}
	b := newBuilder(Options{})
	b.events = maxEvents
	if _, err := b.event(1); err == nil || !strings.Contains(err.Error(), "there are more than 2097152 events") {
		t.Errorf("got %v", err)
	}
	b.kept = maxText
	if _, err := b.text("x"); err == nil || !strings.Contains(err.Error(), "more than 64 MiB of different strings") {
		t.Errorf("got %v", err)
	}
	if _, err := b.object(Object{Key: "x"}); err == nil {
		t.Error("keys have no limit")
	}
}
