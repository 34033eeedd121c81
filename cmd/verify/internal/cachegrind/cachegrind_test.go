package cachegrind

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// An access sequence, as Replay takes it.
type stream func(yield func(offset uint64, write bool) error) error

// level is a cache from the definition: of each set, its lines, the newest first.
type level struct {
	sets map[uint64][]uint64
	mask uint64
	ways int
}

func newLevel(size, ways int) *level {
	return &level{map[uint64][]uint64{}, uint64(size/lineSize/ways) - 1, ways}
}

func (l *level) misses(line uint64) bool {
	set := l.sets[line&l.mask]
	i := slices.Index(set, line)
	switch {
	case i >= 0:
		set = slices.Delete(set, i, i+1)
	case len(set) == l.ways:
		set = set[:l.ways-1]
	}
	l.sets[line&l.mask] = slices.Insert(set, 0, line)
	return i < 0
}

// plain is what Replay would answer if the program used no cache for itself.
func plain(g Geometry, s stream) Counts {
	d1, ll := newLevel(g.D1Size, g.D1Ways), newLevel(g.LLSize, g.LLWays)
	var c Counts
	count := func(n *uint64, yes bool) bool {
		if yes {
			*n++
		}
		return yes
	}
	s(func(offset uint64, write bool) error {
		line := offset / lineSize
		n, d1n, lln := &c.Reads, &c.D1ReadMisses, &c.LLReadMisses
		if write {
			n, d1n, lln = &c.Writes, &c.D1WriteMisses, &c.LLWriteMisses
		}
		*n++
		if count(d1n, d1.misses(line)) {
			count(lln, ll.misses(line))
		}
		return nil
	})
	return c
}

func need(t testing.TB) {
	if err := Find(); err != nil {
		t.Skip(err)
	}
}

var xeon = Geometry{D1Size: 32 << 10, D1Ways: 8, LLSize: 4 << 20, LLWays: 16}

func random(seed uint64, n int, size uint64) stream {
	return func(yield func(uint64, bool) error) error {
		r := rand.New(rand.NewPCG(seed, 1))
		for range n {
			if err := yield(r.Uint64N(size), r.IntN(3) == 0); err != nil {
				return err
			}
		}
		return nil
	}
}

