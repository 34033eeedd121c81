package bugs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
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
orders: sc
`})
	got, err := LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Bug{{
		Name: "aba", Dir: filepath.Join(dir, "aba"), Source: "QEMU before 2.12",
		What:    "a store-exclusive is emulated by comparing values",
		Targets: []string{"locks/freelist", "locks/mcs"}, Shows: []string{"not linearizable"}, Orders: []string{"sc"},
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
		"what:\nsource: y\ntarget: z\n ": "it has no",
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
