// Package memory holds what the engines that compute the final states of litmus
// tests have in common: their type, their budget, and the outcome. The engines are
// model/memory/axiomatic and model/memory/explore; they share nothing but the
// programs that they are given, so that each checks the other.
package memory

import "github.com/fusedos/stramash/model/litmus"

// Budget bounds the work of an engine. Zero is no bound.
type Budget struct {
	Steps   int64 // units of work, about a microsecond each
	Entries int64 // what it remembers at one time, about 256 bytes each
}

// Outcome is what an engine says beside the states.
type Outcome struct {
	Complete bool   // all final states have been found
	Why      string // why not, if not
	Cut      bool   // loops were cut short: states that need more rounds are not among them
	Steps    int64  // units of work done
	Explored int64  // candidate executions, or memories
}

// Engine finds the final states of a program. It calls found for each as soon as
// it has it, in an order that depends on the program alone, and once for each
// state; if found answers false it ends, incomplete. The state is valid during the
// call. Err is for programs that do what is not supported.
type Engine func(p *litmus.Program, b Budget, found func(litmus.State) bool) (o Outcome, err error)
