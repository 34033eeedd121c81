// Package litmus reads and writes litmus tests in herd's format, for x86-64, for
// AArch64, and for machines that have both, and lowers them to programs that the
// engines of model/memory run. (The format: J. Alglave, L. Maranget, M.
// Tautschnig, "Herding cats", TOPLAS 36(2), 2014, and herdtools7's manual.)
//
// A mixed test has the header MIXED and columns like P0:x86_64 | P1:aarch64. What
// is not supported is refused with the line and the reason.
//
// Instructions of x86-64, in AT&T's syntax, of 1, 2, 4 and 8 bytes by suffix or
// register: mov movz movs xchg xadd add sub and or xor inc dec cmp test, cmpxchg
// with lock, lock with those that change memory, setcc cmovcc jcc jmp (not of
// parity), mfence lfence sfence nop. Operands in memory are (x), x, [x], (%rax),
// 8(%rax), (%rax,%rbx).
//
// Instructions of AArch64, with W and X registers: LDR STR LDUR STUR (offset,
// index, extended index, pre- and post-index), LDAR LDAPR STLR LDXR LDAXR STXR
// STLXR, CAS SWP LDADD LDCLR LDEOR LDSET with A, L and AL, STADD STCLR STEOR
// STSET with L, all of these with B and H; DMB DSB ISB NOP; MOV ADD SUB AND ORR
// EOR BIC LSL LSR ASR, ADDS SUBS ANDS BICS CMP CMN TST, CSEL CSINC CSET, CBZ CBNZ
// B B.cond.
//
// Not supported are accesses of mixed sizes, pairs, vectors, arrays, faults, page
// tables, tags, code as data, filter, and conditions that read the carry where it
// is not that of a comparison.
package litmus
