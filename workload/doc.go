// Package workload holds programs for the simulated machine: four kernels of the
// NAS Parallel Benchmarks (IS, CG, MG, FT) and microbenchmarks.
//
// Every array of a program lives in simulated memory, and every access to an
// element goes through a [machine.Thread]; only scalars and temporaries of a few
// words are Go variables, as they would be registers. So what a machine counts of
// a program are the references that the program makes.
//
// The kernels are written from their definition (D. Bailey et al., "The NAS
// Parallel Benchmarks", NAS-95-020, and NPB 3.4, whose serial versions settle the
// order of the accesses), and judge themselves by its official constants: see
// [Result]. A program knows nothing of nodes. It tells its caller where a
// procedure begins and ends ([Options].Move), and the caller may have the thread
// go on elsewhere, as in section 9.2 of the Stramash paper.
//
// Products are rounded before they are added (float64(a*b) + c), because a host
// may otherwise fuse the two, and the values of a run, which its trace hash
// covers, must not depend on the host.
package workload
