package suite

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// linking are the programs on linked lists.
func linking() []row {
	return []row{
		{"aba-stack", "the top of a stack is popped, and is back, while its next one is gone",
			"Treiber's stack (IBM RJ 5118, 1986) without tags; facts/explore.md 1f", 2, 33, abaStack},
		{"aba-x86", "the same, where AArch64 CPUs use exclusives, which see the change, and x86-64 ones do not",
			"Treiber's stack, ported without a thought", 2, 782, abaX86},
		{"aba-busy", "the same on a busy stack: one thread rests once, the other does all of its work",
			"Treiber's stack (IBM RJ 5118, 1986) without tags", 2, 0, abaBusy},
		{"aba-3", "the same with three threads: the next one goes while the top is away for a moment",
			"Treiber's stack (IBM RJ 5118, 1986) without tags", 3, 818, aba3},
		{"safestack", "a pop takes the link out of a node that another thread is pushing",
			"D. Vyukov's SafeStack, made small", 3, 874, safeStack},
		{"list-unmarked", "an insertion behind a node that is being removed is lost",
			"Harris, DISC 2001, without the mark in the removed node", 2, 4, listUnmarked},
		{"list-lazy", "an insertion takes its two locks and does not look again",
			"the lazy list of Heller et al. (OPODIS 2005) without validation", 2, 8, listLazy},
	}
}

// stack is Treiber's. Nodes have numbers from 1; each has a word for the next
// one. The head holds a node and, in the mended stack, a count of its changes.
type stack struct {
	head, next machine.VA
	nodes      int
	tagged     bool
	exclusives bool // used by the CPUs that have them
}

const (
	nodeMask = 0xff
	tagUnit  = 0x100
)

// newStack makes a stack with nodes 1 to n, 1 on top.
func newStack(m *machine.Machine, n int, tagged bool) stack {
	s := stack{head: m.Alloc(64), next: words(m, "next", n+1), nodes: n, tagged: tagged}
	m.Label(s.head, 8, "head")
	m.Poke64(s.head, 1)
	for i := 1; i < n; i++ {
		m.Poke64(at(s.next, i), uint64(i+1))
	}
	return s
}

// top reads the head, and change makes node n the top if it is still as it was.
func (s stack) top(t *machine.Thread) uint64 {
	if s.exclusives && t.ISA().Exclusives {
		return t.LoadExclusive(s.head, machine.Size64, machine.Acquire)
	}
	return get(t, s.head)
}

func (s stack) change(t *machine.Thread, was, n uint64) bool {
	if s.tagged {
		n |= was&^nodeMask + tagUnit
	}
	if s.exclusives && t.ISA().Exclusives {
		return t.StoreExclusive(s.head, machine.Size64, n, machine.Release)
	}
	return cas(t, s.head, was, n)
}

// pop answers a node, or 0 if there is none.
func (s stack) pop(t *machine.Thread) uint64 {
	for {
		h := s.top(t)
		n := h & nodeMask
		if n == 0 || s.change(t, h, get(t, at(s.next, int(n)))) {
			return n
		}
	}
}

// push adds a node; 0 is none.
func (s stack) push(t *machine.Thread, n uint64) {
	for n != 0 {
		h := s.top(t)
		put(t, at(s.next, int(n)), h&nodeMask)
		if s.change(t, h, n) {
			return
		}
	}
}

// check makes sure that each node is in one place: the stack, or among those
// that threads have kept.
func (s stack) check(m *machine.Machine, kept ...uint64) error {
	places := make([]int, s.nodes+1)
	for _, n := range kept {
		places[n]++
	}
	places[0] = 1
	for n := m.Peek64(s.head) & nodeMask; n != 0; n = m.Peek64(at(s.next, int(n))) {
		if places[n]++; places[n] > s.nodes {
			return fmt.Errorf("the stack has a cycle through node %d", n)
		}
	}
	for n, k := range places {
		if k != 1 {
			return fmt.Errorf("node %d is in %d places", n, k)
		}
	}
	return nil
}