// every yields n loads, or for odd rounds stores, of each multiple of step below size.
func every(step, size uint64, rounds int) stream {
	return func(yield func(uint64, bool) error) error {
		for r := range rounds {
			for at := uint64(0); at < size; at += step {
				if err := yield(at, r%2 == 1); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func TestAgreesWithPlainCaches(t *testing.T) {
	need(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the program uses more than one line of its own here")
	}
	small := Geometry{D1Size: 16 << 10, D1Ways: 4, LLSize: 1 << 20, LLWays: 8}
	for _, c := range []struct {
		name   string
		g      Geometry
		stream stream
		size   uint64
		within float64 // of the number of accesses, for the line of the program itself
	}{
		{"sequential 8 MB", xeon, every(4, 8<<20, 1), 8 << 20, 0},
		{"twice 2 MB by lines", xeon, every(64, 2<<20, 2), 2 << 20, 0},
		{"twice 16 MB by lines", xeon, every(64, 16<<20, 2), 16 << 20, 0},
		{"half of the first level", xeon, every(64, 16<<10, 30), 16 << 10, 0},
		// In each round after the first, the program's line makes 8 others of its set miss.
		{"all of the first level", xeon, every(64, 32<<10, 30), 32 << 10, 8.0 / 512},
		{"9 lines of a set of 8 ways", xeon, every(4<<10, 36<<10, 50), 36 << 10, 0},
		{"strided", small, every(192, 3<<20, 3), 3 << 20, 0.00002},
		{"random in 16 KB", xeon, random(1, 300_000, 16<<10), 16 << 10, 0},
		{"random in 40 KB", xeon, random(2, 300_000, 40<<10), 40 << 10, 0.001},
		{"random in 3 MB", xeon, random(3, 300_000, 3<<20), 3 << 20, 0.00002},
		{"random in 64 MB", xeon, random(4, 300_000, 64<<20), 64 << 20, 0.00002},
		{"random in 3 MB, small caches", small, random(5, 300_000, 3<<20), 3 << 20, 0.00002},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := plain(c.g, c.stream)
			got, err := Replay(context.Background(), c.g, c.size, c.stream)
			if err != nil {
				t.Fatal(err)
			}
			if got.Reads != want.Reads || got.Writes != want.Writes {
				t.Errorf("%d loads and %d stores were counted, %d and %d sent", got.Reads, got.Writes, want.Reads, want.Writes)
			}
			total := float64(want.Reads + want.Writes)
			differ := func(what string, got, want uint64) {
				t.Logf("%s: cachegrind %d, plain %d, of %.0f", what, got, want, total)
				if off := float64(got) - float64(want); off > c.within*total || -off > c.within*total {
					t.Errorf("%s: %d, and %d by plain caches", what, got, want)
				}
			}
			differ("D1 load misses", got.D1ReadMisses, want.D1ReadMisses)
			differ("D1 store misses", got.D1WriteMisses, want.D1WriteMisses)
			differ("LL load misses", got.LLReadMisses, want.LLReadMisses)
			differ("LL store misses", got.LLWriteMisses, want.LLWriteMisses)
		})
	}
}

func TestArenaOf8GB(t *testing.T) {
	need(t)
	got, err := Replay(context.Background(), xeon, maxArena, func(yield func(uint64, bool) error) error {
		for _, at := range []uint64{0, maxArena - 1, maxArena - 64, 4 << 30, 0} {
			if err := yield(at, at == maxArena-1); err != nil {
				return err
			}
		}
		return nil
	})
	want := Counts{Reads: 4, Writes: 1, D1ReadMisses: 2, D1WriteMisses: 1, LLReadMisses: 2, LLWriteMisses: 1}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestNothingIsAnAnswerToo(t *testing.T) {
	need(t)
	got, err := Replay(context.Background(), xeon, 64, func(func(uint64, bool) error) error { return nil })
	if err != nil || got != (Counts{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefuses(t *testing.T) {
	one := every(4, 4, 1)
	for want, f := range map[string]func() (Counts, error){
		"D1 of 3000 bytes": func() (Counts, error) {
			return Replay(t.Context(), Geometry{3000, 8, 4 << 20, 16}, 64, one)
		},
		"LL of 3145728 bytes and 16 ways": func() (Counts, error) {
			return Replay(t.Context(), Geometry{32 << 10, 8, 3 << 20, 16}, 64, one)
		},
		"LL of 4194304 bytes and 0 ways": func() (Counts, error) {
			return Replay(t.Context(), Geometry{32 << 10, 8, 4 << 20, 0}, 64, one)
		},
		"D1 of 64 bytes and 2 ways": func() (Counts, error) {
			return Replay(t.Context(), Geometry{64, 2, 4 << 20, 16}, 64, one)
		},
		"at most 1073741824 bytes": func() (Counts, error) {
			return Replay(t.Context(), Geometry{32 << 10, 8, 2 << 30, 16}, 64, one)
		},
		"an arena of 0 bytes": func() (Counts, error) { return Replay(t.Context(), xeon, 0, one) },
		"an arena of 8589934593 bytes": func() (Counts, error) {
			return Replay(t.Context(), xeon, maxArena+1, one)
		},
	} {
		if _, err := f(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v does not say %q in a line", err, want)
		}
	}
}

func TestAccessOutsideTheArena(t *testing.T) {
	need(t)
	_, err := Replay(t.Context(), xeon, 100, func(yield func(uint64, bool) error) error {
		yield(96, false)
		yield(100, false)
		return yield(0, false)
	})
	if err == nil || !strings.Contains(err.Error(), "offset 100 of an arena of 100 bytes") {
		t.Error(err)
	}
}

func TestProducersErrorIsTheAnswer(t *testing.T) {
	need(t)
	mine := errors.New("mine")
	_, err := Replay(t.Context(), xeon, 100, func(yield func(uint64, bool) error) error {
		yield(0, true)
		return mine
	})
	if err != mine {
		t.Error(err)
	}
}

// A replay that would never end is cut off, and leaves no file.
func TestCancel(t *testing.T) {
	need(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := Replay(ctx, xeon, 64, func(yield func(uint64, bool) error) error {
		for {
			if err := yield(0, false); err != nil {
				return err
			}
		}
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
}

// tools makes a PATH with programs of the test's own.
func tools(t *testing.T, scripts map[string]string) {
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestToolsThatFail(t *testing.T) {
	for want, scripts := range map[string]map[string]string{
		"there is no valgrind in PATH; on Debian: apt-get install valgrind gcc libc6-dev": {},
		"there is no cc in PATH": {"valgrind": ""},
		"cc does not compile replay.c: exit status 1: stdint.h: not found; compilation ended; on Debian": {
			"valgrind": "", "cc": "echo 'stdint.h: not found' >&2; echo compilation ended; exit 1"},
		"valgrind failed: exit status 5": {"valgrind": "echo ' no memory' >&2; exit 5", "cc": ""},
		"no memory":                      {"valgrind": "echo ' no memory' >&2; exit 5", "cc": ""},
		"cachegrind.out: no such file":   {"valgrind": "while read x; do :; done", "cc": ""},
	} {
		t.Run(want, func(t *testing.T) {
			tools(t, scripts)
			_, err := Replay(context.Background(), xeon, 4<<20, random(1, 1_000_000, 4<<20))
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v does not say %q in a line", err, want)
			}
		})
	}
}

func BenchmarkReplay(b *testing.B) {
	need(b)
	const n = 2_000_000
	for range b.N {
		if _, err := Replay(b.Context(), xeon, 3<<20, random(1, n, 3<<20)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mref/s")
}
