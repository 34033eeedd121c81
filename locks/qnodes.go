package locks

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// QNodes are the queue nodes of all [QSpinlock]s of a machine. Each kernel has
// an area for its own CPUs in its own memory, as each Linux has per-CPU data at
// addresses of its own, and numbers its CPUs from 0. A queue therefore names a
// CPU by its machine-global number, and whoever decodes it asks the directory
// which kernel's area holds the node, its own kernel's being the wrong one as
// soon as the queue spans two kernels.
//
// Memory of the directory, read-only after the set-up:
//
//	u64 for each CPU      kernel in bits 32-63, the kernel's own number of the CPU in 0-31
//	u64 for each kernel   address of the kernel's area
//
// Memory of a kernel's area: for each of its CPUs one line of 4 nodes of 16
// bytes, by depth of nesting (thread, softirq, interrupt, NMI). A node is
// Linux's struct mcs_spinlock: u64 next at 0, address of the node behind it;
// u32 granted at 8, set to 1 by the node before; and, in the first node of a
// CPU, u32 count at 12, how many of the CPU's nodes are in use.
type QNodes struct {
	cpus, kernels machine.VA
	own           []machine.VA // of each CPU: its line, as its per-CPU base register has it
}

const (
	qNext    = 0
	qGranted = 8
	qCount   = 12
	qSize    = 16
	qNesting = 4
)

// nodeNames label the queue nodes of each CPU.
var nodeNames = func() (names [machine.MaxCPUs]string) {
	for cpu := range names {
		names[cpu] = fmt.Sprintf("cpu%d nodes", cpu)
	}
	return names
}()

// NewQNodes allocates the nodes and writes the directory, in the set-up. Node
// numbers of the machine serve as numbers of the kernels.
func NewQNodes(m *machine.Machine) *QNodes {
	q := &QNodes{
		cpus:    m.Alloc(uint64(8 * m.CPUs())),
		kernels: m.Alloc(uint64(8 * m.Nodes())),
		own:     make([]machine.VA, m.CPUs()),
	}
	m.Label(q.cpus, uint64(8*m.CPUs()), "cpu directory")
	m.Label(q.kernels, uint64(8*m.Nodes()), "kernel directory")
	first := 0
	for kernel, node := range m.Platform().Nodes {
		area := m.AllocOn(kernel, uint64(node.CPUs*lineSize))
		m.Poke64(q.kernels+machine.VA(8*kernel), uint64(area))
		for local := range node.CPUs {
			q.enrol(m, first+local, kernel, local, area+machine.VA(lineSize*local))
		}
		first += node.CPUs
	}
	return q
}

// enrol enters a CPU and its line in the directory.
func (q *QNodes) enrol(m *machine.Machine, cpu, kernel, local int, line machine.VA) {
	m.Poke64(q.cpus+machine.VA(8*cpu), uint64(kernel)<<32|uint64(local))
	m.Label(line, lineSize, nodeNames[cpu])
	q.own[cpu] = line
}

// find is the address of a node of any CPU, in its kernel's area.
func (q *QNodes) find(t *machine.Thread, cpu, depth uint64) machine.VA {
	entry := t.Load64(q.cpus + machine.VA(8*cpu))
	kernel, local := entry>>32, entry&0xffffffff
	area := t.Load64(q.kernels + machine.VA(8*kernel))
	return machine.VA(area + local*lineSize + depth*qSize)
}

// claim takes the next free node of the thread's CPU; its depth is 4 or more if
// there is none. An interrupt between the load and the store does no harm: its
// handler gives back what it claims before the thread goes on.
func (q *QNodes) claim(t *machine.Thread) (depth uint64) {
	count := q.own[t.CPU()] + qCount
	n := t.Load32(count)
	t.Store32(count, n+1)
	return uint64(n)
}

// giveBack gives back the node that the thread's CPU claimed last.
func (q *QNodes) giveBack(t *machine.Thread) {
	count := q.own[t.CPU()] + qCount
	t.Store32(count, t.Load32(count)-1)
}
