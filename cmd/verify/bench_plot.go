package main

import (
	"fmt"
	"slices"

	plots "github.com/fusedos/stramash/cmd/verify/internal/figure"
)

// npbChart collects what runs of kernels took, for a chart like Figure 9 of the
// paper: cycles of each kernel by configuration, relative to its run on one node of
// the first model.
type npbChart struct {
	b       *bench
	kernels []string
	configs []string
	cycles  map[[2]string]float64 // by kernel and configuration
}

func newNPBChart(b *bench) *npbChart { return &npbChart{b: b, cycles: map[[2]string]float64{}} }

// add takes a result.
func (c *npbChart) add(r *npbResult) {
	config := r.Model
	if r.Migrating {
		config += ", migrating"
	}
	if !slices.Contains(c.kernels, r.Kernel) {
		c.kernels = append(c.kernels, r.Kernel)
	}
	if !slices.Contains(c.configs, config) {
		c.configs = append(c.configs, config)
	}
	c.cycles[[2]string{r.Kernel, config}] = float64(r.Cycles)
}

// save draws the chart, if all runs were made.
func (c *npbChart) save() error {
	if c.b.plots == "" || len(c.cycles) < len(c.kernels)*len(c.configs) {
		return nil
	}
	var values [][]float64
	for _, kernel := range c.kernels {
		var row []float64
		first := c.cycles[[2]string{kernel, c.configs[0]}]
		for _, config := range c.configs {
			row = append(row, c.cycles[[2]string{kernel, config}]/first)
		}
		values = append(values, row)
	}
	return plots.Bars{
		Title:  fmt.Sprintf("NPB class %s: cycles of both nodes in the timed part", c.b.npb.class),
		XLabel: "kernel", YLabel: "cycles, relative to " + c.configs[0],
		Groups: c.kernels, Series: c.configs, Values: values,
	}.Save(c.b.plots, "npb")
}

// saveHeat draws the latencies of interrupts between CPUs, as Figures 5 and 6.
func saveHeat(b *bench, isas []string, latency [][]float64) error {
	if b.plots == "" {
		return nil
	}
	var names []string
	for cpu, isa := range isas {
		names = append(names, fmt.Sprintf("%d %s", cpu, isa))
	}
	return plots.Heat{
		Title: "Latency of interrupts between CPUs", XLabel: "to CPU", YLabel: "from CPU", ZLabel: "cycles",
		Rows: names, Columns: names, Values: latency, FromZero: true,
	}.Save(b.plots, "ipi")
}

// saveSpeeds draws the speeds of the streams. Those of Go's slices, up to a hundred
// times as fast, would leave nothing to be seen of the others.
func saveSpeeds(b *bench, speeds map[string][]float64) error {
	if b.plots == "" {
		return nil
	}
	var groups []string
	var values [][]float64
	for _, s := range streams() {
		if simulated := speeds[s.name]; len(simulated) > 0 {
			groups = append(groups, s.name)
			values = append(values, []float64{slices.Max(simulated)})
		}
	}
	if len(groups) == 0 {
		return nil
	}
	return plots.Bars{
		Title: "Speed of simulation", XLabel: "stream of accesses of 8 bytes", YLabel: "millions of references a second",
		Groups: groups, Series: []string{"simulated"}, Values: values,
	}.Save(b.plots, "platform")
}

// saveMisses draws the misses of the caches beside cachegrind's.
func saveMisses(b *bench, what []string, ours, theirs []float64) error {
	if b.plots == "" || len(what) == 0 {
		return nil
	}
	var values [][]float64
	for i := range what {
		values = append(values, []float64{ours[i], theirs[i]})
	}
	return plots.Bars{
		Title: "Cache misses", XLabel: "kernel and cache", YLabel: "misses",
		Groups: what, Series: []string{"Stramash", "cachegrind"}, Values: values,
	}.Save(b.plots, "validate")
}
