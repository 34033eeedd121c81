package coherence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/coherence"
)

// Latencies of which no two sums of at most two of each are equal, by name.
var terms = map[string]uint64{}

func termLatency() coherence.Latency {
	x := uint64(1)
	next := func(name string) uint64 {
		terms[name] = x
		x *= 3
		return x / 3
	}
	return coherence.Latency{
		L1: next("L1"), L2: next("L2"), L3: next("L3"), Memory: next("Memory"), Remote: next("Remote"),
		Transfer: next("Transfer"), SnoopData: next("SnoopData"), SnoopInvalidate: next("SnoopInvalidate"),
		BackInvalidate: next("BackInvalidate"), CoreSnoop: next("CoreSnoop"), WriteBackL2: next("WriteBackL2"),
		WriteBackL3: next("WriteBackL3"), WriteBackMemory: next("WriteBackMemory"),
	}
}

// goldenConfig has two nodes, whose homes are 64 KiB each, then come a pool and what is local to
// everyone. Each cache has one set: of two lines in the L1s, four in the L2, eight in the last
// level.
func goldenConfig(cores int, l3 bool) coherence.Config {
	lines := func(n int) coherence.Cache { return coherence.Cache{Size: uint64(n) * 64, Ways: n} }
	n := coherence.Node{Cores: cores, L1I: lines(2), L1D: lines(2), L2: lines(4), L3: lines(8), Latency: termLatency()}
	if !l3 {
		n.L2, n.L3 = lines(8), coherence.Cache{}
	}
	return coherence.Config{
		Nodes:   []coherence.Node{n, n},
		Regions: []coherence.Region{{Base: 0, Size: 64 << 10, Home: 0}, {Base: 64 << 10, Size: 64 << 10, Home: 1}, {Base: 128 << 10, Size: 64 << 10, Home: coherence.Pool}},
	}
}

// The platforms of the golden transitions: nodes of one core, nodes of two, nodes of two without
// an L3, and nodes of one that share theirs.
var (
	one, two, a72 = goldenConfig(1, true), goldenConfig(2, true), goldenConfig(2, false)
	full          = fullyShared()
)

func fullyShared() coherence.Config {
	c := goldenConfig(1, true)
	c.SharedL3, c.Regions = true, nil
	return c
}

// fill is n accesses of core to the lines from from.
func fill(op string, core, from, n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s%d.%d", op, core, from+i))
	}
	return strings.Join(out, " ") + " "
}

