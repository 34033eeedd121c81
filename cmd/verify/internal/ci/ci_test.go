package ci

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gojunit "github.com/joshdk/go-junit"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

var (
	load  = fuzz.Row{Step: 1, CPU: 0, Context: "t0", Text: "load x = 0x0", Site: machine.Site{Func: "github.com/fusedos/stramash/locks.(*TAS).Lock", File: "/elsewhere/tas.go", Line: 7}}
	calls = fuzz.Row{Step: 1, CPU: 2, Context: "t1", Text: "* calls Lock() of x"}
	store = fuzz.Row{Step: 2, CPU: 2, Context: "t1", Text: "store x := 0x1", Site: machine.Site{Func: "main.run", File: "/home/a b/own.go", Line: 9}}
)

// session has a case of every kind; hostile text stands wherever text can.
func session() Session {
	hostile := "a<b>&\"]]>|\x00\x1b \xff %d\r\n::error::"
	return Session{
		Command: "verify run", Pending: []string{"test/late"},
		Cases: []Case{
			{Kind: "target", Name: "test/good", Verdict: Pass, Did: "5 runs", Seconds: 1.5},
			{Kind: "target", Name: "test/bad", Verdict: Violation, Seconds: 0.25, Findings: []Finding{{
				Judge: "lock order", Rule: "mutual exclusion", Message: hostile, Signature: "s", Site: load.Site,
				Report: "REPORT " + hostile, Token: "test/bad@v1:AAAA", Replay: "verify replay 'test/bad@v1:AAAA'",
				Account: fuzz.Account{Lanes: []string{"P0 x86-64", "", "P2 aarch64"}, Rows: []fuzz.Row{load, calls, store}},
				Cause:   &fuzz.RacingPair{First: load, Second: store},
			}, {Judge: "progress", Rule: "deadlock", Message: "stuck", Signature: "t", Report: "SECOND"}}},
			{Kind: "target", Name: "test/unsure", Verdict: Inconclusive, Why: "a judge gave up"},
			{Kind: "law", Name: "law of " + hostile, Verdict: Violation, Findings: []Finding{{Judge: "law", Rule: hostile, Message: "no"}}},
			{Kind: "bug", Name: "lost", Verdict: Error, Why: hostile},
		},
	}
}

// parse reads a SARIF file and validates it against the schema.
func parse(t *testing.T, data []byte) *sarif.Run {
	t.Helper()
	r, err := sarif.FromBytes(data, sarif.WithStrictValidation())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	return r.Runs[0]
}

