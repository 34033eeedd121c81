package machine_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/firmware"
)

// Two threads increment a counter without a lock. The natural run, in which
// each goes on as long as it can, shows nothing.
func Example() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	counter := m.Alloc(8)
	increment := func(t *machine.Thread) { t.Store64(counter, t.Load64(counter)+1) }
	res := m.Run(machine.Start{CPU: 0, Body: increment}, machine.Start{CPU: 1, Body: increment})
	fmt.Println(res.Outcome, "after", res.Steps, "steps: counter is", m.Peek64(counter))
	// Output:
	// finished after 4 steps: counter is 2
}

// once answers one question of the run: before the second event of thread t0,
// the other CPU moves.
type once struct{}

func (once) Choose(c *machine.Choice) int {
	if c.Kind == machine.Move && c.Context == machine.NameOf("t0") && c.Index == 1 {
		if k := c.Find(uint32(machine.CPUAgent(1))); k >= 0 {
			return k
		}
	}
	return int(c.Plain)
}

// The same program by a schedule that loses an increment: the run is a function
// of the chooser's answers, and is written down as those that were not plain.
func ExampleChooser() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()
	m.SetTracer(func(e *machine.Event) {
		fmt.Printf("%d  %-7s  %s %v\n", e.Step, m.ISA(e.CPU).Name, m.ContextOf(e), e.Op.Kind)
	})

	m.Begin(once{}, machine.Limits{})
	counter := m.Alloc(8)
	increment := func(t *machine.Thread) { t.Store64(counter, t.Load64(counter)+1) }
	m.Run(machine.Start{CPU: 0, Body: increment}, machine.Start{CPU: 1, Body: increment})
	fmt.Println("counter is", m.Peek64(counter))
	for _, e := range m.Exceptions() {
		fmt.Println(e)
	}
	// Output:
	// 1  x86-64   t0 load
	// 2  aarch64  t1 load
	// 3  aarch64  t1 store
	// 4  x86-64   t0 store
	// counter is 1
	// t0@1: move cpu1 (preemption)
}

// A CPU that has nothing to do takes an interrupt that another one sends. The
// handler runs in a context of its own, named by where it interrupted.
func ExampleThread_SendIPI() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	reply := m.Alloc(8)
	m.Handle(1, machine.VectorIPI, func(t *machine.Thread, f *machine.Frame) {
		t.Note(machine.NoteUser, reply, uint64(f.Vector), 0)
		t.Store(reply, machine.Size64, 1, machine.Release)
	})
	res := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		t.SendIPI(1, machine.VectorIPI)
		t.Await(machine.Until(reply, 1))
	}})
	fmt.Println(res.Outcome)
	for _, r := range res.History {
		fmt.Printf("vector %d on CPU %d in %s, in an interrupt: %t\n", r.Arg, r.CPU, m.ClientName(r.Client), r.InIRQ)
	}
	// Output:
	// finished
	// vector 33 on CPU 1 in i1@0v33, in an interrupt: true
}

// A timed run on the paper's pair of nodes with a pool: one CPU writes a word, and the
// one of the other node reads it.
func ExampleEarliest() {
	m, err := machine.New(machine.PaperPlatform(firmware.Shared))
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Earliest{}, machine.Limits{})
	word := m.AllocShared(8) // what Alloc gives is node 0's own: node 1 would fault
	res := m.Run(
		machine.Start{CPU: 0, Body: func(t *machine.Thread) { t.Store(word, machine.Size64, 1, machine.Release) }},
		machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.Await(machine.Until(word, 1)) }},
	)
	fmt.Println(res.Outcome)
	for cpu := range m.CPUs() {
		c := m.Counters(cpu)
		fmt.Printf("CPU %d (%s): %d instructions in %d cycles\n", cpu, m.ISA(cpu).Name, c.Instructions, c.Runtime)
	}
	// Output:
	// finished
	// CPU 0 (x86-64): 1 instructions in 641 cycles
	// CPU 1 (aarch64): 1 instructions in 441 cycles
}

// The timed run in the README is the one of ExampleEarliest.
func TestReadmeShowsTheTimedRun(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(own), "func ExampleEarliest() {\n")
	body, _, found := strings.Cut(body, "\t// Output:\n")
	if body = strings.ReplaceAll(body, "\n\t", "\n"); !found || !strings.Contains(string(readme), "```go\n"+body[1:]+"```\n") {
		t.Error("README.md does not hold the body of ExampleEarliest as it is")
	}
}

// CPU 1 reaches a page of data at the address 0x5000, through two levels of tables. The
// set-up is by physical addresses.
func ExampleMachine_SetMMU() {
	m, err := machine.New(machine.Pair())
	if err != nil {
		panic(err)
	}
	defer m.Close()

	m.Begin(machine.Natural{}, machine.Limits{})
	root, leaf, page := m.AllocPages(1, 1), m.AllocPages(1, 1), m.AllocPages(1, 1)
	const va machine.VA = 0x5000
	format := machine.Pages{Levels: 2, Bits: 9}
	entry := func(table machine.VA, level int, to machine.VA) {
		offset, _ := format.Slot(level, va)
		m.Poke64(table+machine.VA(offset), uint64(to)|machine.PagePresent|machine.PageWrite)
	}
	entry(root, 0, leaf)
	entry(leaf, 1, page)
	m.SetMMU(1, machine.MMU{Format: format})
	m.SetRoot(1, machine.PA(root))

	res := m.Run(machine.Start{CPU: 1, Body: func(t *machine.Thread) { t.Store64(va+8, 42) }})
	fmt.Println(res.Outcome, m.Peek64(page+8), m.TLBCounts(1).Walks)
	// Output:
	// finished 42 1
}
