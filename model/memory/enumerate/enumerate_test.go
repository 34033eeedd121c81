package enumerate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/enumerate"
)

// The states of all of herd's tests are herd's.
func TestStatesAreHerds(t *testing.T) {
	dirs := []string{os.Getenv("STRAMASH_LITMUS"), "../../../../shared/litmus", "../../../../../shared/litmus"}
	i := slices.IndexFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "x86_64"))
		return dir != "" && err == nil
	})
	if i < 0 {
		t.Skip("skipped: herd's tests are not there; put their folder into STRAMASH_LITMUS")
	}
	for _, folder := range []string{"x86_64", "aarch64", "mixed"} {
		lines, err := os.ReadFile(filepath.Join(dirs[i], folder+".expected.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
			var want struct {
				File   string
				States []string
			}
			if err := json.Unmarshal([]byte(l), &want); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dirs[i], folder, want.File))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(want.States)
			if got := states(t, string(text), memory.Budget{}); !slices.Equal(got, want.States) {
				t.Errorf("%s/%s: %q, but with herd %q", folder, want.File, got, want.States)
			}
		}
	}
}

// states are the final states of a test, in order.
func states(t *testing.T, text string, b memory.Budget) (out []string) {
	t.Helper()
	test, err := litmus.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(2)
	if err != nil {
		t.Fatal(err)
	}
	o, err := enumerate.Run(p, b, func(s litmus.State) bool {
		out = append(out, test.Format(s))
		return true
	})
	if err != nil || o.Complete == (o.Why != "") {
		t.Fatal(err, o)
	}
	if !o.Complete {
		out = append(out, "and more")
	}
	slices.Sort(out)
	return out
}

const adders = `AArch64 adders
{
0:X1=x; 1:X1=x; 2:X1=x;
}
 P0               | P1               | P2               ;
 MOV W0,#1        | MOV W0,#2        | MOV W0,#4        ;
 LDADD W0,W2,[X1] | LDADD W0,W2,[X1] | LDADD W0,W2,[X1] ;
locations [0:X2; 1:X2; 2:X2; x;]
exists (x=7)
`

// Values that come of other values are found, three additions are one after the
// other, and a search that must stop says so.
func TestValuesAndBudget(t *testing.T) {
	got := states(t, adders, memory.Budget{})
	if len(got) != 6 {
		t.Errorf("%d orders of three additions: %q", len(got), got)
	}
	for _, s := range got {
		if !strings.Contains(s, "[x]=7;") {
			t.Errorf("an addition is lost: %s", s)
		}
	}
	if got := states(t, adders, memory.Budget{Steps: 50}); !slices.Contains(got, "and more") {
		t.Errorf("50 steps are enough: %q", got)
	}
}
