package memory_test

import (
	"slices"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
	"github.com/fusedos/stramash/model/memory/axiomatic"
	"github.com/fusedos/stramash/model/memory/explore"
)

// TestPromiseBehindFailedCAS: whether a CAS writes does not order what is later, so a
// write behind one that fails in the end may be seen before the read that makes it
// fail. A machine that lets a thread promise only what it could do by itself misses that.
func TestPromiseBehindFailedCAS(t *testing.T) {
	test, err := litmus.Parse([]byte(`AArch64 CAS-fails-later
{ 0:X24=x; 0:X25=y; 1:X24=x; 1:X25=y; }
 P0              | P1           ;
 LDR X0,[X24]    | LDR X1,[X25] ;
 MOV X2,X0       | MOV X3,#3    ;
 CAS X2,X0,[X25] | DMB SY       ;
 MOV X4,#2       | STR X3,[X24] ;
 STR X4,[X25]    |              ;
locations [0:X0; 1:X1;]
exists (0:X0=3 /\ 1:X1=2)
`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, engine := range map[string]memory.Engine{"axiomatic": axiomatic.Run, "explore": explore.Run} {
		var states []litmus.State
		o, err := engine(p, memory.Budget{}, func(s litmus.State) bool {
			states = append(states, slices.Clone(s))
			return true
		})
		if err != nil || !o.Complete || test.Judge(states).Obs != "Sometimes" || len(states) != 4 {
			t.Errorf("%s: %v, %+v, %v", name, states, o, err)
		}
	}
}
