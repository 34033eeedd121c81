package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
	k, err := fuzz.ParseToken(text)
	if err != nil {
		return subject{}, err
	}
	t, err := a.target(k.Target)
	return subject{target: t, token: k}, err
}

// maxFile bounds files that are read.
const maxFile = 16 << 20

func (a *app) fromFile(path string) (subject, error) {
	f, err := os.Open(path)
	if err != nil {
		return subject{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return subject{}, err
	case len(data) > maxFile:
		return subject{}, fmt.Errorf("%s is larger than %d MiB: it can't be a saved violation", path, maxFile>>20)
	case bytes.HasPrefix(data, []byte("go test fuzz")):
		return a.replayCorpus(path, data)
	}
	return a.saved(path, string(data))
}

// token is how a token looks in a text, whole or not.
var token = regexp.MustCompile(`[^\s'"@=]+@v[0-9]+:[^\s'"]*`)

// saved finds the token in a saved violation: a report, a JSON line, or a line
// with nothing but the token.
func (a *app) saved(path, text string) (subject, error) {
	var tokens []string
	first := 0
	for i, line := range strings.Split(text, "\n") {
		for _, k := range token.FindAllString(strings.ReplaceAll(line, `\n`, "\n"), -1) {
			if first == 0 {
				first = i + 1
			}
			if !slices.Contains(tokens, k) {
				tokens = append(tokens, k)
			}
		}
	}
	switch len(tokens) {
	case 0:
		return subject{}, fmt.Errorf("%s: no line holds a token (TARGET@v1:CHOICES), nor is it a corpus file of go test -fuzz", path)
	case 1:
		s, err := a.fromToken(tokens[0])
		if err != nil {
			return subject{}, fmt.Errorf("%s:%d: %w", path, first, err)
		}
		s.from = path
		return s, nil
	}
	return subject{}, fmt.Errorf("%s: holds %d tokens: give one of them", path, len(tokens))
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
