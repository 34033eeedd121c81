package machine

import "github.com/fusedos/stramash/machine/order"

// ISA is an instruction set, as far as the machine must know it: which
// atomic instructions it has. It is a value chosen at run time, because CPUs
// of several ISAs share one machine; another ISA is another value.
type ISA struct {
	// Name is the architecture's own name for itself, as reports print it.
	Name string
	// RMW says that single instructions read, modify and write memory: the
	// LOCK-prefixed ones of x86-64, FEAT_LSE on AArch64.
	RMW bool
	// Exclusives says that there are load-exclusive and store-exclusive
	// (LL/SC) with a monitor.
	Exclusives bool
	// TLBI says that invalidations of translations are posted, may be broadcast to all
	// CPUs of a node, and are complete behind a SyncFence. Without it they are
	// complete when they return, and reach their own CPU only.
	TLBI bool
	// Rules are those of its memory order; see MemoryOrder.
	Rules order.Rules
}

// The instruction sets of the platform.
var (
	// X86 is x86-64.
	X86 = ISA{Name: "x86-64", RMW: true, Rules: order.X86}
	// AArch64 is Armv8.1-A and later in its 64-bit state: exclusives and LSE.
	AArch64 = ISA{Name: "aarch64", RMW: true, Exclusives: true, TLBI: true, Rules: order.Arm}
	// AArch64LLSC is Armv8.0-A: exclusives only.
	AArch64LLSC = ISA{Name: "aarch64-llsc", Exclusives: true, TLBI: true, Rules: order.Arm}
)

// Size is the width of an access in bytes: 1, 2, 4 or 8.
type Size uint8

// The access sizes.
const (
	Size8  Size = 1
	Size16 Size = 2
	Size32 Size = 4
	Size64 Size = 8
)

// mask has the bits of a value of size s.
func (s Size) mask() uint64 { return ^uint64(0) >> (64 - 8*uint(s)) }

// Order is the memory order that an instruction itself carries. On x86-64
// every load acquires, every store releases and every read-modify-write is a
// full fence, whatever is asked.
type Order uint8

// The orders. A load is Plain, Relaxed, AcquirePC (AArch64 LDAPR) or Acquire
// (LDAR); a store is Plain, Relaxed or Release (STLR); a read-modify-write is any
// of them but AcquirePC.
const (
	Plain Order = iota
	AcquirePC
	Acquire
	Release
	AcqRel
	// Relaxed orders no more than Plain, but marks an access whose races are
	// intended: memory_order_relaxed of C11; READ_ONCE, WRITE_ONCE and
	// data_race of Linux. It is the same instruction.
	Relaxed
)

var orderNames = [...]string{"", "acquire-pc", "acquire", "release", "acq-rel", "relaxed"}

// String returns the order's name, empty for Plain.
func (o Order) String() string { return orderNames[o] }

// OpKind is what an operation does.
type OpKind uint8

// The kinds of operation.
const (
	OpNone         OpKind = iota
	OpLoad                // reads
	OpStore               // writes
	OpCAS                 // compares, and writes if equal
	OpSwap                // writes, and answers the old value
	OpAdd                 // adds, and answers the old value
	OpAnd                 // clears bits, and answers the old value
	OpOr                  // sets bits, and answers the old value
	OpTestSet             // sets one bit, and answers the old one
	OpLoadEx              // reads and opens a reservation
	OpStoreEx             // writes if the reservation still stands
	OpFence               // orders; Addr holds the Fence
	OpAwait               // reads until a condition holds
	OpTimeout             // an Await gives up
	OpHalt                // rests until an interrupt; Addr is unused
	OpVector              // enters a handler; Addr holds the Vector
	OpVectorReturn        // leaves a handler; Addr holds the Vector
	OpSend                // raises an interrupt; Addr is cpu<<8 | Vector
	OpDeliver             // an interrupt line fires; Addr is cpu<<8 | Vector
	OpSwitch              // the CPU goes on with another thread; Addr holds the Handle
	OpSpawn               // creates a thread; Addr holds the Handle
	OpMask                // disables interrupts
	OpAlloc               // takes a block of the heap; Addr is its size, in an event its address
	OpFree                // gives a block of the heap back; Addr is its address
	OpDrain               // a store that was held back takes effect
	OpXor                 // flips bits, and answers the old value
	OpDevice              // accesses a register of a device; Addr is its address, in an event the device's
	OpWalk                // the walker of an MMU reads an entry; Addr is its physical address
	OpMark                // the walker sets the accessed or dirty bit of an entry
	OpInvalidate          // a CPU invalidates a page's translation in its TLB; AllPages for all
	OpBroadcast           // the same in the TLBs of all CPUs of its node
	OpInvalidated         // an invalidation that was posted to a TLB is done
	OpRoot                // sets the root of the CPU's page tables; Addr is its physical address
	OpTranslate           // an address is looked up, for an await or to no avail
	OpMessage             // something arrives at a cache or a directory; Addr is the line, in an event
)

var opNames = [...]string{
	"none", "load", "store", "cas", "swap", "add", "and", "or", "test-and-set",
	"load-exclusive", "store-exclusive", "fence", "await", "timeout", "halt",
	"enter", "leave", "send", "deliver", "switch", "spawn", "mask", "alloc", "free", "drain", "xor", "device",
	"walk", "mark", "invalidate", "broadcast", "invalidated", "set-root", "translate", "message",
}

// String returns the kind's name, in lower case.
func (k OpKind) String() string { return opNames[k] }

// Reads says whether the kind reads memory.
func (k OpKind) Reads() bool {
	return k == OpLoad || k == OpAwait || k == OpLoadEx || k >= OpCAS && k <= OpTestSet || k == OpXor || k == OpWalk || k == OpMark
}

// Writes says whether the kind may write memory.
func (k OpKind) Writes() bool {
	return k >= OpStore && k <= OpTestSet || k == OpStoreEx || k == OpDrain || k == OpXor || k == OpMark
}

// Op is an operation as an agent announces it, before it happens.
type Op struct {
	Kind  OpKind
	Size  Size
	Order Order
	Addr  VA // or as Kind says
}

// announced is an Op in the form in which the engine passes it around: its
// kind, size and order in one word.
type announced struct {
	code uint64
	addr VA
}

func (o Op) pack() announced {
	return announced{uint64(o.Kind) | uint64(o.Size)<<8 | uint64(o.Order)<<16, o.Addr}
}

func (a announced) kind() OpKind { return OpKind(a.code) }

func (a announced) op() Op { return Op{OpKind(a.code), Size(a.code >> 8), Order(a.code >> 16), a.addr} }

// hash is the operation as the hashes of a run see it.
func (a announced) hash() uint64 { return a.code<<40 ^ uint64(a.addr) }

// Fence is a kind of memory fence.
type Fence uint8

// The fences, with the instruction that each ISA has for it.
const (
	FullFence  Fence = iota + 1 // MFENCE; DMB SY
	LoadFence                   // LFENCE; DMB LD: earlier loads before later accesses
	StoreFence                  // SFENCE; DMB ST: earlier stores before later stores
	InstFence                   // serialising instruction; ISB
	// SyncFence is DSB ISH: a FullFence that also waits until the invalidations of
	// translations that the CPU has posted are done. x86-64, whose invalidations are
	// done when they return, has MFENCE.
	SyncFence
)
