package protocol

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// TestMurphi has rumur check what is written out, and compares the counts. CI has rumur;
// elsewhere the test is skipped without it.
func TestMurphi(t *testing.T) {
	for _, tool := range []string{"rumur", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("CI without %s", tool)
			}
			t.Skipf("there is no %s: apt-get install rumur gcc libc6-dev", tool)
		}
	}
	for _, c := range []struct {
		name       string
		parameters map[string]int
		addresses  int
	}{
		{"mesi", map[string]int{"caches": 2}, 1},
		{"mesi", map[string]int{"caches": 3}, 1},
		{"hdmdb", map[string]int{"hosts": 2}, 1},
		{"hdmdb", map[string]int{"hosts": 3}, 1},
		{"hdmdb", map[string]int{"hosts": 2, "upgrades": 1}, 1},
		{"hdmdb", map[string]int{"hosts": 1, "blocks": 1}, 2},
		{"platform", map[string]int{"nodes": 2, "cores": 1}, 1},
		{"platform", map[string]int{"nodes": 1, "cores": 1, "lines": 1}, 2},
	} {
		s := build(t, c.name, Config{Parameters: c.parameters, Addresses: c.addresses})
		compareWithRumur(t, fmt.Sprint(c), s)
	}
	compareWithRumur(t, "nested", buildText(t, nested, Config{Parameters: map[string]int{"nodes": 2, "cores": 1}}))
	one, err := os.ReadFile("testdata/one.protocol")
	if err != nil {
		t.Fatal(err)
	}
	// A rule under a condition before one without, the one acting and the other stalling.
	guarded := strings.NewReplacer(
		"rules cache\n", "variable cache lost: one of no yes\nevent cache find\nrules cache\nI on find if lost = yes: lost := no\nI on load, store if lost = yes: stall\n",
		"value := 0 -> I", "value := 0; lost := yes -> I",
		"rules memory\n", "variable memory open: one of yes no\nevent memory door\nrules memory\nAway on door if open = no: open := yes\nAway on door: open := no\n",
		"Away on Get: send Recall to owner; owner := sender -> Waits\n", "Away on Get if open = yes: send Recall to owner; owner := sender -> Waits\nAway on Get: stall\n",
	).Replace(string(one))
	compareWithRumur(t, "guarded", buildText(t, guarded, Config{}))
}

var rumurCounts = regexp.MustCompile(`(\d+) states, (\d+) rules fired`)

func compareWithRumur(t *testing.T, name string, s *System) {
	t.Helper()
	r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
		Workers: 1, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	if err := os.WriteFile(at("x.m"), []byte(s.Murphi()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"rumur", "--threads", "1", "--symmetry-reduction", "off", "--deadlock-detection", "off", "--output", at("x.c"), at("x.m")},
		{"cc", "-O0", "-mcx16", at("x.c"), "-lpthread", "-o", at("x")},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %v\n%.2000s", name, command, err, out)
		}
	}
	out, err := exec.Command(at("x")).CombinedOutput()
	m := rumurCounts.FindSubmatch(out)
	want := fmt.Sprintf("%d states, %d rules fired", r.States, r.Rules)
	if err != nil || m == nil || string(m[0]) != want {
		t.Errorf("%s: ours has %s, rumur has %s (%v)\n%.3000s", name, want, m, err, out)
	}
}
