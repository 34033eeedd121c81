// Package fuzz finds runs that violate what a target promises, makes them
// small, and writes them down so that they can be run again.
//
// A [Target] is a value: a platform, a set-up that builds the program of one
// run, and judges. [Check] hunts for a violation in go test, [Fuzz] under go
// test -fuzz; [Hunt], [Shrink], [ReplayToken] and [Measure] are the steps that
// they and the command are made of.
//
// A [Strategy] answers the questions of a run, and may learn from the runs before
// it in the same block of [BlockRuns] runs. Run n of a run set depends on the
// target, the strategy, the seed and n, and on nothing else; so the summary of a
// hunt is the same on any host and with any number of workers.
//
// A run is written down as its exceptions to the natural run (a [Schedule]), and
// in one word as a [Token]. Shrinking removes exceptions, and then looks for
// other runs that show the same violation with fewer.
package fuzz
