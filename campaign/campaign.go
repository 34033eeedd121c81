// Package campaign keeps the results of hunts, or of exhaustive searches, in a
// directory, so that they can
// be interrupted at any moment, resumed, and shared between processes and
// machines. It holds
//
//	campaign.json             what is hunted for: strategy, seed, runs, targets
//	blocks/TARGET/NUMBER      what came of 4,096 runs; at most 44 KB, and the findings.
//	                          Of an exhaustive search: of a subtree
//	findings/TARGET-HASH.txt  a violation: what happened, its token, and the record
//
// All files are replaced as a whole, and what they hold depends on the campaign
// only. So there is no lock: processes on different shards may use one
// directory at the same time, directories of one campaign may be merged by
// copying files, and two processes on the same shard do the same work twice.
// A finding is written as soon as it is found, before its block is done.
package campaign

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// Plan is what a campaign does. Every target gets the same runs.
type Plan struct {
	Strategy string // see fuzz.Strategies; empty is fuzz.DefaultStrategy; or Exhaustive
	Seed     uint64
	Runs     uint64 // zero means fuzz.DefaultRuns
	Pins     []machine.Pin
	// Bounded has an exhaustive search explore the schedules with so many
	// Preemptions at most.
	Bounded     bool
	Preemptions int
}

// Exhaustive stands for the strategy of a search that leaves nothing to chance.
// It has neither seed nor a number of runs.
const Exhaustive = "exhaustive"

// Dir is the directory of a campaign.
type Dir struct {
	path string
	m    *manifest
	id   string     // in the campaign's files
	mu   sync.Mutex // held to write findings
}

// Read answers what the campaign in a directory does, and in which targets;
// there are none if there is no campaign yet.
func Read(path string) (p Plan, targets []string, err error) {
	m, err := readManifest(path)
	if m == nil || err != nil {
		return Plan{}, nil, err
	}
	p = Plan{Strategy: m.Strategy, Seed: m.Seed, Runs: m.Runs, Pins: m.Pins}
	if m.Bound != nil {
		p.Bounded, p.Preemptions = true, *m.Bound
	}
	return p, m.names(), nil
}

func manifestFile(path string) string { return filepath.Join(path, "campaign.json") }

// readManifest is nil if there is none.
func readManifest(path string) (*manifest, error) {
	data, err := readFile(manifestFile(path))
	if data == nil || err != nil {
		return nil, err
	}
	m, err := decodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; use another directory", manifestFile(path), err)
	}
	return m, nil
}

// Open begins a campaign in a directory, which need not exist, or goes on with
// the one that is there. It fails if that one is another: only the number of
// runs may be larger than before. The targets must run as they did when the
// campaign was begun, since runs of different programs do not add up. The watchdog may be nil.
func Open(path string, p Plan, targets []fuzz.Target, w *fuzz.Watchdog) (*Dir, error) {
	want, err := newManifest(p, targets, w)
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, m: want, id: want.id()}
	for _, dir := range d.dirs() {
		if err := makeDir(dir); err != nil {
			return nil, err
		}
		if err := tidy(dir); err != nil {
			return nil, err
		}
	}
	have, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	if have != nil {
		if err := have.differs(want); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if have.Runs == want.Runs {
			return d, nil
		}
	}
	data, err := want.encode()
	if err != nil {
		return nil, err
	}
	return d, WriteFile(manifestFile(path), data)
}

// dirs are the directories of the campaign.
func (d *Dir) dirs() []string {
	out := []string{d.path, filepath.Join(d.path, "findings")}
	for _, t := range d.m.Targets {
		out = append(out, d.blocks(t.Name))
	}
	return out
}

// blocks is the directory of a target's blocks. The hash tells targets apart
// whose names differ in what a file name can't hold.
func (d *Dir) blocks(target string) string {
	return filepath.Join(d.path, "blocks", fmt.Sprintf("%s-%08x", readable(target), uint32(hashOf(target))))
}

// readable is a name as part of a file name.
func readable(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '.'
	}, name)
	clean = strings.TrimLeft(clean, ".")
	return clean[:min(len(clean), 100)]
}

// identityRuns is how many first runs tell whether a target's code is the same.
const identityRuns = 64

