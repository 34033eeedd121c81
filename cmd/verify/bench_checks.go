package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine"
)

// unfit says which of the chosen experiments do not go with the flags, or nil.
func (p *platforms) unfit(b *bench, chosen []experiment) error {
	has := func(names ...string) string {
		for _, e := range chosen {
			if slices.Contains(names, e.name) {
				return e.name
			}
		}
		return ""
	}
	if name := has("validate", "platform"); p.fetches && name != "" {
		return fmt.Errorf("-fetches: %s drives the caches without instructions: leave one of them out", name)
	}
	if name := has("micro", "platform"); p.nodes.n < 2 && name != "" {
		return fmt.Errorf("-nodes %d: %s measures what two nodes do: give it 2 or more", p.nodes.n, name)
	}
	if has("ipi") != "" && p.nodes.n*b.ipiCPUs > machine.MaxCPUs {
		return fmt.Errorf("-nodes %d and -cpus %d make more than %d CPUs", p.nodes.n, b.ipiCPUs, machine.MaxCPUs)
	}
	if has("npb") != "" && p.nodes.n < 2 {
		b.npb.migrating = slices.DeleteFunc(b.npb.migrating, func(moves bool) bool { return moves })
		if len(b.npb.migrating) == 0 {
			return fmt.Errorf("-migrating yes: on -nodes %d there is no node to move to: give 2 or more", p.nodes.n)
		}
	}
	if has("validate") != "" && b.validate.cachegrind {
		return likeCachegrind(b.platforms[0].Hardware.Nodes[0])
	}
	return nil
}

// likeCachegrind says why cachegrind can't be given caches, or nil.
func likeCachegrind(n coherence.Node) error {
	for _, c := range []struct {
		name string
		coherence.Cache
	}{{"L1", n.L1D}, {"L2", n.L2}, {"L3", n.L3}} {
		switch {
		case c.Size == 0:
			return fmt.Errorf("cachegrind has no platform without an %s cache: leave it out by -cachegrind=false", c.name)
		case c.Policy != coherence.LRU:
			return fmt.Errorf("cachegrind replaces by lru only, the %s caches by %s: leave it out by -cachegrind=false", c.name, c.Policy)
		}
	}
	return nil
}

// plotFolder makes the folder of -plot, before anything runs.
func plotFolder(dir string, chosen []experiment) error {
	if dir == "" {
		return nil
	}
	if !slices.ContainsFunc(chosen, func(e experiment) bool { return e.is(draws) }) {
		return fmt.Errorf("-plot: %s draws nothing; platform, npb, ipi, micro and validate do", chosen[0].name)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("-plot: can't make the folder: %w", err)
	}
	return nil
}

// misfit is an error of what the user gave that shows only when it is run.
type misfit struct{ error }

// Unwrap is the error itself.
func (m misfit) Unwrap() error { return m.error }

// measure runs the experiment. Memory that is too small for it is no fault of the
// tool but of the tables that describe it.
func (e experiment) measure(b *bench) (figures []figure, err error) {
	defer func() {
		if r := recover(); r != nil {
			why, ok := r.(string)
			if !ok || !strings.HasPrefix(why, "machine: Alloc of ") {
				panic(r)
			}
			figures, err = nil, misfit{fmt.Errorf("%s: the platform has too little memory: %s", e.name, why)}
		}
	}()
	return e.run(b)
}

// statusOfRun is what an experiment's error means.
func statusOfRun(err error) error {
	var m misfit
	if errors.As(err, &m) {
		return err
	}
	return fault{err}
}
