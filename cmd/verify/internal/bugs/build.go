package bugs

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// hunterPackage is the program that hunts in targets and does nothing else.
const hunterPackage = "./cmd/verify/internal/hunter"

// copies is where the patched files are below the directory of a build.
const copies = "src"

// Build builds the hunter with the patched files in it, in the directory work,
// and answers the path of the program.
func (b Bug) Build(ctx context.Context, root, work string, p Patched) (string, error) {
	overlay, err := p.overlay(root, work)
	if err != nil {
		return "", fmt.Errorf("bug %s: %w", b.Name, err)
	}
	program := filepath.Join(work, "hunter")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-overlay", overlay, "-o", program, hunterPackage)
	build.Dir = root
	build.Env = append(build.Environ(), "GOTMPDIR="+work)
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) } // it then removes what it has made
	build.WaitDelay = waitDelay
	if out, err := build.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		text := withoutDir(string(out), root, filepath.Join(work, copies))
		return "", fmt.Errorf("bug %s: the source does not build with its diff: %s (%w)", b.Name, firstError(text), err)
	}
	return program, nil
}

// withoutDir takes the directory src out of the output of go build, which
// writes paths absolute, or relative to root where that is shorter.
func withoutDir(out, root, src string) string {
	var pairs []string
	for _, s := range spellings(src) {
		pairs = append(pairs, s+string(filepath.Separator), "")
		for _, r := range spellings(root) {
			if rel, err := filepath.Rel(r, s); err == nil {
				pairs = append(pairs, rel+string(filepath.Separator), "")
			}
		}
	}
	return strings.NewReplacer(pairs...).Replace(out) // from the left, so a whole path goes before a part of it
}

// spellings are a path and what it is without symbolic links.
func spellings(path string) []string {
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		return []string{path, real}
	}
	return []string{path}
}

// firstError is the first line of a compiler's output that is about a file.
func firstError(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range lines {
		if !strings.HasPrefix(l, "#") {
			return l
		}
	}
	return lines[0]
}

// overlay writes the files where a build can read them, with the list that
// go build -overlay takes, and answers the list's path.
func (p Patched) overlay(root, work string) (string, error) {
	replace := map[string]string{}
	for name, content := range p {
		replace[filepath.Join(root, name)] = ""
		if content == nil {
			continue
		}
		to := filepath.Join(work, copies, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, name)] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(work, "overlay.json")
	return file, os.WriteFile(file, list, 0o600)
}
