package coherence_test

import (
	"testing"

	"github.com/fusedos/stramash/coherence"
)

// What an access costs the host: ns/access. `go test ./coherence -bench .` prints it,
// the generator of the stream (about 1 ns) included; a quarter of the accesses are stores.
const accesses = 1000 // in one turn of a benchmark

func BenchmarkAccess(b *testing.B) {
	for _, s := range []struct {
		name       string
		span       uint64 // bytes
		sequential bool
	}{
		{"sequential-16K", 16 << 10, true},
		{"sequential-256M", 256 << 20, true},
		{"random-L1-16K", 16 << 10, false},
		{"random-L2-512K", 512 << 10, false},
		{"random-L3-3M", 3 << 20, false},
		{"random-memory-256M", 256 << 20, false},
	} {
		b.Run(s.name, func(b *testing.B) {
			sys := newSystem(b, coherence.Pair())
			for pa := uint64(0); pa < min(s.span, 4<<20); pa += coherence.LineSize {
				sys.Load(0, pa)
			}
			r, i, n := uint64(88172645463325252), uint64(0), sys.Counters(0)
			for b.Loop() {
				for range accesses {
					pa := i * 8 & (s.span - 1) // no division: it costs half as much as a hit
					if !s.sequential {
						r = r*6364136223846793005 + 1442695040888963407
						pa = r >> 32 * s.span >> 32
					}
					if i&3 == 3 {
						sys.Store(0, pa)
					} else {
						sys.Load(0, pa)
					}
					i++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*accesses), "ns/access")
			m := sys.Counters(0)
			hits := m.L1DHits - n.L1DHits
			b.ReportMetric(100*float64(hits)/float64(m.L1DAccesses-n.L1DAccesses), "L1-%")
		})
	}
}

// Two nodes that increment one word in turn.
func BenchmarkPingPong(b *testing.B) {
	sys := newSystem(b, coherence.Pair())
	for i := 0; b.Loop(); i++ {
		sys.Load(i&1, 4096)
		sys.Store(i&1, 4096)
	}
}

// Sixteen cores under one L3 read what one of them writes.
func BenchmarkSixteenCores(b *testing.B) {
	c := coherence.Config{Nodes: []coherence.Node{coherence.Table2(coherence.XeonGold)}}
	c.Nodes[0].Cores = 16
	sys := newSystem(b, c)
	for i := 0; b.Loop(); i++ {
		pa := uint64(i>>4&1023) * coherence.LineSize
		if i&15 == 0 {
			sys.Store(0, pa)
		} else {
			sys.Load(i&15, pa)
		}
	}
}

// Exploration resets after each short run: 60 accesses of two nodes to 20 lines.
func BenchmarkReset(b *testing.B) {
	run := func(b *testing.B, reset bool) {
		sys := newSystem(b, coherence.Pair())
		for b.Loop() {
			for i := range uint64(60) {
				sys.Load(int(i&1), i*7%20*4160)
			}
			if reset {
				sys.Reset()
			}
		}
	}
	b.Run("60-accesses", func(b *testing.B) { run(b, false) })
	b.Run("60-accesses-and-reset", func(b *testing.B) { run(b, true) })
}

func newSystem(t testing.TB, c coherence.Config) *coherence.System {
	t.Helper()
	s, err := coherence.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Four cores of two nodes fight over one line, in random order, and each run of 64
// accesses begins with empty caches: the worst that exploration does.
func BenchmarkContended(b *testing.B) {
	c := coherence.Pair()
	c.Nodes[0].Cores, c.Nodes[1].Cores = 2, 2
	sys := newSystem(b, c)
	sys.OnLoss(func(int, uint64) {})
	r := uint64(88172645463325252)
	for b.Loop() {
		var done [4]int
		for left := 64; left > 0; {
			r = r*6364136223846793005 + 1442695040888963407
			core := int(r >> 62)
			if done[core] == 16 {
				continue
			}
			if done[core]&1 == 0 {
				sys.Load(core, 4096)
			} else {
				sys.Store(core, 4096)
			}
			done[core]++
			left--
		}
		sys.Reset()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/access")
}
