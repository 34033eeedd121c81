package spec

import "fmt"

// The operations of a [Mutex].
const (
	MutexLock    Op = iota + 1 // waits until the lock is free and takes it
	MutexTryLock               // takes the lock if it is free; OK says whether
	MutexUnlock                // gives the lock up; only its holder may
)

// MutexState is the state of a [Mutex].
type MutexState struct {
	Held   bool
	Holder int // the client that holds it; zero while it is free
}

// String writes "free" or who holds the lock.
func (s MutexState) String() string {
	if !s.Held {
		return "free"
	}
	return fmt.Sprintf("held by client %d", s.Holder)
}

// Mutex returns the specification of a lock that one client holds at a time.
// An unlock by another client than the holder is illegal. A try-lock may fail
// only if the lock is held; see [WeakMutex] for one that may give up.
func Mutex() Spec[MutexState] {
	s := Deterministic("mutex", MutexState{}, mutexOps(), applyMutex)
	s.Kind = MutexKind
	return s
}

// WeakMutex returns the specification of a [Mutex] whose try-lock may fail
// although the lock is free, as one does that tries a single store-exclusive
// or gives up when it loses a race.
func WeakMutex() Spec[MutexState] {
	strong := Mutex()
	weak := strong
	weak.Name, weak.Kind = "weak mutex", WeakMutexKind
	weak.Step = func(s MutexState, c Call, r Ret) (MutexState, bool) {
		if c.Op == MutexTryLock && r == (Ret{}) {
			return s, true
		}
		return strong.Step(s, c, r)
	}
	weak.Completions = func(dst []Ret, s MutexState, c Call) []Ret {
		dst = strong.Completions(dst, s, c)
		if c.Op == MutexTryLock && !s.Held {
			dst = append(dst, Ret{})
		}
		return dst
	}
	return weak
}

func mutexOps() []Signature {
	return []Signature{
		{Name: "Lock"},
		{Name: "TryLock", Failure: "busy"},
		{Name: "Unlock"},
	}
}

func applyMutex(s MutexState, c Call) (MutexState, Ret, bool) {
	switch c.Op {
	case MutexLock, MutexTryLock:
		if s.Held {
			return s, Ret{}, c.Op == MutexTryLock
		}
		return MutexState{Held: true, Holder: c.Client}, Ret{OK: true}, true
	case MutexUnlock:
		return MutexState{}, Ret{OK: true}, s.Held && s.Holder == c.Client
	}
	return s, Ret{}, false
}
