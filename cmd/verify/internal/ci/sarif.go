package ci

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// home is where to read about the tool.
const home = "https://github.com/fusedos/stramash"

// root is what files of the module are relative to.
const root = "%SRCROOT%"

// maxFlow bounds the steps of a result: those before are left out.
const maxFlow = 2000

// SARIF is the session as a SARIF 2.1.0 file: a result for each violation, with
// one code flow that has a thread flow for each CPU. What proves nothing is a
// notification of the invocation, which is successful if all was done and no
// case ended with an error.
func SARIF(s Session) ([]byte, error) {
	run := sarif.NewRunWithInformationURI("verify", home)
	run.Tool.Driver.WithFullName("Stramash verify").WithOrganization("fusedos")
	run.WithOriginalUriBaseIds(map[string]sarif.ArtifactLocation{root: *sarif.NewArtifactLocation().
		WithDescription(sarif.NewTextMessage("the root of the module " + strings.TrimSuffix(module, "/")))})
	call := sarif.NewInvocation().WithCommandLine(s.Command)
	successful := s.Finished
	for _, c := range s.Cases {
		for _, f := range c.Findings {
			addResult(run, c, f)
		}
		switch c.Verdict {
		case Inconclusive:
			notify(call, "warning", c.Name+" is inconclusive: "+c.Why)
		case Error:
			successful = false
			notify(call, "error", c.Name+": "+c.Why)
		}
	}
	for _, name := range s.Pending {
		notify(call, "warning", name+" is not finished")
	}
	run.AddInvocation(call.WithExecutionSuccessful(successful))
	var b bytes.Buffer
	err := sarif.NewReport().AddRun(run).PrettyWrite(&b)
	b.WriteByte('\n')
	return b.Bytes(), err
}

func notify(call *sarif.Invocation, level, text string) {
	call.AddToolExecutionNotification(sarif.NewNotification().WithLevel(level).WithMessage(sarif.NewTextMessage(text)))
}

func addResult(run *sarif.Run, c Case, f Finding) {
	rule := ruleID(f)
	run.AddRule(rule).WithName(ruleName(rule)).WithDescription(f.Judge + ": " + f.Rule)
	about := sarif.NewPropertyBag().Add(c.Kind, c.Name)
	if f.Token != "" {
		about.Add("token", f.Token).Add("replay", f.Replay)
	}
	r := run.CreateResultForRule(rule).WithLevel("error").WithKind("fail").
		WithMessage(sarif.NewTextMessage(c.Name + ": " + f.Message)).
		WithFingerprints(map[string]string{"signature/v1": fingerprint(c, f)}).
		WithProperties(about)
	if f.Site.File != "" {
		r.AddLocation(location(f.Site, ""))
	}
	if f.Cause != nil {
		r.AddRelatedLocation(location(f.Cause.First.Site, "first of the racing pair: "+f.Cause.First.String()).WithID(1))
		r.AddRelatedLocation(location(f.Cause.Second.Site, "second of the racing pair: "+f.Cause.Second.String()).WithID(2))
	}
	if flow := codeFlow(f); len(flow.ThreadFlows) > 0 {
		r.AddCodeFlow(flow)
	}
}

// ruleID is judge and rule, as a path without white space.
func ruleID(f Finding) string {
	return strings.Join(strings.Fields(f.Judge), "-") + "/" + strings.Join(strings.Fields(f.Rule), "-")
}

// ruleName is the identifier in the form that SARIF asks of names.
func ruleName(id string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(id, func(r rune) bool { return strings.ContainsRune("-/ ,", r) }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// fingerprint is equal for two findings that are the same bug.
func fingerprint(c Case, f Finding) string {
	sum := sha256.Sum256([]byte(c.Name + "\x00" + f.Signature))
	return hex.EncodeToString(sum[:16])
}

// location is a place in the source, with a message or without.
func location(s machine.Site, text string) *sarif.Location {
	l := sarif.NewLocation()
	if text != "" {
		l.WithMessage(sarif.NewTextMessage(text))
	}
	if s.File == "" {
		return l
	}
	file, relative := sourceOf(s)
	at := sarif.NewArtifactLocation()
	if relative {
		at.WithURI((&url.URL{Path: file}).EscapedPath()).WithURIBaseID(root)
	} else {
		at.WithURI((&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(file, "/")}).String())
	}
	return l.WithPhysicalLocation(sarif.NewPhysicalLocation().
		WithArtifactLocation(at).WithRegion(sarif.NewRegion().WithStartLine(max(s.Line, 1))))
}

// codeFlow has a thread flow for each CPU that did something.
func codeFlow(f Finding) *sarif.CodeFlow {
	flow := sarif.NewCodeFlow()
	if f.Replay != "" {
		flow.WithMessage(sarif.NewTextMessage(f.Replay))
	}
	first := max(0, len(f.Account.Rows)-maxFlow)
	for cpu, lane := range f.Account.Lanes {
		thread := sarif.NewThreadFlow().WithID(lane).WithMessage(sarif.NewTextMessage(lane))
		for i, row := range f.Account.Rows {
			if row.CPU == cpu && i >= first {
				thread.AddLocation(step(f, row).WithExecutionOrder(i + 1))
			}
		}
		if len(thread.Locations) > 0 {
			flow.AddThreadFlow(thread)
		}
	}
	return flow
}

// step is one row of the account.
func step(f Finding, row fuzz.Row) *sarif.ThreadFlowLocation {
	importance := "important"
	if strings.HasPrefix(row.Text, "*") {
		importance = "unimportant" // what the code told the judges
	}
	if c := f.Cause; c != nil && slices.Contains([]fuzz.Row{c.First, c.Second}, row) {
		importance = "essential"
	}
	text := fmt.Sprintf("step %d, %s: %s", row.Step, row.Context, strings.TrimPrefix(row.Text, "* "))
	return sarif.NewThreadFlowLocation().WithImportance(importance).WithLocation(location(row.Site, text))
}
