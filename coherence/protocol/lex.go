package protocol

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is what is wrong with a protocol's text.
type Error struct {
	Name string // of the text
	Line int
	What string
}

// Error says where and what on one line.
func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.Name, e.Line, e.What) }

// statement is a line with those that go on with it.
type statement struct {
	line   int
	text   string
	tokens []string
}

// statements splits a text into lines that have something, each with its continuations.
func statements(name, text string) ([]statement, error) {
	var out []statement
	more := map[int][]string{} // lines that go on
	for i, s := range strings.Split(text, "\n") {
		s, _, _ = strings.Cut(s, "#")
		trimmed := strings.TrimSpace(s)
		if trimmed == "" {
			continue
		}
		if s[0] != ' ' && s[0] != '\t' {
			out = append(out, statement{line: i + 1, text: trimmed})
			continue
		}
		if len(out) == 0 {
			return nil, &Error{name, i + 1, "begin it in the first column: a line that begins with white space goes on with the one before, and there is none"}
		}
		more[len(out)-1] = append(more[len(out)-1], trimmed)
	}
	for i := range out {
		s := &out[i]
		s.text = strings.Join(append([]string{s.text}, more[i]...), " ")
		if word, rest, _ := strings.Cut(s.text, " "); word == "about" {
			s.tokens = []string{word, strings.TrimSpace(rest)}
			continue
		}
		var bad string
		if s.tokens, bad = tokens(s.text); bad != "" {
			return nil, &Error{name, s.line, fmt.Sprintf("%q has no meaning here", bad)}
		}
	}
	return out, nil
}

// tokens splits a statement into words, numbers and signs. A word begins with a letter
// and may hold digits, _, and a - that a letter follows.
func tokens(s string) (out []string, bad string) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r':
			i++
			continue
		case letter(c) || digit(c):
			j := i + 1
			for j < len(s) && (letter(s[j]) || digit(s[j]) || s[j] == '-' && j+1 < len(s) && letter(s[j+1])) {
				j++
			}
			out, i = append(out, s[i:j]), j
		case strings.HasPrefix(s[i:], "->") || strings.HasPrefix(s[i:], ":=") || strings.HasPrefix(s[i:], "!="):
			out, i = append(out, s[i:i+2]), i+2
		case strings.IndexByte("(),:;.=+-*", c) >= 0:
			out, i = append(out, s[i:i+1]), i+1
		default:
			_, n := utf8.DecodeRuneInString(s[i:])
			return nil, s[i : i+n]
		}
	}
	return out, ""
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
