package fuzz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
	"github.com/google/go-cmp/cmp"
)

// shelf is a ledger in memory.
type shelf struct {
	mu     sync.Mutex
	blocks map[uint64]*Block
	loads  int
	found  []*Finding
	full   bool
}

func (s *shelf) Load(n uint64) (*Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blocks[n] != nil {
		s.loads++
	}
	return s.blocks[n], nil
}

func (s *shelf) Save(b *Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("the shelf is full")
	}
	s.blocks[b.Number] = b
	return nil
}

// Shards that fill one ledger have done the whole run set, which is then only
// read; and their own sums add up to it.
func TestShardsMakeUpTheWhole(t *testing.T) {
	for _, target := range []Target{correct(), checkThenAct()} {
		o := Options{Seed: 3, Runs: 7*BlockRuns + 1000, All: true}
		want := mustHunt(t, target, o)
		ledger := &shelf{blocks: map[uint64]*Block{}}
		var runs, steps, traces uint64
		for i := range uint64(3) {
			part := o
			part.Shard, part.Ledger, part.Workers = Shard{i + 1, 3}, ledger, 2
			s := mustHunt(t, target, part)
			runs, steps, traces = runs+s.Runs, steps+s.Steps, traces+s.TraceHash
		}
		if runs != want.Runs || steps != want.Steps || traces != want.TraceHash {
			t.Errorf("%s: shards have %d runs, %d steps, traces %x; the whole has %d, %d, %x",
				target.Name, runs, steps, traces, want.Runs, want.Steps, want.TraceHash)
		}
		o.Ledger = ledger
		if diff := cmp.Diff(want, mustHunt(t, target, o)); diff != "" {
			t.Errorf("%s: the whole from the ledger of the shards (-in one go +this):\n%s", target.Name, diff)
		}
		if ledger.loads != 8 {
			t.Errorf("%s: %d blocks of 8 came from the ledger", target.Name, ledger.loads)
		}
	}
}

func TestShardBlocks(t *testing.T) {
	for count := uint64(1); count < 5; count++ {
		for n := uint64(0); n < 12; n++ {
			done := map[uint64]int{}
			runs := uint64(0)
			for i := uint64(1); i <= count; i++ {
				s := Shard{i, count}
				runs += s.Runs(max(n*BlockRuns, 1) - 1)
				for k := range s.blocks(n) {
					if !s.Holds(s.nth(k)*BlockRuns) || count > 1 && s.Holds((s.nth(k)+1)*BlockRuns) {
						t.Errorf("shard %v is wrong about holding block %d", s, s.nth(k))
					}
					done[s.nth(k)]++
				}
			}
			if want := max(n*BlockRuns, 1) - 1; runs != want {
				t.Errorf("%d shards do %d runs of %d", count, runs, want)
			}
			for b := range n {
				if done[b] != 1 {
					t.Errorf("%d shards do block %d of %d %d times", count, b, n, done[b])
				}
			}
			if uint64(len(done)) != n {
				t.Errorf("%d shards do %d blocks of %d", count, len(done), n)
			}
		}
	}
	for _, s := range []Shard{{0, 2}, {3, 2}, {1, 0}} {
		if _, err := Hunt(correct(), Options{Shard: s}); err == nil {
			t.Errorf("shard %v is accepted", s)
		}
	}
}

func (s *shelf) Found(f *Finding) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("the shelf is full")
	}
	s.found = append(s.found, f)
	return nil
}

func TestLedgerThatFailsIsAnError(t *testing.T) {
	for _, target := range []Target{correct(), checkThenAct()} {
		_, err := Hunt(target, Options{Runs: 1000, Ledger: &shelf{full: true}})
		if err == nil || !strings.Contains(err.Error(), "full") {
			t.Errorf("got %v", err)
		}
	}
}

// A block that is cut short is not kept.
func TestCutBlocksAreNotKept(t *testing.T) {
	asked := 0
	ledger := &shelf{blocks: map[uint64]*Block{}}
	mustHunt(t, correct(), Options{Ledger: ledger, Stop: func() bool { asked++; return asked > 3+BlockRuns/stopRuns }})
	if len(ledger.blocks) != 1 || ledger.blocks[0].Runs != BlockRuns {
		t.Errorf("%d blocks are kept", len(ledger.blocks))
	}
}

