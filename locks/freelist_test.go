package locks_test

import (
	"slices"
	"testing"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

func TestFreeListIsLastInFirstOut(t *testing.T) {
	for _, isa := range isas {
		t.Run(isa.Name, func(t *testing.T) {
			var f *locks.FreeList
			m := alone(t, isa, func(m *machine.Machine) func(*machine.Thread) {
				f = locks.NewFreeList(m, locks.Home{}, 3, 24)
				return func(th *machine.Thread) {
					for i := range 3 {
						if b, ok := f.Pop(th); !ok || b != f.Block(i) {
							t.Errorf("pop %d got %#x, %t; want block %d", i, uint64(b), ok, i)
						}
					}
					if _, ok := f.Pop(th); ok {
						t.Error("an empty list gave a block")
					}
					f.Push(th, f.Block(1))
					f.Push(th, f.Block(2))
				}
			})
			got, err := f.Walk(m)
			if want := []machine.VA{f.Block(2), f.Block(1)}; err != nil || !slices.Equal(got, want) {
				t.Errorf("list is %#x, %v; want %#x", got, err, want)
			}
			if head := m.Peek64(f.Addr()); head != 2<<32|3 {
				t.Errorf("head is %#x; want index 3 with tag 2", head)
			}
		})
	}
}

func TestFreeListWalkFindsDamage(t *testing.T) {
	m := newMachine(t, machine.Pair())
	m.Begin(machine.Natural{}, machine.Limits{})
	f := locks.NewFreeList(m, locks.Home{}, 2, 8)
	m.Poke64(f.Block(1), 1)
	if _, err := f.Walk(m); err == nil {
		t.Error("no error for a loop")
	}
	m.Poke64(f.Block(1), 3)
	if _, err := f.Walk(m); err == nil {
		t.Error("no error for a link that leads astray")
	}
}

func TestFreeListUnderContention(t *testing.T) {
	m := newMachine(t, kernels())
	for seed := range uint64(2000) {
		m.Begin(&random{seed}, machine.Limits{})
		f := locks.NewFreeList(m, locks.Home{}, 3, 16)
		owned := map[machine.VA]bool{}
		pop := func(th *machine.Thread) machine.VA {
			b, ok := f.Pop(th)
			if ok && owned[b] {
				panic("a block was handed out twice")
			}
			if ok {
				owned[b] = true
			}
			return b
		}
		push := func(th *machine.Thread, b machine.VA) {
			if b != 0 {
				th.Store64(b, 0xdeadbeef) // the user writes where the link was
				delete(owned, b)
				f.Push(th, b)
			}
		}
		body := func(th *machine.Thread) {
			for range 2 {
				a, b := pop(th), pop(th)
				push(th, a)
				push(th, b)
			}
		}
		finish(t, m, seed, machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 2, Body: body}, machine.Start{CPU: 3, Body: body})
		if got, err := f.Walk(m); err != nil || len(got) != 3 {
			t.Fatalf("seed %d: list is %#x, %v; want 3 blocks", seed, got, err)
		}
	}
}

func TestFreeListRefusesStrangeBlocks(t *testing.T) {
	m := newMachine(t, machine.Pair())
	for _, off := range []machine.VA{8, 32, ^machine.VA(15)} {
		m.Begin(machine.Natural{}, machine.Limits{})
		f := locks.NewFreeList(m, locks.Home{}, 2, 16)
		r := m.Run(machine.Start{Body: func(th *machine.Thread) { f.Push(th, f.Block(0)+off) }})
		if r.Outcome != machine.Panicked {
			t.Errorf("push of block 0 + %d: %v, want a panic", int64(off), r.Outcome)
		}
	}
}
