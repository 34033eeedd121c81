package ci

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// JUnit is the session as a JUnit file: a test case for each case. What is not
// finished is an error, so that the file of a session that was killed does not
// pass.
func JUnit(s Session) ([]byte, error) {
	suite := junit.Testsuite{Name: s.Command}
	took := 0.0
	for _, c := range s.Cases {
		took += c.Seconds
		suite.AddTestcase(testcase(c))
	}
	for _, name := range s.Pending {
		suite.AddTestcase(junit.Testcase{Name: clean(name), Time: duration(0), Error: &junit.Result{Message: "not finished"}})
	}
	suite.Time = duration(took)
	all := junit.Testsuites{Name: s.Command, Time: suite.Time}
	all.AddSuite(suite)
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	err := all.WriteXML(&b)
	return b.Bytes(), err
}

func testcase(c Case) junit.Testcase {
	t := junit.Testcase{Name: clean(c.Name), Classname: c.Kind, Time: duration(c.Seconds)}
	if c.Did != "" {
		t.SystemOut = &junit.Output{Data: clean(c.Did)}
	}
	switch c.Verdict {
	case Violation:
		t.Failure = failure(c)
	case Inconclusive:
		// Skipped tests pass where JUnit files are read, and this is no pass.
		t.Error = &junit.Result{Message: clean("inconclusive: " + c.Why), Type: "inconclusive"}
	case Error:
		t.Error = &junit.Result{Message: clean(c.Why), Type: "error"}
	}
	return t
}

// failure holds the reports of all findings.
func failure(c Case) *junit.Result {
	r := &junit.Result{Message: clean(c.Why)}
	var reports []string
	for i, f := range c.Findings {
		if i == 0 {
			r.Message, r.Type = clean(f.Message), clean(f.Judge+"/"+f.Rule)
		}
		reports = append(reports, f.Report)
	}
	r.Data = clean(strings.Join(reports, "\n"))
	return r
}

func duration(seconds float64) string { return fmt.Sprintf("%.3f", seconds) }

// clean replaces what XML can't hold; see its section 2.2.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= ' ' && r <= 0xd7ff, r >= 0xe000 && r <= 0xfffd, r >= 0x10000 && r <= 0x10ffff:
			return r
		}
		return '\ufffd'
	}, text)
}
