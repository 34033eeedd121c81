package workload_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
	"github.com/fusedos/stramash/workload"
)

// speed reports the references that a timed run makes in a second of the host.
func speed(b *testing.B, m *machine.Machine) {
	refs := uint64(0)
	for cpu := range m.CPUs() {
		refs += m.RunCounters(cpu).L1DAccesses
	}
	b.ReportMetric(float64(refs)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mref/s")
	b.ReportMetric(0, "ns/op")
}

// Class S of each kernel, on one node, with set-up and verification.
func BenchmarkKernel(b *testing.B) {
	for _, k := range workload.Kernels() {
		b.Run(k.Name, func(b *testing.B) {
			m := pair(b, k.Memory(workload.S), machine.PaperHardware)
			for b.Loop() {
				if result, _ := k.Run(m, workload.S, workload.How{}); !result.Verified {
					b.Fatalf("%+v", result)
				}
			}
			speed(b, m)
		})
	}
}

// Streams over what each level holds: 3 loads for each store.
func BenchmarkStream(b *testing.B) {
	for _, c := range []struct {
		name   string
		size   uint64
		random bool
	}{
		{"seq-L1", 16 << 10, false}, {"random-L1", 16 << 10, true},
		{"random-L2", 512 << 10, true}, {"random-L3", 3 << 20, true}, {"seq-memory", 64 << 20, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := pair(b, c.size, machine.PaperHardware)
			s := workload.Stream{Range: c.size, Random: c.random, LoadsPerStore: 3, Count: 1 << 23}
			for b.Loop() {
				m.Begin(machine.Earliest{}, machine.Limits{})
				m.Run(machine.Start{CPU: 0, Body: s.Program(m, workload.Options{})})
			}
			speed(b, m)
		})
	}
}
