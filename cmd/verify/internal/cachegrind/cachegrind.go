// Package cachegrind replays a sequence of memory accesses under
// valgrind --tool=cachegrind and answers the misses that it counts, so that our
// caches can be compared with ones that others wrote.
//
// A small C program (replay/replay.c) reads the sequence from a pipe and performs it
// in an arena. Only what its two lines that access the arena count is answered, and
// the number of accesses there must be the number sent. What remains of the program in
// the result is that the 64 bytes of its buffer share the simulated caches with the
// arena: one line of the first level's 512, and on hosts other than x86-64 one or two
// of its stack. TestAgreesWithPlainCaches holds the result against caches written from
// the definition: equal, or apart by 20 in a million accesses, where the working set is
// much smaller or larger than the first level; 0.7 % more misses of the first level
// where it is a little larger; and where it fills the first level to the last line, the
// 8 ways of one of its 64 sets miss.
package cachegrind

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	_ "embed" // for the program
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed replay/replay.c
var program string

// Where the program is, and how its lines with an access are known.
const (
	programName = "replay.c"
	loadMark    = "/* the load */"
	storeMark   = "/* the store */"
)

const (
	lineSize = 64      // bytes of a cache line
	maxArena = 8 << 30 // bytes; an entry has 31 bits for the offset, in units of 4 bytes
	maxCache = 1 << 30 // bytes; cachegrind holds an eighth of it as tags

	pipeBuffer = 1 << 16         // bytes, as many as a pipe of Linux takes
	killDelay  = 5 * time.Second // how long a killed valgrind's output is waited for
)

// Geometry is the shape of the two levels that cachegrind simulates for data: a first
// level, and a last level that is asked when the first one misses. Sizes are bytes.
// Lines have 64 bytes, replacement is exact LRU, and both levels allocate on loads and
// on stores (valgrind manual, section 5.6.1, "Cache simulation specifics"). The
// number of sets must be a power of two.
type Geometry struct {
	D1Size, D1Ways int
	LLSize, LLWays int
}

// Counts is what cachegrind counted for the accesses that were sent: loads and
// stores, and how many of them missed in the first level and in the last.
type Counts struct {
	Reads, Writes               uint64
	D1ReadMisses, D1WriteMisses uint64
	LLReadMisses, LLWriteMisses uint64
}

// D1Misses is the number of loads and stores that missed in the first level.
func (c Counts) D1Misses() uint64 { return c.D1ReadMisses + c.D1WriteMisses }

// LLMisses is the number of loads and stores that missed in the last level too.
func (c Counts) LLMisses() uint64 { return c.LLReadMisses + c.LLWriteMisses }

const mend = "on Debian: apt-get install valgrind gcc libc6-dev"

// Find says whether valgrind and a C compiler named cc are in PATH. The error names
// the one that is missing and how to install it.
func Find() error {
	for _, tool := range []string{"valgrind", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("cachegrind: there is no %s in PATH; %s", tool, mend)
		}
	}
	return nil
}

// Replay performs a sequence of accesses under cachegrind and answers what it counted.
//
// The function accesses produces the sequence: it calls yield for each access, with an
// offset in bytes below arena and whether it is a store, and ends with yield's error
// when there is one, or with its own. An access has 4 bytes, and its offset is rounded
// down to a multiple of 4; so it never straddles two lines. The arena begins at a
// multiple of 1 MB and has at most 8 GB, of which what is touched takes memory.
//
// Files are kept in a temporary directory that is removed. When ctx ends, valgrind is
// killed and the error is that of ctx. A million accesses take about 0.3 seconds
// (BenchmarkReplay), of which a fifth is reading them.
func Replay(ctx context.Context, g Geometry, arena uint64, accesses func(yield func(offset uint64, write bool) error) error) (Counts, error) {
	if err := g.check(); err != nil {
		return Counts{}, err
	}
	if arena < 4 || arena > maxArena {
		return Counts{}, fmt.Errorf("cachegrind: an arena of %d bytes: it must have between 4 and %d", arena, uint64(maxArena))
	}
	if err := Find(); err != nil {
		return Counts{}, err
	}
	dir, err := os.MkdirTemp("", "stramash-cachegrind-")
	if err != nil {
		return Counts{}, err
	}
	defer os.RemoveAll(dir)
	r := replay{geometry: g, arena: arena, dir: dir}
	if err := r.build(ctx); err != nil {
		return Counts{}, err
	}
	if err := r.run(ctx, accesses); err != nil {
		return Counts{}, err
	}
	return r.counts()
}

// check says what cachegrind would not simulate.
func (g Geometry) check() error {
	for _, c := range []struct {
		name       string
		size, ways int
	}{{"D1", g.D1Size, g.D1Ways}, {"LL", g.LLSize, g.LLWays}} {
		if c.size <= 0 || c.ways <= 0 || c.size > maxCache || c.ways > c.size/lineSize {
			return fmt.Errorf("cachegrind: %s of %d bytes and %d ways: it needs a way or more of %d-byte lines, and at most %d bytes",
				c.name, c.size, c.ways, lineSize, maxCache)
		}
		sets := c.size / lineSize / c.ways
		if sets*lineSize*c.ways != c.size || bits.OnesCount(uint(sets)) != 1 {
			return fmt.Errorf("cachegrind: %s of %d bytes and %d ways: the number of its sets, the size by ways and %d bytes, must be a power of two",
				c.name, c.size, c.ways, lineSize)
		}
	}
	return nil
}

