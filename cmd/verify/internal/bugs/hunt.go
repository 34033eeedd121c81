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
	// Operations are those of the processors, with each seed, in the random test of a protocol.
	Operations uint64
	// AsFound says that what is found need not be made small: its rule is enough.
	AsFound bool
	// Strategy is its name; empty means the default.
	Strategy string

	Limit time.Duration // of a hunter's wall time; zero means a generous one
}

// Shown is what the hunts for a bug came to: those of the one target that
// shows it best, under the memory order that shows it worst.
type Shown struct {
	Found      bool   // with every seed, under every order
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
	Elsewhere  find.Find  // a find under an order in which the bug should not show; or the zero Find

	Orders []InOrder // each order under which it must show
}

// InOrder is what the hunts under one memory order came to.
type InOrder struct {
	Order      string `json:"order"`
	Target     string `json:"target"`
	Rule       string `json:"rule,omitempty"`
	FoundSeeds int    `json:"seeds_found"`
	RunsMedian uint64 `json:"runs_median"`
	RunsMax    uint64 `json:"runs_max"`
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
	s, err := b.showWith(ctx, program, e)
	if err != nil {
		return Shown{}, fmt.Errorf("bug %s: %w", b.Name, err)
	}
	return s, nil
}

// elsewhereRuns bounds the one hunt under an order in which a bug should not show.
const elsewhereRuns = 5000

// showWith hunts under each memory order: for where the bug must show with every
// seed, and a little for where it must not.
func (b Bug) showWith(ctx context.Context, program string, e Effort) (all Shown, err error) {
	listed := b.Orders
	if len(listed) == 0 {
		listed = orders[:1]
	}
	for i, o := range listed {
		u := b.under(o)
		finds, err := u.hunt(ctx, program, e)
		if err != nil {
			return Shown{}, err
		}
		s := u.judge(finds)
		s.Orders = append(all.Orders, InOrder{o, s.Target, s.Rule, s.FoundSeeds, s.RunsMedian, s.RunsMax})
		if i > 0 {
			s = all.join(s)
		}
		all = s
	}
	e.Seeds, e.Runs = 1, min(e.Runs, elsewhereRuns)
	for _, o := range orders {
		if len(b.Orders) == 0 || slices.Contains(listed, o) {
			continue
		}
		finds, err := b.under(o).hunt(ctx, program, e)
		if err != nil {
			return Shown{}, err
		}
		if i := slices.IndexFunc(finds, func(f find.Find) bool { return f.Found }); i >= 0 {
			all.Elsewhere = finds[i]
		}
	}
	return all, nil
}

// under is the bug with its targets under a memory order.
func (b Bug) under(order string) Bug {
	b.Targets = slices.Clone(b.Targets)
	for i := range b.Targets {
		if order != orders[0] {
			b.Targets[i] += "+" + order
		}
	}
	return b
}

// join is the worse of both, with the larger sizes and the orders of t.
func (s Shown) join(t Shown) Shown {
	w := t
	if s.FoundSeeds < t.FoundSeeds || s.FoundSeeds == t.FoundSeeds && s.RunsMax > t.RunsMax {
		w = s
	}
	w.Found, w.Sizes, w.Orders = s.Found && t.Found, s.Sizes.Max(t.Sizes), t.Orders
	w.Certified, w.Caused = min(s.Certified, t.Certified), min(s.Caused, t.Caused)
	return w
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
		"-first", fmt.Sprint(e.First), "-strategy", e.Strategy, fmt.Sprintf("-shrink=%t", !e.AsFound), "-target", strings.Join(b.Targets, ","))
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
		s.RunsMedian, s.RunsMax = middle(runs), runs[len(runs)-1]
	}
	return s
}

// middle sorts numbers, of which there is one at least, and answers their median.
func middle(all []uint64) uint64 {
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// one is 1 for yes.
func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
