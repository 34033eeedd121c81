package ci

import (
	"fmt"
	"strings"
)

// maxAnnotation bounds the text of an annotation, and maxSummary that of a
// summary; GitHub takes 4 KiB and 1 MiB.
const (
	maxAnnotation = 3000
	maxSummary    = 256 << 10
)

// Annotations are the workflow commands by which GitHub Actions shows what
// came of a case beside the source, a line each.
func Annotations(c Case) string {
	var b strings.Builder
	for _, f := range c.Findings {
		place := ""
		if f.Site.File != "" {
			file, _ := sourceOf(f.Site)
			place = fmt.Sprintf("file=%s,line=%d,", property(file), f.Site.Line)
		}
		text := f.Message
		if f.Replay != "" {
			text += "\nreplay: " + f.Replay
		}
		fmt.Fprintf(&b, "::error %stitle=%s::%s\n", place, property(c.Name+": "+f.Rule), data(cut(text, maxAnnotation)))
	}
	switch {
	case c.Verdict == Inconclusive:
		fmt.Fprintf(&b, "::warning title=%s::%s\n", property(c.Name+": inconclusive"), data(cut(c.Why, maxAnnotation)))
	case c.Verdict == Error, c.Verdict == Violation && len(c.Findings) == 0:
		fmt.Fprintf(&b, "::error title=%s::%s\n", property(c.Name+": "+string(c.Verdict)), data(cut(c.Why, maxAnnotation)))
	}
	return b.String()
}

var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// data escapes the message of a workflow command, and property a value before it.
func data(s string) string     { return dataEscapes.Replace(s) }
func property(s string) string { return propertyEscapes.Replace(s) }

// cut shortens a text to so many bytes, and shows that it did.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Summary is the session in Markdown, for the page of a GitHub job.
func Summary(s Session) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n| | | verdict | |\n|---|---|---|---|\n", s.Command)
	for _, c := range s.Cases {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Kind, cell(c.Name), c.Verdict, cell(c.Did))
	}
	b.WriteByte('\n')
	for _, c := range s.Cases {
		if c.Why != "" {
			fmt.Fprintf(&b, "%s: %s\n\n", cell(c.Name), cell(c.Why))
		}
		for _, f := range c.Findings {
			if b.Len() < maxSummary {
				fmt.Fprintf(&b, "<details><summary>%s: %s</summary>\n\n%s\n</details>\n\n", html(c.Name), html(f.Rule), fenced(cut(f.Report, maxSummary)))
			}
		}
	}
	return b.String()
}

// html escapes text for HTML within Markdown.
func html(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", " ").Replace(s)
}

// cell escapes text for a table, where neither lines nor bars may be.
func cell(s string) string { return strings.ReplaceAll(html(s), "|", `\|`) }

// fenced is a block of code whose fence is longer than any in the text.
func fenced(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}
