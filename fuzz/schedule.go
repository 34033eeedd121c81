package fuzz

import "github.com/fusedos/stramash/machine"

// Schedule is a run written down: its exceptions to the natural run.
type Schedule []machine.Exception

// Count is the number of exceptions of a class.
func (s Schedule) Count(c machine.Class) int {
	n := 0
	for _, e := range s {
		if e.Class == c {
			n++
		}
	}
	return n
}

// place is where an exception belongs.
type place struct {
	context machine.ContextName
	index   uint32
	visit   uint16
	kind    machine.ChoiceKind
}

func placeOf(e machine.Exception) place {
	return place{machine.NameOf(e.Context), e.Index, e.Visit, e.Kind}
}

// Replayer answers as a schedule says, and plainly everywhere else.
type Replayer struct {
	schedule Schedule
	at       map[place]int
	matched  []bool
}

// NewReplayer makes a replayer for one run of the schedule.
func NewReplayer(s Schedule) *Replayer {
	r := &Replayer{schedule: s, at: make(map[place]int, len(s)), matched: make([]bool, len(s))}
	for i, e := range s {
		r.at[placeOf(e)] = i
	}
	return r
}

// Choose answers one question of the run.
func (r *Replayer) Choose(c *machine.Choice) int {
	i, ok := r.at[place{c.Context, c.Index, c.Visit, c.Kind}]
	if !ok {
		return int(c.Plain)
	}
	k := c.Find(r.schedule[i].Answer)
	if k < 0 {
		return int(c.Plain)
	}
	r.matched[i] = true
	return k
}

// Unmatched lists the exceptions whose place the run did not reach, or whose
// answer was not to be had there.
func (r *Replayer) Unmatched() Schedule {
	var out Schedule
	for i, ok := range r.matched {
		if !ok {
			out = append(out, r.schedule[i])
		}
	}
	return out
}
