package axiomatic

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// A shape is a small test: a line of instructions for each thread, those of x86-64
// marked by "x86: ", and a condition. Threads of AArch64 have x, y and z in X1, X2
// and X3, and 1 and 2 in X5 and X6.
type shape struct {
	name    string
	init    string
	threads []string
	exists  string
	obs     string
}

const (
	writer   = "STR W5,[X1] ; DMB SY ; STR W5,[X2]" // x, then y
	answerer = "LDR W0,[X2] ; DMB SY ; STR W5,[X1]" // y, then x
	asker    = "STR W5,[X2] ; DMB SY ; LDR W0,[X1]" // writes y, reads x

	mp  = `1:X0=1 /\ 1:X7=0` // of writer
	lb  = `0:X0=1 /\ 1:X0=1` // of answerer
	sb  = `0:X0=0 /\ 1:X0=0`
	sbx = `0:rax=0 /\ 1:X0=0`
)

// shapes are the classic tests on both instruction sets and across them, and for each
// rule one that it forbids.
var shapes = []shape{
	{"SB", "", []string{"STR W5,[X1] ; LDR W0,[X2]", "STR W5,[X2] ; LDR W0,[X1]"}, sb, "Sometimes"},
	{"SB+dmbs", "", []string{"STR W5,[X1] ; DMB SY ; LDR W0,[X2]", asker}, sb, "Never"},
	{"SB+dsb.st", "", []string{"STR W5,[X1] ; DSB ST ; LDR W0,[X2]", asker}, sb, "Never"},
	{"SB+dmb.st", "", []string{"STR W5,[X1] ; DMB ST ; LDR W0,[X2]", asker}, sb, "Sometimes"},
	{"SB+rel-acq", "", []string{"STLR W5,[X1] ; LDAR W0,[X2]", asker}, sb, "Never"},
	{"SB+rel-acqpc", "", []string{"STLR W5,[X1] ; LDAPR W0,[X2]", asker}, sb, "Sometimes"},
	{"SB+swpal", "", []string{"SWPAL W5,W7,[X1] ; LDR W0,[X2]", asker}, sb, "Never"},
	{"SB+swpl", "", []string{"SWPL W5,W7,[X1] ; LDR W0,[X2]", asker}, sb, "Sometimes"},
	{"MP", "", []string{writer, "LDR W0,[X2] ; LDR W7,[X1]"}, mp, "Sometimes"},
	{"MP+dmb+addr", "", []string{writer, "LDR W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, mp, "Never"},
	{"MP+dmb.st+addr", "", []string{"STR W5,[X1] ; DMB ST ; STR W5,[X2]", "LDR W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, mp, "Never"},
	{"MP+rel+addr", "", []string{"STR W5,[X1] ; STLR W5,[X2]", "LDR W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, mp, "Never"},
	{"MP+rel-swpa+addr", "", []string{"STLR W5,[X1] ; SWPA W5,W7,[X2]", "LDR W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, mp, "Never"},
	{"MP+dmb+acqpc", "", []string{writer, "LDAPR W0,[X2] ; LDR W7,[X1]"}, mp, "Never"},
	{"MP+dmb+dmb.ld", "", []string{writer, "LDR W0,[X2] ; DMB LD ; LDR W7,[X1]"}, mp, "Never"},
	{"MP+dmb+ctrl", "", []string{writer, "LDR W0,[X2] ; CBNZ W0,L ; L: LDR W7,[X1]"}, mp, "Sometimes"},
	{"MP+dmb+ctrl-isb", "", []string{writer, "LDR W0,[X2] ; CBNZ W0,L ; L: ISB ; LDR W7,[X1]"}, mp, "Never"},
	{"MP+dmb+data-lrs-acq", "", []string{writer, "LDR W0,[X2] ; STR W0,[X3] ; LDAR W4,[X3] ; LDR W7,[X1]"}, mp, "Never"},
	{"MP+dmb+data-wsi-lrs-acq", "", []string{writer, "LDR W0,[X2] ; STR W0,[X3] ; STR W6,[X3] ; LDAR W4,[X3] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X4=2 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+swp-lrs-acq", "", []string{writer, "SWP W6,W0,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X8=2 /\ 1:X7=0`, "Never"},
	{"MP+dmb+ldadd-lrs-addr", "", []string{writer, "LDADD W6,W0,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=3 /\ 1:X7=0`, "Never"},
	{"MP+dmb+swpa-noret", "", []string{writer, "SWPA W6,WZR,[X2] ; LDR W7,[X1]"}, `[y]=2 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+csel-addr", "1:X9=z;", []string{writer, "LDR W0,[X2] ; CMP W0,#1 ; CSEL X4,X1,X9,EQ ; LDR W7,[X4]"}, mp, "Sometimes"},
	{"MP+dmb+cas-fails-lrs-addr", "1:X0=9;", []string{writer, "CAS W0,W5,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=1 /\ 1:X7=0`, "Sometimes"},
	{"LB+dmb+cas-fails-lrs-data", "1:X0=9;", []string{answerer, "CAS W0,W5,[X1] ; LDR W8,[X1] ; STR W8,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"CAS-ok-compared", "z=1;", []string{writer, "LDR W0,[X2] ; CAS W0,W6,[X3] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ [z]=2 /\ 1:X7=0`, "Sometimes"},
	{"LB", "", []string{"LDR W0,[X2] ; STR W5,[X1]", "LDR W0,[X1] ; STR W5,[X2]"}, lb, "Sometimes"},
	{"LB+dmb+data", "", []string{answerer, "LDR W0,[X1] ; STR W0,[X2]"}, lb, "Never"},
	{"LB+dmb+ctrl", "", []string{answerer, "LDR W0,[X1] ; CBNZ W0,L ; L: STR W5,[X2]"}, lb, "Never"},
	{"LB+dmb+addr", "", []string{answerer, "LDR W0,[X1] ; EOR W4,W0,W0 ; STR W5,[X2,W4,SXTW]"}, lb, "Never"},
	{"LB+dmb+addr-po", "", []string{answerer, "LDR W0,[X1] ; EOR W4,W0,W0 ; LDR W7,[X3,W4,SXTW] ; STR W5,[X2]"}, lb, "Never"},
	{"LB+dmb+csel-addr", "1:X9=z;", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL X4,X2,X9,EQ ; STR W5,[X4]"}, lb, "Never"},
	{"LB+dmb+csel-data", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X2]"}, lb, "Never"},
	{"LB+dmb+csel-ctrl", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; CBNZ W4,L ; L: STR W5,[X2]"}, lb, "Never"},
	{"LB+dmb+csel-addr-po", "1:X9=a;", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL X4,X3,X9,EQ ; STR W5,[X4] ; STR W5,[X2]"}, lb, "Never"},
	{"LB+dmb+csel-data-lrs-acq", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X3] ; LDAR W4,[X3] ; STR W5,[X2]"}, lb, "Never"},
	{"LB+dmb+data-wsi", "", []string{answerer, "LDR W0,[X1] ; STR W0,[X2] ; STR W6,[X2]"}, `0:X0=2 /\ 1:X0=1`, "Never"},
	{"2+2W", "", []string{"STR W5,[X1] ; STR W6,[X2]", "STR W5,[X2] ; STR W6,[X1]"}, `[x]=1 /\ [y]=1`, "Sometimes"},
	{"2+2W+dmbs", "", []string{"STR W5,[X1] ; DMB SY ; STR W6,[X2]", "STR W5,[X2] ; DMB SY ; STR W6,[X1]"}, `[x]=1 /\ [y]=1`, "Never"},
	{"IRIW+addrs", "", []string{"STR W5,[X1]", "LDR W0,[X1] ; EOR W4,W0,W0 ; LDR W7,[X2,W4,SXTW]", "STR W5,[X2]", "LDR W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"},
		`1:X0=1 /\ 1:X7=0 /\ 3:X0=1 /\ 3:X7=0`, "Never"},
	{"CoRR", "", []string{"STR W5,[X1]", "LDR W0,[X1] ; LDR W7,[X1]"}, mp, "Never"},
	{"CoWW", "", []string{"STR W5,[X1] ; STR W6,[X1]"}, `[x]=1`, "Never"},
	{"CoWR", "", []string{"STR W5,[X1] ; LDR W0,[X1]"}, `0:X0=0`, "Never"},
	{"CoRW", "", []string{"LDR W0,[X1] ; STR W5,[X1]"}, `0:X0=1`, "Never"},
	{"SWP-reads-itself", "", []string{"SWP W5,W0,[X1]"}, `0:X0=1`, "Never"},
	{"adders", "", []string{"LDADD W5,W0,[X1]", "LDADD W5,W0,[X1]"}, sb, "Never"},
	{"add-then-swap", "", []string{"LDADD W5,W7,[X1] ; SWP W6,W7,[X1]", "LDR W0,[X1]"}, `1:X0=2`, "Sometimes"},
	{"exclusives", "", []string{"STR W6,[X1]", "LDXR W0,[X1] ; STXR W8,W5,[X1]"}, `1:X0=0 /\ 1:X8=0 /\ [x]=1`, "Never"},
	{"exclusive-own-write", "", []string{"LDXR W0,[X1] ; STR W6,[X1] ; STXR W8,W5,[X1]"}, `0:X8=0`, "Sometimes"},

	{"SB+x86", "", []string{"x86: movl $1,(x) ; movl (y),%eax", asker}, sbx, "Sometimes"},
	{"SB+mfence", "", []string{"x86: movl $1,(x) ; mfence ; movl (y),%eax", asker}, sbx, "Never"},
	{"SB+xchg", "", []string{"x86: movl $1,%ebx ; xchg (x),%ebx ; movl (y),%eax", asker}, sbx, "Never"},
	{"MP+x86s", "", []string{"x86: movl $1,(x) ; movl $1,(y)", "x86: movl (y),%eax ; movl (x),%ebx"}, `1:rax=1 /\ 1:rbx=0`, "Never"},
	{"MP+x86+po", "", []string{"x86: movl $1,(x) ; movl $1,(y)", "LDR W0,[X2] ; LDR W7,[X1]"}, mp, "Sometimes"},
	{"MP+x86+acqpc", "", []string{"x86: movl $1,(x) ; movl $1,(y)", "LDAPR W0,[X2] ; LDR W7,[X1]"}, mp, "Never"},
	{"MP+po+x86", "", []string{"STR W5,[X1] ; STR W5,[X2]", "x86: movl (y),%eax ; movl (x),%ebx"}, `1:rax=1 /\ 1:rbx=0`, "Sometimes"},
	{"LB+x86+po", "", []string{"x86: movl (y),%eax ; movl $1,(x)", "LDR W0,[X1] ; STR W5,[X2]"}, `0:rax=1 /\ 1:X0=1`, "Sometimes"},
	{"LB+x86+data", "", []string{"x86: movl (y),%eax ; movl $1,(x)", "LDR W0,[X1] ; STR W0,[X2]"}, `0:rax=1 /\ 1:X0=1`, "Never"},
	{"adders+x86+arm", "", []string{"x86: movl $1,%eax ; lock xaddl %eax,(x)", "LDADD W5,W0,[X1]"}, sbx, "Never"},
}

// text is the shape as a litmus test.
func (s shape) text() string {
	var heads []string
	var columns [][]string
	init, rows := s.init, 0
	for t, code := range s.threads {
		isa := "aarch64"
		if rest, x86 := strings.CutPrefix(code, "x86: "); x86 {
			isa, code = "x86_64", rest
		} else {
			init += fmt.Sprintf(" %d:X1=x; %d:X2=y; %d:X3=z; %d:X5=1; %d:X6=2;", t, t, t, t, t)
		}
		heads = append(heads, fmt.Sprintf("P%d:%s", t, isa))
		columns = append(columns, strings.Split(code, " ; "))
		rows = max(rows, len(columns[t]))
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "MIXED %s\n{%s}\n%s ;\n", s.name, init, strings.Join(heads, " | "))
	for r := range rows {
		for t, c := range columns {
			if t > 0 {
				b.WriteString(" | ")
			}
			if r < len(c) {
				b.WriteString(c[r])
			}
		}
		b.WriteString(" ;\n")
	}
	fmt.Fprintf(b, "exists (%s)\n", s.exists)
	return b.String()
}

func (s shape) parse(t testing.TB) (*litmus.Test, *litmus.Program) {
	t.Helper()
	test, err := litmus.Parse([]byte(s.text()))
	if err != nil {
		t.Fatalf("%v\n%s", err, s.text())
	}
	p, err := test.Program(2)
	if err != nil {
		t.Fatal(err)
	}
	return test, p
}

func TestShapes(t *testing.T) {
	for _, s := range shapes {
		test, p := s.parse(t)
		var states []litmus.State
		o, err := Run(p, memory.Budget{}, func(st litmus.State) bool {
			states = append(states, slices.Clone(st))
			return true
		})
		if err != nil || !o.Complete {
			t.Fatalf("%s: %+v, %v", s.name, o, err)
		}
		if got := test.Judge(states).Obs; got != s.obs && !(got == "Always" && s.obs == "Sometimes") {
			t.Errorf("%s: %s, want %s\n%s", s.name, got, s.obs, s.text())
		}
	}
}

// candidates are all candidate executions of a program, and the states in which they
// end; not even coherence at a location is asked of them.
func candidates(p *litmus.Program, visit func(*Execution, litmus.State)) {
	s := newSearch(p, memory.Budget{}, nil)
	s.blind = true
	s.visitor = func() bool {
		visit(s.execution(), s.state)
		return true
	}
	s.collect()
	s.choose(0)
}

// What the search prunes is what the axioms forbid: the states are those of all
// candidates that Check lets pass.
func TestSearchIsCheck(t *testing.T) {
	for _, s := range shapes {
		test, p := s.parse(t)
		want := map[string]bool{}
		candidates(p, func(x *Execution, state litmus.State) {
			if err := x.Err(); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if Check(x) == nil {
				want[test.Format(state)] = true
			}
		})
		got, _ := statesOf(t, test, p)
		for _, state := range got {
			if !want[state] {
				t.Errorf("%s: the search alone finds %s", s.name, state)
			}
			delete(want, state)
		}
		if len(want) > 0 {
			t.Errorf("%s: the search lacks %v", s.name, want)
		}
	}
}

// implied are the clauses that say nothing which others don't say: pick dependencies
// include the others, as herd's do. That a locked instruction of x86-64 reads before it
// writes orders no further events: what is before the read is before the write, too,
// by program order, or by coe in place of rfe.
var implied = map[string][]string{
	"aarch64 data":     {"aarch64 pick-data"},
	"aarch64 ctrl":     {"aarch64 pick-ctrl"},
	"aarch64 addr; po": {"aarch64 pick-addr; po"},
}

const needless = "x86_64 rmw"

// Each clause of the axioms forbids something that the others allow.
func TestEveryClauseIsNeeded(t *testing.T) {
	clauses := []string{
		"internal po-loc", "internal rmw", "internal rf", "internal co", "internal fr", "atomic",
		"external rfe", "external coe", "external fre", "aarch64 " + pickName,
	}
	for _, isa := range []litmus.ISA{litmus.X86_64, litmus.AArch64} {
		for _, r := range rulesOf(isa) {
			clauses = append(clauses, isa.String()+" "+r.name)
		}
	}
	caught := map[string]string{}
	for _, s := range shapes {
		test, p := s.parse(t)
		candidates(p, func(x *Execution, state litmus.State) {
			if s.obs != "Never" || test.Judge([]litmus.State{state}).Obs == "Never" || Check(x) == nil {
				return
			}
			for _, c := range clauses {
				if others := implied[c]; caught[c] == "" && check(x, others...) != nil && check(x, append([]string{c}, others...)...) == nil {
					caught[c] = s.name
				}
			}
		})
	}
	for _, c := range clauses {
		if (caught[c] == "") != (c == needless) {
			t.Errorf("%s: needed by %q", c, caught[c])
		}
		t.Logf("%-30s %s", c, caught[c])
	}
}
