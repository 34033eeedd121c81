package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
	"github.com/fusedos/stramash/fuzz"
)

// subject is a run that the user names, by its token or by a file.
type subject struct {
	target fuzz.Target
	token  fuzz.Token
	from   string // the file, or empty
	clean  bool   // it is an input of the fuzzer without a violation
}

// subject finds the run that the one argument names.
func (a *app) subject(name string, args []string) (subject, error) {
	if len(args) != 1 {
		return subject{}, fmt.Errorf("give one token or file, not %d: verify %s 'TARGET@v1:CHOICES'", len(args), name)
	}
	arg := args[0]
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.Mode().IsRegular():
		return a.fromFile(arg)
	case strings.Contains(arg, "@"):
		return a.fromToken(arg)
	case err == nil:
		return subject{}, fmt.Errorf("%s is not a file that can be read: give a token or a file", arg)
	}
	return subject{}, fmt.Errorf("%.60q is neither a token (TARGET@v1:CHOICES) nor a file", arg)
}

func (a *app) fromToken(text string) (subject, error) {
	var s subject
	var err error
	if s.token, err = fuzz.ParseToken(text); err == nil {
		s.target, err = a.target(s.token.Target)
	}
	if err != nil && strings.ContainsAny(text, " \t\r\n'\"`") {
		err = fmt.Errorf("%.60q is more than a token: give the token alone, TARGET@v1:CHOICES", text)
	}
	return s, err
}

func (a *app) fromFile(path string) (subject, error) {
	data, err := input.ReadFile(path)
	if err != nil {
		return subject{}, err
	}
	if bytes.HasPrefix(data, []byte("go test fuzz")) {
		return a.replayCorpus(path, data)
	}
	return a.saved(path, string(data))
}

// saved finds the token in a saved violation: a report, a JSON line, or any
// text with one token in it.
func (a *app) saved(path, text string) (subject, error) {
	found := findTokens(text)
	switch len(found) {
	case 0:
		return subject{}, fmt.Errorf("%s: no line holds a token (TARGET@v1:CHOICES), nor is it a corpus file of go test -fuzz", path)
	case 1:
		s, err := a.fromToken(found[0].text)
		if err != nil {
			return subject{}, fmt.Errorf("%s:%d: %w", path, found[0].line, err)
		}
		s.from = path
		return s, nil
	}
	var lines []string
	for _, k := range found {
		lines = append(lines, strconv.Itoa(k.line))
	}
	return subject{}, fmt.Errorf("%s: holds different tokens, at lines %s: give one of them", path, strings.Join(lines, ", "))
}

// foundToken is a token in a text.
type foundToken struct {
	text string
	line int // the first that it is in
}

// maxFound is how many tokens of a text are told of, if it holds several.
const maxFound = 5

var (
	tokenForm = regexp.MustCompile(`[A-Za-z0-9][\w./+-]*@v[0-9]+:[A-Za-z0-9_-]+`)
	escape    = regexp.MustCompile(`\\[nrt]`) // in a JSON string
)

// findTokens finds what looks like a token, each once, and at most maxFound.
func findTokens(text string) []foundToken {
	var out []foundToken
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		for _, k := range tokenForm.FindAllString(escape.ReplaceAllLiteralString(line, " "), -1) {
			known := slices.ContainsFunc(out, func(f foundToken) bool { return f.text == k })
			if len(out) < maxFound && !known {
				out = append(out, foundToken{k, n})
			}
		}
	}
	return out
}

// replayCorpus finds the violation of a corpus file of go test -fuzz. The
// directory that the file is in names the fuzz function, as go test keeps it.
func (a *app) replayCorpus(path string, data []byte) (subject, error) {
	in, err := fuzz.ParseCorpus(data)
	if err != nil {
		return subject{}, fmt.Errorf("%s: %w", path, err)
	}
	group, err := a.group(path)
	if err != nil {
		return subject{}, err
	}
	t, f, err := fuzz.ReplayInput(group, in, a.watchdog)
	if err != nil {
		return subject{}, fmt.Errorf("%s: %w", path, err)
	}
	if f == nil {
		return subject{target: t, from: path, clean: true}, nil
	}
	return subject{target: t, token: f.Token(), from: path}, nil
}

// group is the targets of the fuzz function that a corpus file belongs to; a
// file elsewhere than in testdata belongs to the only function there is.
func (a *app) group(path string) ([]fuzz.Target, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Base(filepath.Dir(abs))
	if g, ok := a.groups[dir]; ok {
		return g, nil
	}
	if len(a.groups) == 1 && !strings.HasPrefix(dir, "Fuzz") {
		for _, g := range a.groups {
			return g, nil
		}
	}
	return nil, errors.New(path + ": its directory must be called like its fuzz function, such as testdata/fuzz/FuzzLocks")
}
