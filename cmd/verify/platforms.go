package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/fusedos/stramash/cmd/verify/internal/input"
	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/firmware"
)

// platforms are the flags that describe simulated platforms.
type platforms struct {
	models         models
	chosen         func() bool // the models were given, and are not the default
	preset         string
	l1, l2, l3     cacheFlag
	e820, tree     string
	nodes          *count
	skew, ipi, cpi *count
	fetches        bool
}

// platforms defines the flags.
func (f *flags) platforms() *platforms {
	p := &platforms{models: firmware.Models()}
	p.chosen = func() bool { return f.isSet("model") }
	f.Var(&p.models, "model", "hardware `MODELS`: separated, shared, fully-shared, with commas between")
	f.StringVar(&p.preset, "preset", "table2", "latencies `NAME`: table2 of the paper, or artifact, those of its artifact")
	for _, c := range []struct {
		to        *cacheFlag
		name, doc string
	}{{&p.l1, "l1", "L1 data caches"}, {&p.l2, "l2", "L2 caches"}, {&p.l3, "l3", "L3 caches"}} {
		f.Var(c.to, c.name, "make all "+c.doc+" `SIZE/WAYS/POLICY`, such as 32M, or 32K/8/fifo; policies: lru, fifo, random")
	}
	f.StringVar(&p.e820, "e820", "", "the e820 map of the x86-64 node, in place of the model's, from this `FILE`")
	f.StringVar(&p.tree, "tree", "", "the flattened device tree of the AArch64 node, in place of the model's, from this `FILE`")
	p.nodes = f.count("nodes", 2, machine.MaxCPUs, "how many `nodes`, x86-64 and AArch64 by turns; more than 2 share one memory map without firmware tables")
	p.skew = f.orNone("skew", 1000, 1<<40, "npb, validate: for how many `CYCLES` a CPU may be ahead of the others")
	p.ipi = f.orNone("ipi", machine.DefaultIPI, 1<<30, "`CYCLES` of an interrupt between CPUs")
	p.cpi = f.orNone("cpi", 1000, 1_000_000, "`THOUSANDTHS` of a cycle that an instruction takes beside memory")
	f.BoolVar(&p.fetches, "fetches", false, "npb, ipi, micro: have instructions be fetched through the L1 instruction caches, from 16 KB of code")
	return p
}

// simulation defines the flags of the experiments on simulated platforms. What it
// answers fills in what these experiments are given; it fails if the flags make no sense.
func (f *flags) simulation() func(b *bench, chosen []experiment) error {
	f.heading("npb, ipi, micro, platform, validate: the simulated platforms (ipi and platform take the first model)")
	p := f.platforms()
	f.heading("npb, ipi, micro, platform, validate: what is done on them")
	npb, validate := f.npbEffort(), f.validateEffort()
	cpus := f.count("cpus", 2, machine.MaxCPUs, "ipi: how many `CPUs` each node has")
	plots := f.String("plot", "", "platform, npb, ipi, micro, validate: draw the results into this `FOLDER`, as PNG and SVG")
	return func(b *bench, chosen []experiment) (err error) {
		if b.platforms, err = p.all(); err != nil {
			return err
		}
		if b.npb, err = npb(); err != nil {
			return err
		}
		b.models = p.names()
		b.skew, b.ipiCPUs, b.plots = p.skew.n, cpus.n, *plots
		if slices.ContainsFunc(chosen, func(e experiment) bool { return e.name == "validate" }) {
			if b.validate, err = validate(); err != nil {
				return err
			}
		}
		if err := p.unfit(b, chosen); err != nil {
			return err
		}
		return plotFolder(*plots, chosen)
	}
}

