package tester_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusedos/stramash/coherence/protocol"
	"github.com/fusedos/stramash/coherence/protocol/tester"
	"github.com/fusedos/stramash/model/transition"
)

var write = flag.Bool("write", false, "write the files of testdata anew")

// Everything that can be left out of the table of mesi, once: a rule, its condition, one of
// its actions, or its next state. What the checker then finds wrong in a system of 3
// caches, the tester must find, too. The golden file lists what can be left out unnoticed:
// values that nobody reads any more are not cleared, states that differ in name only, and
// evictions that don't happen. What the tester alone finds is there, too: that a processor
// is never served is wrong to who waits for it, but not to a system that comes to rest.
func TestOmissions(t *testing.T) {
	if testing.Short() {
		t.Skip("explores a hundred tables")
	}
	text, err := protocol.Text("mesi")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.ReplaceAll(text, "\n  ", " "), "\n")
	var got strings.Builder
	found := 0
	for i, line := range lines {
		for _, o := range omissions(line) {
			mutant := append(append(append([]string{}, lines[:i]...), o.line), lines[i+1:]...)
			table, err := protocol.Parse("mesi", strings.Join(mutant, "\n"))
			if err != nil {
				continue // it would be no table
			}
			property, tested, err := both(table)
			switch {
			case err != nil:
				continue // nor a system
			case property != "" && tested == "":
				t.Errorf("without %s: the checker finds %s, the tester nothing\n%s", o.what, property, line)
			case property != "":
				found++
			case tested != "":
				fmt.Fprintf(&got, "%s\n    without %s: %s, for the tester only\n", line, o.what, tested)
			default:
				fmt.Fprintf(&got, "%s\n    without %s\n", line, o.what)
			}
		}
	}
	fmt.Fprintf(&got, "%d others are found\n", found)
	golden := filepath.Join("testdata", "omissions.txt")
	if *write {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("-write writes it anew (-want +got)\n%s", d)
	}
}

// omission is a rule without a part of it.
type omission struct{ what, line string }

// omissions are the ways to leave something out of a rule; none of another line.
func omissions(line string) (out []omission) {
	head, body, ok := strings.Cut(line, ": ")
	if !ok || !strings.Contains(head, " on ") || strings.HasPrefix(line, "#") {
		return nil
	}
	out = append(out, omission{"the rule", ""})
	if events, condition, ok := strings.Cut(head, " if "); ok {
		out = append(out, omission{"if " + condition, events + ": " + body})
	}
	does, next, moves := strings.Cut(body, "-> ")
	does = strings.TrimSpace(does)
	if moves {
		out = append(out, omission{"-> " + next, head + ": " + does})
		next = " -> " + next
	}
	if does == "" || does == "stall" || does == "hit" {
		return out
	}
	actions := strings.Split(does, "; ")
	for i, a := range actions {
		rest := append(append([]string{}, actions[:i]...), actions[i+1:]...)
		out = append(out, omission{a, head + ": " + strings.Join(rest, "; ") + next})
	}
	return out
}

// both are the properties that the checker and the tester find violated, or "".
func both(table *protocol.Protocol) (checked, tested string, err error) {
	s, err := table.Build(protocol.Config{})
	if err != nil {
		return "", "", err
	}
	r, err := transition.Check(context.Background(), s.Model(nil), transition.Options{
		Workers: 2, Symmetry: true, Quiescence: true, MaxStates: transition.Unlimited, MaxBytes: transition.Unlimited,
	})
	if err != nil {
		return "", "", err
	}
	if s, err = table.Build(protocol.Config{Values: 255}); err != nil {
		return "", "", err
	}
	x, err := tester.Run(context.Background(), s, tester.Options{Operations: 20_000})
	if err == nil && x.Violation != nil {
		tested = x.Violation.Property
	}
	return r.Property, tested, err
}
