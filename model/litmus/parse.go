package litmus

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parser is the state of Parse.
type parser struct {
	t    *Test
	text string       // what is left
	line int          // where it begins
	used []use        // registers
	has  map[Ref]bool // items of the initial state
}

// use is a register that the initial state or the condition names.
type use struct {
	ref  Ref
	line int
}

// Parse reads a test in the format of herd7, in the syntax of X86_64 or AArch64,
// or in both with the header MIXED and columns like P0:x86_64. What is not
// supported is refused. An error names the line and the mend. Comments within
// the initial state, the code and the condition are dropped.
func Parse(text []byte) (*Test, error) {
	if len(text) > MaxBytes {
		return nil, failf(1, "the test has %d bytes, and %d is the limit; cut it", len(text), MaxBytes)
	}
	p := &parser{t: &Test{}, text: strings.ReplaceAll(string(text), "\r\n", "\n"), line: 1, has: map[Ref]bool{}}
	for _, step := range []func() error{p.characters, p.head, p.init, p.threads, p.tail, p.registers} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.observe()
	return p.t, nil
}

// characters refuses what is no text.
func (p *parser) characters() error {
	line := 1
	for i, r := range p.text {
		_, n := utf8.DecodeRuneInString(p.text[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t', r == 0x7f:
			return failf(line, "the byte %#x is no text; a litmus test is plain text", p.text[i])
		}
	}
	return nil
}

// cut takes n bytes of the text away.
func (p *parser) cut(n int) string {
	s := p.text[:n]
	p.line += strings.Count(s, "\n")
	p.text = p.text[n:]
	return s
}

// takeLine takes a line away, and its end.
func (p *parser) takeLine() string {
	n := strings.IndexByte(p.text, '\n') + 1
	if n == 0 {
		n = len(p.text)
	}
	return strings.TrimRight(p.cut(n), " \t\n")
}

// head reads all up to the initial state.
func (p *parser) head() error {
	p.skip()
	at := p.line
	arch, name, _ := strings.Cut(strings.ReplaceAll(p.takeLine(), "\t", " "), " ")
	p.t.Arch, p.t.Name = arch, strings.TrimSpace(name)
	if !slices.Contains([]string{"X86_64", "AArch64", "MIXED"}, arch) {
		return failf(at, "%s is no architecture; the first line is X86_64, AArch64 or MIXED, and the name", quote(arch))
	}
	if p.t.Name == "" {
		return failf(at, "the test has no name; write it behind %s", arch)
	}
	open := "" // what ends the comment or text that a line before has begun
	for p.text != "" {
		begin := strings.TrimLeft(p.text, " \t")
		if open == "" && strings.HasPrefix(begin, "{") {
			return nil
		}
		line := p.takeLine()
		p.t.Head = append(p.t.Head, line)
		open = stillOpen(open, strings.TrimSpace(line))
	}
	return failf(p.line, "there is no initial state; write it in braces, before the threads: {}")
}

// stillOpen is what ends the comment or quoted text in which a line of the head
// ends, if it does in one: they may hold lines that begin with a brace.
func stillOpen(open, line string) string {
	if open == "" {
		switch {
		case strings.HasPrefix(line, "(*"):
			open, line = "*)", line[2:]
		case strings.HasPrefix(line, `"`):
			open, line = `"`, line[1:]
		default:
			return ""
		}
	}
	if strings.Contains(line, open) {
		return ""
	}
	return open
}

// skip takes white space away.
func (p *parser) skip() {
	p.cut(len(p.text) - len(strings.TrimLeft(p.text, " \t\n")))
}

// init reads the initial state. The lines of it are kept as a layout.
func (p *parser) init() error {
	var err error
	p.skip()
	if p.text, err = blank(p.text, p.line); err != nil {
		return err
	}
	p.cut(1)
	first := p.line
	n := strings.IndexByte(p.text, '}')
	if n < 0 {
		return failf(first, "the initial state has no end; close it with }")
	}
	c := cursor{lex(p.text[:n], first), first + strings.Count(p.text[:n], "\n")}
	p.cut(n + 1)
	rows := make([][]Init, p.line-first+1)
	for c.peek().text != "" {
		at := c.peek().line
		if c.accept(";") {
			continue
		}
		item, err := p.initItem(&c)
		if err != nil {
			return err
		}
		rows[at-first] = append(rows[at-first], item)
		if t := c.peek(); t.text != "" && t.text != ";" {
			return failf(t.line, "%s behind an item of the initial state; separate items by ;", quote(t.text))
		}
	}
	if len(rows[0]) == 0 {
		rows = rows[1:]
	}
	if n := len(rows); n > 0 && len(rows[n-1]) == 0 {
		rows = rows[:n-1]
	}
	p.t.Init = rows
	return nil
}

// sizes are the types, and their bytes. (long is not among them: herd has it as
// of 4 bytes, where it has 8 on both architectures.)
var sizes = map[string]uint8{
	"char": 1, "int8_t": 1, "uint8_t": 1, "short": 2, "int16_t": 2, "uint16_t": 2,
	"int": 4, "int32_t": 4, "uint32_t": 4, "int64_t": 8, "uint64_t": 8,
	"intptr_t": 8, "uintptr_t": 8,
}

// initItem reads an item: x=1, 0:X1=x, int y=2, int64_t* p=x.
func (p *parser) initItem(c *cursor) (Init, error) {
	var item Init
	if t := c.peek(); t.word() && len(c.toks) > 1 && (c.toks[1].number() || c.toks[1].word() ||
		strings.Contains("*[", c.toks[1].text)) && !(len(c.toks) > 2 && c.toks[1].text == "[" && c.toks[2].number()) {
		if sizes[t.text] == 0 {
			return item, failf(t.line, "type %s is not supported; use int, or a type like int64_t", quote(t.text))
		}
		item.Type = c.next().text
		if c.accept("*") {
			item.Type += "*"
		}
	}
	at := c.peek().line
	var err error
	if item.Ref, err = p.ref(c); err != nil {
		return item, err
	}
	if p.has[item.Ref] {
		return item, failf(at, "%s has two initial values; leave one out", item.Ref)
	}
	p.has[item.Ref] = true
	if c.accept("=") {
		item.Value, err = p.value(c)
	}
	if err == nil && item.Value.Loc && typeSize(item.Type)%8 != 0 {
		err = failf(at, "the address of %s does not fit into %s; use int64_t", quote(item.Value.Text), item.Type)
	}
	return item, err
}

// ref reads the name of a register or of a location.
func (p *parser) ref(c *cursor) (Ref, error) {
	t := c.next()
	bracket := t.text == "["
	if bracket {
		t = c.next()
	}
	switch {
	case t.number() && !bracket, t.word() && !bracket && isThread(t.text) && c.peek().text == ":":
		n, err := strconv.Atoi(strings.TrimPrefix(t.text, "P"))
		if err != nil || n < 0 || n >= MaxThreads {
			return Ref{}, failf(t.line, "%s is no thread; threads are 0 to %d", quote(t.text), MaxThreads-1)
		}
		if err := c.expect(":", "a register"); err != nil {
			return Ref{}, err
		}
		r := c.next()
		reg, name, ok := register(r.text)
		if !ok {
			return Ref{}, failf(r.line, "%s is no register; registers are like 0:X3 and 1:rax", quote(r.text))
		}
		ref := Ref{n, reg, name}
		p.used = append(p.used, use{ref, r.line})
		return ref, nil
	case !t.word():
		return Ref{}, failf(t.line, "%s no register and no location; they are like 0:X3, 1:rax and [x]", shown(t))
	}
	if _, err := p.location(t.text, t.line); err != nil {
		return Ref{}, err
	}
	if n := c.peek().text; n == "[" || n == ":" || n == "(" {
		return Ref{}, failf(t.line, "%s is not supported; write a location without arrays, tags, labels or page tables", quote(t.text+n))
	}
	if bracket {
		return Ref{-1, 0, t.text}, c.expect("]", "a location")
	}
	return Ref{-1, 0, t.text}, nil
}

func isThread(s string) bool { return len(s) > 1 && s[0] == 'P' && isDigit(s[1]) }

// location is the index of a location, which a first mention makes.
func (p *parser) location(name string, line int) (int, error) {
	if i := slices.Index(p.t.names, name); i >= 0 {
		return i, nil
	}
	if len(p.t.names) == MaxLocations || len(name) > MaxCell {
		return 0, failf(line, "location %s is one too many, or its name too long; %d locations and %d bytes are the limits",
			quote(name), MaxLocations, MaxCell)
	}
	p.t.names = append(p.t.names, name)
	return len(p.t.names) - 1, nil
}

// value reads a number or the name of a location.
func (p *parser) value(c *cursor) (Value, error) {
	amp := c.accept("&")
	t := c.next()
	if next := c.peek().text; next == ":" || next == "[" || next == "(" {
		return Value{}, failf(t.line, "value %s is not supported; write a number or a location", quote(t.text+next))
	}
	if t.number() && !amp {
		n, ok := number(t.text)
		if !ok {
			return Value{}, failf(t.line, "%s is no number of 64 bits; write one", quote(t.text))
		}
		return Value{Text: t.text, Num: n}, nil
	}
	if !t.word() {
		return Value{}, failf(t.line, "%s no value; a value is a number or the name of a location", shown(t))
	}
	i, err := p.location(t.text, t.line)
	return Value{t.text, AddressOf(i), true}, err
}

// number reads a number modulo 2^64: decimal or 0x…, with or without a sign.
func number(s string) (uint64, bool) {
	digits, minus := strings.CutPrefix(s, "-")
	base := 10
	if len(digits) > 2 && strings.EqualFold(digits[:2], "0x") {
		digits, base = digits[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if minus {
		n = -n
	}
	return n, err == nil && digits != "" && digits[0] != '+'
}
