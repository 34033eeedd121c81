package checkers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// locks reads a history of notes on locks from words like "1+a2s!": client 1
// acquires a lock of class a, its second, shared, and with interrupts enabled.
// Instead of + there is - for a release, ? for an attempt that never waits, and
// w for an acquisition that is only announced; ^ in front marks a handler.
func locks(text string) (h machine.History) {
	for _, word := range strings.Fields(text) {
		word, handler := strings.CutPrefix(word, "^")
		kind, class, number, flags := word[1], word[2], uint64(word[3]-'0'), word[4:]
		r := note(int32(word[0]-'0'), machine.NoteAcquired, uint64(class-'a'), 0)
		r.InIRQ = handler
		r.Object = machine.VA(uint64(class)*0x100 + number*0x10)
		r.IRQsOff = !strings.Contains(flags, "!")
		if strings.Contains(flags, "s") {
			r.Arg2 |= machine.SharedLock
		}
		switch kind {
		case '?':
			r.Arg2 |= machine.TryLock
		case '-':
			r.Note = machine.NoteRelease
		case 'w':
			r.Note = machine.NoteAcquire
		}
		h = append(h, r)
	}
	return h
}

func TestLockOrder(t *testing.T) {
	expect(t, LockOrder(), []expectation{
		{name: "empty"},
		{name: "one order", h: locks("1+a1 1+b1 1-b1 1-a1 2+a1 2+b1 2-a1 2-b1")},
		{name: "released in between", h: locks("1+a1 1-a1 1+b1 1-b1 2+b1 2-b1 2+a1")},
		{name: "ABBA", h: locks("1+a1 1+b1 1-b1 1-a1 2+b1 2+a1"), rule: ruleOrder, at: 5,
			message: "client 2 (CPU 2) acquires lock 0x6110 of class 0 (record 5) while it holds lock 0x6210 of class 1 (record 4), " +
				"but client 1 (CPU 1) acquires lock 0x6210 of class 1 (record 1) while it holds lock 0x6110 of class 0 (record 0)"},
		{name: "ABBA by other locks of the classes", h: locks("1+a1 1+b1 1-b1 1-a1 2+b2 2+a2"),
			rule: ruleOrder, at: 5},
		{name: "ABBA that only waits", h: locks("1+a1 2+b1 1wb1 2wa1"), rule: ruleOrder, at: 3},
		{name: "three classes", h: locks("1+a1 1+b1 1-a1 1-b1 2+b1 2+c1 2-b1 2-c1 3+c1 3+a1"),
			rule: ruleOrder, at: 9, message: "client 3…, but client 1…, but client 2"},
		{name: "the shortest cycle", h: locks("1+a1 1+b1 1+c1 1-a1 1-b1 1-c1 3+c1 3+a1"),
			rule: ruleOrder, at: 7, message: "class 0 (record 7)…but client 1 (CPU 1) acquires lock 0x6310"},
		{name: "held out of turn", h: locks("1+a1 1+b1 1-a1 1+c1 1-b1 1-c1 2+a1 2+c1")},
		{name: "readers", h: locks("1+a1s 1+b1s 1-b1s 1-a1s 2+b1s 2+a1s"), rule: ruleOrder, at: 5},
		{name: "an attempt waits for nothing", h: locks("1+a1 1+b1 1-b1 1-a1 2+b1 2?a1")},
		{name: "what an attempt got is held", h: locks("1+a1 1+b1 1-b1 1-a1 2?b1 2+a1"),
			rule: ruleOrder, at: 5},

		{name: "the same lock", h: locks("1+a1 1wa1"), rule: ruleRecursive, at: 1,
			message: "client 1 (CPU 1) acquires lock 0x6110 of class 0 (record 1), which it holds (record 0)"},
		{name: "the same lock again later", h: locks("1+a1 1-a1 1+a1")},
		{name: "the same lock by attempt", h: locks("1+a1 1?a1")},
		{name: "the same lock shared", h: locks("1+a1s 1+a1s 1-a1s 1wb1 1-a1s 1+a1")},
		{name: "shared, then exclusive", h: locks("1+a1s 1+a1"), rule: ruleRecursive, at: 1},
		{name: "exclusive, then shared", h: locks("1+a1 1+a1s"), rule: ruleRecursive, at: 1},
		{name: "down a class", h: locks("1+a1 1+a2 1-a1 1+a3 2+a2 2+a3")},
		{name: "down and up a class", h: locks("1+a1 1+a2 1-a1 1-a2 2+a2 2+a1"), rule: ruleRecursive, at: 5},
		{name: "round a class", h: locks("1+a1 1+a2 1-a1 1-a2 2+a2 2+a3 2-a2 2-a3 3+a3 3+a1"),
			rule: ruleRecursive, at: 9},
	})
}

