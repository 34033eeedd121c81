package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/fusedos/stramash/cmd/verify/internal/cachegrind"
	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/coherence/plain"
	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/machine/firmware"
	"github.com/fusedos/stramash/workload"
)

// validateEffort is what experiment validate does, beside the kernels of npb.
type validateEffort struct {
	stream     uint64 // references of the random stream
	cachegrind bool
	class      workload.Class // of what cachegrind is given
}

// validateEffort defines the flags of experiment validate.
func (f *flags) validateEffort() func() (validateEffort, error) {
	stream := f.count("stream", 2_000_000, 1<<40, "validate: how many `REFERENCES` of a random stream of all nodes are compared")
	class := f.String("replay", "W", "validate: problem `SIZE` of what cachegrind is given")
	with := f.Bool("cachegrind", true, "validate: also compare IS and CG with valgrind --tool=cachegrind")
	return func() (validateEffort, error) {
		if *with {
			if err := cachegrind.Find(); err != nil {
				return validateEffort{}, fmt.Errorf("%w; or leave it out by -cachegrind=false", err)
			}
		}
		c, err := workload.ParseClass(*class)
		return validateEffort{stream.n, *with, c}, err
	}
}

// validateResult is one comparison.
type validateResult struct {
	Type       string `json:"type"` // result
	What       string `json:"what"`
	Model      string `json:"model"`
	References uint64 `json:"references"` // that were compared
	Equal      bool   `json:"equal"`
	Detail     string `json:"detail,omitempty"`
}

// againstResult is a comparison of one level with cachegrind.
type againstResult struct {
	Type       string  `json:"type"` // result
	What       string  `json:"what"`
	Level      string  `json:"level"`
	Ours       uint64  `json:"misses"`
	Cachegrind uint64  `json:"cachegrind_misses"`
	Percent    float64 `json:"difference_percent"`
	Within     bool    `json:"within_5_percent"`
}

// benchValidate compares the caches with a plain model, reference by reference, and
// with cachegrind.
func benchValidate(b *bench) ([]figure, error) {
	v := &validation{b: b, equal: true}
	for i, p := range b.platforms {
		m, err := machine.New(p)
		if err != nil {
			return nil, err
		}
		v.model = string(b.models[i])
		v.kernels(m)
		v.stream(m)
		m.Close()
		if v.err != nil {
			return nil, v.err
		}
	}
	if b.validate.cachegrind {
		v.cachegrind()
	}
	if v.err == nil {
		v.err = saveMisses(b, v.levels, v.ours, v.theirs)
	}
	switch {
	case v.err != nil:
		return nil, v.err
	case !v.equal:
		return nil, errors.New("the caches differ from the plain model, or from cachegrind by more than 5 %: see the results")
	case v.references == 0:
		return nil, nil
	}
	out := []figure{{"validate_references", float64(v.references), "references whose outcome was compared with the plain model: all equal"}}
	if len(v.levels) > 0 {
		out = append(out, figure{"validate_worst_percent", v.worst, "largest difference from cachegrind, in misses"})
	}
	return out, nil
}

// validation is the state of experiment validate.
type validation struct {
	b          *bench
	model      string
	references uint64
	worst      float64
	equal      bool
	err        error

	levels       []string // compared with cachegrind
	ours, theirs []float64
}

// beside is a machine's caches beside the plain model of the same geometry.
type beside struct {
	m          *machine.Machine
	plain      *plain.System
	references uint64
	differs    string
}

func newBeside(m *machine.Machine) *beside {
	return &beside{m: m, plain: plain.New(m.CacheConfig())}
}

// access makes the access that the machine has made, and compares the counters.
func (s *beside) access(cpu int, pa machine.PA, write bool) {
	s.references++
	if write {
		s.plain.Store(cpu, uint64(pa))
	} else {
		s.plain.Load(cpu, uint64(pa))
	}
	if got, want := s.m.RunCounters(cpu).Counters, s.plain.Counters(cpu); got != want && s.differs == "" {
		s.differs = fmt.Sprintf("reference %d, CPU %d at %#x, write: %t: %+v; the plain model has %+v", s.references, cpu, uint64(pa), write, got, want)
	}
}

// kernels compares the kernels, which move between the nodes. Each is run once more
// untraced, on the machine's short way: the counters must end the same.
func (v *validation) kernels(m *machine.Machine) {
	for _, k := range v.b.npb.kernels {
		if v.err != nil || v.b.stop() {
			return
		}
		v.b.progress("validate", fmt.Sprintf("%s class %s on %s, reference by reference", k.Name, v.b.npb.class, v.model))
		s := newBeside(m)
		m.SetTracer(func(e *machine.Event) {
			if k := e.Op.Kind; k.Reads() || k.Writes() {
				s.access(e.CPU, e.PA, k.Writes())
			}
		})
		run := func() []coherence.Counters {
			_, res := k.Run(m, v.b.npb.class, workload.How{Migrating: true, Paged: v.b.npb.paged, Earliest: machine.Earliest{Skew: v.b.skew, Stop: v.b.stop}})
			if res.Outcome != machine.Finished {
				v.err = fmt.Errorf("%s: %s: %s", k.Name, res.Outcome, res.Detail)
			}
			var out []coherence.Counters
			for cpu := range m.CPUs() {
				out = append(out, m.RunCounters(cpu).Counters)
			}
			return out
		}
		traced := run()
		m.SetTracer(nil)
		if v.b.stop() {
			v.err = nil
			return
		}
		for cpu, short := range run() {
			if short != traced[cpu] && s.differs == "" {
				s.differs = fmt.Sprintf("CPU %d: on the short way %+v, traced %+v", cpu, short, traced[cpu])
			}
		}
		v.tell(k.Name+" class "+v.b.npb.class.String(), s)
	}
}

