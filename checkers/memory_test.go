package checkers_test

import (
	"testing"

	"github.com/fusedos/stramash/checkers"
	"github.com/fusedos/stramash/machine"
)

// What the judge of memory says of threads that use the heap, each alone.
var heapUsers = map[string]func(t *th){
	"": func(t *th) {
		for size := range uint64(40) {
			b := t.Alloc(size + 1)
			t.Store(b+at(size), machine.Size8, 1, machine.Plain)
			defer t.Free(b)
		}
	},
	"use after free: P0 (x86-64) reads block 0.0+8, which P0 (x86-64) has freed before; access 3 freed 2 alloc 0": func(t *th) {
		b := t.Alloc(16)
		t.Store64(b, 1)
		t.Free(b)
		t.Load64(b + 8)
	},
	"overrun: P0 (x86-64) writes block 0.0+16: the block has 16 bytes; access 1 alloc 0": func(t *th) {
		t.Store64(t.Alloc(16)+16, 1)
	},
	"overrun: P0 (x86-64) reads block 0.0+20: the block has 20 bytes; access 1 alloc 0": func(t *th) {
		t.Load(t.Alloc(20)+20, machine.Size8, machine.Plain)
	},
	"overrun: P0 (x86-64) writes block 0.0+24: the block has 20 bytes; access 1 alloc 0": func(t *th) {
		t.Store64(t.Alloc(20)+24, 1)
	},
	"wild access: P0 (x86-64) reads block 0.0+32, where the heap has no block; access 1": func(t *th) {
		t.Load64(t.Alloc(16) + 32)
	},
	"underrun: P0 (x86-64) reads block 0.0+40: that is before the block; access 2 alloc 1": func(t *th) {
		t.Alloc(32)
		t.Load64(t.Alloc(16) - 8)
	},
	"double free: P0 (x86-64) frees block 0.0, which P0 (x86-64) has freed before; free 2 freed 1 alloc 0": func(t *th) {
		b := t.Alloc(16)
		t.Free(b)
		t.Free(b)
	},
	"invalid free: P0 (x86-64) frees block 0.0+8, where no block begins; free 1 alloc 0": func(t *th) {
		t.Free(t.Alloc(16) + 8)
	},
	"invalid free: P0 (x86-64) frees 0x100000, where no block begins; free 0": func(t *th) {
		t.Free(0x100000)
	},
	"wild access: P0 (x86-64) reads block 0.0+4096, where the heap has no block; access 1": func(t *th) {
		t.Load64(t.Alloc(16) + 4096)
	},
}

func TestMemory(t *testing.T) {
	for want, body := range heapUsers {
		m, err := machine.New(machine.Pair())
		if err != nil {
			t.Fatal(err)
		}
		var d checkers.Memory
		m.SetTracer(d.Observe)
		mess := func(t *th) {
			for range 3 {
				t.Free(t.Alloc(64))
			}
		}
		for _, f := range []func(*th){mess, body} { // nothing is left of the first run
			m.Begin(machine.Natural{}, machine.Limits{})
			d.Begin(m)
			m.Run(machine.Start{Body: f})
		}
		got := ""
		if f := d.Fault(); f != nil {
			got = f.Rule + ": " + f.Message + ";"
			for _, w := range f.Witnesses {
				got += " " + w.Role + " " + string(rune('0'+w.Event))
			}
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		m.Close()
	}
}

// What is no block of the heap, in this run or in one before, is none.
func TestMemoryOfOtherRuns(t *testing.T) {
	m, err := machine.New(machine.Pair())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var d checkers.Memory
	m.SetTracer(d.Observe)
	var heap machine.VA
	for _, test := range []struct {
		want string
		body func(t *machine.Thread, global machine.VA)
	}{
		{"", func(t *machine.Thread, _ machine.VA) {
			heap = t.Alloc(16)
			for range 3 {
				t.Store64(t.Alloc(16), 1)
			}
		}},
		{"invalid free", func(t *machine.Thread, _ machine.VA) { t.Free(heap + 96) }},
		{"wild access", func(t *machine.Thread, _ machine.VA) { t.Free(t.Alloc(16)); t.Load64(heap + 96) }},
		{"invalid free", func(t *machine.Thread, g machine.VA) { t.Alloc(8); t.Store64(g, 1); t.Free(g) }},
		{"use after free", func(t *machine.Thread, g machine.VA) {
			at := t.Alloc(8)
			t.Free(at)
			t.AwaitTimeout(machine.Until(at, 1))
		}},
		{"use after free", func(t *machine.Thread, g machine.VA) {
			at := t.Alloc(8)
			t.Free(at)
			t.AwaitAny(machine.Until(at, 1), machine.Until(g, 0))
		}},
	} {
		m.Begin(machine.Natural{}, machine.Limits{})
		d.Begin(m)
		g := m.Alloc(8)
		m.Run(machine.Start{CPU: 0, Body: func(t *machine.Thread) { test.body(t, g) }})
		got := ""
		if f := d.Fault(); f != nil {
			got = f.Rule
		}
		if got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
