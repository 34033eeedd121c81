package history

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ednScanner reads the part of edn, Clojure's notation for data, that the maps of
// a Jepsen history are made of: keywords, numbers, strings, nil, true and false,
// and vectors of numbers.
type ednScanner struct {
	rest string
}

const ednBlank = " \t,"

// parseMap reads a map from keywords to plain values.
func parseMap(s string) (f fields, err error) {
	if !utf8.ValidString(s) {
		return f, errors.New("the line is not UTF-8")
	}
	e := ednScanner{s}
	if !e.skip("{") {
		return f, errors.New("the line is no map")
	}
	for !e.skip("}") {
		name, err := e.value()
		if err != nil {
			return f, err
		}
		if name.kind != aWord || !strings.HasPrefix(name.text, ":") {
			return f, fmt.Errorf("the map has %s where a keyword such as :process belongs", name)
		}
		v, err := e.value()
		if err != nil {
			return f, err
		}
		if err := f.add(name.text, v); err != nil {
			return f, err
		}
	}
	return f, e.end("the map")
}

// parsePlain reads one plain value.
func parsePlain(s string) (value, error) {
	e := ednScanner{s}
	v, err := e.value()
	if err != nil {
		return v, err
	}
	return v, e.end("the value")
}

// end fails unless all was read.
func (e *ednScanner) end(what string) error {
	if rest := strings.TrimLeft(e.rest, ednBlank); rest != "" {
		return fmt.Errorf("there is more behind %s: %.40q", what, rest)
	}
	return nil
}

// skip skips blanks and then the token, if it is next.
func (e *ednScanner) skip(token string) bool {
	e.rest = strings.TrimLeft(e.rest, ednBlank)
	rest, found := strings.CutPrefix(e.rest, token)
	e.rest = rest
	return found
}

// value reads a plain value.
func (e *ednScanner) value() (value, error) {
	switch {
	case e.skip(`"`):
		return e.text()
	case e.skip("["):
		return e.vector()
	}
	return e.token()
}

// token reads a value that is neither a string nor a vector.
func (e *ednScanner) token() (value, error) {
	if e.rest == "" {
		return value{}, errors.New("the line ends too soon: is it cut off?")
	}
	end := strings.IndexAny(e.rest, ednBlank+`{}[]()"`)
	if end < 0 {
		end = len(e.rest)
	}
	token := e.rest[:end]
	e.rest = e.rest[end:]
	switch {
	case token == "":
		return value{}, fmt.Errorf("%.1q is out of place: values are plain", e.rest)
	case token == "nil":
		return value{kind: aNull}, nil
	case token == "true" || token == "false" || len(token) > 1 && token[0] == ':':
		return value{kind: aWord, text: token}, nil
	}
	if v := parseNumber(token); v.kind == aNumber {
		return v, nil
	}
	return value{kind: oddity, text: token}, nil
}

// vector reads the numbers behind "[".
func (e *ednScanner) vector() (value, error) {
	v := value{kind: aList}
	for !e.skip("]") {
		n, err := e.token()
		if err != nil {
			return v, err
		}
		if n.kind != aNumber {
			return v, fmt.Errorf("a vector holds %s: it holds numbers from 0 to 2⁶⁴-1 only", n)
		}
		v.list = append(v.list, n.number)
	}
	return v, nil
}

// text reads a string behind its first quotation mark.
func (e *ednScanner) text() (value, error) {
	var out strings.Builder
	for {
		stop := strings.IndexAny(e.rest, `"\`)
		if stop < 0 || e.rest[stop] == '\\' && stop+1 == len(e.rest) {
			return value{}, errors.New("a string has no end: is the line cut off?")
		}
		out.WriteString(e.rest[:stop])
		mark := e.rest[stop]
		e.rest = e.rest[stop+1:]
		if mark == '"' {
			return value{kind: aText, text: out.String()}, nil
		}
		if err := e.escape(&out); err != nil {
			return value{}, err
		}
	}
}

// escape reads what stands behind a backslash.
func (e *ednScanner) escape(out *strings.Builder) error {
	c := e.rest[0]
	e.rest = e.rest[1:]
	if at := strings.IndexByte(`tnrbf"\`, c); at >= 0 {
		out.WriteByte("\t\n\r\b\f\"\\"[at])
		return nil
	}
	if c == 'u' && len(e.rest) >= 4 {
		n, err := strconv.ParseUint(e.rest[:4], 16, 16)
		if r := rune(n); err == nil && utf8.ValidRune(r) {
			out.WriteRune(r)
			e.rest = e.rest[4:]
			return nil
		}
	}
	return fmt.Errorf("a string holds the unknown escape %q", `\`+string(c)+e.rest[:min(len(e.rest), 4)])
}
