package explore

import (
	"fmt"
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
)

// shapes has for each rule of the machine a test that finds it missing, and for
// many one that finds it too strong.
var shapes = []shape{
	{"MP", "", []string{writer, "LDR W0,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+dmb.ld", "", []string{writer, "LDR W0,[X2] ; DMB LD ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+ctrl", "", []string{writer, "LDR W0,[X2] ; CBNZ W0,L ; L: LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+ctrl-isb", "", []string{writer, "LDR W0,[X2] ; CBNZ W0,L ; L: ISB ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+isb", "", []string{writer, "LDR W0,[X2] ; ISB ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+csel-ctrl-isb", "", []string{writer, "LDR W0,[X2] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; CBNZ W4,L ; L: ISB ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+data-lrs-acq", "", []string{writer, "LDR W0,[X2] ; STR W0,[X3] ; LDAR W4,[X3] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+addr-lrs-acq", "", []string{writer, "LDR W0,[X2] ; EOR W4,W0,W0 ; STR W5,[X3,W4,SXTW] ; LDAR W4,[X3] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+csel-data-lrs-acq", "", []string{writer, "LDR W0,[X2] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X3] ; LDAR W4,[X3] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+csel-addr", "1:X9=z;", []string{writer, "LDR W0,[X2] ; CMP W0,#1 ; CSEL X4,X1,X9,EQ ; LDR W7,[X4]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+swp-addr", "", []string{writer, "SWP W6,W0,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MP+dmb+swp-lrs-addr", "", []string{writer, "SWP W6,W0,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=2 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+ldadd-lrs-addr", "", []string{writer, "LDADD W6,W0,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=3 /\ 1:X7=0`, "Never"},
	{"MP+dmb+swp-lrs-acq", "", []string{writer, "SWP W6,W0,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X8=2 /\ 1:X7=0`, "Never"},
	{"MP+dmb+stadd-lrs-dmb.ld", "", []string{writer, "STADD W6,[X2] ; LDR W8,[X2] ; DMB LD ; LDR W7,[X1]"}, `1:X8=3 /\ [y]=3 /\ 1:X7=0`, "Sometimes"},
	{"LB+dmb+stadd-lrs-dmb.ld", "", []string{answerer, "STADD W6,[X1] ; LDR W8,[X1] ; DMB LD ; STR W5,[X2]"}, `0:X0=1 /\ 1:X8=3`, "Never"},
	{"MP+dmb+swpa-noret", "", []string{writer, "SWPA W6,WZR,[X2] ; LDR W7,[X1]"}, `[y]=2 /\ 1:X7=0`, "Sometimes"},
	{"SB+dmb+swp-lrs-acq", "", []string{"STR W5,[X1] ; DMB SY ; LDR W0,[X2]", "SWP W5,W8,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `0:X0=0 /\ 1:X8=1 /\ 1:X7=0`, "Sometimes"},
	{"LB+dmb+csel-data-lrs-data", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X3] ; LDR W4,[X3] ; EOR W4,W4,W4 ; ADD W4,W4,#1 ; STR W4,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"LB+dmb+csel-data-lrs-acq", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X3] ; LDAR W4,[X3] ; STR W5,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"LB+dmb+csel-data-po", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; STR W4,[X3] ; STR W5,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Sometimes"},
	{"LB+dmb+csel-addr-po", "1:X9=a;", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL X4,X3,X9,EQ ; STR W5,[X4] ; STR W5,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"LB+dmb+csel-addr", "1:X9=z;", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL X4,X2,X9,EQ ; STR W5,[X4]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"LB+dmb+csel-ctrl", "", []string{answerer, "LDR W0,[X1] ; CMP W0,#1 ; CSEL W4,W5,W6,EQ ; CBNZ W4,L ; L: STR W5,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"LXSX", "", []string{"STR W6,[X1]", "LDXR W0,[X1] ; STXR W8,W5,[X1]"}, `1:X0=0 /\ 1:X8=0 /\ [x]=1`, "Never"},
	{"LXSX+own-write", "", []string{"LDXR W0,[X1] ; STR W6,[X1] ; STXR W8,W5,[X1]"}, `0:X8=0`, "Sometimes"},
	{"LXSX+other-place", "", []string{"LDXR W0,[X1] ; STXR W8,W5,[X2]"}, `0:X8=0`, "Never"},
	{"LXSX+again", "", []string{"LDXR W0,[X1] ; STXR W8,W5,[X1] ; STXR W9,W6,[X1]"}, `0:X9=0`, "Never"},
	{"LXSX+atomic", "", []string{"LDXR W0,[X1] ; STXR W8,W5,[X1]", "LDXR W0,[X1] ; STXR W8,W5,[X1]"}, `0:X8=0 /\ 1:X8=0 /\ 0:X0=0 /\ 1:X0=0`, "Never"},
	{"MP+dmb+cas-fails-lrs-addr", "1:X0=9;", []string{writer, "CAS W0,W5,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=1 /\ 1:X7=0`, "Sometimes"},
	{"LB+dmb+cas-fails-lrs-data", "1:X0=9;", []string{answerer, "CAS W0,W5,[X1] ; LDR W8,[X1] ; STR W8,[X2]"}, `0:X0=1 /\ 1:X0=1`, "Never"},
	{"MP+dmb+stadd-lrs-stadd-lrs-acq", "", []string{writer, "STADD W6,[X2] ; STADD W6,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `1:X8=5 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+stadd-lrs-lxsx-lrs-acq", "", []string{writer, "STADD W6,[X2] ; LDXR W0,[X2] ; STXR W8,W5,[X2] ; LDAR W9,[X2] ; LDR W7,[X1]"}, `1:X0=3 /\ 1:X8=0 /\ 1:X9=1 /\ 1:X7=0`, "Sometimes"},
	{"MP+dmb+stadd-lrs-lxsx-data-lrs-acq", "", []string{writer, "STADD W6,[X2] ; LDXR W0,[X2] ; STXR W8,W0,[X2] ; LDAR W9,[X2] ; LDR W7,[X1]"}, `1:X0=3 /\ 1:X8=0 /\ 1:X9=3 /\ 1:X7=0`, "Never"},
	{"MP+dmb+stadd-lrs-cas-lrs-acq", "1:X0=3;", []string{writer, "STADD W6,[X2] ; CAS W0,W5,[X2] ; LDAR W9,[X2] ; LDR W7,[X1]"}, `1:X0=3 /\ 1:X9=1 /\ 1:X7=0`, "Sometimes"},
	{"LXSX+lrs-acq", "", []string{writer, "LDXR W0,[X2] ; STXR W8,W6,[X2] ; LDAR W9,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X8=0 /\ 1:X9=2 /\ 1:X7=0`, "Never"},
	{"CAS-ok-result", "", []string{writer, "MOV W0,#1 ; CAS W0,W6,[X2] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ [y]=2 /\ 1:X7=0`, "Sometimes"},
	{"CAS-ok-result-pick", "", []string{answerer, "MOV W0,#1 ; CAS W0,W6,[X1] ; EOR W4,W0,W0 ; STR W5,[X2,W4,SXTW]"}, `0:X0=1 /\ [x]=2 /\ 1:X0=1`, "Never"},
	{"CAS-ok-compared", "z=1;", []string{writer, "LDR W0,[X2] ; CAS W0,W6,[X3] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ [z]=2 /\ 1:X7=0`, "Sometimes"},
	{"CAS-ok-both", "", []string{"STR W5,[X1] ; DMB SY ; STR W5,[X2] ; STR W5,[X3]", "LDR W0,[X2] ; CAS W0,W6,[X3] ; EOR W4,W0,W0 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ [z]=2 /\ 1:X7=0`, "Never"},
	{"CAS-ok-compared-write", "x=1;", []string{"LDR W0,[X1] ; DMB SY ; STR W5,[X2]", "LDR W0,[X2] ; CAS W0,W6,[X1]"}, `0:X0=2 /\ 1:X0=1`, "Never"},
	{"CAS-ok-lrs-pick", "z=1;", []string{answerer, "LDR W0,[X1] ; MOV W9,W0 ; CAS W9,W6,[X3] ; LDR W8,[X3] ; EOR W4,W8,W8 ; ADD W4,W4,#1 ; STR W4,[X2]"}, `0:X0=1 /\ 1:X0=1 /\ 1:X8=2`, "Never"},
	{"CAS-ok-lrs-addr", "", []string{writer, "MOV W0,#1 ; CAS W0,W6,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=2 /\ 1:X7=0`, "Sometimes"},
	{"CAS-ok-data-lrs-addr", "", []string{writer, "LDR W0,[X2] ; MOV W9,#0 ; CAS W9,W0,[X3] ; LDR W8,[X3] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=1 /\ 1:X7=0`, "Never"},
	{"CAS-ok-lrs-acq", "", []string{writer, "MOV W0,#1 ; CAS W0,W6,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X8=2 /\ 1:X7=0`, "Never"},
	{"CAS-no-lrs-addr", "", []string{writer, "MOV W0,#5 ; CAS W0,W6,[X2] ; LDR W8,[X2] ; EOR W4,W8,W8 ; LDR W7,[X1,W4,SXTW]"}, `1:X0=1 /\ 1:X8=1 /\ 1:X7=0`, "Sometimes"},
	{"CAS-no-lrs-data", "", []string{answerer, "MOV W0,#5 ; CAS W0,W6,[X1] ; LDR W8,[X1] ; EOR W4,W8,W8 ; ADD W4,W4,#1 ; STR W4,[X2]"}, `0:X0=1 /\ 1:X0=1 /\ 1:X8=1`, "Never"},
	{"CAS-no-lrs-acq", "", []string{writer, "MOV W0,#5 ; CAS W0,W6,[X2] ; LDAR W8,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X8=1 /\ 1:X7=0`, "Never"},
	{"CAS-ok-compared-pick", "x=1;", []string{"LDR W0,[X1] ; DMB SY ; STR W5,[X2]", "LDR W0,[X2] ; EOR W4,W0,W0 ; ADD W4,W4,#1 ; CAS W4,W6,[X1]"}, `0:X0=2 /\ 1:X0=1`, "Never"},
	{"SB+dmb+swp-rf-lrs-acq", "", []string{"STR W5,[X1] ; DMB SY ; LDR W0,[X2]", "SWP W5,W8,[X2] ; LDAR W9,[X2] ; LDR W7,[X1]", "STR W6,[X2]"}, `0:X0=2 /\ 1:X8=2 /\ 1:X9=1 /\ 1:X7=0`, "Sometimes"},
	{"MIXED-SB", "", []string{"x86: movl $1,(x) ; movl (y),%eax", "STR W5,[X2] ; DMB SY ; LDR W0,[X1]"}, `0:rax=0 /\ 1:X0=0`, "Sometimes"},
	{"MIXED-SB+mfence", "", []string{"x86: movl $1,(x) ; mfence ; movl (y),%eax", "STR W5,[X2] ; DMB SY ; LDR W0,[X1]"}, `0:rax=0 /\ 1:X0=0`, "Never"},
	{"MIXED-MP", "", []string{"x86: movl $1,(x) ; movl $1,(y)", "LDR W0,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Sometimes"},
	{"MIXED-MP+acqpc", "", []string{"x86: movl $1,(x) ; movl $1,(y)", "LDAPR W0,[X2] ; LDR W7,[X1]"}, `1:X0=1 /\ 1:X7=0`, "Never"},
	{"MIXED-LB", "", []string{"x86: movl (y),%eax ; movl $1,(x)", "LDR W0,[X1] ; STR W5,[X2]"}, `0:rax=1 /\ 1:X0=1`, "Sometimes"},
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

func TestShapes(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			test, err := litmus.Parse([]byte(s.text()))
			if err != nil {
				t.Fatalf("%v\n%s", err, s.text())
			}
			p, err := test.Program(2)
			if err != nil {
				t.Fatal(err)
			}
			var states []litmus.State
			o, err := Run(p, memory.Budget{}, func(st litmus.State) bool { states = append(states, st); return true })
			if err != nil || !o.Complete {
				t.Fatalf("%+v, %v", o, err)
			}
			if got := test.Judge(states).Obs; got != s.obs && !(got == "Always" && s.obs == "Sometimes") {
				t.Errorf("%s, want %s\n%s", got, s.obs, s.text())
			}
		})
	}
}
