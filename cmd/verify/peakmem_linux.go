package main

import (
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
)

// forgetPeak has peakMemory begin anew, with what is in memory now. Where the system does
// not let it, the peak stays that of the process.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peakMemory is how much memory the process has had at most since forgetPeak, in bytes.
func peakMemory() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseUint(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
