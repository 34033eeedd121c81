package machine

import (
	"slices"
	"testing"
)

// TestTranslateTimed compares the translation of a run without steps with that by
// steps: on random tables, both come to the same addresses and faults, count the same,
// and leave the same in the tables.
func TestTranslateTimed(t *testing.T) {
	for seed := range uint64(400) {
		n := seed
		draw := func(below uint64) uint64 {
			n = mix(n, seed)
			return n >> 20 % below
		}
		u := MMU{
			Format: Pages{Levels: 1 + int(draw(3)), Bits: 1 + int(draw(2)), Bytes: 4 + int(draw(2))},
			To:     1 << 16, Sets: 1 << draw(2), Ways: 1 << draw(2),
		}
		isa := []ISA{X86, AArch64}[draw(2)]
		tables := make([]uint64, 64)
		for i := range tables {
			to := nodeGap + 64*draw(8)
			tables[i] = to | draw(16)&(PageAccessed|PageDirty)
			if draw(4) > 0 {
				tables[i] |= PagePresent
			}
			if draw(3) > 0 {
				tables[i] |= PageWrite
			}
			if draw(8) == 0 {
				tables[i] |= PageLarge
			}
		}
		accesses := make([]Op, 60)
		for i := range accesses {
			accesses[i] = Op{Kind: OpLoad, Size: Size64, Addr: VA(draw(1<<(3+draw(7)))) * 8}
			if draw(3) == 0 {
				accesses[i].Kind = OpStore
			}
		}
		slow, fast := translated(t, isa, u, tables, accesses, false), translated(t, isa, u, tables, accesses, true)
		if !slices.Equal(slow, fast) {
			t.Fatalf("seed %d, %s, %+v: by steps\n%v, without\n%v", seed, isa.Name, u, slow, fast)
		}
	}
}

// The entry that came first goes first, whatever was hit or invalidated since.
func TestTLBReplaces(t *testing.T) {
	var b tlb
	b.reset(2, 2, 4)
	put := func(va VA) { b.fill(va, PageEntry{Leaf: true, Shift: 4}, true) }
	has := func(want ...VA) {
		t.Helper()
		var got []VA
		for va := VA(0); va < 0x100; va += 0x10 {
			if b.find(va+8) != nil {
				got = append(got, va)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("it has %#x, want %#x", got, want)
		}
	}
	for _, va := range []VA{0x00, 0x20, 0x10, 0x00} { // 0x10 is of the other set
		put(va)
	}
	has(0x00, 0x10, 0x20)
	put(0x40)
	has(0x10, 0x20, 0x40)
	b.drop(0x40)
	put(0x60) // in the place of 0x20, though another way is empty
	has(0x10, 0x60)
	put(0x80)
	has(0x10, 0x60, 0x80)
	b.drop(noPage)
	has()
}

// translated makes the accesses, and answers what comes of them.
func translated(t *testing.T, isa ISA, u MMU, tables []uint64, accesses []Op, timed bool) (out []uint64) {
	p := Platform{Nodes: []Node{{ISA: isa, CPUs: 1}}}
	p.Hardware = PaperHardware(p)
	m, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Begin(Natural{}, Limits{})
	if timed {
		m.Begin(Earliest{}, Limits{})
	}
	at := m.Alloc(uint64(8 * len(tables)))
	for i, v := range tables {
		m.Poke64(at+VA(8*i), v)
	}
	m.SetMMU(0, u)
	m.SetRoot(0, PA(at))
	m.Run(Start{Body: func(t *Thread) {
		for i, op := range accesses {
			if i%16 == 15 {
				m.cpus[0].mmu.forget(op.Addr)
			}
			t.announce(op.pack())
			pa, ok := t.throughTLB(op)
			if !ok {
				pa = ^PA(0)
			}
			if t.present {
				pa--
			}
			out = append(out, uint64(pa))
		}
	}})
	c := m.TLBCounts(0)
	for i := range tables {
		out = append(out, m.Peek64(at+VA(8*i)))
	}
	return append(out, c.Hits, c.Misses, c.Walks, c.Faults)
}
