package spec

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// The operations of a [KV].
const (
	KVGet    Op = iota + 1 // answers the text
	KVPut                  // makes Arg the text
	KVAppend               // puts Arg behind the text
)

// maxShownText is how many bytes of a text are written in full.
const maxShownText = 80

// KVState is the state of a [KV].
type KVState struct {
	in   *texts
	rank int    // of the first text in order that begins with this one
	size int    // bytes of that text; negative if none of them begins with this one
	text string // then, this one, if it is told apart
}

// String writes the text between quotes, a long one without its middle.
func (s KVState) String() string {
	switch {
	case s.size < 0 && s.text != "":
		return quote(s.text)
	case s.size < 0:
		return "a text with which none in the history begins"
	}
	return quote(s.in.at(s.rank)[:s.size])
}

// KV returns the specification of one key of a store whose values are texts,
// empty at first. A number stands for a text: for its place in list, which must
// name each text that a call or an answer has once. The answer len(list) stands
// for all others.
//
// Its state is the text, except that all texts with which none of the list
// begins are one state: whatever is appended to them, no answer in the list is
// right. So the specification is exact, and a state takes the same room however
// much has been appended.
func KV(list ...string) Spec[KVState] { return KVInFull(0, list...) }

// KVInFull is [KV] with more states: all texts of up to the given number of bytes
// are told apart, so that a message can name them.
func KVInFull(bytes int, list ...string) Spec[KVState] {
	in := newTexts(list)
	in.room = bytes
	s := Deterministic("kv", in.find(""), []Signature{
		{Name: "Get", Value: ValueAlways, Reads: true},
		{Name: "Put", Args: 1},
		{Name: "Append", Args: 1},
	}, in.apply)
	s.Show = in.show
	return s
}

// texts is the list of a KV, and the places in it in the order of the texts.
type texts struct {
	list   []string
	places []int
	room   int // bytes of a text with which none begins, so that it is told apart
}

func newTexts(list []string) *texts {
	t := &texts{list: slices.Clone(list), places: make([]int, len(list))}
	for i := range t.places {
		t.places[i] = i
	}
	slices.SortFunc(t.places, func(a, b int) int { return strings.Compare(list[a], list[b]) })
	return t
}

// at is the text of a rank.
func (t *texts) at(rank int) string { return t.list[t.places[rank]] }

// find is the state whose text is s.
func (t *texts) find(s string) KVState {
	rank := sort.Search(len(t.places), func(i int) bool { return t.at(i) >= s })
	if rank == len(t.places) || !strings.HasPrefix(t.at(rank), s) {
		if len(s) > t.room {
			s = ""
		}
		return KVState{in: t, size: -1, text: s}
	}
	return KVState{in: t, rank: rank, size: len(s)}
}

func (t *texts) apply(s KVState, c Call) (KVState, Ret, bool) {
	switch {
	case c.Op == KVGet && s.size >= 0 && len(t.at(s.rank)) == s.size:
		return s, Ret{Val: uint64(t.places[s.rank]), OK: true}, true
	case c.Op == KVGet:
		return s, Ret{Val: uint64(len(t.list)), OK: true}, true
	case c.Arg >= uint64(len(t.list)):
		return s, Ret{}, false
	case c.Op == KVPut:
		return t.find(t.list[c.Arg]), Ret{OK: true}, true
	case c.Op == KVAppend && s.size >= 0:
		return t.find(t.at(s.rank)[:s.size] + t.list[c.Arg]), Ret{OK: true}, true
	case c.Op == KVAppend && s.text != "":
		return t.find(s.text + t.list[c.Arg]), Ret{OK: true}, true
	case c.Op == KVAppend:
		return s, Ret{OK: true}, true
	}
	return s, Ret{}, false
}

// show writes the text that a number stands for.
func (t *texts) show(v uint64) string {
	switch n := uint64(len(t.list)); {
	case v < n:
		return quote(t.list[v])
	case v == n:
		return "another text"
	}
	return fmt.Sprintf("text %d of %d", v, len(t.list))
}

func quote(s string) string {
	if len(s) <= maxShownText {
		return strconv.Quote(s)
	}
	const half = maxShownText / 2
	return fmt.Sprintf("%q…%q (%d bytes)", s[:half], s[len(s)-half:], len(s))
}
