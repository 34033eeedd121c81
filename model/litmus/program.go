package litmus

import "fmt"

// ISA is an instruction set of a thread.
type ISA uint8

// The instruction sets.
const (
	X86_64 ISA = iota
	AArch64
)

// String is the name as a header of a mixed test spells it.
func (i ISA) String() string {
	if i == X86_64 {
		return "x86_64"
	}
	return "aarch64"
}

// Reg is a register of a thread: 0 to 30 are X0 to X30 of AArch64, 0 to 15 the
// registers of x86-64 in the order of their encoding (rax, rcx, rdx, rbx, rsp,
// rbp, rsi, rdi, r8 … r15). All registers hold 64 bits.
type Reg uint8

// Registers that no instruction names by a number.
const (
	Zero    Reg = 31 // XZR: reads as 0, and what is written to it is lost
	Flags   Reg = 32 // the condition flags: see Cond
	Temp    Reg = 33 // the first of the registers that only lowering uses, up to NumRegs
	NumRegs     = 40
	NoReg   Reg = 255
)

// Operand is a register, or a constant if Reg is NoReg.
type Operand struct {
	Reg Reg
	Imm uint64
}

// Const is the operand that is v.
func Const(v uint64) Operand { return Operand{NoReg, v} }

// R is the operand that is a register.
func R(r Reg) Operand { return Operand{Reg: r} }

// Address is Base + Index + Offset; either register may be NoReg.
type Address struct {
	Base, Index Reg
	Offset      uint64 // modulo 2^64
}

// OpKind is what an operation does.
type OpKind uint8

// The kinds of operations. The fields of Op that each uses are in brackets.
const (
	OpNop        OpKind = iota
	OpALU               // [Fn Width Dst A B SetFlags]: Dst = Fn(A, B)
	OpSelect            // [Width Dst A B Cond]: Dst = A if the flags satisfy Cond, else B
	OpBranch            // [Target]
	OpBranchIf          // [Cond Target]: reads Flags
	OpBranchZero        // [Width A Target Not]: if A = 0, or with Not, if it is not
	OpLoad              // [Width Dst Addr Acquire AcquirePC]
	OpStore             // [Width A Addr Release]
	OpLoadEx            // as OpLoad, and opens the exclusive monitor: LDXR
	OpStoreEx           // as OpStore if the monitor still stands; Dst = 0, else 1: STXR
	OpUpdate            // [Fn Width Dst A Addr Acquire Release NoRet]: Dst = old, memory = Fn(old, A), in one instruction
	OpCAS               // [Width Dst A B Addr Acquire Release NoRet]: Dst = old; if old = B, memory = A
	OpFence             // [Fence]
	OpCut               // a loop has been unrolled as often as it may: this run counts for nothing
)

// Fn is a function of two operands of Width bytes, modulo their size.
type Fn uint8

// The functions.
const (
	FnMove   Fn = iota // B
	FnAdd              // A + B
	FnSub              // A - B
	FnAnd              // A & B
	FnOr               // A | B
	FnXor              // A ^ B
	FnClear            // A &^ B
	FnLSL              // A << B
	FnLSR              // A >> B
	FnASR              // A >> B, of a signed A
	FnSext             // the low Width bytes of B, sign-extended to 64 bits
	FnInsert           // all 64 bits of A with the low Width bytes replaced by B's
)

// FenceKind is a fence. ISB is no fence of memory but stands among them.
type FenceKind uint8

// The fences, by the effect of any of their spellings.
const (
	FenceFull  FenceKind = iota // mfence; DMB and DSB of SY, ISH, OSH
	FenceLoad                   // lfence; DMB and DSB of LD, ISHLD, OSHLD
	FenceStore                  // sfence; DMB of ST, ISHST, OSHST: earlier writes before later writes
	FenceISB
	FenceStoreAny // DSB of ST, ISHST, OSHST: earlier writes before later writes and reads
)

// Cond is a condition over the flags N, Z, C and V, in the sense of AArch64: C is
// set if a subtraction did not borrow. x86's carry is its complement, which the
// decoder has taken into account.
type Cond uint8

// The conditions, in AArch64's encoding; x86's are mapped to them.
const (
	EQ Cond = iota
	NE
	HS
	LO
	MI
	PL
	VS
	VC
	HI
	LS
	GE
	LT
	GT
	LE
	AL
)

// The flags in the Flags register.
const (
	FlagN uint64 = 8
	FlagZ uint64 = 4
	FlagC uint64 = 2
	FlagV uint64 = 1
)

// Holds says whether flags satisfy the condition.
func (c Cond) Holds(flags uint64) bool {
	n, z, cy, v := flags&FlagN != 0, flags&FlagZ != 0, flags&FlagC != 0, flags&FlagV != 0
	var r bool
	switch c &^ 1 {
	case EQ:
		r = z
	case HS:
		r = cy
	case MI:
		r = n
	case VS:
		r = v
	case HI:
		r = cy && !z
	case GE:
		r = n == v
	case GT:
		r = n == v && !z
	default:
		return true
	}
	return r != (c&1 == 1)
}

