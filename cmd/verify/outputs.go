package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/fusedos/stramash/cmd/verify/internal/ci"
	"github.com/fusedos/stramash/cmd/verify/internal/laws"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// outputs tell systems of continuous integration what came of a session. Their
// files are written anew after each case, so that they hold what there is
// however the session ends.
type outputs struct {
	a            *app
	junit, sarif string // files, or empty
	session      ci.Session
	err          error // the first
}

// outputs defines the flags of the files.
func (f *flags) outputs() *outputs {
	o := &outputs{a: f.a}
	c, _ := lookUp(f.Name())
	o.session.Command = c.title()
	f.StringVar(&o.junit, "junit", "", "write what came of it to this `file`, as JUnit XML")
	f.StringVar(&o.sarif, "sarif", "", "write the violations to this `file`, as SARIF 2.1.0")
	return o
}

// begin names the cases to come. It fails if the files can't be written.
func (o *outputs) begin(names []string) error {
	if o.junit != "" && o.sarif != "" && place(o.junit) == place(o.sarif) {
		return fmt.Errorf("-junit and -sarif name one file, %s: give each its own", o.junit)
	}
	o.session.Pending = names
	o.write()
	return o.err
}

// place is a file's path, by which ever name it goes.
func place(file string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(file))
	if err != nil {
		return file
	}
	at := filepath.Join(dir, filepath.Base(file))
	if to, err := filepath.EvalSymlinks(at); err == nil {
		at = to
	}
	if abs, err := filepath.Abs(at); err == nil {
		return abs
	}
	return at
}

// add tells of the case that was the first to come.
func (o *outputs) add(c ci.Case) {
	o.session.Cases = append(o.session.Cases, c)
	o.session.Pending = o.session.Pending[1:]
	if o.a.github {
		fmt.Fprint(o.a.stderr, ci.Annotations(c))
	}
	o.write()
}

// end tells that there are no more cases, and fails if anything could not be
// written.
func (o *outputs) end() error {
	o.session.Finished = len(o.session.Pending) == 0
	o.write()
	if o.a.summary != "" {
		o.note(appendFile(o.a.summary, ci.Summary(o.session)))
	}
	if o.err != nil {
		return fault{o.err}
	}
	return nil
}

// write writes the files.
func (o *outputs) write() {
	for _, out := range []struct {
		file string
		form func(ci.Session) ([]byte, error)
	}{{o.junit, ci.JUnit}, {o.sarif, ci.SARIF}} {
		if out.file == "" {
			continue
		}
		data, err := out.form(o.session)
		if err == nil {
			err = ci.WriteFile(out.file, data)
		}
		o.note(err)
	}
}

func (o *outputs) note(err error) {
	if o.err == nil {
		o.err = err
	}
}

// wanted says whether anything reads more of a finding than its report.
func (o *outputs) wanted() bool { return o.sarif != "" || o.a.github }

// target tells of what came of a target.
func (o *outputs) target(out *outcome) {
	c := ci.Case{
		Kind: "target", Name: out.target.Name, Verdict: ci.Verdict(out.verdict()), Why: out.why, Seconds: out.seconds,
		Did: fmt.Sprintf("%s runs of %s with seed %d, %s distinct schedules", grouped(out.Runs), out.Strategy, out.Seed, grouped(out.Distinct)),
	}
	if out.exhausted != nil {
		c.Did = "explored " + out.exhausted.Claim()
	}
	if out.err != nil {
		c.Why = out.err.Error()
	}
	for _, f := range out.found {
		var account fuzz.Account
		if o.wanted() {
			r, err := fuzz.ReplayToken(out.target, f.small.Token(), o.a.watchdog)
			o.note(err)
			account = r.Account
		}
		c.Findings = append(c.Findings, ci.Describe(f.small, account, f.report))
	}
	o.add(c)
}

// law tells of what came of a law.
func (o *outputs) law(r laws.Result) {
	c := ci.Case{Kind: "law", Name: r.Law, Verdict: ci.Pass, Did: fmt.Sprintf("%d cases", r.Cases)}
	if r.Failure != "" {
		c.Verdict = ci.Violation
		c.Findings = []ci.Finding{{Judge: "law", Rule: r.Law, Message: r.Failure, Signature: r.Law, Report: r.Failure}}
	}
	o.add(c)
}

// appendFile adds text to the end of a file.
func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// bug tells of what came of a seeded bug: one that is not found as it should be
// is a violation, by its own file.
func (o *outputs) bug(s shown) {
	c := ci.Case{Kind: "bug", Name: s.bug.Name, Seconds: s.seconds, Did: s.found(), Verdict: ci.Violation}
	switch s.status() {
	case statusOK:
		c.Verdict = ci.Pass
	case statusInconclusive:
		c.Verdict, c.Why = ci.Inconclusive, "interrupted"
	case statusViolation:
		c.Findings = []ci.Finding{{
			Judge: "seeded bug", Rule: s.verdict(), Message: s.found(), Signature: s.verdict(),
			Site:   machine.Site{File: path.Join(bugsDir, s.bug.Name, "bug.diff"), Line: 1},
			Report: s.found() + "\n" + s.report(),
		}}
	default:
		c.Verdict, c.Why = ci.Error, s.err.Error()
	}
	o.add(c)
}
