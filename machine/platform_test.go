package machine_test

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
	fuzz "github.com/google/gofuzz"
)

// randomPlatforms makes platforms of which about half are valid.
func randomPlatforms(seed int64) *fuzz.Fuzzer {
	oneOf := func(c fuzz.Continue, good []uint64) uint64 {
		if c.Intn(12) == 0 {
			return c.Uint64() >> uint(c.Intn(64))
		}
		return good[c.Intn(len(good))]
	}
	return fuzz.NewWithSeed(seed).NilChance(0).NumElements(0, 5).Funcs(
		func(isa *machine.ISA, c fuzz.Continue) {
			*isa = []machine.ISA{machine.X86, machine.AArch64, machine.AArch64LLSC}[c.Intn(3)]
			if c.Intn(12) == 0 {
				c.FuzzNoCustom(isa)
			}
		},
		func(n *machine.Node, c fuzz.Continue) {
			c.Fuzz(&n.ISA)
			n.CPUs = int(oneOf(c, []uint64{1, 1, 2, 3, 4, 8}))
			n.Memory = oneOf(c, []uint64{0, 0, 4096, 1 << 20, 5 << 20})
		},
		func(p *machine.Platform, c fuzz.Continue) {
			p.Granule = oneOf(c, []uint64{0, 0, 8, 64, 2048})
			c.Fuzz(&p.Nodes)
		})
}

// TestRandomPlatforms: a platform is refused with one clear line, or it runs.
func TestRandomPlatforms(t *testing.T) {
	f := randomPlatforms(1)
	valid := 0
	for range 400 {
		var p machine.Platform
		f.Fuzz(&p)
		err := p.Validate()
		m, newErr := machine.New(p)
		if (err == nil) != (newErr == nil) {
			t.Fatalf("Validate: %v, New: %v of %+v", err, newErr, p)
		}
		if err != nil {
			if s := err.Error(); strings.ContainsAny(s, "\n\r") || len(s) < 20 || !strings.Contains(s, ":") {
				t.Errorf("error is not one clear line: %q", s)
			}
			continue
		}
		valid++
		checkAll(t, m, p)
		m.Close()
	}
	if valid < 50 || valid > 350 {
		t.Errorf("%d of 400 platforms are valid: the test is lopsided", valid)
	}
}

// checkAll has every CPU of a platform write to every node's memory.
func checkAll(t *testing.T, m *machine.Machine, p machine.Platform) {
	m.Begin(newRandom(1), machine.Limits{})
	var words []machine.VA
	for node := range m.Nodes() {
		words = append(words, m.AllocOn(node, 8))
	}
	var starts []machine.Start
	for cpu := range m.CPUs() {
		starts = append(starts, machine.Start{CPU: cpu, Body: func(t *machine.Thread) {
			for _, w := range words {
				r := runner{}
				r.exclusiveAdd(t, w, uint64(t.CPU())+1)
			}
		}})
	}
	res := m.Run(starts...)
	n := uint64(p.CPUs())
	for _, w := range words {
		if got := m.Peek64(w); got != n*(n+1)/2 {
			t.Errorf("%+v: %v %s: %#x holds %d", p, res.Outcome, res.Detail, uint64(w), got)
		}
	}
}

func TestLargestPlatform(t *testing.T) {
	p := machine.Platform{Nodes: []machine.Node{
		{ISA: machine.X86, CPUs: machine.MaxCPUs / 2, Memory: machine.MaxMemory},
		{ISA: machine.AArch64, CPUs: machine.MaxCPUs / 2, Memory: machine.MaxMemory},
	}}
	m := newMachine(t, p)
	m.Begin(machine.Natural{}, machine.Limits{})
	for cpu := range machine.MaxAgents - machine.MaxCPUs {
		m.Handle(cpu, machine.VectorIPI, func(*machine.Thread, *machine.Frame) {})
	}
	last := m.AllocOn(1, machine.MaxMemory) + machine.MaxMemory - 8
	body := func(t *machine.Thread) {
		t.SendIPI(t.CPU(), machine.VectorIPI)
		r := runner{}
		r.exclusiveAdd(t, last, 1)
	}
	var starts []machine.Start
	for cpu := range m.CPUs() {
		starts = append(starts, machine.Start{CPU: cpu, Body: body})
	}
	if res := m.Run(starts...); res.Outcome != machine.Finished || m.Peek64(last) != machine.MaxCPUs {
		t.Errorf("%v: %s: %d", res.Outcome, res.Detail, m.Peek64(last))
	}
}
