package locks_test

import (
	"fmt"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// An x86-64 and an AArch64 CPU take turns at one counter.
func ExampleTicket() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	lock, counter := locks.NewTicket(m, locks.Home{}, 0), m.Alloc(8)
	body := func(t *machine.Thread) {
		lock.Acquire(t)
		t.Store64(counter, t.Load64(counter)+1)
		lock.Release(t)
	}
	result := m.Run(machine.Start{CPU: 0, Body: body}, machine.Start{CPU: 1, Body: body})
	fmt.Println(result.Outcome, m.Peek64(counter))
	// Output: finished 2
}

// Two kernels share one queued spin lock; each has queue nodes of its own.
func ExampleQSpinlock() {
	m, err := machine.New(machine.Pairs(2))
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	nodes := locks.NewQNodes(m)
	lock := locks.NewQSpinlock(m, locks.Home{Node: 1, Name: "page table lock"}, nodes)
	var threads []machine.Start
	for cpu := range m.CPUs() {
		threads = append(threads, machine.Start{CPU: cpu, Body: func(t *machine.Thread) {
			enabled := locks.AcquireIRQSave(t, lock)
			locks.ReleaseIRQRestore(t, lock, enabled)
		}})
	}
	fmt.Println(m.Run(threads...).Outcome, m.NameAddr(lock.Addr()))
	// Output: finished page table lock
}

// Readers look at two words that belong together, and never see a mixture.
func ExampleSeqLock() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	clock := locks.NewSeqLock(m, locks.Home{}, 2)
	m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		clock.Write(t, 12, 34)
	}}, machine.Start{CPU: 1, Body: func(t *machine.Thread) {
		now := make([]uint64, clock.Words())
		clock.Read(t, now)
		fmt.Println(now)
	}})
	// Output: [12 34]
}

// A block that was pushed last is popped first, whatever the ISA.
func ExampleFreeList() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	free := locks.NewFreeList(m, locks.Home{}, 2, 64)
	m.Run(machine.Start{CPU: 1, Body: func(t *machine.Thread) {
		first, _ := free.Pop(t)
		free.Push(t, first)
		again, ok := free.Pop(t)
		fmt.Println(first == again, ok)
	}})
	// Output: true true
}
