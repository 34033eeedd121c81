// Package checkers judges what the threads of a run recorded. A [Judge] reads
// one [machine.History] and answers with a [Verdict]: it found a violation, it
// found none, or it ran out of its budget before it knew.
//
//	judge          reads             finds
//	[Linearizable] calls, returns    answers that no order of the operations explains
//	[Exclusion]    notes on locks    two holders at once, stray releases, lost writes
//	[LockOrder]    notes on locks    orders of locks that can deadlock, as Linux's lockdep does
//
// Beside these, judges of events watch a run as it happens: [Races] and
// [Memory].
//
// Judges are immutable, may be used from several goroutines at once, and change
// nothing they judge. Their work is bounded by counts, never by a clock, so the
// same history gets the same verdict on every host. They expect nothing of a
// history: one that can't have happened, such as a return without a call, gets
// a verdict too.
//
// Linearizable has several ways to decide, and takes the fastest that can: a
// monitor for the kind of object, the frontier of all states that are possible,
// or package porcupine. Linearizable and Exclusion can also watch a run while it
// happens, see [Online]. Package histories makes up histories to test judges with.
package checkers

import (
	"fmt"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/model/spec"
)

// Judge looks for one kind of mistake in a history.
type Judge interface {
	// Name returns the judge's name, which is stable from version to version.
	Name() string
	// Check judges h, which it neither changes nor keeps. The verdict must not
	// depend on the records' Step: package fuzz judges a history once, however
	// many runs record it at other steps.
	Check(h machine.History) Verdict
}

// Describer is a judge that can put the operations which it judges into words.
type Describer interface {
	// Describe returns a call on an object in words, together with what it
	// answered unless r is nil. It answers false for what it does not judge.
	Describe(object machine.VA, c spec.Call, r *spec.Ret) (string, bool)
}

// Verdict is what a judge says about a history. The zero Verdict says that it
// found nothing wrong.
type Verdict struct {
	// Violation is what is wrong, nil if nothing was found.
	Violation *Violation
	// Unknown says why the judge came to no conclusion; it is empty if it
	// did. A history whose verdict is unknown has not passed.
	Unknown string
	// By says which of a judge's ways to decide gave the verdict, as the judge
	// documents; empty if it has one only, or nothing to judge.
	By string
}

// Violation says what is wrong with a history.
type Violation struct {
	Judge   string     // the name of the judge
	Rule    string     // the rule that was broken, in two or three words
	Object  machine.VA // the lock, queue … that it happened to; zero if to none in particular
	Message string     // one sentence: who did what
	At      int        // index of the record where it shows, or -1 if there is none
}

// Signature names the kind of violation: violations with the same mistake
// behind them have the same signature in every run of a target. It holds the
// judge, the rule and the object, but no values, clients or times.
func (v *Violation) Signature() string {
	return fmt.Sprintf("%s: %s: %#x", v.Judge, v.Rule, uint64(v.Object))
}

// Fault is a violation that a judge of events found, with the events that show it.
type Fault struct {
	Violation
	Witnesses []Witness // in the order in which a report names them
}

// Witness is an event that is part of a fault.
type Witness struct {
	Role  string // what it is, in a word or two: race, with, access, freed …
	Event int    // its number among the run's events, from 0
}

// cpuName names a CPU as the lanes of a report do, with its instruction set.
func cpuName(m *machine.Machine, cpu int) string {
	return fmt.Sprintf("P%d (%s)", cpu, m.ISA(cpu).Name)
}

// The rule that a history breaks that no run can have recorded.
const ruleMalformed = "malformed history"

func found(v Violation) Verdict { return Verdict{Violation: &v} }

func unknown(format string, args ...any) Verdict {
	return Verdict{Unknown: fmt.Sprintf(format, args...)}
}

// who names the client of a record and the CPU it ran on, if it ran on any.
func who(r machine.Record) string {
	if r.CPU == machine.NoCPU {
		return fmt.Sprintf("client %d", r.Client)
	}
	if r.InIRQ {
		return fmt.Sprintf("interrupt handler %d (CPU %d)", r.Client, r.CPU)
	}
	return fmt.Sprintf("client %d (CPU %d)", r.Client, r.CPU)
}
