package litmus_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory/explore"
)

// A test that the generator makes of a cycle has as many final states as the test
// that herd's diy made of it, and the same verdict: values and registers are other
// ones, executions are the same.
func TestVerdictsAreHerds(t *testing.T) {
	dir := oracle(t)
	for folder, mark := range map[string]string{"x86_64": "x:", "aarch64": "a:"} {
		lines, err := os.ReadFile(filepath.Join(dir, folder+".expected.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
			var want expected
			if err := json.Unmarshal([]byte(l), &want); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, folder, want.File))
			if err != nil {
				t.Fatal(err)
			}
			if folder == "x86_64" && want.File == "CoRW2.litmus" {
				continue // its condition is not the outcome of its cycle: diyone7 numbered the writes the other way
			}
			cycle := mark + strings.Trim(strings.Split(string(text), "\n")[1], `"`)
			c, err := generate.ParseCycle(cycle)
			if err != nil {
				t.Errorf("%s: %v", want.File, err)
				continue
			}
			test, err := c.Test()
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, explore.Run, want.File, test)
			if got.Obs != want.Obs || got.NStates != want.NStates && !strings.Contains(cycle, "LxSx") {
				t.Errorf("%s: %s with %d states, but %d with herd: %s\n%s\n%s", want.File, got.Obs, got.NStates, want.NStates, want.Obs, test, text)
			}
		}
	}
}

// oracle is the folder with herd's tests, or the test is skipped.
func oracle(t *testing.T) string {
	t.Helper()
	dirs := []string{os.Getenv("STRAMASH_LITMUS"), "../../../shared/litmus", "../../../../shared/litmus"}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "aarch64")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("skipped: herd's tests are not there; put their folder into STRAMASH_LITMUS")
	return ""
}
