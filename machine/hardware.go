package machine

import (
	"errors"
	"fmt"
	"math"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine/order"
)

// Hardware is what a platform's operations cost. All costs are in cycles, and a
// cycle takes the same time on every CPU: the platform of the paper keeps the
// instruction counts of its instances level (sections 7.3 and 8.1), with one
// cycle to 1 ns.
type Hardware struct {
	// Nodes are the caches and latencies of each node of the platform; Cores
	// are those of Platform.Nodes and can be left out.
	Nodes []coherence.Node
	// SharedL3 has all nodes share the L3 of the first one: Fully Shared.
	SharedL3 bool
	// MilliCPI is how many thousandths of a cycle an instruction takes beside
	// its access to memory, by node: up to 1,000,000. Empty means 1,000 for all.
	MilliCPI []uint64
	// Code is the size in bytes of the code that each CPU's instructions are
	// fetched from, round and round, 4 bytes each: a multiple of 64 up to 16 MiB.
	// Zero means that fetches cost nothing. The code is at addresses of its own, at the
	// end of those that caches know.
	Code uint64
	// IPI is the time until an interrupt that a CPU sends to another node has
	// landed, in which the sender waits for the device that passes it on (section
	// 7.2); NodeIPI is the time of one within a node.
	IPI, NodeIPI uint64
	// Device and RemoteDevice are the time of an access to a register of a device
	// of the CPU's own node, and of another one (section 7.4).
	Device, RemoteDevice uint64
	// Seed is that of caches with random replacement.
	Seed uint64
}

// DefaultIPI is what an interrupt between CPUs takes on the machines that the
// paper measured, 2 µs (section 9.1.1), in cycles.
const DefaultIPI = 2000

// PaperHardware makes each node of a platform one of the CPUs of the paper's
// experiments (section 8.1): the Xeon Gold for x86-64, and the ThunderX2 for others.
// Interrupts take what section 9.1.1 found. An access to a device is taken to cost
// what one to memory does.
func PaperHardware(p Platform) *Hardware {
	h := &Hardware{IPI: DefaultIPI, NodeIPI: DefaultIPI, Device: 300, RemoteDevice: 640}
	pair := coherence.Pair().Nodes
	for _, n := range p.Nodes {
		which := 1
		if n.ISA.Rules == order.X86 {
			which = 0
		}
		h.Nodes = append(h.Nodes, pair[which])
	}
	return h
}

const (
	maxCost = 1 << 30  // of each cost of Hardware
	maxCode = 16 << 20 // bytes of Hardware.Code
)

// validate says what is wrong with the hardware of a platform.
func (h *Hardware) validate(p Platform) error {
	switch {
	case len(h.Nodes) != len(p.Nodes):
		return fmt.Errorf("hardware describes %d nodes: the platform has %d", len(h.Nodes), len(p.Nodes))
	case len(h.MilliCPI) != 0 && len(h.MilliCPI) != len(p.Nodes):
		return fmt.Errorf("hardware has %d values of MilliCPI: give one for each of the %d nodes, or none", len(h.MilliCPI), len(p.Nodes))
	case h.Code%64 != 0 || h.Code > maxCode:
		return fmt.Errorf("hardware has %d bytes of code: use a multiple of 64 up to %d", h.Code, maxCode)
	case max(h.IPI, h.NodeIPI, h.Device, h.RemoteDevice) > maxCost:
		return fmt.Errorf("hardware has a cost above %d cycles: use less", maxCost)
	}
	for _, c := range h.MilliCPI {
		if c > 1_000_000 {
			return errors.New("hardware has a MilliCPI above 1,000,000: use up to that")
		}
	}
	return nil
}

// timing accounts what the operations of a machine's CPUs cost.
type timing struct {
	*Hardware
	caches  *coherence.System
	config  coherence.Config // of the caches
	timed   bool             // this run's schedule is that of the earliest clock
	stop    func() bool
	lost    func(core int, line uint64) // what a timed run does when an L1D loses a line
	long    uint64                      // accesses of the run on the long way
	before  []Counters                  // what is not counted, by CPU
	stopped []Counters                  // when the counters were stopped
	counts  bool
	noted   []uint64 // accesses that the caches are yet to make: address, CPU, whether it writes
	ports   []*port  // of the CPUs
}

// maxNoted is how many accesses are noted at most: more than most runs make.
const maxNoted = 1 << 14

// unlimited are the limits of a timed run: it has none, and nothing but time decides.
var unlimited = Limits{Steps: math.MaxInt, FairSteps: 1, Interrupts: math.MaxInt, Spurious: -1, Evictions: -1, Polls: -1, Spins: 1 << 40}

// begin starts a new run.
func (h *timing) begin(timed bool, stop func() bool) {
	h.caches.Reset()
	h.caches.OnLoss(nil) // nobody knows of lines in a run that explores
	if timed {
		h.caches.OnLoss(h.lost)
	}
	h.timed, h.stop, h.counts, h.long = timed, stop, true, 0
	h.noted = h.noted[:0]
	clear(h.before)
}

// choose decides which way plain accesses of a run take.
func (h *timing) choose(m *Machine) {
	quick := h.timed && m.order == nil && m.fabric == nil && m.tracer == nil && h.Code == 0
	for _, p := range h.ports {
		p.quick, p.guarded = quick, m.translates || m.mem.closed
	}
}

// newTiming makes the hardware of a machine with its memory.
func newTiming(m *Machine, h *Hardware) (*timing, error) {
	own := *h
	c := coherence.Config{SharedL3: h.SharedL3, Seed: h.Seed}
	for i, n := range h.Nodes {
		n.Cores = m.platform.Nodes[i].CPUs
		c.Nodes = append(c.Nodes, n)
	}
	own.Nodes = c.Nodes
	for _, r := range m.mem.regions {
		c.Regions = append(c.Regions, coherence.Region{Base: uint64(r.base), Size: r.size, Home: r.home})
	}
	caches, err := coherence.New(c)
	if err != nil {
		return nil, err
	}
	out := &timing{Hardware: &own, caches: caches, config: c}
	out.before, out.stopped = make([]Counters, len(m.cpus)), make([]Counters, len(m.cpus))
	out.lost = func(core int, line uint64) { m.cpus[core].port.lose(line) }
	for _, c := range m.cpus {
		p, n := &c.port, own.Nodes[c.node]
		out.ports = append(out.ports, p)
		p.core, p.caches, p.milliCPI = c.id, caches, 1000
		if len(h.MilliCPI) > 0 {
			p.milliCPI = int64(h.MilliCPI[c.node])
		}
		p.sets = int(n.L1D.Size) / lineBytes / n.L1D.Ways
		if p.step = p.milliCPI + 1000*int64(n.Latency.L1); p.step == 0 {
			return nil, fmt.Errorf("node %d: an instruction that hits the L1 cache takes no time: give it some by MilliCPI or Latency.L1", c.node)
		}
	}
	return out, nil
}
