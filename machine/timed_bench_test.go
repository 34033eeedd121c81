package machine_test

import (
	"math/bits"
	"testing"

	"github.com/fusedos/stramash/machine"
)

// stream makes one load or store of 8 bytes after the other in a timed run, three
// loads to a store, and reports how many it makes a second.
func stream(b *testing.B, span uint64, random bool, each func(t *machine.Thread)) {
	m, err := machine.New(timedPair(1, 512<<20))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	m.Begin(machine.Earliest{}, machine.Limits{})
	at := m.Alloc(span)
	n := uint64(0)
	res := m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) {
		r, sum := uint64(88172645463325252), uint64(0)
		next := uint64(0)
		for b.Loop() {
			for i := range uint64(4096) {
				a := next & (span - 1)
				if random {
					r ^= r << 13
					r ^= r >> 7
					r ^= r << 17
					a, _ = bits.Mul64(r, span)
					a &^= 7
				}
				next += 8
				if i%4 == 0 {
					t.Store64(at+machine.VA(a), r)
				} else {
					sum += t.Load64(at + machine.VA(a))
				}
				if each != nil {
					each(t)
				}
			}
			n += 4096
		}
	}})
	if res.Outcome != machine.Finished {
		b.Fatal(res.Detail)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mref/s")
}

func BenchmarkL1Sequential(b *testing.B) { stream(b, 16<<10, false, nil) }
func BenchmarkL1Random(b *testing.B)     { stream(b, 16<<10, true, nil) }
func BenchmarkL2Random(b *testing.B)     { stream(b, 512<<10, true, nil) }
func BenchmarkL3Random(b *testing.B)     { stream(b, 3<<20, true, nil) }
func BenchmarkMemoryRandom(b *testing.B) { stream(b, 256<<20, true, nil) }

// Streams of two nodes that take turns, each after so many accesses.
func BenchmarkInTurn(b *testing.B)      { twoNodes(b, 4096) }
func BenchmarkAlternating(b *testing.B) { twoNodes(b, 1) }

func twoNodes(b *testing.B, turn uint64) {
	m, err := machine.New(timedPair(1, 1<<20))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	m.Begin(machine.Earliest{}, machine.Limits{})
	at, n := []machine.VA{m.AllocOn(0, 16<<10), m.AllocOn(1, 16<<10)}, uint64(0)
	m.Drive(func(ts []*machine.Thread) {
		for b.Loop() {
			for i := uint64(0); i < 8192; i += turn {
				k := i / turn % 2
				for j := range turn {
					ts[k].Load64(at[k] + machine.VA((n/2+i/2+j)*8&(16<<10-1)))
				}
			}
			n += 8192
		}
	})
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mref/s")
}
