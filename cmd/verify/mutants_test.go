package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/cmd/verify/internal/bugs"
)

// The golden table is what verify mutants prints: a hunt for each mutant takes too
// long for a test. It must have a row for each mutant that the source has today.
func TestMutantsAreInTheTable(t *testing.T) {
	text, err := os.ReadFile("testdata/mutants.txt")
	if err != nil {
		t.Fatal(err)
	}
	root, err := bugs.Root(mustGetwd(t))
	if err != nil {
		t.Fatal(err)
	}
	survivors, err := readSurvivors(filepath.Join(root, survivorsFile))
	if err != nil {
		t.Fatal(err)
	}
	stale := maps.Clone(survivors)
	rows := strings.Split(string(text), "\n")
	for _, path := range mutantPaths {
		mutants, err := bugs.Mutants(root, path)
		if err != nil || len(mutants) < 10 {
			t.Fatalf("%d mutants, %v", len(mutants), err)
		}
		for _, m := range mutants {
			row := takeRow(&rows, m.String()+" ")
			delete(stale, m.String())
			why, explained := survivors[m.String()]
			switch {
			case row == "":
				t.Errorf("testdata/mutants.txt has no row for %v; verify mutants prints it", m)
			case explained && !strings.HasSuffix(row, "  explained: "+why), !explained && !strings.HasSuffix(row, "  caught"):
				t.Errorf("testdata/mutants.txt and survivors.txt do not agree: %s", row)
			}
		}
	}
	for _, row := range rows[1:] {
		if strings.Contains(row, ">") {
			t.Errorf("testdata/mutants.txt has a row for what is no mutant: %s", row)
		}
	}
	for m := range stale {
		t.Errorf("survivors.txt has what is no mutant: %s", m)
	}
}

// takeRow takes the row that holds a name out of rows.
func takeRow(rows *[]string, name string) string {
	for i, row := range *rows {
		if strings.Contains(row, name) {
			(*rows)[i] = ""
			return row
		}
	}
	return ""
}

func mustGetwd(t *testing.T) string {
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return wd
}
