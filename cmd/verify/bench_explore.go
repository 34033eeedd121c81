package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/fusedos/stramash/cmd/verify/internal/rumur"
	"github.com/fusedos/stramash/coherence/protocol"
)

// exploreRounds is how often a check is measured at most. It takes seconds, of which the
// clock's grain is nothing.
const exploreRounds = 3

// exploreResult is one measurement of experiment check.
type exploreResult struct {
	Type               string  `json:"type"` // result
	By                 string  `json:"by"`   // verify or rumur
	Mode               string  `json:"mode,omitempty"`
	Workers            int     `json:"workers"`
	States             int64   `json:"states"`
	Rules              int64   `json:"rules"`
	Seconds            float64 `json:"seconds,omitempty"`
	CPUSeconds         float64 `json:"cpu_seconds"`
	StatesPerCPUSecond float64 `json:"states_per_cpu_second"`
	PeakMB             float64 `json:"peak_mb,omitempty"`
}

func (r exploreResult) text() string {
	peak := ""
	if r.PeakMB > 0 {
		peak = fmt.Sprintf(", peak %.0f MB", r.PeakMB)
	}
	return fmt.Sprintf("%-6s %-12s %s: %s, %.2f s of CPU, %s states a CPU-second%s", r.By, r.Mode,
		counted(r.Workers, "worker"), counted(int(r.States), "state"), r.CPUSeconds, grouped(uint64(r.StatesPerCPUSecond)), peak)
}

// orBetter has the shorter times of two measurements of the same, and the larger peak.
func (r exploreResult) orBetter(o exploreResult) exploreResult {
	r.Seconds, r.CPUSeconds, r.PeakMB = min(r.Seconds, o.Seconds), min(r.CPUSeconds, o.CPUSeconds), max(r.PeakMB, o.PeakMB)
	r.StatesPerCPUSecond = rate(uint64(r.States), r.CPUSeconds)
	return r
}

// benchExplore measures the checker on the directory MESI without symmetry: what it takes
// with one worker, by fingerprints and with whole states, and how much two are faster;
// beside Rumur on the same model. Each check is a process of its own, so that time and
// memory are those of the check.
func benchExplore(b *bench) ([]figure, error) {
	best := map[string]exploreResult{}
	measure := func(name, mode string, workers int) error {
		b.progress("check", fmt.Sprintf("mesi of %d caches, %s, %s", b.caches, mode, counted(workers, "worker")))
		r, err := b.explore(mode, workers)
		if was, ok := best[name]; ok {
			r = r.orBetter(was)
		}
		best[name] = r
		return err
	}
	for range min(b.rounds, exploreRounds) {
		for _, m := range []struct {
			name, mode string
			workers    int
		}{{"one", modeFingerprints, 1}, {"exact", modeExact, 1}, {"two", modeFingerprints, 2}} {
			if err := measure(m.name, m.mode, m.workers); err != nil || b.stop() {
				return nil, b.unlessStopped(err)
			}
		}
	}
	for _, name := range []string{"one", "exact", "two"} {
		b.result(best[name], best[name].text())
	}
	beside, err := b.besideRumur(best["one"])
	if err != nil || b.stop() {
		return nil, b.unlessStopped(err)
	}
	return exploreFigures(best["one"], best["exact"], best["two"], beside), nil
}

// unlessStopped is the error, unless it comes of an interrupt.
func (b *bench) unlessStopped(err error) error {
	if b.stop() {
		return nil
	}
	return err
}

