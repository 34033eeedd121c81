// Command hunter hunts in targets with several seeds and prints one JSON line for
// each hunt. The command verify builds it with a seeded bug in the source.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/find"
	"github.com/fusedos/stramash/fuzz"
)

func main() {
	names := flag.String("target", "", "the `names` of targets, with commas between them")
	runs := flag.Uint64("runs", fuzz.DefaultRuns, "of each hunt")
	seeds := flag.Uint64("seeds", 1, "how many")
	first := flag.Uint64("first", 0, "the first seed")
	shrink := flag.Bool("shrink", true, "make what is found small, and tell all about it")
	strategy := flag.String("strategy", fuzz.DefaultStrategy, "of the hunts")
	flag.Parse()
	for name := range strings.SplitSeq(*names, ",") {
		for seed := *first; seed < *first+*seeds; seed++ {
			if err := hunt(name, *strategy, *runs, seed, *shrink); err != nil {
				fail(err)
			}
		}
	}
}

func fail(v any) {
	fmt.Fprintln(os.Stderr, v)
	os.Exit(1)
}

var watchdog = &fuzz.Watchdog{Hung: func(report string) { fail(report) }}

// hunt hunts once and prints what came of it.
func hunt(name, strategy string, runs, seed uint64, shrink bool) error {
	t, err := target(name)
	if err != nil {
		return err
	}
	s, err := fuzz.Hunt(t, fuzz.Options{Strategy: strategy, Runs: runs, Seed: seed, Watchdog: watchdog})
	if err != nil {
		return err
	}
	f := find.Find{Target: name, Seed: seed, Runs: s.Runs}
	switch {
	case s.Finding == nil:
	case !shrink:
		f.Found, f.Judge, f.Rule, f.Message = true, s.Finding.Judge, s.Finding.Rule, s.Finding.Message
	default:
		if err := describe(&f, t, s.Finding); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// describe makes the violation small and fills in what it is.
func describe(f *find.Find, t fuzz.Target, found *fuzz.Finding) error {
	small, err := fuzz.Shrink(t, found, fuzz.ShrinkOptions{Watchdog: watchdog})
	if err != nil {
		return err
	}
	report, err := small.Report(t, "verify replay %s", watchdog)
	f.Describe(small, report)
	return err
}

func target(name string) (fuzz.Target, error) {
	base, order, storage, err := fuzz.CutName(name)
	if err != nil {
		return fuzz.Target{}, err
	}
	for _, t := range all() {
		if t.Name == base {
			return t.Under(order).On(storage), nil
		}
	}
	return fuzz.Target{}, fmt.Errorf("no target is called %q", name)
}
