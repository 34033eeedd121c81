package firmware

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Constants of the format: Devicetree Specification v0.4, 5.2 to 5.4.
const (
	treeMagic       = 0xd00dfeed
	treeVersion     = 17 // of the format that is written
	treeCompatible  = 16 // the oldest version that a reader must know for it
	treeHeaderBytes = 40

	tokenBeginNode = 1
	tokenEndNode   = 2
	tokenProp      = 3
	tokenNop       = 4
	tokenEnd       = 9
)

// treeWriter makes the structure block and the strings block side by side.
type treeWriter struct {
	structure, strings []byte
}

func (w *treeWriter) cell(v uint32) { w.structure = binary.BigEndian.AppendUint32(w.structure, v) }

func (w *treeWriter) pad() {
	for len(w.structure)%4 != 0 {
		w.structure = append(w.structure, 0)
	}
}

func (w *treeWriter) begin(name string) {
	w.cell(tokenBeginNode)
	w.structure = append(append(w.structure, name...), 0)
	w.pad()
}

func (w *treeWriter) end() { w.cell(tokenEndNode) }

func (w *treeWriter) prop(name string, value []byte) {
	// Names that are equal, or one the tail of another, share their place (5.5).
	at := strings.Index(string(w.strings), name+"\x00")
	if at < 0 {
		at = len(w.strings)
		w.strings = append(append(w.strings, name...), 0)
	}
	w.cell(tokenProp)
	w.cell(uint32(len(value)))
	w.cell(uint32(at))
	w.structure = append(w.structure, value...)
	w.pad()
}

func (w *treeWriter) text(name, value string) { w.prop(name, []byte(value+"\x00")) }

func (w *treeWriter) reg(r Range) {
	v := binary.BigEndian.AppendUint64(nil, r.Base)
	w.prop("reg", binary.BigEndian.AppendUint64(v, r.Size))
}

// cells says that addresses and sizes of the node's children have 64 bits.
func (w *treeWriter) cells() {
	w.prop("#address-cells", []byte{0, 0, 0, 2})
	w.prop("#size-cells", []byte{0, 0, 0, 2})
}

// EncodeTree returns the flattened device tree of ranges, of version 17: a root, a memory
// node for each range that is RAM or Pool, and /reserved-memory with a child for
// each that is Reserved. The errors are those of [EncodeE820].
func EncodeTree(ranges []Range) ([]byte, error) {
	list, err := checked(ranges)
	if err != nil {
		return nil, fmt.Errorf("device tree: %w", err)
	}
	w := &treeWriter{}
	w.begin("")
	w.cells()
	w.text("compatible", "fusedos,stramash")
	w.text("model", "Stramash simulated node")
	reserved := false
	for _, r := range list {
		if r.Kind == Reserved {
			reserved = true
			continue
		}
		w.begin(fmt.Sprintf("memory@%x", r.Base))
		w.text("device_type", "memory")
		w.reg(r)
		if r.Kind == Pool {
			w.prop("stramash,pool", nil)
		}
		w.end()
	}
	if reserved {
		w.reservations(list)
	}
	w.end()
	w.cell(tokenEnd)
	return w.blob(), nil
}

func (w *treeWriter) reservations(list []Range) {
	w.begin("reserved-memory")
	w.cells()
	w.prop("ranges", nil)
	for _, r := range list {
		if r.Kind == Reserved {
			w.begin(fmt.Sprintf("region@%x", r.Base))
			w.reg(r)
			w.prop("no-map", nil)
			w.end()
		}
	}
	w.end()
}

// blob puts the blocks behind a header, in the order of 5.1: memory reservations,
// of which there are none, structure, strings.
func (w *treeWriter) blob() []byte {
	const structureAt = treeHeaderBytes + 16
	stringsAt := structureAt + len(w.structure)
	var b []byte
	for _, v := range []int{
		treeMagic, stringsAt + len(w.strings), structureAt, stringsAt, treeHeaderBytes,
		treeVersion, treeCompatible, 0, len(w.strings), len(w.structure),
	} {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	b = append(b, make([]byte, 16)...)
	return append(append(b, w.structure...), w.strings...)
}
