package history

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

const budget = 1 << 16

func parse(t *testing.T, text string) *Recording {
	t.Helper()
	r, err := Parse(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return r
}

// verdict is "pass", or the line that no order explains and the message.
func verdict(t *testing.T, r *Recording) string {
	t.Helper()
	v := r.Check(budget)
	if v.Unknown != "" {
		t.Fatal(v.Unknown)
	}
	if v.Violation == nil {
		return "pass"
	}
	return fmt.Sprintf("line %d: %s", r.Lines[v.Violation.At], v.Violation.Message)
}

// judged are histories with what is said about them.
var judged = []struct{ name, text, want string }{
	{"register", `
		{"model":"register"}
		{"client":1,"event":"call","op":"CAS","value":[0,2]}
		{"client":1,"event":"return","value":0,"ok":true}
		{"client":1,"event":"call","op":"cas","value":[0,3]}
		{"client":1,"event":"return","value":2,"ok":false}
		{"client":2,"event":"call","op":"swap","value":5}
		{"client":2,"event":"return","value":3}`,
		"line 8: client 2 got Swap(5) = 3, which no order of the operations explains: the register could only be 2"},
	{"initial", `
			{"model":"semaphore","initial":1}
			{"client":1,"event":"call","op":"p"}
			{"client":1,"event":"return"}
			{"client":1,"event":"call","op":"p"}
			{"client":1,"event":"return"}`,
		"line 6: client 1 got P(), which no order of the operations explains: the semaphore could only be 0"},
	{"objects are judged apart", `
		{"model":"queue"}
		{"client":1,"event":"call","op":"enqueue","object":"a","value":7}
		{"client":2,"event":"call","op":"enqueue","object":"b","value":8}
		{"client":2,"event":"return","object":"b"}
		{"client":1,"event":"return","op":"enqueue"}
		{"client":1,"event":"call","op":"dequeue","object":"b"}
		{"client":1,"event":"return","value":8}
		{"client":1,"event":"call","op":"dequeue","object":"a"}
		{"client":1,"event":"return","ok":false}`,
		"line 10: client 1 got Dequeue() = empty, which no order of the operations explains: the queue could only be [7]"},
	{"names", `
		{"model":"Weak-Mutex"}
		{"client":1,"event":"call","op":"try_lock"}
		{"client":1,"event":"return","ok":false}
		{"client":1,"event":"call","op":"try-lock"}
		{"client":1,"event":"return"}
		{"client":2,"event":"call","op":"TRYLOCK"}
		{"client":2,"event":"return","ok":true}`,
		"line 8: client 2 got TryLock() = ok, which no order of the operations explains: the weak mutex could only be held by client 1"},
	{"what nobody knows may have happened", infoThen(`"value":1`), "pass"},
	{"or not", infoThen(`"ok":false`), "pass"},
	{"but nothing else", infoThen(`"value":2`),
		"line 5: client 2 got Read() = 2, which no order of the operations explains: the cas register could only be unset, or 1"},
	{"what failed did not happen", `
		{"model":"cas_register"}
		{"client":1,"event":"call","op":"write","value":1}
		{"client":1,"event":"fail"}
		{"client":1,"event":"call","op":"read"}
		{"client":1,"event":"return","value":1}`,
		"line 6: client 1 got Read() = 1, which no order of the operations explains: the cas register could only be unset"},
	{"kv", `
		{"model":"kv"}
		{"client":1,"event":"call","op":"append","key":"x","value":"ab"}
		{"client":2,"event":"call","op":"append","key":"x","value":"c"}
		{"client":1,"event":"return"}
		{"client":2,"event":"return"}
		{"client":1,"event":"call","op":"get","key":"x"}
		{"client":2,"event":"call","op":"get","key":"y"}
		{"client":2,"event":"return","value":""}
		{"client":1,"event":"return","value":"abc"}
		{"client":1,"event":"call","op":"get","key":"x"}
		{"client":1,"event":"return","value":"cab"}`,
		`line 12: client 1 got Get() = "cab", which no order of the operations explains: the kv could only be "abc"`},
	{"a text that nobody got", `
		{:process 0, :type :invoke, :f :append, :key "x", :value "a"}
		{:process 0, :type :ok, :f :append, :key "x", :value "a"}
		{:process 0, :type :invoke, :f :append, :key "x", :value "b"}
		{:process 0, :type :ok, :f :append, :key "x", :value "b"}
		{:process 0, :type :invoke, :f :get, :key "x", :value nil}
		{:process 0, :type :ok, :f :get, :key "x", :value "ba"}`,
		`line 7: client 0 got Get() = "ba", which no order of the operations explains: the kv could only be "ab"`},
	{"log", `
		INFO  jepsen.util - 0	:invoke	:read	nil
		INFO  jepsen.util - 1 :invoke :cas [4 2]
		INFO  jepsen.util - 0	:ok	:read	nil
		INFO  jepsen.util - 1 :fail :cas [4 2]
		INFO  jepsen.util - :nemesis :info :start nil
		INFO  jepsen.util - 2 :invoke :write 4
		INFO  jepsen.util - 2 :info :write :timed-out
		INFO  jepsen.util - 1 :invoke :read nil
		INFO  jepsen.util - 1 :fail :read :timed-out
		INFO  jepsen.util - 1 :invoke :cas [4 2]
		INFO  jepsen.util - 1 :ok :cas [4 2]
		INFO  jepsen.util - 1 :invoke :cas [2 3]
		INFO  jepsen.util - 1 :fail :cas :timed-out
		INFO  jepsen.util - 1 :invoke :read nil
		INFO  jepsen.util - 1 :ok :read 3`,
		"line 16: client 1 got Read() = 3, which no order of the operations explains: the cas register could only be 2"},
	{"edn", `
		{:process 0, :type :invoke, :f :append, :key "x", :value "a"}
		{:process 0, :type :ok, :f :append, :key "x", :value "a"}
		{:process 1 :type :invoke :f :put :key "x" :value "\"b\""}
		{:process 1 :type :info :f :put :key "x" :value "\"b\"" :error :timeout}
		{:process 0, :type :invoke, :f :get, :key "x", :value nil, :time 5, :index 4}
		{:process 0, :type :ok, :f :get, :key "x", :value "\"b\"a"}`,
		`line 7: client 0 got Get() = "\"b\"a", which no order of the operations explains: the kv could only be "a", or "\"b\""`},
	{"a cas that has an error was not refused", `
		{:process 0, :type :invoke, :f :write, :value 1}
		{:process 0, :type :ok, :f :write, :value 1}
		{:process 0, :type :invoke, :f :cas, :value [1 2]}
		{:process 0, :type :fail, :f :cas, :value [1 2], :error :unreachable}
		{:process 0, :type :invoke, :f :cas, :value [1 3]}
		{:process 0, :type :fail, :f :cas, :value [1 3]}`,
		"line 7: client 0 got CAS(1, 3) = refused, which no order of the operations explains: the cas register could only be 1"},
}

func TestVerdicts(t *testing.T) {
	for _, test := range judged {
		t.Run(test.name, func(t *testing.T) {
			if got := verdict(t, parse(t, test.text)); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// infoThen is a write of 1 of which nobody knows, and then a read.
func infoThen(answer string) string {
	return `{"model":"cas register"}
		{"client":1,"event":"call","op":"write","value":1}
		{"client":1,"event":"info"}
		{"client":2,"event":"call","op":"read"}
		{"client":2,"event":"return",` + answer + `}`
}

func TestWhatSaysNothingIsLeftOut(t *testing.T) {
	r := parse(t, `{"model":"register"}
		{"client":1,"event":"call","op":"read"}
		{"client":2,"event":"call","op":"write","value":1}
		{"client":3,"event":"call","op":"write","value":2}
		{"client":3,"event":"fail"}
		{"client":1,"event":"info"}`)
	if r.Operations() != 1 || r.Returns() != 0 || r.Clients != 3 || !cmp.Equal(r.Lines, []int{3}) {
		t.Errorf("%d operations, %d returns of %d clients in lines %v", r.Operations(), r.Returns(), r.Clients, r.Lines)
	}
}

// random records what clients do with objects that obey s; some answers are wrong.
func random(rng *rand.Rand, s spec.Spec[any]) *Recording {
	r := &Recording{Spec: s, Objects: []Object{{Name: "a"}, {Name: "b c"}}}
	states := []any{s.Initial, s.Initial}
	open := map[int32]spec.Call{}
	for len(r.Records) < 40 {
		client := int32(rng.IntN(3))
		rec := machine.Record{Kind: machine.CallRecord, Client: client, CPU: machine.NoCPU}
		c, is := open[client]
		if !is {
			rec.Op, rec.Object = spec.Op(1+rng.IntN(len(s.Ops))), machine.VA(1+rng.IntN(2))
			for i, arg := range []*uint64{&rec.Arg, &rec.Arg2} {
				if i < s.Ops[rec.Op-1].Args {
					*arg = rng.Uint64N(3)
				}
			}
			open[client] = spec.Call{Client: int(client), Op: rec.Op, Arg: rec.Arg, Arg2: rec.Arg2}
			r.Records = append(r.Records, rec)
			continue
		}
		for i := range r.Records {
			if r.Records[i].Client == client && r.Records[i].Kind == machine.CallRecord {
				rec.Object = r.Records[i].Object
			}
		}
		answers := s.Completions(nil, states[rec.Object-1], c)
		if len(answers) == 0 {
			break // all may wait; the rest stays open
		}
		a := answers[rng.IntN(len(answers))]
		states[rec.Object-1], _ = s.Step(states[rec.Object-1], c, a)
		if a.Val != 0 && rng.IntN(8) == 0 {
			a.Val++
		}
		delete(open, client)
		rec.Kind, rec.Val, rec.OK = machine.ReturnRecord, a.Val, a.OK
		r.Records = append(r.Records, rec)
	}
	return r
}

// Every specification can be written and read back, and is judged the same.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range append(spec.All(), spec.Semaphore(3).Erase()) {
		if s.Name == kvName {
			continue // its numbers need texts: see FuzzJSONLines
		}
		t.Run(s.Name, func(t *testing.T) {
			illegal := 0
			for range 60 {
				r := random(rng, s)
				var text bytes.Buffer
				if err := r.Write(&text); err != nil {
					t.Fatal(err)
				}
				got := parse(t, text.String())
				want := checkers.LinearizableWithin(budget, s).Check(r.Records)
				have := got.Judge(budget).Check(got.Records)
				if (want.Violation == nil) != (have.Violation == nil) || got.Returns() != r.Returns() {
					t.Fatalf("judged as %v, and as %v when read back:\n%s", want, have, &text)
				}
				if want.Violation != nil {
					illegal++
				}
				var again bytes.Buffer
				if err := got.Write(&again); err != nil {
					t.Fatal(err)
				}
				if reread := parse(t, again.String()); !cmp.Equal(reread.Records, got.Records) {
					t.Fatal(cmp.Diff(reread.Records, got.Records))
				}
			}
			t.Logf("%d of 60 are illegal", illegal)
		})
	}
}

func TestObjectString(t *testing.T) {
	for o, want := range map[Object]string{
		{}: "", {Name: "q"}: "q", {Key: "x"}: `key "x"`, {Name: "s", Key: "x"}: `s key "x"`, {Name: "a\nb"}: `"a\nb"`,
	} {
		if o.String() != want {
			t.Errorf("%#v is %s, want %s", o, o, want)
		}
	}
}

// failing is a file that can't be read.
type failing struct{}

var errDisk = errors.New("disk on fire")

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestReadErrorIsNoErrorOfALine(t *testing.T) {
	if _, err := Parse(failing{}, Options{}); err != errDisk {
		t.Errorf("got %v", err)
	}
}

func TestEscapes(t *testing.T) {
	const want = "\t\n\r\b\f\"\\é"
	for _, text := range []string{
		`{:process 9, :type :invoke, :f :put, :key "x", :value "\t\n\r\b\f\"\\\u00e9"}`,
		"{\"model\":\"kv\"}\n" + `{"client":9,"event":"call","op":"put","key":"x","value":"\t\n\r\b\f\"\\\u00e9"}`,
	} {
		if r := parse(t, text); !cmp.Equal(r.Texts, []string{want}) {
			t.Errorf("%q, want %q", r.Texts, want)
		}
	}
}
