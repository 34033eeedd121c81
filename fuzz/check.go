package fuzz

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// ReplayVariable is the environment variable in which Check, Fuzz and FuzzGroup
// look for a token to replay instead of hunting. Tests of other targets skip.
const ReplayVariable = "STRAMASH_REPLAY"

// CheckOption changes what Check does.
type CheckOption func(*checkOptions)

type checkOptions struct {
	Options
	token   string
	exhaust *ExhaustOptions
}

// Runs has Check make n runs. The default is DefaultRuns, and a tenth of it
// with -short.
func Runs(n uint64) CheckOption { return func(o *checkOptions) { o.Options.Runs = n } }

// Seed has Check use another seed than zero.
func Seed(seed uint64) CheckOption { return func(o *checkOptions) { o.Options.Seed = seed } }

// Using has Check use the strategy of a name; see Strategies.
func Using(strategy string) CheckOption { return func(o *checkOptions) { o.Strategy = strategy } }

// Pin fixes the answer to one of the target's workload questions.
func Pin(name string, value int) CheckOption {
	return func(o *checkOptions) { o.Pins = append(o.Pins, machine.Pin{Name: name, Value: value}) }
}

// AllSchedules has Check explore every schedule of the target instead of hunting
// at random; Runs then bounds it. What is within the target's Limits on
// interrupts, spurious failures and polls is explored; the test's log says which
// of them were met.
func AllSchedules() CheckOption { return func(o *checkOptions) { o.exhaust = &ExhaustOptions{} } }

// Preemptions has Check explore every schedule with at most n preemptions, from 0
// up; see AllSchedules.
func Preemptions(n int) CheckOption {
	return func(o *checkOptions) { o.exhaust = &ExhaustOptions{Bounded: true, Preemptions: n} }
}

// ReplayOf has Check replay a token instead of hunting.
func ReplayOf(token string) CheckOption { return func(o *checkOptions) { o.token = token } }

// Check hunts for a violation of the target, and fails the test with the
// smallest one it can make: what happened, a timeline, and the command that
// runs it again.
func Check(t *testing.T, target Target, options ...CheckOption) {
	t.Helper()
	o := checkOptions{token: os.Getenv(ReplayVariable)}
	o.Workers = runtime.GOMAXPROCS(0)
	for _, f := range options {
		f(&o)
	}
	if o.token != "" {
		checkReplay(t, []Target{target}, o.token)
		return
	}
	o.Watchdog = testWatchdog
	found, why, err := o.look(t, target)
	switch {
	case err != nil:
		t.Fatal(err)
	case found != nil:
		t.Fatal(testReport(target, found, replayCommand(t)))
	case why != "":
		t.Fatalf("%s: inconclusive: %s", target.Name, why)
	}
}

// look hunts, or explores all schedules, and answers what it found or why
// nothing was proved.
func (o *checkOptions) look(t *testing.T, target Target) (found *Finding, why string, err error) {
	t.Helper()
	if o.exhaust == nil {
		if testing.Short() && o.Options.Runs == 0 {
			o.Options.Runs = DefaultRuns / 10
		}
		s, err := Hunt(target, o.Options)
		if err == nil && s.Passed() {
			t.Logf("%s runs of %s, %s classes, no violation", grouped(s.Runs), target.Name, grouped(s.Distinct))
		}
		return s.Finding, s.Inconclusive(), err
	}
	if o.Strategy != "" || o.Options.Seed != 0 {
		return nil, "", errors.New("AllSchedules and Preemptions take no strategy and no seed: remove Using and Seed")
	}
	x := *o.exhaust
	x.Workers, x.Pins, x.Watchdog, x.Runs = o.Workers, o.Pins, o.Watchdog, max(o.Options.Runs, x.Runs)
	e, err := Exhaust(target, x)
	if err == nil && e.Passed() {
		t.Log(e.Claim())
	}
	return e.Finding, e.Inconclusive(), err
}

// testWatchdog ends the test binary, as the testing package's own time-out
// does.
var testWatchdog = &Watchdog{Hung: func(report string) { panic(report) }}

// replayCommand runs the test of t alone, with a token in place of %s.
func replayCommand(t testing.TB) string {
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return ReplayVariable + "=%s go test -run '" + strings.ReplaceAll(strings.Join(parts, "/"), "'", ".") + "'"
}

// testReport is the report of a finding, shrunk if that is possible.
func testReport(target Target, f *Finding, command string) string {
	small, err := Shrink(target, f, ShrinkOptions{Watchdog: testWatchdog})
	if err != nil {
		return fmt.Sprintf("%v\n%v", f.Error(), err)
	}
	report, err := small.Report(target, command, testWatchdog)
	if err != nil {
		return fmt.Sprintf("%v\n%v", f.Error(), err)
	}
	return "\n" + report
}

// checkReplay replays a token, if it is for one of the targets.
func checkReplay(t testing.TB, group []Target, token string) {
	t.Helper()
	k, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(group, func(target Target) bool { return target.Name == k.Target })
	if i < 0 {
		t.Skipf("the token is for target %s, which is not one of this test", k.Target)
	}
	r, err := ReplayToken(group[i], k, testWatchdog)
	if err != nil {
		t.Fatal(err)
	}
	account := "\n" + r.Account.Text(0)
	if f := r.Finding; f != nil {
		account = fmt.Sprintf("\nVIOLATION %s: %s\n%s\n%s%s", f.Target, f.Rule, f.Message, account, WitnessText(r.Witnesses))
	}
	t.Log(account)
	if r.Status == Passes && r.Finding == nil {
		t.Log(r.Explain())
		return
	}
	t.Fatal(r.Explain())
}

// Fuzz runs a target under go test -fuzz; see FuzzGroup. Without -fuzz, go test
// runs what the fuzzer has kept in testdata; use Check to hunt there.
func Fuzz(f *testing.F, target Target) { FuzzGroup(f, []Target{target}) }

// FuzzGroup runs targets under go test -fuzz. Each input of the fuzzer scripts
// one run of one of them and seeds some random ones; see [Input]. A violation
// fails the input, which go test then keeps in testdata as a regression test.
// Give go test -fuzzminimizetime=10x: what makes the run small is here.
func FuzzGroup(f *testing.F, group []Target) {
	command := replayCommand(f)
	if token := os.Getenv(ReplayVariable); token != "" {
		checkReplay(f, group, token)
		return
	}
	runners := make([]*runner, len(group))
	for i, t := range group {
		r, err := newRunner(t, nil, testWatchdog)
		if err != nil {
			f.Fatal(err)
		}
		runners[i] = r
		f.Add([]byte{byte('0' + i)})
	}
	f.Cleanup(func() {
		for _, r := range runners {
			r.close()
		}
	})
	f.Fuzz(func(t *testing.T, in []byte) {
		i := Input(in).pick(len(group))
		if found := runners[i].tryInput(in, runners[i].profile()); found != nil {
			t.Fatal(testReport(group[i], found, command))
		}
	})
}
