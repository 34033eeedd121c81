package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/cmd/verify/internal/laws"
	"github.com/fusedos/stramash/fuzz"
)

// testApp is the command on buffers.
func testApp() (a *app, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &app{
		ctx: context.Background(), stdout: &output{to: stdout}, stderr: stderr, targets: []fuzz.Target{good()},
	}, stdout, stderr
}

func TestWorst(t *testing.T) {
	order := []status{statusFault, statusUsage, statusViolation, statusInconclusive, statusOK}
	for i, worse := range order {
		for _, better := range order[i:] {
			if got := worst(better, worse); got != worse {
				t.Errorf("of %d and %d the worst is %d", better, worse, got)
			}
		}
	}
	if worst() != statusOK {
		t.Error("nothing is not well")
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"locks/mcs", "locks/tas", "locks/ticket", "kernel/runqueue"}
	for name, want := range map[string]string{
		"locks/mc":     ": did you mean locks/mcs or locks/tas?",
		"ticket":       ": did you mean locks/ticket?",
		"runqeue":      "; see the list",
		"kernel/runqu": ": did you mean kernel/runqueue?",
		"zzz":          "; see the list",
		"":             "; see the list",
	} {
		if got := suggest(name, known, "see the list"); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestMedian(t *testing.T) {
	value := func(r round) float64 { return r.runs }
	if got := median([]round{{runs: 9}, {runs: 1}, {runs: 2}}, value); got != 2 {
		t.Errorf("odd: %v", got)
	}
	if got := median([]round{{runs: 9}, {runs: 1}, {runs: 2}, {runs: 3}}, value); got != 2.5 {
		t.Errorf("even: %v", got)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestOutputThatCannotBeWrittenIsAFault(t *testing.T) {
	a, _, stderr := testApp()
	a.stdout.to = full{}
	if got := a.main([]string{"list", "strategies"}); got != int(statusFault) {
		t.Errorf("status %d", got)
	}
	if !strings.Contains(stderr.String(), "no room") {
		t.Errorf("standard error: %q", stderr)
	}
}

func TestProgressGoesToATerminalOnly(t *testing.T) {
	a, stdout, stderr := testApp()
	args := []string{"run", "test/good", "-runs", "2000"}
	if a.main(args); stderr.Len() > 0 {
		t.Errorf("standard error: %q", stderr)
	}
	if strings.Contains(stdout.String(), "\r") {
		t.Errorf("standard output: %q", stdout)
	}
	a.terminal = true
	a.main(args)
	line := stderr.String()
	if !strings.HasPrefix(line, "\rtest/good: ") || !strings.HasSuffix(line, "\r") || strings.Contains(line, "\n") {
		t.Errorf("standard error: %q", line)
	}
}

func TestProgressShrinks(t *testing.T) {
	a, _, stderr := testApp()
	a.terminal = true
	p := a.newProgress()
	p.draw("a long line")
	p.drawn = time.Time{}
	p.draw("short")
	if want := "\ra long line\rshort      "; stderr.String() != want {
		t.Errorf("%q, want %q", stderr, want)
	}
}

func TestLawsAreInTheVerdict(t *testing.T) {
	kept := make([]laws.Result, len(laws.Names()))
	for _, test := range []struct {
		name    string
		results []laws.Result
		before  string
		want    string
	}{
		{"kept", kept, "pass", "pass"},
		{"broken", []laws.Result{{Failure: "x"}}, "pass", "violation"},
		{"broken too", []laws.Result{{Failure: "x"}}, "inconclusive", "violation"},
		{"not tried", kept[1:], "pass", "inconclusive"},
		{"not tried", kept[1:], "violation", "violation"},
		{"fault", []laws.Result{{Failure: "x"}}, "error", "error"},
	} {
		s := summaryLine{Verdict: test.before}
		if s.judge(test.results); s.Verdict != test.want {
			t.Errorf("%s after %s: %s, want %s", test.name, test.before, s.Verdict, test.want)
		}
	}
}

func TestBugsHaveTheWorstVerdict(t *testing.T) {
	pass := shown{Shown: bugs.Shown{Found: true}}
	large := shown{Shown: bugs.Shown{Found: true, Sizes: find.Sizes{Preemptions: 99}}}
	hunter := shown{err: &bugs.HunterError{Err: errors.New("x")}}
	ended := shown{err: context.Canceled}
	order := []shown{hunter, {}, large, ended, pass}
	names := []string{"error", "not found", "not small", "inconclusive", "pass"}
	for i, worse := range order {
		for _, better := range order[i:] {
			for _, all := range [][]shown{{worse, better}, {better, worse}} {
				if got := bugSummary(all, 0).Verdict; got != names[i] {
					t.Errorf("%s, want %s", got, names[i])
				}
			}
		}
	}
}

func TestEveryRunCountsOnce(t *testing.T) {
	lines := []summaryLine{
		{Runs: 2, Steps: 20, DistinctSchedules: 1, Violations: 1, hash: 7, Verdict: "violation", Seconds: 1},
		{Runs: 3, Steps: 30, DistinctSchedules: 3, hash: 8, Verdict: "inconclusive", Seconds: 1},
	}
	s := total(lines)
	if s.Runs != 5 || s.Steps != 50 || s.DistinctSchedules != 4 || s.Violations != 1 || s.Verdict != "violation" || s.Seconds != 2 {
		t.Errorf("%+v", s)
	}
	lines[0], lines[1] = lines[1], lines[0]
	if total(lines).TraceHash == s.TraceHash {
		t.Error("the hash does not depend on the order of the targets")
	}
	if total(nil).Verdict != "inconclusive" {
		t.Error("nothing is a pass")
	}
}

// The lines of the shards of a session sum up to those of the whole.
func TestShardsSumUp(t *testing.T) {
	other := counting("test/other", give, give)
	other.IntendedRaces = true
	session := func(args ...string) (sum summaryLine, hash uint64) {
		a, stdout, _ := testApp()
		a.targets = append(a.targets, other)
		a.main(append([]string{"run", "test/good", "test/other", "-all", "-json", "-runs", "30000"}, args...))
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil {
			t.Fatal(err)
		}
		hash, err := strconv.ParseUint(sum.TraceHash, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return sum, hash
	}
	want, wantHash := session()
	var runs, steps, hash uint64
	for i := range 3 {
		s, h := session("-shard", fmt.Sprintf("%d/3", i+1))
		if s.Runs == 0 || s.Shard != fmt.Sprintf("%d/3", i+1) || s.Violations != want.Violations {
			t.Errorf("%+v", s)
		}
		runs, steps, hash = runs+s.Runs, steps+s.Steps, hash+h
	}
	if want.Runs != 60000 || want.Violations != 1 || runs != want.Runs || steps != want.Steps || hash != wantHash {
		t.Errorf("shards sum up to %d runs, %d steps, %x; the whole has %d, %d, %x", runs, steps, hash, want.Runs, want.Steps, wantHash)
	}
}
