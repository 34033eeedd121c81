package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// ring is a target for message passing between two kernels without a lock: each
// sends to the other over a ring of its own and sleeps when it has nothing to
// receive. Each ring is a queue.
func ring() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/ring", Doc: "messages between two kernels arrive whole and in order, and wake who sleeps", Platform: machine.Pair(),
		Judges: []checkers.Judge{checkers.Linearizable(spec.Queue())},
		Setup: func(m *machine.Machine) fuzz.Program {
			rings := []messageRing{newMessageRing(m, 0, 1), newMessageRing(m, 1, 0)}
			m.HandleAll(machine.VectorIPI, func(*machine.Thread, *machine.Frame) {}) // it ends a halt
			messages, ahead := uint64(1+m.Choose("messages", 4)), uint64(m.Choose("ahead", ringSlots))
			return fuzz.Program{Threads: fuzz.Each(m, func(t *machine.Thread) {
				out, in := rings[t.CPU()], rings[1-t.CPU()]
				for i := range messages + ahead {
					if i < messages {
						out.send(t, i)
					}
					if i >= ahead {
						in.receive(t, i-ahead)
					}
				}
			})}
		},
	}
}

// messageRing is a ring of messages from one CPU to another. It is the ring of the
// Stramash artifact (messaging layer shm.c), with the positions that both sides keep
// to themselves, and with io_uring's IORING_SQ_NEED_WAKEUP: who finds the ring empty
// says that it sleeps, and only then an interrupt is sent. Both kernels mark all
// accesses, for neither trusts the other to follow the protocol.
//
// Memory: u64 head, how many messages were sent; u64 tail, how many were received,
// in a line of its own; u64 asleep, beside it; then ringSlots messages of two words,
// of which the second is the complement of the first.
type messageRing struct {
	at machine.VA
	to int // the receiver
}

const (
	ringHead   = 0
	ringTail   = 64
	ringAsleep = 72
	ringSlot   = 128
	ringSlots  = 2
	ringSize   = ringSlot + 16*ringSlots
)

// newMessageRing makes an empty ring in the memory of the sender's node.
func newMessageRing(m *machine.Machine, from, to int) messageRing {
	r := messageRing{m.AllocOn(m.NodeOf(from), ringSize), to}
	m.Label(r.at, ringSize, "ring")
	return r
}

func (r messageRing) slot(i uint64) machine.VA { return r.at + ringSlot + machine.VA(16*(i%ringSlots)) }

// send sends the i-th message, counted from 0. It waits while the ring is full.
func (r messageRing) send(t *machine.Thread, i uint64) {
	t.Call(r.at, spec.QueueEnqueue, i+1)
	if i >= ringSlots {
		// Acquire, for the receiver's tail: else the message overwrites one that is
		// still being read.
		t.Await(machine.Cond{Addr: r.at + ringTail, Mask: ^uint64(0), Want: i - ringSlots, Relation: machine.NotEqual, Order: machine.AcquirePC})
	}
	t.Store(r.slot(i), machine.Size64, i+1, machine.Relaxed)
	t.Store(r.slot(i)+8, machine.Size64, ^(i + 1), machine.Relaxed)
	// Release, for the receiver's acquiring look at head: else it reads what was in
	// the slot before.
	t.Store(r.at+ringHead, machine.Size64, i+1, machine.Release)
	// Full, as the receiver's: else both look before either has stored, and it sleeps
	// on a message.
	t.Fence(machine.FullFence)
	if t.Load(r.at+ringAsleep, machine.Size64, machine.Relaxed) != 0 {
		t.SendIPI(r.to, machine.VectorIPI)
	}
	t.Return(r.at, 0, true)
}

// receive receives the i-th message. It sleeps until there is one.
func (r messageRing) receive(t *machine.Thread, i uint64) {
	// Acquire, for the sender's head: else the message is what was in the slot before.
	for t.Load(r.at+ringHead, machine.Size64, machine.AcquirePC) == i {
		r.sleep(t, i)
	}
	t.Call(r.at, spec.QueueDequeue)
	v := t.Load(r.slot(i), machine.Size64, machine.Relaxed)
	if w := t.Load(r.slot(i)+8, machine.Size64, machine.Relaxed); w != ^v {
		v |= 1 << 63 // no message that was sent
	}
	// Release, for the sender that waits for room.
	t.Store(r.at+ringTail, machine.Size64, i+1, machine.Release)
	t.Return(r.at, v, true)
}

// sleep halts until an interrupt comes, if the i-th message has not been sent.
func (r messageRing) sleep(t *machine.Thread, i uint64) {
	enabled := t.DisableInterrupts()
	t.Store(r.at+ringAsleep, machine.Size64, 1, machine.Relaxed)
	t.Fence(machine.FullFence) // see send
	if t.Load(r.at+ringHead, machine.Size64, machine.Relaxed) == i {
		t.AsleepUntil(machine.While(r.at+ringHead, i))
		t.WaitForInterrupt()
	}
	t.Store(r.at+ringAsleep, machine.Size64, 0, machine.Relaxed)
	t.RestoreInterrupts(enabled)
}
