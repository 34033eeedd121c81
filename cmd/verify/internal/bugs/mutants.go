package bugs

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
)

// Mutant is one place of the source with a weaker memory order or fence.
type Mutant struct {
	File     string // below the module's root
	Line     int
	Func     string // in which it is
	Call     string // the function that the order is given to; or the variable
	Nth      int    // of those of its function that have the same call, counted from 1
	From, To string // names of machine.Order or machine.Fence; To is "none" for a fence that is gone

	at, end int    // the bytes that change
	text    string // what they become
}

// String names the mutant, in a way that outlives changes elsewhere in the file.
func (m Mutant) String() string {
	return fmt.Sprintf("%s %s %s.%d %s>%s", m.File, m.Func, m.Call, m.Nth, m.From, m.To)
}

// Steps from an order to weaker ones: a load's, another access's, and a fence's.
var (
	weakerLoad   = map[string][]string{"Acquire": {"AcquirePC", "Relaxed"}, "AcquirePC": {"Relaxed"}}
	weakerAccess = map[string][]string{"Acquire": {"Relaxed"}, "Release": {"Relaxed"}, "AcqRel": {"Acquire", "Release", "Relaxed"}}
	weakerFence  = map[string][]string{"FullFence": {"LoadFence", "StoreFence", "none"}, "LoadFence": {"none"}, "StoreFence": {"none"}, "InstFence": {"none"}}
)

// loads are the functions that take the order of a load.
var loads = []string{"Load", "until", "untilNot", "Cond"}

// Mutants lists the mutants of a file, or of all files of a directory that are no
// tests, in the order of the source. The path is below root.
func Mutants(root, path string) ([]Mutant, error) {
	files := []string{path}
	if info, err := os.Stat(filepath.Join(root, path)); err != nil {
		return nil, err
	} else if info.IsDir() {
		found, err := filepath.Glob(filepath.Join(root, path, "*.go"))
		if err != nil {
			return nil, err
		}
		files = nil
		for _, f := range found {
			if !strings.HasSuffix(f, "_test.go") {
				files = append(files, filepath.Join(path, filepath.Base(f)))
			}
		}
	}
	var all []Mutant
	for _, f := range files {
		ms, err := mutantsOf(root, f)
		if err != nil {
			return nil, err
		}
		all = append(all, ms...)
	}
	return all, nil
}

// mutantsOf lists the mutants of one file.
func mutantsOf(root, name string) ([]Mutant, error) {
	fset := token.NewFileSet()
	src, err := input.ReadFile(filepath.Join(root, name))
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := scan{fset: fset, file: name}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			s.fn, s.seen = f.Name.Name, map[string]int{}
			ast.Inspect(f, s.node)
		}
	}
	return s.found, nil
}

// scan looks for mutants.
type scan struct {
	fset  *token.FileSet
	file  string
	fn    string
	seen  map[string]int // calls with an order, in the function
	found []Mutant
}

// node looks at what a node gives an order to.
func (s *scan) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && called(call.Fun) == "Fence" && len(call.Args) == 1 {
			s.add("Fence", n, call.Args[0], weakerFence)
			return false
		}
	case *ast.CallExpr:
		name := called(n.Fun)
		for _, a := range n.Args {
			s.add(name, a, a, steps(name))
		}
	case *ast.KeyValueExpr:
		s.add("Cond", n.Value, n.Value, weakerLoad)
	case *ast.AssignStmt:
		for i, v := range n.Rhs {
			if len(n.Lhs) == len(n.Rhs) {
				s.add(called(n.Lhs[i]), v, v, weakerAccess)
			}
		}
	}
	return true
}

// steps are those of what a function is given.
func steps(name string) map[string][]string {
	if slices.Contains(loads, name) {
		return weakerLoad
	}
	return weakerAccess
}

// called is the last name of an expression.
func called(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// add adds the mutants in which value, an order or a fence, is weaker; without
// it, the whole statement goes.
func (s *scan) add(call string, whole ast.Node, value ast.Expr, weaker map[string][]string) {
	sel, ok := value.(*ast.SelectorExpr)
	if !ok || called(sel.X) != "machine" || weaker[sel.Sel.Name] == nil {
		return
	}
	s.seen[call]++
	at := s.fset.Position(value.Pos())
	for _, to := range weaker[sel.Sel.Name] {
		m := Mutant{
			File: s.file, Line: at.Line, Func: s.fn, Call: call, Nth: s.seen[call], From: sel.Sel.Name, To: to,
			at: at.Offset, end: s.fset.Position(value.End()).Offset, text: "machine." + to,
		}
		if to == "none" {
			m.at, m.end, m.text = s.fset.Position(whole.Pos()).Offset, s.fset.Position(whole.End()).Offset, ""
		}
		s.found = append(s.found, m)
	}
}

// Patched is the source with the mutant in it.
func (m Mutant) Patched(root string) (Patched, error) {
	src, err := input.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, err
	}
	return Patched{m.File: slices.Concat(src[:m.at:m.at], []byte(m.text), src[m.end:])}, nil
}

// Hunt hunts for a mutant in targets, with one seed, under each of the memory orders
// by name, and answers what that came to, in their order. Any violation is one of
// the mutant.
func (m Mutant) Hunt(ctx context.Context, root string, targets, orders []string, e Effort) ([]Shown, error) {
	p, err := m.Patched(root)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "verify-mutant-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	b := Bug{Name: m.String(), Targets: targets, Shows: []string{""}}
	program, err := b.Build(ctx, root, work, p)
	if err != nil {
		return nil, err
	}
	var all []Shown
	for _, o := range orders {
		u := b.under(o)
		finds, err := u.hunt(ctx, program, e)
		if err != nil {
			return nil, fmt.Errorf("mutant %v: %w", m, err)
		}
		all = append(all, u.judge(finds))
	}
	return all, nil
}
