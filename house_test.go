// Package stramash_test holds the rules of the house: which folder may import
// which, and what library code must not do. CONTRIBUTING.md says why.
package stramash_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The example of the README is the one that a test of package fuzz runs.
func TestReadmeShowsTheTestedExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("fuzz/testdata/outside/mylock_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+strings.TrimSpace(string(example))+"\n```") {
		t.Error("README.md does not hold fuzz/testdata/outside/mylock_test.go as it is")
	}
}

const module = "github.com/fusedos/stramash/"

// layers are the folders, each of which may import those before it.
var layers = []string{
	"model", "coherence", "machine", "locks", "pagetable", "kernel",
	"workload", "checkers", "fuzz", "campaign", "targets", "corpus", "cmd",
}

func layerOf(path string) int {
	top, _, _ := strings.Cut(path, "/")
	return slices.Index(layers, top)
}

// source is a parsed file.
type source struct {
	path string // within the module, with slashes
	file *ast.File
	fset *token.FileSet
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

func (s source) test() bool    { return strings.HasSuffix(s.path, "_test.go") }
func (s source) library() bool { return !strings.HasPrefix(s.path, "cmd/") && !s.test() }

// sources are all files of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || len(path) > 1 && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		out = append(out, source{filepath.ToSlash(path), f, fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d files found: is this the root of the module?", len(out))
	}
	return out
}

func imports(f *ast.File) []string {
	var out []string
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		out = append(out, path)
	}
	return out
}

func TestImportsGoOneWay(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		from := layerOf(s.path)
		if from < 0 {
			t.Errorf("%s: its folder is not in the list of layers", s.path)
		}
		for _, path := range imports(s.file) {
			rest, ours := strings.CutPrefix(path, module)
			if to := layerOf(rest); ours && (to < 0 || to > from) {
				t.Errorf("%s imports %s, which stands below it", s.path, rest)
			}
		}
	}
}

// impure are the packages that library code does without; allowed, the three
// exceptions: the watchdog is the one thing that looks at a clock, Check is the
// edge between the library and go test, and a campaign is a directory.
var (
	impure = []string{
		"time", "os", "math/rand", "math/rand/v2", "log", "net", "crypto/rand", "testing", "unsafe",
	}
	allowed = map[string][]string{
		"fuzz/watchdog.go": {"time"},
		"fuzz/check.go":    {"os", "testing"},
		"campaign/file.go": {"os"},
	}
)

func TestLibraryIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if !s.library() {
			continue
		}
		for _, path := range imports(s.file) {
			if slices.Contains(impure, path) && !slices.Contains(allowed[s.path], path) {
				t.Errorf("%s imports %s: library code has no clock, environment or global randomness", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && prints(c) {
				t.Errorf("%s prints", s.at(c))
			}
			return true
		})
	}
}

func prints(c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name == "print" || f.Name == "println"
	case *ast.SelectorExpr:
		pkg, ok := f.X.(*ast.Ident)
		return ok && pkg.Name == "fmt" && strings.HasPrefix(f.Sel.Name, "Print")
	}
	return false
}

const (
	maxFunction = 70  // lines
	maxFile     = 500 // lines
)

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.fset.File(s.file.Pos()).LineCount(); n > maxFile {
			t.Errorf("%s has %d lines: is it one room, or two?", s.path, n)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if lines > maxFunction {
				t.Errorf("%s: %s has %d lines, more than fit a screen", s.at(f), f.Name.Name, lines)
			}
		}
	}
}

func TestExportedSymbolsAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			for _, n := range undocumented(d) {
				t.Errorf("%s: %s has no comment", s.at(d), n)
			}
		}
	}
}

// undocumented lists the exported names of a declaration that no comment
// covers, neither their own nor their group's.
func undocumented(d ast.Decl) []string {
	var out []string
	add := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c != nil }) {
			out = append(out, name.Name)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if exportedReceiver(d) {
			add(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				add(spec.Name, spec.Doc, d.Doc)
			case *ast.ValueSpec:
				add(spec.Names[0], spec.Doc, spec.Comment, d.Doc)
			}
		}
	}
	return out
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	of := d.Recv.List[0].Type
	for {
		switch x := of.(type) {
		case *ast.StarExpr:
			of = x.X
		case *ast.IndexExpr:
			of = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// The engines that check each other have nothing in common but the programs that
// they are given.
func TestEnginesShareNothing(t *testing.T) {
	common := []string{module + "model/litmus", module + "model/memory"}
	found := 0
	for _, s := range sources(t) {
		engine := strings.HasPrefix(s.path, "model/memory/") && !s.test() && strings.Count(s.path, "/") == 3
		for _, path := range imports(s.file) {
			if engine && strings.HasPrefix(path, module) && !slices.Contains(common, path) {
				t.Errorf("%s imports %s, which is another engine's", s.path, path)
			}
		}
		if engine {
			found++
		}
	}
	if found < 10 {
		t.Errorf("only %d files of engines found", found)
	}
}
