package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	gojunit "github.com/joshdk/go-junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fusedos/stramash/fuzz"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"verify": main, // the command as it is
		"testverify": func() { // the command with the targets of this test
			a := newApp(testTargets(), map[string][]fuzz.Target{"FuzzTests": {broken(), good()}})
			switch { // a busy host must not make a run look endless that is not
			case os.Getenv("PATIENT") != "":
				a.watchdog.Patience, a.grace = time.Hour, 1500*time.Millisecond
			case os.Getenv("WITH_ENDLESS") != "":
				a.watchdog.Patience = 200 * time.Millisecond
			}
			a.engines = testEngines(os.Getenv("LITMUS"))
			os.Exit(a.main(os.Args[1:]))
		},
	})
}

// The scripts say what the command prints and with which status it ends. What
// they have beyond testscript's own commands:
//
//	exits STATUS COMMAND ARG…   run the command and check its exit status
//	lines TYPE…                 check that the output is JSON lines, of which the
//	                            last is the summary, and that these types occur
//	field TYPE KEY WANT         check a field of the first line of a type: WANT is
//	                            a regular expression
//	save VAR TYPE KEY           put such a field in an environment variable
//	oneline                     check that the standard error is one line
//	junit FILE TESTS FAILED ERRORS SKIPPED  read a JUnit file and check its totals
//	sarif FILE RESULTS SUCCESSFUL           validate a SARIF file and check how many
//	                            results it has, and whether the invocation was successful
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOTOOLCHAIN", "GOPROXY"} {
				out, err := exec.Command("go", "env", name).Output()
				if err != nil {
					return err
				}
				e.Setenv(name, strings.TrimSpace(string(out)))
			}
			return nil
		},
		Condition: func(c string) (bool, error) {
			if c == "buildable" {
				return !testing.Short(), nil
			}
			return false, fmt.Errorf("no condition %q", c)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "lines": lines, "field": field, "save": save, "oneline": oneline,
			"junit": readJUnit, "sarif": readSARIF,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if (got == want) == neg {
		ts.Fatalf("exit status %d", got)
	}
}

// objects reads the standard output as JSON lines.
func objects(ts *testscript.TestScript) []map[string]any {
	var out []map[string]any
	for i, line := range strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n") {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("line %d is no JSON object: %v", i+1, err)
		}
		out = append(out, o)
	}
	return out
}

var snakeCase = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

func lines(ts *testscript.TestScript, neg bool, types []string) {
	all := objects(ts)
	seen := map[any]int{}
	for _, o := range all {
		seen[o["type"]]++
		for key := range o {
			if !snakeCase.MatchString(key) {
				ts.Fatalf("key %q is not snake_case", key)
			}
		}
	}
	if all[len(all)-1]["type"] != "summary" || seen["summary"] != 1 {
		ts.Fatalf("the last line, and only that, must be the summary")
	}
	for _, want := range types {
		if (seen[want] > 0) == neg {
			ts.Fatalf("%d lines of type %q", seen[want], want)
		}
	}
}

// value is a field of the first line of a type.
func value(ts *testscript.TestScript, kind, key string) string {
	for _, o := range objects(ts) {
		if v, ok := o[key]; ok && o["type"] == kind {
			if s, ok := v.(string); ok {
				return s
			}
			text, err := json.Marshal(v)
			ts.Check(err)
			return string(text)
		}
	}
	ts.Fatalf("no line of type %q has a field %q", kind, key)
	return ""
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	got := value(ts, args[0], args[1])
	if regexp.MustCompile(`^(?:`+args[2]+`)$`).MatchString(got) == neg {
		ts.Fatalf("%s of %s is %s", args[1], args[0], got)
	}
}

func save(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], value(ts, args[1], args[2]))
}

func oneline(ts *testscript.TestScript, _ bool, _ []string) {
	if n := strings.Count(ts.ReadFile("stderr"), "\n"); n != 1 {
		ts.Fatalf("the standard error has %d lines", n)
	}
}

// wordNumber is the number that a word of a script is.
func wordNumber(ts *testscript.TestScript, word string) int {
	n, err := strconv.Atoi(word)
	ts.Check(err)
	return n
}

func readJUnit(ts *testscript.TestScript, _ bool, args []string) {
	suites, err := gojunit.Ingest([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	got := suites[0].Totals
	if got.Tests != wordNumber(ts, args[1]) || got.Failed != wordNumber(ts, args[2]) || got.Error != wordNumber(ts, args[3]) || got.Skipped != wordNumber(ts, args[4]) {
		ts.Fatalf("%+v", got)
	}
}

func readSARIF(ts *testscript.TestScript, _ bool, args []string) {
	r, err := sarif.FromBytes([]byte(ts.ReadFile(args[0])), sarif.WithStrictValidation())
	ts.Check(err)
	ts.Check(r.Validate())
	run := r.Runs[0]
	if n, ok := len(run.Results), *run.Invocations[0].ExecutionSuccessful; n != wordNumber(ts, args[1]) || fmt.Sprint(ok) != args[2] {
		ts.Fatalf("%d results, successful %t", n, ok)
	}
}
