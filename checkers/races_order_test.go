package checkers_test

import (
	"testing"

	"github.com/fusedos/stramash/machine"
)

// until waits in a way that orders nothing.
func until(t *th, a at, v uint64) {
	t.Await(machine.Cond{Addr: a, Mask: ^uint64(0), Want: v, Order: machine.Relaxed})
}

func say(t *th, a at, v uint64) { t.Store(a, w64, v, machine.Relaxed) }

// Programs of up to three CPUs with the words x, y and flag.
var programs = map[string]struct {
	bodies func(m *machine.Machine, x, y, flag at) []func(*th)
	races  bool
}{
	"a swap goes on with what was released": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th) { t.Swap(f, w64, 2, machine.Relaxed) },
			func(t *th) { t.Await(machine.Until(f, 2)); t.Load64(x) },
		}
	}, false},
	"a store does not": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th) { say(t, f, 2) },
			func(t *th) { t.Await(machine.Until(f, 2)); t.Load64(x) },
		}
	}, true},
	"a swap that releases adds to it": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th) { t.Store64(y, 1); t.Swap(f, w64, 2, machine.Release) },
			func(t *th) { t.Await(machine.Until(f, 2)); t.Load64(x); t.Load64(y) },
		}
	}, false},
	"a swap of some bytes adds to those": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th) { t.Store64(y, 1); t.Swap(f+4, machine.Size32, 2, machine.Release) },
			func(t *th) { until(t, f, 2<<32|1); t.Load(f, machine.Size32, machine.Acquire); t.Load64(x) },
		}
	}, false},
	"and to no others": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Store(f, w64, 1, machine.Release) },
			func(t *th) { t.Store64(y, 1); t.Swap(f+4, machine.Size32, 2, machine.Release) },
			func(t *th) { until(t, f, 2<<32|1); t.Load(f, machine.Size32, machine.Acquire); t.Load64(y) },
		}
	}, true},
	"a plain look is no look for a fence": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.Fence(machine.FullFence); say(t, f, 1) },
			func(t *th) { until(t, y, 0); t.Load64(f); t.Fence(machine.FullFence); t.Load64(x) },
		}
	}, true},
	"a spawned thread comes after its parent": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); say(t, f, uint64(t.Spawn(func(t *th) { t.Load64(x) }))) },
			func(t *th) {
				until(t, f, t.Load(f, w64, machine.Relaxed))
				t.SwitchTo(machine.Handle(t.Load(f, w64, machine.Relaxed)))
			},
		}
	}, false},
	"but not after what the parent does then": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { h := t.Spawn(func(t *th) { t.Load64(x) }); t.Store64(x, 1); say(t, f, uint64(h)) },
			func(t *th) { t.SwitchTo(machine.Handle(t.Load(f, w64, machine.Relaxed))) },
		}
	}, true},
	"a CPU goes on behind a switch": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.SwitchTo(t.Spawn(func(t *th) { t.Load64(x) })) },
		}
	}, false},
	"who has left a CPU is not before it any more": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) {
				say(t, f, uint64(t.Handle()))
				t.SwitchTo(t.Spawn(func(t *th) { until(t, y, 1); t.Load64(x) }))
				t.Store64(x, 1) // on the other CPU
				say(t, y, 1)
			},
			func(t *th) { t.SwitchTo(machine.Handle(t.Load(f, w64, machine.Relaxed))) },
		}
	}, true},
	"a CPU goes on behind the end of a thread": {func(m *machine.Machine, x, y, f at) []func(*th) {
		m.Handle(0, machine.VectorIPI, func(t *th, _ *machine.Frame) { t.Load64(x); say(t, y, 1) })
		return []func(*th){
			func(t *th) { t.Store64(x, 1) },
			func(t *th) { t.SendIPI(0, machine.VectorIPI); until(t, y, 1) },
		}
	}, false},
	"an interrupt comes after who sent it": {func(m *machine.Machine, x, y, f at) []func(*th) {
		m.Handle(1, machine.VectorIPI, func(t *th, _ *machine.Frame) { t.Load64(x); say(t, y, 1) })
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.SendIPI(1, machine.VectorIPI) },
			func(t *th) { until(t, y, 1) },
		}
	}, false},
	"but not after what the sender does then": {func(m *machine.Machine, x, y, f at) []func(*th) {
		m.Handle(1, machine.VectorIPI, func(t *th, _ *machine.Frame) { t.Load64(x); say(t, y, 1) })
		return []func(*th){
			func(t *th) { t.SendIPI(1, machine.VectorIPI); t.Store64(x, 1) },
			func(t *th) { until(t, y, 1) },
		}
	}, true},
	"a handler is part of the thread": {func(m *machine.Machine, x, y, f at) []func(*th) {
		m.Handle(0, machine.VectorIPI, func(t *th, _ *machine.Frame) { t.Store64(x, t.Load64(x)+1) })
		return []func(*th){
			func(t *th) { t.Store64(x, 1); t.SendIPI(0, machine.VectorIPI); t.Load64(x); t.Load64(x) },
		}
	}, false},
	"a free comes after those who used it": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { b := t.Alloc(24); t.Store64(b+16, 1); t.Store(f, w64, uint64(b), machine.Release) },
			func(t *th) { t.Free(at(t.Load(f, w64, machine.Acquire))) },
		}
	}, false},
	"or races with them": {func(m *machine.Machine, x, y, f at) []func(*th) {
		return []func(*th){
			func(t *th) { b := t.Alloc(24); t.Store64(b+16, 1); say(t, f, uint64(b)) },
			func(t *th) { t.Free(at(t.Load(f, w64, machine.Relaxed))) },
		}
	}, true},
}

func TestRacesOrder(t *testing.T) {
	for name, test := range programs {
		p := machine.Platform{Nodes: []machine.Node{{ISA: machine.X86, CPUs: 1}, {ISA: machine.AArch64, CPUs: 2}}}
		got := raceOf(t, p, func(m *machine.Machine) []func(*th) {
			return test.bodies(m, m.Alloc(8), m.Alloc(8), m.Alloc(8))
		})
		if (got != "") != test.races {
			t.Errorf("%s: %q", name, got)
		}
	}
}
