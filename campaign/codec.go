package campaign

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"strings"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// manifest says what a campaign is: what all of its processes must agree on.
type manifest struct {
	Format   int           `json:"format"`
	Strategy string        `json:"strategy"`
	Seed     uint64        `json:"seed"`
	Runs     uint64        `json:"runs"`                  // for each target; it may grow
	Bound    *int          `json:"preemptions,omitempty"` // at most
	Pins     []machine.Pin `json:"pins"`
	Targets  []identity    `json:"targets"`
}

// identity is a target, as its code was.
type identity struct {
	Name string `json:"name"`
	Runs string `json:"runs"` // hash of the traces of the first runs
}

// format is of all files of a campaign.
const format = 1

func decodeManifest(data []byte) (*manifest, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	m := &manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("it is not the manifest of a campaign: %w", err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("it has format %d; this program reads %d", m.Format, format)
	}
	if m.Strategy == "" || m.Runs == 0 && m.Strategy != Exhaustive || len(m.Targets) == 0 {
		return nil, errors.New("it names no strategy, no runs or no targets")
	}
	return m, nil
}

func (m *manifest) encode() ([]byte, error) {
	data, err := json.MarshalIndent(m, "", "  ")
	return append(data, '\n'), err
}

// id is what marks a campaign's blocks; more runs do not change it.
func (m *manifest) id() string {
	same := *m
	same.Runs = 0
	h := fnv.New64a()
	json.NewEncoder(h).Encode(same)
	return fmt.Sprintf("%016x", h.Sum64())
}

// block is the form of a block in its file.
type block struct {
	Campaign string
	Target   string
	fuzz.Block
	Fingerprints prints
	Findings     findings `json:",omitempty"`
}

// prints are fingerprints, 8 bytes each.
type prints []byte

func printsOf(all []uint64) (out prints) {
	for _, p := range all {
		out = binary.LittleEndian.AppendUint64(out, p)
	}
	return out
}

func (p prints) numbers() (out []uint64) {
	for ; len(p) >= 8; p = p[8:] {
		out = append(out, binary.LittleEndian.Uint64(p))
	}
	return out
}

// findings are read one by one, so that a few bytes can't ask for much memory.
type findings []*fuzz.Finding

// UnmarshalJSON reads a list of at most as many as a block has runs.
func (f *findings) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("findings are no list")
	}
	for d.More() {
		one := &fuzz.Finding{}
		if err := d.Decode(&one); err != nil {
			return err
		}
		if one == nil || len(*f) == fuzz.BlockRuns {
			return errors.New("a finding is empty, or there are more findings than runs")
		}
		*f = append(*f, one)
	}
	return nil
}

// subtree is the form of a subtree in its file.
type subtree struct {
	Campaign string
	Target   string
	Part     string // of the search: see subtrees
	fuzz.Subtree
}

func encodeSubtree(campaign, target, part string, s *fuzz.Subtree) ([]byte, error) {
	return seal(subtreeMark, subtree{campaign, target, part, *s})
}

// decodeSubtree reads a subtree of a campaign and target.
func decodeSubtree(data []byte, campaign, target, part string, number uint64) (*fuzz.Subtree, error) {
	var s subtree
	if err := open(subtreeMark, data, &s); err != nil {
		return nil, err
	}
	switch {
	case s.Campaign != campaign:
		return nil, errors.New("it is of another campaign")
	case s.Target != target || s.Part != part || s.Number != number:
		return nil, fmt.Errorf("it is subtree %.60q of %.60q", s.Part, s.Target)
	case s.Finding != nil:
		return &s.Subtree, checkFinding(s.Finding, target)
	}
	return &s.Subtree, nil
}

const (
	subtreeMark = "stramash-subtree-v1"
	blockMark   = "stramash-block-v1"
	findingMark = "stramash-finding-v1"
)

func encodeBlock(campaign, target string, b *fuzz.Block) ([]byte, error) {
	return seal(blockMark, block{campaign, target, *b, printsOf(b.Fingerprints), b.Findings})
}

// decodeBlock reads a block of a campaign and target.
func decodeBlock(data []byte, campaign, target string, number uint64) (*fuzz.Block, error) {
	var b block
	if err := open(blockMark, data, &b); err != nil {
		return nil, err
	}
	switch {
	case b.Campaign != campaign:
		return nil, errors.New("it is of another campaign")
	case b.Target != target || b.Number != number:
		return nil, fmt.Errorf("it is block %d of %.60q", b.Number, b.Target)
	case b.Runs > fuzz.BlockRuns || len(b.Fingerprints)%8 != 0 || uint64(len(b.Fingerprints)/8) > b.Runs:
		return nil, errors.New("its numbers of runs and of fingerprints are impossible")
	}
	for _, f := range b.Findings {
		if err := checkFinding(f, target); err != nil {
			return nil, err
		}
		if f.Run/fuzz.BlockRuns != number {
			return nil, fmt.Errorf("run %d of a finding is not one of its own", f.Run)
		}
	}
	b.Block.Fingerprints, b.Block.Findings = b.Fingerprints.numbers(), b.Findings
	return &b.Block, nil
}

func checkFinding(f *fuzz.Finding, target string) error {
	if f.Target != target || f.Signature == "" {
		return fmt.Errorf("a finding of it is of %.60q, or has no signature", f.Target)
	}
	return nil
}

// finding is the form of a finding in its file.
type finding struct {
	Campaign string
	fuzz.Finding
}

// encodeFinding writes a finding behind a text for a person.
func encodeFinding(campaign string, f *fuzz.Finding, text string) ([]byte, error) {
	data, err := seal(findingMark, finding{campaign, *f})
	return append([]byte(strings.TrimRight(text, "\n")+"\n\n"), data...), err
}

// decodeFinding reads a finding of a campaign.
func decodeFinding(data []byte, campaign string) (*fuzz.Finding, error) {
	var f finding
	if err := open(findingMark, data, &f); err != nil {
		return nil, err
	}
	if f.Campaign != campaign {
		return nil, errors.New("it is of another campaign")
	}
	return &f.Finding, checkFinding(&f.Finding, f.Target)
}

// seal writes a value on a line, behind a mark and a checksum.
func seal(mark string, v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	// Nothing in it may look like a token, of which a finding's text has one.
	body = bytes.ReplaceAll(body, []byte("@"), []byte(`\u0040`))
	if len(body) > maxSize/2 {
		return nil, fmt.Errorf("a record of %d MiB is too large for a campaign: the target has violations without number, or endless messages", len(body)>>20)
	}
	return fmt.Appendf(nil, "%s %08x %s\n", mark, crc32.ChecksumIEEE(body), body), nil
}

// open reads the value that seal wrote on the last line.
func open(mark string, data []byte, v any) error {
	line, whole := bytes.CutSuffix(data, []byte("\n"))
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	head := len(mark) + 10
	if !whole || len(line) < head || string(line[:len(mark)]) != mark {
		return errors.New("it is cut short, or not of a campaign")
	}
	body := line[head:]
	if string(line[len(mark):head]) != fmt.Sprintf(" %08x ", crc32.ChecksumIEEE(body)) {
		return errors.New("its checksum is wrong")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("it is not of a campaign: %w", err)
	}
	return nil
}