// Each transition of the protocol once. An access is "L0.3": a load (or S store, F fetch) by
// core 0 of line 3 of node 0's memory; lines from 1000 are node 1's, from 2000 the pool's, from
// 3000 everyone's. The last one is judged: its cost, and the states (L1D, L1I, L2, last level)
// of its line in each core afterwards.
var transitions = []struct {
	rule     string
	config   coherence.Config
	accesses string
	cost     string
	states   string
}{
	{"1 memory at home", one, "L0.1", "Memory", "E-EE ----"},
	{"1 memory of another node", one, "L0.1001", "Remote", "E-EE ----"},
	{"1 memory seen from the other node", one, "L1.1", "Remote", "---- E-EE"},
	{"1 memory of a pool", one, "L0.2001", "Remote", "E-EE ----"},
	{"1 memory of everyone", one, "L1.3001", "Memory", "---- E-EE"},
	{"1 L1 hit", one, "L0.1 L0.1", "L1", "E-EE ----"},
	{"1 L2 hit", one, fill("L", 0, 1, 3) + "L0.1", "L2", "E-EE ----"},
	{"1 L3 hit", one, fill("L", 0, 1, 5) + "L0.1", "L3", "E-EE ----"},
	{"1 a hit in the last level that is an L2", a72, fill("L", 0, 1, 3) + "L0.1", "L2", "E-EE --EE ---- ----"},
	{"1 an upgrade is no use of the lower level", one, "L0.1 L1.1 L0.2 S0.1 " + fill("L", 0, 3, 3) + "L0.2", "L2", "E-EE ----"},
	{"2 S from an L2 that is S", one, "L0.1 L1.1 " + fill("L", 0, 2, 2) + "L0.1", "L2", "S-SS S-SS"},
	{"2 E from an L2 that is M", one, "S0.1 " + fill("L", 0, 2, 2) + "L0.1", "L2", "E-MM ----"},
	{"3 another core has it E", two, "L0.1 L1.1", "L3+CoreSnoop", "S-SE S-SE ---- ----"},
	{"3 another core has it M", two, "S0.1 L1.1", "L3+CoreSnoop", "S-SM S-SM ---- ----"},
	{"3 another core has it M in its L2", two, "S0.1 " + fill("L", 0, 2, 2) + "L1.1", "L3+CoreSnoop", "--SM S-SM ---- ----"},
	{"3 others have it S", two, "L0.1 L1.1 " + fill("L", 1, 2, 4) + "L1.1", "L3", "S-SE S-SE ---- ----"},
	{"3 the last level is S", one, "L0.1 L1.1 " + fill("L", 0, 2, 4) + "L0.1", "L3", "S-SS S-SS"},
	{"3 nobody has it any more", two, "S0.1 " + fill("L", 0, 2, 4) + "L1.1", "L3", "---M E-EM ---- ----"},
	{"3 under a shared L2", a72, "S0.1 L1.1", "L2+CoreSnoop", "S-MM S-MM ---- ----"},
	{"4 another node has it E", one, "L0.1 L1.1", "Transfer+SnoopData", "S-SS S-SS"},
	{"4 another node has it M", one, "S0.1 L1.1", "Transfer+SnoopData+WriteBackMemory", "S-SS S-SS"},
	{"4 another node's L3 has it M", one, "S0.1 " + fill("L", 0, 2, 4) + "L1.1", "Transfer+SnoopData+WriteBackMemory", "---S S-SS"},
	{"4 another node has it S", one, "L0.1 L1.1 " + fill("L", 1, 1002, 8) + "L1.1", "Remote", "S-SS S-SS"},
	{"4 a pool's line is snooped as any", one, "S0.2001 L1.2001", "Transfer+SnoopData+WriteBackMemory", "S-SS S-SS"},
	{"4 two cores of another node", two, "S0.1 L1.1 L2.1", "Transfer+SnoopData+WriteBackMemory", "S-SS S-SS S-SS ---S"},
	{"5 a fetch", one, "F0.1", "Memory", "-SEE ----"},
	{"5 a fetch that hits", one, "F0.1 F0.1", "L1", "-SEE ----"},
	{"5 a fetch and then a load", one, "F0.1 L0.1", "L2", "ESEE ----"},
	{"5 a fetch of what its own core wrote", one, "S0.1 F0.1", "L2+WriteBackL2", "ESMM ----"},
	{"5 a fetch of what another core wrote", two, "S0.1 F1.1", "L3+CoreSnoop", "S-SM -SSM ---- ----"},
	{"5 a fetch counts as a holder", two, "F0.1 L1.1", "L3+CoreSnoop", "-SSE S-SE ---- ----"},
	{"5 the same under a shared L2", a72, "F0.1 L1.1", "L2", "-SEE S-EE ---- ----"},
	{"6 a store in M", one, "S0.1 S0.1", "L1", "M-MM ----"},
	{"6 a store in E", one, "L0.1 S0.1", "L1", "M-MM ----"},
	{"7 a store in S, the last level is E", two, "L0.1 L1.1 S0.1", "L1+CoreSnoop", "M-MM ---M ---- ----"},
	{"7 a store in S of the L1D, nobody left", two, "L0.1 L1.1 " + fill("L", 1, 2, 4) + "S0.1", "L1", "M-MM ---M ---- ----"},
	{"7 a store in S of the L2", two, "L0.1 L1.1 " + fill("L", 0, 2, 2) + "S0.1", "L2+CoreSnoop", "M-MM ---M ---- ----"},
	{"7 a store that hits the last level", two, "L0.1 S1.1", "L3+CoreSnoop", "---M M-MM ---- ----"},
	{"7 the other core was dirty", two, "S0.1 S1.1", "L3+CoreSnoop", "---M M-MM ---- ----"},
	{"7 under a shared L2", a72, "S0.1 S1.1", "L2+CoreSnoop", "--MM M-MM ---- ----"},
	{"7 a store in S, the last level is S", one, "L0.1 L1.1 S0.1", "L1+SnoopInvalidate", "M-MM ----"},
	{"7 in the L2, the last level is S", one, "L0.1 L1.1 " + fill("L", 0, 2, 2) + "S0.1", "L2+SnoopInvalidate", "M-MM ----"},
	{"7 in the L3, which is S", one, "L0.1 L1.1 " + fill("L", 0, 2, 4) + "S0.1", "L3+SnoopInvalidate", "M-MM ----"},
	{"7 both snoops", two, "L0.1 L1.1 L2.1 S0.1", "L1+CoreSnoop+SnoopInvalidate", "M-MM ---M ---- ----"},
	{"7 S everywhere, but nobody else left", one, "L0.1 L1.1 " + fill("L", 1, 1002, 8) + "S0.1", "L1", "M-MM ----"},
	{"8 a store, another node has it E", one, "L0.1 S1.1", "Transfer+SnoopInvalidate", "---- M-MM"},
	{"8 another node has it M", one, "S0.1 S1.1", "Transfer+SnoopInvalidate", "---- M-MM"},
	{"8 another node's L2 has it M", one, "S0.1 " + fill("L", 0, 2, 2) + "S1.1", "Transfer+SnoopInvalidate", "---- M-MM"},
	{"8 another node has it S", one, "L0.1 L1.1 " + fill("L", 1, 1002, 8) + "S1.1", "Remote+SnoopInvalidate", "---- M-MM"},
	{"8 nobody has it", one, "S0.1", "Memory", "M-MM ----"},
	{"9 a pool's line, upgrade", one, "L0.2001 L1.2001 S0.2001", "L1+BackInvalidate", "M-MM ----"},
	{"9 a pool's line, miss", one, "S0.2001 S1.2001", "Transfer+BackInvalidate", "---- M-MM"},
	{"10 a store drops what its own core fetched", one, "F0.1 S0.1", "L2", "M-MM ----"},
	{"10 also in E", one, "F0.1 L0.1 S0.1", "L1", "M-MM ----"},
	{"10 and what others fetched", two, "F0.1 S1.1", "L3+CoreSnoop", "---M M-MM ---- ----"},
	{"12 a dirty victim of the L1D", one, fill("S", 0, 1, 2) + "L0.3", "Memory+WriteBackL2", "E-EE ----"},
	{"12 which makes the L2 M", one, fill("S", 0, 1, 2) + "L0.3 F0.1", "L2", "-SMM ----"},
	{"12 a dirty victim of the L2", one, fill("S", 0, 1, 4) + "L0.5", "Memory+WriteBackL3+WriteBackL2", "E-EE ----"},
	{"12 which makes the L3 M", one, fill("S", 0, 1, 4) + "L0.5 L0.1", "L3+WriteBackL3+WriteBackL2", "E-EM ----"},
	{"12 a dirty victim of the L3", one, "S0.1 " + fill("L", 0, 2, 7) + "L0.9", "Memory+WriteBackMemory", "E-EE ----"},
	{"12 dirty in the L1D only", one, "L0.1 L0.2 L0.3 L0.1 L0.4 L0.5 L0.1 L0.6 L0.7 S0.1 L0.8 L0.9", "Memory+WriteBackMemory", "E-EE ----"},
	{"Fully Shared: one domain", full, "S0.1 L1.1", "L3+CoreSnoop", "S-SM S-SM"},
	{"Fully Shared: all local", full, "L1.1", "Memory", "---E E-EE"},
}

