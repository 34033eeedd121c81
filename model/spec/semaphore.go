package spec

// The operations of a [Semaphore], by the names that E. W. Dijkstra gave them.
const (
	SemaphoreP    Op = iota + 1 // waits until there is a unit and takes it
	SemaphoreTryP               // takes a unit if there is one; OK says whether
	SemaphoreV                  // adds a unit; anyone may
)

// Semaphore returns the specification of a counting semaphore with k units at
// first, and no bound above. Its state is the number of units.
func Semaphore(k uint64) Spec[uint64] {
	ops := []Signature{
		{Name: "P"},
		{Name: "TryP", Failure: "busy"},
		{Name: "V"},
	}
	s := Deterministic("semaphore", k, ops, applySemaphore)
	s.Kind = SemaphoreKind
	return s
}

func applySemaphore(units uint64, c Call) (uint64, Ret, bool) {
	switch {
	case c.Op == SemaphoreV:
		return units + 1, Ret{OK: true}, true
	case c.Op != SemaphoreP && c.Op != SemaphoreTryP:
		return units, Ret{}, false
	case units == 0:
		return units, Ret{}, c.Op == SemaphoreTryP
	}
	return units - 1, Ret{OK: true}, true
}
