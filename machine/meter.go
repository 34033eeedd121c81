package machine

import "math/bits"

// Meter is a [Cost] that counts: what the CPUs execute, and which accesses
// would move a cache line between CPUs if every CPU had a cache of its own that
// never evicts, kept coherent by invalidation. It knows no latencies.
type Meter struct {
	Counts
	nodes []int // by CPU
	lines map[PA]*meterLine
}

// Counts is what a Meter has counted.
type Counts struct {
	Loads, Stores, Atomics uint64 // executed; an exclusive counts as an atomic
	Transfers              uint64 // lines fetched from a CPU of the same node
	CrossTransfers         uint64 // lines fetched from a CPU of another node
	Invalidations          uint64 // copies that other CPUs lost to a write
}

// meterLine is one 64-byte line: which CPUs hold it, and who wrote it last.
type meterLine struct {
	holders uint32
	writer  int
}

const lineBytes = 64

// NewMeter makes a meter for machines of the platform.
func NewMeter(p Platform) *Meter {
	m := &Meter{lines: map[PA]*meterLine{}}
	for node, n := range p.Nodes {
		for range n.CPUs {
			m.nodes = append(m.nodes, node)
		}
	}
	return m
}

// Reset forgets everything.
func (m *Meter) Reset() {
	m.Counts = Counts{}
	clear(m.lines)
}

// Access counts one access.
func (m *Meter) Access(cpu int, op Op, pa PA) {
	switch {
	case op.Kind == OpStore:
		m.Stores++
	case op.Kind.Writes() || op.Kind == OpLoadEx:
		m.Atomics++
	default:
		m.Loads++
	}
	l := m.lines[pa/lineBytes]
	if l == nil {
		l = &meterLine{writer: -1}
		m.lines[pa/lineBytes] = l
	}
	m.fetch(l, cpu)
	if op.Kind.Writes() {
		m.Invalidations += uint64(bits.OnesCount32(l.holders &^ (1 << cpu)))
		l.holders, l.writer = 1<<cpu, cpu
	}
}

// fetch gives a CPU a copy of a line.
func (m *Meter) fetch(l *meterLine, cpu int) {
	if l.holders>>cpu&1 != 0 {
		return
	}
	l.holders |= 1 << cpu
	switch {
	case l.writer < 0:
	case m.nodes[l.writer] == m.nodes[cpu]:
		m.Transfers++
	default:
		m.CrossTransfers++
	}
}

// Add adds another run's counts.
func (c *Counts) Add(d Counts) {
	c.Loads += d.Loads
	c.Stores += d.Stores
	c.Atomics += d.Atomics
	c.Transfers += d.Transfers
	c.CrossTransfers += d.CrossTransfers
	c.Invalidations += d.Invalidations
}
