package targets

import (
	"fmt"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/locks"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// objects is a target for objects that are shared by counting references:
// threads publish one in the place of another, use the one that is published, and
// free those that nobody refers to any more. What is published is a register. By
// the plain choices the first thread publishes and the second one looks up.
func objects() fuzz.Target {
	return fuzz.Target{
		Name: "kernel/objects", Doc: "objects with counted references live as long as somebody uses them", Platform: platform(),
		Judges: onLocks(checkers.Linearizable(spec.Register(0))),
		Setup: func(m *machine.Machine) fuzz.Program {
			o := newObjectTable(m)
			return fuzz.Program{
				Threads: threads(m, func(t *machine.Thread, self, round int) {
					switch (self + t.Choose("role", 3)) % 3 {
					case 0:
						v := uint64(8*self + round + 1)
						t.Call(o.at, spec.RegisterWrite, v)
						o.publish(t, v)
						t.Return(o.at, 0, true)
					case 1:
						t.Call(o.at, spec.RegisterRead)
						t.Return(o.at, o.read(t), true)
					case 2:
						o.reap(t)
					}
				}),
				After: func() error { return o.check(m) },
			}
		},
	}
}

// objectTable refers to an object by which all CPUs find it. Its memory: u64
// current, the address of the object that is published, zero if none is; u64
// limbo, of one that nobody refers to, zero if there is none. The lock guards
// both; but whether they are zero is looked at without, so these accesses are relaxed:
// what they see is looked at again under the lock. Who drops the last reference may be unable to wait for the heap, so it
// leaves the object in limbo, and frees only what it finds there; reap frees the
// last one.
//
// Memory of an object, on the heap: u64 references, of which the table's is one;
// u64 value, twice, read-only once it is published. A reference is taken under the
// lock, while the table's own keeps the object alive (the rules of Linux's
// Documentation/core-api/kref.rst); it is dropped without.
type objectTable struct {
	lock locks.Ordered
	at   machine.VA
}

const (
	tableCurrent = 0
	tableLimbo   = 8
	tableSize    = 16

	objectRefs  = 0
	objectValue = 8
	objectTwin  = 16
	objectSize  = 24
)

func newObjectTable(m *machine.Machine) objectTable {
	o := objectTable{locks.NewTicket(m, locks.Home{Name: "table lock"}, 0), m.Alloc(tableSize)}
	m.Label(o.at, tableSize, "table")
	return o
}

// publish puts a new object with a value in the place of the current one.
func (o objectTable) publish(t *machine.Thread, v uint64) {
	object := t.Alloc(objectSize)
	t.Store64(object+objectRefs, 1)
	t.Store64(object+objectValue, v)
	t.Store64(object+objectTwin, v)
	o.put(t, o.replace(t, tableCurrent, object))
}

// replace puts an address in the place of what the table holds, and answers that.
func (o objectTable) replace(t *machine.Thread, entry, v machine.VA) (old machine.VA) {
	o.lock.Acquire(t)
	old = machine.VA(t.Load64(o.at + entry))
	t.Store(o.at+entry, machine.Size64, uint64(v), machine.Relaxed)
	o.lock.Release(t)
	return old
}

// read is the value of the current object, zero if there is none. Halves that do
// not belong together make a value that nobody has published.
func (o objectTable) read(t *machine.Thread) (v uint64) {
	object := o.get(t)
	if object == 0 {
		return 0
	}
	if v = t.Load64(object + objectValue); t.Load64(object+objectTwin) != v {
		v = 1 << 63
	}
	o.put(t, object)
	return v
}

// look is an entry without the lock.
func (o objectTable) look(t *machine.Thread, entry machine.VA) machine.VA {
	return machine.VA(t.Load(o.at+entry, machine.Size64, machine.Relaxed))
}

// get takes a reference to the current object, if there is one.
func (o objectTable) get(t *machine.Thread) (object machine.VA) {
	if o.look(t, tableCurrent) == 0 {
		return 0
	}
	o.lock.Acquire(t)
	if object = machine.VA(t.Load64(o.at + tableCurrent)); object != 0 {
		addTo(t, object+objectRefs, 1, machine.Relaxed)
	}
	o.lock.Release(t)
	return object
}

// put drops a reference. The update releases what its holder did with the object,
// and whoever drops the last one acquires what all have done.
func (o objectTable) put(t *machine.Thread, object machine.VA) {
	if object != 0 && addTo(t, object+objectRefs, ^uint64(0), machine.AcqRel) == 1 {
		t.Free(o.replace(t, tableLimbo, object))
	}
}

// reap frees the object in limbo, if there is one.
func (o objectTable) reap(t *machine.Thread) {
	if o.look(t, tableLimbo) != 0 {
		t.Free(o.replace(t, tableLimbo, 0))
	}
}

// check looks whether the heap holds what the table refers to and no more.
func (o objectTable) check(m *machine.Machine) error {
	want := 0
	for _, entry := range []machine.VA{tableCurrent, tableLimbo} {
		if m.Peek64(o.at+entry) != 0 {
			want++
		}
	}
	if err := fuzz.Want(m.Allocated(), want); err != nil {
		return fmt.Errorf("blocks of the heap: %w", err)
	}
	return nil
}

// addTo adds to a word, with what the CPU has for it, and answers the old value.
func addTo(t *machine.Thread, a machine.VA, v uint64, o machine.Order) uint64 {
	if t.ISA().RMW {
		return t.FetchAdd(a, machine.Size64, v, o)
	}
	load, store := machine.Relaxed, machine.Relaxed
	if o == machine.AcqRel {
		load, store = machine.Acquire, machine.Release
	}
	for {
		old := t.LoadExclusive(a, machine.Size64, load)
		if t.StoreExclusive(a, machine.Size64, old+v, store) {
			return old
		}
	}
}
