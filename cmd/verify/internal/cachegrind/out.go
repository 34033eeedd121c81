package cachegrind

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxLine bounds a line of a file of cachegrind's; those it writes are short, but for
// the names of C++ functions.
const maxLine = 1 << 20 // bytes

// columns are the events that are answered. Those of a load count at the line with
// the load, those of a store at the line with the store.
var columns = [...]string{"Dr", "D1mr", "DLmr", "Dw", "D1mw", "DLmw"}

// parseOut adds up what a file of cachegrind's says of two lines of a source file,
// wherever the compiler has put copies of them. The format is that of the valgrind
// manual, section 5.9 "Cachegrind file format": "events:" names the columns, "fl=" the
// file from there on, and a line of numbers is a line number and its counts, where
// counts at the end that are missing, or a ".", are zero.
func parseOut(r io.Reader, file string, load, store uint64) (Counts, error) {
	p := outParser{file: file, load: load, store: store}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		if err := p.line(lines.Text()); err != nil {
			return Counts{}, fmt.Errorf("cachegrind: line %d of its output: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return Counts{}, fmt.Errorf("cachegrind: line %d of its output: %w", n+1, err)
	}
	if !p.ended {
		return Counts{}, errors.New("cachegrind: its output ends without a summary: valgrind was cut off")
	}
	s := p.sums
	return Counts{Reads: s[0], D1ReadMisses: s[1], LLReadMisses: s[2], Writes: s[3], D1WriteMisses: s[4], LLWriteMisses: s[5]}, nil
}

type outParser struct {
	file        string
	load, store uint64
	at          []int // where each of columns is among the counts
	events      int
	ours        bool // the lines here are of the file
	ended       bool
	sums        [len(columns)]uint64
}

func (p *outParser) line(text string) error {
	key, value, _ := strings.Cut(text, " ")
	switch {
	case text == "" || text[0] == '#':
		return nil
	case strings.HasPrefix(text, "fl="), strings.HasPrefix(text, "fi="), strings.HasPrefix(text, "fe="):
		p.ours = path.Base(text[len("fl="):]) == p.file
		return nil
	case strings.HasPrefix(text, "fn="):
		return nil
	case key == "desc:" || key == "cmd:":
		return nil
	case key == "summary:":
		p.ended = true
		return nil
	case key == "events:":
		return p.header(value)
	case text[0] >= '0' && text[0] <= '9':
		return p.counts(strings.Fields(text))
	}
	return fmt.Errorf("%.40q is neither a name nor a line of counts", text)
}

func (p *outParser) header(names string) error {
	fields := strings.Fields(names)
	p.events, p.at = len(fields), nil
	for _, c := range columns {
		i := slices.Index(fields, c)
		if i < 0 {
			return fmt.Errorf("the events %.80q lack %s", names, c)
		}
		p.at = append(p.at, i)
	}
	return nil
}

func (p *outParser) counts(fields []string) error {
	if p.at == nil {
		return errors.New("counts stand before the line with the events")
	}
	line, err := strconv.ParseUint(fields[0], 10, 64)
	if err != nil {
		return fmt.Errorf("the line number %.40q: %w", fields[0], errors.Unwrap(err))
	}
	counts := fields[1:]
	if len(counts) > p.events {
		return fmt.Errorf("%d counts where there are %d events", len(counts), p.events)
	}
	if !p.ours || line != p.load && line != p.store {
		return nil
	}
	for i, at := range p.at {
		if at >= len(counts) || counts[at] == "." || line != p.lineOf(i) {
			continue
		}
		n, err := strconv.ParseUint(counts[at], 10, 64)
		if err != nil {
			return fmt.Errorf("the count %.40q: %w", counts[at], errors.Unwrap(err))
		}
		if n > math.MaxUint64-p.sums[i] {
			return errors.New("the counts do not fit 64 bits")
		}
		p.sums[i] += n
	}
	return nil
}

// lineOf is the line at which a column counts.
func (p *outParser) lineOf(column int) uint64 {
	if column < len(columns)/2 {
		return p.load
	}
	return p.store
}
