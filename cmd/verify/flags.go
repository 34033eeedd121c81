package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fusedos/stramash/fuzz"
	"github.com/fusedos/stramash/machine"
)

// flags are the flags of a subcommand. Every one has -json.
type flags struct {
	*flag.FlagSet
	a        *app
	json     bool
	headings []heading
}

// newFlags begins the flags of the subcommand of a name.
func (a *app) newFlags(name string) *flags {
	f := &flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), a: a}
	f.SetOutput(io.Discard)
	f.BoolVar(&f.json, "json", false, "print one JSON object a line; the last has type summary")
	return f
}

// parse reads the arguments, in which flags may stand anywhere before "--",
// and answers those that are not flags.
func (f *flags) parse(args []string) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			return nil, f.explain(err)
		}
		done := len(args) - f.NArg()
		if done > 0 && args[done-1] == "--" {
			return append(rest, f.Args()...), nil
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// explain says in one line how to mend a flag, or prints the help.
func (f *flags) explain(err error) error {
	c, _ := lookUp(f.Name())
	if !errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("%w; %s -h lists the flags", err, c.title())
	}
	f.a.printf("%s\n\nusage: %s [flags]%s\n\n", c.doc, c.title(), spaced(c.args))
	f.printDefaults()
	return err
}

// count is a flag with a number from least to most.
type count struct {
	n, least, most uint64
}

// maxRuns bounds -runs; it is years of work.
const maxRuns = 1 << 40

// String is the number.
func (c *count) String() string {
	if c == nil {
		return "0"
	}
	return strconv.FormatUint(c.n, 10)
}

// Set reads the number; it may have underscores between digits.
func (c *count) Set(s string) error {
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil || n < c.least || n > c.most {
		return fmt.Errorf("use a number from %d to %d", c.least, c.most)
	}
	c.n = n
	return nil
}

// count defines a flag with a number from 1 to most. The default may be zero.
func (f *flags) count(name string, value, most uint64, doc string) *count {
	c := &count{value, 1, most}
	f.Var(c, name, doc)
	return c
}

// orNone defines a flag with a number from 0 to most.
func (f *flags) orNone(name string, value, most uint64, doc string) *count {
	c := f.count(name, value, most, doc)
	c.least = 0
	return c
}

// wait is a flag with a time.
type wait time.Duration

// String is the time.
func (w *wait) String() string { return time.Duration(*w).String() }

// Set reads the time.
func (w *wait) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return errors.New("use a time such as 30s")
	}
	*w = wait(d)
	return nil
}

// pins is the flag -param.
type pins []machine.Pin

// String is empty: there is no default.
func (p *pins) String() string { return "" }

// Set reads name=value.
func (p *pins) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	v, err := strconv.Atoi(value)
	if !ok || err != nil || name == "" || v < 0 {
		return errors.New("use NAME=NUMBER; verify list names the parameters")
	}
	if slices.ContainsFunc(*p, func(pin machine.Pin) bool { return pin.Name == name }) {
		return fmt.Errorf("parameter %s is given twice", name)
	}
	*p = append(*p, machine.Pin{Name: name, Value: v})
	return nil
}

// shard is the flag -shard.
type shard fuzz.Shard

// String is the shard, or nothing for the whole.
func (s *shard) String() string {
	if s == nil || *s == (shard{}) {
		return ""
	}
	return fuzz.Shard(*s).String()
}

// Set reads i/n.
func (s *shard) Set(text string) error {
	index, count, ok := strings.Cut(text, "/")
	i, err := strconv.ParseUint(index, 10, 64)
	n, err2 := strconv.ParseUint(count, 10, 64)
	if !ok || err != nil || err2 != nil || i < 1 || i > n || n > maxShards {
		return fmt.Errorf("use I/N, such as 1/3, 2/3 and 3/3, with N up to %d", maxShards)
	}
	*s = shard{Index: i, Count: n}
	return nil
}

// maxShards bounds the N of -shard.
const maxShards = 1 << 16

// isSet says whether the flag of a name was given.
func (f *flags) isSet(name string) bool {
	set := false
	f.Visit(func(g *flag.Flag) { set = set || g.Name == name })
	return set
}