// replay is one call of Replay.
type replay struct {
	geometry      Geometry
	arena         uint64
	dir           string
	reads, writes uint64 // sent
}

func (r *replay) binary() string { return filepath.Join(r.dir, "replay") }
func (r *replay) out() string    { return filepath.Join(r.dir, "cachegrind.out") }

// build compiles the program, with the line numbers that counts need.
func (r *replay) build(ctx context.Context) error {
	source := filepath.Join(r.dir, programName)
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		return err
	}
	cc := exec.CommandContext(ctx, "cc", "-O2", "-g", "-o", r.binary(), source)
	cc.WaitDelay = killDelay
	out, err := cc.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cachegrind: cc does not compile %s: %w: %s; %s", programName, err, oneLine(out), mend)
	}
	return nil
}

// run sends the accesses through valgrind, which then has written its file.
func (r *replay) run(outer context.Context, accesses func(func(uint64, bool) error) error) error {
	ctx, cancel := context.WithCancel(outer)
	defer cancel() // ends valgrind however this function ends
	valgrind := exec.CommandContext(ctx, "valgrind", r.arguments()...)
	valgrind.WaitDelay = killDelay
	var stderr tail
	valgrind.Stderr = &stderr
	in, err := valgrind.StdinPipe()
	if err != nil {
		return err
	}
	if err := valgrind.Start(); err != nil {
		return fmt.Errorf("cachegrind: %w; %s", err, mend)
	}
	w := &sender{ctx: ctx, replay: r, out: bufio.NewWriterSize(in, pipeBuffer)}
	produced := accesses(w.send)
	w.flush()
	if produced != nil {
		cancel()
	}
	in.Close()
	ended := valgrind.Wait()
	switch {
	case outer.Err() != nil:
		return outer.Err()
	case w.refused != nil:
		return w.refused
	case w.broken == nil && produced != nil:
		return produced
	case ended != nil:
		return fmt.Errorf("cachegrind: valgrind failed: %w: %s", ended, oneLine(stderr.text))
	case w.broken != nil:
		return fmt.Errorf("cachegrind: valgrind took no more accesses: %w: %s", w.broken, oneLine(stderr.text))
	}
	return nil
}

// arguments shut out what a user's .valgrindrc or VALGRIND_OPTS would change.
func (r *replay) arguments() []string {
	g := r.geometry
	return []string{
		"--command-line-only=yes", "-q", "--vgdb=no", "--tool=cachegrind", "--cache-sim=yes", "--branch-sim=no",
		"--I1=32768,8,64",
		fmt.Sprintf("--D1=%d,%d,%d", g.D1Size, g.D1Ways, lineSize),
		fmt.Sprintf("--LL=%d,%d,%d", g.LLSize, g.LLWays, lineSize),
		// A % would begin a pattern that valgrind replaces.
		"--cachegrind-out-file=" + strings.ReplaceAll(r.out(), "%", "%%"),
		r.binary(), strconv.FormatUint(r.arena, 10),
	}
}

// counts reads what valgrind has written, and holds it against what was sent.
func (r *replay) counts() (Counts, error) {
	f, err := os.Open(r.out())
	if err != nil {
		return Counts{}, err
	}
	defer f.Close()
	c, err := parseOut(f, programName, lineOf(loadMark), lineOf(storeMark))
	if err != nil {
		return Counts{}, err
	}
	if c.Reads != r.reads || c.Writes != r.writes {
		return Counts{}, fmt.Errorf("cachegrind: it counted %d loads and %d stores where %d and %d were sent: the compiler has moved an access to another line of %s",
			c.Reads, c.Writes, r.reads, r.writes, programName)
	}
	return c, nil
}

// lineOf is the number of the program's line that holds a mark.
func lineOf(mark string) uint64 {
	before, _, _ := strings.Cut(program, mark)
	return uint64(strings.Count(before, "\n")) + 1
}

// sender encodes accesses. The first error stays.
type sender struct {
	ctx     context.Context
	replay  *replay
	out     *bufio.Writer
	refused error // an access that cannot be performed, or ctx has ended
	broken  error // the pipe
}

func (s *sender) send(offset uint64, write bool) error {
	entry := uint32(offset >> 2 << 1)
	switch {
	case s.refused != nil || s.broken != nil:
		return cmp.Or(s.refused, s.broken)
	case offset|3 >= s.replay.arena:
		s.refused = fmt.Errorf("cachegrind: an access at offset %d of an arena of %d bytes", offset, s.replay.arena)
		return s.refused
	case write:
		entry |= 1
		s.replay.writes++
	default:
		s.replay.reads++
	}
	if s.out.Available() < 4 {
		s.flush()
	}
	_, err := s.out.Write(binary.NativeEndian.AppendUint32(s.out.AvailableBuffer(), entry))
	if err != nil && s.broken == nil {
		s.broken = err
	}
	return s.broken
}

func (s *sender) flush() {
	if err := s.ctx.Err(); err != nil {
		s.refused = cmp.Or(s.refused, err)
	}
	if err := s.out.Flush(); err != nil {
		s.broken = err
	}
}

// tail keeps the last of what is written to it.
type tail struct{ text []byte }

const maxTail = 2048 // bytes

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if n := len(t.text) - maxTail; n > 0 {
		t.text = bytes.Clone(t.text[n:])
	}
	return len(p), nil
}

var _ io.Writer = (*tail)(nil)

// oneLine makes a line of what a program said.
func oneLine(text []byte) string {
	var out []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "; ")
}
