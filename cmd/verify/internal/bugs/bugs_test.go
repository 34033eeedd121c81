package bugs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
)

// write makes files below a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const source = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"

func patch(t *testing.T, diff string, files map[string]string) (Patched, error) {
	t.Helper()
	return Bug{Name: "b", Dir: write(t, map[string]string{diffFile: diff})}.Patch(write(t, files))
}

func TestPatchFollowsMovedLines(t *testing.T) {
	const diff = `--- a/f
+++ b/f
@@ -2,3 +2,3 @@
 two
-three
+3
 four
@@ -7,2 +7,1 @@
 seven
-eight
`
	for name, test := range map[string]struct{ src, want string }{
		"in place":       {source, "one\ntwo\n3\nfour\nfive\nsix\nseven\nnine\n"},
		"moved down":     {"zero\nzero\n" + source, "zero\nzero\none\ntwo\n3\nfour\nfive\nsix\nseven\nnine\n"},
		"moved apart":    {strings.Replace(source, "five\n", "5\n5\n5\n", 1), "one\ntwo\n3\nfour\n5\n5\n5\nsix\nseven\nnine\n"},
		"moved together": {strings.Replace(source, "five\nsix\n", "", 1), "one\ntwo\n3\nfour\nseven\nnine\n"},
		"nearest": {"two\nthree\nfour\n" + strings.Repeat("-\n", 9) + source,
			"two\n3\nfour\n" + strings.Repeat("-\n", 9) + "one\ntwo\nthree\nfour\nfive\nsix\nseven\nnine\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := patch(t, diff, map[string]string{"f": test.src})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, string(got["f"])); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestPatchRefusesOrderChanged(t *testing.T) {
	const diff = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-b\n+B\n@@ -2 +2 @@\n-a\n+A\n"
	if _, err := patch(t, diff, map[string]string{"f": "a\nb\n"}); err == nil {
		t.Error("fragments were applied in another order")
	}
}

func TestPatchNewAndGone(t *testing.T) {
	const diff = `diff --git a/new b/new
new file mode 100644
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+fresh
diff --git a/old b/old
deleted file mode 100644
--- a/old
+++ /dev/null
@@ -1 +0,0 @@
-stale
`
	got, err := patch(t, diff, map[string]string{"old": "stale\n"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Patched{"new": []byte("fresh\n"), "old": nil}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestLoad(t *testing.T) {
	dir := write(t, map[string]string{"aba/" + textFile: `# a comment
what: a store-exclusive is emulated
  by comparing values
source: QEMU before 2.12

target: locks/freelist
target: locks/mcs
shows: not linearizable
orders: sc, tso
orders: native
`})
	got, err := LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Bug{{
		Name: "aba", Dir: filepath.Join(dir, "aba"), Source: "QEMU before 2.12",
		What:    "a store-exclusive is emulated by comparing values",
		Targets: []string{"locks/freelist", "locks/mcs"}, Shows: []string{"not linearizable"}, Orders: []string{"sc", "tso", "native"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestLoadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"what a line":                    `bug.txt:1: "what a line" is no line of the form key: value`,
		" what: x":                       "bug.txt:1: a line that goes on needs one before it",
		"what: x\nwho: y":                `bug.txt:2: there is no key "who"`,
		"what: x\nsource: y\ntarget: z":  "bug.txt: it has no shows",
		"what:\nsource: y\ntarget: z\n ": "it has no what",
		"what: x\nsource: y\ntarget: z\ntarget: z\nshows: s":       `it names the target "z" twice`,
		"what: x\nsource: y\ntarget: z\nshows: s\norders: sc, arm": `there is no order "arm": use sc, tso, native`,
	} {
		dir := write(t, map[string]string{textFile: text})
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestJudgeTakesTheTargetThatShowsItBest(t *testing.T) {
	b := Bug{Targets: []string{"a", "b", "c"}, Shows: []string{"deadlock", "lost wake-up"}}
	finds := []find.Find{
		{Target: "a", Seed: 0, Found: true, Rule: "deadlock", Runs: 1, Token: "a0"},
		{Target: "a", Seed: 1, Runs: 20000},
		{Target: "b", Seed: 0, Found: true, Rule: "lost wake-up", Runs: 9, Token: "b0", Sizes: find.Sizes{Exceptions: 2, Threads: 3}},
		{Target: "b", Seed: 1, Found: true, Rule: "deadlock", Runs: 5, Token: "b1", Sizes: find.Sizes{Exceptions: 3, Threads: 2}},
		{Target: "c", Seed: 0, Found: true, Rule: "final state", Runs: 1, Token: "c0"},
		{Target: "c", Seed: 1, Found: true, Rule: "final state", Runs: 1, Token: "c1"},
	}
	got := b.judge(finds)
	want := Shown{
		Found: true, Target: "b", Rule: "deadlock", Seeds: 2, FoundSeeds: 2, RunsMedian: 7, RunsMax: 9,
		Sizes: find.Sizes{Exceptions: 3, Threads: 3}, Worst: finds[3],
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if got := (Bug{Targets: b.Targets, Shows: []string{"panic"}}).judge(finds); got.Found || got.FoundSeeds != 0 {
		t.Errorf("found %+v", got)
	}
}

func TestPatchRefuses(t *testing.T) {
	const one = "diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+1\n"
	for diff, want := range map[string]string{
		"diff --git a/f b/f\nold mode 100644\nnew mode 100755\n": "to f: it changes nothing there",
		"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+one\n":            "to f: it changes nothing there",
		"diff --git a/g b/g\nnew file mode 100644\n":             "to g: it changes nothing there",
		one + one: "to f: it changes that file twice",
		one + strings.ReplaceAll(one, "/f", "/./f"):                                             "to ./f: it changes that file twice",
		"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n": "to f: that file, which it makes, is there already",
		"--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n":                                           "to f: that file, which it makes, is there already",
		"diff --git a/f b/h\nsimilarity index 100%\nrename from f\nrename to h\n":               "to h: that file, which it makes, is there already",
	} {
		_, err := patch(t, diff, map[string]string{"f": "one\n", "h": "x\n"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", diff, err, want)
		}
	}
}

func TestOutputWithoutDir(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	root, src := filepath.Join(dir, "root"), filepath.Join(real, "w", copies)
	for _, d := range []string{root, src} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ root, src, out string }{
		{root, src, src + "/a/b.go:1: x"},
		{root, src, "../real/w/src/a/b.go:1: x"},
		{root, filepath.Join(link, "w", copies), "../link/w/src/a/b.go:1: x"},
		{root, filepath.Join(link, "w", copies), src + "/a/b.go:1: x"},
		{dir, src, src + "/a/b.go:1: x"},
		{dir, src, "real/w/src/a/b.go:1: x"},
		{"/a/b/c", "/w/src", "../../../w/src/a/b.go:1: x"},
		{root, src, "a/b.go:1: x"},
	} {
		if got := withoutDir(test.out, test.root, test.src); got != "a/b.go:1: x" {
			t.Errorf("%s from %s: %s", test.out, test.root, got)
		}
	}
}

// hunter is a program that does as a shell script says.
func hunter(t *testing.T, script string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hunter")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

func TestHunterThatFails(t *testing.T) {
	b := Bug{Name: "b", Targets: []string{"a"}}
	e := Effort{Runs: 1, Seeds: 2, Limit: 300 * time.Millisecond}
	for script, want := range map[string]string{
		"":                                   "the hunter told of 0 hunts, not 2",
		`echo '{"target": "a"}'`:             "the hunter told of 1 hunts, not 2",
		"echo rubbish":                       "the hunter wrote what is not JSON",
		"echo ]":                             "the hunter wrote what is not JSON",
		"echo it hurts >&2; exit 3":          "the hunter failed: exit status 3: it hurts",
		"while :; do :; done":                "the hunter does not end: it was stopped after 300ms",
		"sleep 4 & while :; do :; done":      "the hunter does not end",
		`echo '{"target": "a", "runs": -1}'`: "the hunter wrote what is not JSON",
	} {
		_, err := b.hunt(t.Context(), hunter(t, script), e)
		var of *HunterError
		if !errors.As(err, &of) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", script, err, want)
		}
	}
}

func TestHunterThatIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err := Bug{Targets: []string{"a"}}.hunt(ctx, hunter(t, "exec sleep 1000"), Effort{Seeds: 1})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestHunterHasTimeForItsEffort(t *testing.T) {
	if got := (Effort{Runs: 100, Seeds: 3}).limit(2); got != 3*time.Minute {
		t.Errorf("a small effort has %v", got)
	}
	if got := (Effort{Runs: 10 * fuzz.DefaultRuns, Seeds: 3}).limit(2); got != 12*time.Minute {
		t.Errorf("ten times the runs have %v", got)
	}
	if got := (Effort{Runs: 1 << 40, Seeds: 1 << 16}).limit(9); got < 1<<40*time.Microsecond {
		t.Errorf("the largest effort has %v", got)
	}
}

func FuzzBugText(f *testing.F) {
	f.Add("# c\nwhat: a\n b\nsource: c\ntarget: d\nshows: e\norders: sc\n")
	f.Add("\ufeffwhat: x")
	f.Add(" x\r\n:\n\x00: \xff")
	f.Fuzz(func(t *testing.T, text string) {
		var b Bug
		_, err := b.parse(text)
		if err == nil {
			err = b.complete()
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 400) {
			t.Errorf("the error is not a short line: %q", err)
		}
		if err == nil && (b.What == "" || b.Source == "" || len(b.Targets) == 0 || len(b.Shows) == 0) {
			t.Errorf("%q is complete: %+v", text, b)
		}
	})
}

func TestRoot(t *testing.T) {
	dir := write(t, map[string]string{
		"go.mod": "module " + Module + "\n", "a/b/f": "", "other/go.mod": "module example.org/x\n",
	})
	for _, at := range []string{"", "a", "a/b", "other"} {
		if got, err := Root(filepath.Join(dir, at)); err != nil || got != dir {
			t.Errorf("from %q: %q, %v", at, got, err)
		}
	}
	if _, err := Root(t.TempDir()); err == nil {
		t.Error("a root was found where there is none")
	}
}
