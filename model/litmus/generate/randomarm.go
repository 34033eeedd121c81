package generate

import "fmt"

// armAddresses is the first of the registers that hold addresses of locations.
const armAddresses = 24

// fresh takes a register of AArch64.
func (b *body) fresh() int {
	b.used++
	return b.used - 1
}

// armName is register n for a width.
func armName(n, width int) string {
	if width == 8 {
		return fmt.Sprintf("X%d", n)
	}
	return fmt.Sprintf("W%d", n)
}

// armSuffix is what names of loads and stores end in, for a width.
func armSuffix(width int) string { return map[int]string{1: "B", 2: "H"}[width] }

// base is the register with the address of variable v.
func (b *body) base(v int) string {
	r := fmt.Sprintf("X%d", armAddresses+v)
	def := r + "=" + b.vars[v].name
	for _, i := range b.init {
		if i == def {
			return r
		}
	}
	b.init = append(b.init, def)
	return r
}

// arm writes an instruction of AArch64.
func (b *body) arm() {
	roll := b.below(100)
	if b.used > armAddresses-6 {
		roll = 80
	}
	switch {
	case roll < 30 && b.access():
		b.armLoad()
	case roll < 58 && b.access():
		b.armStore()
	case roll < 72 && b.access():
		b.armUpdate()
	case roll < 79 && b.access():
		b.armExclusives()
	case roll < 87:
		b.emit("%s", pick(&b.rand, "DMB SY", "DMB LD", "DMB ST", "DMB ISH", "DMB ISHLD", "DMB ISHST", "DMB OSH", "DMB OSHLD", "DMB OSHST",
			"DSB SY", "DSB LD", "DSB ST", "DSB ISH", "DSB ISHLD", "DSB ISHST", "DSB OSH", "DSB OSHLD", "DSB OSHST", "DMB NSH", "ISB", "ISB"))
	case roll < 93:
		b.armBranch()
	default:
		b.armCompute()
	}
}

// zero is a register that is 0, computed from some result, if there is one.
func (b *body) zero() (string, bool) {
	r, ok := b.some()
	if !ok {
		return "", false
	}
	z := armName(b.fresh(), 4)
	w := armName(r.n, 4)
	b.emit(pick(&b.rand, "EOR %[1]s,%[2]s,%[2]s", "AND %s,%s,WZR", "SUB %[1]s,%[2]s,%[2]s"), z, w)
	return z, true
}

// armAddress is an operand with the address of variable v, or of one that may
// stand for it: from a register that is set up, from memory, or with an index that
// depends on a result.
func (b *body) armAddress(v int, index bool) string {
	if r, ok := b.aimed(); ok && !b.vars[v].pointer && b.vars[v].width == b.vars[r.to].width && b.percent(70) {
		return fmt.Sprintf("[X%d]", r.n)
	}
	base := b.base(v)
	if !b.percent(20) {
		return "[" + base + "]"
	}
	z, ok := b.zero()
	switch {
	case !ok:
		return "[" + base + "]"
	case index:
		return fmt.Sprintf("[%s,%s,SXTW]", base, z)
	}
	r := b.fresh()
	b.emit("ADD X%d,%s,%s,SXTW", r, base, z)
	return fmt.Sprintf("[X%d]", r)
}

// armValue is a register with a value for variable v.
func (b *body) armValue(v int) string {
	width := b.vars[v].width
	if b.vars[v].pointer {
		if r, ok := b.aimed(); ok && b.percent(50) {
			return fmt.Sprintf("X%d", r.n)
		}
		return b.base(pick(&b.rand, b.vars[v].targets...))
	}
	roll := b.below(100)
	r, some := b.some()
	switch {
	case some && roll < 20:
		return armName(r.n, width)
	case some && roll < 35:
		z, _ := b.zero()
		d := b.fresh()
		b.emit("ADD W%d,%s,#%d", d, z, b.value())
		return armName(d, width)
	case some && roll < 42:
		d, s := b.fresh(), b.fresh()
		b.emit("MOV W%d,#%d", d, b.value())
		b.emit("CMP W%d,#%d", r.n, b.below(3))
		b.emit("CSEL W%d,W%d,W%d,%s", s, d, pick(&b.rand, d, r.n), b.cond())
		return armName(s, width)
	case roll >= 96:
		return armName(0, width)[:1] + "ZR"
	}
	d := b.fresh()
	b.emit("MOV W%d,#%d", d, b.value())
	return armName(d, width)
}

func (b *body) cond() string {
	return pick(&b.rand, "EQ", "NE", "EQ", "NE", "GE", "LT", "GT", "LE", "HI", "LS", "HS", "LO", "MI", "PL")
}

// armResult notes register d as the result of an access of variable v.
func (b *body) armResult(d, v int) {
	r := register{n: d, width: b.vars[v].width, to: -1}
	if b.vars[v].pointer {
		r.to = b.vars[v].targets[0]
	}
	b.result(r, fmt.Sprintf("X%d", d))
}

