package machine

import "testing"

// elsewhere is a storage that holds the data in a map.
type elsewhere struct{ words map[PA]uint64 }

func (s *elsewhere) read(_ *cpu, a access) uint64 {
	v := s.words[a.pa&^7]
	b := access{val: &v, pa: a.pa, size: a.size}
	return b.read()
}

func (s *elsewhere) write(_ *cpu, a access, v uint64) {
	word := s.words[a.pa&^7]
	b := access{val: &word, pa: a.pa, size: a.size}
	b.write(v)
	s.words[a.pa&^7] = word
}

// TestStorage: storage that holds what flat memory would gives the same runs, under
// every memory order.
func TestStorage(t *testing.T) {
	for o := SC; o <= Native; o++ {
		p := Pair()
		p.Order = o
		m, err := New(p)
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
		m.storage = &elsewhere{words: map[PA]uint64{}}
		if got := run(); got.TraceHash != want.TraceHash {
			t.Errorf("%s: got %+v, want %+v", o, got, want)
		}
	}
}
