package bugs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
)

// Effort says how hard to look for a bug.
type Effort struct {
	Runs  uint64 // in each target with each seed
	Seeds uint64 // how many
	First uint64 // the first of them
	// Strategy is its name; empty means the default.
	Strategy string

	Limit time.Duration // of a hunter's wall time; zero means a generous one
}

// Shown is what the hunts for a bug came to: those of the one target that
// shows it best.
type Shown struct {
	Found      bool   // with every seed
	Target     string // that shows it best
	Rule       string // that the violation breaks
	Seeds      int    // tried
	FoundSeeds int    // that found it
	Certified  int    // of those, with a proof that no failing schedule has fewer preemptions
	Caused     int    // and with a race whose reversal makes the run pass
	RunsMedian uint64
	RunsMax    uint64
	Sizes      find.Sizes // the largest of all seeds, field by field
	Worst      find.Find  // the find with the longest schedule
	Instead    find.Find  // the last that broke another rule; the zero Find if none did
}

// waitDelay is how long a program that was ended may keep its pipes open.
const waitDelay = 2 * time.Second

// limit is how long a hunter may take: far more than any needs.
func (e Effort) limit(targets int) time.Duration {
	if e.Limit > 0 {
		return e.Limit
	}
	effort := max(1, float64(e.Runs)/fuzz.DefaultRuns) * float64(e.Seeds) * float64(targets)
	return 2*time.Minute + time.Duration(min(effort, 1e8))*10*time.Second
}

// Show builds the hunter with the patched files in it and has it hunt in each
// of the bug's targets.
func (b Bug) Show(ctx context.Context, root string, p Patched, e Effort) (Shown, error) {
	work, err := os.MkdirTemp("", "verify-bug-")
	if err != nil {
		return Shown{}, err
	}
	defer os.RemoveAll(work)
	program, err := b.Build(ctx, root, work, p)
	if err != nil {
		return Shown{}, err
	}
	finds, err := b.hunt(ctx, program, e)
	if err != nil {
		return Shown{}, fmt.Errorf("bug %s: %w", b.Name, err)
	}
	return b.judge(finds), nil
}

// HunterError says that the built hunter failed: that is no fault of the bug's
// files.
type HunterError struct{ Err error }

// Error says what it said.
func (e *HunterError) Error() string { return e.Err.Error() }

// Unwrap is the error itself.
func (e *HunterError) Unwrap() error { return e.Err }

// hunt runs the hunter and reads its lines.
func (b Bug) hunt(ctx context.Context, program string, e Effort) ([]find.Find, error) {
	limit := e.limit(len(b.Targets))
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(bounded, program, "-runs", fmt.Sprint(e.Runs), "-seeds", fmt.Sprint(e.Seeds),
		"-first", fmt.Sprint(e.First), "-strategy", e.Strategy, "-target", strings.Join(b.Targets, ","))
	cmd.WaitDelay = waitDelay
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if bounded.Err() != nil {
		return nil, &HunterError{fmt.Errorf("the hunter does not end: it was stopped after %v", limit)}
	}
	if err != nil {
		return nil, &HunterError{fmt.Errorf("the hunter failed: %w: %s", err, firstError(stderr.String()))}
	}
	return b.read(out, e)
}

// read reads the hunter's lines: one for each seed in each target.
func (b Bug) read(out []byte, e Effort) ([]find.Find, error) {
	var finds []find.Find
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var f find.Find
		err := d.Decode(&f)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, &HunterError{fmt.Errorf("the hunter wrote what is not JSON: %w", err)}
		}
		finds = append(finds, f)
	}
	if want := int(e.Seeds) * len(b.Targets); len(finds) != want {
		return nil, &HunterError{fmt.Errorf("the hunter told of %d hunts, not %d", len(finds), want)}
	}
	return finds, nil
}

// judge picks the target that found the bug with the most seeds, and of those
// the one with the fewest runs in the worst case.
func (b Bug) judge(finds []find.Find) Shown {
	var best Shown
	for i, target := range b.Targets {
		s := b.tally(target, finds)
		if i == 0 || s.FoundSeeds > best.FoundSeeds || s.FoundSeeds == best.FoundSeeds && s.RunsMax < best.RunsMax {
			best = s
		}
	}
	return best
}

// tally adds up the hunts in one target.
func (b Bug) tally(target string, finds []find.Find) Shown {
	s := Shown{Target: target}
	var runs []uint64
	for _, f := range finds {
		if f.Target != target {
			continue
		}
		s.Seeds++
		if f.Found && !b.shownBy(f.Rule) {
			s.Instead = f
		}
		if !f.Found || !b.shownBy(f.Rule) {
			continue
		}
		s.FoundSeeds++
		s.Rule = f.Rule
		s.Certified += one(f.Certified)
		s.Caused += one(f.Cause != "")
		s.Sizes = s.Sizes.Max(f.Sizes)
		runs = append(runs, f.Runs)
		if f.Exceptions > s.Worst.Exceptions || s.Worst.Token == "" {
			s.Worst = f
		}
	}
	s.Found = s.Seeds > 0 && s.FoundSeeds == s.Seeds
	if len(runs) > 0 {
		slices.Sort(runs)
		s.RunsMedian, s.RunsMax = (runs[(len(runs)-1)/2]+runs[len(runs)/2])/2, runs[len(runs)-1]
	}
	return s
}

// one is 1 for yes.
func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
