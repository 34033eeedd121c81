package locks_test

import (
	"fmt"
	"testing"

	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// random answers every question at random, from a seed (splitmix64).
type random struct{ state uint64 }

func (r *random) Choose(c *machine.Choice) int {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return c.Options.Nth(int((z ^ z>>31) % uint64(c.Options.Len())))
}

// kernels is a machine of three kernels: one for each ISA.
func kernels() machine.Platform {
	return machine.Platform{Nodes: []machine.Node{
		{ISA: machine.X86, CPUs: 2}, {ISA: machine.AArch64, CPUs: 1}, {ISA: machine.AArch64LLSC, CPUs: 2},
	}}
}

func newMachine(t testing.TB, p machine.Platform) *machine.Machine {
	t.Helper()
	m, err := machine.New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// mutexes are the constructors of all locks that exclude.
var mutexes = []struct {
	name string
	make func(m *machine.Machine) locks.Ordered
}{
	{"tas", func(m *machine.Machine) locks.Ordered { return locks.NewTAS(m, locks.Home{}) }},
	{"ticket", func(m *machine.Machine) locks.Ordered { return locks.NewTicket(m, locks.Home{}, 0) }},
	{"ticket wraps", func(m *machine.Machine) locks.Ordered { return locks.NewTicket(m, locks.Home{}, 0xfffe) }},
	{"mcs", func(m *machine.Machine) locks.Ordered { return locks.NewMCS(m, locks.Home{}) }},
	{"qspinlock", func(m *machine.Machine) locks.Ordered {
		return locks.NewQSpinlock(m, locks.Home{}, locks.NewQNodes(m))
	}},
	{"rwlock writer", func(m *machine.Machine) locks.Ordered { return locks.NewRWLock(m, locks.Home{}) }},
	{"seqlock writer", func(m *machine.Machine) locks.Ordered { return locks.NewSeqLock(m, locks.Home{}, 1) }},
}

// finish runs the threads and fails the test if they don't finish.
func finish(t testing.TB, m *machine.Machine, seed uint64, threads ...machine.Start) machine.Result {
	t.Helper()
	r := m.Run(threads...)
	if r.Outcome != machine.Finished {
		t.Fatalf("seed %d: %v: %s\n%v", seed, r.Outcome, r.Detail, r.Stack)
	}
	return r
}

// alone runs one thread on a CPU of the given ISA, by the plain choices.
func alone(t testing.TB, isa machine.ISA, setup func(m *machine.Machine) func(*machine.Thread)) *machine.Machine {
	t.Helper()
	m := newMachine(t, machine.Platform{Nodes: []machine.Node{{ISA: isa, CPUs: 1}}})
	m.Begin(machine.Natural{}, machine.Limits{})
	finish(t, m, 0, machine.Start{Body: setup(m)})
	return m
}

var isas = []machine.ISA{machine.X86, machine.AArch64, machine.AArch64LLSC}

// section is a critical section that notices another client in it.
type section struct {
	counter machine.VA
	inside  int
	entered uint64
}

func (s *section) run(t *machine.Thread) {
	s.inside++
	if s.inside != 1 {
		panic(fmt.Sprintf("%d clients in the critical section", s.inside))
	}
	t.Store64(s.counter, t.Load64(s.counter)+1)
	s.entered++
	s.inside--
}
