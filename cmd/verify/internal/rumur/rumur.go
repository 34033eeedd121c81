// Package rumur has Rumur, an explicit-state model checker for Murphi by other authors,
// check a model, so that counts and speed can be compared with it.
//
// Rumur writes a checker in C, which a C compiler builds; both must be in PATH.
package rumur

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const mend = "on Debian: apt-get install rumur gcc libc6-dev"

// killDelay is how long the output of a killed program is waited for.
const killDelay = 5 * time.Second

// Counts is what Rumur found.
type Counts struct {
	States uint64
	Rules  uint64 // fired
	Errors uint64
	// CPU is what processors worked for the checker that Rumur has written, without
	// writing and compiling it.
	CPU time.Duration
}

// Find says whether Rumur and a C compiler are in PATH. The error names what is missing
// and how to install it.
func Find() error {
	for _, tool := range []string{"rumur", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("rumur: there is no %s in PATH; %s", tool, mend)
		}
	}
	return nil
}

// Check has Rumur check a model, the text of which is Murphi, with one thread and without
// symmetry. A state without a step is an error. Files are kept in a temporary directory
// that is removed. When ctx ends, the checker is killed and the error is that of ctx.
func Check(ctx context.Context, model string) (Counts, error) {
	if err := Find(); err != nil {
		return Counts{}, err
	}
	dir, err := os.MkdirTemp("", "stramash-rumur-")
	if err != nil {
		return Counts{}, err
	}
	defer os.RemoveAll(dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("model.m"), []byte(model), 0o600); err != nil {
		return Counts{}, err
	}
	compile := []string{"cc", "-O3", "-o", at("checker"), at("checker.c"), "-lpthread"}
	if runtime.GOARCH == "amd64" {
		compile = append(compile, "-mcx16") // its table is of pairs of words
	}
	for _, args := range [][]string{
		{"rumur", "--quiet", "--threads", "1", "--symmetry-reduction", "off", "--deadlock-detection", "stuck", "--output-format", "machine-readable", "--output", at("checker.c"), at("model.m")},
		compile,
	} {
		if _, _, err := run(ctx, args); err != nil {
			return Counts{}, err
		}
	}
	out, cpu, err := run(ctx, []string{at("checker")})
	c, bad := read(out)
	c.CPU = cpu
	if err == nil || c.Errors > 0 {
		err = bad // the checker fails where it finds an error
	}
	return c, err
}

// run runs a program, and answers what it prints and how long processors worked for it.
func run(ctx context.Context, args []string) (string, time.Duration, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.WaitDelay = killDelay
	var out, diagnosis strings.Builder
	c.Stdout, c.Stderr = &out, &diagnosis
	err := c.Run()
	if ctx.Err() != nil {
		return "", 0, ctx.Err()
	}
	if err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(diagnosis.String()), "\n")
		err = fmt.Errorf("rumur: %s: %w: %.300s", filepath.Base(args[0]), err, first)
	}
	var cpu time.Duration
	if c.ProcessState != nil {
		cpu = c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	return out.String(), cpu, err
}

// read reads what a checker has printed.
func read(out string) (Counts, error) {
	var r struct {
		Summary *struct {
			States uint64 `xml:"states,attr"`
			Rules  uint64 `xml:"rules_fired,attr"`
			Errors uint64 `xml:"errors,attr"`
		} `xml:"summary"`
	}
	if err := xml.Unmarshal([]byte(out), &r); err != nil {
		return Counts{}, fmt.Errorf("rumur: its checker prints no XML: %w", err)
	}
	if r.Summary == nil {
		return Counts{}, errors.New("rumur: its checker prints no summary")
	}
	return Counts{States: r.Summary.States, Rules: r.Summary.Rules, Errors: r.Summary.Errors}, nil
}
