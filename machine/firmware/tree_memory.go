package firmware

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// finish looks at the innermost open node when it ends: all its properties are known by
// then, and those of its parents, which come before any child.
func (r *treeReader) finish() error {
	node := &r.open[len(r.open)-1]
	switch {
	case len(r.open) == 2 && isMemory(node):
		return r.memory(node)
	case len(r.open) == 3 && r.open[1].name == "reserved-memory":
		return r.reservation(node)
	}
	return nil
}

func isMemory(n *treeNode) bool {
	return n.name == "memory" || strings.HasPrefix(n.name, "memory@") || string(n.props[propDeviceType]) == "memory\x00"
}

// enabled follows of_fdt_device_is_available of Linux's drivers/of/fdt.c.
func (n *treeNode) enabled() bool {
	status := string(n.props[propStatus])
	return n.props[propStatus] == nil || status == "okay\x00" || status == "ok\x00"
}

// memory reads a memory node: Devicetree Specification v0.4, 3.4.
func (r *treeReader) memory(n *treeNode) error {
	kind := RAM
	switch {
	case !n.enabled():
		return nil
	case string(n.props[propDeviceType]) != "memory\x00":
		return fmt.Errorf("%s: no device_type \"memory\": give it one, or another name", r.path())
	case len(n.props[propPool]) > 0:
		return fmt.Errorf("%s: stramash,pool has a value: leave it empty", r.path())
	case n.props[propPool] != nil:
		kind = Pool
	}
	return r.reg(n, &r.open[0], kind)
}

// reservation reads a child of /reserved-memory: 3.5. That node has the cells of the
// root and empty ranges, or its addresses would not be those of the memory nodes.
func (r *treeReader) reservation(n *treeNode) error {
	parent, root := &r.open[1], &r.open[0]
	switch {
	case !n.enabled():
		return nil
	case parent.props[propRanges] == nil || len(parent.props[propRanges]) > 0:
		return fmt.Errorf("/reserved-memory: its ranges are missing or not empty: give it an empty property ranges")
	case parent.cells(propAddressCells) != root.cells(propAddressCells),
		parent.cells(propSizeCells) != root.cells(propSizeCells):
		return fmt.Errorf("/reserved-memory: its #address-cells or #size-cells differ from the root's: make them the same")
	}
	return r.reg(n, parent, Reserved)
}

// cells returns #address-cells or #size-cells for a node's children, or 0 for what
// is not supported. Without the property they are 2 and 1: 2.3.5.
func (n *treeNode) cells(prop int) int {
	value := n.props[prop]
	if value == nil {
		return [...]int{propAddressCells: 2, propSizeCells: 1}[prop]
	}
	if len(value) == 4 && (value[3] == 1 || value[3] == 2) && value[0]|value[1]|value[2] == 0 {
		return int(value[3])
	}
	return 0
}

// reg adds the ranges of a node's reg: pairs of an address and a size (2.3.6).
func (r *treeReader) reg(n, parent *treeNode, kind Kind) error {
	address, size := parent.cells(propAddressCells), parent.cells(propSizeCells)
	value, stride := n.props[propReg], 4*(address+size)
	switch {
	case address == 0 || size == 0:
		return fmt.Errorf("%s: its parent's #address-cells or #size-cells is neither 1 nor 2: make it one of them", r.path())
	case len(value) == 0:
		return fmt.Errorf("%s: no reg: say where the memory is", r.path())
	case len(value)%stride != 0:
		return fmt.Errorf("%s: reg has %d bytes, no multiple of %d: give %d cells of address and %d of size for each range",
			r.path(), len(value), stride, address, size)
	case len(r.list)+len(value)/stride > MaxRanges:
		return fmt.Errorf("%s: a table has at most %d ranges: join neighbours", r.path(), MaxRanges)
	}
	for ; len(value) > 0; value = value[stride:] {
		r.list = append(r.list, placed{
			Range{number(value[:4*address]), number(value[4*address : stride]), kind}, r.path(),
		})
	}
	return nil
}

// number reads one or two cells.
func number(b []byte) uint64 {
	if len(b) == 4 {
		return uint64(binary.BigEndian.Uint32(b))
	}
	return binary.BigEndian.Uint64(b)
}