func newManifest(p Plan, targets []fuzz.Target, w *fuzz.Watchdog) (*manifest, error) {
	m := &manifest{Format: format, Strategy: p.Strategy, Seed: p.Seed, Runs: p.Runs, Pins: p.Pins}
	if m.Strategy == "" {
		m.Strategy = fuzz.DefaultStrategy
	}
	sample := m.Strategy
	if m.Strategy == Exhaustive {
		sample, m.Seed, m.Runs = fuzz.DefaultStrategy, 0, 0
	} else if m.Runs == 0 {
		m.Runs = fuzz.DefaultRuns
	}
	if p.Bounded {
		m.Bound = &p.Preemptions
	}
	for _, t := range targets {
		if slices.ContainsFunc(m.Targets, func(i identity) bool { return i.Name == t.Name }) {
			return nil, fmt.Errorf("target %s is given twice", t.Name)
		}
		s, err := fuzz.Hunt(t, fuzz.Options{Strategy: sample, Seed: m.Seed, Pins: m.Pins, Runs: identityRuns, All: true, Audit: -1, Watchdog: w})
		if err != nil {
			return nil, err
		}
		m.Targets = append(m.Targets, identity{t.Name, fmt.Sprintf("%016x", s.TraceHash)})
	}
	if len(m.Targets) == 0 {
		return nil, errors.New("a campaign needs a target")
	}
	return m, nil
}

// names are the targets'.
func (m *manifest) names() (out []string) {
	for _, t := range m.Targets {
		out = append(out, t.Name)
	}
	return out
}

// ordered is the pins by name: in which order they were given is of no matter.
func ordered(pins []machine.Pin) []machine.Pin {
	out := slices.Clone(pins)
	slices.SortFunc(out, func(a, b machine.Pin) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// differs says how a campaign differs from the one that is wanted, if it does
// in more than a smaller number of runs.
func (m *manifest) differs(want *manifest) error {
	switch {
	case m.Strategy != want.Strategy:
		return fmt.Errorf("the campaign is of strategy %s, not %s: use that, or another directory", m.Strategy, want.Strategy)
	case m.Seed != want.Seed:
		return fmt.Errorf("the campaign has seed %d, not %d: use that, or another directory", m.Seed, want.Seed)
	case boundText(m.Bound) != boundText(want.Bound):
		return fmt.Errorf("the campaign is of schedules with %s preemptions, not %s: use that, or another directory", boundText(m.Bound), boundText(want.Bound))
	case !slices.Equal(ordered(m.Pins), ordered(want.Pins)):
		return fmt.Errorf("the campaign has other fixed parameters: %s; use those, or another directory", pinText(m.Pins))
	case !slices.Equal(m.names(), want.names()):
		return fmt.Errorf("the campaign has other targets: %s; use those, or another directory", strings.Join(m.names(), " "))
	case m.Runs > want.Runs:
		return fmt.Errorf("the campaign has %d runs already, more than %d: use as many or more, or another directory", m.Runs, want.Runs)
	}
	for i, t := range m.Targets {
		if want.Targets[i].Runs != t.Runs {
			return fmt.Errorf("target %s runs otherwise than when the campaign was begun: the source has changed; use another directory, and replay the findings of this one", t.Name)
		}
	}
	return nil
}

func boundText(most *int) string {
	if most == nil {
		return "any number of"
	}
	return fmt.Sprintf("at most %d", *most)
}

func pinText(pins []machine.Pin) string {
	out := "none"
	for i, p := range pins {
		if i == 0 {
			out = ""
		} else {
			out += ", "
		}
		out += fmt.Sprintf("%s=%d", p.Name, p.Value)
	}
	return out
}

// Hunt does what is left of a target's runs, or of the shard's part of them. It
// takes the options that change no result: Workers, Shard, Audit, Stop,
// Progress and Watchdog. The summary counts the runs of all sessions, and its
// findings are also those of blocks that are not done yet, by run.
func (d *Dir) Hunt(t fuzz.Target, o fuzz.Options) (fuzz.Summary, error) {
	o.Strategy, o.Seed, o.Runs, o.Pins, o.All = d.m.Strategy, d.m.Seed, d.m.Runs, d.m.Pins, true
	o.Ledger = &ledger{d, t.Name}
	s, err := fuzz.Hunt(t, o)
	kept, err2 := d.Findings(t.Name)
	for _, f := range kept {
		if o.Shard.Holds(f.Run) {
			s.AddFinding(f)
		}
	}
	return s, errors.Join(err, err2)
}

// Exhaust explores what is left of a target's schedules, or of the shard's part
// of them. It takes the options that change no result: Workers, Shard, Runs,
// Stop, Progress and Watchdog.
func (d *Dir) Exhaust(t fuzz.Target, o fuzz.ExhaustOptions) (fuzz.Exhausted, error) {
	o.Pins, o.All, o.Bounded = d.m.Pins, true, d.m.Bound != nil
	l := &subtrees{dir: d, target: t.Name}
	if o.Bounded {
		o.Preemptions = *d.m.Bound
		l.shard = o.Shard // each does all runs, and keeps what is its own
	}
	o.Ledger = l
	return fuzz.Exhaust(t, o)
}
