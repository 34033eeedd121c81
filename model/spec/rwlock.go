package spec

import (
	"fmt"
	"strings"
)

// The operations of an [RWLock].
const (
	RWLockRLock     Op = iota + 1 // waits until no writer holds the lock and joins its readers
	RWLockTryRLock                // joins the readers unless a writer holds the lock; OK says whether
	RWLockRUnlock                 // leaves the readers; only a reader may
	RWLockLock                    // waits until nobody holds the lock and becomes its writer
	RWLockTryLock                 // becomes the writer if nobody holds the lock; OK says whether
	RWLockUnlock                  // gives the lock up; only the writer may
	RWLockUpgrade                 // turns the only reader into the writer; OK=false if there are others
	RWLockDowngrade               // turns the writer into a reader
)

// RWLockState is the state of an [RWLock].
type RWLockState struct {
	Written bool
	Writer  int  // the client that writes; zero while there is none
	Readers List // the reading clients in ascending order, one entry a hold
}

// String writes "free" or who holds the lock and how.
func (s RWLockState) String() string {
	if s.Written {
		return fmt.Sprintf("written by client %d", s.Writer)
	}
	if s.Readers == "" {
		return "free"
	}
	names := make([]string, s.Readers.Len())
	for i := range names {
		names[i] = fmt.Sprintf("client %d", int(s.Readers.At(i)))
	}
	return "read by " + strings.Join(names, " and ")
}

// RWLock returns the specification of a lock that either one writer or any
// number of readers hold. A client may hold it for reading more than once. Who
// gives up what it does not hold, or upgrades without being a reader, acts
// illegally. An attempt may fail only if a holder is in its way; in the way of
// an upgrade is every hold for reading but one.
func RWLock() Spec[RWLockState] {
	ops := []Signature{
		{Name: "RLock"},
		{Name: "TryRLock", Failure: "busy"},
		{Name: "RUnlock"},
		{Name: "Lock"},
		{Name: "TryLock", Failure: "busy"},
		{Name: "Unlock"},
		{Name: "Upgrade", Failure: "busy"},
		{Name: "Downgrade"},
	}
	s := Deterministic("rwlock", RWLockState{}, ops, applyRWLock)
	s.Kind = RWLockKind
	return s
}

func applyRWLock(s RWLockState, c Call) (RWLockState, Ret, bool) {
	switch c.Op {
	case RWLockRLock, RWLockTryRLock, RWLockRUnlock, RWLockUpgrade:
		return applyReader(s, c)
	case RWLockLock, RWLockTryLock, RWLockUnlock, RWLockDowngrade:
		return applyWriter(s, c)
	}
	return s, Ret{}, false
}

func applyReader(s RWLockState, c Call) (RWLockState, Ret, bool) {
	place, reads := s.Readers.Search(uint64(c.Client))
	switch {
	case c.Op == RWLockUpgrade && s.Readers.Len() == 1:
		return RWLockState{Written: true, Writer: c.Client}, Ret{OK: true}, reads
	case c.Op == RWLockUpgrade:
		return s, Ret{}, reads
	case c.Op == RWLockRUnlock && reads:
		return RWLockState{Readers: s.Readers.Remove(place)}, Ret{OK: true}, true
	case c.Op == RWLockRUnlock:
		return s, Ret{}, false
	case s.Written:
		return s, Ret{}, c.Op == RWLockTryRLock
	}
	return RWLockState{Readers: s.Readers.Insert(place, uint64(c.Client))}, Ret{OK: true}, true
}

func applyWriter(s RWLockState, c Call) (RWLockState, Ret, bool) {
	writes := s.Written && s.Writer == c.Client
	switch {
	case c.Op == RWLockUnlock:
		return RWLockState{}, Ret{OK: true}, writes
	case c.Op == RWLockDowngrade:
		return RWLockState{Readers: ListOf(uint64(c.Client))}, Ret{OK: true}, writes
	case s.Written || s.Readers != "":
		return s, Ret{}, c.Op == RWLockTryLock
	}
	return RWLockState{Written: true, Writer: c.Client}, Ret{OK: true}, true
}
