package litmus

import (
	"slices"
	"strings"
)

// decoder makes operations of the instructions of a thread.
type decoder struct {
	*parser
	isa    ISA
	code   []Op
	labels map[string]int
	jumps  map[int]string // the label to which an operation jumps
	cell   Cell           // that is being decoded
}

// decode decodes the code of all threads.
func (p *parser) decode() error {
	for i := range p.t.Threads {
		c := &p.t.Threads[i]
		d := &decoder{parser: p, isa: c.ISA, labels: map[string]int{}, jumps: map[int]string{}}
		for _, cell := range c.Cells {
			d.cell = cell
			if err := d.decodeCell(cell.Text); err != nil {
				return err
			}
		}
		if err := d.link(); err != nil {
			return err
		}
		c.code = d.code
	}
	return nil
}

// decodeCell decodes labels and an instruction.
func (d *decoder) decodeCell(text string) error {
	for {
		n := 0
		for n < len(text) && inWord(text[n]) {
			n++
		}
		name, rest := text[:n], strings.TrimLeft(text[n:], " ")
		if n == 0 || !strings.HasPrefix(rest, ":") {
			break
		}
		if _, twice := d.labels[name]; twice {
			return d.failf("label %s stands twice in a thread; rename one", quote(name))
		}
		d.labels[name] = len(d.code)
		text = strings.TrimSpace(rest[1:])
	}
	if text == "" {
		return nil
	}
	name, rest, _ := strings.Cut(text, " ")
	args, ok := operands(rest)
	if !ok {
		return d.failf("the operands of %s are not well-formed; check its commas and parentheses", quote(text))
	}
	in := instr{name, args, text}
	if d.isa == X86_64 {
		return d.x86(in)
	}
	return d.arm(in)
}

// instr is an instruction, cut into its parts.
type instr struct {
	name string
	args []string
	text string
}

// operands cuts at commas that are in no parentheses or brackets.
func operands(s string) ([]string, bool) {
	if strings.TrimSpace(s) == "" {
		return nil, true
	}
	var out []string
	depth, from := 0, 0
	for i := 0; i <= len(s); i++ {
		switch {
		case i == len(s), s[i] == ',' && depth == 0:
			arg := strings.ReplaceAll(s[from:i], " ", "")
			if arg == "" {
				return nil, false
			}
			out = append(out, arg)
			from = i + 1
		case s[i] == '(' || s[i] == '[':
			depth++
		case s[i] == ')' || s[i] == ']':
			depth--
		}
		if depth < 0 || depth > 1 {
			return nil, false
		}
	}
	return out, depth == 0
}

func (d *decoder) failf(format string, args ...any) error {
	return failf(d.cell.Line, format, args...)
}

// unsupported refuses an instruction.
func (d *decoder) unsupported(in instr) error {
	return d.failf("the instruction %s is not supported on %s; package litmus lists those that are", quote(in.text), d.isa)
}

// emit appends an operation. What a move does not read is no register, as it
// must not seem to depend on one.
func (d *decoder) emit(op Op) {
	if op.Kind == OpALU && (op.Fn == FnMove || op.Fn == FnSext) {
		op.A = Const(0)
	}
	op.Line, op.Text = d.cell.Line, d.cell.Text
	d.code = append(d.code, op)
}

// jump appends an operation that jumps to a label.
func (d *decoder) jump(op Op, label string) error {
	if label == "" || !isLetter(label[0]) && label[0] != '.' || strings.ContainsAny(label, "%$()[]#*+") {
		return d.failf("%s is no label; jump to one of the same thread", quote(label))
	}
	d.jumps[len(d.code)] = label
	d.emit(op)
	return nil
}

// link resolves the labels.
func (d *decoder) link() error {
	for i := range d.code {
		name, ok := d.jumps[i]
		if !ok {
			continue
		}
		at, ok := d.labels[name]
		if !ok {
			return failf(d.code[i].Line, "label %s is not in this thread; write it as %s:", quote(name), name)
		}
		d.code[i].Target = at
	}
	return nil
}

// at is the address in a register, or none, and an offset.
func at(base Reg, offset uint64) Address { return Address{base, NoReg, offset} }

// dst is a register to write to: what goes to the zero register is lost.
func dst(r Reg) Reg {
	if r == Zero {
		return NoReg
	}
	return r
}

// src is a register to read.
func src(r Reg) Operand {
	if r == Zero {
		return Const(0)
	}
	return R(r)
}

// oneOf is the index of s in a list of words, or -1.
func oneOf(s string, words string) int { return slices.Index(strings.Fields(words), s) }