// explore has a process of this program check the model.
func (b *bench) explore(mode string, workers int) (exploreResult, error) {
	self, err := os.Executable()
	if err != nil {
		return exploreResult{}, err
	}
	c := exec.CommandContext(b.ctx, self, "check", "mesi", "-json", "-n", strconv.Itoa(b.caches), "-workers", strconv.Itoa(workers),
		"-fingerprints="+strconv.FormatBool(mode == modeFingerprints), "-quiescence=false", "-progress=false")
	c.Args[0] = os.Args[0] // by which a test binary knows what it is
	var diagnosis bytes.Buffer
	c.Stderr = &diagnosis
	out, err := c.Output()
	if err != nil {
		return exploreResult{}, fmt.Errorf("%s: %w: %s", c, err, bytes.TrimSpace(diagnosis.Bytes()))
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	var r exploreResult
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil {
		return r, fmt.Errorf("%s: %w", c, err)
	}
	r.Type, r.By = "result", "verify"
	return r, nil
}

// besideRumur has Rumur check the same model, if there is one here. It must count the
// same.
func (b *bench) besideRumur(ours exploreResult) (r exploreResult, err error) {
	if err := rumur.Find(); err != nil {
		b.result(map[string]any{"type": "missing", "by": "rumur", "why": err.Error()}, "no comparison with Rumur: "+err.Error())
		return r, nil
	}
	p, err := protocol.Load("mesi")
	if err != nil {
		return r, err
	}
	s, err := p.Build(protocol.Config{Parameters: map[string]int{p.Many().Name: b.caches}})
	if err != nil {
		return r, err
	}
	b.progress("check", "the same by Rumur")
	c, err := rumur.Check(b.ctx, s.Murphi())
	if err != nil {
		return r, err
	}
	if c.States != uint64(ours.States) || c.Rules != uint64(ours.Rules) || c.Errors > 0 {
		return r, fmt.Errorf("rumur counts %d states and %d rules, and %d errors, where this program counts %d and %d",
			c.States, c.Rules, c.Errors, ours.States, ours.Rules)
	}
	r = exploreResult{Type: "result", By: "rumur", Workers: 1, States: ours.States, Rules: ours.Rules, CPUSeconds: c.CPU.Seconds()}
	r.StatesPerCPUSecond = rate(uint64(r.States), r.CPUSeconds)
	b.result(r, r.text())
	return r, nil
}

func exploreFigures(one, exact, two, beside exploreResult) []figure {
	out := []figure{
		{"check_states", float64(one.States), "of the directory MESI, without symmetry"},
		{"check_rules", float64(one.Rules), "fired"},
		{"check_states_per_cpu_second", one.StatesPerCPUSecond, "fingerprints, one worker; at least 600,000, and the aim is 1,500,000"},
		{"check_exact_states_per_cpu_second", exact.StatesPerCPUSecond, "whole states, one worker"},
		{"check_peak_mb", one.PeakMB, "fingerprints; less than 300"},
		{"check_exact_peak_mb", exact.PeakMB, "whole states; less than 300"},
		{"check_speedup_2", one.Seconds / max(two.Seconds, 1e-6), "of two workers; on an idle machine at least 1.7, and the aim is 1.9"},
		{"check_efficiency_2", one.CPUSeconds / max(two.CPUSeconds, 1e-6), "CPU time of one worker, to that of two"},
	}
	if beside.States > 0 {
		out = append(out,
			figure{"rumur_cpu_seconds", beside.CPUSeconds, "Rumur, one thread, on the exported model"},
			figure{"rumur_states_per_cpu_second", beside.StatesPerCPUSecond, "the same"},
			figure{"check_rumur_ratio", one.StatesPerCPUSecond / beside.StatesPerCPUSecond, "of fingerprints to Rumur; at least 6"},
			figure{"check_exact_rumur_ratio", exact.StatesPerCPUSecond / beside.StatesPerCPUSecond, "of whole states to Rumur"},
		)
	}
	out = append(out, figure{"native_mprobes_per_s", probes(), "the calibration: millions of reads at random places of 64 MB"})
	for i := range out {
		out[i].value = math.Round(out[i].value*1e3) / 1e3
	}
	return out
}

// probes is how many million reads a second a slice of 64 MB serves that is read at
// random places, as a table of states is.
func probes() float64 {
	const words = 1 << 23
	host := make([]uint64, words)
	for i := range host {
		host[i] = uint64(i)
	}
	best, sum := 0.0, uint64(0)
	for range exploreRounds {
		x := uint64(88172645463325252)
		began := time.Now()
		for range words {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			sum += host[x%words]
		}
		best = max(best, words/time.Since(began).Seconds()/1e6)
	}
	runtime.KeepAlive(sum) // or the reads are left out
	return best
}
