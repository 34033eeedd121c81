package workload_test

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// A kernel on the paper's pair of CPUs. It goes over to the other node for each of
// its procedures, and what it computes is right.
func Example() {
	p := machine.Pair()
	k, err := workload.ByName("IS")
	if err != nil {
		panic(err)
	}
	for i := range p.Nodes {
		p.Nodes[i].Memory = 4 << 20 // more than k.Memory(workload.S)
	}
	p.Hardware = machine.PaperHardware(p)
	m, err := machine.New(p)
	if err != nil {
		panic(err)
	}
	defer m.Close()

	result, run := k.Run(m, workload.S, workload.How{Migrating: true})
	fmt.Println(run.Outcome, result.Verified, result.Checks)
	for node := range m.Nodes() {
		c := m.NodeCounters(node)
		fmt.Println(m.ISA(node).Name, "made", c.L1DAccesses, "accesses")
	}
	// Output:
	// finished true 51
	// x86-64 made 0 accesses
	// aarch64 made 6630500 accesses
}

// The latency of what holds an array, by a chase through all of its lines.
func ExampleChase() {
	p := machine.Pair()
	p.Nodes[0].Memory = 4 << 20
	p.Hardware = machine.PaperHardware(p)
	m, err := machine.New(p)
	if err != nil {
		panic(err)
	}
	defer m.Close()

	for _, size := range []uint64{16 << 10, 512 << 10} {
		m.Begin(machine.Earliest{}, machine.Limits{})
		body := workload.Chase{Range: size, Count: 10000}.Program(m, workload.Options{
			Started: func(t *machine.Thread) { t.ClearCounters() },
			Stopped: func(t *machine.Thread) { t.StopCounters() },
		})
		m.Run(machine.Start{CPU: 0, Body: body})
		c := m.Counters(0)
		fmt.Printf("%d KiB: %d cycles a load\n", size>>10, (c.Runtime-c.Instructions)/10000)
	}
	// Output:
	// 16 KiB: 4 cycles a load
	// 512 KiB: 14 cycles a load
}
