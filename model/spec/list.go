package spec

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
)

// wordSize is the number of bytes that a value takes in a List.
const wordSize = 8

// List is an immutable list of 64-bit values. It is a string underneath, eight
// bytes a value and big-endian, which makes it comparable; the zero List is
// empty.
type List string

// ListOf returns the list of the given values.
func ListOf(values ...uint64) List {
	var l List
	for _, v := range values {
		l = l.Push(v)
	}
	return l
}

// Len returns the number of values in l.
func (l List) Len() int { return len(l) / wordSize }

// At returns value i of l. It panics unless 0 <= i < l.Len().
func (l List) At(i int) uint64 {
	var word [wordSize]byte
	copy(word[:], l[i*wordSize:(i+1)*wordSize])
	return binary.BigEndian.Uint64(word[:])
}

// Push returns l with v behind its last value.
func (l List) Push(v uint64) List { return l.Insert(l.Len(), v) }

// Insert returns l with v before value i, or behind the last value if i is
// l.Len(). It panics unless 0 <= i <= l.Len().
func (l List) Insert(i int, v uint64) List {
	var word [wordSize]byte
	binary.BigEndian.PutUint64(word[:], v)
	return l[:i*wordSize] + List(word[:]) + l[i*wordSize:]
}

// Remove returns l without value i. It panics unless 0 <= i < l.Len().
func (l List) Remove(i int) List {
	return l[:i*wordSize] + l[(i+1)*wordSize:]
}

// Search returns the first place of v in l, which must be in ascending order,
// and whether v is there; if it is not, the place is where v belongs.
func (l List) Search(v uint64) (place int, found bool) {
	place = sort.Search(l.Len(), func(i int) bool { return l.At(i) >= v })
	return place, place < l.Len() && l.At(place) == v
}

// String writes the values between brackets, as in "[1 2 3]".
func (l List) String() string {
	words := make([]string, l.Len())
	for i := range words {
		words[i] = fmt.Sprint(l.At(i))
	}
	return "[" + strings.Join(words, " ") + "]"
}
