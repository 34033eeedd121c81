package spec

// The operations of a [Queue].
const (
	QueueEnqueue Op = iota + 1 // puts Arg behind the last value
	QueueDequeue               // takes the first value and answers it; OK=false if there is none
)

// Queue returns the specification of an unbounded first-in, first-out queue,
// empty at first. Its state lists the values, the first to leave in front.
func Queue() Spec[List] {
	ops := []Signature{
		{Name: "Enqueue", Args: 1},
		{Name: "Dequeue", Value: ValueIfOK, Failure: "empty"},
	}
	s := Deterministic("queue", "", ops, applyQueue)
	s.Kind = QueueKind
	return s
}

func applyQueue(s List, c Call) (List, Ret, bool) {
	switch {
	case c.Op == QueueEnqueue:
		return s.Push(c.Arg), Ret{OK: true}, true
	case c.Op == QueueDequeue && s == "":
		return s, Ret{}, true
	case c.Op == QueueDequeue:
		return s.Remove(0), Ret{Val: s.At(0), OK: true}, true
	}
	return s, Ret{}, false
}