// Op is one operation of a thread's program: what an instruction does, or one
// of the parts that it does one after the other (a load and an addition). An
// operation accesses memory at most once, where a read-modify-write is one.
// It is plain data that both engines interpret, each in its own way.
type Op struct {
	Kind      OpKind
	Fn        Fn
	Cond      Cond
	Fence     FenceKind
	Width     uint8 // bytes: 1, 2, 4 or 8
	Acquire   bool  // LDAR, and the A of LDAXR, CASA, SWPA, LDADDA …
	AcquirePC bool  // LDAPR
	Release   bool  // STLR, and the L of STLXR, CASL …
	NoRet     bool  // STADD …, or a read-modify-write whose result goes to XZR
	SetFlags  bool
	keepsC    bool // of SetFlags, but C: inc and dec of x86-64; the decoder lets nothing read C behind
	Not       bool
	Dst       Reg // NoReg if the result is lost
	A, B      Operand
	Addr      Address
	Target    int // index of an operation; len(code) is the end
	Line      int // of the test's file, from 1
	Text      string
}

// Apply computes Fn over width bytes of a and b. Results of less than 8 bytes
// are zero-extended, as both ISAs do for 4 (FnSext and FnInsert but).
func (f Fn) Apply(width uint8, a, b uint64) uint64 {
	m := ^uint64(0) >> (64 - 8*uint(width))
	switch f {
	case FnSext:
		sh := 64 - 8*uint(width)
		return uint64(int64(b<<sh) >> sh)
	case FnInsert:
		return a&^m | b&m
	case FnASR:
		return uint64(int64(FnSext.Apply(width, 0, a))>>(b&(8*uint64(width)-1))) & m
	}
	a, b = a&m, b&m
	switch f {
	case FnMove:
		a = b
	case FnAdd:
		a += b
	case FnSub:
		a -= b
	case FnAnd:
		a &= b
	case FnOr:
		a |= b
	case FnXor:
		a ^= b
	case FnClear:
		a &^= b
	case FnLSL:
		a <<= b & (8*uint64(width) - 1)
	case FnLSR:
		a >>= b & (8*uint64(width) - 1)
	}
	return a & m
}

// FlagsOf are the flags that Fn sets over width bytes of a and b. What is not
// arithmetic leaves V clear and C set, which reads as x86's cleared carry; on
// AArch64, ANDS and TST clear C: the decoder refuses to read C after them.
func (f Fn) FlagsOf(width uint8, a, b uint64) uint64 {
	m := ^uint64(0) >> (64 - 8*uint(width))
	sign := m &^ (m >> 1)
	a, b = a&m, b&m
	r := f.Apply(width, a, b)
	flags := uint64(0)
	if r&sign != 0 {
		flags |= FlagN
	}
	if r == 0 {
		flags |= FlagZ
	}
	switch f {
	case FnSub:
		if a >= b {
			flags |= FlagC
		}
		if (a^b)&(a^r)&sign != 0 {
			flags |= FlagV
		}
	case FnAdd:
		if r < a {
			flags |= FlagC
		}
		if ^(a^b)&(a^r)&sign != 0 {
			flags |= FlagV
		}
	default:
		flags |= FlagC
	}
	return flags
}

// Location is a variable of a test.
type Location struct {
	Name string
	Size uint8 // bytes of every access to it
	Init uint64
}

// Addresses of the locations: they don't fit into 4 bytes, so that an address cut
// short is never taken for one.
const (
	addressBase   = 0x5_0000_0000
	addressStride = 1 << 16
)

// AddressOf is the address of location i.
func AddressOf(i int) uint64 { return addressBase + uint64(i)*addressStride }

// Thread is the code that a thread runs, without loops: each jump goes forward.
type Thread struct {
	ISA  ISA
	Code []Op
	Init [NumRegs]uint64
}

// Observable is a component of a final state: a register of a thread, or a location.
type Observable struct {
	Thread int // -1 for a location
	Reg    Reg
	Loc    int
}

// Program is a test in the form that engines run.
type Program struct {
	Threads   []Thread
	Locations []Location
	Observed  []Observable
}

// State is a final state: the values of Program.Observed.
type State []uint64

// Locate is the location that an operation accesses. An address that is none's
// and an access of another size than the location's are errors, which name the
// line of the operation.
func (p *Program) Locate(op *Op, addr uint64) (int, error) {
	i := int((addr - addressBase) / addressStride)
	switch {
	case addr < addressBase || i >= len(p.Locations) || addr != AddressOf(i):
		return 0, fmt.Errorf("line %d: %q accesses %#x, which is the address of no location of the test", op.Line, op.Text, addr)
	case op.Width != p.Locations[i].Size:
		return 0, fmt.Errorf("line %d: %q accesses %d bytes of %s, which has %d: accesses of mixed sizes are not supported",
			op.Line, op.Text, op.Width, p.Locations[i].Name, p.Locations[i].Size)
	}
	return i, nil
}
