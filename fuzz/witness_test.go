package fuzz

import (
	"regexp"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// unreleased is a lock whose release orders nothing.
func unreleased() Target {
	return counting("unreleased", func(t *machine.Thread, lock machine.VA) {
		for t.Swap(lock, machine.Size64, 1, machine.Acquire) != 0 {
			t.Await(machine.Until(lock, 0))
		}
	}, func(t *machine.Thread, lock machine.VA) { t.Store(lock, machine.Size64, 0, machine.Relaxed) })
}

// dangling has a thread look at what another one frees.
func dangling() Target {
	return Target{Name: "dangling", Platform: machine.Pair(), Setup: func(m *machine.Machine) Program {
		word := m.Alloc(8)
		m.Label(word, 8, "word")
		return Program{Threads: []machine.Start{
			{CPU: 0, Body: func(t *machine.Thread) {
				block := t.Alloc(16)
				t.Store(word, machine.Size64, uint64(block), machine.Release)
				t.Await(machine.Until(word, 1))
				t.Free(block)
			}},
			{CPU: 1, Body: func(t *machine.Thread) {
				block := machine.VA(t.Await(machine.While(word, 0)))
				t.Store(word, machine.Size64, 1, machine.Release)
				t.Load(block+8, machine.Size64, machine.Relaxed)
			}},
		}}
	}}
}

// A report names the sites of what shows a race, or a misuse of memory.
func TestReportNamesWitnesses(t *testing.T) {
	for _, test := range []struct {
		target          Target
		signature, want string
	}{
		{unreleased(), "races/data race/counter", `VIOLATION unreleased: data race
P1 \(x86-64\) reads counter, which P0 \(x86-64\) wrote before: nothing orders the two, and both are plain

(?s:.*)
race    P0 store counter := 0x1 \(helpers_test.go:23\)  with  P1 load counter = 0x1 \(helpers_test.go:23\)
`},
		{dangling(), "memory safety/use after free", `VIOLATION dangling: use after free
P1 \(aarch64\) reads block 0.0\+8, which P0 \(x86-64\) has freed before

(?s:.*)
access  P1 load.relaxed block 0.0\+8 = 0x0 \(witness_test.go:34\)
freed   P0 free block 0.0 \(witness_test.go:29\)
alloc   P0 alloc of 16 bytes = block 0.0 \(witness_test.go:26\)
`},
	} {
		f := mustFind(t, test.target, Options{})
		small, err := Shrink(test.target, f, ShrinkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		report, err := small.Report(test.target, "verify replay %s", nil)
		if err != nil || f.Signature != test.signature || !regexp.MustCompile(test.want).MatchString(report) {
			t.Errorf("%v, signature %q:\n%s", err, f.Signature, report)
		}
		if len(small.Witnesses) < 2 || small.Witnesses[1].Site.File == "" {
			t.Errorf("witnesses: %v", small.Witnesses)
		}
	}
}

// Races are not judged where they are intended, and never before what else is
// wrong.
func TestIntendedRaces(t *testing.T) {
	target := unreleased()
	target.IntendedRaces = true
	if s := mustHunt(t, target, Options{Runs: 500}); s.Finding != nil {
		t.Error(s.Finding.Message)
	}
	wrong := unreleased()
	inner := wrong.Setup
	wrong.Setup = func(m *machine.Machine) Program {
		p := inner(m)
		p.After = func() error { return Want(1, 2) }
		return p
	}
	if f := mustFind(t, wrong, Options{}); f.Judge != "final state" {
		t.Errorf("%s comes first", f.Judge)
	}
}
