package coherence

import (
	"fmt"
	"slices"
)

// CPU is one of the processors of the paper's tables 1 and 2.
type CPU uint8

// The CPUs of tables 1 and 2.
const (
	XeonGold  CPU = iota // Intel Xeon Gold 6230R, "Big x86"
	ThunderX2            // Marvell ThunderX2 CN9980, "Big Arm"
	XeonE5               // Intel Xeon E5-2620 v4, "Small x86"
	CortexA72            // Arm Cortex-A72, "Small Arm"
)

var cpuNames = [...]string{"xeon-gold", "thunderx2", "xeon-e5", "cortex-a72"}

// String is "xeon-gold", "thunderx2", "xeon-e5" or "cortex-a72".
func (c CPU) String() string {
	if int(c) < len(cpuNames) {
		return cpuNames[c]
	}
	return fmt.Sprintf("CPU(%d)", uint8(c))
}

// ParseCPU is the inverse of String; any other text is an error.
func ParseCPU(s string) (CPU, error) {
	if i := slices.Index(cpuNames[:], s); i >= 0 {
		return CPU(i), nil
	}
	return 0, fmt.Errorf("coherence: no CPU is called %q: take xeon-gold, thunderx2, xeon-e5 or cortex-a72", s)
}

// What the paper does not print. Its only published figure is the artifact's broadcast, which
// takes 70 cycles (Stramash-AE, cache-sim-feedback.c); the core snoop is a guess at the
// difference that asking another core of the same chip makes.
const (
	DefaultSnoop     = 70 // cycles: SnoopData, SnoopInvalidate and BackInvalidate
	DefaultCoreSnoop = 20 // cycles
)

// The artifact's caches (Stramash-AE, cache-sim-feedback.c), which the paper's experiments use;
// its text prints the L3 only (section 9.2.2). With 32 MiB see [Config.WithL3].
var (
	artifactL1 = Cache{Size: 32 << 10, Ways: 8}
	artifactL2 = Cache{Size: 1 << 20, Ways: 16}
	artifactL3 = Cache{Size: 4 << 20, Ways: 16}
)

// Table2 is a node with one core of a CPU by table 2 of the paper, which prints L1, L2, L3,
// Memory and Remote. The caches are the artifact's, but for the Cortex-A72: its L1s are those
// of Arm's manual (Technical Reference Manual 100095: 48 KiB in 3 ways, 32 KiB in 2 ways),
// and it has no L3. The snoops cost [DefaultSnoop] and [DefaultCoreSnoop]; write-backs cost
// nothing, being buffered: the sample that the paper prints has no such term. Transfer is
// that of two such nodes: what crosses the link beyond memory (Remote - Memory), and the
// last level of the peer.
func Table2(cpu CPU) Node {
	n := Node{Cores: 1, L1I: artifactL1, L1D: artifactL1, L2: artifactL2, L3: artifactL3}
	switch cpu {
	case XeonGold:
		n.Latency = Latency{L1: 4, L2: 14, L3: 50, Memory: 300, Remote: 640}
	case ThunderX2:
		n.Latency = Latency{L1: 4, L2: 9, L3: 30, Memory: 300, Remote: 620}
	case XeonE5:
		n.Latency = Latency{L1: 4, L2: 12, L3: 38, Memory: 300, Remote: 640}
	default:
		n.Latency = Latency{L1: 4, L2: 9, Memory: 300, Remote: 780}
		n.L1I, n.L1D, n.L3 = Cache{Size: 48 << 10, Ways: 3}, Cache{Size: 32 << 10, Ways: 2}, Cache{}
	}
	l := &n.Latency
	l.SnoopData, l.SnoopInvalidate, l.BackInvalidate = DefaultSnoop, DefaultSnoop, DefaultSnoop
	l.CoreSnoop = DefaultCoreSnoop
	l.Transfer = transfer(n, n)
	return n
}

func transfer(n, peer Node) uint64 {
	last := peer.Latency.L3
	if peer.L3.Size == 0 {
		last = peer.Latency.L2
	}
	return n.Latency.Remote - n.Latency.Memory + last
}

// Pair is the default platform and that of the paper's experiments (section 8.1): node 0 a Xeon
// Gold, node 1 a ThunderX2, by [Table2], with Transfer for each other's last level.
func Pair() Config {
	x, a := Table2(XeonGold), Table2(ThunderX2)
	x.Latency.Transfer, a.Latency.Transfer = transfer(x, a), transfer(a, x)
	return Config{Nodes: []Node{x, a}}
}

// Artifact is the pair with the constants of the artifact, which are not those of table 2
// (Stramash-AE, cache-sim-feedback.c): a write-back costs the latency of the level written
// to, a broadcast 70, and a line that a peer has modified costs a local and a remote access,
// which is Transfer. It knows no core snoop, as its nodes have one core: 0 here.
func Artifact() Config {
	c := Pair()
	for i := range c.Nodes {
		c.Nodes[i].Latency = Latency{
			L1: 4, L2: 14, L3: 70, Memory: 360, Remote: 660, Transfer: 360 + 660,
			SnoopData: 70, SnoopInvalidate: 70, BackInvalidate: 70,
			WriteBackL2: 14, WriteBackL3: 70, WriteBackMemory: 360,
		}
	}
	arm := &c.Nodes[1].Latency
	arm.L2, arm.L3, arm.WriteBackL2, arm.WriteBackL3 = 9, 50, 9, 50
	return c
}

// WithL3 is c with L3s of another size in bytes, such as the paper's 32 MiB (section 9.2.2), at
// the nodes that have one; ways and policy stay. [Config.Validate] judges the size.
func (c Config) WithL3(size uint64) Config {
	c.Nodes = slices.Clone(c.Nodes)
	for i := range c.Nodes {
		if c.Nodes[i].L3.Size > 0 {
			c.Nodes[i].L3.Size = size
		}
	}
	return c
}
