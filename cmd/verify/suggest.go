package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// catalogue is things of one kind that have names.
type catalogue[T any] struct {
	kind  string
	all   []T
	name  func(T) string
	where string // to find the names; empty if they are few
}

// pick finds things by name, each once; all if no name is given.
func (c catalogue[T]) pick(wanted []string) ([]T, error) {
	if len(wanted) == 0 {
		return c.all, nil
	}
	var known []string
	for _, t := range c.all {
		known = append(known, c.name(t))
	}
	var out []T
	for i, name := range wanted {
		at := slices.Index(known, name)
		if at < 0 {
			where := cmp.Or(c.where, "use one of "+strings.Join(known, ", "))
			return nil, fmt.Errorf("no %s is called %.60q%s", c.kind, name, suggest(name, known, where))
		}
		if slices.Contains(wanted[:i], name) {
			return nil, fmt.Errorf("%s %s is given twice", c.kind, name)
		}
		out = append(out, c.all[at])
	}
	return out, nil
}

// pick finds targets by name, also in the suite; all but the suite's if no name
// is given. A name may end with a memory order and a storage, as
// locks/mcs+native+mesi does.
func (a *app) pick(names []string) ([]fuzz.Target, error) {
	if len(names) == 0 {
		return a.targets, nil
	}
	known := slices.Clone(a.targets)
	for _, p := range a.suite {
		known = append(known, p.Target)
	}
	var out []fuzz.Target
	for i, full := range names {
		name, order, storage, err := fuzz.CutName(full)
		if err != nil {
			return nil, fmt.Errorf("target %.60q: %w", full, err)
		}
		if slices.Contains(names[:i], full) {
			return nil, fmt.Errorf("target %s is given twice", full)
		}
		nameOf := func(t fuzz.Target) string { return t.Name }
		found, err := catalogue[fuzz.Target]{"target", known, nameOf, "verify list names them"}.pick([]string{name})
		if err != nil {
			return nil, err
		}
		if order != machine.SC {
			found[0] = found[0].Under(order)
		}
		if storage != nil {
			found[0] = found[0].On(storage)
		}
		out = append(out, found...)
	}
	return out, nil
}

// target finds a target by name.
func (a *app) target(name string) (fuzz.Target, error) {
	found, err := a.pick([]string{name})
	if err != nil {
		return fuzz.Target{}, err
	}
	return found[0], nil
}

// suggest is the end of a message that something is not known: names near to
// it, or else where to find them.
func suggest(name string, known []string, otherwise string) string {
	type near struct {
		name string
		far  int
	}
	var nearby []near
	for _, k := range known {
		far := distance(name, k)
		if strings.Contains(k, name) || strings.Contains(name, k) {
			far = 1
		}
		if name != "" && far <= 1+len(name)/4 {
			nearby = append(nearby, near{k, far})
		}
	}
	if len(nearby) == 0 {
		return "; " + otherwise
	}
	slices.SortStableFunc(nearby, func(a, b near) int { return a.far - b.far })
	var names []string
	for _, n := range nearby[:min(len(nearby), 3)] {
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
