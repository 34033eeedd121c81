package machine

import "github.com/fusedos/stramash/model/spec"

// RecordKind tells the three kinds of record in a [History] apart.
type RecordKind uint8

// The kinds of record.
const (
	CallRecord   RecordKind = iota + 1 // an operation was invoked
	ReturnRecord                       // the operation that the client has open on the object answered
	NoteRecord                         // something a judge should know
)

// NoteKind says what a note is about.
type NoteKind uint16

// The notes that the judges of package checkers understand. A target may use
// kinds from NoteUser up for judges of its own.
const (
	// NoteAcquire announces that the client will acquire lock Object, of
	// class Arg (any number; locks of one class share their place in the
	// lock order). Arg2 holds LockFlags.
	NoteAcquire NoteKind = iota + 1
	// NoteAcquired says that the client now holds lock Object. Arg and Arg2
	// are as in NoteAcquire.
	NoteAcquired
	// NoteRelease says that the client is about to give up lock Object. Arg
	// and Arg2 are as in NoteAcquire.
	NoteRelease
	// NoteWrite says that the client wrote Arg to the data that lock Object
	// protects, and NoteRead that it read Arg there. The protected data
	// starts as zero.
	NoteWrite
	NoteRead
	// NoteUser is the first kind that targets may define.
	NoteUser NoteKind = 64
)

// LockFlags qualifies an acquisition or a release; it travels in a note's Arg2.
type LockFlags = uint64

// The flags of an acquisition.
const (
	SharedLock LockFlags = 1 << iota // readers share the lock among themselves
	TryLock                          // the acquisition gives up rather than wait
)

// NoCPU is the CPU of a record that no simulated CPU made: of a history that was
// recorded elsewhere.
const NoCPU uint8 = 255

// Record is one entry of a [History]. Its place in the history is its time:
// a call stands where its first access to the machine was executed, a return
// directly behind its last one. A client has at most one operation open on an object.
type Record struct {
	Kind    RecordKind
	OK      bool     // of a return: spec.Ret.OK
	InIRQ   bool     // the client is an interrupt handler's activation
	IRQsOff bool     // interrupts were disabled on the client's CPU
	CPU     uint8    // the CPU that the client ran on, or NoCPU
	Op      spec.Op  // of a call
	Note    NoteKind // of a note
	Client  int32    // the context: a thread, or one activation of a handler
	Step    int32    // steps executed before it
	Object  VA       // what it is about: the address of a lock, a queue …
	Arg     uint64   // of a call or a note
	Arg2    uint64   // of a call or a note
	Val     uint64   // of a return: spec.Ret.Val
	// View is, under a weak memory order, what the CPU knows of memory, as a
	// timestamp of package machine/order: of a call, up to where all that it reads
	// from then on must be; of a return, the newest that it has read or written.
	View uint32
}

// History is what the threads of one run recorded, in the order in which it
// happened. It is valid until the machine's next run.
type History []Record
