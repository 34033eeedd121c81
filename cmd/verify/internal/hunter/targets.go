package main

import (
	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/targets"
)

// all are the targets that can be hunted in.
func all() []fuzz.Target { return targets.All() }
