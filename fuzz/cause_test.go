package fuzz

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// The cause of each known violation that has one is named.
func TestCause(t *testing.T) {
	for name, test := range map[string]struct {
		target Target
		want   string // in the pair, or empty: no single race is the cause
	}{
		"check then act": {checkThenAct(), "lock"},
		"deadlock":       {deadlocking(), ""},
		"alone":          {impatient(), ""},
		"interrupt":      {interrupted(), "interrupt 40 of P0"},
	} {
		f := mustFind(t, test.target, Options{Seed: 3})
		small, err := Shrink(test.target, f, ShrinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRunner(test.target, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		pair, ok := r.cause(small.Schedule)
		t.Logf("%s: %t %v", name, ok, pair)
		if name == "alone" && ok || test.want != "" && !(ok && strings.Contains(pair.String(), test.want)) {
			t.Errorf("%s: cause %t %v, want %q", name, ok, pair, test.want)
		}
		if ok && (pair.First.CPU == pair.Second.CPU && name != "interrupt" || pair.First.Site.File == "" && name != "interrupt" || pair.Second.Site.File == "" && name != "interrupt") {
			t.Errorf("%s: %+v", name, pair)
		}
		r.close()
	}
}

func TestReversed(t *testing.T) {
	cpu := func(n int, word machine.PA, writes bool) access {
		return access{machine.CPUAgent(n), eventPlace{}, int32(n), machine.Handle(n + 10), word, writes}
	}
	run := []access{
		cpu(0, 8, false), cpu(1, 16, true), cpu(2, 16, false), cpu(0, 24, true), cpu(1, 8, true), cpu(2, 24, true),
	}
	for _, test := range []struct {
		i, j int
		want string
	}{
		{0, 4, "121002"}, // all of CPU 0 comes behind the write of CPU 1
		{3, 5, "012120"},
		{1, 2, "021012"},
	} {
		c, direct := reversed(run, test.i, test.j)
		order, got := c.order, ""
		for _, a := range order {
			got += string('0' + rune(a.CPU()))
		}
		if !direct || got != test.want {
			t.Errorf("events %d and %d: order %s, direct %t; want %s", test.i, test.j, got, direct, test.want)
		}
	}
	// A third event orders the two.
	run[2] = cpu(1, 24, false)
	if _, direct := reversed([]access{cpu(0, 8, true), cpu(0, 16, true), cpu(1, 16, false), cpu(1, 8, true)}, 0, 3); direct {
		t.Error("two accesses that a third one orders are called a race")
	}
	if got := rivals([]access{cpu(0, 8, true), cpu(1, 8, true), cpu(2, 8, false), cpu(0, 8, true)}, 3); len(got) != 2 {
		t.Errorf("rivals: %v", got)
	}
}
