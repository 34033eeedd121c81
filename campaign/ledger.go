package campaign

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"path/filepath"
	"strings"

	"github.com/fusedos/stramash/fuzz"
)

// ledger keeps the blocks of one target.
type ledger struct {
	dir    *Dir
	target string
}

func (l *ledger) file(number uint64) string {
	return filepath.Join(l.dir.blocks(l.target), fmt.Sprint(number))
}

// Load reads a block that has all of its runs: the last one of a campaign with
// fewer runs has not, and is done again.
func (l *ledger) Load(number uint64) (*fuzz.Block, error) {
	name := l.file(number)
	data, err := readFile(name)
	if data == nil || err != nil {
		return nil, err
	}
	b, err := decodeBlock(data, l.dir.id, l.target, number)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove the file, and its runs will be made again", name, err)
	}
	if b.Runs != min(fuzz.BlockRuns, l.dir.m.Runs-number*fuzz.BlockRuns) {
		return nil, nil
	}
	return b, nil
}

// Save keeps a block that is done.
func (l *ledger) Save(b *fuzz.Block) error {
	data, err := encodeBlock(l.dir.id, l.target, b)
	if err != nil {
		return err
	}
	return WriteFile(l.file(b.Number), data)
}

// Found keeps a finding.
func (l *ledger) Found(f *fuzz.Finding) error {
	text := fmt.Sprintf("VIOLATION %s: %s\n%s\n\nfound   run %d of %s, seed %d; not made small\ntoken   %s\n",
		f.Target, f.Rule, f.Message, f.Run, f.Strategy, f.Seed, f.Token())
	return l.dir.keep(f, text, false)
}

// Keep gives a finding its final text, such as the report of the violation made
// small, which should hold its token and no other. The earliest run of each
// signature is kept.
func (d *Dir) Keep(f *fuzz.Finding, text string) error { return d.keep(f, text, true) }

// keep writes a finding, unless one of an earlier run is there; or of the same,
// if that is not to be replaced.
func (d *Dir) keep(f *fuzz.Finding, text string, again bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := d.findingFile(f)
	old, err := d.readFinding(name, f.Target)
	if err != nil {
		return err
	}
	if old != nil && (old.Run < f.Run || old.Run == f.Run && !again) {
		return nil
	}
	data, err := encodeFinding(d.id, f, text)
	if err != nil {
		return err
	}
	return WriteFile(name, data)
}

// findingFile is named by target and signature.
func (d *Dir) findingFile(f *fuzz.Finding) string {
	return filepath.Join(d.path, "findings", fmt.Sprintf("%s-%016x.txt", readable(f.Target), hashOf(f.Target, f.Signature)))
}

func hashOf(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		io.WriteString(h, p+"\x00")
	}
	return h.Sum64()
}

// Findings are those of a target, one of each signature, in the order of their
// files.
func (d *Dir) Findings(target string) ([]*fuzz.Finding, error) {
	dir := filepath.Join(d.path, "findings")
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	var out []*fuzz.Finding
	for _, name := range names {
		if !d.mayHold(name, target) {
			continue
		}
		f, err := d.readFinding(filepath.Join(dir, name), target)
		if err != nil {
			return nil, err
		}
		if f != nil {
			out = append(out, f)
		}
	}
	return out, nil
}

// mayHold says whether a file is named as those of a target's findings are.
func (d *Dir) mayHold(name, target string) bool {
	hash, ok := strings.CutPrefix(name, readable(target)+"-")
	return ok && len(hash) == len("0123456789abcdef.txt") && strings.HasSuffix(hash, ".txt")
}

// readFinding is nil if there is no such file, or it is of another target of a
// like name.
func (d *Dir) readFinding(name, target string) (*fuzz.Finding, error) {
	data, err := readFile(name)
	if data == nil || err != nil {
		return nil, err
	}
	f, err := decodeFinding(data, d.id)
	if err == nil && d.findingFile(f) != name {
		err = errors.New("it has been renamed")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; move it away, and the campaign will find it again", name, err)
	}
	if f.Target != target {
		return nil, nil
	}
	return f, nil
}

// subtrees keep those of one target. What a shard of a bounded search comes to
// is a part of its own; that of an unbounded one, or of none, is just the subtree.
type subtrees struct {
	dir    *Dir
	target string
	shard  fuzz.Shard
}

func (l *subtrees) part(number uint64) (part, file string) {
	part = fmt.Sprint(number)
	if l.shard != (fuzz.Shard{}) {
		part += fmt.Sprintf("-%dof%d", l.shard.Index, l.shard.Count)
	}
	return part, filepath.Join(l.dir.blocks(l.target), part)
}

// Load reads a subtree that is explored.
func (l *subtrees) Load(number uint64) (*fuzz.Subtree, error) {
	part, name := l.part(number)
	data, err := readFile(name)
	if data == nil || err != nil {
		return nil, err
	}
	s, err := decodeSubtree(data, l.dir.id, l.target, part, number)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; remove the file, and it will be explored again", name, err)
	}
	return s, nil
}

// Save keeps a subtree that is explored.
func (l *subtrees) Save(s *fuzz.Subtree) error {
	part, name := l.part(s.Number)
	data, err := encodeSubtree(l.dir.id, l.target, part, s)
	if err != nil {
		return err
	}
	return WriteFile(name, data)
}
