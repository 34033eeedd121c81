package axiomatic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fusedos/stramash/model/litmus"
	"github.com/fusedos/stramash/model/memory"
)

// explain explains the condition of a shape.
func explain(t *testing.T, s shape, b memory.Budget) *Explanation {
	t.Helper()
	test, p := s.parse(t)
	x, err := Explain(p, func(state litmus.State) bool {
		return test.Judge([]litmus.State{state}).Obs == "Always"
	}, b)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Each shape has a witness, which Check lets pass, or a cycle, whose edges are in
// a circle.
func TestExplainShapes(t *testing.T) {
	for _, s := range shapes {
		x := explain(t, s, memory.Budget{})
		if x.Allowed != (s.obs == "Sometimes") || x.Complete == x.Allowed || x.Allowed == (x.Cycle != nil) {
			t.Errorf("%s: allowed %v, complete %v: %s", s.name, x.Allowed, x.Complete, x.Text())
			continue
		}
		if x.Allowed {
			if Check(x.Execution) != nil {
				t.Errorf("%s: the witness is not allowed", s.name)
			}
			continue
		}
		edges := x.Cycle.Edges
		for k, e := range edges {
			if e.To != edges[(k+1)%len(edges)].From || e.Rule == "" || e.Words == "" {
				t.Errorf("%s: edge %d of the cycle: %+v", s.name, k, e)
			}
		}
		if dot := x.Dot(); strings.Count(dot, "color=red") != len(edges) {
			t.Errorf("%s: not all of the cycle is red:\n%s", s.name, dot)
		}
	}
}

// What people see, in files. To renew one, write what the test shows.
func TestExplainGolden(t *testing.T) {
	for _, name := range []string{"MP+x86+acqpc", "MP+po+x86", "adders+x86+arm", "CoWW", "thin-air"} {
		s := shape{"thin-air", "", []string{"LDR W0,[X2] ; STR W0,[X1]", "LDR W0,[X1] ; STR W0,[X2]"}, lb, "Never"}
		for _, other := range shapes {
			if other.name == name {
				s = other
			}
		}
		x := explain(t, s, memory.Budget{})
		got := x.Text() + "\n" + x.Dot()
		file := filepath.Join("testdata", "explain", name+".txt")
		if os.Getenv("RENEW") != "" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%s (RENEW=1 writes the files anew): %v; got\n%s", file, err, got)
		}
	}
}

// Of two ways to break the axioms, the shorter one is shown: four edges between two
// threads, and not six between three.
func TestExplainShortest(t *testing.T) {
	x := explain(t, shape{"3.SB", "", []string{
		"STR W5,[X1] ; DMB SY ; LDR W0,[X2]",
		"STR W5,[X2] ; DMB SY ; LDR W0,[X3] ; LDR W7,[X1]",
		"STR W5,[X3] ; DMB SY ; LDR W0,[X1]",
	}, `0:X0=0 /\ (1:X7=0 \/ 1:X7=1 /\ 1:X0=0 /\ 2:X0=0)`, "Never"}, memory.Budget{})
	if !x.Complete || x.Candidates < 3 || len(x.Cycle.Edges) != 4 {
		t.Error(x.Text())
	}
}

func TestExplainOutOfBudget(t *testing.T) {
	for _, s := range shapes {
		if s.name != "IRIW+addrs" {
			continue
		}
		if x := explain(t, s, memory.Budget{Steps: 10}); x.Complete || x.Allowed || !strings.HasPrefix(x.Text(), "inconclusive: the budget of 10 steps is spent;") {
			t.Errorf("10 steps are enough:\n%s", x.Text())
		}
	}
}

// What is not well formed has an error, not a verdict.
func TestErr(t *testing.T) {
	good := func() *Execution {
		return &Execution{
			Events: []Event{
				{Kind: Write, Value: 1}, {Kind: Read, Value: 1}, {Kind: Write, Value: 2, Pair: 1},
				{Thread: 1, Kind: Read}, {Thread: 1, Kind: Fence},
			},
			From: []int{0, 0, 0, Initial, 0}, Order: [][]int{{0, 2}},
		}
	}
	if err := good().Err(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(x *Execution){
		"no From":          func(x *Execution) { x.From = nil },
		"no such location": func(x *Execution) { x.Events[0].Loc = 1 },
		"negative":         func(x *Execution) { x.Events[3].Loc = -1 },
		"value":            func(x *Execution) { x.Events[1].Value = 3 },
		"reads a read":     func(x *Execution) { x.From[1] = 3 },
		"reads nothing":    func(x *Execution) { x.From[1] = 9 },
		"order lacks one":  func(x *Execution) { x.Order[0] = []int{0} },
		"order has a read": func(x *Execution) { x.Order[0] = []int{0, 2, 1} },
		"order twice":      func(x *Execution) { x.Order[0] = []int{0, 2, 2} },
		"order far":        func(x *Execution) { x.Order[0] = []int{0, 2, 7} },
		"pair":             func(x *Execution) { x.Events[2].Pair = 2 },
		"pair far":         func(x *Execution) { x.Events[2].Pair = 7 },
		"threads mixed":    func(x *Execution) { x.Events[1].Thread = 1 },
	} {
		x := good()
		if spoil(x); x.Err() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// interleaved is an execution of one event after the other, so that it is allowed:
// per events for each of some threads, over some locations.
func interleaved(threads, per, locations int) *Execution {
	x := &Execution{Events: make([]Event, threads*per), From: make([]int, threads*per), Order: make([][]int, locations)}
	seed := uint64(1)
	for k := range per {
		for t := range threads {
			seed = seed*6364136223846793005 + 1442695040888963407
			i, l := t*per+k, int(seed>>40)%locations
			e := Event{Thread: t, ISA: litmus.ISA(t % 2), Loc: l, Kind: Kind(seed >> 33 % 2)}
			order := x.Order[l]
			switch {
			case seed>>50%8 == 0:
				e.Kind, e.Fence = Fence, litmus.FenceKind(seed>>55%4)
			case e.Kind == Write:
				e.Value, e.Release = uint64(len(order))+1, seed>>60 == 0
				x.Order[l] = append(order, i)
			case len(order) == 0:
				x.From[i] = Initial
			default:
				x.From[i], e.Value, e.Acquire = order[len(order)-1], uint64(len(order)), seed>>60 == 0
			}
			x.Events[i] = e
		}
	}
	return x
}

// A long execution that is in order is allowed; if two reads at its end change places, it
// is not.
func TestCheckLong(t *testing.T) {
	x := interleaved(4, 300, 5)
	if err := x.Err(); err != nil {
		t.Fatal(err)
	}
	if c := Check(x); c != nil {
		t.Fatal(c.Text(x))
	}
	last := x.Order[0][len(x.Order[0])-1]
	for i := len(x.Events) - 1; ; i-- {
		if e := &x.Events[i]; e.Kind == Read && e.Loc == 0 && x.From[i] == last {
			x.From[i], e.Value = x.Order[0][0], 1
			break
		}
	}
	if c := Check(x); c == nil || len(c.Edges) < 2 {
		t.Errorf("a read of the first write after the last one: %+v", c)
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, threads := range []int{1, 4, 16} {
		b.Run(map[int]string{1: "1x4000", 4: "4x1000", 16: "16x250"}[threads], func(b *testing.B) {
			x := interleaved(threads, 4000/threads, 64)
			for b.Loop() {
				if Check(x) != nil {
					b.Fatal("an execution in order is not allowed")
				}
			}
		})
	}
}
