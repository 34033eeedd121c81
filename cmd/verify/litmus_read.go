package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
)

// litmusFile is a file with a test.
type litmusFile struct {
	path string // as it was given, or below the folder that was
	file string // relative to that folder, with slashes; else the base name
	from int    // which of the paths that were given
}

// litmusFiles finds the files: those given, and all *.litmus in and below the
// folders, in the order of their names.
func litmusFiles(paths []string) ([]litmusFile, error) {
	if len(paths) == 0 {
		return nil, errors.New("give files or folders with litmus tests, or - for the standard input: verify litmus -h tells more")
	}
	var out []litmusFile
	for i, p := range paths {
		if p == "-" {
			out = append(out, litmusFile{p, p, i})
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, litmusFile{p, filepath.Base(p), i})
			continue
		}
		n := len(out)
		err = fs.WalkDir(os.DirFS(p), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path.Ext(name) == ".litmus" {
				out = append(out, litmusFile{filepath.Join(p, filepath.FromSlash(name)), name, i})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(out) == n {
			return nil, fmt.Errorf("%s has no file whose name ends in .litmus", p)
		}
	}
	return out, nil
}

// read is the text of the file.
func (f litmusFile) read() ([]byte, error) {
	if f.path == "-" {
		return input.ReadAll(os.Stdin, "the standard input")
	}
	return input.ReadFile(f.path)
}

// litmusTexts reads all tests of a folder; there are none if it has no name.
func litmusTexts(folder string) ([][]byte, error) {
	if folder == "" {
		return nil, nil
	}
	files, err := litmusFiles([]string{folder})
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, f := range files {
		text, err := f.read()
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// expectations are files that say which final states tests have.
type expectations []map[string][]string

// repeated is a flag that may be given several times.
type repeated []string

// String is empty: there is no default.
func (r *repeated) String() string { return "" }

// Set adds a value.
func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}

// readExpectations reads one file for all of the paths, or one for each.
func readExpectations(names, paths []string) (expectations, error) {
	if n := len(names); n > 1 && n != len(paths) {
		return nil, fmt.Errorf("-expected is given %d times, for %s: give it once, or once for each path, in their order",
			n, counted(len(paths), "path"))
	}
	var out expectations
	for _, name := range names {
		data, err := input.ReadFile(name)
		if err != nil {
			return nil, err
		}
		byFile, err := parseExpectations(string(data))
		if err != nil {
			return nil, fmt.Errorf("%s:%w", name, err)
		}
		out = append(out, byFile)
	}
	return out, nil
}

// parseExpectations reads JSON lines with the states of a file each. Its errors
// begin with the line.
func parseExpectations(text string) (map[string][]string, error) {
	byFile := map[string][]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		var e struct {
			File   string   `json:"file"`
			States []string `json:"states"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("%d: %w; write an object with file and states on each line", n, err)
		}
		if e.File == "" || e.States == nil {
			return nil, fmt.Errorf("%d: file or states is missing", n)
		}
		slices.Sort(e.States)
		byFile[e.File] = e.States
	}
	return byFile, nil
}

// of is what is expected of a file.
func (e expectations) of(f litmusFile) (states []string, ok bool) {
	if len(e) == 0 {
		return nil, false
	}
	states, ok = e[min(f.from, len(e)-1)][f.file]
	return states, ok
}

// differ splits what is in only one of two sorted lists.
func differ(got, want []string) (missing, extra []string) {
	only := func(a, b []string) (out []string) {
		for _, s := range a {
			if _, found := slices.BinarySearch(b, s); !found {
				out = append(out, s)
			}
		}
		return out
	}
	return only(want, got), only(got, want)
}
