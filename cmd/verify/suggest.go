package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/fuzz"
)

// pick finds targets by name; all if no name is given.
func (a *app) pick(names []string) ([]fuzz.Target, error) {
	if len(names) == 0 {
		return a.targets, nil
	}
	var out []fuzz.Target
	for _, name := range names {
		t, err := a.target(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(t fuzz.Target) bool { return t.Name == name }) {
			return nil, fmt.Errorf("target %s is given twice", name)
		}
		out = append(out, t)
	}
	return out, nil
}

// target finds a target by name.
func (a *app) target(name string) (fuzz.Target, error) {
	names := make([]string, len(a.targets))
	for i, t := range a.targets {
		if t.Name == name {
			return t, nil
		}
		names[i] = t.Name
	}
	return fuzz.Target{}, fmt.Errorf("no target is called %q%s", name, suggest(name, names, "verify list names them"))
}

// suggest is the end of a message that something is not known: names near to
// it, or else where to find them.
func suggest(name string, known []string, otherwise string) string {
	type near struct {
		name string
		far  int
	}
	var close []near
	for _, k := range known {
		far := distance(name, k)
		if strings.Contains(k, name) || strings.Contains(name, k) {
			far = 1
		}
		if name != "" && far <= 1+len(name)/4 {
			close = append(close, near{k, far})
		}
	}
	if len(close) == 0 {
		return "; " + otherwise
	}
	slices.SortStableFunc(close, func(a, b near) int { return a.far - b.far })
	var names []string
	for _, n := range close[:min(len(close), 3)] {
		names = append(names, n.name)
	}
	return ": did you mean " + strings.Join(names, " or ") + "?"
}

// distance is the number of characters to change, insert or delete that turns
// one string into the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
