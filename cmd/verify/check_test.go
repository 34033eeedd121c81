package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The README shows a protocol, the report of a mistake in it, and what a check that passes
// says first.
func TestReadmeChecksProtocols(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../coherence/protocol/testdata/one.protocol")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	wrong := bytes.Replace(text, []byte("; value := 0 -> I"), nil, 1)
	for name, text := range map[string][]byte{"one.protocol": text, "bad.protocol": wrong} {
		if err := os.WriteFile(filepath.Join(".", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want status, args ...string) string {
		a, stdout, stderr := testApp()
		if got := a.main(append([]string{"check"}, args...)); got != int(want) {
			t.Errorf("verify check %v exits with %d: %s", args, got, stderr)
		}
		return stdout.String()
	}
	run(statusOK, "one.protocol", "-n", "4")
	report, _, _ := strings.Cut(run(statusViolation, "bad.protocol"), "\nreproduce")
	passed, _, _ := strings.Cut(run(statusOK, "mesi", "-n", "3", "-symmetry"), "  checked")
	for _, part := range []string{string(text), report, "$ verify check mesi -n 3 -symmetry\n" + passed} {
		indented := ""
		for line := range strings.Lines(part) {
			if strings.TrimSpace(line) != "" {
				indented += "    "
			}
			indented += line
		}
		if !strings.Contains(string(readme), "\n\n"+indented) {
			t.Errorf("README.md does not hold this:\n%s", indented)
		}
	}
}
