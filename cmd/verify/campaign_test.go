package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// session runs the command in a campaign's directory and kills it after the
// delay, unless that is zero. It answers what a session that ended by itself
// has printed.
func session(t *testing.T, dir string, delay time.Duration, args ...string) (stdout string, ended bool) {
	t.Helper()
	var out, complaints bytes.Buffer
	cmd := exec.Command("testverify", append([]string{"run", "test/several", "test/good", "-runs", "100000", "-json", "-campaign", dir}, args...)...)
	cmd.Env = append(os.Environ(), "WITH_SEVERAL=1", "PATIENT=1")
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if delay > 0 {
		kill := time.AfterFunc(delay, func() { cmd.Process.Kill() })
		defer kill.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	killed := errors.As(err, &exit) && !exit.Exited()
	if complaints.Len() > 0 || !killed && cmd.ProcessState.ExitCode() != int(statusViolation) {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	return out.String(), !killed
}

// timeless is JSON lines without what depends on the clock.
func timeless(t *testing.T, text string) (out []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		delete(o, "seconds")
		delete(o, "runs_per_second")
		out = append(out, o)
	}
	return out
}

// tree is all files below a directory.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
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

// A campaign that is killed at random moments ends with the findings, the sums
// and the files of one left alone.
func TestKilledCampaignEndsAsOneLeftAlone(t *testing.T) {
	times := 50
	if testing.Short() {
		times = 8
	}
	alone, killed := t.TempDir(), t.TempDir()
	want, _ := session(t, alone, 0)
	random := rand.New(rand.NewPCG(3, 19))
	kills := 0
	for range times {
		delay := time.Duration(1+random.IntN(150)) * time.Millisecond
		if _, ended := session(t, killed, delay, "-workers", fmt.Sprint(1+random.IntN(3))); !ended {
			kills++
		}
	}
	t.Logf("%d sessions were killed, and have left %d of %d files", kills, len(tree(t, killed)), len(tree(t, alone)))
	got, _ := session(t, killed, 0)
	if diff := cmp.Diff(timeless(t, want), timeless(t, got)); diff != "" {
		t.Errorf("lines (-alone +killed):\n%s", diff)
	}
	if diff := cmp.Diff(tree(t, alone), tree(t, killed)); diff != "" {
		t.Errorf("files (-alone +killed):\n%.3000s", diff)
	}
	if n := strings.Count(want, `"type":"violation"`); n != 3 {
		t.Errorf("%d findings", n)
	}
}
