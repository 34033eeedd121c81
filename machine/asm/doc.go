// Package asm runs litmus programs on the simulated machine, and finds all that the
// machine can do with one. It is how package machine/order is held against the
// architectures: what kernel code can meet under machine.Native is what litmus tests
// can end in here.
//
// There are two ways. A [Bench] makes a machine with a CPU for each thread, whose
// bodies are the threads' operations by the calls of machine.Thread that stand for
// them, with all register dependencies; [Sample] runs it by random choices. [Reach]
// and [Explorer] search all states, over the rules of machine/order alone: registers,
// views, stores that are held back, and messages. States that go on alike are made
// one (order.System.Compact), and what no other thread can tell is done at once.
//
// # What is reached
//
// Of 2,794 tests whose final states herd7 7.58 has told (477 of x86-64, 1,054 of
// AArch64, 1,263 of both), Reach finds no state that is not allowed, and 23,686 of the
// 23,958 that are, 98.9 %: all of x86-64, 97.9 % of AArch64, 99.2 % of both. It takes
// about ten seconds. testdata/unreached.txt lists the 146 tests that fall short.
//
// What is not reached needs that a store of an AArch64 CPU takes effect before an
// earlier load has read, or before an earlier read-modify-write or store-exclusive of
// its CPU has written. The tests check both sides, for herd's tests and for random
// programs: the machine reaches no more than what the architectures allow if control
// dependencies keep all stores behind earlier loads, and at least that with a DMB ST
// behind each read-modify-write and store-exclusive in addition.
//
// # What is stronger than the architecture besides
//
// A DSB ST is taken for DSB SY, and LFENCE and SFENCE for MFENCE, as herd does the
// latter two.
package asm
