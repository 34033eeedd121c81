package laws

import (
	"slices"
	"strings"
	"testing"
)

func never() bool { return false }

func TestLawsHold(t *testing.T) {
	results := Check(1, never)
	if len(results) != len(Names()) {
		t.Errorf("%d of %d laws were tried", len(results), len(Names()))
	}
	for _, r := range results {
		if r.Failure != "" || r.Cases < casesPerLaw {
			t.Errorf("%s: %d cases: %s", r.Law, r.Cases, r.Failure)
		}
	}
}

func TestSameSeedSameCases(t *testing.T) {
	var seen [2][]uint32
	for i := range seen {
		law{"", func(n []uint32) string { seen[i] = append(seen[i], n...); return "" }}.check(7)
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Error("one seed tried different cases")
	}
}

func TestBrokenLawIsReported(t *testing.T) {
	r := law{"short", func(n []uint32) string {
		if len(n) > 3 {
			return "too long"
		}
		return ""
	}}.check(1)
	if !strings.Contains(r.Failure, "too long") || !strings.Contains(r.Failure, "numbers") {
		t.Errorf("failure %q", r.Failure)
	}
}

func TestPanickingLawIsReported(t *testing.T) {
	r := law{"panics", func([]uint32) string { panic("oh") }}.check(1)
	if !strings.Contains(r.Failure, "oh") {
		t.Errorf("failure %q", r.Failure)
	}
}

func TestStopEndsEarly(t *testing.T) {
	if r := Check(1, func() bool { return true }); len(r) != 0 {
		t.Errorf("%d laws were tried", len(r))
	}
}