func TestGolden(t *testing.T) {
	for _, c := range transitions {
		t.Run(c.rule, func(t *testing.T) { golden(t, c.config, c.accesses, c.cost, c.states) })
	}
}

func golden(t *testing.T, c coherence.Config, accesses, cost, states string) {
	p := newPair(t, c)
	var last uint64
	var pa uint64
	for _, a := range strings.Fields(accesses) {
		var op byte
		var core, line uint64
		if _, err := fmt.Sscanf(a, "%c%d.%d", &op, &core, &line); err != nil {
			t.Fatal(a, err)
		}
		pa = line/1000*(64<<10) + line%1000*64
		before := p.fast.Counters(int(core)).Cycles
		p.do(t, strings.IndexByte("LSF", op), int(core), pa, true)
		last = p.fast.Counters(int(core)).Cycles - before
	}
	var want uint64
	for _, term := range strings.Split(cost, "+") {
		want += terms[term]
	}
	if last != want {
		t.Errorf("%s: cost %s, should be %s", accesses, spell(last), cost)
	}
	var got []string
	for core := range p.cores {
		got = append(got, p.fast.States(core, pa))
	}
	if s := strings.Join(got, " "); s != states {
		t.Errorf("%s: states %s, should be %s", accesses, s, states)
	}
}

// spell is cycles as a sum of terms.
func spell(cycles uint64) string {
	var out []string
	for _, name := range []string{
		"L1", "L2", "L3", "Memory", "Remote", "Transfer", "SnoopData", "SnoopInvalidate", "BackInvalidate",
		"CoreSnoop", "WriteBackL2", "WriteBackL3", "WriteBackMemory",
	} {
		for range cycles / terms[name] % 3 {
			out = append(out, name)
		}
	}
	return strings.Join(out, "+")
}
