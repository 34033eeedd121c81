package fuzz

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/fusedos/stramash/machine"
)

// Token is a run in one word: it names a target and all its choices, and says
// what the run must come to. It replays on any host.
type Token struct {
	Target    string
	Pins      []machine.Pin
	Schedule  Schedule
	TraceHash uint64 // of the run: another one means that the steps have changed
	Signature uint32 // hash of the violation's signature
}

// tokenVersion is the format of tokens.
const tokenVersion = "v1"

// Token is the finding in one word.
func (f *Finding) Token() Token {
	return Token{f.Target, f.Pins, f.Schedule, f.TraceHash, hashSignature(f.Signature)}
}

func hashSignature(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

// String writes the token as target@v1:choices.
func (t Token) String() string {
	var b []byte
	b = binary.LittleEndian.AppendUint64(b, t.TraceHash)
	b = binary.LittleEndian.AppendUint32(b, t.Signature)
	b = binary.AppendUvarint(b, uint64(len(t.Pins)))
	for _, p := range t.Pins {
		b = appendString(b, p.Name)
		b = binary.AppendUvarint(b, uint64(p.Value))
	}
	for _, e := range t.Schedule {
		b = appendString(b, e.Context)
		b = binary.AppendUvarint(b, uint64(e.Kind))
		b = binary.AppendUvarint(b, uint64(e.Class))
		b = binary.AppendUvarint(b, uint64(e.Index))
		b = binary.AppendUvarint(b, uint64(e.Visit))
		b = binary.AppendUvarint(b, uint64(e.Answer))
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return t.Target + "@" + tokenVersion + ":" + base64.RawURLEncoding.EncodeToString(b)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ParseToken reads a token. The error says in one line what is wrong with it.
func ParseToken(s string) (Token, error) {
	target, rest, ok := strings.Cut(strings.TrimSpace(s), "@")
	version, body, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 || target == "" {
		return Token{}, fmt.Errorf("malformed token %.40q: it must read TARGET@%s:CHOICES", s, tokenVersion)
	}
	if version != tokenVersion {
		return Token{}, fmt.Errorf("token of version %.20q: this program reads %s; use the program that wrote it", version, tokenVersion)
	}
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return Token{}, fmt.Errorf("malformed token: its choices are not base64: %w", err)
	}
	t, err := decodeToken(b)
	if err != nil {
		return Token{}, fmt.Errorf("malformed token: %w; copy it again, whole", err)
	}
	t.Target = target
	return t, nil
}

func decodeToken(b []byte) (Token, error) {
	if len(b) < 17 {
		return Token{}, errors.New("it is too short")
	}
	b, sum := b[:len(b)-4], b[len(b)-4:]
	if crc32.ChecksumIEEE(b) != binary.LittleEndian.Uint32(sum) {
		return Token{}, errors.New("its checksum is wrong")
	}
	t := Token{TraceHash: binary.LittleEndian.Uint64(b), Signature: binary.LittleEndian.Uint32(b[8:])}
	d := decoder{b: b[12:]}
	for n := d.number(64); n > 0 && d.err == nil; n-- {
		t.Pins = append(t.Pins, machine.Pin{Name: d.text(), Value: int(d.number(63))})
	}
	for len(d.b) > 0 && d.err == nil {
		t.Schedule = append(t.Schedule, d.exception())
	}
	return t, d.err
}

// decoder reads the parts of a token; the first error sticks.
type decoder struct {
	b   []byte
	err error
}

// number reads a number from 0 to most.
func (d *decoder) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > most {
		d.err, d.b = errors.New("a number is out of range"), nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) text() string {
	n := d.number(1 << 16)
	if d.err == nil && n > uint64(len(d.b)) {
		d.err, d.b = errors.New("a name is cut short"), nil
	}
	if d.err != nil {
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) exception() machine.Exception {
	return machine.Exception{
		Context: d.text(),
		Kind:    machine.ChoiceKind(d.number(0xff)),
		Class:   machine.Class(d.number(0xff)),
		Index:   uint32(d.number(1<<32 - 1)),
		Visit:   uint16(d.number(1<<16 - 1)),
		Answer:  uint32(d.number(1<<32 - 1)),
	}
}
