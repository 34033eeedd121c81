// Package axiomatic is the axiomatic engine: it finds the final states of a litmus
// program by building its candidate executions and keeping those that the axioms
// allow. The axioms stand in axioms.go, as short as the mathematics. Threads of x86-64
// and of AArch64 may share one memory.
//
// A candidate says what each thread did, which write each read reads, and in which
// order the writes to each location take effect. The search (search.go) builds it
// in stages and drops what can't be allowed as early as that shows: runs of single
// threads by what their reads read (run.go), then the communication at single
// locations (solve.go), then the whole. So a hundred orders of writes that no thread
// tells apart are looked at once.
//
// The executions of other programs can be judged by the same axioms; see Check. Explain
// says why a state is forbidden, by a cycle, or shows an execution that ends in it.
package axiomatic
