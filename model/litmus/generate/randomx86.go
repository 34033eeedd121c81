package generate

import "fmt"

// x86Addresses is the first of the registers of x86Registers that hold addresses of
// locations.
const x86Addresses = 9

// x86Name is register n of x86Registers for a width, with its sign.
func x86Name(n, width int) string {
	r := x86Registers[n]
	return "%" + map[int]string{1: r.b, 2: r.w, 4: r.l, 8: r.q}[width]
}

// x86Suffix is what instructions end in, for a width.
func x86Suffix(width int) string { return map[int]string{1: "b", 2: "w", 4: "l", 8: "q"}[width] }

// x86 writes an instruction of x86-64.
func (b *body) x86() {
	roll := b.below(100)
	if b.used > x86Addresses-3 {
		roll = 80
	}
	switch {
	case roll < 30 && b.access():
		b.x86Load()
	case roll < 58 && b.access():
		b.x86Store()
	case roll < 66 && b.access():
		b.x86Exchange("xchg")
	case roll < 70 && b.access():
		b.x86Exchange("lock xadd")
	case roll < 75 && b.access():
		b.x86CompareExchange()
	case roll < 80 && b.access():
		b.x86Locked()
	case roll < 88:
		b.emit("%s", pick(&b.rand, "mfence", "mfence", "mfence", "lfence", "sfence"))
	case roll < 94:
		b.x86Branch()
	default:
		b.x86Compute()
	}
}

// x86Address is an operand with the address of variable v, or of one that may
// stand for it.
func (b *body) x86Address(v int) string {
	if r, ok := b.aimed(); ok && !b.vars[v].pointer && b.vars[v].width == b.vars[r.to].width && b.percent(70) {
		return "(" + x86Name(r.n, 8) + ")"
	}
	if b.percent(10) {
		return "(" + b.x86Base(v) + ")"
	}
	return "(" + b.vars[v].name + ")"
}

// x86Base is a register that holds the address of variable v.
func (b *body) x86Base(v int) string {
	r := x86Registers[x86Addresses+v].q
	def := r + "=" + b.vars[v].name
	for _, i := range b.init {
		if i == def {
			return "%" + r
		}
	}
	b.init = append(b.init, def)
	return "%" + r
}

// x86Value is a register with a value for variable v, of which the instruction may
// write to it.
func (b *body) x86Value(v int) int {
	width := b.vars[v].width
	d := b.fresh()
	dst, from := x86Name(d, width), ""
	switch r, ok := b.some(); {
	case b.vars[v].pointer:
		from = b.x86Base(pick(&b.rand, b.vars[v].targets...))
		if r, ok := b.aimed(); ok && b.percent(50) {
			from = x86Name(r.n, 8)
		}
	case ok && b.percent(25):
		from = x86Name(r.n, width)
	case ok && b.percent(10):
		b.emit("mov%s %s,%s", x86Suffix(width), x86Name(r.n, width), dst)
		b.emit("xor%s %s,%s", x86Suffix(width), x86Name(r.n, width), dst)
		b.emit("add%s $%d,%s", x86Suffix(width), b.value(), dst)
		return d
	default:
		from = fmt.Sprintf("$%d", b.value())
	}
	b.emit("mov%s %s,%s", x86Suffix(width), from, dst)
	return d
}

// x86Result notes register d as the result of an access of variable v.
func (b *body) x86Result(d, v int) {
	r := register{n: d, width: b.vars[v].width, to: -1}
	if b.vars[v].pointer {
		r.to = b.vars[v].targets[0]
	}
	b.result(r, x86Registers[d].q)
}

func (b *body) x86Load() {
	v := b.variable(false)
	width := b.vars[v].width
	d, addr := b.fresh(), b.x86Address(v)
	name := "mov"
	if !b.vars[v].pointer && b.percent(30) {
		name = pick(&b.rand, "add", "xor")
	}
	b.emit("%s%s %s,%s", name, x86Suffix(width), addr, x86Name(d, width))
	b.x86Result(d, v)
}

func (b *body) x86Store() {
	v := b.variable(false)
	width := b.vars[v].width
	if !b.vars[v].pointer && b.percent(60) {
		b.emit("mov%s $%d,%s", x86Suffix(width), b.value(), b.x86Address(v))
		return
	}
	d := b.x86Value(v)
	b.emit("mov%s %s,%s", x86Suffix(width), x86Name(d, width), b.x86Address(v))
}

