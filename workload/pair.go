package workload

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
)

// PingPong is a microbenchmark of two threads that write one cache line in turns.
type PingPong struct {
	Rounds int
	// Free lets both threads increment the word as fast as they can, by atomic
	// additions; else each awaits the other's write, and answers it.
	Free bool
}

// Validate says what is wrong with the benchmark, or nil.
func (p PingPong) Validate() error {
	if p.Rounds < 1 || p.Rounds > maxCount {
		return fmt.Errorf("ping-pong of %d rounds: use 1 to %d", p.Rounds, maxCount)
	}
	return nil
}

// Program prepares the benchmark, which must be valid, in the set-up of a run of
// m, and answers the bodies of its threads. The first one calls o.Started and
// o.Stopped; there is no use of o.Move. The result is what the word holds in the
// end: two writes for each round.
func (p PingPong) Program(m *machine.Machine, o Options) (bodies [2]func(*machine.Thread), result *Result) {
	word, done := o.alloc(m, 64), o.alloc(m, 64)
	result = &Result{Detail: "the bodies have not returned"}
	for side := range bodies {
		bodies[side] = func(t *machine.Thread) {
			if side == 0 {
				o.started(t)
			}
			p.play(t, word, side)
			if side == 0 {
				o.stopped(t)
			}
			if t.FetchAdd(done, machine.Size64, 1, machine.AcqRel) == 0 {
				return // the other one judges
			}
			got, want := t.Load64(word), 2*uint64(p.Rounds)
			*result = Result{Verified: got == want, Checks: 1}
			result.Detail = fmt.Sprintf("the word is %d, want %d", got, want)
			if got != want {
				result.Failed = 1
			}
		}
	}
	return bodies, result
}

func (p PingPong) play(t *machine.Thread, word machine.VA, side int) {
	for i := range uint64(p.Rounds) {
		if p.Free {
			t.FetchAdd(word, machine.Size64, 1, machine.AcqRel)
			continue
		}
		turn := 2*i + uint64(side)
		t.Await(machine.Until(word, turn))
		t.Store(word, machine.Size64, turn+1, machine.Release)
	}
}

// ProducerConsumer is a microbenchmark of a thread that fills a buffer and one that
// reads it, in turns: the buffer's lines move from cache to cache.
type ProducerConsumer struct {
	Buffer uint64 // bytes, a multiple of 8; zero means 64 KiB
	Rounds int    // how often it is filled
}

// Validate says what is wrong with the benchmark, or nil.
func (p ProducerConsumer) Validate() error {
	switch {
	case p.Buffer%8 != 0 || p.Buffer > machine.MaxMemory:
		return fmt.Errorf("buffer of %d bytes: use a multiple of 8 up to %d", p.Buffer, uint64(machine.MaxMemory))
	case p.Rounds < 1 || p.Rounds > maxCount:
		return fmt.Errorf("%d rounds of producer and consumer: use 1 to %d", p.Rounds, maxCount)
	}
	return nil
}

// Program prepares the benchmark, which must be valid, in the set-up of a run of
// m, and answers its threads' bodies: the producer's, which calls o.Started, and
// the consumer's, which calls o.Stopped. There is no use of o.Move. The result
// compares every word that the consumer reads with what the producer wrote.
func (p ProducerConsumer) Program(m *machine.Machine, o Options) (bodies [2]func(*machine.Thread), result *Result) {
	if p.Buffer == 0 {
		p.Buffer = 64 << 10
	}
	buffer, full := o.alloc(m, p.Buffer), o.alloc(m, 64)
	result = &Result{Detail: "the bodies have not returned"}
	words := p.Buffer / 8
	bodies[0] = func(t *machine.Thread) {
		o.started(t)
		for round := range uint64(p.Rounds) {
			t.Await(machine.Until(full, 0))
			for i := range words {
				t.Store64(buffer+machine.VA(8*i), round*words+i)
			}
			t.Store(full, machine.Size64, 1, machine.Release)
		}
	}
	bodies[1] = func(t *machine.Thread) {
		r := Result{}
		for round := range uint64(p.Rounds) {
			t.Await(machine.Until(full, 1))
			for i := range words {
				if t.Load64(buffer+machine.VA(8*i)) != round*words+i {
					r.Failed++
				}
			}
			r.Checks += int(words)
			t.Store(full, machine.Size64, 0, machine.Release)
		}
		o.stopped(t)
		r.Verified = r.Failed == 0
		r.Detail = fmt.Sprintf("%d of %d words differ from what was written", r.Failed, r.Checks)
		*result = r
	}
	return bodies, result
}