func TestInterruptContext(t *testing.T) {
	expect(t, LockOrder(), []expectation{
		{name: "disabled", h: locks("1+a1 1-a1 ^2+a1 2-a1")},
		{name: "no handler", h: locks("1+a1! 1-a1! 2+a1! 2-a1!")},
		{name: "enabled, then handler", h: locks("1+a1! 1-a1! ^2+a2 2-a2"), rule: ruleInterrupt, at: 2,
			message: "interrupt handler 2 (CPU 2) acquires lock 0x6120 of class 0 (record 2), " +
				"but client 1 (CPU 1) holds one of class 0 with interrupts enabled (record 0)"},
		{name: "handler, then enabled", h: locks("^2wa1 2-a1 1+a1! 1-a1!"), rule: ruleInterrupt, at: 2},
		{name: "enabled while held", h: locks("^2+a1 2-a1 1+a1 1+b1! 1-b1 1-a1"), rule: ruleInterrupt, at: 3},
		{name: "enabled before", h: locks("^2+a1 2-a1 1wa1! 1+a1 1-a1")},
		{name: "enabled at release", h: locks("^2+a1 2-a1 1+a1 1-a1!"), rule: ruleInterrupt, at: 3},
		{name: "handler only tries", h: locks("1+a1! 1-a1! ^2?a1 2-a1")},
		{name: "held by attempt", h: locks("1?a1! 1-a1! ^2+a1 2-a1"), rule: ruleInterrupt, at: 2},
		{name: "readers", h: locks("1+a1s! 1-a1s ^2+a1s 2-a1s")},
		{name: "handler reads", h: locks("1+a1! 1-a1 ^2+a1s 2-a1s"), rule: ruleInterrupt, at: 2},
		{name: "handler writes", h: locks("1+a1s! 1-a1s ^2+a1 2-a1"), rule: ruleInterrupt, at: 2},
		{name: "behind", h: locks("^2+a1 2-a1 1+a1 1+b1 1-b1 1-a1 3+b1! 3-b1"), rule: ruleInterrupt, at: 6,
			message: "handler 2…class 0 (record 0), client 1…class 1 (record 3)…but client 3…class 1 with"},
		{name: "two behind", h: locks("^2+a1 2-a1 1+a1 1+b1 1-a1 1+c1 1-b1 1-c1 3+c1! 3-c1"),
			rule: ruleInterrupt, at: 8},
		{name: "before nothing", h: locks("^2+a1 ^2+b1 3+c1! 3-c1 3+c2 3-c2 4+c1 4+c2")},
		{name: "behind, disabled", h: locks("^2+a1 2-a1 1+a1 1+b1 1-b1 1-a1")},
		{name: "two ways", h: locks("^2+a1 2-a1 1+a1 1+b1 1+d1 1-b1 1-d1 1+c1 1+d1")},
		{name: "before", h: locks("^2+b1 2-b1 1+a1! 1+b1 1-b1 1-a1")},
	})
}

func TestLockOrderSignature(t *testing.T) {
	one := LockOrder().Check(locks("1+a1 1+b1 1-b1 1-a1 2+b1 2+a1")).Violation
	two := LockOrder().Check(locks("2+b1 2+a1 2-a1 2-b1 1+a1 1+b1")).Violation
	if one.Signature() != two.Signature() || one.Signature() != "lockorder: lock order: 0x6110" {
		t.Errorf("signatures %q and %q", one.Signature(), two.Signature())
	}
}

func TestLockOrderLimits(t *testing.T) {
	var deep, wide machine.History
	for i := range machine.VA(maxHeld + 1) {
		deep = append(deep, on(i, note(1, machine.NoteAcquired, uint64(i), 0))...)
	}
	for i := range machine.VA(2*maxEdges + 100) {
		wide = append(wide, on(i, note(int32(i/2), machine.NoteAcquired, uint64(i), 0))...)
	}
	passes(t, LockOrder(), deep[:maxHeld])
	wantUnknown(t, LockOrder().Check(deep), "client 1 (CPU 1) holds more than 48 locks")
	wantUnknown(t, LockOrder().Check(wide), fmt.Sprintf("more than %d pairs", maxEdges))
}