// x86Exchange writes a read-modify-write whose register takes the old value.
func (b *body) x86Exchange(name string) {
	v := b.variable(name != "xchg")
	width := b.vars[v].width
	d := b.x86Value(v)
	b.emit("%s%s %s,%s", name, x86Suffix(width), x86Name(d, width), b.x86Address(v))
	b.x86Result(d, v)
}

func (b *body) x86CompareExchange() {
	v := b.variable(true)
	width := b.vars[v].width
	d := b.x86Value(v)
	rax := map[int]string{1: "%al", 2: "%ax", 4: "%eax", 8: "%rax"}[width]
	if r, ok := b.some(); ok && b.percent(30) {
		b.emit("mov%s %s,%s", x86Suffix(width), x86Name(r.n, width), rax)
	} else {
		b.emit("mov%s $%d,%s", x86Suffix(width), b.below(3)*b.below(2+b.values), rax)
	}
	b.emit("lock cmpxchg%s %s,%s", x86Suffix(width), x86Name(d, width), b.x86Address(v))
	if b.percent(30) {
		l := b.label()
		b.emit("%s %s", pick(&b.rand, "je", "jne"), l)
		b.jumps = append(b.jumps, jump{l, 1 + b.below(2)})
	}
	old := b.fresh()
	b.emit("mov%s %s,%s", x86Suffix(width), rax, x86Name(old, width))
	b.x86Result(old, v)
}

// x86Locked writes a read-modify-write without a result but its flags, which now and
// then is not locked.
func (b *body) x86Locked() {
	v := b.variable(true)
	s, addr := x86Suffix(b.vars[v].width), b.x86Address(v)
	lock := "lock "
	if b.percent(35) && b.access() {
		lock = "" // a load and a store
	}
	if b.percent(35) {
		b.emit("%s%s%s %s", lock, pick(&b.rand, "inc", "dec"), s, addr)
	} else {
		b.emit("%s%s%s $%d,%s", lock, pick(&b.rand, "add", "sub", "or", "and", "xor"), s, b.value(), addr)
	}
	if b.percent(25) {
		l := b.label()
		b.emit("%s %s", pick(&b.rand, "je", "jne", "js"), l)
		b.jumps = append(b.jumps, jump{l, 1 + b.below(2)})
	}
}

// x86Branch writes a jump over the next instructions, that depends on a result.
func (b *body) x86Branch() {
	r, ok := b.some()
	if !ok {
		b.emit("lfence")
		return
	}
	l := b.label()
	if b.percent(60) {
		b.emit("cmpl $%d,%s", b.below(3), x86Name(r.n, 4))
		b.emit("%s %s", pick(&b.rand, "je", "jne", "jg", "jge", "jl", "jle", "ja", "jae", "jb", "jbe"), l)
	} else {
		b.emit("testl %[1]s,%[1]s", x86Name(r.n, 4))
		b.emit("%s %s", pick(&b.rand, "je", "jne"), l)
	}
	b.jumps = append(b.jumps, jump{l, 1 + b.below(2)})
}

// x86Compute writes an instruction that computes a result from others.
func (b *body) x86Compute() {
	r, ok := b.some()
	if !ok {
		b.emit("sfence")
		return
	}
	s, _ := b.some()
	d := b.fresh()
	switch b.below(4) {
	case 0:
		b.emit("cmpl $%d,%s", b.below(3), x86Name(r.n, 4))
		b.emit("cmov%s %s,%s", pick(&b.rand, "e", "ne", "g", "l", "a", "b"), x86Name(s.n, 4), x86Name(d, 4))
	case 1:
		b.emit("cmpl $%d,%s", b.below(3), x86Name(r.n, 4))
		b.emit("set%s %s", pick(&b.rand, "e", "ne", "g", "l", "a", "b"), x86Name(d, 1))
	default:
		b.emit("movl %s,%s", x86Name(r.n, 4), x86Name(d, 4))
		b.emit("%s %s,%s", pick(&b.rand, "xorl", "andl", "orl", "addl", "subl"), x86Name(s.n, 4), x86Name(d, 4))
	}
	b.result(register{n: d, width: 4, to: -1}, x86Registers[d].q)
}
