package litmus

// unrolled makes code loop-free: copy k of it is what runs after k backward
// jumps. What can't be reached is left out.
func unrolled(code []Op, unroll int) ([]Op, error) {
	n := len(code)
	if n == 0 {
		return nil, nil
	}
	loops := false
	for i := range code {
		loops = loops || code[i].jumps() && code[i].Target <= i
	}
	if !loops {
		unroll = 0
	}
	u := unroller{code: code, copies: unroll + 1}
	if unroll < 0 || unroll > MaxCode || n > MaxCode || u.copies*n > 16*MaxCode {
		return nil, tooLong(code, unroll)
	}
	u.place = make([]int, u.copies*n+1)
	total := u.reach()
	if total > MaxCode {
		return nil, tooLong(code, unroll)
	}
	return u.emit(total), nil
}

func tooLong(code []Op, unroll int) error {
	return failf(code[0].Line, "the thread has too many operations if its loops are unrolled %d times: %d is the limit; unroll less, from 0",
		unroll, MaxCode)
}

// jumps says whether the operation is one of jumping.
func (op *Op) jumps() bool {
	return op.Kind == OpBranch || op.Kind == OpBranchIf || op.Kind == OpBranchZero
}

// unroller names operation i of copy k by k·n+i, and the OpCut by copies·n. The
// end is -1.
type unroller struct {
	code   []Op
	copies int
	place  []int // 1 if reached; then where it stands, from 1
	last   int   // that is reached
}

// next is what runs behind an operation, if it does not jump.
func (u *unroller) next(at int) int {
	if at%len(u.code) == len(u.code)-1 {
		return -1
	}
	return at + 1
}

// target is where the operation jumps.
func (u *unroller) target(at int) int {
	n := len(u.code)
	k, i := at/n, at%n
	t := u.code[i].Target
	if t <= i {
		k++
	}
	switch {
	case k == u.copies:
		return u.copies * n
	case t == n:
		return -1
	}
	return k*n + t
}

// reach marks what can be reached, and counts the operations to emit.
func (u *unroller) reach() int {
	cut := u.copies * len(u.code)
	total := 0
	u.place[0] = 1
	for at := range cut {
		if u.place[at] == 0 {
			continue
		}
		total++
		u.last = at
		op := &u.code[at%len(u.code)]
		if op.jumps() {
			if t := u.target(at); t >= 0 {
				u.place[t] = 1
			}
		}
		if op.Kind != OpBranch {
			if t := u.next(at); t >= 0 {
				u.place[t] = 1
			}
		}
	}
	if u.place[cut] != 0 {
		u.last = cut
	}
	return total
}

// emit writes the operations that are reached, one copy behind the other. At the
// end of each copy but the last stands a jump to the end.
func (u *unroller) emit(total int) []Op {
	n := len(u.code)
	cut := u.copies * n
	out := make([]Op, 0, total+u.copies+1)
	var from []int // of each operation of out
	for at := range cut + 1 {
		if u.place[at] == 0 {
			continue
		}
		op := Op{Kind: OpCut}
		if at < cut {
			op = u.code[at%n]
		} else {
			op.Line, op.Text = u.code[n-1].Line, "loop"
		}
		out, from = append(out, op), append(from, at)
		u.place[at] = len(out)
		if at < cut && op.Kind != OpBranch && u.next(at) < 0 && at < u.last {
			out, from = append(out, Op{Kind: OpBranch, Line: op.Line, Text: op.Text}), append(from, -1)
		}
	}
	for i, at := range from {
		if !out[i].jumps() {
			continue
		}
		out[i].Target = len(out)
		if at >= 0 {
			if t := u.target(at); t >= 0 {
				out[i].Target = u.place[t] - 1
			}
		}
	}
	return out
}
