package generate

import (
	"fmt"
	"strings"

	"github.com/fusedos/stramash/model/litmus"
)

func maxRegisters(i litmus.ISA) int {
	if i == litmus.X86_64 {
		return len(x86Registers)
	}
	return 29
}

// fresh is the number of a register not used yet. Beyond the last one the numbers
// go on, and the cycle is refused.
func (w *writer) fresh() int {
	w.registers++
	return w.registers - 1
}

// base is the register that holds the address of node i's location.
func (w *writer) base(i int) string {
	loc := w.cycle.nodes[i].loc
	if w.address == nil {
		w.address = map[int]string{}
	}
	if w.address[loc] == "" {
		r := fmt.Sprintf("X%d", w.fresh())
		w.address[loc] = r
		w.init = append(w.init, r+"="+locationNames[loc])
	}
	return w.address[loc]
}

// arm writes the accesses first to last in AArch64's instructions.
func (w *writer) arm(first, last int) {
	c := w.cycle
	for i := first; i <= last; i++ {
		by := edge{relation: &relation{}}
		if i > first {
			by = *c.before(i)
		}
		w.armLink(&by)
		switch {
		case c.after(i).kind == update && i < last && c.after(i).name == "LxSx":
			w.armExclusive(i, &by)
			i++
		case c.after(i).kind == update && i < last:
			w.armUpdate(i, &by)
			i++
		case c.nodes[i].dir == 'R':
			r := fmt.Sprint(w.fresh())
			name := map[byte]string{'P': "LDR", 'A': "LDAR", 'Q': "LDAPR"}[c.nodes[i].note]
			w.emit("%s W%s,%s", name, r, w.armAddress(i, &by, name == "LDR"))
			w.result = r
			w.sees("X"+r, c.nodes[i].value)
		default:
			name := map[byte]string{'P': "STR", 'L': "STLR"}[c.nodes[i].note]
			v := w.armValue(c.nodes[i].value, &by)
			w.emit("%s W%d,%s", name, v, w.armAddress(i, &by, name == "STR"))
		}
	}
}

// armLink writes what an edge puts between two accesses, before the second.
func (w *writer) armLink(e *edge) {
	switch {
	case e.kind == fence:
		w.emit("%s", e.arm)
	case e.name == "DpCtrl", e.name == "DpCtrlIsb":
		l := w.label()
		w.emit("CBNZ W%s,%s", w.result, l)
		w.emit("%s:", l)
		if e.name == "DpCtrlIsb" {
			w.emit("ISB")
		}
	case e.name == "DpAddrCsel":
		z := w.fresh()
		w.emit("CMP W%s,#1", w.result)
		w.emit("CSEL W%d,WZR,WZR,EQ", z)
		w.depends = fmt.Sprint(z)
	case e.name == "DpAddr", e.name == "DpData":
		z := w.fresh()
		w.emit("EOR W%d,W%s,W%s", z, w.result, w.result)
		w.depends = fmt.Sprint(z)
	}
}

// armValue is a register with value v, dependent if the edge before says so.
func (w *writer) armValue(v uint64, e *edge) int {
	r := w.fresh()
	switch e.name {
	case "DpData":
		w.emit("ADD W%d,W%s,#%d", r, w.depends, v)
	case "DpDataCsel":
		w.emit("MOV W%d,#%d", r, v)
		w.emit("CMP W%s,#1", w.result)
		s := w.fresh()
		w.emit("CSEL W%d,W%d,W%d,EQ", s, r, r)
		return s
	default:
		w.emit("MOV W%d,#%d", r, v)
	}
	return r
}

// armAddress is the address operand of node i, dependent if the edge before says
// so: by an index where the instruction takes one, else by an addition before it.
func (w *writer) armAddress(i int, e *edge, index bool) string {
	base := w.base(i)
	switch {
	case !strings.HasPrefix(e.name, "DpAddr"):
		return "[" + base + "]"
	case index:
		return fmt.Sprintf("[%s,W%s,SXTW]", base, w.depends)
	}
	r := w.fresh()
	w.emit("ADD X%d,%s,W%s,SXTW", r, base, w.depends)
	return fmt.Sprintf("[X%d]", r)
}

// armUpdate writes the read-modify-write of nodes i and i+1 as one instruction.
func (w *writer) armUpdate(i int, e *edge) {
	read, write, rmw := w.cycle.nodes[i], w.cycle.nodes[i+1], w.cycle.after(i)
	name := rmw.arm
	if read.note == 'A' {
		name += "A"
	}
	if write.note == 'L' {
		name += "L"
	}
	addr := w.armAddress(i, e, false)
	old := -1
	if rmw.name == "Amo.Cas" {
		old = w.fresh()
		w.emit("MOV W%d,#%d", old, read.value)
	}
	operand := write.value
	if w.cycle.computes(i + 1) {
		operand = write.operand
	}
	v := w.armValue(operand, &edge{relation: &relation{}})
	switch {
	case !returns(rmw.relation):
		w.emit("%s W%d,%s", name, v, addr)
		return
	case old < 0:
		old = w.fresh()
		w.emit("%s W%d,W%d,%s", name, v, old, addr)
	default:
		w.emit("%s W%d,W%d,%s", name, old, v, addr)
	}
	w.result = fmt.Sprint(old)
	w.sees("X"+w.result, read.value)
}

// armExclusive writes it as a pair of exclusives, which is tried once.
func (w *writer) armExclusive(i int, e *edge) {
	read, write := w.cycle.nodes[i], w.cycle.nodes[i+1]
	addr := w.armAddress(i, e, false)
	v := w.armValue(write.value, &edge{relation: &relation{}})
	old, status := w.fresh(), w.fresh()
	w.emit("%s W%d,%s", map[byte]string{'P': "LDXR", 'A': "LDAXR"}[read.note], old, addr)
	w.emit("%s W%d,W%d,%s", map[byte]string{'P': "STXR", 'L': "STLXR"}[write.note], status, v, addr)
	w.result = fmt.Sprint(old)
	w.sees("X"+w.result, read.value)
	w.sees(fmt.Sprintf("X%d", status), 0)
}
