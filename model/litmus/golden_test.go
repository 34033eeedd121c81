package litmus_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/fusedos/stramash/model/litmus"
)

var kinds = []string{"nop", "alu", "select", "branch", "branch if", "branch if zero", "load", "store",
	"load exclusive", "store exclusive", "update", "cas", "fence", "cut"}

var fns = []string{"move", "add", "sub", "and", "or", "xor", "clear", "lsl", "lsr", "asr", "sext", "insert"}

var conds = strings.Fields("EQ NE HS LO MI PL VS VC HI LS GE LT GT LE AL")

// shown is an operation in words.
func shown(isa litmus.ISA, op litmus.Op) string {
	reg := func(r litmus.Reg) string {
		switch {
		case r == litmus.NoReg:
			return "-"
		case r >= litmus.Temp:
			return fmt.Sprintf("temp%d", r-litmus.Temp)
		}
		return r.In(isa)
	}
	val := func(o litmus.Operand) string {
		if o.Reg == litmus.NoReg {
			return fmt.Sprintf("#%d", int64(o.Imm))
		}
		return reg(o.Reg)
	}
	addr := fmt.Sprintf("[%s+%s+%#x]", reg(op.Addr.Base), reg(op.Addr.Index), op.Addr.Offset)
	s := kinds[op.Kind]
	switch op.Kind {
	case litmus.OpALU:
		s += fmt.Sprintf(" %s.%d %s = %s, %s", fns[op.Fn], op.Width, reg(op.Dst), val(op.A), val(op.B))
	case litmus.OpSelect:
		s += fmt.Sprintf(" %s.%d %s = %s, %s", conds[op.Cond], op.Width, reg(op.Dst), val(op.A), val(op.B))
	case litmus.OpBranch:
		s += fmt.Sprintf(" to %d", op.Target)
	case litmus.OpBranchIf:
		s += fmt.Sprintf(" %s to %d", conds[op.Cond], op.Target)
	case litmus.OpBranchZero:
		s += fmt.Sprintf(" %d %s to %d", op.Width, val(op.A), op.Target)
	case litmus.OpLoad, litmus.OpLoadEx:
		s += fmt.Sprintf(".%d %s = %s", op.Width, reg(op.Dst), addr)
	case litmus.OpStore:
		s += fmt.Sprintf(".%d %s := %s", op.Width, addr, val(op.A))
	case litmus.OpStoreEx:
		s += fmt.Sprintf(".%d %s := %s, status %s", op.Width, addr, val(op.A), reg(op.Dst))
	case litmus.OpUpdate:
		s += fmt.Sprintf(" %s.%d %s = %s, %s", fns[op.Fn], op.Width, reg(op.Dst), addr, val(op.A))
	case litmus.OpCAS:
		s += fmt.Sprintf(".%d %s = %s, if %s then %s", op.Width, reg(op.Dst), addr, val(op.B), val(op.A))
	case litmus.OpFence:
		s += " " + []string{"full", "load", "store", "isb", "store-any"}[op.Fence]
	}
	for _, f := range []struct {
		on   bool
		name string
	}{{op.Acquire, "acquire"}, {op.AcquirePC, "acquire-pc"}, {op.Release, "release"}, {op.NoRet, "no return"},
		{op.SetFlags, "sets flags"}, {op.Not, "not"}} {
		if f.on {
			s += ", " + f.name
		}
	}
	return s
}

// lowered shows the operations of a thread of instructions.
func lowered(arch string, unroll int, code string) string {
	text := arch + " golden\n{\n}\n P0 ;\n"
	for _, line := range strings.Split(code, "\n") {
		text += " " + line + " ;\n"
	}
	test, err := litmus.Parse([]byte(text + "exists (true)\n"))
	if err != nil {
		return err.Error() + "\n"
	}
	p, err := test.Program(unroll)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for i, op := range p.Threads[0].Code {
		fmt.Fprintf(&b, "%d: %s\n", i, shown(p.Threads[0].ISA, op))
	}
	return b.String()
}

// Each form of an instruction becomes these operations; and each loop this code.
// Command each lowers the lines one by one, all of them as one thread.
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata/lower", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arch := map[string]string{"x86": "X86_64", "arm": "AArch64"}[d.CmdArgs[0].Key]
			unroll := 1
			d.MaybeScanArgs(t, "unroll", &unroll)
			if d.Cmd == "all" {
				return lowered(arch, unroll, d.Input)
			}
			out := ""
			for _, line := range strings.Split(d.Input, "\n") {
				// A jump that reads the flags, so that setting them is shown.
				got := lowered(arch, unroll, line)
				if flags := lowered(arch, unroll, line+"\n"+readFlags[arch]); strings.Contains(flags, "sets flags") {
					got = flags[:strings.LastIndex(strings.TrimSpace(flags), "\n")+1]
				}
				out += line + "\n" + indent(got)
			}
			return out
		})
	})
}

var readFlags = map[string]string{"X86_64": "je L0\nL0:", "AArch64": "B.EQ L0\nL0:"}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n    ") + "\n"
}

// Every error names its line and the mend.
func TestErrors(t *testing.T) {
	datadriven.RunTest(t, "testdata/errors", func(t *testing.T, d *datadriven.TestData) string {
		test, err := litmus.Parse([]byte(d.Input))
		if err == nil {
			_, err = test.Program(1)
		}
		if err == nil {
			return "no error\n"
		}
		if s := err.Error(); !strings.HasPrefix(s, "line ") || strings.Contains(s, "\n") {
			t.Errorf("%q does not name its line, or is more than one", s)
		}
		return err.Error() + "\n"
	})
}
