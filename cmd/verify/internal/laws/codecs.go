package laws

import (
	"fmt"
	"reflect"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// codecLaws are the laws of what is written down.
func codecLaws() []law {
	return []law{
		{"token: reads back as it was written", tokenReadsBack},
		{"token: a changed character is noticed", tokenNoticesChange},
		{"options: Nth counts through the set in order", nthCounts},
	}
}

// drawToken makes a token of a list of numbers.
func drawToken(list numbers) fuzz.Token {
	t := fuzz.Token{
		Target:    []string{"a", "locks/mcs", "x-1/y_2.z"}[list.next(3)],
		TraceHash: uint64(list.next(1<<31))<<33 | uint64(list.next(1<<31)),
		Signature: uint32(list.next(1 << 31)),
	}
	for range list.next(3) {
		t.Pins = append(t.Pins, machine.Pin{Name: fmt.Sprint("p", list.next(9)), Value: list.next(64)})
	}
	for len(list) > 0 {
		t.Schedule = append(t.Schedule, machine.Exception{
			Context: []string{"s", "t0", "t1.2", "t0@5+1v33", "i1"}[list.next(5)],
			Index:   uint32(list.next(1 << 31)), Visit: uint16(list.next(1 << 16)),
			Kind: machine.ChoiceKind(list.next(256)), Class: machine.Class(list.next(256)),
			Answer: uint32(list.next(1 << 31)),
		})
	}
	return t
}

func tokenReadsBack(n []uint32) string {
	t := drawToken(n)
	back, err := fuzz.ParseToken(t.String())
	if err != nil {
		return err.Error()
	}
	if !reflect.DeepEqual(t, back) {
		return fmt.Sprintf("%s reads back as %s", t, back)
	}
	return ""
}

func tokenNoticesChange(n []uint32) string {
	list := numbers(n)
	at, by := list.next(1<<16), 1+list.next(63)
	t := drawToken(list)
	b := []byte(t.String())
	start := len(t.Target) + len("@v1:")
	at = start + at%(len(b)-start)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range alphabet {
		if alphabet[i] == b[at] {
			b[at] = alphabet[(i+by)%64]
			break
		}
	}
	back, err := fuzz.ParseToken(string(b))
	if err == nil && !reflect.DeepEqual(t, back) {
		return fmt.Sprintf("%s reads as %s", b, back)
	}
	return ""
}

func nthCounts(n []uint32) string {
	list := numbers(n)
	set := machine.Set(uint64(list.next(1<<31))<<32 | uint64(list.next(1<<31)))
	rest := set
	for i := range set.Len() {
		k := set.Nth(i)
		if k != rest.First() || !set.Has(k) {
			return fmt.Sprintf("Nth(%d) of %#x is %d, but %d is next", i, uint64(set), k, rest.First())
		}
		rest = rest.Rest()
	}
	if rest != 0 {
		return fmt.Sprintf("Len of %#x is %d", uint64(set), set.Len())
	}
	return ""
}
