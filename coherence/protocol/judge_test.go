package protocol

import (
	"cmp"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// TestJudges: what the checker says of small changes to a protocol of one copy that wanders.
func TestJudges(t *testing.T) {
	text, err := os.ReadFile("testdata/one.protocol")
	if err != nil {
		t.Fatal(err)
	}
	const gives = "M on Recall: send Back(value) to memory; value := 0 -> I\n"
	lost := []string{
		"rules cache\n", "variable cache lost: one of no yes\nrules cache\nI on load, store if lost = yes: stall\n",
		gives, "M on Recall: send Back(value) to memory; lost := yes; value := 0 -> I\n",
	}
	for _, c := range []struct {
		name     string
		changes  []string
		want     string // property; empty if all hold
		progress bool   // and quiescence is not asked
		caches   int    // 0 is three
	}{
		{name: "nothing", want: ""},
		{name: "nothing", want: "", progress: true},
		{name: "two may write, and can't read", changes: []string{
			"M on load, store: hit\n", "M on store: hit\nM on load: stall\n", gives, "M on Recall: send Back(value) to memory\n",
		}, want: "single writer"},
		{name: "a count that goes on for ever", caches: 1, changes: []string{
			"rules cache\n", "variable cache n: count\nrules cache\nM on evict: n := n + 1\n",
		}, want: "overflow"},
		{name: "a count that goes down for ever", caches: 1, changes: []string{
			"rules cache\n", "variable cache n: count\nrules cache\nM on evict: n := n - 1\n",
		}, want: "overflow"},
		{name: "a count beyond its bound", changes: []string{
			"rules cache\n", "variable cache n: count to 2\nrules cache\nM on evict: n := n + 1\n",
		}, want: "overflow"},
		{name: "a field beyond its bound", changes: []string{
			"message Recall on recall\n", "message Recall(n: count to 2) on recall\n", "send Recall to owner", "send Recall(3) to owner",
		}, want: "overflow"},
		{name: "one message too many for a counter", changes: []string{
			"Away on Get: send Recall to owner;", "Away on Get: send Recall to owner; send Recall to owner;",
		}, want: "overflow"},
		{name: "one message too many for a bag", changes: []string{
			"Here on Get: owner := sender; send Data(content) to sender", "Here on Get: owner := sender; send Data(content) to sender; send Data(content) to sender",
		}, want: "overflow"},
		{name: "a message to nobody", changes: []string{"Here on Get: owner := sender;", "Here on Get:"}, want: "no receiver"},
		{name: "a message that nobody knows", changes: []string{gives, ""}, want: "impossible event"},
		{name: "a processor that stalls in a stable state and is not woken", changes: lost, want: transition.Quiescence},
		{name: "a processor that stalls in a stable state and is not woken", changes: lost, want: "cache0 is served", progress: true},
		{name: "messages of one name in one bag", changes: []string{
			"request from cache to memory bag 1 per sender", "request from cache to memory bag caches", "message Get on", "message Get(who: cache) on",
			"send Get to", "send Get(self) to", "owner := sender", "owner := msg.who", "to sender", "to msg.who",
		}, want: "", progress: true},
	} {
		s := buildText(t, strings.NewReplacer(c.changes...).Replace(string(text)), Config{Parameters: map[string]int{"caches": cmp.Or(c.caches, 3)}})
		r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
			Workers: 1, Quiescence: !c.progress, Progress: c.progress, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
		})
		if err != nil || r.Property != c.want {
			t.Errorf("%s: %v %q, %v; want %q", c.name, r.Verdict, r.Property, err, c.want)
		}
	}
}
