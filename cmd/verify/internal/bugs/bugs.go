// Package bugs shows that seeded bugs are found. A bug is a directory with a diff
// against today's source and a text that says what it is, where it comes from,
// which targets must catch it, and how it must show. Its diff is applied to
// copies of the files, which a build of the hunter overlays on the source: the
// product itself holds no switch for any fault. A bug of a coherence protocol is a diff
// against the protocol's table, and names the systems in which it must be found.
package bugs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
)

// Bug is a seeded bug.
type Bug struct {
	Name    string   // of its directory
	Dir     string   // where it is
	What    string   // what is wrong, in a sentence
	Source  string   // where it comes from: commit, CVE, paper, artifact
	Targets []string // that must catch it
	Shows   []string // one of these must be in the rule of the violation
	Orders  []string // memory orders under which it shows, and no others; empty if it shows under sc, and perhaps others

	// Of a bug in the table of a protocol, in the place of Targets and Orders:
	Models []System // in which it must be found
	Needs  []string // without which it can't: quiescence, or parameters as large as this
}

// The files of a bug's directory.
const (
	diffFile = "bug.diff"
	textFile = "bug.txt"
)

// Module is the path of the module whose source the diffs change.
const Module = "github.com/fusedos/stramash"

// Root is the directory of the module's source at or above dir. It fails
// outside of it.
func Root(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		mod, err := input.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil && slices.Contains(strings.Split(string(mod), "\n"), "module "+Module) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is not in a checkout of %s: seeded bugs are diffs against its source, so run verify there", dir, Module)
		}
	}
}

// LoadAll reads all bugs in a directory, in the order of their names.
func LoadAll(dir string) ([]Bug, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: it should hold a directory with %s and %s for each bug", err, diffFile, textFile)
	}
	var out []Bug
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		b, err := Load(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// Load reads one bug from its directory.
func Load(dir string) (Bug, error) {
	b := Bug{Name: filepath.Base(dir), Dir: dir}
	file := filepath.Join(dir, textFile)
	text, err := input.ReadFile(file)
	if err != nil {
		return b, fmt.Errorf("bug %s: %w", b.Name, err)
	}
	if line, err := b.parse(string(text)); err != nil {
		return b, fmt.Errorf("bug %s: %s:%d: %w", b.Name, file, line, err)
	}
	if err := b.complete(); err != nil {
		return b, fmt.Errorf("bug %s: %s: %w", b.Name, file, err)
	}
	return b, nil
}

// parse reads lines of the form key: value. A line that begins with white
// space goes on with the one before; # begins a comment.
func (b *Bug) parse(text string) (line int, err error) {
	var last *string
	for line, s := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(s)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if s[0] == ' ' || s[0] == '\t' {
			if last == nil {
				return line + 1, errors.New("a line that goes on needs one before it")
			}
			*last += " " + trimmed
			continue
		}
		key, value, ok := strings.Cut(s, ":")
		if !ok {
			return line + 1, fmt.Errorf("%.60q is no line of the form key: value", trimmed)
		}
		if last = b.field(strings.TrimSpace(key)); last == nil {
			return line + 1, fmt.Errorf("there is no key %.60q: use what, source, target, shows, orders, model or needs", key)
		}
		*last = strings.TrimSpace(value)
	}
	return 0, nil
}

// field is where the value of a key goes, or nil.
func (b *Bug) field(key string) *string {
	if key == "model" {
		b.Models = append(b.Models, System{})
		return &b.Models[len(b.Models)-1].Text
	}
	lists := map[string]*[]string{"target": &b.Targets, "shows": &b.Shows, "orders": &b.Orders, "needs": &b.Needs}
	if l := lists[key]; l != nil {
		*l = append(*l, "")
		return &(*l)[len(*l)-1]
	}
	return map[string]*string{"what": &b.What, "source": &b.Source}[key]
}

// orders are the names of the memory orders.
var orders = []string{"sc", "tso", "native"}

// complete says what is missing or wrong.
func (b *Bug) complete() error {
	for _, f := range []struct {
		key string
		has bool
	}{
		{"what", b.What != ""},
		{"source", b.Source != ""},
		{"target", (len(b.Targets) > 0 || b.OfProtocol()) && !slices.Contains(b.Targets, "")},
		{"shows", len(b.Shows) > 0 && !slices.Contains(b.Shows, "")},
	} {
		if !f.has {
			return fmt.Errorf("it has no %s", f.key)
		}
	}
	for i, t := range b.Targets {
		if slices.Contains(b.Targets[:i], t) {
			return fmt.Errorf("it names the target %.60q twice", t)
		}
	}
	b.Orders = fields(b.Orders)
	for _, o := range b.Orders {
		if !slices.Contains(orders, o) {
			return fmt.Errorf("there is no order %.60q: use %s", o, strings.Join(orders, ", "))
		}
	}
	return b.completeModels()
}

// fields splits lists at commas and spaces.
func fields(lists []string) []string {
	return strings.FieldsFunc(strings.Join(lists, ","), func(r rune) bool { return r == ',' || r == ' ' })
}

// shownBy says whether a violation of this rule is the bug's.
func (b Bug) shownBy(rule string) bool {
	return slices.ContainsFunc(b.Shows, func(s string) bool { return strings.Contains(rule, s) })
}