// all makes the platforms of the models that were asked for.
func (p *platforms) all() (out []machine.Platform, err error) {
	if p.e820 != "" || p.tree != "" {
		switch {
		case !p.chosen():
			p.models = models{firmware.Separated}
		case len(p.models) > 1:
			return nil, errors.New("-e820 and -tree replace the memory of the models: give one -model")
		}
	}
	for _, d := range p.models {
		one, err := p.platform(d)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// names are those of the platforms, as results give them.
func (p *platforms) names() models {
	if p.e820 != "" || p.tree != "" {
		return models{"tables"}
	}
	return p.models
}

// platform makes the platform of a model. It fails if the flags make none.
func (p *platforms) platform(d firmware.Model) (machine.Platform, error) {
	out := machine.PaperPlatform(d)
	if err := p.tables(&out); err != nil {
		return out, err
	}
	if p.nodes.n != 2 {
		out = manyNodes(int(p.nodes.n), out)
	}
	h := out.Hardware
	h.IPI, h.NodeIPI = p.ipi.n, p.ipi.n
	for i := range h.Nodes {
		n := &h.Nodes[i]
		switch p.preset {
		case "table2":
		case "artifact":
			n.Latency = coherence.Artifact().Nodes[i%2].Latency
		default:
			return out, fmt.Errorf("-preset %q: use table2 or artifact", p.preset)
		}
		for _, c := range []struct {
			from *cacheFlag
			to   *coherence.Cache
		}{{&p.l1, &n.L1D}, {&p.l2, &n.L2}, {&p.l3, &n.L3}} {
			c.from.change(c.to)
		}
		h.MilliCPI = append(h.MilliCPI, p.cpi.n)
	}
	if p.fetches {
		h.Code = 16 << 10
	}
	m, err := machine.New(out)
	if err != nil {
		if (p.e820 == "") != (p.tree == "") && strings.Contains(err.Error(), "overlap") {
			err = fmt.Errorf("%w; the other node keeps the table of the model: give both -e820 and -tree", err)
		}
		return out, err
	}
	m.Close()
	return out, nil
}

// tables replaces the firmware's tables by those of files.
func (p *platforms) tables(out *machine.Platform) error {
	for i, table := range []struct {
		file  string
		parse func([]byte) ([]firmware.Range, error)
	}{{p.e820, firmware.ParseE820}, {p.tree, firmware.ParseTree}} {
		if table.file == "" {
			continue
		}
		if p.nodes.n != 2 {
			return errors.New("-e820 and -tree describe a platform of two nodes: leave out -nodes")
		}
		data, err := input.ReadFile(table.file)
		if err != nil {
			return err
		}
		if _, err := table.parse(data); err != nil {
			return fmt.Errorf("%s: %w", table.file, err)
		}
		out.Nodes[i].Table = data
	}
	return nil
}

// manyNodes is a platform of n nodes like the two of another one, with 1 GB each.
func manyNodes(n int, like machine.Platform) machine.Platform {
	out := machine.Platform{Hardware: &machine.Hardware{}}
	*out.Hardware = *like.Hardware
	out.Hardware.Nodes = nil
	for i := range n {
		node := like.Nodes[i%2]
		node.Table, node.Memory, node.Private = nil, 1<<30, false
		out.Nodes = append(out.Nodes, node)
		out.Hardware.Nodes = append(out.Hardware.Nodes, like.Hardware.Nodes[i%2])
	}
	return out
}

// models is the flag -model.
type models []firmware.Model

// String lists the models.
func (m *models) String() string {
	var names []string
	for _, d := range *m {
		names = append(names, string(d))
	}
	return strings.Join(names, ",")
}

// Set reads them.
func (m *models) Set(s string) error {
	*m = nil
	for name := range strings.SplitSeq(s, ",") {
		d, err := firmware.ParseModel(name)
		if err != nil {
			return err
		}
		*m = append(*m, d)
	}
	return nil
}

// cacheFlag is a flag with the shape of a cache. What is zero stays as it is.
type cacheFlag struct {
	cache     coherence.Cache
	hasPolicy bool
	text      string
}

// String is the shape as it was given.
func (c *cacheFlag) String() string {
	if c == nil {
		return ""
	}
	return c.text
}

// Set reads SIZE/WAYS/POLICY, of which the latter two can be left out.
func (c *cacheFlag) Set(s string) error {
	parts := strings.Split(s, "/")
	size, err := parseSize(parts[0])
	if err != nil || len(parts) > 3 {
		return errors.New("use SIZE/WAYS/POLICY, such as 32K, 1M/16 or 4M/16/fifo")
	}
	*c = cacheFlag{text: s, cache: coherence.Cache{Size: size}}
	if len(parts) > 1 {
		if c.cache.Ways, err = strconv.Atoi(parts[1]); err != nil || c.cache.Ways < 1 {
			return errors.New("ways are a number from 1")
		}
	}
	if len(parts) > 2 {
		c.cache.Policy, err = coherence.ParsePolicy(parts[2])
		c.hasPolicy = true
	}
	return err
}

// change gives a cache the shape of the flag.
func (c *cacheFlag) change(to *coherence.Cache) {
	if c.text == "" {
		return
	}
	to.Size = c.cache.Size
	if c.cache.Ways > 0 {
		to.Ways = c.cache.Ways
	}
	if c.hasPolicy {
		to.Policy = c.cache.Policy
	}
}

// parseSize reads a number of bytes, with K, M or G behind it.
func parseSize(s string) (uint64, error) {
	digits, unit := s, uint64(1)
	for i, suffix := range []string{"K", "M", "G"} {
		if before, ok := strings.CutSuffix(s, suffix); ok {
			digits, unit = before, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseUint(digits, 10, 40)
	if err == nil && n > 1<<40/unit {
		err = errors.New("is too large")
	}
	return n * unit, err
}
