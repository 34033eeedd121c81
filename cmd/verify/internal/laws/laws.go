// Package laws holds what the gate checks by properties instead of runs of
// targets: the laws that every specification obeys, that written tokens read
// back, and that each lock does in sequence what its specification says. The
// cases come from gopter, with a seed of the caller's and one worker, so the same
// seed tries the same cases on every host.
package laws

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
)

// Result is what came of one law.
type Result struct {
	Law     string
	Cases   int
	Failure string // the smallest case that breaks it, and how; empty if none does
}

// law is a property of all lists of numbers: each law reads them as it needs.
// Holds answers what is wrong, or nothing.
type law struct {
	name  string
	holds func(numbers []uint32) string
}

// casesPerLaw is how many lists of numbers each law is tried with.
const casesPerLaw = 100

func all() []law { return slices.Concat(specLaws(), codecLaws(), conformanceLaws()) }

// Names are the laws there are, in their order.
func Names() (names []string) {
	for _, l := range all() {
		names = append(names, l.name)
	}
	return names
}

// Check tries every law; it asks stop before each one whether to end early.
func Check(seed int64, stop func() bool) []Result {
	var out []Result
	for _, l := range all() {
		if stop() {
			break
		}
		out = append(out, l.check(seed))
	}
	return out
}

func (l law) check(seed int64) Result {
	p := gopter.DefaultTestParametersWithSeed(seed)
	p.Workers, p.MinSuccessfulTests = 1, casesPerLaw
	r := prop.ForAll(l.holds, gen.SliceOf(gen.UInt32())).Check(p)
	out := Result{Law: l.name, Cases: r.Succeeded}
	if r.Passed() {
		return out
	}
	out.Failure = strings.Join(r.Labels, "; ")
	if r.Error != nil {
		out.Failure = r.Error.Error()
	}
	for _, a := range r.Args {
		out.Failure += fmt.Sprintf("\nnumbers %s", a.ArgFormatted)
	}
	return out
}

// numbers reads a list one after another; beyond its end all are zero.
type numbers []uint32

// next is the next number, from 0 to n-1.
func (s *numbers) next(n int) int {
	if len(*s) == 0 {
		return 0
	}
	v := (*s)[0]
	*s = (*s)[1:]
	return int(v % uint32(n))
}
