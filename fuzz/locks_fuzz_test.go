package fuzz_test

import (
	"testing"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/targets"
)

// FuzzLocks runs the lock targets under go test -fuzz. An input that fails is
// kept in testdata/fuzz/FuzzLocks; verify replay runs it too.
func FuzzLocks(f *testing.F) { fuzz.FuzzGroup(f, targets.Locks()) }
