package spec

// The operations of a [Pool].
const (
	PoolPut  Op = iota + 1 // adds Arg
	PoolTake               // takes any value and answers it; OK=false if there is none
)

// Pool returns the specification of a bag of values, empty at first, that
// hands them out in any order: an allocator of frames that promises no order.
// A value may be in it more than once. Its state lists the values in ascending
// order.
func Pool() Spec[List] {
	return Spec[List]{
		Name: "pool",
		Ops: []Signature{
			{Name: "Put", Args: 1},
			{Name: "Take", Value: ValueIfOK, Failure: "empty"},
		},
		Step:        stepPool,
		Completions: completePool,
	}
}

func stepPool(s List, c Call, r Ret) (List, bool) {
	switch c.Op {
	case PoolPut:
		place, _ := s.Search(c.Arg)
		return s.Insert(place, c.Arg), r == Ret{OK: true}
	case PoolTake:
		if !r.OK {
			return s, s == "" && r == Ret{}
		}
		if place, found := s.Search(r.Val); found {
			return s.Remove(place), true
		}
	}
	return s, false
}

func completePool(dst []Ret, s List, c Call) []Ret {
	switch {
	case c.Op == PoolPut:
		dst = append(dst, Ret{OK: true})
	case c.Op == PoolTake && s == "":
		dst = append(dst, Ret{})
	case c.Op == PoolTake:
		for i := range s.Len() {
			if i == 0 || s.At(i) != s.At(i-1) {
				dst = append(dst, Ret{Val: s.At(i), OK: true})
			}
		}
	}
	return dst
}
