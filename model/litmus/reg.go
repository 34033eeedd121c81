package litmus

import (
	"slices"
	"strconv"
	"strings"
)

// x86Regs are the registers of x86-64 in 64 bits, in the order of their encoding.
var x86Regs = []string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

// herdX86 are the same in the order in which herd lists them.
var herdX86 = []string{"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

// In is the name of the register in 64 bits.
func (r Reg) In(isa ISA) string {
	if isa == X86_64 && int(r) < len(x86Regs) {
		return x86Regs[r]
	}
	return "X" + strconv.Itoa(int(r))
}

// x86Reg is the register of a name without the percent sign, and its bytes.
func x86Reg(name string) (Reg, uint8, bool) {
	name = strings.ToLower(name)
	if i := slices.Index(x86Regs, name); i >= 0 {
		return Reg(i), 8, true
	}
	if n := len(name); n > 2 && name[0] == 'r' && isDigit(name[1]) {
		width := map[byte]uint8{'b': 1, 'w': 2, 'd': 4}[name[n-1]]
		i := slices.Index(x86Regs, name[:n-1])
		return Reg(i), width, width > 0 && i >= 0
	}
	for i, full := range x86Regs[:8] {
		short := full[1:] // ax, sp
		low := strings.TrimSuffix(short, "x") + "l"
		switch name {
		case "e" + short:
			return Reg(i), 4, true
		case short:
			return Reg(i), 2, true
		case low:
			return Reg(i), 1, true
		}
	}
	return 0, 0, false
}

// armReg is the register of a name, and its bytes.
func armReg(name string) (Reg, uint8, bool) {
	if name == "" {
		return 0, 0, false
	}
	width := map[byte]uint8{'X': 8, 'W': 4}[name[0]&^0x20]
	if width == 0 {
		return 0, 0, false
	}
	if strings.EqualFold(name[1:], "ZR") {
		return Zero, width, true
	}
	n, err := strconv.Atoi(name[1:])
	return Reg(n), width, err == nil && n >= 0 && n < int(Zero) && name[1:] == strconv.Itoa(n)
}

// register is the register that the initial state or a condition names.
func register(name string) (Reg, string, bool) {
	if r, _, ok := armReg(name); ok && r != Zero {
		return r, r.In(AArch64), true
	}
	r, _, ok := x86Reg(name)
	return r, r.In(X86_64), ok
}
