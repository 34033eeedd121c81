package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
	"github.com/fusedos/stramash/coherence/protocol"
)

// protocolEnd is how the name of a file with a protocol ends.
const protocolEnd = ".protocol"

// modelFlags say with which numbers protocols are built.
type modelFlags struct {
	n, addresses, values *count
	set                  settings
}

// settings is the flag -set.
type settings []setting

type setting struct {
	name  string
	value int
}

// String writes them as Set reads them.
func (s *settings) String() string { return s.spell() }

// Set reads name=value,…
func (s *settings) Set(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		v, err := strconv.ParseUint(value, 10, 16)
		if !ok || err != nil || name == "" {
			return errors.New("use NAME=NUMBER,…; verify list protocols names the parameters")
		}
		if slices.ContainsFunc(*s, func(o setting) bool { return o.name == name }) {
			return fmt.Errorf("parameter %s is given twice", name)
		}
		*s = append(*s, setting{name, int(v)})
	}
	return nil
}

// model defines the flags of the numbers.
func (f *flags) model() *modelFlags {
	m := &modelFlags{
		n:         f.count("n", 0, 255, "how `many` caches, or what else the protocol has many of first (default as the protocol says)"),
		addresses: f.count("addresses", 1, 4, "how many `lines` there are"),
		values:    f.count("values", 2, 255, "how many `values` a line can have; two are enough to show that one is stale"),
	}
	f.Var(&m.set, "set", "give parameters of the protocol these numbers, as `NAME=NUMBER,…`")
	return m
}

// readProtocol is the built-in protocol of a name, or the one in a file.
func readProtocol(name string) (*protocol.Protocol, error) {
	if !isProtocolFile(name) {
		known := protocol.Names()
		if !slices.Contains(known, name) {
			where := fmt.Sprintf("use one of %s, or a file whose name ends in %s", strings.Join(known, ", "), protocolEnd)
			return nil, fmt.Errorf("no protocol is called %.60q%s", name, suggest(name, known, where))
		}
		return protocol.Load(name)
	}
	text, err := input.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return protocol.Parse(name, string(text))
}

func isProtocolFile(name string) bool {
	return strings.HasSuffix(name, protocolEnd) || filepath.Base(name) != name
}

// build reads a protocol and makes a system of it, with those numbers.
func (m *modelFlags) build(name string) (*protocol.System, error) {
	p, err := readProtocol(name)
	if err != nil {
		return nil, err
	}
	c := protocol.Config{Addresses: int(m.addresses.n), Values: int(m.values.n), Parameters: map[string]int{}}
	if m.n.n > 0 {
		many := p.Many()
		if many == nil {
			return nil, fmt.Errorf("%s: -n: protocol %s has one controller of every kind: leave it out", name, p.Name)
		}
		c.Parameters[many.Name] = int(m.n.n)
	}
	for _, s := range m.set {
		if was, ok := c.Parameters[s.name]; ok && was != s.value {
			return nil, fmt.Errorf("%s: -n %d and -set %s=%d say two things: give one of them", name, was, s.name, s.value)
		}
		c.Parameters[s.name] = s.value
	}
	s, err := p.Build(c)
	var located *protocol.Error
	if err != nil && !errors.As(err, &located) && isProtocolFile(name) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	if err == nil && s.Processors() == 0 {
		err = fmt.Errorf("%s: no load or store hits, so that no processor uses any of this: a rule must say hit", name)
	}
	return s, err
}

// numbersOf are the numbers that a system is built with, in the order of the text.
func numbersOf(s *protocol.System) []setting {
	var out []setting
	for _, p := range s.Protocol.Parameters {
		out = append(out, setting{p.Name, s.Parameter(p.Name)})
	}
	return out
}

// spell writes settings as the flag takes them.
func (s *settings) spell() string {
	var out []string
	for _, x := range *s {
		out = append(out, fmt.Sprintf("%s=%d", x.name, x.value))
	}
	return strings.Join(out, ",")
}
