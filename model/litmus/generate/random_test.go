package generate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// mnemonics are the names of the instructions of a test.
func mnemonics(text string) (names []string) {
	s, ok := parseSource(text)
	if !ok {
		panic(text)
	}
	for _, c := range s.threads {
		for _, l := range c.lines {
			words := strings.Fields(l)
			switch {
			case strings.HasSuffix(l, ":"):
				continue
			case words[0] == "lock", words[0] == "DMB", words[0] == "DSB":
				words[0] += " " + words[1]
			}
			names = append(names, words[0])
		}
	}
	return names
}

// A random test is a function of its seed and is within its bounds; together they
// have all instructions.
func TestRandom(t *testing.T) {
	seen, isas := map[string]bool{}, map[string]bool{}
	for seed := range uint64(10000) {
		test := Random(seed, Config{})
		text := test.String()
		if _, err := test.Program(1); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if seed%100 == 0 && text != Random(seed, Config{}).String() {
			t.Fatalf("seed %d gives two tests", seed)
		}
		s, _ := parseSource(text)
		if n := len(s.threads); n < 2 || n > 4 {
			t.Fatalf("%d threads:\n%s", n, text)
		}
		var is []litmus.ISA
		for _, c := range s.threads {
			is = append(is, c.isa)
		}
		isas[letters(is)] = true
		for _, m := range mnemonics(text) {
			seen[m] = true
		}
	}
	if len(isas) != 4+8+16 {
		t.Errorf("%d assignments of ISAs to 2 to 4 threads, not 28", len(isas))
	}
	for _, m := range every() {
		if !seen[m] {
			t.Errorf("no random test has %s", m)
		}
	}
}

// every is every instruction that random tests are drawn from.
func every() []string {
	all := strings.Fields("mfence lfence sfence MOV NOP ISB EOR AND ORR ADD SUB BIC LSL LSR CMP TST CMN CSEL CSINC CSET CBZ CBNZ")
	for _, w := range strings.Fields("b w l q") {
		for _, m := range strings.Fields("mov xchg xor add sub and or inc dec cmpl:l testl:l") {
			m, only, ok := strings.Cut(m, ":")
			switch {
			case !ok:
				all = append(all, m+w)
			case only == w:
				all = append(all, m)
			}
		}
		for _, m := range strings.Fields("xadd cmpxchg inc dec add sub or and xor") {
			all = append(all, "lock "+m+w)
		}
	}
	for _, w := range []string{"", "B", "H"} {
		for _, m := range strings.Fields("LDR LDAR LDAPR STR STLR LDXR LDAXR STXR STLXR STADD STADDL STCLR STCLRL STEOR STEORL STSET STSETL") {
			all = append(all, m+w)
		}
		for _, m := range strings.Fields("CAS SWP LDADD LDCLR LDEOR LDSET") {
			all = append(all, m+w, m+"A"+w, m+"L"+w, m+"AL"+w)
		}
	}
	for _, f := range []string{"DMB", "DSB"} {
		for _, o := range strings.Fields("SY LD ST ISH ISHLD ISHST") {
			all = append(all, f+" "+o)
		}
	}
	for _, c := range strings.Fields("EQ NE GE LT GT LE HI LS HS LO MI PL") {
		all = append(all, "B."+c)
	}
	return append(all, strings.Fields("je jne jg jge jl jle ja jae jb jbe js cmove cmovne cmovg sete setb")...)
}

// Bounds are kept.
func TestRandomBounds(t *testing.T) {
	c := Config{Threads: 2, Instructions: 2, Locations: 1, ISAs: []litmus.ISA{litmus.AArch64}}
	for seed := range uint64(500) {
		s, _ := parseSource(Random(seed, c).String())
		if len(s.threads) != 2 || s.threads[0].isa != litmus.AArch64 || s.threads[1].isa != litmus.AArch64 || slices.Contains(s.observe, "y") {
			t.Fatalf("seed %d is out of bounds:\n%s", seed, s)
		}
	}
}

// Reduce finds the core of a test that is recognised by its text, and nothing of
// what is left could go.
func TestReduce(t *testing.T) {
	swap := regexp.MustCompile(`SWPA?L? W\d+,W\d+`)
	load := regexp.MustCompile(`movl \([xyz]\),%\w+`)
	calls := 0
	show := func(test *litmus.Test) bool {
		calls++
		return swap.MatchString(test.String()) && load.MatchString(test.String())
	}
	found := 0
	for seed := range uint64(3000) {
		test := Random(seed, Config{})
		if !show(test) {
			continue
		}
		found++
		small := Reduce(test, show).String()
		s, ok := parseSource(small)
		if !ok || !show(test) {
			t.Fatalf("is no longer shown:\n%s", small)
		}
		lines := 0
		for _, c := range s.threads {
			lines += len(c.lines)
		}
		if lines != 2 || len(s.threads) != 2 || !strings.Contains(small, "SWP W") {
			t.Fatalf("seed %d is not as small as it may be:\n%s", seed, small)
		}
	}
	if found < 5 || calls > 1000*found {
		t.Errorf("%d tests reduced in %d calls", found, calls)
	}
}

// What Reduce takes apart it puts together again.
func TestSourceRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		text := Random(seed, Config{}).String()
		s, ok := parseSource(text)
		if !ok || s.String() != text {
			t.Fatalf("taken apart and put together\n%s\nis\n%s", text, s)
		}
	}
	for _, n := range named {
		c, err := ParseCycle(n.cycle)
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.text()
		s, ok := parseSource(text)
		if err != nil || !ok {
			t.Fatal(err, text)
		}
		if s.comment = c.String(); s.String() != text {
			t.Fatalf("taken apart and put together\n%s\nis\n%s", text, s)
		}
	}
}

func ExampleParseCycle() {
	c, err := ParseCycle("x:PodWW Rfe a:DpAddrdR Fre")
	if err != nil {
		panic(err)
	}
	test, err := c.Test()
	if err != nil {
		panic(err)
	}
	fmt.Print(test)
	// Output:
	// MIXED MP-xa+po+addr
	// "x:PodWW Rfe a:DpAddrdR Fre"
	// {
	// 1:X1=y; 1:X4=x;
	// }
	//  P0:x86_64   | P1:aarch64          ;
	//  movl $1,(x) | LDR W0,[X1]         ;
	//  movl $1,(y) | EOR W2,W0,W0        ;
	//              | LDR W3,[X4,W2,SXTW] ;
	// locations [1:X0; 1:X3; x; y;]
	// exists (1:X0=1 /\ 1:X3=0)
}
