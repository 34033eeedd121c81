package targets

import (
	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// rcu is a target for readers that take no lock: an object is published in the place
// of another, which is freed when no reader can use it any more. What is published is
// a register. By the plain choices the first thread publishes and the second reads.
func rcu() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/rcu", Doc: "readers without a lock see whole objects, which live as long as they read", Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.Register(0))),
		Setup: func(m *machine.Machine) fuzz.Program {
			p := newPublished(m)
			return fuzz.Program{Threads: threads(m, func(t *machine.Thread, self, round int) {
				if (self+t.Choose("role", 2))%2 == 0 {
					v := uint64(8*self + round + 1)
					t.Call(p.at, spec.RegisterWrite, v)
					old := p.publish(t, v)
					t.Return(p.at, 0, true)
					p.retire(t, old)
				} else {
					t.Call(p.at, spec.RegisterRead)
					t.Return(p.at, p.read(t), true)
				}
			})}
		},
	}
}

// published is an object to which readers find a pointer: the read-copy update of
// P. McKenney and J. Slingwine ("Read-copy update: using execution history to solve
// concurrency problems", PDCS 1998), with a flag for each CPU that says that it reads,
// as in the first of M. Desnoyers et al., "User-level implementations of read-copy
// update", TPDS 2012.
//
// Memory: u64 pointer; for each CPU, in a line of its own, u64 reading. Memory of an
// object, on the heap: u64 value, twice. The lock is the publishers'.
type published struct {
	lock    locks.Ordered
	at      machine.VA
	reading []machine.VA // of each CPU
}

const (
	publishedTwin = 8
	publishedSize = 16
)

func newPublished(m *machine.Machine) published {
	p := published{lock: locks.NewTicket(m, locks.Home{Name: "publishers' lock"}, 0), at: m.Alloc(64)}
	m.Label(p.at, 8, "pointer")
	for cpu := range m.CPUs() {
		p.reading = append(p.reading, m.AllocOn(m.NodeOf(cpu), 64))
		m.Label(p.reading[cpu], 8, "reading")
	}
	return p
}

// publish puts a new object in the place of the published one, which it answers.
func (p published) publish(t *machine.Thread, v uint64) (old machine.VA) {
	object := t.Alloc(publishedSize)
	t.Store64(object, v)
	t.Store64(object+publishedTwin, v)
	p.lock.Acquire(t)
	old = machine.VA(t.Load(p.at, machine.Size64, machine.Relaxed))
	// Release, for the readers' dependent loads: else they read what was in the
	// memory before (Linux's rcu_assign_pointer).
	t.Store(p.at, machine.Size64, uint64(object), machine.Release)
	p.lock.Release(t)
	return old
}

// retire frees an object that is published no more, when every CPU was seen not to
// read.
func (p published) retire(t *machine.Thread, old machine.VA) {
	if old == 0 {
		return
	}
	// Full, as the readers': else a reader's flag is not seen though it found the old
	// pointer (smp_mb in Linux's synchronize_rcu and synchronize_srcu).
	t.Fence(machine.FullFence)
	for _, flag := range p.reading {
		// Acquire, for the readers' clearing of the flag: what they read was read before.
		t.Await(machine.Cond{Addr: flag, Mask: ^uint64(0), Want: 0, Order: machine.AcquirePC})
	}
	t.Free(old)
}

// read is the value of the published object, zero if there is none. Halves that do
// not belong together make a value that nobody has published.
func (p published) read(t *machine.Thread) (v uint64) {
	flag := p.reading[t.CPU()]
	t.Store(flag, machine.Size64, 1, machine.Relaxed)
	t.Fence(machine.FullFence) // see retire
	if object := machine.VA(t.Load(p.at, machine.Size64, machine.Relaxed)); object != 0 {
		// The address depends on the pointer, which orders these loads behind it
		// (Linux's rcu_dereference).
		pointer := t.Read()
		t.Address(pointer)
		v = t.Load(object, machine.Size64, machine.Relaxed)
		t.Address(pointer)
		if t.Load(object+publishedTwin, machine.Size64, machine.Relaxed) != v {
			v = 1 << 63
		}
	}
	// Release, for the publisher: what was read was read before it frees.
	t.Store(flag, machine.Size64, 0, machine.Release)
	return v
}
