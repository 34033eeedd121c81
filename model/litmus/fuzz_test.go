package litmus_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
)

// seeds are tests that use all of the format.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/seeds/*.litmus")
	if err != nil || len(files) < 3 {
		t.Fatal("the seeds are not there", err)
	}
	var out [][]byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	return out
}

func TestSeedsAreRight(t *testing.T) {
	for _, s := range seeds(t) {
		test, err := litmus.Parse(s)
		if err == nil {
			err = reread(test)
		}
		if err == nil {
			_, err = test.Program(2)
		}
		if err != nil {
			t.Errorf("%.20s: %v", s, err)
		}
	}
}

// Any input is a test or one line of error. A test is printed without a loss, and
// lowers to code without loops whose registers and locations are there.
func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		test, err := litmus.Parse(text)
		if err != nil {
			oneLine(t, err)
			return
		}
		if err := reread(test); err != nil {
			t.Fatal(err)
		}
		p, err := test.Program(2)
		if err != nil {
			oneLine(t, err)
			return
		}
		for _, th := range p.Threads {
			sound(t, th.Code)
		}
		state := make(litmus.State, len(p.Observed))
		for i, o := range p.Observed {
			if o.Thread < 0 {
				state[i] = p.Locations[o.Loc].Init
			} else {
				state[i] = p.Threads[o.Thread].Init[o.Reg]
			}
		}
		if s := test.Format(state); strings.Count(s, "=") != len(state) {
			t.Fatalf("a state of %d components is spelled %s", len(state), s)
		}
		test.Judge([]litmus.State{state})
	})
}

func oneLine(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); !strings.HasPrefix(s, "line ") || strings.Contains(s, "\n") || len(s) > 400 {
		t.Fatalf("not one short line: %q", s)
	}
}

// sound checks the code that engines rely on.
func sound(t *testing.T, code []litmus.Op) {
	t.Helper()
	for i, op := range code {
		switch op.Kind {
		case litmus.OpBranch, litmus.OpBranchIf, litmus.OpBranchZero:
			if op.Target <= i || op.Target > len(code) {
				t.Fatalf("operation %d of %d jumps to %d", i, len(code), op.Target)
			}
		}
		for _, r := range []litmus.Reg{op.Dst, op.A.Reg, op.B.Reg, op.Addr.Base, op.Addr.Index} {
			if r >= litmus.NumRegs && r != litmus.NoReg || r == litmus.Zero {
				t.Fatalf("operation %d %q has register %d", i, op.Text, r)
			}
		}
		if w := op.Width; op.Accesses() && w != 1 && w != 2 && w != 4 && w != 8 {
			t.Fatalf("operation %d %q accesses %d bytes", i, op.Text, w)
		}
	}
}

// Hostile inputs are refused, soon and in one line.
func TestHostile(t *testing.T) {
	head, tail := "X86_64 T\n{\n}\n P0 ;\n", "exists (true)\n"
	for _, c := range []struct{ text, want string }{
		{strings.Repeat("x", litmus.MaxBytes+1), "is the limit; cut it"},
		{"X86_64 T\x00\n{}\n", "the byte 0x0 is no text"},
		{"X86_64 T\xff\n{}\n", "the byte 0xff is no text"},
		{strings.Repeat("x", litmus.MaxBytes), "is no architecture"},
		{head + "exists " + strings.Repeat("(", 1<<19), "nested deeper"},
		{head + "exists " + strings.Repeat("~", 1<<19), "nested deeper"},
		{head + strings.Repeat("(*", 1<<18), "the comment has no end"},
		{head + " movl " + strings.Repeat("(", 150) + ";" + tail, "not well-formed"},
		{head + strings.Repeat("L:", 150) + ";" + tail, "the limit of a cell"},
		{head + "exists (" + strings.Repeat("x", 1<<19) + "=1)", "its name too long"},
		{head + strings.Repeat(";", 1<<19) + tail, "more than 4096 rows"},
		{"X86_64 T\n{\n}\n" + strings.Repeat("|", 1<<19) + ";", "16 is the limit"},
		{head + numbered(" movl $1,(x%d) ;\n", 300) + tail, "one too many"},
		{"X86_64 T\n{" + numbered("x%d;", 300) + "}\n P0 ;\n" + tail, "one too many"},
		{head + strings.Repeat("nop;", 4095) + " L: jmp L;" + tail, "too many operations"},
		{head + "exists (x=" + strings.Repeat("9", 1<<19) + ")", "no number of 64 bits"},
	} {
		test, err := litmus.Parse([]byte(c.text))
		if err == nil {
			_, err = test.Program(20)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, should say %s", c.text, err, c.want)
			continue
		}
		oneLine(t, err)
	}
}

// Large tests within the limits are no trouble.
func TestLarge(t *testing.T) {
	for name, text := range map[string]string{
		"condition": "exists (" + strings.Repeat(`x=1 /\ `, 1<<16) + "x=1)",
		"locations": "locations [" + strings.Repeat("x; ", 1<<17) + "]\nexists (true)",
		"labels":    numbered("L%d: nop ; M%[1]d: ;", 2000) + "exists (true)",
		"comments":  strings.Repeat("(**)", 1<<17) + "exists (true)",
	} {
		test, err := litmus.Parse([]byte("X86_64 T\n{\n}\n P0 ;\n" + text))
		if err == nil {
			_, err = test.Program(2)
		}
		if err == nil {
			err = reread(test)
		}
		if err != nil {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// numbered repeats a format with numbers.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
