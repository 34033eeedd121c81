package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// npbResult is one run of a kernel.
type npbResult struct {
	Type       string  `json:"type"` // result
	Kernel     string  `json:"kernel"`
	Class      string  `json:"class"`
	Model      string  `json:"model"`
	Migrating  bool    `json:"migrating"`
	Verified   bool    `json:"verified"`
	Detail     string  `json:"detail"`
	References uint64  `json:"references"` // to memory, in the timed part
	Seconds    float64 `json:"seconds"`    // of this host, with what is not timed
	Speed      float64 `json:"mref_per_s"` // of all references
	TraceHash  string  `json:"trace_hash"`
	Walks      uint64  `json:"walks"` // of page tables, in all
	counterLine
	Nodes []counterLine `json:"nodes"`
}

// npbEffort is what experiment npb does.
type npbEffort struct {
	class     workload.Class
	kernels   []workload.Kernel
	migrating []bool
	paged     bool
}

// npbEffort defines the flags of experiment npb.
func (f *flags) npbEffort() func() (npbEffort, error) {
	class := f.String("class", "S", "npb, validate: problem `SIZE`: S, W or A")
	kernels := f.String("kernel", "", "npb, validate: `KERNELS` of IS, CG, MG and FT, with commas between; all if empty")
	where := f.String("migrating", "both", "npb: `yes|no|both`: whether the thread moves to the other node for each procedure")
	paged := f.Bool("paged", false, "npb, validate: have the data be translated by page tables, through TLBs")
	return func() (e npbEffort, err error) {
		e.paged = *paged
		if e.class, err = workload.ParseClass(*class); err != nil {
			return e, err
		}
		e.kernels = workload.Kernels()
		if *kernels != "" {
			e.kernels = nil
			for name := range strings.SplitSeq(*kernels, ",") {
				k, err := workload.ByName(name)
				if err != nil {
					return e, err
				}
				e.kernels = append(e.kernels, k)
			}
		}
		switch *where {
		case "yes":
			e.migrating = []bool{true}
		case "no":
			e.migrating = []bool{false}
		case "both":
			e.migrating = []bool{false, true}
		default:
			return e, fmt.Errorf("-migrating %s: use yes, no or both", *where)
		}
		return e, nil
	}
}

// benchNPB runs kernels of the NAS Parallel Benchmarks on simulated platforms.
func benchNPB(b *bench) ([]figure, error) {
	runs, verified, refs, took := 0, 0, uint64(0), 0.0
	chart := newNPBChart(b)
	b.result(nil, npbHead)
	for i, p := range b.platforms {
		m, err := machine.New(p)
		if err != nil {
			return nil, err
		}
		for _, k := range b.npb.kernels {
			for _, migrating := range b.npb.migrating {
				if migrating && len(p.Nodes) < 2 || b.stop() {
					continue
				}
				b.progress("npb", fmt.Sprintf("%s class %s on %s, migrating: %t", k.Name, b.npb.class, b.models[i], migrating))
				r, err := runNPB(b, m, k, migrating)
				if err != nil {
					m.Close()
					return nil, err
				}
				if r == nil {
					continue
				}
				r.Model = string(b.models[i])
				runs, refs, took = runs+1, refs+r.References, took+r.Seconds
				if r.Verified {
					verified++
				}
				chart.add(r)
				b.result(r, r.text())
			}
		}
		m.Close()
	}
	if runs == 0 {
		return nil, nil
	}
	if err := chart.save(); err != nil {
		return nil, err
	}
	if verified < runs {
		return nil, errNotVerified
	}
	return []figure{
		{"npb_runs", float64(runs), "runs of kernels"},
		{"npb_verified", float64(verified), "of them that verified officially"},
		{"npb_mref_per_s", float64(refs) / took / 1e6, "references a second, over all"},
	}, nil
}

// npbHead stands above the results.
const npbHead = "kernel class model        moving verified          cycles    L1 %    L2 %    L3 %      memory      snoops  seconds     M/s"

// text is the result as a line of the table: hits of each cache in percent of the
// accesses to it, lines from memory, requests to other nodes.
func (r *npbResult) text() string {
	word := map[bool]string{true: "yes", false: "no"}
	percent := func(hits, accesses uint64) string {
		if accesses == 0 {
			return "-"
		}
		return fmt.Sprintf("%.2f", 100*float64(hits)/float64(accesses))
	}
	s := fmt.Sprintf("%-6s %-5s %-12s %-6s %-8s %15s %7s %7s %7s %11s %11s %8.2f %7.1f",
		r.Kernel, r.Class, r.Model, word[r.Migrating], word[r.Verified], grouped(r.Cycles),
		percent(r.L1DHits, r.L1DAccesses), percent(r.L2Hits, r.L2Accesses), percent(r.L3Hits, r.L3Accesses),
		grouped(r.LocalHits+r.RemoteHits), grouped(r.SnoopData+r.SnoopInvalidate+r.BackInvalidate), r.Seconds, r.Speed)
	if !r.Verified {
		s += "; " + r.Detail
	}
	return s
}

var errNotVerified = errors.New("a kernel did not verify: see its detail")

// runNPB makes one run; none if the user stopped it.
func runNPB(b *bench, m *machine.Machine, k workload.Kernel, migrating bool) (*npbResult, error) {
	began := time.Now()
	v, res := k.Run(m, b.npb.class, workload.How{Migrating: migrating, Paged: b.npb.paged, Earliest: machine.Earliest{Skew: b.skew, Stop: b.stop}})
	took := time.Since(began).Seconds()
	switch {
	case res.Outcome == machine.Stopped:
		return nil, nil
	case res.Outcome != machine.Finished:
		return nil, fmt.Errorf("%s: %s: %s", k.Name, res.Outcome, res.Detail)
	}
	if err := checkCounters(m); err != nil {
		return nil, err
	}
	sum, all, walks := allCounters(m), uint64(0), uint64(0)
	for cpu := range m.CPUs() {
		all += m.RunCounters(cpu).L1DAccesses
		walks += m.TLBCounts(cpu).Walks
	}
	r := &npbResult{
		Type: "result", Kernel: k.Name, Class: b.npb.class.String(), Migrating: migrating, Verified: v.Verified, Detail: v.Detail,
		References: sum.L1DAccesses, Seconds: took, Speed: float64(all) / took / 1e6,
		TraceHash: fmt.Sprintf("%016x", res.TraceHash), Walks: walks, counterLine: countersOf(sum),
	}
	for n := range m.Nodes() {
		r.Nodes = append(r.Nodes, countersOf(m.NodeCounters(n)))
	}
	return r, nil
}