func abaStack(m *machine.Machine, fixed bool) fuzz.Program {
	s, own := newStack(m, 3, fixed), words(m, "pad", 2)
	var kept [2]uint64
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 5)
			kept[0] = s.pop(t)
			pad(t, own, 5)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 5)
			kept[1] = s.popSecond(t)
			pad(t, at(own, 1), 5)
		}),
		After: func() error { return s.check(m, kept[:]...) },
	}
}

// popSecond takes the node below the top.
func (s stack) popSecond(t *machine.Thread) uint64 {
	first := s.pop(t)
	second := s.pop(t)
	s.push(t, first)
	return second
}

func abaX86(m *machine.Machine, fixed bool) fuzz.Program {
	s := newStack(m, 5, fixed)
	s.exclusives = true
	var kept [2]uint64
	return fuzz.Program{
		Threads: each(m, 2, func(t *machine.Thread, self int) { kept[self] = s.popSecond(t) }),
		After:   func() error { return s.check(m, kept[:]...) },
	}
}

// abaBusy needs one thread to do all of its many operations while the other
// one, amid as many, is inside one of them.
func abaBusy(m *machine.Machine, fixed bool) fuzz.Program {
	const nodes, rounds = 6, 3
	s := newStack(m, nodes, fixed)
	var kept [2]uint64
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			for range rounds {
				s.push(t, s.pop(t))
			}
			kept[0] = s.pop(t)
		}, func(t *machine.Thread) {
			var popped [nodes]uint64
			for i := range popped {
				popped[i] = s.pop(t)
			}
			for i := nodes - 1; i >= 0; i-- {
				if i == 1 {
					kept[1] = popped[i]
				} else {
					s.push(t, popped[i])
				}
			}
		}),
		After: func() error { return s.check(m, kept[:]...) },
	}
}

func aba3(m *machine.Machine, fixed bool) fuzz.Program {
	s, own := newStack(m, 3, fixed), words(m, "pad", 3)
	var kept [2]uint64
	keep := func(self, i int) func(*machine.Thread) {
		return func(t *machine.Thread) {
			pad(t, at(own, self), 5)
			kept[i] = s.pop(t)
		}
	}
	return fuzz.Program{
		Threads: threads(m, keep(0, 0), func(t *machine.Thread) {
			pad(t, at(own, 1), 5)
			s.push(t, s.pop(t))
		}, keep(2, 1)),
		After: func() error { return s.check(m, kept[:]...) },
	}
}

// safeStack has a stack whose pop takes the link out of the node, so that no
// other thread can pop it meanwhile, and puts it back if it comes too late. It
// never pops the last node. The mended stack is Treiber's with tags.
func safeStack(m *machine.Machine, fixed bool) fuzz.Program {
	s, count := newStack(m, 3, fixed), words(m, "count", 1)
	m.Poke64(count, 3)
	pop := func(t *machine.Thread) (n uint64) {
		if get(t, count) <= 1 {
			return 0
		}
		if fixed {
			n = s.pop(t)
		} else {
			h := get(t, s.head)
			link := at(s.next, int(h))
			next := swap(t, link, 0)
			if next == 0 {
				return 0
			}
			if !cas(t, s.head, h, next) {
				swap(t, link, next)
				return 0
			}
			n = h
		}
		add(t, count, ^uint64(0))
		return n
	}
	var kept [2]uint64
	keep := func(i int) func(*machine.Thread) {
		return func(t *machine.Thread) { kept[i] = pop(t) }
	}
	return fuzz.Program{
		Threads: threads(m, keep(0), func(t *machine.Thread) {
			if n := pop(t); n != 0 {
				s.push(t, n)
				add(t, count, 1)
			}
		}, keep(1)),
		After: func() error { return s.check(m, kept[:]...) },
	}
}

