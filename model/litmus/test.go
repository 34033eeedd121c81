package litmus

import (
	"fmt"
	"strings"
)

// Limits of a test: what is larger is refused.
const (
	MaxBytes     = 1 << 20 // of the text
	MaxThreads   = 16
	MaxLocations = 256
	MaxCode      = 4096 // rows of the code, and operations of a thread, when its loops are unrolled
	MaxCell      = 200  // bytes of an instruction or of a location's name
	MaxDepth     = 100  // nesting of a condition
)

// Test is a litmus test in the form of its text. Parse makes it, and only a test
// that Parse has made can be lowered and judged: a generator prints its own with
// String and parses that.
type Test struct {
	Arch      string   // X86_64, AArch64, or MIXED
	Name      string   // the rest of the first line
	Head      []string // the lines between the first and the initial state, as they are
	Init      [][]Init // the initial state, by lines
	Threads   []Column
	Locations []Ref // what is observed beside what the condition names
	Quantifier
	Prop Prop

	names    []string // of the locations, by the index of Program.Locations
	observed []Observable
	refs     []Ref   // of the observed
	shapes   []ctype // how the observed are spelled and compared
}

// Init is an item of the initial state.
type Init struct {
	Type  string // empty if none is given
	Ref   Ref
	Value Value // its Text is empty if none is given
}

// Ref names a register of a thread or a location.
type Ref struct {
	Thread int // -1 for a location
	Reg    Reg
	Name   string // of the location, or of the register in 64 bits: X3, rax
}

// String spells the reference as herd's final states do: 0:X3, [x].
func (r Ref) String() string {
	if r.Thread < 0 {
		return "[" + r.Name + "]"
	}
	return fmt.Sprintf("%d:%s", r.Thread, r.Name)
}

// Value is a number, or the address of a location.
type Value struct {
	Text string // as it is spelled
	Num  uint64 // the number, modulo 2^64
	Loc  bool   // Text is the name of the location
}

// Column is the code of a thread.
type Column struct {
	ISA   ISA
	Cells []Cell
	code  []Op // with jumps in both directions
}

// Cell is an instruction, with or without a label; or a label; or nothing.
type Cell struct {
	Text string
	Line int // in the test's text, from 1
}

// Quantifier says which final states the condition is about.
type Quantifier string

// The quantifiers.
const (
	Exists    Quantifier = "exists"
	NotExists Quantifier = "~exists"
	Forall    Quantifier = "forall"
)

// failf is an error of the text: where it is, what is wrong, and the mend.
func failf(line int, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...))
}

// quote shows a piece of a text in an error, cut short.
func quote(s string) string {
	if len(s) > 40 {
		s = strings.ToValidUTF8(s[:40], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
