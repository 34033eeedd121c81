package asm

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/litmus/generate"
	"github.com/fusedos/stramash/model/memory/explore"
)

// keepLoadsBeforeStores is the program with a branch before each store of an AArch64
// thread, on the result of each earlier load: control dependencies, which order
// stores behind those loads, and nothing else but for an ISB. Thus what the architecture
// allows of it is what it allows of the program without load-store reordering.
//
// With atomics kept there is also a DMB ST behind each store-exclusive and each
// read-modify-write, and DSB ST is DSB SY.
func keepLoadsBeforeStores(p *litmus.Program, atomics bool) *litmus.Program {
	out := *p
	out.Threads = nil
	for _, t := range p.Threads {
		if t.ISA == litmus.AArch64 {
			if atomics {
				t.Code = fenceAtomics(t.Code)
			}
			t.Code = branchBeforeStores(t)
		}
		out.Threads = append(out.Threads, t)
	}
	return &out
}

func fenceAtomics(ops []litmus.Op) []litmus.Op {
	var code []litmus.Op
	place := make([]int, len(ops)+1)
	for i, op := range ops {
		place[i] = len(code)
		if op.Kind == litmus.OpFence && op.Fence == litmus.FenceStoreAny {
			op.Fence = litmus.FenceFull
		}
		code = append(code, op)
		if op.Kind == litmus.OpStoreEx || op.Kind == litmus.OpUpdate || op.Kind == litmus.OpCAS {
			code = append(code, litmus.Op{Kind: litmus.OpFence, Fence: litmus.FenceStore})
		}
	}
	place[len(ops)] = len(code)
	for i := range code {
		code[i].Target = place[code[i].Target]
	}
	return code
}

func branchBeforeStores(t litmus.Thread) []litmus.Op {
	free := unused(t)
	var code []litmus.Op
	var loads []litmus.Reg
	place := make([]int, len(t.Code)+1)
	for i, op := range t.Code {
		place[i] = len(code)
		if op.Kind >= litmus.OpStore && op.Kind <= litmus.OpCAS && op.Kind != litmus.OpLoadEx {
			for _, r := range loads {
				code = append(code, litmus.Op{Kind: litmus.OpBranchZero, Width: 8, A: litmus.R(r), Target: -len(code) - 1})
			}
		}
		reads := op.Kind >= litmus.OpLoad && op.Kind <= litmus.OpCAS && op.Kind != litmus.OpStore && op.Kind != litmus.OpStoreEx
		if !reads {
			code = append(code, op)
			continue
		}
		r := free[len(loads)]
		loads = append(loads, r)
		if op.Dst == litmus.NoReg {
			op.Dst = r
			code = append(code, op)
			continue
		}
		code = append(code, op, litmus.Op{Kind: litmus.OpALU, Fn: litmus.FnMove, Width: 8, Dst: r, A: litmus.Const(0), B: litmus.R(op.Dst)})
	}
	place[len(t.Code)] = len(code)
	for i := range code {
		switch op := &code[i]; {
		case op.Target < 0:
			op.Target = -op.Target
		case op.Kind == litmus.OpBranch || op.Kind == litmus.OpBranchIf || op.Kind == litmus.OpBranchZero:
			op.Target = place[op.Target]
		}
	}
	return code
}

// unused are the registers that a thread does not name.
func unused(t litmus.Thread) (out []litmus.Reg) {
	var used [256]bool
	used[litmus.Zero], used[litmus.Flags] = true, true
	for _, op := range t.Code {
		for _, r := range []litmus.Reg{op.Dst, op.A.Reg, op.B.Reg, op.Addr.Base, op.Addr.Index} {
			used[r] = true
		}
	}
	for r := range litmus.Reg(litmus.NumRegs) {
		if !used[r] {
			out = append(out, r)
		}
	}
	return out
}

// checkReach checks that the machine reaches nothing that the architectures do not
// allow without load-store reordering on AArch64, and all that they allow if besides
// no store passes a read-modify-write.
func checkReach(t *testing.T, name string, test *litmus.Test, p *litmus.Program) {
	got, _ := statesOf(t, Reach, test, p)
	most, o := statesOf(t, explore.Run, test, keepLoadsBeforeStores(p, false))
	if !o.Complete {
		t.Errorf("%s: %+v", name, o)
	}
	if extra := minus(got, most); len(extra) > 0 {
		t.Errorf("%s: reaches %q, which is not allowed", name, extra)
	}
	if len(got) == len(most) {
		return
	}
	least, _ := statesOf(t, explore.Run, test, keepLoadsBeforeStores(p, true))
	if missing := minus(least, got); len(missing) > 0 {
		t.Errorf("%s: does not reach %q", name, missing)
	}
}

func TestOracleWithoutLoadStoreReordering(t *testing.T) {
	if testing.Short() {
		t.Skip("herd's tests take about twenty seconds: they run without -short")
	}
	dir := oracle(t)
	for _, set := range []string{"x86_64", "aarch64", "mixed"} {
		for _, e := range expectations(t, filepath.Join(dir, set+".expected.jsonl")) {
			test, p := load(t, filepath.Join(dir, set, e.File))
			checkReach(t, set+"/"+e.File, test, p)
		}
	}
}

func TestRandomProgramsWithoutLoadStoreReordering(t *testing.T) {
	n := uint64(1200)
	if testing.Short() {
		n = 150
	}
	for seed := range n {
		test := generate.Random(seed, small)
		p, err := test.Program(2)
		if err != nil {
			t.Fatal(err)
		}
		checkReach(t, fmt.Sprintf("random %d", seed), test, p)
	}
}