func TestSARIFIsValidAndHoldsTheFindings(t *testing.T) {
	data, err := SARIF(session())
	if err != nil {
		t.Fatal(err)
	}
	run := parse(t, data)
	if len(run.Results) != 3 || len(run.Tool.Driver.Rules) != 3 {
		t.Fatalf("%d results, %d rules", len(run.Results), len(run.Tool.Driver.Rules))
	}
	r := run.Results[0]
	if *r.RuleID != "lock-order/mutual-exclusion" || r.RuleIndex != 0 || len(r.Fingerprints["signature/v1"]) != 32 {
		t.Errorf("rule %s, %d, fingerprints %v", *r.RuleID, r.RuleIndex, r.Fingerprints)
	}
	if got := r.Properties.Properties["token"]; got != "test/bad@v1:AAAA" {
		t.Errorf("token %v", got)
	}
	at := r.Locations[0].PhysicalLocation
	if *at.ArtifactLocation.URI != "locks/tas.go" || *at.ArtifactLocation.URIBaseID != "%SRCROOT%" || *at.Region.StartLine != 7 {
		t.Errorf("location %s", *at.ArtifactLocation.URI)
	}
	if own := r.RelatedLocations[1].PhysicalLocation.ArtifactLocation; *own.URI != "file:///home/a%20b/own.go" || own.URIBaseID != nil {
		t.Errorf("a file outside of the module is %s", *own.URI)
	}
	var got []string
	for _, flow := range r.CodeFlows[0].ThreadFlows {
		for _, l := range flow.Locations {
			got = append(got, fmt.Sprintf("%s: %d %s %s", *flow.ID, l.ExecutionOrder, l.Importance, *l.Location.Message.Text))
		}
	}
	want := []string{
		"P0 x86-64: 1 essential step 1, t0: load x = 0x0",
		"P2 aarch64: 2 unimportant step 1, t1: calls Lock() of x",
		"P2 aarch64: 3 essential step 2, t1: store x := 0x1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	call := run.Invocations[0]
	var notes []string
	for _, n := range call.ToolExecutionNotifications {
		notes = append(notes, n.Level+" "+*n.Message.Text)
	}
	if *call.ExecutionSuccessful || len(notes) != 3 || notes[0] != "warning test/unsure is inconclusive: a judge gave up" ||
		notes[2] != "warning test/late is not finished" {
		t.Errorf("successful %t, %q", *call.ExecutionSuccessful, notes)
	}
}

// The validator does see what is wrong.
func TestInvalidSARIFIsRefused(t *testing.T) {
	data, _ := SARIF(session())
	for from, to := range map[string]string{
		`"essential"`: `"vital"`, `"error"`: `"worst"`, `"startLine": 7`: `"startLine": 0`, `"version": "2.1.0"`: `"version": "2.0.0"`,
	} {
		r, err := sarif.FromBytes([]byte(strings.Replace(string(data), from, to, 1)), sarif.WithStrictValidation())
		if err != nil {
			t.Fatal(err)
		}
		if r.Validate() == nil {
			t.Errorf("with %s it is valid", to)
		}
	}
}

func TestSARIFOfACleanSessionHasNoResults(t *testing.T) {
	data, err := SARIF(Session{Command: "verify", Cases: session().Cases[:1], Finished: true})
	if err != nil {
		t.Fatal(err)
	}
	run := parse(t, data)
	if !*run.Invocations[0].ExecutionSuccessful || len(run.Results) != 0 || !strings.Contains(string(data), `"results": []`) {
		t.Errorf("%s", data)
	}
}

// A run that hangs is long: its last steps are enough.
func TestSARIFIsBounded(t *testing.T) {
	s := session()
	rows := slices.Repeat([]fuzz.Row{load}, 3*maxFlow)
	s.Cases[1].Findings[0].Account.Rows = append(rows, store)
	data, err := SARIF(s)
	if err != nil {
		t.Fatal(err)
	}
	flows := parse(t, data).Results[0].CodeFlows[0].ThreadFlows
	if n := len(flows[0].Locations); n != maxFlow-1 || flows[1].Locations[0].ExecutionOrder != 3*maxFlow+1 {
		t.Errorf("%d steps", n)
	}
}

func TestJUnitParsesInAReader(t *testing.T) {
	data, err := JUnit(session())
	if err != nil {
		t.Fatal(err)
	}
	suites, err := gojunit.Ingest(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	var got []string
	for _, c := range suites[0].Tests {
		got = append(got, fmt.Sprintf("%s %s %v", c.Classname, c.Status, c.Duration))
	}
	want := []string{"target passed 1.5s", "target failed 250ms", "target error 0s", "law failed 0s", "bug error 0s", " error 0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := suites[0].Tests[1].Error.Error(); !strings.HasPrefix(text, "REPORT a<b>&\"]]>|\ufffd\ufffd \ufffd %d") || !strings.HasSuffix(text, "\nSECOND") {
		t.Errorf("the failure holds %q", text)
	}
	if total := suites[0].Totals; total.Tests != 6 || total.Failed != 2 || total.Error != 3 || total.Skipped != 0 {
		t.Errorf("%+v", total)
	}
}

func TestAnnotationsAreEscaped(t *testing.T) {
	cases := session().Cases
	if got := Annotations(cases[0]); got != "" {
		t.Errorf("a pass has %q", got)
	}
	want := "::error file=locks/tas.go,line=7,title=test/bad%3A mutual exclusion::" +
		"a<b>&\"]]>|\x00\x1b \xff %25d%0D%0A::error::%0Areplay: verify replay 'test/bad@v1:AAAA'\n" +
		"::error title=test/bad%3A deadlock::stuck\n"
	if diff := cmp.Diff(want, Annotations(cases[1])); diff != "" {
		t.Error(diff)
	}
	if got := Annotations(cases[2]); got != "::warning title=test/unsure%3A inconclusive::a judge gave up\n" {
		t.Errorf("%q", got)
	}
	if got := Annotations(cases[4]); !strings.HasPrefix(got, "::error title=lost%3A error::a<b>") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	hostile := Case{Name: "a,b:c%\r\nd", Verdict: Inconclusive, Why: strings.Repeat("é", maxAnnotation)}
	got := Annotations(hostile)
	if !strings.HasPrefix(got, "::warning title=a%2Cb%3Ac%25%0D%0Ad%3A inconclusive::éé") || len(got) > maxAnnotation+100 {
		t.Errorf("%d bytes: %.80q", len(got), got)
	}
}

func TestSummaryKeepsItsForm(t *testing.T) {
	s := session()
	s.Cases[1].Findings[0].Report = "one ``` two ```` three"
	text := Summary(s)
	for _, want := range []string{
		"| target | test/good | pass | 5 runs |\n", "test/unsure: a judge gave up\n",
		"<summary>test/bad: mutual exclusion</summary>\n\n`````\none ``` two ```` three\n`````\n",
		`| law | law of a&lt;b&gt;&amp;"]]&gt;\|`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// Where a file lies does not depend on where the command was built.
func TestSourceOf(t *testing.T) {
	for _, test := range []struct {
		site     machine.Site
		file     string
		relative bool
	}{
		{machine.Site{Func: "github.com/fusedos/stramash/targets/suite.(*x).y.func1", File: "/b/suite.go"}, "targets/suite/suite.go", true},
		{machine.Site{Func: "github.com/fusedos/stramash/locks.f", File: "github.com/fusedos/stramash/locks/f.go"}, "locks/f.go", true},
		{machine.Site{Func: "example.com/mine.f", File: "/home/mine/f.go"}, "/home/mine/f.go", false},
		{machine.Site{File: "corpus/bugs/x/bug.diff"}, "corpus/bugs/x/bug.diff", true},
	} {
		if file, relative := sourceOf(test.site); file != test.file || relative != test.relative {
			t.Errorf("%v: %s, %t", test.site, file, relative)
		}
	}
}

func TestWriteFileReplacesAsAWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	for _, text := range []string{"first", "second"} {
		if err := WriteFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if WriteFile(filepath.Join(dir, "taken"), nil) == nil || WriteFile(filepath.Join(dir, "none", "out"), nil) == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("%v is left", left)
	}
}
