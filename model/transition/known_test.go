package transition_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/fusedos/stramash/model/transition"
)

// program is a model of processes, by what each can do next: step 2i+1 of process i must
// not be put off for ever, step 2i may.
type program struct {
	name    string
	initial []byte
	next    func(s []byte, step func(transition.Step, func(n []byte)))
	wrong   func(s []byte) bool
	quiet   func(s []byte) bool
	waits   func(s []byte, process int) bool
}

func (p *program) Next(s []byte, yield func(transition.Step, []byte, int)) {
	p.next(s, func(x transition.Step, do func([]byte)) {
		n := append([]byte{}, s...)
		do(n)
		yield(x, n, transition.NoProperty)
	})
}

func (p *program) Check(s []byte) int {
	if p.wrong(s) {
		return 0
	}
	return transition.NoProperty
}

func (p *program) Quiescent(s []byte) bool { return p.quiet(s) }
func (p *program) Canonical([]byte)        {}

func (p *program) check(t *testing.T) transition.Result {
	m := &transition.Model{
		Name: p.name, Size: len(p.initial), Initial: [][]byte{p.initial}, Properties: []string{"exclusion"},
		NewWorker: func() transition.Worker { return p },
		StepName:  func(x transition.Step) string { return fmt.Sprintf("process %d", x/2) },
		Describe:  func(s []byte) []transition.Part { return []transition.Part{{Name: "all", Value: fmt.Sprint(s)}} },
		Fair:      func(x transition.Step) bool { return x%2 == 1 },
	}
	for i := range 2 {
		m.Pending = append(m.Pending, transition.Pending{
			Name:  fmt.Sprintf("process %d is served", i),
			Holds: func(s []byte) bool { return p.waits(s, i) },
		})
	}
	o := unlimited(2)
	o.Quiescence, o.Progress = true, true
	r, err := transition.Check(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The places of a process that takes a lock, in the first two bytes of the state.
const (
	away = iota
	flagged
	waiting
	inside
)

func atRest(s []byte) bool             { return s[0] == away && s[1] == away }
func waits(s []byte, process int) bool { return s[process] == flagged || s[process] == waiting }
func bothInside(s []byte) bool         { return s[0] == inside && s[1] == inside }

// peterson is G. Peterson, "Myths about the mutual exclusion problem", IPL 12(3), 1981.
// A state is the two places, the two flags, and whose turn it is. What it does not do is
// the mistake: "turn" to give the other the turn, "flag" to raise the flag first.
func peterson(not string) *program {
	return &program{
		name: "peterson", initial: make([]byte, 5), wrong: bothInside, quiet: atRest, waits: waits,
		next: func(s []byte, step func(transition.Step, func([]byte))) {
			for i := range 2 {
				o := 1 - i
				must := transition.Step(2*i + 1)
				switch s[i] {
				case away:
					step(transition.Step(2*i), func(n []byte) {
						n[i] = flagged
						if not != "flag" {
							n[2+i] = 1
						}
					})
				case flagged:
					step(must, func(n []byte) {
						n[i] = waiting
						if not != "turn" {
							n[4] = byte(o)
						}
					})
				case waiting:
					if s[2+o] == 0 || s[4] == byte(i) {
						step(must, func(n []byte) { n[i], n[2+i] = inside, 1 })
					}
				case inside:
					step(must, func(n []byte) { n[i], n[2+i] = away, 0 })
				}
			}
		},
	}
}

// spinlock is taken by whoever comes first. A state is the two places. Where polling shows
// as a step, a process that is put off goes round.
func spinlock(polls bool) *program {
	return &program{
		name: "spinlock", initial: make([]byte, 2), wrong: bothInside, quiet: atRest, waits: waits,
		next: func(s []byte, step func(transition.Step, func([]byte))) {
			for i := range 2 {
				must := transition.Step(2*i + 1)
				switch {
				case s[i] == away:
					step(transition.Step(2*i), func(n []byte) { n[i] = waiting })
				case s[i] == waiting && s[1-i] != inside:
					step(must, func(n []byte) { n[i] = inside })
				case s[i] == waiting && polls:
					step(must, func([]byte) {})
				case s[i] == inside:
					step(must, func(n []byte) { n[i] = away })
				}
			}
		},
	}
}

// philosophers are E. Dijkstra's, three of them: each has taken none, one or two forks. The
// last takes the forks in the other order, or not.
func philosophers(ordered bool) *program {
	const n = 3
	taken := func(s []byte, fork int) bool {
		for i := range n {
			first, second := i, (i+1)%n
			if ordered && i == n-1 {
				first, second = second, first
			}
			if s[i] >= 1 && first == fork || s[i] == 2 && second == fork {
				return true
			}
		}
		return false
	}
	return &program{
		name: "philosophers", initial: make([]byte, n),
		wrong: func([]byte) bool { return false },
		quiet: func(s []byte) bool { return s[0]+s[1]+s[2] == 0 },
		waits: func(s []byte, process int) bool { return s[process] == 1 },
		next: func(s []byte, step func(transition.Step, func([]byte))) {
			for i := range n {
				first, second := i, (i+1)%n
				if ordered && i == n-1 {
					first, second = second, first
				}
				switch {
				case s[i] == 0 && !taken(s, first):
					step(transition.Step(2*i), func(n []byte) { n[i] = 1 })
				case s[i] == 1 && !taken(s, second):
					step(transition.Step(2*i+1), func(n []byte) { n[i] = 2 })
				case s[i] == 2:
					step(transition.Step(2*i+1), func(n []byte) { n[i] = 0 })
				}
			}
		},
	}
}

// TestKnownAlgorithms: of algorithms that everybody knows the checker says what everybody
// knows. A spinlock serves whoever waits only if it is not passed over again and again when
// it could enter, which is strong fairness; where a look at the lock is a step like entering,
// a run in which it always looks at the wrong moment is fair.
func TestKnownAlgorithms(t *testing.T) {
	for _, c := range []struct {
		p        *program
		verdict  transition.Verdict
		property string
		found    int
	}{
		{peterson(""), transition.Holds, "", 0},
		{peterson("turn"), transition.Violated, "exclusion", 5},
		{peterson("flag"), transition.Violated, "exclusion", 5},
		{spinlock(false), transition.Holds, "", 0},
		{spinlock(true), transition.Violated, "process 0 is served", 1},
		{philosophers(true), transition.Holds, "", 0},
		{philosophers(false), transition.Violated, transition.Deadlock, 3},
	} {
		r := c.p.check(t)
		if r.Verdict != c.verdict || r.Property != c.property || r.Verdict == transition.Violated && r.Found != c.found {
			t.Errorf("%s: %v %q, found after %d steps; want %v %q, %d", c.p.name, r.Verdict, r.Property, r.Found, c.verdict, c.property, c.found)
		}
	}
}
