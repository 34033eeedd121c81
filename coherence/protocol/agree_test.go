package protocol_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/coherence/protocol"
)

// pair is the platform twice: message by message, and timed.
type pair struct {
	system       *protocol.System
	line         []byte
	timed        *coherence.System
	nodes, cores int
	newest       uint8
	// Requests of the last access: snoops of other nodes for data and to invalidate, and of
	// cores of the own node.
	data, inv, core int
}

const pa = 0x1000

func newPair(t *testing.T, text string, nodes, cores int) *pair {
	t.Helper()
	p, err := protocol.Parse("platform", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Build(protocol.Config{Parameters: map[string]int{"nodes": nodes, "cores": cores}, Values: 255})
	if err != nil {
		t.Fatal(err)
	}
	c := coherence.Config{}
	for range nodes {
		n := coherence.Table2(coherence.XeonGold)
		n.Cores = cores
		c.Nodes = append(c.Nodes, n)
	}
	timed, err := coherence.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{system: s, line: s.NewLine(), timed: timed, nodes: nodes, cores: cores}
}

// access has a core load or store by messages, alone, until everything is quiet.
func (p *pair) access(core int, store bool) error {
	p.data, p.inv, p.core = 0, 0, 0
	event := protocol.LoadEvent
	if store {
		event = protocol.StoreEvent
	}
	for range 2 {
		switch o, v := p.system.Do(p.line, core, event); {
		case v != nil:
			return v
		case o == protocol.Hit && store:
			p.newest++
			p.system.SetValue(p.line, core, p.newest)
			return nil
		case o == protocol.Hit:
			if got := p.system.Value(p.line, core); got != p.newest {
				return fmt.Errorf("%s loads %d, not %d", p.system.Name(core), got, p.newest)
			}
			return nil
		case o != protocol.Acted:
			return fmt.Errorf("%s does not take a %v", p.system.Name(core), event)
		}
		if err := p.drain(core / p.cores); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s has what it asked for and can't use it", p.system.Name(core))
}

// drain delivers every message, and counts the snoops; node is that of the access.
func (p *pair) drain(node int) error {
	for {
		next, name := p.arrival()
		if name == "" {
			return nil
		}
		switch {
		case strings.Contains(name, ": BISnp-Data"):
			p.data++
		case strings.Contains(name, ": BISnp-Inv"):
			p.inv++
		case strings.HasPrefix(name, fmt.Sprintf("core%d.", node)) && (strings.Contains(name, ": Snp ") || strings.Contains(name, ": Inv ")):
			p.core++
		}
		if v := p.system.Deliver(p.line, next); v != nil {
			return v
		}
	}
}

// arrival is a message that can arrive, with its name: an L3 that evicts by itself, and an
// L1 that spills, are left out.
func (p *pair) arrival() (protocol.Delivery, string) {
	for _, d := range p.system.Deliveries(p.line, nil) {
		if name := p.system.DeliveryName(p.line, d); strings.Contains(name, " arrives") {
			return d, name
		}
	}
	return protocol.Delivery{}, ""
}

// states are the states of all cores, and of all L3s as the timed caches would tell them:
// the L3 does not know that its owner has written, which they mark at once.
func (p *pair) states() string {
	var cores []string
	l3 := map[string]string{}
	dirty := map[string]bool{}
	for _, part := range p.system.Describe(p.line) {
		state, _, _ := strings.Cut(part.Value, " ")
		switch {
		case strings.HasPrefix(part.Name, "core"):
			cores = append(cores, state)
			node, _, _ := strings.Cut(strings.TrimPrefix(part.Name, "core"), ".")
			dirty[node] = dirty[node] || state == "M"
		case strings.HasPrefix(part.Name, "l3-"):
			l3[strings.TrimPrefix(part.Name, "l3-")] = state
		}
	}
	out := strings.ReplaceAll(strings.Join(cores, ""), "I", "-")
	for n := range p.nodes {
		node := fmt.Sprint(n)
		state := map[string]string{"I": "-", "S": "S", "E": "E", "M": "M", "X": "E", "Y": "M"}[l3[node]]
		if dirty[node] {
			state = "M"
		}
		out += " " + state
	}
	return out
}

func (p *pair) timedStates() string {
	cores, l3 := "", ""
	for c := range p.nodes * p.cores {
		s := p.timed.States(c, pa)
		cores += s[2:3]
		if c%p.cores == 0 {
			l3 += " " + s[3:]
		}
	}
	return cores + l3
}

// compare makes one access both ways.
func (p *pair) compare(core int, store bool) error {
	before := p.timed.Counters(core)
	if store {
		p.timed.Store(core, pa)
	} else {
		p.timed.Load(core, pa)
	}
	n := p.timed.Counters(core).Sub(before)
	if err := p.access(core, store); err != nil {
		return err
	}
	// The timed caches charge a request once, however many nodes or cores it reaches.
	got := fmt.Sprint(p.states(), min(p.data, 1), min(p.inv, 1), min(p.core, 1))
	want := fmt.Sprint(p.timedStates(), n.SnoopData, n.SnoopInvalidate+n.BackInvalidate, n.CoreSnoops)
	if got != want {
		return fmt.Errorf("core %d, store %t: by messages %s, timed %s", core, store, got, want)
	}
	return nil
}

// disagree looks for a sequence of accesses, one at a time, after which the two differ.
func disagree(t *testing.T, text string, nodes, cores int) error {
	r := rand.New(rand.NewPCG(uint64(nodes), uint64(cores)))
	for range 50 {
		p := newPair(t, text, nodes, cores)
		var trace []string
		for range 40 {
			core, store := r.IntN(nodes*cores), r.IntN(3) == 0
			trace = append(trace, fmt.Sprintf("%d%t", core, store))
			if err := p.compare(core, store); err != nil {
				return fmt.Errorf("after %v: %w", trace, err)
			}
		}
	}
	return nil
}

// TestAgreesWithTheTimedCaches: without races, message by message and in one step come to
// the same states and need the same snoops.
func TestAgreesWithTheTimedCaches(t *testing.T) {
	text, err := protocol.Text("platform")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range [][2]int{{1, 1}, {1, 3}, {2, 1}, {2, 2}, {3, 2}, {2, 4}} {
		if err := disagree(t, text, n[0], n[1]); err != nil {
			t.Errorf("%d nodes of %d cores: %v", n[0], n[1], err)
		}
	}
}

// TestDisagreement: the comparison sees what is not wrong, but different.
func TestDisagreement(t *testing.T) {
	text, _ := protocol.Text("platform")
	for _, c := range [][2]string{
		{"send Data-S(value) to requester; requester := none -> E\n", "send Data-S(value) to requester; requester := none -> M\n"},
		{"IS on Cmp-E: value := msg.value; owner := requester; send Data-E(value) to requester; requester := none -> X",
			"IS on Cmp-E: value := msg.value; add requester to sharers; send Data-S(value) to requester; requester := none -> E"},
		{"A on MemRd-S: add owner to waiting; serves := S; requester := sender; send BISnp-Data to owner",
			"A on MemRd-S: add owner to waiting; serves := S; requester := sender; send BISnp-Inv to owner"},
	} {
		changed := strings.Replace(text, c[0], c[1], 1)
		if changed == text {
			t.Fatalf("the table has no %q", c[0])
		}
		if disagree(t, changed, 2, 2) == nil {
			t.Errorf("nothing is seen of %q", c[1])
		}
	}
}
