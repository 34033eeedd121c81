package litmus

import "strings"

// token is a word, a number or a sign of the initial state or the condition.
type token struct {
	text string
	line int
}

// word says whether the token is a name.
func (t token) word() bool { return t.text != "" && isLetter(t.text[0]) }

// number says whether it is a number.
func (t token) number() bool {
	return t.text != "" && (isDigit(t.text[0]) || len(t.text) > 1 && t.text[0] == '-')
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isSpace(c byte) bool  { return c == ' ' || c == '\t' || c == '\n' }

// inWord says whether c may stand in a name after its first letter.
func inWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' }

// signs are the tokens of more than one character that are no words.
var signs = []string{`/\`, `\/`, "!=", "=>", "=="}

// lex cuts a text that begins at a line into tokens.
func lex(text string, line int) []token {
	var out []token
	for i := 0; i < len(text); {
		n := 1
		switch c := text[i]; {
		case isSpace(c):
			if c == '\n' {
				line++
			}
			i++
			continue
		case isLetter(c), isDigit(c), c == '-':
			for i+n < len(text) && inWord(text[i+n]) {
				n++
			}
		case c >= 0x80:
			for i+n < len(text) && text[i+n] >= 0x80 {
				n++
			}
		default:
			for _, s := range signs {
				if strings.HasPrefix(text[i:], s) {
					n = len(s)
				}
			}
		}
		out = append(out, token{text[i : i+n], line})
		i += n
	}
	return out
}

// blank replaces what is between (* and *) by spaces, and keeps the lines.
func blank(text string, line int) (string, error) {
	if !strings.Contains(text, "(*") {
		return text, nil
	}
	out := []byte(text)
	depth, opened := 0, 0
	for i := 0; i < len(out); i++ {
		two := ""
		if i+1 < len(out) {
			two = text[i : i+2]
		}
		n := 1
		switch {
		case two == "(*":
			if depth == 0 {
				opened = line
			}
			depth++
			n = 2
		case two == "*)" && depth > 0:
			depth--
			n = 2
		case text[i] == '\n':
			line++
			continue
		case depth == 0:
			continue
		}
		for range n {
			out[i] = ' '
			i++
		}
		i--
	}
	if depth > 0 {
		return "", failf(opened, "the comment has no end; close it with *)")
	}
	return string(out), nil
}

// cursor reads tokens one after the other.
type cursor struct {
	toks []token
	end  int // the line where they end
}

func (c *cursor) peek() token {
	if len(c.toks) == 0 {
		return token{"", c.end}
	}
	return c.toks[0]
}

func (c *cursor) next() token {
	t := c.peek()
	if len(c.toks) > 0 {
		c.toks = c.toks[1:]
	}
	return t
}

// accept takes the next token if it is text.
func (c *cursor) accept(text string) bool {
	if len(c.toks) > 0 && c.toks[0].text == text {
		c.next()
		return true
	}
	return false
}

func (c *cursor) expect(text, where string) error {
	if t := c.peek(); !c.accept(text) {
		return failf(t.line, "%s where %s has %s; write %s there", shown(t), where, quote(text), quote(text))
	}
	return nil
}

// shown is the token in an error.
func shown(t token) string {
	if t.text == "" {
		return "the end is"
	}
	return quote(t.text) + " is"
}
