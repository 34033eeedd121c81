package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fusedos/stramash/fuzz"
)

// armLine is the JSON of what an arm of the portfolio earned.
type armLine struct {
	Arm   string `json:"arm"`
	Runs  uint64 `json:"runs"`
	First uint64 `json:"first"` // of their classes
	New   uint64 `json:"new"`   // pairs of reads and writes, and states
	Found uint64 `json:"found"`
}

func armLines(arms []fuzz.ArmEarned) []armLine {
	var out []armLine
	for _, a := range arms {
		out = append(out, armLine{a.Name, a.Runs, a.First, a.New, a.Found})
	}
	return out
}

// addArms adds up those of several targets.
func addArms(sum, more []armLine) []armLine {
	if sum == nil {
		return slices.Clone(more)
	}
	for i, a := range more {
		sum[i].Runs += a.Runs
		sum[i].First += a.First
		sum[i].New += a.New
		sum[i].Found += a.Found
	}
	return sum
}

// armText says in a line what the arms earned.
func armText(arms []armLine) string {
	var parts []string
	for _, a := range arms {
		if a.Runs == 0 {
			continue
		}
		text := fmt.Sprintf("%s %s/%s/%s", a.Arm, grouped(a.Runs), grouped(a.First), grouped(a.New))
		if a.Found > 0 {
			text += fmt.Sprintf(" (%s failed)", grouped(a.Found))
		}
		parts = append(parts, text)
	}
	return "arms (runs/new classes/new pairs and states): " + strings.Join(parts, ", ")
}
