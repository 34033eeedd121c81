package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// freeBlocks is the number of blocks in locks/freelist, and blockSize their
// size in bytes.
const (
	freeBlocks = 3
	blockSize  = 16
)

// freelist is a target for the free list: threads take blocks, use them, and
// give them back.
func freelist() fuzz.Target {
	full := spec.Stack()
	full.Initial = spec.ListOf(3, 2, 1)
	return fuzz.Target{
		Name: "locks/freelist", Doc: "a free list hands out each block once, to CPUs of all ISAs", Platform: platform(),
		Judges: []checkers.Judge{checkers.Linearizable(full)},
		Setup: func(m *machine.Machine) fuzz.Program {
			u := listUser{locks.NewFreeList(m, locks.Home{}, freeBlocks, blockSize)}
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, _, _ int) {
					u.use(t, t.Choose("blocks", 3))
				}),
				After: func() error { return u.check(m) },
			}
		},
	}
}

// listUser uses a free list, on the record. Blocks are numbered from 1.
type listUser struct{ list *locks.FreeList }

// use takes two blocks and gives them back, first in, first out, so that the top
// one comes back over others (0); takes one (1); or two, last in, first out (2).
func (u listUser) use(t *machine.Thread, how int) {
	a, b := u.pop(t), uint64(0)
	if how != 1 {
		b = u.pop(t)
	}
	if how == 2 {
		a, b = b, a
	}
	u.push(t, a)
	u.push(t, b)
}

// check looks whether all blocks have come back.
func (u listUser) check(m *machine.Machine) error {
	blocks, err := u.list.Walk(m)
	if err != nil {
		return err
	}
	return fuzz.Want(len(blocks), freeBlocks)
}

// pop takes a block and writes to it; it answers 0 if there was none.
func (u listUser) pop(t *machine.Thread) (number uint64) {
	t.Call(u.list.Addr(), spec.StackPop)
	block, ok := u.list.Pop(t)
	if ok {
		number = u.number(block)
	}
	t.Return(u.list.Addr(), number, ok)
	if ok {
		t.Store64(block, t.Load64(block)+1) // its user may write where the link was
	}
	return number
}

// number is the number of a block.
func (u listUser) number(block machine.VA) uint64 {
	return uint64(block-u.list.Block(0))/blockSize + 1
}

// push gives a block back, unless it is 0.
func (u listUser) push(t *machine.Thread, number uint64) {
	if number == 0 {
		return
	}
	t.Call(u.list.Addr(), spec.StackPush, number)
	u.list.Push(t, u.list.Block(int(number)-1))
	t.Return(u.list.Addr(), 0, true)
}
