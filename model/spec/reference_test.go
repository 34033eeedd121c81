package spec

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// reference is a plain mutable object: do performs the call and answers it, or
// says that the call would wait or is illegal and changes nothing.
type reference interface {
	do(c Call) (Ret, bool)
}

// TestReferences drives each specification and an obvious implementation with
// the same calls: they must allow the same ones and give the same answers.
func TestReferences(t *testing.T) {
	refine(t, Mutex(), func() reference { return &plainLock{} })
	refine(t, RWLock(), func() reference { return &plainRWLock{readers: map[int]int{}} })
	refine(t, Register(3), func() reference { return &plainWord{3} })
	refine(t, CASRegister(), func() reference { return &plainCell{} })
	refine(t, KV(shortTexts...), func() reference { return &plainText{} })
	refine(t, KVInFull(4, shortTexts...), func() reference { return &plainText{} })
	refine(t, Counter(3), func() reference { return &plainCounter{3} })
	refine(t, Queue(), func() reference { return &plainQueue{} })
	refine(t, Stack(), func() reference { return &plainStack{} })
	refine(t, Set(), func() reference { return plainSet{} })
	refine(t, Semaphore(2), func() reference { return &plainSemaphore{2} })
}

func refine[S comparable](t *testing.T, s Spec[S], fresh func() reference) {
	t.Run(s.Name, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			state, ref := s.Initial, fresh()
			t.Repeat(map[string]func(*rapid.T){"call": func(t *rapid.T) {
				c := anyCall(t, len(s.Ops))
				want, possible := ref.do(c)
				got := s.Completions(nil, state, c)
				if possible != (len(got) == 1) || possible && got[0] != want {
					t.Fatalf("client %d: %s in %s: got %v, want %v (possible: %v)", c.Client,
						s.DescribeCall(c), s.DescribeState(state), got, want, possible)
				}
				if possible {
					state, _ = s.Step(state, c, want)
				}
			}})
		})
	})
}

type plainLock struct{ owner *int }

func (l *plainLock) do(c Call) (Ret, bool) {
	switch c.Op {
	case MutexTryLock, MutexLock:
		if l.owner == nil {
			l.owner = &c.Client
			return yes, true
		}
		return no, c.Op == MutexTryLock
	case MutexUnlock:
		if l.owner != nil && *l.owner == c.Client {
			l.owner = nil
			return yes, true
		}
	}
	return no, false
}

// plainRWLock counts the holds of each client; a writer has hold -1.
type plainRWLock struct{ readers map[int]int }

func (l *plainRWLock) do(c Call) (Ret, bool) {
	holds, written := 0, false
	for _, n := range l.readers {
		holds, written = holds+max(n, -n), written || n < 0
	}
	mine := l.readers[c.Client]
	switch c.Op {
	case RWLockRLock, RWLockTryRLock:
		return l.set(c, mine+1, !written, c.Op == RWLockTryRLock)
	case RWLockLock, RWLockTryLock:
		return l.set(c, -1, holds == 0, c.Op == RWLockTryLock)
	case RWLockRUnlock:
		return l.set(c, mine-1, mine > 0, false)
	case RWLockUnlock:
		return l.set(c, 0, mine < 0, false)
	case RWLockUpgrade:
		return l.set(c, -1, mine == 1 && holds == 1, mine > 0)
	case RWLockDowngrade:
		return l.set(c, 1, mine < 0, false)
	}
	return no, false
}

// set gives the client n holds if it may; if not, the call fails or can't be.
func (l *plainRWLock) set(c Call, n int, may, mayFail bool) (Ret, bool) {
	if may {
		l.readers[c.Client] = n
	}
	return Ret{OK: may}, may || mayFail
}

type plainWord struct{ word uint64 }

func (w *plainWord) do(c Call) (Ret, bool) {
	old, ok := w.word, true
	switch c.Op {
	case RegisterRead:
	case RegisterWrite:
		w.word, old = c.Arg, 0
	case RegisterSwap:
		w.word = c.Arg
	case RegisterCAS:
		if ok = old == c.Arg; ok {
			w.word = c.Arg2
		}
	default:
		return no, false
	}
	return Ret{Val: old, OK: ok}, true
}

type plainCell struct{ value *uint64 }

func (p *plainCell) do(c Call) (Ret, bool) {
	switch holds := p.value != nil && *p.value == c.Arg; {
	case c.Op == CASRegisterRead && p.value != nil:
		return value(*p.value), true
	case c.Op == CASRegisterRead:
		return no, true
	case c.Op == CASRegisterWrite:
		p.value = &c.Arg
		return yes, true
	case c.Op == CASRegisterCAS && holds:
		p.value = &c.Arg2
		return yes, true
	default:
		return no, c.Op == CASRegisterCAS
	}
}

// shortTexts are the texts of the tests of KV: some begin others.
var shortTexts = []string{"b", "", "a", "bab"}

type plainText struct{ text string }

func (p *plainText) do(c Call) (Ret, bool) {
	switch c.Op {
	case KVGet:
		if at := slices.Index(shortTexts, p.text); at >= 0 {
			return value(uint64(at)), true
		}
		return value(uint64(len(shortTexts))), true
	case KVPut:
		p.text = shortTexts[c.Arg]
	case KVAppend:
		p.text += shortTexts[c.Arg]
	}
	return yes, c.Op == KVPut || c.Op == KVAppend
}

type plainCounter struct{ n uint64 }

func (p *plainCounter) do(c Call) (Ret, bool) {
	old := p.n
	if c.Op == CounterAdd {
		p.n += c.Arg
	}
	return value(old), c.Op == CounterAdd || c.Op == CounterGet
}

type plainQueue struct{ values []uint64 }

func (q *plainQueue) do(c Call) (Ret, bool) {
	switch {
	case c.Op == QueueEnqueue:
		q.values = append(q.values, c.Arg)
		return yes, true
	case c.Op != QueueDequeue:
		return no, false
	case len(q.values) == 0:
		return no, true
	}
	first := q.values[0]
	q.values = slices.Delete(q.values, 0, 1)
	return value(first), true
}

type plainStack struct{ values []uint64 }

func (s *plainStack) do(c Call) (Ret, bool) {
	n := len(s.values)
	switch {
	case c.Op == StackPush:
		s.values = append(s.values, c.Arg)
		return yes, true
	case c.Op != StackPop:
		return no, false
	case n == 0:
		return no, true
	}
	top := s.values[n-1]
	s.values = s.values[:n-1]
	return value(top), true
}

type plainSet map[uint64]bool

func (s plainSet) do(c Call) (Ret, bool) {
	found := s[c.Arg]
	switch c.Op {
	case SetInsert:
		s[c.Arg] = true
		return Ret{OK: !found}, true
	case SetRemove:
		delete(s, c.Arg)
		return Ret{OK: found}, true
	}
	return Ret{OK: found}, c.Op == SetContains
}

type plainSemaphore struct{ units int }

func (s *plainSemaphore) do(c Call) (Ret, bool) {
	switch {
	case c.Op == SemaphoreV:
		s.units++
	case c.Op != SemaphoreP && c.Op != SemaphoreTryP:
		return no, false
	case s.units > 0:
		s.units--
	default:
		return no, c.Op == SemaphoreTryP
	}
	return yes, true
}