// list is a sorted list of keys from 1. Node k holds key k, and node 0 is the
// head; each has a word for the next one, 0 at the end. The mended lists know
// which nodes have been removed: one by a mark in the word, the other by a word
// of its own.
type list struct{ next, removed, locks machine.VA }

const (
	maxKey   = 4
	markUnit = 0x100
)

// newList makes a list of the keys 1, 2 and 4.
func newList(m *machine.Machine) list {
	l := list{words(m, "next", maxKey+1), words(m, "removed", maxKey+1), words(m, "lock", maxKey+1)}
	m.Poke64(at(l.next, 0), 1)
	m.Poke64(at(l.next, 1), 2)
	m.Poke64(at(l.next, 2), 4)
	return l
}

// check makes sure that the list holds the keys 1, 3 and 4.
func (l list) check(m *machine.Machine) error {
	keys := uint64(0)
	for k, n := m.Peek64(l.next), 0; k != 0 && n <= maxKey; k, n = m.Peek64(at(l.next, int(k)))&^markUnit, n+1 {
		keys = keys*10 + k
	}
	return fuzz.Want(keys, 134)
}

// find answers the last node below a key and the first one not below it. It
// takes marked nodes out.
func (l list) find(t *machine.Thread, key uint64) (before, node uint64) {
	for {
		before, node = 0, get(t, l.next)
		for node != 0 {
			next := get(t, at(l.next, int(node)))
			if next&markUnit != 0 {
				if !cas(t, at(l.next, int(before)), node, next&^markUnit) {
					break
				}
				node = next &^ markUnit
				continue
			}
			if node >= key {
				return before, node
			}
			before, node = node, next
		}
		if node == 0 {
			return before, 0
		}
	}
}

func listUnmarked(m *machine.Machine, fixed bool) fuzz.Program {
	l, own := newList(m), words(m, "pad", 2)
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			for {
				before, node := l.find(t, 2)
				next := get(t, at(l.next, int(node)))
				if fixed && !cas(t, at(l.next, int(node)), next, next|markUnit) {
					continue
				}
				if cas(t, at(l.next, int(before)), node, next) || fixed {
					break // marked, it is gone, be it still linked
				}
			}
			if fixed {
				l.find(t, 2)
			}
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 8)
			for {
				before, node := l.find(t, 3)
				put(t, at(l.next, 3), node)
				if cas(t, at(l.next, int(before)), node, 3) {
					break
				}
			}
		}),
		After: func() error { return l.check(m) },
	}
}

// lockBoth locks the nodes around a key, and makes sure, if it is told to, that
// they are still neighbours in the list.
func (l list) lockBoth(t *machine.Thread, key uint64, validate bool) (before, node uint64) {
	for {
		before, node = l.find(t, key)
		lock(t, at(l.locks, int(before)))
		lock(t, at(l.locks, int(node)))
		if !validate || get(t, at(l.removed, int(before))) == 0 && get(t, at(l.removed, int(node))) == 0 &&
			get(t, at(l.next, int(before))) == node {
			return before, node
		}
		l.unlockBoth(t, before, node)
	}
}

func (l list) unlockBoth(t *machine.Thread, before, node uint64) {
	unlock(t, at(l.locks, int(node)))
	unlock(t, at(l.locks, int(before)))
}

func listLazy(m *machine.Machine, fixed bool) fuzz.Program {
	l, own := newList(m), words(m, "pad", 2)
	return fuzz.Program{
		Threads: threads(m, func(t *machine.Thread) {
			pad(t, own, 8)
			before, node := l.lockBoth(t, 2, fixed)
			put(t, at(l.removed, int(node)), 1)
			put(t, at(l.next, int(before)), get(t, at(l.next, int(node))))
			l.unlockBoth(t, before, node)
		}, func(t *machine.Thread) {
			pad(t, at(own, 1), 8)
			before, node := l.lockBoth(t, 3, fixed)
			put(t, at(l.next, 3), node)
			put(t, at(l.next, int(before)), 3)
			l.unlockBoth(t, before, node)
		}),
		After: func() error { return l.check(m) },
	}
}
