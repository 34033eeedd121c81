package checkers_test

import (
	"fmt"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Two clients lock a mutex, and both are told that they have it.
func ExampleLinearizable() {
	const lock machine.VA = 0x1000
	h := machine.History{
		{Kind: machine.CallRecord, Client: 0, CPU: 0, Object: lock, Op: spec.MutexLock},
		{Kind: machine.CallRecord, Client: 1, CPU: 1, Object: lock, Op: spec.MutexLock},
		{Kind: machine.ReturnRecord, Client: 0, CPU: 0, Object: lock, OK: true},
		{Kind: machine.ReturnRecord, Client: 1, CPU: 1, Object: lock, OK: true},
	}
	v := checkers.Linearizable(spec.Mutex()).Check(h).Violation
	fmt.Println(v.Signature())
	fmt.Println(v.Message)
	// Output:
	// linearizable/mutex: linearizability: 0x1000
	// client 1 (CPU 1) got Lock(), which no order of the operations explains: the mutex could only be held by client 0
}

// A client reads stale data in its critical section.
func ExampleExclusion() {
	const lock machine.VA = 0x1000
	note := func(client int32, kind machine.NoteKind, value uint64) machine.Record {
		return machine.Record{Kind: machine.NoteRecord, Client: client, CPU: uint8(client),
			Object: lock, Note: kind, Arg: value}
	}
	v := checkers.Exclusion().Check(machine.History{
		note(0, machine.NoteAcquired, 0),
		note(0, machine.NoteWrite, 7),
		note(0, machine.NoteRelease, 0),
		note(1, machine.NoteAcquired, 0),
		note(1, machine.NoteRead, 0),
	}).Violation
	fmt.Printf("%s, record %d: %s\n", v.Rule, v.At, v.Message)
	// Output:
	// publication, record 4: client 1 (CPU 1) read 0 from what lock 0x1000 protects, but client 0 (CPU 0) had written 7 there
}

// Two clients take two locks in opposite orders, one after the other: nothing
// went wrong, but it could have.
func ExampleLockOrder() {
	const table, page = 1, 2 // classes
	note := func(client int32, kind machine.NoteKind, class uint64) machine.Record {
		return machine.Record{Kind: machine.NoteRecord, Client: client, CPU: uint8(client),
			Object: machine.VA(class * 0x1000), Note: kind, Arg: class}
	}
	v := checkers.LockOrder().Check(machine.History{
		note(0, machine.NoteAcquired, table),
		note(0, machine.NoteAcquired, page),
		note(0, machine.NoteRelease, page),
		note(0, machine.NoteRelease, table),
		note(1, machine.NoteAcquired, page),
		note(1, machine.NoteAcquire, table),
	}).Violation
	fmt.Println(v.Rule, "at record", v.At)
	// Output:
	// lock order at record 5
}
