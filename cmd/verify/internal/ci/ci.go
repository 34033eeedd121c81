// Package ci writes what came of a session of the command in the forms that
// systems of continuous integration read: JUnit, SARIF, and the commands and
// summaries of GitHub Actions.
package ci

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fusedos/stramash/campaign"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// Session is what the command has done so far.
type Session struct {
	Command  string   // such as "verify run"
	Cases    []Case   // that are finished
	Pending  []string // the names of those that are not
	Finished bool     // there will be no more
}

// Case is what came of one thing that was checked.
type Case struct {
	Kind     string // "target", "law" or "bug"
	Name     string
	Verdict  Verdict
	Why      string // it is inconclusive or an error, in a sentence
	Did      string // what was done, in a sentence
	Seconds  float64
	Findings []Finding // the violations
}

// Verdict is what came of a case in a word.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"
	Violation    Verdict = "violation"
	Inconclusive Verdict = "inconclusive"
	Error        Verdict = "error"
)

// Finding is one violation. What has no run has no token.
type Finding struct {
	Judge, Rule, Message string
	Signature            string // equal for two that are the same bug
	Site                 machine.Site
	Report               string // for a person
	Token, Replay        string
	Account              fuzz.Account
	Cause                *fuzz.RacingPair
}

// Describe is the finding of a run of a target, with what happened step by step.
func Describe(s *fuzz.Shrunk, a fuzz.Account, report string) Finding {
	token := s.Token().String()
	return Finding{
		Judge: s.Judge, Rule: s.Rule, Message: s.Message, Signature: s.Signature, Site: siteOf(s, a),
		Report: report, Token: token, Replay: "verify replay '" + token + "'", Account: a, Cause: s.Cause,
	}
}

// siteOf is where to look first: at the panic, at the race that is the cause, or
// at the last step.
func siteOf(s *fuzz.Shrunk, a fuzz.Account) machine.Site {
	if len(s.Stack) > 0 {
		return s.Stack[0]
	}
	if s.Cause != nil && s.Cause.First.Site.File != "" {
		return s.Cause.First.Site
	}
	for i := len(a.Rows) - 1; i >= 0; i-- {
		if a.Rows[i].Site.File != "" {
			return a.Rows[i].Site
		}
	}
	return machine.Site{}
}

// module is the path of the module whose sources are named relative to its root.
const module = "github.com/fusedos/stramash/"

// sourceOf is the file of a site, with slashes: relative to the root of the
// module if it belongs to it, wherever and by whomever the command was built.
func sourceOf(s machine.Site) (file string, relative bool) {
	slash := strings.LastIndex(s.Func, "/") + 1
	pkg, _, _ := strings.Cut(s.Func[slash:], ".")
	if dir, ok := strings.CutPrefix(s.Func[:slash]+pkg, module); ok {
		return path.Join(dir, path.Base(filepath.ToSlash(s.File))), true
	}
	return filepath.ToSlash(s.File), s.Func == "" && !filepath.IsAbs(s.File)
}

// WriteFile replaces a file as a whole; see campaign.WriteFile. It fails where
// there is what is not a file.
func WriteFile(name string, data []byte) error {
	if info, err := os.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a regular file: name a file to write", name)
		}
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	}
	return campaign.WriteFile(name, data)
}
