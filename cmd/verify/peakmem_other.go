//go:build !linux

package main

import (
	"runtime"
	"runtime/debug"
)

// forgetPeak has peakMemory begin anew, as far as that goes.
func forgetPeak() { debug.FreeOSMemory() }

// peakMemory is how much memory the Go runtime has got from the system, in bytes: what
// the process has had at most is not known here.
func peakMemory() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}
