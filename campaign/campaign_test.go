package campaign

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// faulty loses updates, and has faults that show in one run of 64 and of 1,024.
func faulty(name string) fuzz.Target {
	return fuzz.Target{Name: name, Platform: machine.Pair(), IntendedRaces: true, Setup: func(m *machine.Machine) fuzz.Program {
		counter, a, b := m.Alloc(8), m.Choose("a", 64), m.Choose("b", 16)
		return fuzz.Program{
			Threads: fuzz.Each(m, func(t *machine.Thread) { t.Store64(counter, t.Load64(counter)+1) }),
			After: func() error {
				uncommon(a)
				rare(a, b)
				return fuzz.Want(m.Peek64(counter), 2)
			},
		}
	}}
}

func uncommon(a int) {
	if a == 62 {
		panic("uncommon")
	}
}

func rare(a, b int) {
	if a == 63 && b == 15 {
		panic("rare")
	}
}

var targets = []fuzz.Target{faulty("test/one"), faulty("test.one")}

// plan has a last block that is not full.
var plan = Plan{Strategy: "random", Seed: 7, Runs: 3*fuzz.BlockRuns + 100}

func mustOpen(t *testing.T, dir string, p Plan) *Dir {
	t.Helper()
	d, err := Open(dir, p, targets, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hunt hunts in all targets and keeps the findings.
func hunt(t *testing.T, d *Dir, o fuzz.Options) (out []fuzz.Summary) {
	t.Helper()
	for _, target := range targets {
		s, err := d.Hunt(target, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Findings {
			if err := d.Keep(f, "final text of "+f.Rule+"\n"); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, s)
	}
	return out
}

// files are all files of a directory with what they hold.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// alone is a campaign that nothing disturbs.
func alone(t *testing.T) ([]fuzz.Summary, map[string]string) {
	dir := t.TempDir()
	s := hunt(t, mustOpen(t, dir, plan), fuzz.Options{})
	if len(s[0].Findings) != 3 || s[0].Runs != plan.Runs {
		t.Fatalf("%d findings in %d runs: %v", len(s[0].Findings), s[0].Runs, s[0].Findings)
	}
	return s, files(t, dir)
}

func same(t *testing.T, what string, dir string, got []fuzz.Summary, want []fuzz.Summary, wantFiles map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-alone +this):\n%s", what, diff)
	}
	if diff := cmp.Diff(wantFiles, files(t, dir)); diff != "" {
		t.Errorf("%s: files (-alone +this):\n%.2000s", what, diff)
	}
}

// A campaign that is stopped again and again, and begun with fewer runs, ends as
// one left alone.
func TestStoppedCampaignEndsAsOneLeftAlone(t *testing.T) {
	want, wantFiles := alone(t)
	dir := t.TempDir()
	fewer := plan
	fewer.Runs = fuzz.BlockRuns + 1000
	hunt(t, mustOpen(t, dir, fewer), fuzz.Options{})
	var asked atomic.Int64
	for sessions := 0; ; sessions++ {
		budget := int64(10 + 37*sessions)
		got := hunt(t, mustOpen(t, dir, plan), fuzz.Options{Workers: 1 + sessions%3, Stop: func() bool { return asked.Add(1)%1000 > budget }})
		if !got[0].Stopped && !got[1].Stopped {
			if sessions < 3 {
				t.Errorf("it was not stopped often: %d", sessions)
			}
			same(t, "stopped", dir, got, want, wantFiles)
			return
		}
		asked.Store(0)
	}
}

// Shards may be done at the same time in one directory, each by a process of
// its own; then the whole is only read.
func TestShardsShareADirectory(t *testing.T) {
	want, wantFiles := alone(t)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range uint64(3) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			d, err := Open(dir, plan, targets, nil)
			for k := 0; k < len(targets) && err == nil; k++ {
				_, err = d.Hunt(targets[k], fuzz.Options{Shard: fuzz.Shard{Index: i + 1, Count: 3}})
			}
			if err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	runs := uint64(0)
	got := hunt(t, mustOpen(t, dir, plan), fuzz.Options{Stop: func() bool { runs++; return false }})
	same(t, "shards", dir, got, want, wantFiles)
	if runs > uint64(2*(4+1)) { // asked once for each block, and not within any
		t.Errorf("it was asked %d times whether to stop: were runs made again?", runs)
	}
}

// A finding is there before its block is done, and is not lost if the block
// never is.
func TestFindingIsKeptAtOnce(t *testing.T) {
	dir := t.TempDir()
	asked := 0
	d := mustOpen(t, dir, plan)
	s, err := d.Hunt(targets[0], fuzz.Options{Stop: func() bool { asked++; return asked > 20 }})
	if err != nil || len(s.Findings) == 0 {
		t.Fatalf("%v, %d findings", err, len(s.Findings))
	}
	if blocks, _ := os.ReadDir(d.blocks("test/one")); len(blocks) > 0 {
		t.Fatalf("%d blocks are done", len(blocks))
	}
	again, err := mustOpen(t, dir, plan).Hunt(targets[0], fuzz.Options{Stop: func() bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Findings, again.Findings); diff != "" || again.Runs != 0 || !again.Stopped {
		t.Errorf("%d runs (-before +after):\n%s", again.Runs, diff)
	}
	other, err := mustOpen(t, dir, plan).Hunt(targets[0], fuzz.Options{Shard: fuzz.Shard{Index: 2, Count: 2}, Stop: func() bool { return true }})
	if err != nil || len(other.Findings) > 0 {
		t.Errorf("another shard has %d findings, %v", len(other.Findings), err)
	}
	text, err := os.ReadFile(d.findingFile(s.Finding))
	if err != nil || !strings.Contains(string(text), "\ntoken   "+s.Finding.Token().String()+"\n") || strings.Count(string(text), "@v1:") != 1 {
		t.Errorf("%v, %.500s", err, text)
	}
}

// Of two findings of a signature, the earlier run is kept, whoever comes first.
func TestEarliestFindingIsKept(t *testing.T) {
	d := mustOpen(t, t.TempDir(), plan)
	for _, test := range []struct {
		run  uint64
		text string
		want string
	}{{50, "a", "a"}, {70, "b", "a"}, {50, "c", "c"}, {20, "d", "d"}} {
		f := &fuzz.Finding{Target: "test/one", Run: test.run, Violation: fuzz.Violation{Signature: "s"}}
		if err := d.Keep(f, test.text); err != nil {
			t.Fatal(err)
		}
		if data, _ := os.ReadFile(d.findingFile(f)); !strings.HasPrefix(string(data), test.want+"\n\n") {
			t.Errorf("run %d: %s", test.run, data)
		}
	}
	// A block that is done again does not undo the final text.
	f := &fuzz.Finding{Target: "test/one", Run: 20, Violation: fuzz.Violation{Signature: "s"}}
	if err := (&ledger{d, f.Target}).Found(f); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(d.findingFile(f)); !strings.HasPrefix(string(data), "d\n\n") {
		t.Errorf("found again: %s", data)
	}
}

func TestAnotherCampaignIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, plan)
	if p, names, err := Read(dir); err != nil || !cmp.Equal(p, plan) || !slices.Equal(names, []string{"test/one", "test.one"}) {
		t.Errorf("%+v, %v, %v", p, names, err)
	}
	changed := faulty("test/one")
	inner := changed.Setup
	changed.Setup = func(m *machine.Machine) fuzz.Program { m.Choose("more", 3); return inner(m) }
	for want, test := range map[string]struct {
		change  func(*Plan)
		targets []fuzz.Target
	}{
		"is of strategy random, not pct":        {func(p *Plan) { p.Strategy = "pct" }, targets},
		"has seed 7, not 8":                     {func(p *Plan) { p.Seed = 8 }, targets},
		"has 12388 runs already":                {func(p *Plan) { p.Runs-- }, targets},
		"has other fixed parameters: none;":     {func(p *Plan) { p.Pins = []machine.Pin{{Name: "a", Value: 1}} }, targets},
		"has other targets: test/one test.one;": {func(p *Plan) {}, targets[:1]},
		"target test/one runs otherwise":        {func(p *Plan) {}, []fuzz.Target{changed, targets[1]}},
		"a campaign needs a target":             {func(p *Plan) {}, nil},
		"target test/one is given twice":        {func(p *Plan) {}, []fuzz.Target{targets[0], targets[0]}},
	} {
		p := plan
		test.change(&p)
		_, err := Open(dir, p, test.targets, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if d := mustOpen(t, dir, plan); d.m.Runs != plan.Runs {
		t.Error("a refused campaign has changed it")
	}
}

// What is not as it was written is named, with the mend; which mends it.
func TestDamagedFilesAreNamed(t *testing.T) {
	good := t.TempDir()
	want := hunt(t, mustOpen(t, good, plan), fuzz.Options{})
	wantFiles := files(t, good)
	other := mustOpen(t, t.TempDir(), Plan{Strategy: "random", Seed: 8, Runs: 10})
	hunt(t, other, fuzz.Options{})
	var foreignFinding []byte
	for name, text := range files(t, other.path) {
		if strings.HasPrefix(name, "findings/test.one-") {
			foreignFinding = []byte(text)
		}
	}
	foreignBlock, _ := os.ReadFile(filepath.Join(other.blocks("test/one"), "0"))
	cut := func(data []byte) []byte { return data[:len(data)/2] }
	flip := func(data []byte) []byte { data = slices.Clone(data); data[len(data)-20] ^= 1; return data }
	for name, test := range map[string]struct {
		damage func([]byte) []byte
		block  bool
		want   string
	}{
		"cut block":       {cut, true, "it is cut short"},
		"flipped block":   {flip, true, "its checksum is wrong"},
		"empty block":     {func([]byte) []byte { return nil }, true, "it is cut short"},
		"foreign block":   {func([]byte) []byte { return foreignBlock }, true, "it is of another campaign"},
		"large block":     {func([]byte) []byte { return make([]byte, maxSize+1) }, true, "is larger than 16 MiB"},
		"cut finding":     {cut, false, "it is cut short"},
		"flipped finding": {flip, false, "its checksum is wrong"},
		"foreign finding": {func([]byte) []byte { return foreignFinding }, false, "it is of another campaign"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		d := mustOpen(t, dir, plan)
		file := filepath.Join(d.blocks("test/one"), "3")
		if !test.block {
			file = d.findingFile(want[0].Findings[1])
		}
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, test.damage(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = mustOpen(t, dir, plan).Hunt(targets[0], fuzz.Options{})
		if err == nil || !strings.Contains(err.Error(), file+": "+test.want) && !strings.Contains(err.Error(), file+" "+test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(file)
		same(t, name, dir, hunt(t, mustOpen(t, dir, plan), fuzz.Options{}), want, wantFiles)
	}
}

func TestDamagedManifestIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "it is not the manifest of a campaign",
		"{\"format\":":                "it is not the manifest of a campaign",
		"{}":                          "it has format 0",
		`{"format":1}`:                "it names no strategy",
		`{"format":1,"colour":"red"}`: `unknown field "colour"`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(manifestFile(dir), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, plan, targets, nil)
		if err == nil || !strings.HasPrefix(err.Error(), manifestFile(dir)+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	dir := t.TempDir()
	if err := syscall.Mkfifo(manifestFile(dir), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Error(err)
	}
}

// A process that was killed while it wrote leaves an unfinished file, which is
// neither read nor kept. What is nobody's is left alone.
func TestUnfinishedFilesAreRemoved(t *testing.T) {
	want, wantFiles := alone(t)
	dir := t.TempDir()
	d := mustOpen(t, dir, plan)
	for _, of := range []string{manifestFile(dir), filepath.Join(d.blocks("test/one"), "2"), filepath.Join(dir, "findings", "test.one-0123456789abcdef.txt")} {
		left := filepath.Join(filepath.Dir(of), "."+filepath.Base(of)+temporary+"123")
		if err := os.WriteFile(left, []byte("stramash-bl"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	note := filepath.Join(dir, "findings", "README.txt")
	if err := os.WriteFile(note, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantFiles["findings/README.txt"] = "mine"
	same(t, "unfinished", dir, hunt(t, mustOpen(t, dir, plan), fuzz.Options{}), want, wantFiles)
}

// Another process may take an unfinished file for a leftover.
func TestWriteFileTriesAgain(t *testing.T) {
	dir := t.TempDir()
	name, times := filepath.Join(dir, "file"), 0
	tidied := func(from, to string) error {
		if times++; times < 3 {
			if err := tidy(dir); err != nil {
				t.Fatal(err)
			}
		}
		return os.Rename(from, to)
	}
	if err := writeFile(name, []byte("x"), tidied); err != nil || times != 3 {
		t.Errorf("%v, %d times", err, times)
	}
	if got := files(t, dir); !cmp.Equal(got, map[string]string{"file": "x"}) {
		t.Errorf("%v", got)
	}
}

// Readers of a file never see a part of it.
func TestWriteFileAmongOthers(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	whole := func(i int) []byte { return []byte(strings.Repeat(fmt.Sprint(i%10), 1000+i)) }
	if err := WriteFile(name, whole(0)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			data, err := readFile(name)
			if err != nil || len(data) < 1000 || strings.Trim(string(data), string(data[:1])) != "" {
				t.Errorf("%v, %d bytes", err, len(data))
				return
			}
		}
	}()
	for i := range 50 {
		if err := WriteFile(name, whole(i)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if err := WriteFile(filepath.Join(dir, "none", "file"), nil); err == nil {
		t.Error("no error")
	}
	if names, err := list(dir); err != nil || !slices.Equal(names, []string{"file"}) {
		t.Errorf("%v, %v", names, err)
	}
}
