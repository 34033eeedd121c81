package machine

import "testing"

// elsewhere is a storage and an order that hold the data in a map and let every
// load read the newest write: what the machine does without them.
type elsewhere struct {
	words  map[PA]uint64
	fences int
}

func (s *elsewhere) read(_ *cpu, a access) uint64 {
	b := access{loc: &location{val: s.words[a.pa&^7]}, pa: a.pa, size: a.size}
	return b.read()
}

func (s *elsewhere) write(_ *cpu, a access, v uint64) {
	b := access{loc: &location{val: s.words[a.pa&^7]}, pa: a.pa, size: a.size}
	b.write(v)
	s.words[a.pa&^7] = b.loc.val
}

func (s *elsewhere) load(t *Thread, _ Op, a access) uint64     { return t.m.stored(t.cpu, a) }
func (s *elsewhere) store(t *Thread, _ Op, a access, v uint64) { s.write(t.cpu, a, v) }
func (s *elsewhere) fence(*Thread, Fence)                      { s.fences++ }

// TestSeams: storage that holds what flat memory would, and an order that is
// sequentially consistent, give the same runs.
func TestSeams(t *testing.T) {
	m, err := New(Pair())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	run := func() Result {
		m.Begin(&testRandom{3}, Limits{})
		x := m.Alloc(16)
		body := func(t *Thread) {
			t.Store32(x+4, t.Load32(x)+1)
			t.Fence(FullFence)
			t.FetchAdd(x, Size8, 1, Plain)
			t.AwaitTimeout(Until(x, 7), While(x+8, 0))
			t.Store64(x+8, t.Load64(x))
			t.CompareAndSwap(x+8, Size64, 0, 1, Plain)
		}
		return m.Run(Start{0, body}, Start{1, body})
	}
	want := run()
	for _, ordered := range []bool{false, true} {
		s := &elsewhere{words: map[PA]uint64{}}
		if m.storage = s; ordered {
			m.order = s
		}
		if got := run(); got.TraceHash != want.TraceHash {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
