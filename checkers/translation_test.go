package checkers_test

import (
	"strings"
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// translated has the CPUs of one AArch64 node translate page 0x10 by an entry.
func translated(m *machine.Machine) (entry at) {
	entry = m.Alloc(64) + 8
	for cpu := range m.CPUs() {
		m.SetMMU(cpu, machine.MMU{Format: machine.Pages{Levels: 1, Bits: 2, Bytes: 4}, To: 0x40, Sets: 1, Ways: 1})
		m.SetRoot(cpu, machine.PA(entry-8))
	}
	return entry
}

func mapped(frame at) uint64 { return uint64(frame) | machine.PagePresent | machine.PageWrite }

// A use after free through a stale translation is named by the block, and so is a
// walk through a table that was freed.
func TestMemoryThroughTranslation(t *testing.T) {
	const page = at(0x10)
	for want, body := range map[string]func(t *th, entry at){
		"": func(t *th, entry at) {
			block := t.Alloc(16)
			t.Store64(entry, mapped(block))
			t.Store64(page+8, 1)
			t.InvalidatePage(page)
			t.Free(block)
		},
		"P0 (x86-64) writes block 0.0+8, which P0 (x86-64) has freed before": func(t *th, entry at) {
			block := t.Alloc(16)
			t.Store64(entry, mapped(block))
			t.Store64(page+8, 1)
			t.Store64(entry, 0)
			t.Free(block)
			t.Store64(page+8, 1)
		},
		"P0 (x86-64) reads block 0.0+8: the block has 8 bytes": func(t *th, entry at) {
			t.Store64(entry, mapped(t.Alloc(8)))
			t.Load64(page + 8)
		},
		"P0 (x86-64) reads block 0.0+8, which P0 (x86-64) has freed before": func(t *th, entry at) {
			table := t.Alloc(32)
			t.Free(table)
			t.SetRoot(machine.PA(table))
			t.Store64(page, 1)
		},
	} {
		m, err := machine.New(machine.Pair())
		if err != nil {
			t.Fatal(err)
		}
		var d checkers.Memory
		m.SetTracer(d.Observe)
		m.Begin(machine.Natural{}, machine.Limits{})
		d.Begin(m)
		entry := translated(m)
		m.Run(machine.Start{Body: func(t *th) { body(t, entry) }})
		got := ""
		if f := d.Fault(); f != nil {
			got = f.Message
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		m.Close()
	}
}

// What a walker does races with nothing; two addresses of one frame are one word; and
// what goes through a translation comes after the release of its entry, and before the
// end of the invalidation that takes it away.
func TestRacesThroughTranslation(t *testing.T) {
	const page, same = at(0x10), at(0x20)
	node := machine.Platform{Nodes: []machine.Node{{ISA: machine.AArch64, CPUs: 2}}}
	for name, test := range map[string]struct {
		first, second func(t *th, entry, frame, f at)
		races         bool
	}{
		"walks": {
			func(t *th, entry, frame, _ at) { t.Store64(entry, mapped(frame)) },
			func(t *th, _, _, _ at) { t.Store64(page, 1) }, false,
		},
		"two addresses": {
			func(t *th, _, _, _ at) { t.Store64(page, 1) },
			func(t *th, _, _, _ at) { t.Load64(same) }, true,
		},
		"a released entry": {
			func(t *th, entry, frame, _ at) {
				t.Store64(frame, 1)
				t.Store(entry+16, w64, mapped(frame), machine.Release)
			},
			func(t *th, _, _, _ at) { t.Load64(0x30) }, false,
		},
		"a relaxed entry": {
			func(t *th, entry, frame, _ at) {
				t.Store64(frame, 1)
				t.Store(entry+16, w64, mapped(frame), machine.Relaxed)
			},
			func(t *th, _, _, _ at) { t.Load64(0x30) }, true,
		},
		"a broadcast": {
			func(t *th, entry, _, f at) { t.Store64(page, 1); t.Store(f, w64, 1, machine.Relaxed) },
			func(t *th, entry, frame, f at) {
				until(t, f, 1)
				t.BroadcastPage(page)
				t.Fence(machine.SyncFence)
				t.Store64(frame, 2)
			}, false,
		},
		"a broadcast that nobody awaits": {
			func(t *th, entry, _, f at) { t.Store64(page, 1); t.Store(f, w64, 1, machine.Relaxed) },
			func(t *th, entry, frame, f at) {
				until(t, f, 1)
				t.BroadcastPage(page)
				t.Store64(frame, 2)
			}, true,
		},
	} {
		got := raceOf(t, node, func(m *machine.Machine) []func(*th) {
			entry, frame, f := translated(m), m.Alloc(16), m.Alloc(8)
			m.Label(frame, 16, "frame")
			m.Poke64(entry, mapped(frame))
			m.Poke64(entry+8, mapped(frame))
			return []func(*th){
				func(t *th) { test.first(t, entry, frame, f) },
				func(t *th) { test.second(t, entry, frame, f) },
			}
		})
		if (got != "") != test.races || test.races && !strings.Contains(got, " frame, ") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
