package protocol

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// tiny is the protocol of the package's documentation.
const tiny = `protocol tiny
about Loads only.
parameter caches 2 from 1 to 8
kind cache many caches
kind memory
channel up from cache to memory bag 1 per sender
channel down to cache fifo 1
message Get on up
message Data(value: value) on down
states cache stable I V
states cache transient W
variable cache value: value
rules cache
I on load: send Get to memory -> W
W on load: stall
W on Data: value := msg.value -> V
V on load: hit
V on evict: value := 0 -> I
states memory stable M
variable memory data: value
rules memory
M on Get: send Data(data) to sender
`

// TestDocumentedExample: the package comment shows tiny.
func TestDocumentedExample(t *testing.T) {
	source, err := os.ReadFile("protocol.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(source), "//	"+strings.ReplaceAll(strings.TrimSpace(tiny), "\n", "\n//	")+"\n") {
		t.Error("the package comment does not show the protocol tiny as it is")
	}
	s := buildText(t, tiny, Config{})
	r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
		Workers: 1, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
	})
	if err != nil || r.Verdict != transition.Holds {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"protocol tiny", "", `has no protocol name: begin with a line "protocol NAME"`},
		{"protocol tiny", "protocol a b", `tiny:1: "b" is more than the line can hold`},
		{"about", " about", "tiny:1: \"about\" is more than the line can hold"},
		{"2 from 1 to 8", "9 from 1 to 8", "tiny:3: parameter caches: 9 is not from 1 to 8"},
		{"2 from 1 to 8", "2 from 1 to 300", "tiny:3: parameter caches: 300 is more than 255"},
		{"2 from 1 to 8", "2 from 1 to 9", "tiny:4: kind cache: there can be 1 to 8 of one, not 1 to 9"},
		{"many caches", "many hosts", "tiny:4: there is no parameter hosts"},
		{"kind memory", "kind cache", "tiny:5: the name cache is taken"},
		{"kind memory", "kind none", "tiny:5: the name none is taken"},
		{"bag 1 per", "bag 0 per", "tiny:6: there should be a number from 1 to 16 instead of 0"},
		{"fifo 1", "heap 1", `tiny:7: there should be "bag" before "heap"`},
		{"channel down to cache fifo 1", "channel down from memory to cache bag 1 per sender", "tiny:7: channel down: per sender needs from, and one receiver for each sender"},
		{"Get on up", "Get on op", "tiny:8: there is no channel op"},
		{"(value: value)", "(value: double)", "tiny:9: there is no type double: use value, count, set of, one of, or a kind of controller"},
		{"(value: value)", "(a: value, a: value)", "tiny:9: message Data has two fields a"},
		{"stable I V", "stable I I", "tiny:10: kind cache has the state I twice"},
		{"variable cache value: value", "variable cache worth: value", "value is no action, and no variable of kind cache to assign to"},
		{"rules cache\n", "", `tiny:13: "I" begins no declaration, and before a rule there must be a line "rules KIND"`},
		{"I on load", "X on load", "tiny:14: kind cache has no state X: it has I, V, W"},
		{"I on load", "I on lode", "there is no event lode: use a message, load, store, evict, or one that a line \"event cache lode\" declares"},
		{"I on load", "I on Get", "message Get goes to kind memory, not cache"},
		{"send Get to", "send Data(0) to", `message Data can't be sent to memory from kind cache: name one receiver`},
		{"send Get to memory", "send Data(value) to sender", "load has no sender: only a message on a channel per sender has"},
		{"send Get to memory", "send Get to self", "a cache is where there should be a memory"},
		{"-> W", "-> Z", "kind cache has no state Z"},
		{"W on load: stall", "W on load: stall -> V", "a rule that stalls has no next state"},
		{"W on load: stall", "W on evict: hit", "only a load or a store can hit"},
		{"value := msg.value", "value := msg.worth", "Data has no field worth"},
		{"value := msg.value", "value := 7", `"7" is no count up to 127; of values only 0 can be written`},
		{"value := msg.value", "value := sender", "Data has no sender"},
		{"value := msg.value", "worth := 0", "worth is no action, and no variable of kind cache to assign to"},
		{"value := 0 -> I", "value := 0; -> I", `there should be an action instead of "->"`},
		{"V on load: hit", "V on load if value = 1: hit", `"1" is no count up to 127; of values only 0 can be written`},
		{"V on load: hit", "V on load if value: hit", "there should be =, !=, in or not in instead of \":\""},
		{"send Data(data) to sender", "send Data(data)", `there should be "to" before ""`},
		{"send Data(data) to sender", "send Data to sender", `there should be "(" before "to"`},
		{"send Data(data) to sender", "send Data(data) to cache", "message Data can't be sent to cache from kind memory: name one receiver"},
		{"V on load: hit", "V on load, Data: hit", "only a load or a store can hit"},
		{"M on Get:", "M on Get if none = sender:", "none is of any type: there should be a variable, a field, sender or self"},
		{"M on Get:", "M on Get if 1 + sender = sender:", "only counts can be added"},
		{"value := msg.value", "value := msg.value + 0", "only counts can be added"},
		{"protocol tiny", " protocol tiny", "tiny:1: begin it in the first column"},
		{"message Get on up\n", "message Get on up\n" + endless(256), "tiny:263: there are more than 255 messages"},
		{"V on load: hit", "V on load: hit ?", `"?" has no meaning here`},
		{"protocol tiny", "\ufeffprotocol tiny", `tiny:1: "\ufeff" has no meaning here`},
		{"V on load: hit", "V on löad: hit", `tiny:17: "ö" has no meaning here`},
	} {
		text := strings.Replace(tiny, c.old, c.new, 1)
		_, err := Parse("tiny", text)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s -> %s: error %v, want %s", c.old, c.new, err, c.want)
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{"variable home last: l3", "variable home last: core", "core is many in l3: kind home knows none by an id"},
		{"message Ask on out", "message Ask(who: core) on out", "core is many in l3: kind home knows none by an id"},
		{"last := sender", "last := none; send Go(none) to all core", "core is many in l3: kind home knows none by an id"},
	} {
		text := strings.Replace(nested, c.old, c.new, 1)
		if _, err := Parse("nested", text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s -> %s: error %v, want %s", c.old, c.new, err, c.want)
		}
	}
	if _, err := Parse("tiny", strings.Repeat("#", maxText+1)); err == nil {
		t.Error("an endless text is read")
	}
}