func (b *body) armLoad() {
	v := b.variable(false)
	name := pick(&b.rand, "LDR", "LDR", "LDR", "LDAR", "LDAPR")
	addr := b.armAddress(v, name == "LDR")
	d := b.fresh()
	b.emit("%s%s %s,%s", name, armSuffix(b.vars[v].width), armName(d, b.vars[v].width), addr)
	b.armResult(d, v)
}

func (b *body) armStore() {
	v := b.variable(false)
	name := pick(&b.rand, "STR", "STR", "STR", "STLR")
	value := b.armValue(v)
	b.emit("%s%s %s,%s", name, armSuffix(b.vars[v].width), value, b.armAddress(v, name == "STR"))
}

// armUpdate writes a read-modify-write in one instruction.
func (b *body) armUpdate() {
	v := b.variable(true)
	width := b.vars[v].width
	stem := pick(&b.rand, "SWP", "SWP", "CAS", "CAS", "LDADD", "LDADD", "LDCLR", "LDEOR", "LDSET", "STADD", "STCLR", "STEOR", "STSET")
	notes := pick(&b.rand, "", "A", "L", "AL")
	if stem[:2] == "ST" {
		notes = pick(&b.rand, "", "L")
	}
	name := stem + notes + armSuffix(width)
	value := b.armValue(v)
	if stem[:2] == "ST" {
		b.emit("%s %s,%s", name, value, b.armAddress(v, false))
		return
	}
	addr, d := b.armAddress(v, false), b.fresh()
	switch r, ok := b.some(); {
	case stem != "CAS" && b.percent(12):
		b.emit("%s %s,%sZR,%s", name, value, armName(0, width)[:1], addr)
		return
	case stem != "CAS":
		b.emit("%s %s,%s,%s", name, value, armName(d, width), addr)
	default:
		if ok && b.percent(30) {
			b.emit("MOV X%d,X%d", d, r.n)
		} else {
			b.emit("MOV W%d,#%d", d, b.below(3)*b.below(2+b.values))
		}
		b.emit("%s %s,%s,%s", name, armName(d, width), value, addr)
	}
	b.armResult(d, v)
}

// armExclusives writes a pair of exclusives, at times with an instruction between.
func (b *body) armExclusives() {
	v := b.variable(true)
	width := b.vars[v].width
	value, addr := b.armValue(v), b.armAddress(v, false)
	d, status := b.fresh(), b.fresh()
	b.emit("%s%s %s,%s", pick(&b.rand, "LDXR", "LDAXR"), armSuffix(width), armName(d, width), addr)
	b.armResult(d, v)
	if b.percent(20) {
		b.armCompute()
	}
	if b.percent(20) {
		value = armName(d, width)
	}
	b.emit("%s%s W%d,%s,%s", pick(&b.rand, "STXR", "STLXR"), armSuffix(width), status, value, addr)
	b.result(register{n: status, width: 4, to: -1}, fmt.Sprintf("X%d", status))
}

// armBranch writes a jump over the next instructions, that depends on a result.
func (b *body) armBranch() {
	r, ok := b.some()
	if !ok {
		b.emit("ISB")
		return
	}
	l := b.label()
	switch b.below(6) {
	case 0, 1:
		b.emit("CMP W%d,#%d", r.n, b.below(3))
		b.emit("B.%s %s", b.cond(), l)
	case 2:
		b.emit("%s W%d,#%d", pick(&b.rand, "TST", "CMN"), r.n, 1+b.below(3))
		b.emit("B.%s %s", pick(&b.rand, "EQ", "NE"), l)
	case 3:
		b.emit("CMP W%d,W%d", r.n, b.have[b.below(len(b.have))].n)
		b.emit("B.%s %s", pick(&b.rand, "EQ", "NE"), l)
	case 4:
		b.emit("CBZ W%d,%s", r.n, l)
	default:
		b.emit("CBNZ W%d,%s", r.n, l)
	}
	b.jumps = append(b.jumps, jump{l, 1 + b.below(2)})
}

// armCompute writes an instruction that computes a result from others.
func (b *body) armCompute() {
	r, ok := b.some()
	if !ok {
		b.emit("NOP")
		return
	}
	s, _ := b.some()
	d := b.fresh()
	switch b.below(5) {
	case 0, 1:
		b.emit("%s W%d,W%d,W%d", pick(&b.rand, "EOR", "AND", "ORR", "ADD", "SUB", "BIC"), d, r.n, s.n)
	case 2:
		b.emit("%s W%d,W%d,#%d", pick(&b.rand, "EOR", "AND", "ORR", "ADD", "SUB", "LSL", "LSR"), d, r.n, 1+b.below(3))
	case 3:
		b.emit("CMP W%d,#%d", r.n, b.below(3))
		b.emit("CSET W%d,%s", d, b.cond())
	default:
		b.emit("CMP W%d,#%d", r.n, b.below(3))
		b.emit("%s W%d,W%d,W%d,%s", pick(&b.rand, "CSEL", "CSINC"), d, r.n, s.n, b.cond())
	}
	b.result(register{n: d, width: 4, to: -1}, fmt.Sprintf("X%d", d))
}
