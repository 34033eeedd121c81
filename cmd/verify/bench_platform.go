package main

import (
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"time"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// stream is a pattern of accesses of 8 bytes whose speed is measured: three loads to a
// store.
type stream struct {
	name, doc string
	span      uint64 // bytes
	random    bool
	count     uint64 // accesses: enough for a clock
}

func streams() []stream {
	return []stream{
		{"l1_sequential", "one after the other within 16 KB: hits of the L1 cache", 16 << 10, false, 64 << 20},
		{"l1_random", "random within 16 KB", 16 << 10, true, 16 << 20},
		{"l2_random", "random within 512 KB: mostly hits of the L2 cache", 512 << 10, true, 16 << 20},
		{"l3_random", "random within 3 MB: mostly hits of the L3 cache", 3 << 20, true, 8 << 20},
		{"memory_random", "random within 256 MB", 256 << 20, true, 4 << 20},
		{"memory_sequential", "one after the other through 256 MB", 256 << 20, false, 32 << 20},
	}
}

// goals are what issue and prototype ask for, on an idle core.
var goals = map[string]string{
	"l1_sequential": "at least 250", "l1_random": "at least 55", "l2_random": "at least 40", "l3_random": "at least 13",
	"is_w": "at least 60; cachegrind does 109", "cg_w": "at least 60; cachegrind does 79",
}

// benchPlatform measures how fast a platform is simulated, beside the same loops over
// a slice of Go.
func benchPlatform(b *bench) ([]figure, error) {
	p := b.platforms[0]
	m, err := machine.New(p)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	speeds := map[string][]float64{}
	var names []string
	note := func(name string, speed float64) {
		if speeds[name] == nil {
			names = append(names, name)
		}
		speeds[name] = append(speeds[name], speed)
	}
	host := make([]uint64, 256<<20/8)
	for round := range min(b.rounds, maxPlatformRounds) {
		for _, s := range streams() {
			if b.stop() {
				break
			}
			b.progress("platform", fmt.Sprintf("round %d: %s", round+1, s.name))
			note("native_"+s.name, s.native(host))
			note(s.name, s.simulated(m, b.stop))
		}
		for _, turn := range []struct {
			name string
			n    uint64
		}{{"two_nodes_in_turn", 1 << 16}, {"two_nodes_alternating", 1}} {
			if !b.stop() {
				note(turn.name, twoNodes(m, turn.n))
			}
		}
	}
	for _, name := range []string{"IS", "CG"} {
		if k, err := workload.ByName(name); err != nil {
			return nil, err
		} else if !b.stop() {
			b.progress("platform", name+" class W")
			speed, err := kernelSpeed(b, m, k)
			if err != nil {
				return nil, err
			}
			note(map[string]string{"IS": "is_w", "CG": "cg_w"}[name], speed)
		}
	}
	if b.stop() {
		names = slices.DeleteFunc(names, func(n string) bool { return len(speeds[n]) == 0 || speeds[n][0] == 0 })
	}
	return platformFigures(names, speeds), saveSpeeds(b, speeds)
}

// maxPlatformRounds are enough for the best of them to be that of an idle core.
const maxPlatformRounds = 9

// platformFigures takes the best of each speed: what disturbs a measurement only
// slows it down.
func platformFigures(names []string, speeds map[string][]float64) (out []figure) {
	docs := map[string]string{
		"two_nodes_in_turn":     "two nodes, each in its own 16 KB, 65,536 accesses at a time",
		"two_nodes_alternating": "the same, access by access",
		"is_w":                  "IS class W as a whole", "cg_w": "CG class W as a whole",
	}
	for _, s := range streams() {
		docs[s.name], docs["native_"+s.name] = s.doc, "the same loop over a slice of Go"
	}
	best := map[string]float64{}
	for _, name := range names {
		best[name] = slices.Max(speeds[name])
		doc := docs[name]
		if goal := goals[name]; goal != "" {
			doc += "; " + goal
		}
		out = append(out, figure{name + "_mref_per_s", best[name], doc})
	}
	if len(out) == 0 {
		return nil
	}
	if turn := best["two_nodes_in_turn"]; turn > 0 {
		out = append(out, figure{"alternating_loss_percent", 100 * (1 - best["two_nodes_alternating"]/turn), "of two nodes that alternate; less than 40"})
	}
	return append(out, figure{"native_mref_per_s", best["native_l1_sequential"], "the calibration: sequential accesses to a slice of Go"})
}

// native is the speed of the stream over a slice.
func (s stream) native(host []uint64) float64 {
	words := host[:s.span/8]
	sum, x, next := uint64(0), uint64(88172645463325252), uint64(0)
	began := time.Now()
	if s.random {
		for range s.count / 4 {
			words[draw(&x, uint64(len(words)))] = x
			sum += words[draw(&x, uint64(len(words)))]
			sum += words[draw(&x, uint64(len(words)))]
			sum += words[draw(&x, uint64(len(words)))]
		}
	} else {
		for range s.count / 4 {
			w := words[next : next+4 : next+4]
			w[0] = sum
			sum += w[1]
			sum += w[2]
			sum += w[3]
			if next += 4; next == uint64(len(words)) {
				next = 0
			}
		}
	}
	speed := perMicrosecond(s.count, began)
	runtime.KeepAlive(sum)
	return speed
}

// draw is a random number below n: Marsaglia's xorshift.
func draw(x *uint64, n uint64) uint64 {
	v := *x
	v ^= v << 13
	v ^= v >> 7
	v ^= v << 17
	*x = v
	high, _ := bits.Mul64(v, n)
	return high
}

// simulated is the speed of the stream on a machine, when the caches are warm.
func (s stream) simulated(m *machine.Machine, stop func() bool) (speed float64) {
	var began time.Time
	m.Begin(machine.Earliest{Stop: stop}, machine.Limits{})
	w := workload.Stream{
		Range: s.span, Random: s.random, LoadsPerStore: 3, Count: int(s.count), WarmUp: int(min(s.span/8, s.count)),
	}
	body := w.Program(m, workload.Options{
		Started: func(*machine.Thread) { began = time.Now() },
		Stopped: func(*machine.Thread) { speed = perMicrosecond(s.count, began) },
	})
	m.Run(machine.Start{CPU: 0, Body: body})
	return speed
}

// twoNodes is the speed of a CPU of each of two nodes, each in its own L1 cache, that
// take turns after so many accesses.
func twoNodes(m *machine.Machine, turn uint64) (speed float64) {
	const span, count = 16 << 10, 32 << 20
	m.Begin(machine.Earliest{}, machine.Limits{})
	other := m.CPUs() - 1
	at := []machine.VA{m.Alloc(span), m.AllocOn(m.NodeOf(other), span)}
	m.Drive(func(ts []*machine.Thread) {
		ts = []*machine.Thread{ts[0], ts[other]}
		sum := uint64(0)
		pass := func(n uint64) {
			for i := uint64(0); i < n; i += 2 * turn {
				for k, t := range ts {
					first := at[k] + machine.VA(i/2*8)&(span-1)
					for j := range machine.VA(turn) {
						sum += t.Load64(first + j*8&(span-1))
					}
				}
			}
		}
		pass(max(2*turn, span/4))
		began := time.Now()
		pass(count)
		speed = perMicrosecond(count, began)
		runtime.KeepAlive(sum)
	})
	return speed
}

// kernelSpeed is the speed of a kernel of class W, with all that it does.
func kernelSpeed(b *bench, m *machine.Machine, k workload.Kernel) (float64, error) {
	began := time.Now()
	v, res := k.Run(m, workload.W, workload.How{Earliest: machine.Earliest{Stop: b.stop}})
	switch {
	case res.Outcome == machine.Stopped:
		return 0, nil
	case res.Outcome != machine.Finished:
		return 0, fmt.Errorf("%s: %s: %s", k.Name, res.Outcome, res.Detail)
	case !v.Verified:
		return 0, fmt.Errorf("%s class W does not verify: %s", k.Name, v.Detail)
	}
	return perMicrosecond(m.RunCounters(0).L1DAccesses, began), nil
}

// perMicrosecond is how many millions a second there have been.
func perMicrosecond(n uint64, since time.Time) float64 {
	return float64(n) / float64(time.Since(since).Nanoseconds()) * 1e3
}