func TestBuildRefuses(t *testing.T) {
	p, err := Parse("tiny", tiny)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		c    Config
		want string
	}{
		{Config{Parameters: map[string]int{"hosts": 2}}, "protocol tiny has no parameter hosts: it has caches"},
		{Config{Parameters: map[string]int{"caches": 9}}, "parameter caches is 1 to 8, not 9"},
		{Config{Addresses: 5}, "5 addresses"},
		{Config{Addresses: -1}, "-1 addresses"},
		{Config{Values: 1}, "1 values: use 2 to 255"},
		{Config{Values: 256}, "256 values"},
	} {
		if _, err := p.Build(c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %s", c.c, err, c.want)
		}
	}
	for _, c := range []struct {
		changes []string
		want    string
	}{
		{[]string{"W on load: stall\n", ""}, "kind cache has a rule for load in state V and none in state W"},
		{[]string{"V on evict", "V on load: stall\nV on evict"}, "so that this rule never applies"},
		{[]string{"M on Get: send Data(data) to sender\n", strings.Repeat("* on Get,Get,Get,Get if data=data:->M\n", maxRules/4+1)}, "more than 65536 rules"},
		{[]string{"V on load: hit", "V on load if value = 0: hit\nV on load: stall"}, "line 17: in state V of kind cache a load hits under a condition"},
		{[]string{"V on load: hit", "V on load if value = 0: stall\nV on load: hit"}, "line 18: in state V of kind cache a load hits under a condition"},
		{[]string{"Get on up", "Get(a: count, b: count, c: count, d: count) on up", "send Get", "send Get(0, 0, 0, 0)"}, "a message on channel up takes 33 bits, which is more than 32"},
	} {
		p, err := Parse("tiny", strings.NewReplacer(c.changes...).Replace(tiny))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Build(Config{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.changes, err, c.want)
		}
	}
}

// endless is declarations of so many messages.
func endless(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "message M%d on up\n", i)
	}
	return b.String()
}

// FuzzParse: a text is refused on one line that says where, or is a protocol that can be
// written, read again, built and run.
func FuzzParse(f *testing.F) {
	f.Add(tiny)
	f.Add(nested)
	for _, name := range Names() {
		text, _ := Text(name)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("x", text)
		if err != nil {
			if e := err.Error(); !strings.HasPrefix(e, "x:") || strings.Contains(e, "\n") {
				t.Fatalf("error %q", e)
			}
			return
		}
		q, err := Parse("y", p.String())
		if err != nil || q.String() != p.String() {
			t.Fatalf("written and read again: %v\n%s", err, p)
		}
		for addresses := 1; addresses <= 2; addresses++ {
			s, err := p.Build(Config{Addresses: addresses})
			if err != nil {
				if strings.Contains(err.Error(), "\n") {
					t.Fatalf("error %q", err)
				}
				return
			}
			w := s.newWorker(nil)
			r := rand.New(rand.NewPCG(1, uint64(addresses)))
			state := walk(w, s, r, 30)
			w.Check(state)
			w.Quiescent(state)
			w.Canonical(state)
			s.Describe(state)
			w.Next(state, func(x transition.Step, _ []byte, _ int) { s.StepName(x) })
			s.Murphi()
			p.Markdown()
		}
	})
}