// stream compares random references by all CPUs, some to memory that they share.
func (v *validation) stream(m *machine.Machine) {
	if v.err != nil || v.b.stop() {
		return
	}
	v.b.progress("validate", "a random stream on "+v.model)
	s := newBeside(m)
	m.Begin(machine.Earliest{Stop: v.b.stop}, machine.Limits{})
	const own, shared = 6 << 20, 1 << 20
	common, at := m.AllocShared(shared), []machine.VA{}
	for cpu := range m.CPUs() {
		at = append(at, m.AllocOn(m.NodeOf(cpu), own))
	}
	r := rand.New(rand.NewPCG(5, 6))
	m.Drive(func(ts []*machine.Thread) {
		for i := range v.b.validate.stream {
			if i%4096 == 0 && v.b.stop() {
				return
			}
			cpu := r.IntN(len(ts))
			a := at[cpu] + machine.VA(r.Uint64N(uint64(1)<<(10+r.IntN(12)))*8%own)
			if r.IntN(4) == 0 {
				a = common + machine.VA(r.Uint64N(uint64(1)<<(4+r.IntN(13))))*8
			}
			write := r.IntN(4) == 0
			if write {
				ts[cpu].Store64(a, 1)
			} else {
				ts[cpu].Load64(a)
			}
			s.access(cpu, machine.PA(a), write)
		}
	})
	if !v.b.stop() {
		v.tell("random stream of all nodes", s)
	}
}

// tell prints what a comparison came to.
func (v *validation) tell(what string, s *beside) {
	v.references += s.references
	v.equal = v.equal && s.differs == ""
	verdict := "all equal"
	if s.differs != "" {
		verdict = "DIFFERS: " + s.differs
	}
	v.b.result(validateResult{"result", what, v.model, s.references, s.differs == "", s.differs},
		fmt.Sprintf("%-28s %-12s %14s references: %s", what, v.model, grouped(s.references), verdict))
}

// cachegrind compares IS and CG, as they run on one node with the caches of the first
// platform's first node, with cachegrind.
func (v *validation) cachegrind() {
	p := machine.PaperPlatform(firmware.Separated) // in whose memory both have the same sets
	p.Hardware.Nodes[0] = v.b.platforms[0].Hardware.Nodes[0]
	m, err := machine.New(p)
	if err != nil {
		v.err = err
		return
	}
	defer m.Close()
	n := p.Hardware.Nodes[0]
	g := cachegrind.Geometry{D1Size: int(n.L1D.Size), D1Ways: n.L1D.Ways, LLSize: int(n.L3.Size), LLWays: n.L3.Ways}
	for _, name := range []string{"IS", "CG"} {
		k, err := workload.ByName(name)
		if err != nil || v.b.stop() {
			v.err = err
			return
		}
		what := name + " class " + v.b.validate.class.String()
		v.b.progress("validate", what+" under cachegrind")
		counts, err := v.replay(m, k, g)
		if v.b.stop() {
			return
		}
		if err != nil {
			v.err = err
			return
		}
		c := m.RunCounters(0)
		v.against(what, "D1", c.L1DAccesses-c.L1DHits, counts.D1ReadMisses+counts.D1WriteMisses)
		v.against(what, "LL", c.L3Accesses-c.L3Hits, counts.LLReadMisses+counts.LLWriteMisses)
	}
}

// replay runs a kernel, and has cachegrind see its accesses.
func (v *validation) replay(m *machine.Machine, k workload.Kernel, g cachegrind.Geometry) (cachegrind.Counts, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const lines = 1 << 20 // the arena and the machine agree on the sets of lines
	return cachegrind.Replay(ctx, g, (k.Memory(v.b.validate.class)+2*lines)&^(lines-1), func(yield func(offset uint64, write bool) error) error {
		var failed error
		m.SetTracer(func(e *machine.Event) {
			if kind := e.Op.Kind; failed == nil && (kind.Reads() || kind.Writes()) {
				if failed = yield(uint64(e.PA)-lines, kind.Writes()); failed != nil {
					m.Stop("cachegrind has ended")
				}
			}
		})
		defer m.SetTracer(nil)
		_, res := k.Run(m, v.b.validate.class, workload.How{Earliest: machine.Earliest{Stop: v.b.stop}})
		if failed == nil && res.Outcome != machine.Finished {
			failed = fmt.Errorf("%s: %s: %s", k.Name, res.Outcome, res.Detail)
		}
		return failed
	})
}

// against holds misses of one level against cachegrind's.
func (v *validation) against(what, level string, ours, theirs uint64) {
	percent := 100 * (float64(ours) - float64(theirs)) / float64(max(theirs, 1))
	v.worst = max(v.worst, percent, -percent)
	v.levels = append(v.levels, what+" "+level)
	v.ours, v.theirs = append(v.ours, float64(ours)), append(v.theirs, float64(theirs))
	within := percent >= -5 && percent <= 5
	v.equal = v.equal && within
	v.b.result(againstResult{"result", what, level, ours, theirs, percent, within},
		fmt.Sprintf("%-28s %s misses: %s; cachegrind: %s; %+.3f %%", what, level, grouped(ours), grouped(theirs), percent))
}
