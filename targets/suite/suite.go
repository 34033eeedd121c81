// Package suite holds small concurrent programs, each with a bug, for comparing
// the ways to find bugs: in the spirit of SCTBench (Thomson, Donaldson and
// Betts, PPoPP 2014), written anew for machines of two instruction sets. Each
// shows its bug by what it does (a wrong final state, a deadlock, a thread that
// is never woken), so that no judge needs to know it, and each has a fixed
// twin, which differs in what mends the bug and no more.
//
// All accesses to shared memory are atomic or marked: there is no data race to
// find instead. Threads run on CPUs of both ISAs. Go variables hold what the
// checks of the final state need to know, and nothing that a thread reads.
//
// A pad is work on memory of the thread's own: it makes the rest of the program
// hard to hit for those who spread their choices evenly.
package suite

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// Program is a program with a bug.
type Program struct {
	// Target is the program; its name begins with "suite/".
	Target fuzz.Target
	// Fixed is the same program with its bug mended. Its name ends in "-fixed".
	Fixed fuzz.Target
	// Source says where the shape of the bug comes from.
	Source string
	// Threads is the number of threads.
	Threads int
	// Classes is the number of classes of runs that differ in more than the
	// order of independent operations (Mazurkiewicz traces), with no bound on
	// preemptions; 0 if it is not known. The tests count it.
	Classes uint64
}

// row is a program as the table has it.
type row struct {
	name, doc, source string
	threads           int
	classes           uint64
	// setup builds the program, with its bug or mended.
	setup func(m *machine.Machine, fixed bool) fuzz.Program
}

// Programs returns all programs. Their order is stable.
func Programs() []Program {
	var out []Program
	for _, group := range [][]row{counting(), excluding(), waiting(), queueing(), linking(), reclaiming(), interrupting()} {
		for _, r := range group {
			out = append(out, r.program())
		}
	}
	return out
}

func (r row) program() Program {
	target := func(suffix string, fixed bool) fuzz.Target {
		return fuzz.Target{
			Name: "suite/" + r.name + suffix, Doc: r.doc, Platform: platform(r.threads),
			// Whether a store-exclusive fails for no reason is no matter of schedules.
			Limits: machine.Limits{Spurious: -1},
			Setup:  func(m *machine.Machine) fuzz.Program { return r.setup(m, fixed) },
		}
	}
	return Program{
		Target: target("", false), Fixed: target("-fixed", true),
		Source: r.source, Threads: r.threads, Classes: r.classes,
	}
}

// platform is a machine with a CPU for each thread, x86-64 ones first; half of
// them, rounded down but at least one, are AArch64 ones.
func platform(threads int) machine.Platform {
	arm := max(threads/2, 1)
	return machine.Platform{Nodes: []machine.Node{
		{ISA: machine.X86, CPUs: max(threads-arm, 1)},
		{ISA: machine.AArch64, CPUs: arm},
	}}
}

// each has n threads, on CPUs 0 to n-1, that execute one body.
func each(m *machine.Machine, n int, body func(t *machine.Thread, self int)) []machine.Start {
	starts := m.Starts(n)
	for self := range starts {
		starts[self] = machine.Start{CPU: self, Body: func(t *machine.Thread) { body(t, self) }}
	}
	return starts
}

// threads has a thread for each body, on CPUs in their order.
func threads(m *machine.Machine, bodies ...func(*machine.Thread)) []machine.Start {
	starts := m.Starts(len(bodies))
	for i, body := range bodies {
		starts[i] = machine.Start{CPU: i, Body: body}
	}
	return starts
}

// words is n words of memory, all zero.
func words(m *machine.Machine, name string, n int) machine.VA {
	a := m.Alloc(uint64(8 * n))
	m.Label(a, uint64(8*n), name)
	return a
}

// at is element i of an array of words.
func at(base machine.VA, i int) machine.VA { return base + machine.VA(8*i) }

// get reads a word that others may write meanwhile.
func get(t *machine.Thread, a machine.VA) uint64 {
	return t.Load(a, machine.Size64, machine.Relaxed)
}

// put writes a word that others may access meanwhile.
func put(t *machine.Thread, a machine.VA, v uint64) {
	t.Store(a, machine.Size64, v, machine.Relaxed)
}

// bump increments a word, in two accesses.
func bump(t *machine.Thread, a machine.VA) { put(t, a, get(t, a)+1) }

// cas writes v where old is, in one access, and answers whether it did.
func cas(t *machine.Thread, a machine.VA, old, v uint64) bool {
	_, ok := t.CompareAndSwap(a, machine.Size64, old, v, machine.AcqRel)
	return ok
}

// add adds v in one access, and answers what was there.
func add(t *machine.Thread, a machine.VA, v uint64) uint64 {
	return t.FetchAdd(a, machine.Size64, v, machine.AcqRel)
}

// swap writes v in one access, and answers what was there.
func swap(t *machine.Thread, a machine.VA, v uint64) uint64 {
	return t.Swap(a, machine.Size64, v, machine.AcqRel)
}

// lock takes a spin lock, which is a word; unlock gives it up.
func lock(t *machine.Thread, a machine.VA) {
	for !cas(t, a, 0, 1) {
		t.Await(machine.Until(a, 0))
	}
}

func unlock(t *machine.Thread, a machine.VA) { t.Store(a, machine.Size64, 0, machine.Release) }

// pad makes n accesses to a word that is the thread's own.
func pad(t *machine.Thread, own machine.VA, n int) {
	for i := range n {
		put(t, own, uint64(i+1))
	}
}
