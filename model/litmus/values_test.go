package litmus_test

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// Values are spelled and compared by their types; addresses by name.
func TestValuesHaveTypes(t *testing.T) {
	test, err := litmus.Parse([]byte(`AArch64 types
{ int8_t b; uint8_t ub; int64_t q; uint64_t uq; int64_t* p=x; 0:X1=x; uint64_t 0:X2; }
 P0 ;
 LDR W0,[X1] ;
locations [0:X10; 0:X0; 0:X1; 0:X2; b; ub; p; q; uq; x]
forall 0:X0=-1 /\ b=0xff /\ ub=-1 /\ q=-1 /\ uq=0xffffffffffffffff /\ p=x /\ 0:X1=x /\ x=-1 /\ ~(0:X1=327680)
`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(0)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]uint8{"b": 1, "ub": 1, "q": 8, "uq": 8, "p": 8, "x": 4}
	var state litmus.State
	var x uint64
	for i, l := range p.Locations {
		if l.Size != sizes[l.Name] {
			t.Errorf("%s has %d bytes", l.Name, l.Size)
		}
		if l.Name == "x" {
			x = litmus.AddressOf(i)
		}
	}
	for _, o := range p.Observed {
		v := ^uint64(0)
		switch {
		case o.Thread == 0 && o.Reg == 1, o.Thread < 0 && p.Locations[o.Loc].Name == "p":
			v = x
		case o.Thread < 0:
			v >>= 64 - 8*uint(p.Locations[o.Loc].Size)
		case o.Reg == 0:
			v >>= 32
		}
		state = append(state, v)
	}
	want := "0:X0=-1; 0:X1=x; 0:X2=18446744073709551615; 0:X10=-1; " +
		"[b]=-1; [p]=x; [q]=-1; [ub]=255; [uq]=18446744073709551615; [x]=-1;"
	if got := test.Format(state); got != want {
		t.Errorf("spelled %s, should be %s", got, want)
	}
	if v := test.Judge([]litmus.State{state}); v != (litmus.Verdict{Obs: "Always", Verdict: "Ok"}) {
		t.Errorf("judged %v", v)
	}
}

// Each quantifier with none, some and all of the states.
func TestJudge(t *testing.T) {
	for quantifier, want := range map[string]string{
		"exists":  "Never No, Sometimes Ok, Always Ok",
		"~exists": "Never Ok, Sometimes No, Always No",
		"forall":  "Never No, Sometimes No, Always Ok",
	} {
		test, err := litmus.Parse([]byte("X86_64 T\n{}\n P0 ;\n" + quantifier + ` ((x=1 \/ x=2) /\ not x=2 /\ true \/ false)`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, states := range [][]litmus.State{{{0}, {2}}, {{0}, {1}}, {{1}}} {
			v := test.Judge(states)
			got += ", " + v.Obs + " " + v.Verdict
		}
		if got[2:] != want {
			t.Errorf("%s is judged %s, should be %s", quantifier, got[2:], want)
		}
	}
}

// Conditions are printed with as few parentheses as they need.
func TestPrintsConditions(t *testing.T) {
	for in, want := range map[string]string{
		`x=1 /\ (y=1 /\ (z=1))`:    `([x]=1 /\ [y]=1 /\ [z]=1)`,
		`(x=1 \/ y=1) /\ z=1`:      `(([x]=1 \/ [y]=1) /\ [z]=1)`,
		`x=1 /\ y=1 \/ z=1`:        `(([x]=1 /\ [y]=1) \/ [z]=1)`,
		`~x=1 /\ not (y=1 \/ z=1)`: `(~([x]=1) /\ ~([y]=1 \/ [z]=1))`,
		`~~(true) \/ false`:        `(~(~(true)) \/ false)`,
	} {
		test, err := litmus.Parse([]byte("X86_64 T (* no comment *)\n{}\n P0 (* a (* b *) c *) ;\nexists " + in + "(* end *);"))
		if err != nil {
			t.Fatal(err)
		}
		if got := test.String(); got != "X86_64 T (* no comment *)\n{\n}\n P0 ;\nexists "+want+"\n" {
			t.Errorf("%s is printed as %s", in, got)
		}
	}
}

// The flags of x86-64 are clear at the start, in the sense of AArch64.
func TestFlagsAtTheStart(t *testing.T) {
	test, err := litmus.Parse([]byte("MIXED T\n{}\n P0:x86_64 | P1:aarch64 ;\nexists (true)"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := test.Program(0)
	if err != nil {
		t.Fatal(err)
	}
	if x, a := p.Threads[0].Init[litmus.Flags], p.Threads[1].Init[litmus.Flags]; x != litmus.FlagC || a != 0 {
		t.Errorf("the flags are %d and %d", x, a)
	}
}

// The size of a location without a type is that of the accesses which name it.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		code string
		size uint8
	}{
		{"{}\n P0 ;\n movq $1,(x) ;", 8},
		{"{}\n P0 ;\n movb $1,(x) ;", 1},
		{"{ 0:rax=x; }\n P0 ;\n movw (%rax),%bx ;", 2},
		{"{ 0:rax=x; }\n P0 ;\n movq %rax,%rbx ;\n movq (%rbx),%rcx ;", 8},
		{"{ 0:rax=x; }\n P0 ;\n movq (y),%rcx ;\n movl (z),%eax ;", 4},
		{"{ x=y; }\n P0 ;\n nop ;", 8},
		{"{}\n P0 ;\n nop ;", 4},
	} {
		test, err := litmus.Parse([]byte("X86_64 T\n" + c.code + "\nexists (x=1)"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := test.Program(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range p.Locations {
			if l.Name == "x" && l.Size != c.size {
				t.Errorf("%s: x has %d bytes, should have %d", c.code, l.Size, c.size)
			}
		}
	}
}

// corners are values around which functions and flags go wrong.
var corners = []uint64{0, 1, 2, 0x7e, 0x7f, 0x80, 0x81, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff}

// Conditions over the flags of a subtraction are comparisons of numbers.
func TestFlagsCompare(t *testing.T) {
	for _, width := range []uint8{1, 2, 4, 8} {
		for _, a := range corners {
			for _, b := range corners {
				f := litmus.FnSub.FlagsOf(width, a, b)
				ua, ub := litmus.FnMove.Apply(width, 0, a), litmus.FnMove.Apply(width, 0, b)
				sa, sb := int64(litmus.FnSext.Apply(width, 0, a)), int64(litmus.FnSext.Apply(width, 0, b))
				for c, want := range map[litmus.Cond]bool{
					litmus.EQ: ua == ub, litmus.NE: ua != ub, litmus.LO: ua < ub, litmus.HS: ua >= ub,
					litmus.LS: ua <= ub, litmus.HI: ua > ub, litmus.LT: sa < sb, litmus.GE: sa >= sb,
					litmus.LE: sa <= sb, litmus.GT: sa > sb, litmus.AL: true,
				} {
					if c.Holds(f) != want {
						t.Fatalf("%s of %#x and %#x in %d bytes is %v", conds[c], a, b, width, !want)
					}
				}
			}
		}
	}
}

// Functions of 4 bytes are those of Go's 32 bits.
func TestFunctions(t *testing.T) {
	for _, a := range corners {
		for _, b := range corners {
			x, y := uint32(a), uint32(b)
			for fn, want := range map[litmus.Fn]uint64{
				litmus.FnMove: uint64(y), litmus.FnAdd: uint64(x + y), litmus.FnSub: uint64(x - y),
				litmus.FnAnd: uint64(x & y), litmus.FnOr: uint64(x | y), litmus.FnXor: uint64(x ^ y),
				litmus.FnClear: uint64(x &^ y), litmus.FnLSL: uint64(x << (y & 31)), litmus.FnLSR: uint64(x >> (y & 31)),
				litmus.FnASR: uint64(uint32(int32(x) >> (y & 31))), litmus.FnSext: uint64(int64(int32(y))),
				litmus.FnInsert: a&^0xffffffff | uint64(y),
			} {
				if got := fn.Apply(4, a, b); got != want {
					t.Errorf("%s of %#x and %#x is %#x, should be %#x", fns[fn], a, b, got, want)
				}
			}
		}
	}
}

func ExampleTest_Format() {
	test, err := litmus.Parse([]byte("MIXED MP\n{ 1:X1=x; }\n P0:x86_64 | P1:aarch64 ;\n" +
		" movl $1,(x) | LDR W0,[X1] ;\nlocations [x;]\nexists (1:X0=1)"))
	if err != nil {
		fmt.Println(err)
		return
	}
	state := litmus.State{0, 1} // X0, and x
	fmt.Println(test.Format(state))
	fmt.Println(test.Judge([]litmus.State{state}))
	// Output:
	// 1:X0=0; [x]=1;
	// {Never No}
}
