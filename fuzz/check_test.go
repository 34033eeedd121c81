package fuzz

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusedos/stramash/machine"
)

func TestCheckPasses(t *testing.T) {
	Check(t, correct(), Runs(500), Seed(3), Using("pct"), Pin("threads", 1))
}

func TestCheckExploresAllSchedules(t *testing.T) {
	Check(t, correct(), AllSchedules(), Pin("threads", 0), Pin("rounds", 0))
	Check(t, correct(), Preemptions(1), Pin("threads", 0))
	o := checkOptions{exhaust: &ExhaustOptions{Bounded: true, Preemptions: 2}}
	if f, why, err := o.look(t, checkThenAct()); f == nil || f.Strategy != "exhaustive" || err != nil {
		t.Errorf("found %v, %s, %v", f, why, err)
	}
	o.exhaust = &ExhaustOptions{Runs: 3}
	if f, why, err := o.look(t, correct()); f != nil || why == "" || err != nil {
		t.Errorf("in three runs: found %v, %q, %v", f, why, err)
	}
}

// A token of a run without a violation replays as a pass.
func TestCheckReplaysATokenOfAPass(t *testing.T) {
	r, err := newRunner(correct(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	hash := r.run(machine.Natural{}).TraceHash
	Check(t, correct(), ReplayOf(Token{Target: "correct", TraceHash: hash}.String()))
}

// FuzzCorrect is what a user writes for a target of their own.
func FuzzCorrect(f *testing.F) { Fuzz(f, correct()) }

func TestMeasure(t *testing.T) {
	m, err := Measure(correct(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Measure(correct(), nil)
	if m != again || m.Runs != metricRuns || m.L1DHits == 0 || m.Transfers == 0 || m.Runtime == 0 {
		t.Errorf("%+v, then %+v", m, again)
	}
}

func TestParameters(t *testing.T) {
	ps, err := Parameters(correct())
	if err != nil || len(ps) != 2 || ps[0].Name != "threads" || ps[0].N != 3 || ps[1].Name != "rounds" {
		t.Errorf("%v, %v", ps, err)
	}
}

// A program that computes for ever is named with its stack. The watchdog's
// duty is to end the process; here it only reports, and the program is let go.
func TestWatchdogNamesTheLoop(t *testing.T) {
	var let atomic.Bool
	reported := make(chan string, 1)
	target := bodyTarget(func(*machine.Thread) { spin(&let) })
	w := &Watchdog{Patience: 50 * time.Millisecond, Hung: func(report string) {
		reported <- report
		let.Store(true)
	}}
	mustHunt(t, target, Options{Runs: 1, Audit: -1, Watchdog: w})
	report := <-reported
	for _, want := range []string{"target body computes without an operation", "fuzz.spin"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
}

func spin(let *atomic.Bool) {
	for !let.Load() {
	}
}

// outsideModule makes a module of its own from testdata/outside.
func outsideModule(t *testing.T) string {
	t.Helper()
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, err := os.ReadFile("testdata/outside/mylock_test.go")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(mod), "module github.com/fusedos/stramash", "module example.com/mylock", 1)
	text = regexp.MustCompile(`(?m)^tool .*\n`).ReplaceAllString(text, "")
	text += "\nrequire github.com/fusedos/stramash v0.0.0\nreplace github.com/fusedos/stramash => " + here + "\n"
	for name, content := range map[string]string{"mylock_test.go": string(source), "go.sum": string(sums), "go.mod": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func goTest(dir string, env ...string) string {
	cmd := exec.Command("go", "test", "-mod=mod", "-v", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "GOFLAGS=", "GOWORK=off")...)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// A module of somebody else's gets the violation, the timeline, and a line
// that runs it again.
func TestOutsideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	dir := outsideModule(t)
	out := goTest(dir)
	for _, want := range []string{"VIOLATION mylock: final state", "P0 x86-64", "P1 aarch64", "mylock_test.go:", "--- FAIL: TestMyLock"} {
		if !strings.Contains(out, want) {
			t.Fatalf("go test lacks %q:\n%s", want, out)
		}
	}
	line := regexp.MustCompile(ReplayVariable + `='([^']+)' go test -run '\^TestMyLock\$'`).FindStringSubmatch(out)
	if line == nil {
		t.Fatalf("no replay line:\n%s", out)
	}
	if again := goTest(dir, ReplayVariable+"="+line[1]); !strings.Contains(again, "reproduced: the same steps and the same violation") {
		t.Errorf("the replay line does not reproduce:\n%s", again)
	}
}
