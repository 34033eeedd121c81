package interleave_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/interleave"
)

// states are what an engine finds, spelled and in order.
func states(t *testing.T, engine memory.Engine, text string) []string {
	t.Helper()
	test, err := litmus.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(2)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	o, err := engine(p, memory.Budget{}, func(s litmus.State) bool {
		out = append(out, test.Format(s))
		return true
	})
	if err != nil || !o.Complete {
		t.Fatal(err, o.Why)
	}
	slices.Sort(out)
	return out
}

// Store buffers give exactly herd's states of its tests of x86-64.
func TestTSOIsHerds(t *testing.T) {
	dirs := []string{os.Getenv("STRAMASH_LITMUS"), "../../../../shared/litmus", "../../../../../shared/litmus"}
	i := slices.IndexFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "x86_64"))
		return dir != "" && err == nil
	})
	if i < 0 {
		t.Skip("skipped: herd's tests are not there; put their folder into STRAMASH_LITMUS")
	}
	lines, err := os.ReadFile(filepath.Join(dirs[i], "x86_64.expected.jsonl"))
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
		text, err := os.ReadFile(filepath.Join(dirs[i], "x86_64", want.File))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want.States)
		if got := states(t, interleave.TSO, string(text)); !slices.Equal(got, want.States) {
			t.Errorf("%s: %q, but with herd %q", want.File, got, want.States)
		}
	}
}

const sb = `X86_64 SB
{
}
 P0            | P1            ;
 movl $1,(x)   | movl $1,(y)   ;
 movl (y),%eax | movl (x),%eax ;
exists (0:rax=0 /\ 1:rax=0)
`

// Store buffering is what tells the two machines apart, and a fence stops it.
func TestStoreBuffering(t *testing.T) {
	fenced := strings.Replace(sb, " movl (y)", " mfence        | mfence        ;\n movl (y)", 1)
	for _, c := range []struct {
		name   string
		engine memory.Engine
		text   string
		want   int
	}{
		{"SC", interleave.SC, sb, 3},
		{"TSO", interleave.TSO, sb, 4},
		{"TSO with fences", interleave.TSO, fenced, 3},
	} {
		if got := states(t, c.engine, c.text); len(got) != c.want {
			t.Errorf("%s: %d states, not %d: %q", c.name, len(got), c.want, got)
		}
	}
}

// A store exclusive fails if another thread has written since the load, and a
// compare-and-swap if it reads another value.
func TestReadModifyWrites(t *testing.T) {
	const lost = `AArch64 exclusives
{
0:X1=x; 1:X1=x;
}
 P0               | P1          ;
 LDXR W2,[X1]     | MOV W0,#5   ;
 ADD W2,W2,#1     | STR W0,[X1] ;
 STXR W3,W2,[X1]  |             ;
locations [0:X3; x;]
exists (0:X3=1)
`
	if got := strings.Join(states(t, interleave.SC, lost), " "); got != "0:X3=0; [x]=5; 0:X3=0; [x]=6; 0:X3=1; [x]=5;" {
		t.Error(got)
	}
	const swap = `X86_64 swaps
{
}
 P0                     | P1                     ;
 movl $0,%eax           | movl $0,%eax           ;
 movl $1,%ebx           | movl $2,%ebx           ;
 lock cmpxchgl %ebx,(x) | lock cmpxchgl %ebx,(x) ;
locations [0:rax; 1:rax; x;]
exists (x=1)
`
	if got := strings.Join(states(t, interleave.TSO, swap), " "); got != "0:rax=0; 1:rax=1; [x]=1; 0:rax=2; 1:rax=0; [x]=2;" {
		t.Error(got)
	}
}

func TestRefusesAndStops(t *testing.T) {
	test, err := litmus.Parse([]byte("AArch64 a\n{\n0:X1=x;\n}\n P0 ;\n LDR W0,[X1] ;\nexists (0:X0=0)\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := interleave.TSO(p, memory.Budget{}, nil); err == nil || !strings.Contains(err.Error(), "thread 0 is of aarch64") {
		t.Error("TSO runs a thread of AArch64:", err)
	}
	if test, err = litmus.Parse([]byte(sb)); err != nil {
		t.Fatal(err)
	}
	if p, err = test.Program(1); err != nil {
		t.Fatal(err)
	}
	o, err := interleave.TSO(p, memory.Budget{Steps: 5}, func(litmus.State) bool { return true })
	if err != nil || o.Complete || o.Why == "" {
		t.Error("5 steps are enough:", o, err)
	}
	n := 0
	if o, _ = interleave.TSO(p, memory.Budget{}, func(litmus.State) bool { n++; return false }); n != 1 || o.Complete {
		t.Error("it goes on after an answer of false:", n, o)
	}
}
