package generate

// x86Register is a register under its names for 8, 4, 2 and 1 bytes.
type x86Register struct{ q, l, w, b string }

// x86Registers are those that code uses for data, in the order in which it takes
// them; rax is not among them, as lock cmpxchg takes it for itself.
var x86Registers = []x86Register{
	{"rbx", "ebx", "bx", "bl"}, {"rcx", "ecx", "cx", "cl"}, {"rdx", "edx", "dx", "dl"}, {"rsi", "esi", "si", "sil"}, {"rdi", "edi", "di", "dil"},
	{"r8", "r8d", "r8w", "r8b"}, {"r9", "r9d", "r9w", "r9b"}, {"r10", "r10d", "r10w", "r10b"}, {"r11", "r11d", "r11w", "r11b"},
	{"r12", "r12d", "r12w", "r12b"}, {"r13", "r13d", "r13w", "r13b"}, {"r14", "r14d", "r14w", "r14b"}, {"r15", "r15d", "r15w", "r15b"},
}

// x86Fresh is a register not used yet. Beyond the last one it is the last again,
// and the cycle is refused.
func (w *writer) x86Fresh() x86Register {
	w.registers++
	return x86Registers[min(w.registers, len(x86Registers))-1]
}

// x86 writes the accesses first to last in x86-64's instructions.
func (w *writer) x86(first, last int) {
	c := w.cycle
	for i := first; i <= last; i++ {
		by := edge{relation: &relation{}}
		if i > first {
			by = *c.before(i)
		}
		if by.kind == fence {
			w.emit("%s", by.x86)
		}
		if by.name == "DpCtrl" {
			l := w.label()
			w.emit("cmpl $1,%%%s", w.result)
			w.emit("jne %s", l)
			w.emit("%s:", l)
		}
		n := c.nodes[i]
		loc := locationNames[n.loc]
		switch {
		case c.after(i).kind == update && i < last:
			w.x86Update(i, loc)
			i++
		case n.dir == 'R':
			r := w.x86Fresh()
			w.emit("movl (%s),%%%s", loc, r.l)
			w.x86Sees(r, n.value)
		case by.name == "DpData":
			r := w.x86Fresh()
			w.emit("movl %%%s,%%%s", w.result, r.l)
			w.emit("xorl %%%s,%%%s", w.result, r.l)
			w.emit("addl $%d,%%%s", n.value, r.l)
			w.x86Write(n, r)
		case n.note == 'A':
			r := w.x86Fresh()
			w.emit("movl $%d,%%%s", n.value, r.l)
			w.x86Write(n, r)
		default:
			w.emit("movl $%d,(%s)", n.value, loc)
		}
	}
}

func (w *writer) x86Sees(r x86Register, want uint64) {
	w.result = r.l
	w.sees(r.q, want)
}

// x86Write stores a register, by xchg if the write is annotated as atomic.
func (w *writer) x86Write(n node, r x86Register) {
	if n.note == 'A' {
		w.emit("xchgl %%%s,(%s)", r.l, locationNames[n.loc])
		w.x86Sees(r, n.operand)
		return
	}
	w.emit("movl %%%s,(%s)", r.l, locationNames[n.loc])
}

// x86Update writes the read-modify-write of nodes i and i+1.
func (w *writer) x86Update(i int, loc string) {
	read, write, rmw := w.cycle.nodes[i], w.cycle.nodes[i+1], w.cycle.after(i)
	switch rmw.x86 {
	case "add", "or":
		w.emit("lock %sl $%d,(%s)", rmw.x86, write.operand, loc)
		return
	case "and":
		w.emit("lock andl $%d,(%s)", int32(^write.operand), loc)
		return
	}
	r := w.x86Fresh()
	switch rmw.x86 {
	case "xchg":
		w.emit("movl $%d,%%%s", write.value, r.l)
		w.emit("xchgl %%%s,(%s)", r.l, loc)
	case "xadd":
		w.emit("movl $%d,%%%s", write.operand, r.l)
		w.emit("lock xaddl %%%s,(%s)", r.l, loc)
	case "cmpxchg":
		w.emit("movl $%d,%%eax", read.value)
		w.emit("movl $%d,%%%s", write.value, r.l)
		w.emit("lock cmpxchgl %%%s,(%s)", r.l, loc)
		w.emit("movl %%eax,%%%s", r.l)
	}
	w.x86Sees(r, read.value)
}