func TestAllFindsOneOfEachSignature(t *testing.T) {
	target := checkThenAct()
	inner := target.Setup
	target.Setup = func(m *machine.Machine) Program {
		rare := m.Choose("rare", 64) == 63
		p := inner(m)
		after := p.After
		p.After = func() error {
			if rare {
				panic("rare")
			}
			return after()
		}
		return p
	}
	s := mustHunt(t, target, Options{Runs: 2000, All: true})
	if s.Runs != 2000 || len(s.Findings) != 2 || s.Finding != s.Findings[0] {
		t.Fatalf("%d findings in %d runs", len(s.Findings), s.Runs)
	}
	for _, f := range s.Findings {
		if _, err := Shrink(target, f, ShrinkOptions{Search: -1}); err != nil {
			t.Error(err)
		}
	}
}

func TestAddFinding(t *testing.T) {
	var s Summary
	for _, f := range []struct {
		signature string
		run       uint64
	}{{"a", 9}, {"b", 5}, {"a", 7}, {"b", 6}, {"c", 8}} {
		s.AddFinding(&Finding{Violation: Violation{Signature: f.signature}, Run: f.run})
	}
	var got []string
	for _, f := range s.Findings {
		got = append(got, fmt.Sprint(f.Signature, f.Run))
	}
	if want := []string{"b5", "a7", "c8"}; !slices.Equal(got, want) || s.Finding != s.Findings[0] {
		t.Errorf("%v, want %v", got, want)
	}
}

// What proves nothing does not pass.
func TestVacuousRunSetsAreInconclusive(t *testing.T) {
	onRecord := func(object machine.VA, serial bool, ok bool) func(*machine.Thread) {
		return func(t *machine.Thread) {
			if serial {
				t.Await(machine.Until(object+8, uint64(t.CPU())))
			}
			t.Call(object, spec.MutexTryLock)
			t.FetchAdd(object, machine.Size64, 1, machine.AcqRel)
			t.FetchAdd(object, machine.Size64, 1, machine.AcqRel) // operations of one step never overlap
			t.Return(object, 0, ok)
			t.FetchAdd(object+8, machine.Size64, 1, machine.AcqRel)
		}
	}
	for name, test := range map[string]struct {
		body func(at machine.VA) func(*machine.Thread)
		want string
	}{
		"one class": {func(at machine.VA) func(*machine.Thread) {
			return func(t *machine.Thread) { t.Load64(at) }
		}, "one class"},
		"no conflict": {func(at machine.VA) func(*machine.Thread) {
			return func(t *machine.Thread) { t.Store64(at+machine.VA(8*t.CPU()), uint64(t.Choose("what", 9))) }
		}, "no two threads met"},
		"no overlap": {func(at machine.VA) func(*machine.Thread) {
			f := onRecord(at, true, true)
			return func(t *machine.Thread) { t.Choose("what", 9); f(t) }
		}, "overlapped"},
		"no success": {func(at machine.VA) func(*machine.Thread) { return onRecord(at, false, false) }, "TryLock of x never succeeded"},
		"none":       {func(at machine.VA) func(*machine.Thread) { return onRecord(at, false, true) }, ""},
	} {
		target := Target{Name: "vacuous", Platform: machine.Pair(), Judges: []checkers.Judge{never{checkers.Linearizable(spec.WeakMutex())}},
			Setup: func(m *machine.Machine) Program {
				at := m.Alloc(16)
				m.Label(at, 16, "x")
				body := test.body(at)
				return Program{Threads: Each(m, func(t *machine.Thread) {
					t.Note(machine.NoteUser, 0, 0, 0) // there is something to judge
					body(t)
				})}
			}}
		got := mustHunt(t, target, Options{Runs: 500}).Inconclusive()
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// never describes operations like a judge, and finds nothing.
type never struct{ checkers.Judge }

func (never) Check(machine.History) checkers.Verdict { return checkers.Verdict{} }

func (n never) Describe(object machine.VA, c spec.Call, r *spec.Ret) (string, bool) {
	return n.Judge.(checkers.Describer).Describe(object, c, r)
}
