package targets

import (
	"fmt"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
)

// rendezvous is a target for calls across CPUs: a thread has all others execute a
// request in an interrupt handler and waits for them, as for a shootdown.
func rendezvous() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/rendezvous", Doc: "a request that all CPUs execute in a handler is the one that was made", Platform: platform(),
		Judges: onLocks(),
		Setup: func(m *machine.Machine) fuzz.Program {
			c := newCrossCall(m)
			wrong := 0
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, _, _ int) { wrong += c.call(t) }),
				After: func() error {
					if wrong > 0 {
						return fmt.Errorf("%d answers were to another request", wrong)
					}
					return nil
				},
			}
		},
	}
}

// crossCall is FreeBSD's smp_rendezvous (sys/kern/subr_smp.c): one request at a time,
// under a lock, whose variables the handlers read because an interrupt came. Who
// waits for the lock keeps interrupts enabled, and so answers.
//
// Memory: u64 request, how many there were and which one it is; for each CPU, in a
// line of its own, u64 answer, and u64 done, the last request that it has executed.
type crossCall struct {
	lock    locks.Ordered
	request machine.VA
	cpus    []machine.VA
}

const (
	callAnswer = 0
	callDone   = 8
)

func newCrossCall(m *machine.Machine) crossCall {
	c := crossCall{lock: locks.NewTAS(m, locks.Home{Name: "rendezvous lock"}), request: m.Alloc(64)}
	m.Label(c.request, 8, "request")
	for cpu := range m.CPUs() {
		c.cpus = append(c.cpus, m.AllocOn(m.NodeOf(cpu), 64))
		m.Label(c.cpus[cpu], 16, "answer")
	}
	m.HandleAll(machine.VectorIPI, func(t *machine.Thread, _ *machine.Frame) { c.handle(t) })
	return c
}

// answerTo is the right answer to a request.
func answerTo(request uint64) uint64 { return request * 3 }

// call makes a request, and answers how many of the others' answers are wrong.
func (c crossCall) call(t *machine.Thread) (wrong int) {
	c.lock.Acquire(t)
	request := t.Load(c.request, machine.Size64, machine.Relaxed) + 1
	t.Store(c.request, machine.Size64, request, machine.Relaxed)
	// The request comes before the interrupt: else a handler reads the one before,
	// and who waits for its answer waits for ever (DSB ISHST before the SGI, as in
	// Linux's gic_ipi_send_mask and FreeBSD's b71d94209ed2).
	t.Fence(machine.StoreFence)
	for cpu := range c.cpus {
		if cpu != t.CPU() {
			t.SendIPI(cpu, machine.VectorIPI)
		}
	}
	for cpu, at := range c.cpus {
		if cpu == t.CPU() {
			continue
		}
		// Acquire, for the handler's done: else its answer is that to an earlier request.
		t.Await(machine.Cond{Addr: at + callDone, Mask: ^uint64(0), Want: request, Order: machine.AcquirePC})
		if t.Load(at+callAnswer, machine.Size64, machine.Relaxed) != answerTo(request) {
			wrong++
		}
	}
	c.lock.Release(t)
	return wrong
}

// handle executes the request. All accesses are marked, for no kernel trusts
// another to follow the protocol.
func (c crossCall) handle(t *machine.Thread) {
	at, request := c.cpus[t.CPU()], t.Load(c.request, machine.Size64, machine.Relaxed)
	t.Store(at+callAnswer, machine.Size64, answerTo(request), machine.Relaxed)
	// Release, for who waits: else it reads the answer to an earlier request.
	t.Store(at+callDone, machine.Size64, request, machine.Release)
}
