package protocol

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

var long = flag.Bool("long", false, "explore also the systems that take minutes")

// counted is a line of testdata/counts.txt.
type counted struct {
	line          int
	name          string
	config        Config
	symmetry      bool
	bound         int64 // of states, of a system that is not explored completely
	states, rules int64
	levels        int
	long          bool
}

// readCounts reads testdata/counts.txt.
func readCounts(t *testing.T) (out []counted) {
	text, err := os.ReadFile("testdata/counts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range strings.Split(string(text), "\n") {
		s, _, _ = strings.Cut(s, "#")
		words := strings.Fields(s)
		if len(words) == 0 {
			continue
		}
		c := counted{line: i + 1, name: words[0], config: Config{Parameters: map[string]int{}}, bound: transition.Unlimited}
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w, "=")
			n, err := strconv.Atoi(strings.ReplaceAll(value, ",", ""))
			if value != "" && err != nil {
				t.Fatalf("counts.txt:%d: %v", i+1, err)
			}
			switch key {
			case "symmetry":
				c.symmetry = true
			case "long":
				c.long = true
			case "addresses":
				c.config.Addresses = n
			case "bound":
				c.bound = int64(n)
			case "states":
				c.states = int64(n)
			case "rules":
				c.rules = int64(n)
			case "levels":
				c.levels = n
			default:
				c.config.Parameters[key] = n
			}
		}
		out = append(out, c)
	}
	return out
}

// TestGoldenCounts: the systems of testdata/counts.txt hold, and have so many states.
func TestGoldenCounts(t *testing.T) {
	for _, c := range readCounts(t) {
		if c.long && !*long {
			continue
		}
		t.Run(fmt.Sprintf("line %d", c.line), func(t *testing.T) {
			s := build(t, c.name, c.config)
			r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
				Workers: 2, Symmetry: c.symmetry, Quiescence: !c.long, Fingerprints: c.long, MaxStates: c.bound, MaxBytes: transition.Unlimited,
			})
			if err != nil {
				t.Fatal(err)
			}
			want := transition.Holds
			if c.bound != transition.Unlimited {
				want = transition.Inconclusive
			}
			if r.Verdict != want || r.States != c.states || r.Rules != c.rules || r.Depth != c.levels {
				t.Errorf("%s %v: %v %s, states=%d rules=%d levels=%d", c.name, c.config, r.Verdict, r.Property, r.States, r.Rules, r.Depth)
				for _, x := range r.Trace {
					t.Log(x.Step, x.Changed)
				}
			}
		})
	}
}
