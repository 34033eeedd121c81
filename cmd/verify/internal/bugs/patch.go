package bugs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
)

// Patched are the contents of changed files by their paths below the module's
// root; nil means that the file is gone.
type Patched map[string][]byte

// Patch applies the bug's diff to the source in root, which it leaves as it is.
// The error says in one line which file does not fit.
func (b Bug) Patch(root string) (Patched, error) {
	diff, err := input.ReadFile(filepath.Join(b.Dir, diffFile))
	if err != nil {
		return nil, fmt.Errorf("bug %s: %w", b.Name, err)
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(diff))
	if err == nil && len(files) == 0 {
		err = errors.New("it changes no file")
	}
	if err != nil {
		return nil, fmt.Errorf("bug %s: %s is not a diff: %w", b.Name, filepath.Join(b.Dir, diffFile), err)
	}
	out := Patched{}
	plain := !bytes.Contains(diff, []byte("diff --git "))
	for _, f := range files {
		if plain {
			f.OldName, f.NewName = stripped(f.OldName), stripped(f.NewName)
		}
		if err := out.apply(root, f); err != nil {
			name := f.NewName
			if f.IsDelete || name == "" {
				name = f.OldName
			}
			return nil, fmt.Errorf("bug %s: its diff does not apply to %s: %w; write it anew against today's source", b.Name, name, err)
		}
	}
	return out, nil
}

func (p Patched) apply(root string, f *gitdiff.File) error {
	if err := p.checkNames(root, f); err != nil {
		return err
	}
	var src []byte
	if !f.IsNew {
		var err error
		if src, err = read(root, f.OldName); err != nil {
			return err
		}
	}
	if f.IsDelete || f.IsRename {
		p[f.OldName] = nil
	}
	if err := settle(src, f.TextFragments); err != nil {
		return err
	}
	var dst bytes.Buffer
	if err := gitdiff.Apply(&dst, bytes.NewReader(src), f); err != nil {
		return err
	}
	if f.IsDelete {
		return nil
	}
	if !f.IsRename && !f.IsCopy && bytes.Equal(src, dst.Bytes()) {
		return errors.New("it changes nothing there")
	}
	p[f.NewName] = append([]byte{}, dst.Bytes()...) // not nil
	return nil
}

// checkNames makes sure that what f writes is in the module, that no other
// part of the diff writes it, and that it is not there yet if it is new.
func (p Patched) checkNames(root string, f *gitdiff.File) error {
	for _, name := range []*string{&f.OldName, &f.NewName} {
		if *name == "" {
			continue
		}
		if !filepath.IsLocal(*name) {
			return errors.New("it is outside of the module")
		}
		*name = filepath.Clean(*name)
		if _, twice := p[*name]; twice {
			return errors.New("it changes that file twice")
		}
	}
	if f.IsNew || f.IsRename || f.IsCopy {
		if _, err := os.Lstat(filepath.Join(root, f.NewName)); err == nil {
			return errors.New("that file, which it makes, is there already")
		}
	}
	return nil
}

// stripped is a name without the a/ or b/ in front of it, which the parser
// leaves there in a diff that has no lines "diff --git".
func stripped(name string) string {
	if len(name) > 2 && (name[:2] == "a/" || name[:2] == "b/") {
		return name[2:]
	}
	return name
}

// read reads a file of the module.
func read(root, name string) ([]byte, error) {
	src, err := input.ReadFile(filepath.Join(root, name))
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("there is no such file")
	}
	return src, err
}

// settle moves the fragments of a diff to where their old lines are in the
// source, as git apply does: edits elsewhere in the file don't matter. Each must
// fit behind the one before.
func settle(src []byte, fragments []*gitdiff.TextFragment) error {
	lines := strings.SplitAfter(string(src), "\n")
	var from, moved int64
	for _, f := range fragments {
		var old []string
		for _, l := range f.Lines {
			if l.Old() {
				old = append(old, l.Line)
			}
		}
		if len(old) == 0 {
			continue
		}
		at := nearest(lines, old, from, f.OldPosition-1+moved)
		if at < 0 {
			return fmt.Errorf("the lines that were at line %d are not there", f.OldPosition)
		}
		moved = at - (f.OldPosition - 1)
		f.OldPosition = at + 1
		from = at + int64(len(old))
	}
	return nil
}

// nearest is the place at or after from where the lines hold old, as near as
// can be to where it is expected; -1 if there is none.
func nearest(lines, old []string, from, expected int64) int64 {
	best := int64(-1)
	far := func(at int64) int64 { return max(at-expected, expected-at) }
	for at := from; at+int64(len(old)) <= int64(len(lines)); at++ {
		if holds(lines[at:], old) && (best < 0 || far(at) < far(best)) {
			best = at
		}
	}
	return best
}

func holds(lines, old []string) bool {
	for i, l := range old {
		if lines[i] != l {
			return false
		}
	}
	return true
}
