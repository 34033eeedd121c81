package litmus

// Program lowers the test to the form that engines run. A loop becomes copies of
// the code, one for each number of backward jumps from 0 to unroll; a jump from
// the last copy goes to an OpCut.
func (t *Test) Program(unroll int) (*Program, error) {
	p := &Program{Observed: t.observed}
	for _, c := range t.Threads {
		code, err := unrolled(c.code, unroll)
		if err != nil {
			return nil, err
		}
		if err := carries(c.ISA, code); err != nil {
			return nil, err
		}
		th := Thread{ISA: c.ISA, Code: flagless(code)}
		if c.ISA == X86_64 {
			th.Init[Flags] = FlagC // which is a cleared carry
		}
		p.Threads = append(p.Threads, th)
	}
	for _, row := range t.Init {
		for _, i := range row {
			if i.Ref.Thread >= 0 {
				p.Threads[i.Ref.Thread].Init[i.Ref.Reg] = i.Value.Num
			}
		}
	}
	p.Locations = t.locations(p.Threads)
	return p, p.sizes()
}

// sizes refuses accesses that name a location in the instruction, of another size
// than it has. Others are seen only when they run.
func (p *Program) sizes() error {
	for _, t := range p.Threads {
		for k := range t.Code {
			op := &t.Code[k]
			if !op.Accesses() || op.Addr.Base != NoReg || op.Addr.Index != NoReg {
				continue
			}
			if _, err := p.Locate(op, op.Addr.Offset); err != nil {
				return err
			}
		}
	}
	return nil
}

// locations are the locations of the program. The size of one is that of its
// type; if it has none, it is 8 if the location holds an address at the start,
// else that of the accesses that name it, if all of them agree, or of all
// accesses of the test that name none; else it is 4.
func (t *Test) locations(threads []Thread) []Location {
	out := make([]Location, len(t.names))
	for i, n := range t.names {
		out[i].Name = n
	}
	for _, row := range t.Init {
		for _, i := range row {
			if i.Ref.Thread >= 0 {
				continue
			}
			l := &out[t.observable(i.Ref).Loc]
			l.Init, l.Size = i.Value.Num, typeSize(i.Type)
			if i.Value.Loc {
				l.Size = 8
			}
		}
	}
	named := make([]widths, len(out))
	var all widths
	for i := range threads {
		for k := range threads[i].Code {
			op := &threads[i].Code[k]
			if op.Width == 0 || !op.Accesses() {
				continue
			}
			all.add(op.Width)
			if loc, ok := threads[i].names(op, len(out)); ok {
				named[loc].add(op.Width)
			}
		}
	}
	for i := range out {
		if out[i].Size == 0 {
			out[i].Size = 4
			if named[i].n > 0 {
				out[i].Size = named[i].only(4)
			} else {
				out[i].Size = all.only(4)
			}
		}
		out[i].Init &= ^uint64(0) >> (64 - 8*uint(out[i].Size))
	}
	return out
}

// widths is a set of widths of which only one is of interest.
type widths struct {
	first uint8
	n     int
}

func (w *widths) add(width uint8) {
	if w.n == 0 || w.first != width {
		w.n++
	}
	if w.n == 1 {
		w.first = width
	}
}

// only is the width if there is one, else other.
func (w widths) only(other uint8) uint8 {
	if w.n == 1 {
		return w.first
	}
	return other
}

// Accesses says whether the operation accesses memory.
func (op *Op) Accesses() bool {
	switch op.Kind {
	case OpLoad, OpStore, OpLoadEx, OpStoreEx, OpUpdate, OpCAS:
		return true
	}
	return false
}

// names is the location that an operation names: by itself, or by the initial
// value of its base register.
func (t *Thread) names(op *Op, locations int) (int, bool) {
	a := op.Addr.Offset
	if op.Addr.Base != NoReg {
		a += t.Init[op.Addr.Base]
	}
	return located(a, locations)
}
