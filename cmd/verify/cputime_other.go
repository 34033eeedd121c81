//go:build !unix

package main

import "time"

var began = time.Now()

// cpuTime is the time that has gone by: what processors worked for this process
// is not known here.
func cpuTime() time.Duration { return time.Since(began) }
