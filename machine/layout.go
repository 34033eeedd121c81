package machine

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/fusedos/stramash/coherence"
	"github.com/fusedos/stramash/machine/firmware"
)

// everyone and pool are homes of memory that is no node's own.
const (
	everyone = coherence.Everyone
	pool     = coherence.Pool
)

const (
	// nodeGap aligns the nodes' memories in a platform without tables. Below the
	// first nothing is mapped, so that a null pointer faults.
	nodeGap = 1 << 20
	// lowMemory is not given out: it is where a null pointer, and firmware, point.
	lowMemory = 1 << 20
	// maxAddress is where memory ends and devices begin. With Hardware, memory ends at
	// coherence.Limit.
	maxAddress = 1 << 48
)

// layout is the physical memory of a platform: as the nodes' tables have it, or one
// region for each node, one behind the other.
func (p Platform) layout() ([]*region, error) {
	tables := 0
	for _, n := range p.Nodes {
		if n.Table != nil {
			tables++
		}
	}
	switch tables {
	case 0:
		return p.stacked(), nil
	case len(p.Nodes):
		return p.tabled()
	}
	return nil, fmt.Errorf("%d of %d nodes have a Table: give one to each, or to none", tables, len(p.Nodes))
}

// stacked is the layout without tables.
func (p Platform) stacked() (out []*region) {
	base := PA(nodeGap)
	for i, n := range p.Nodes {
		size := n.Memory
		if size == 0 {
			size = 1 << 20
		}
		out = append(out, &region{base: base, size: size, home: i, closed: n.Private})
		base += PA((size + nodeGap - 1) / nodeGap * nodeGap)
	}
	return out
}

// tabled is the layout by the nodes' tables. What all of them say is the memory of
// everyone, or a pool; what one says alone is its own.
func (p Platform) tabled() ([]*region, error) {
	var out []*region
	for i, n := range p.Nodes {
		all, err := firmware.Parse(n.Table)
		if err != nil {
			return nil, fmt.Errorf("node %d: Table: %w", i, err)
		}
		usable, err := firmware.Usable(all)
		if err != nil {
			return nil, fmt.Errorf("node %d: Table: %w", i, err)
		}
		for _, r := range usable {
			if r = wholePages(r); r.Size == 0 {
				continue
			}
			home := i
			if r.Kind == firmware.Pool {
				home = pool
			}
			same := slices.IndexFunc(out, func(o *region) bool { return uint64(o.base) == r.Base && o.size == r.Size })
			if same >= 0 && (out[same].home == home || home == i && out[same].home != pool) {
				if home == i {
					out[same].home, out[same].closed = everyone, false
				}
				continue
			}
			if r.Base+r.Size > maxAddress {
				return nil, fmt.Errorf("node %d: Table: memory at %#x ends above %#x", i, r.Base, uint64(maxAddress))
			}
			out = append(out, &region{base: PA(r.Base), size: r.Size, home: home, closed: n.Private && home == i})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the nodes' tables have no usable memory")
	}
	slices.SortFunc(out, func(a, b *region) int { return cmp.Compare(a.base, b.base) })
	for i := range out[1:] {
		a, b := out[i], out[i+1]
		if a.base+PA(a.size) > b.base {
			return nil, fmt.Errorf("the nodes' tables overlap: memory at %#x of %#x bytes and at %#x of %#x; all that share memory must list it alike",
				uint64(a.base), a.size, uint64(b.base), b.size)
		}
	}
	return out, nil
}

// wholePages is a range without the parts of pages at its ends, which no kernel uses.
func wholePages(r firmware.Range) firmware.Range {
	first, end := (r.Base+4095)&^4095, (r.Base+r.Size)&^4095
	if first < r.Base || end <= first {
		return firmware.Range{}
	}
	return firmware.Range{Base: first, Size: end - first, Kind: r.Kind}
}

// forbids says whether an address is memory that only another node may touch.
func (mm *memory) forbids(node int, pa PA) bool {
	r := mm.regionOf(pa)
	return r != nil && r.closed && r.home != node
}

// take reserves n bytes, aligned, or answers false.
func (r *region) take(n, align uint64) (PA, bool) {
	at := max(r.next, lowMemory-min(uint64(r.base), lowMemory))
	at = (at + align - 1) &^ (align - 1)
	if n > r.size || at > r.size-n {
		return 0, false
	}
	r.next = at + n
	return r.base + PA(at), true
}

// Alloc reserves n bytes of node 0's memory, which are zero; where that is private,
// other nodes can't reach them. See AllocOn, and AllocShared.
func (m *Machine) Alloc(n uint64) VA { return m.AllocOn(0, n) }

// AllocOn reserves n bytes of a node's memory, which are zero: of its own, or else of
// what all nodes have alike. They are aligned to their size rounded up to a power of
// two, but to no more than 64. It panics if the memory is exhausted or the run has
// started.
func (m *Machine) AllocOn(node int, n uint64) VA {
	if node < 0 || node >= len(m.platform.Nodes) {
		panic(fmt.Sprintf("machine: Alloc on node %d of %d", node, len(m.platform.Nodes)))
	}
	return m.allocIn(n, fmt.Sprintf("node %d", node), node, everyone, pool)
}

// AllocShared reserves n bytes that every node can reach: of a pool, if there is
// one, of what all nodes have alike, or of the first node that keeps none of its
// memory to itself. See AllocOn.
func (m *Machine) AllocShared(n uint64) VA {
	homes := []int{pool, everyone}
	for i, node := range m.platform.Nodes {
		if !node.Private {
			homes = append(homes, i)
		}
	}
	return m.allocIn(n, "shared memory", homes...)
}

// allocIn reserves n bytes in a region of the first home that has them.
func (m *Machine) allocIn(n uint64, what string, homes ...int) VA {
	m.mustBeSettingUp("Alloc")
	align := uint64(8)
	for align < n && align < 64 {
		align *= 2
	}
	left := uint64(0)
	for _, home := range homes {
		for _, r := range m.mem.regions {
			if r.home != home {
				continue
			}
			if at, ok := r.take(n, align); ok {
				return VA(at)
			}
			left = max(left, r.size-min(r.next, r.size))
		}
	}
	panic(fmt.Sprintf("machine: Alloc of %d bytes: %s has %d bytes left in one piece; give it more with Node.Memory or Node.Table", n, what, left))
}

// heapOf is the region of a CPU's heap, and how many CPUs have theirs in it, of which
// it is the k-th.
func (m *Machine) heapOf(c *cpu) (r *region, k, n uint64) {
	r = m.heapRegion(c.node)
	for _, d := range m.cpus {
		if m.heapRegion(d.node) == r {
			if d.id < c.id {
				k++
			}
			n++
		}
	}
	return r, k, n
}

// heapRegion is the largest region of a node's own memory, or of the first of what
// it shares; for a node that keeps its memory to itself, of what it shares.
func (m *Machine) heapRegion(node int) (best *region) {
	homes := []int{node, everyone, pool}
	if m.platform.Nodes[node].Private {
		homes = []int{everyone, pool, node}
	}
	for _, home := range homes {
		for _, r := range m.mem.regions {
			if r.home == home && (best == nil || r.size > best.size) {
				best = r
			}
		}
		if best != nil {
			return best
		}
	}
	return m.mem.regions[0]
}
